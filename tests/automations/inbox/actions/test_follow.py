"""Cases follow what runs tell, in the order in which it happened, however it arrives."""

import itertools
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from automations.events import actions as events
from automations.events.models import Event
from automations.inbox.enums import CaseState, ClosedHow
from automations.inbox.models import Case, Closing, Decision
from kernel.ids import uuid7
from tenants.tenancy import context
from tenants.tenancy.queries import TenantRef
from tests.automations.inbox.conftest import REFUSED, STEP, dispatch
from tests.support.cast import NOW

Tell = Callable[..., None]
RUN = uuid7()


def test_a_run_that_waits_for_a_person_has_a_case(tell: Tell) -> None:
    tell("suspended", RUN, 4)
    case = Case.objects.get()
    assert (case.kind, case.error_class, case.severity) == ("run_failed", "missing_data", "high")
    assert case.title == "Erp.example.com refused order 10045: postcode is missing"
    assert case.cause == (
        "erp.example.com refused order 10045: postcode is missing. A postcode is required for United Kingdom."
    )
    assert (case.run_id, case.step, case.business_key) == (RUN, STEP, "10045")
    assert case.code == "EX-1001"
    assert (case.opened_at, case.due_at) == (NOW, NOW + timedelta(hours=8))
    assert case.state == CaseState.OPEN


def test_a_run_that_fails_again_keeps_its_case(tell: Tell) -> None:
    tell("suspended", RUN, 4)
    tell("suspended", RUN, 9, at=NOW + timedelta(hours=1), error={**REFUSED, "status": 503, "response": {}})
    case = Case.objects.get()
    assert (case.failures, case.error_class, case.state) == (2, "connection", CaseState.OPEN)
    assert case.due_at == NOW + timedelta(hours=8), "the clock runs on"


def test_a_run_that_fails_elsewhere_has_one_open_case(tell: Tell) -> None:
    tell("suspended", RUN, 4)
    tell("suspended", RUN, 9, task="/do/2/tell")
    assert Case.objects.open().get().step == "/do/2/tell"
    assert Case.objects.filter(closed_how=ClosedHow.RUN).get().step == STEP


def test_a_run_that_recovers_closes_its_case(tell: Tell) -> None:
    tell("suspended", RUN, 4)
    tell("recovered", RUN, 9, at=NOW + timedelta(hours=2))
    case = Case.objects.get()
    assert (case.state, case.closed_how) == (CaseState.RESOLVED, ClosedHow.RUN)
    assert case.closed_at == NOW + timedelta(hours=2)


def test_a_cancelled_run_leaves_no_open_failure(tell: Tell) -> None:
    tell("suspended", RUN, 4)
    tell("cancelled", RUN, 6, by="Orla Owner")
    case = Case.objects.get()
    assert (case.closed_how, case.closed_by) == (ClosedHow.RUN, "Orla Owner")


def test_a_run_that_ends_in_error_has_a_case(tell: Tell) -> None:
    tell("faulted", RUN, 1, task="/input")
    assert Case.objects.open().get().of_run


def test_a_workflow_opens_and_closes_a_case(tell: Tell) -> None:
    key = f"{RUN}:approval"
    tell(
        "case.requested",
        RUN,
        3,
        key=key,
        kind="approval_late",
        title="Order 10045 is not approved",
        amountMinor=17_895,
        currency="GBP",
        dueInHours=2,
    )
    case = Case.objects.get()
    assert (case.title, case.value_minor, case.currency) == ("Order 10045 is not approved", 17_895, "GBP")
    assert case.due_at == NOW + timedelta(hours=2)
    tell("case.settled", RUN, 8, key=key, outcome="healed", detail="It came after all: order.approved")
    case.refresh_from_db()
    assert (case.state, case.closed_how) == (CaseState.RESOLVED, ClosedHow.AUTO)
    assert case.outcome == "It came after all: order.approved"


def test_a_kind_that_nobody_knows_keeps_its_own_words(tell: Tell) -> None:
    tell(
        "case.requested",
        RUN,
        3,
        key=f"{RUN}:x",
        kind="gift_wrap_missing",
        title="No gift wrap left",
        cause="The shelf is empty.",
        severity="critical",
        facts={"shelf": 0},
    )
    case = Case.objects.get()
    assert (case.kind, case.title, case.cause) == (
        "gift_wrap_missing",
        "No gift wrap left",
        "The shelf is empty.",
    )
    assert (case.severity, case.facts) == ("critical", {"shelf": 0})
    assert case.due_at == NOW + timedelta(hours=24)


