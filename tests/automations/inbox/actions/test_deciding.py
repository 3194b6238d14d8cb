"""People decide cases: the run goes on from its failed step, and who did what stays."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections

from automations.engine.enums import RunStatus
from automations.engine.machine.moves import Outcome
from automations.engine.models import Run
from automations.engine.queries import journal
from automations.events.models import Event
from automations.inbox import actions
from automations.inbox.enums import CaseState, ClosedHow, Decide
from automations.inbox.errors import (
    CaseAlreadyDecided,
    CaseChanged,
    CaseClosed,
    CaseOpen,
    CaseUnknown,
    NotDecidable,
    RunWaits,
)
from automations.inbox.models import Case, Decision
from kernel.errors import Forbidden
from kernel.ids import uuid7
from tenants.audit.models import AuditEvent
from tenants.tenancy import context
from tests.automations.inbox.conftest import STEP, Bench, dispatch
from tests.support.cast import NOW, Cast

LATER = NOW + timedelta(minutes=10)
BOOKED = Outcome(201, {}, {"reference": "SO-1"})
CORRECTED = {
    "order_id": "10045",
    "address": {"postcode": "BS1 4DB"},
    "total_minor": 17_895,
    "currency": "GBP",
}


def test_a_corrected_step_is_done_again_and_nothing_before_it(bench: Bench, cast: Cast) -> None:
    run = bench.fail()
    case = Case.objects.get()
    assert (case.value_minor, case.currency, case.workflow_id) == (17_895, "GBP", bench.workflow.id)
    rosa = cast.actor(cast.reviewer)
    decided = actions.decide_case(
        case_id=case.id, decision="edit", actor=rosa, now=LATER, value=CORRECTED, reason="Asked the customer"
    )
    assert decided.state == CaseState.RESOLVING
    assert bench.go_on(run.id, BOOKED, at=LATER) == [CORRECTED]
    case.refresh_from_db()
    assert (case.state, case.closed_how, case.closed_by) == (
        CaseState.RESOLVED,
        ClosedHow.PERSON,
        "Rosa Reviewer",
    )
    assert case.closed_at == LATER
    assert Run.objects.get(pk=run.id).status == RunStatus.COMPLETED
    assert [step.name for step in journal(run.id) if step.status == "completed"] == [
        "prepare",
        "book",
        "tell",
    ]


def test_a_decision_leaves_its_trace(bench: Bench, cast: Cast) -> None:
    run = bench.fail()
    case = Case.objects.get()
    actions.decide_case(
        case_id=case.id,
        decision=Decide.EDIT,
        actor=cast.actor(cast.reviewer),
        now=LATER,
        value=CORRECTED,
        reason="Asked the customer",
    )
    act = Decision.objects.get()
    assert (act.kind, act.actor, act.reason, act.step) == (
        "edit",
        "Rosa Reviewer",
        "Asked the customer",
        STEP,
    )
    assert (act.before["state"], act.after["state"]) == ("open", "resolving")
    assert act.before["data"]["address"] == {}
    assert act.after["data"] == CORRECTED
    assert act.outcome == "pending"
    audit = AuditEvent.objects.get(action="inbox.decide")
    assert (audit.pk, audit.object_id, audit.actor_label) == (act.audit_id, case.public_id, "Rosa Reviewer")
    assert AuditEvent.objects.get(action="engine.operate").object_id == run.public_id
    fact = Event.objects.get(type="portal.case.decided")
    assert (fact.subject, fact.data["decision"], fact.data["by"]) == ("10045", "edit", "Rosa Reviewer")


def test_a_decision_that_did_not_help_says_so(bench: Bench, cast: Cast) -> None:
    run = bench.fail()
    case = Case.objects.get()
    actions.decide_case(case_id=case.id, decision="retry", actor=cast.actor(cast.reviewer), now=LATER)
    bench.go_on(run.id, Outcome(503, {}, None), at=LATER)
    case.refresh_from_db()
    assert (case.state, case.failures, case.error_class) == (CaseState.OPEN, 2, "connection")
    assert Decision.objects.get().outcome == "failed"


@pytest.mark.parametrize(
    ("decision", "value", "status"),
    [("skip", None, RunStatus.RUNNING), ("complete", {"reference": "by hand"}, RunStatus.RUNNING)],
)
def test_a_step_may_be_passed_by(bench: Bench, cast: Cast, decision: str, value: Any, status: str) -> None:
    run = bench.fail()
    case = Case.objects.get()
    actions.decide_case(
        case_id=case.id, decision=decision, actor=cast.actor(cast.reviewer), now=LATER, value=value
    )
    dispatch()
    case.refresh_from_db()
    assert Run.objects.get(pk=run.id).status == status
    assert (case.state, case.closed_how) == (CaseState.RESOLVED, ClosedHow.PERSON)
    assert Decision.objects.get().outcome == "worked"


def test_a_run_may_be_cancelled_with_a_reason(bench: Bench, cast: Cast) -> None:
    run = bench.fail()
    case = Case.objects.get()
    rosa = cast.actor(cast.reviewer)
    with pytest.raises(NotDecidable):
        actions.decide_case(case_id=case.id, decision="cancel", actor=rosa, now=LATER)
    assert Run.objects.get(pk=run.id).status == RunStatus.SUSPENDED
    actions.decide_case(case_id=case.id, decision="cancel", actor=rosa, now=LATER, reason="Test order")
    dispatch()
    case.refresh_from_db()
    assert (case.state, case.closed_how) == (CaseState.RESOLVED, ClosedHow.PERSON)
    assert Run.objects.get(pk=run.id).status == RunStatus.CANCELLED


def test_who_may_not_decide_changes_nothing(bench: Bench, cast: Cast) -> None:
    run = bench.fail()
    case = Case.objects.get()
    before, audits = Case.objects.values().get(), AuditEvent.objects.count()
    for user in (cast.analyst, cast.staff, cast.partner_engineer, cast.stranger):
        for act in (
            lambda actor: actions.decide_case(case_id=case.id, decision="retry", actor=actor, now=LATER),
            lambda actor: actions.reopen_case(case_id=case.id, actor=actor, now=LATER),
            lambda actor: actions.decide_each(case_ids=[case.id], decision="retry", actor=actor, now=LATER),
        ):
            with pytest.raises(Forbidden):
                act(cast.actor(user))
    assert Case.objects.values().get() == before
    assert (AuditEvent.objects.count(), Decision.objects.count()) == (audits, 0)
    assert Run.objects.get(pk=run.id).status == RunStatus.SUSPENDED


def test_who_may_decide_but_not_operate_changes_nothing(bench: Bench, cast: Cast) -> None:
    from dataclasses import replace

    run = bench.fail()
    case = Case.objects.get()
    actor = cast.actor(cast.reviewer)
    actor = replace(actor, permissions=actor.permissions - {"engine.operate"})
    with pytest.raises(Forbidden):
        actions.decide_case(case_id=case.id, decision="retry", actor=actor, now=LATER)
    assert Run.objects.get(pk=run.id).status == RunStatus.SUSPENDED
    assert Case.objects.get().state == CaseState.OPEN
    assert not Decision.objects.exists()


def test_the_second_to_decide_is_told_who_was_first(bench: Bench, cast: Cast) -> None:
    bench.fail()
    case = Case.objects.get()
    actions.decide_case(case_id=case.id, decision="retry", actor=cast.actor(cast.reviewer), now=LATER)
    with pytest.raises(CaseAlreadyDecided, match="Rosa Reviewer decided this case already: Try again"):
        actions.decide_case(
            case_id=case.id, decision="cancel", reason="No", actor=cast.actor(cast.colleague), now=LATER
        )
    assert Decision.objects.count() == 1


def test_what_changed_meanwhile_is_not_decided(bench: Bench, cast: Cast) -> None:
    run = bench.fail()
    case = Case.objects.get()
    rosa = cast.actor(cast.reviewer)
    actions.decide_case(case_id=case.id, decision="retry", actor=rosa, now=LATER)
    bench.go_on(run.id, Outcome(503, {}, None), at=LATER)
    with pytest.raises(CaseChanged):
        actions.decide_case(
            case_id=case.id, decision="edit", value={}, actor=rosa, now=LATER, seen=case.version
        )
    assert Run.objects.get(pk=run.id).status == RunStatus.SUSPENDED


def test_a_failure_is_not_resolved_while_its_run_waits(bench: Bench, cast: Cast) -> None:
    bench.fail()
    case = Case.objects.get()
    with pytest.raises(RunWaits):
        actions.resolve_case(case_id=case.id, actor=cast.actor(cast.reviewer), now=LATER)
    assert Case.objects.get().state == CaseState.OPEN


def test_a_business_case_is_resolved_dismissed_and_reopened(
    make_case: Callable[..., Case], cast: Cast
) -> None:
    case, rosa = make_case(), cast.actor(cast.reviewer)
    actions.resolve_case(case_id=case.id, actor=rosa, now=LATER, reason="The carrier found it")
    case.refresh_from_db()
    assert (case.state, case.closed_how, case.outcome) == ("resolved", "person", "The carrier found it")
    actions.reopen_case(case_id=case.id, actor=rosa, now=LATER, reason="It is lost after all")
    case.refresh_from_db()
    assert (case.state, case.closed_at, case.reopened) == ("open", None, 1)
    assert case.due_at == LATER + timedelta(hours=24)
    actions.dismiss_case(case_id=case.id, actor=rosa, now=LATER, reason="Refunded")
    case.refresh_from_db()
    assert (case.state, case.closed_how) == ("dismissed", "person")
    assert list(Decision.objects.values_list("kind", "outcome")) == [
        ("resolve", "worked"),
        ("reopen", ""),
        ("dismiss", ""),
    ]
    with pytest.raises(CaseAlreadyDecided):
        actions.resolve_case(case_id=case.id, actor=cast.actor(cast.colleague), now=LATER)


def test_what_cannot_be_decided(make_case: Callable[..., Case], cast: Cast) -> None:
    case, rosa = make_case(), cast.actor(cast.reviewer)
    for decision in ("approve", "snooze", "retry"):
        with pytest.raises(NotDecidable):
            actions.decide_case(case_id=case.id, decision=decision, actor=rosa, now=LATER)
    with pytest.raises(NotDecidable) as refused:
        actions.decide_case(case_id=case.id, decision="dismiss", actor=rosa, now=LATER)
    assert list(refused.value.fields) == ["reason"]
    with pytest.raises(CaseUnknown):
        actions.resolve_case(case_id=uuid7(), actor=rosa, now=LATER)
    with pytest.raises(CaseOpen):
        actions.reopen_case(case_id=case.id, actor=rosa, now=LATER)
    closed = make_case(state="resolved", closed_at=NOW, closed_how="auto")
    with pytest.raises(CaseClosed):
        actions.resolve_case(case_id=closed.id, actor=rosa, now=LATER)
    assert not Decision.objects.exists()


def test_many_are_decided_alike(make_case: Callable[..., Case], cast: Cast) -> None:
    open_, closed = make_case(), make_case(state="resolved", closed_at=NOW, closed_how="auto")
    results = actions.decide_each(
        case_ids=[closed.id, open_.id], decision="resolve", actor=cast.actor(cast.reviewer), now=LATER
    )
    assert [(one.case_id, one.error) for one in results] == [
        (closed.id, "This case is closed."),
        (open_.id, ""),
    ]


def test_of_two_who_decide_at_once_one_wins(committed: object, bench: Bench, cast: Cast) -> None:
    run = bench.fail()
    case = Case.objects.get()
    start, told = threading.Barrier(2), []

    def decide(user: Any, decision: str) -> None:
        try:
            with context.enter(cast.tenant):
                actor = cast.actor(user)
                start.wait()
                actions.decide_case(case_id=case.id, decision=decision, actor=actor, now=LATER)
                told.append((str(user), "won"))
        except CaseAlreadyDecided as error:
            told.append((str(user), error.message))
        finally:
            connections.close_all()

    threads = [
        threading.Thread(target=decide, args=pair)
        for pair in ((cast.reviewer, "retry"), (cast.colleague, "skip"))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    words = dict(told)
    winner = next(name for name, outcome in words.items() if outcome == "won")
    loser = next(name for name, outcome in words.items() if outcome != "won")
    assert words[loser].startswith(f"{winner} decided this case already")
    assert Decision.objects.get().actor == winner
    assert AuditEvent.objects.filter(action="inbox.decide").count() == 1
    assert [step.by for step in journal(run.id) if step.status == "resumed"] == [winner]
    assert connection.is_usable()
