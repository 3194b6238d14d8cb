"""One case with what is needed to decide it."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from automations.engine.machine.moves import Outcome
from automations.inbox import actions, queries
from automations.inbox.enums import Decide
from automations.inbox.errors import CaseUnknown
from automations.inbox.models import Case
from kernel.ids import uuid7
from tests.automations.inbox.conftest import Bench
from tests.support.cast import NOW, Cast

BOOKED = Outcome(201, {}, {"reference": "SO-1"})


def test_a_failure_shows_what_would_be_corrected(bench: Bench) -> None:
    run = bench.fail(address={"city": "Bristol"})
    detail = queries.case(Case.objects.get().id, now=NOW, internal=False)
    assert detail.has_editable
    assert detail.editable["address"] == {"city": "Bristol"}
    assert [one.pointer for one in detail.problems] == ["/shipping_address/postcode"]
    assert (detail.run_status, detail.run_public_id, detail.workflow) == (
        "suspended",
        run.public_id,
        "Order to ERP",
    )
    assert [one.decision for one in detail.answers] == ["edit", "retry", "skip", "complete", "cancel"]
    assert detail.suggestion is not None
    assert detail.suggestion.text == "Fill in what is missing and try again: postcode."
    assert (detail.suggestion.worked, detail.suggestion.times) == (0, 0)
    assert detail.runbook == "missing-data"


def test_a_suggestion_has_a_track_record(bench: Bench, cast: Cast) -> None:
    rosa = cast.actor(cast.reviewer)
    for number in range(4):
        run = bench.fail(order_id=f"2000{number}")
        case = Case.objects.get(run_id=run.id)
        actions.decide_case(case_id=case.id, decision="edit", value={"order_id": "x"}, actor=rosa, now=NOW)
        bench.go_on(run.id, BOOKED if number else Outcome(422, {}, {"fields": {"city": ["required"]}}))
    bench.fail(order_id="30001")
    case = Case.objects.get(business_key="30001")
    detail = queries.case(case.id, now=NOW, internal=False)
    assert detail.suggestion is not None
    assert (detail.suggestion.decision, detail.suggestion.worked, detail.suggestion.times) == (
        Decide.EDIT,
        3,
        4,
    )
    assert detail.alike_open == 0
    alike = queries.similar(case.id, now=NOW)
    assert {row.business_key for row in alike} == {"20001", "20002", "20003"}


def test_what_is_decided_offers_nothing_and_what_is_closed_reopening(bench: Bench, cast: Cast) -> None:
    run = bench.fail()
    case = Case.objects.get()
    actions.decide_case(case_id=case.id, decision="skip", actor=cast.actor(cast.reviewer), now=NOW)
    detail = queries.case(case.id, now=NOW, internal=False)
    assert (list(detail.answers), detail.suggestion, detail.decided_by) == ([], None, "Rosa Reviewer")
    assert [(act.kind, act.actor, act.outcome) for act in detail.acts] == [
        ("skip", "Rosa Reviewer", "pending")
    ]
    bench.go_on(run.id, BOOKED)
    detail = queries.case(case.id, now=NOW, internal=False)
    assert [one.decision for one in detail.answers] == ["reopen"]


def test_a_business_case_is_resolved_or_dismissed(make_case: Callable[..., Case]) -> None:
    detail = queries.case(make_case(run_id=uuid7()).id, now=NOW + timedelta(days=2), internal=False)
    assert [one.decision for one in detail.answers] == ["resolve", "dismiss"]
    assert detail.row.late
    assert not detail.has_editable


def test_an_approval_has_words_of_its_own(bench: Bench) -> None:
    run = bench.fail()
    Case.objects.update(kind="needs_approval", error_class="")
    detail = queries.case(Case.objects.get(run_id=run.id).id, now=NOW, internal=False)
    assert [str(one.label) for one in detail.answers] == ["Approve", "Reject", "Correct and try again"]


def test_there_is_no_such_case(tenant: object) -> None:
    with pytest.raises(CaseUnknown):
        queries.case(uuid7(), now=NOW, internal=False)


def test_a_case_is_found_by_what_people_paste(bench: Bench) -> None:
    run = bench.fail()
    case = Case.objects.get()
    for text in (
        case.code,
        case.code.lower(),
        str(case.number),
        case.public_id,
        "10045",
        run.public_id,
        " 10045 ",
    ):
        assert [row.id for row in queries.find(text, now=NOW)] == [case.id], text
    for text in ("EX-9", "case_nonsense", "run_", ""):
        assert queries.find(text, now=NOW) == [], text
    found = queries.case_of_run(run.id, now=NOW)
    assert found is not None
    assert found.id == case.id
    assert [one.row.id for one in queries.cases_of("10045", now=NOW)] == [case.id]