def test_a_closing_that_comes_first_leaves_no_open_case(tell: Tell) -> None:
    key = f"{RUN}:approval"
    tell("case.settled", RUN, 8, key=key, at=NOW + timedelta(hours=3))
    assert not Case.objects.exists()
    tell("case.requested", RUN, 3, key=key, kind="approval_late", title="Late")
    case = Case.objects.get()
    assert (case.opened_at, case.closed_at) == (NOW, NOW + timedelta(hours=3))
    assert case.closed_how == ClosedHow.AUTO


def test_a_failure_that_is_told_after_the_cancelling_is_closed(tell: Tell) -> None:
    tell("cancelled", RUN, 9, by="Orla Owner")
    tell("suspended", RUN, 4)
    assert Case.objects.get().closed_how == ClosedHow.RUN


def test_what_is_older_than_the_last_word_changes_nothing(tell: Tell) -> None:
    tell("suspended", RUN, 4)
    tell("suspended", RUN, 12)
    tell("recovered", RUN, 9)
    assert Case.objects.get().state == CaseState.OPEN


def test_a_trouble_that_comes_back_reopens_its_case(tell: Tell) -> None:
    tell("suspended", RUN, 4)
    tell("recovered", RUN, 6)
    tell("suspended", RUN, 9, at=NOW + timedelta(hours=5))
    case = Case.objects.get()
    assert (case.state, case.closed_at, case.reopened) == (CaseState.OPEN, None, 1)
    assert case.due_at == NOW + timedelta(hours=13)
    act = Decision.objects.get()
    assert (act.kind, act.actor_kind, act.before["closed_how"]) == ("reopen", "system", ClosedHow.RUN)


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
@pytest.mark.parametrize("together", [True, False])
def test_the_order_of_arrival_does_not_matter(tell: Tell, order: tuple[int, ...], together: bool) -> None:
    told: list[tuple[str, int, dict[str, Any]]] = [
        ("suspended", 4, {}),
        ("recovered", 6, {}),
        ("suspended", 9, {"task": "/do/2/tell"}),
        ("cancelled", 12, {"by": "Orla Owner"}),
    ]
    for place in order:
        what, seq, more = told[place]
        tell(what, RUN, seq, at=NOW + timedelta(minutes=seq), hold=together, **more)
    dispatch()
    assert not Case.objects.open().exists()
    assert set(Case.objects.values_list("step", flat=True)) == {STEP, "/do/2/tell"}


def test_a_batch_costs_a_handful_of_statements(tell: Tell, tenant: TenantRef) -> None:
    def batch(size: int, base: int) -> int:
        for number in range(size):
            run = uuid7()
            tell("suspended", run, 4, subject=f"{base + number}", hold=True)
            tell("case.requested", run, 5, key=f"{run}:a", kind="approval_late", title="Late", hold=True)
            tell("case.settled", run, 6, key=f"{run}:a", hold=True)
        with CaptureQueriesContext(connection) as seen:
            events.dispatch(tenant, now=NOW, limit=10_000)
        return len(seen)

    few, many = batch(3, 0), batch(60, 1_000)
    assert many <= few
    assert Case.objects.open().count() == 63
    assert sorted(Case.objects.values_list("number", flat=True)) == list(range(1_001, 1_001 + 126))


def test_numbers_are_each_tenants_own(tell: Tell, other_tenant: TenantRef) -> None:
    tell("suspended", RUN, 4)
    with context.enter(other_tenant):
        assert not Case.objects.exists()
        tell("suspended", RUN, 4)
        assert Case.objects.get().code == "EX-1001"


def test_facts_from_outside_are_not_believed(tell: Tell) -> None:
    tell("case.requested", RUN, 3, key="x", kind="generic", title="Pay me", hold=True)
    Event.objects.update(internal=False)
    dispatch()
    assert not Case.objects.exists()


def test_a_closing_is_forgotten_after_a_month(tell: Tell) -> None:
    tell("cancelled", uuid7(), 1)
    tell("cancelled", uuid7(), 1, at=NOW + timedelta(days=31))
    assert Closing.objects.count() == 1
