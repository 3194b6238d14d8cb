"""Decisions that wait: undone in time, carried out whatever becomes of the browser, agreed to by another person."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from automations.engine.models import Run
from automations.inbox import actions, queries, tasks
from automations.inbox.actions import pending
from automations.inbox.enums import CaseState, Decide, IntentState
from automations.inbox.errors import (
    CaseAlreadyDecided,
    CaseChanged,
    IntentOver,
    SecondIsFirst,
    SecondNeeded,
)
from automations.inbox.models import Case, Intent
from automations.inbox.queries import CaseFilter
from automations.ledger import queries as ledger
from automations.ledger.models import Errand
from kernel.errors import Forbidden
from tenants.access.models import Membership
from tenants.audit.models import AuditEvent
from tests.automations.inbox.conftest import Bench
from tests.support.cast import NOW, Cast


def due(intent: Intent) -> None:
    """The seconds are over."""
    Intent.objects.filter(pk=intent.pk).update(carry_at=Now() - timedelta(seconds=1))


def put(case: Case, actor: Any, decision: str = "retry", **more: Any) -> Intent:
    intent = actions.put_decision(
        case_id=case.pk, decision=decision, actor=actor, now=NOW, undo=True, **more
    ).intent
    assert intent is not None
    return intent


@pytest.fixture
def failed(bench: Bench, now: Any) -> Case:
    return Case.objects.get(run_id=bench.fail().pk)


@pytest.fixture
def limited(cast: Cast, failed: Case) -> Case:
    """A case above the limit: 178.95 at risk, two people from 100 on."""
    actions.set_limit(minor=10_000, currency="GBP", actor=cast.actor(cast.owner), now=NOW)
    return failed


def run_status(case: Case) -> str:
    return str(Run.objects.get(pk=case.run_id).status)


def test_a_decision_stands_at_once_and_reaches_the_run_when_its_seconds_are_over(
    cast: Cast, failed: Case
) -> None:
    intent = put(failed, cast.actor(cast.reviewer))
    assert run_status(failed) == "suspended"
    assert queries.cases(CaseFilter(), now=NOW).items == ()
    assert queries.open_count(NOW) == 0
    assert [row.id for row in queries.cases(CaseFilter(state="resolving"), now=NOW).items] == [failed.pk]
    assert [one["key"] for one in ledger.errands(pending.JOB)] == [intent.pk]
    tasks.carry_out(key=str(intent.pk))
    assert run_status(failed) == "suspended", "it was carried out before its seconds were over"
    due(intent)
    tasks.carry_out(key=str(intent.pk))
    tasks.carry_out(key=str(intent.pk))
    failed.refresh_from_db()
    intent.refresh_from_db()
    assert (failed.state, failed.decided_by) == (CaseState.RESOLVING, "Rosa Reviewer")
    assert (intent.state, run_status(failed)) == (IntentState.DONE, "running")
    assert failed.decisions.count() == 1
    assert not Errand.objects.filter(pk=intent.pk).exists()


def test_what_is_undone_in_time_never_reaches_the_run(cast: Cast, failed: Case) -> None:
    rosa = cast.actor(cast.reviewer)
    intent = put(failed, rosa)
    with pytest.raises(Forbidden):
        actions.undo_decision(intent_id=intent.pk, actor=cast.actor(cast.colleague), now=NOW)
    actions.undo_decision(intent_id=intent.pk, actor=rosa, now=NOW)
    due(intent)
    assert pending.carry_out(intent.pk, now=NOW)
    assert run_status(failed) == "suspended"
    assert [row.id for row in queries.cases(CaseFilter(), now=NOW).items] == [failed.pk]
    with pytest.raises(IntentOver):
        actions.undo_decision(intent_id=intent.pk, actor=rosa, now=NOW)


def test_of_two_who_decide_one_wins_and_the_other_is_told(cast: Cast, failed: Case) -> None:
    put(failed, cast.actor(cast.reviewer))
    colin = cast.actor(cast.colleague)
    for undo in (True, False):
        with pytest.raises(CaseAlreadyDecided) as told:
            actions.put_decision(case_id=failed.pk, decision="skip", actor=colin, now=NOW, undo=undo)
        assert "Rosa Reviewer" in told.value.message
    with pytest.raises(CaseAlreadyDecided):
        actions.decide_case(case_id=failed.pk, decision="retry", actor=colin, now=NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        Intent.objects.create(
            case=failed, decision="skip", version=1, digest="", state="waiting", actor={}, first="C", at=NOW
        )


def test_what_cannot_be_carried_out_any_more_says_so_and_the_case_is_back(cast: Cast, failed: Case) -> None:
    intent = put(failed, cast.actor(cast.reviewer))
    Case.objects.filter(pk=failed.pk).update(version=7)
    due(intent)
    pending.carry_out(intent.pk, now=NOW)
    intent.refresh_from_db()
    assert (intent.state, run_status(failed)) == (IntentState.REFUSED, "suspended")
    found = queries.case(failed.pk, now=NOW, internal=False)
    assert found.pending is not None
    assert "changed since" in found.pending.error
    assert found.answers


def test_who_lost_the_right_meanwhile_has_decided_nothing(cast: Cast, failed: Case) -> None:
    intent = put(failed, cast.actor(cast.reviewer))
    Membership.objects.filter(user=cast.reviewer).delete()
    due(intent)
    pending.carry_out(intent.pk, now=NOW)
    intent.refresh_from_db()
    assert (intent.state, run_status(failed)) == (IntentState.REFUSED, "suspended")


def test_above_the_limit_nobody_decides_alone_and_time_does_not_agree(cast: Cast, limited: Case) -> None:
    rosa = cast.actor(cast.reviewer)
    with pytest.raises(SecondNeeded):
        actions.decide_case(case_id=limited.pk, decision="skip", actor=rosa, now=NOW)
    intent = put(limited, rosa, "skip", reason="Known good")
    assert intent.state == IntentState.ASKED
    due(intent)
    pending.carry_out(intent.pk, now=NOW)
    assert run_status(limited) == "suspended"
    with pytest.raises(SecondIsFirst):
        actions.agree(intent_id=intent.pk, digest=intent.digest, actor=rosa, now=NOW)
    assert [row.id for row in queries.cases(CaseFilter(state="second"), now=NOW).items] == [limited.pk]
    assert queries.counts(now=NOW).second == 1


def test_a_second_person_agrees_and_both_stand_in_history_and_audit(cast: Cast, limited: Case) -> None:
    intent = put(limited, cast.actor(cast.reviewer), "skip")
    actions.agree(intent_id=intent.pk, digest=intent.digest, actor=cast.actor(cast.colleague), now=NOW)
    due(intent)
    pending.carry_out(intent.pk, now=NOW)
    limited.refresh_from_db()
    assert (limited.state, limited.decided_by) == (CaseState.RESOLVING, "Rosa Reviewer")
    assert limited.decisions.get().after["second"] == "Colin Colleague"
    told = AuditEvent.objects.filter(action__startswith="inbox.").order_by("id")
    assert [(one.action, one.actor_label) for one in told if one.action != "inbox.set_limit"] == [
        ("inbox.ask_second", "Rosa Reviewer"),
        ("inbox.agree", "Colin Colleague"),
        ("inbox.decide", "Rosa Reviewer"),
    ]


def test_the_second_person_agrees_to_what_was_shown_or_to_nothing(cast: Cast, limited: Case) -> None:
    intent = put(limited, cast.actor(cast.reviewer), "skip")
    colin = cast.actor(cast.colleague)
    with pytest.raises(CaseChanged):
        actions.agree(intent_id=intent.pk, digest="other", actor=colin, now=NOW)
    Case.objects.filter(pk=limited.pk).update(value_minor=9_999_999)
    with pytest.raises(CaseChanged):
        actions.agree(intent_id=intent.pk, digest=intent.digest, actor=colin, now=NOW)
    actions.decline(intent_id=intent.pk, actor=colin, now=NOW, reason="Too much")
    found = queries.case(limited.pk, now=NOW, internal=False)
    assert found.pending is not None
    assert (found.pending.state, found.pending.error) == (IntentState.DECLINED, "Too much")
    assert run_status(limited) == "suspended"


@pytest.mark.parametrize(
    ("value", "currency", "decision", "two"),
    [
        (10_000, "GBP", Decide.SKIP, True),
        (9_999, "GBP", Decide.SKIP, False),
        (1, "EUR", Decide.EDIT, True),
        (99_999, "GBP", Decide.RETRY, False),
        (99_999, "GBP", Decide.CANCEL, False),
        (None, "", Decide.SKIP, False),
    ],
)
def test_which_decisions_take_two(
    limited: Case, value: int | None, currency: str, decision: Decide, two: bool
) -> None:
    limited.value_minor, limited.currency = value, currency
    assert queries.pending.takes_two(limited, decision) is two


def test_many_failures_of_one_cause_are_one_row(bench: Bench, now: Any) -> None:
    for number in range(7):
        bench.fail(order_id=str(20_000 + number))
    first = queries.cases(CaseFilter(), now=NOW, heaped=True)
    assert len(first.items) == 1
    heap = queries.heaps(CaseFilter(), first.items, now=NOW)[first.items[0].id]
    assert (heap.number, heap.value_minor) == (7, 7 * 17_895)
    assert len(queries.cases(CaseFilter(), now=NOW).items) == 7
    few = queries.cases(CaseFilter(business_key="20001"), now=NOW, heaped=True)
    assert [row.business_key for row in few.items] == ["20001"]
    assert queries.heaps(CaseFilter(business_key="20001"), few.items, now=NOW) == {}


def test_a_heaped_list_goes_on_by_cursor_and_shows_nothing_twice(
    bench: Bench, make_case: Any, now: Any
) -> None:
    for number in range(6):
        bench.fail(order_id=str(20_000 + number))
    for number in range(5):
        make_case(title=f"Case {number}", due_at=NOW + timedelta(days=9, minutes=number))
    seen, after = [], ""
    for _page in range(9):
        found = queries.cases(CaseFilter(), now=NOW, heaped=True, after=after, limit=2)
        seen += [row.id for row in found.items]
        after = found.after
        if not after:
            break
    assert len(seen) == len(set(seen)) == 6
