"""One order on one line of time."""

from datetime import timedelta

import pytest

from automations.engine.machine.moves import Outcome
from automations.events import actions as events
from automations.inbox import actions as inbox
from automations.inbox.models import Case
from automations.insights.enums import EntryKind
from automations.insights.errors import UnknownOrder
from automations.insights.queries import search, timeline
from tenants.tenancy.queries import TenantRef
from tests.automations.inbox.conftest import Bench, bench, dispatch  # noqa: F401 - a fixture
from tests.support import make
from tests.support.cast import NOW, Cast

BOOKED = Outcome(201, {}, {"reference": "SO-1"})


def tell(kind: str, hours: float, **data: object) -> None:
    at = NOW + timedelta(hours=hours)
    events.publish(
        type=f"order.{kind}",
        subject="10045",
        data=make.order() if kind == "placed" else {"order_id": "10045", **data},
        source="/shops/harbour",
        time=at,
        event_id=f"{kind}-{hours}",
    )


@pytest.fixture
def lived(bench: Bench, cast: Cast) -> Bench:  # noqa: F811 - the fixture of this name
    """An order that its ERP refused, that a reviewer corrected, and that was handed over three days later."""
    tell("placed", 0)
    run = bench.fail(at=NOW)
    case = Case.objects.get()
    rosa = cast.actor(cast.reviewer)
    inbox.claim_case(case_id=case.id, actor=rosa, now=NOW + timedelta(hours=1))
    inbox.decide_case(
        case_id=case.id,
        decision="edit",
        value={"order_id": "10045"},
        reason="Asked the customer",
        actor=rosa,
        now=NOW + timedelta(hours=1),
    )
    bench.go_on(run.id, BOOKED, at=NOW + timedelta(hours=1))
    tell("approved", 1.5)
    tell("handed_over", 72)
    dispatch()
    return bench


def test_everything_is_told_in_true_order(lived: Bench) -> None:
    told = timeline("10045", now=NOW + timedelta(days=4))
    assert [(entry.kind, entry.title, entry.actor) for entry in told.entries] == [
        ("event", "Order placed", ""),
        ("run", "Order to ERP started", ""),
        ("step", "Book the order failed and waits for a person", ""),
        ("case", "Case EX-1001 opened: Erp.example.com refused order 10045: postcode is missing", ""),
        ("decision", "EX-1001: Assign", "Rosa Reviewer"),
        ("decision", "EX-1001: Correct and try again", "Rosa Reviewer"),
        ("step", "Book the order sent on by Rosa Reviewer (edit)", "Rosa Reviewer"),
        ("step", "Book the order done", ""),
        ("run", "Order to ERP completed", ""),
        ("case", "Case EX-1001 closed", "Rosa Reviewer"),
        ("event", "Order approved", ""),
        ("event", "Order handed over", ""),
    ]
    assert [entry.at for entry in told.entries] == sorted(entry.at for entry in told.entries)
    assert told.order is not None
    assert (told.order.status, told.order.total_minor, len(told.order.lines)) == ("shipped", 17_895, 2)


def test_long_silences_are_marked(lived: Bench) -> None:
    told = timeline("10045", now=NOW)
    assert told.gaps == 1
    assert told.entries[-1].gap == timedelta(hours=70.5)
    assert timeline("10045", now=NOW, gap=timedelta(minutes=10)).gaps == 3


def test_each_entry_says_who_says_so_and_leads_there(lived: Bench) -> None:
    told = timeline("10045", now=NOW)
    assert list(told.sources) == ["/shops/harbour", "Order to ERP", "erp.example.com", "Inbox"]
    kinds = {entry.link[0] for entry in told.entries}
    assert kinds == {"event", "run", "case"}
    assert all(entry.link[1] for entry in told.entries)
    decisions = [entry for entry in told.entries if entry.kind == EntryKind.DECISION]
    assert all(entry.audit.startswith("aud_") for entry in decisions)
    assert decisions[1].detail == "Asked the customer"


def test_what_only_the_audit_knows_is_told(lived: Bench, cast: Cast) -> None:
    case = Case.objects.get()
    inbox.comment_on_case(
        case_id=case.id, text="Thanks!", actor=cast.actor(cast.reviewer), now=NOW + timedelta(hours=80)
    )
    last = timeline("10045", now=NOW).entries[-1]
    assert (last.kind, last.actor, last.link[0]) == (EntryKind.AUDIT, "Rosa Reviewer", "audit")


def test_an_order_is_found_by_its_number(tenant: TenantRef) -> None:
    tell("placed", 0)
    dispatch()
    told = timeline("10045", now=NOW)
    assert [entry.title for entry in told.entries] == ["Order placed"]


def test_nothing_is_known_of_it(tenant: TenantRef) -> None:
    with pytest.raises(UnknownOrder):
        timeline("404", now=NOW)


def test_it_costs_few_statements(lived: Bench, django_assert_max_num_queries: object) -> None:
    with django_assert_max_num_queries(14):  # type: ignore[operator]
        timeline("10045", now=NOW)


def test_search_finds_what_people_paste(lived: Bench) -> None:
    case = Case.objects.get()
    assert [(hit.kind, hit.title) for hit in search("100", now=NOW)] == [("order", "10045")]
    assert {hit.kind for hit in search("10045", now=NOW)} == {"order", "case", "run"}
    assert [hit.id for hit in search(case.code, now=NOW)] == [case.public_id]
    run = next(hit.id for hit in search("10045", now=NOW) if hit.kind == "run")
    assert {(hit.kind, hit.id) for hit in search(run, now=NOW)} == {("run", run), ("case", case.public_id)}
    for nothing in ("", "%", "_", "run_nonsense", "nothing"):
        assert search(nothing, now=NOW) == [], nothing
