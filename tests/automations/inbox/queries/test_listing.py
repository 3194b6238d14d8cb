"""The inbox as a list: filtered, sorted, paged, counted, grouped."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from automations.inbox import queries
from automations.inbox.models import Case
from automations.inbox.queries import CaseFilter
from kernel.errors import Invalid
from kernel.ids import uuid7
from tests.support.cast import NOW, Cast

Make = Callable[..., Case]


def codes(wanted: CaseFilter, **more: str) -> list[int]:
    return [int(row.code[3:]) for row in queries.cases(wanted, now=NOW, **more).items]


@pytest.mark.parametrize("sort", ["due", "money", "newest", "closed"])
def test_pages_hold_every_case_once(make_case: Make, sort: str) -> None:
    state = "closed" if sort == "closed" else "open"
    for number in range(23):
        at = NOW - timedelta(minutes=number // 3)
        closed = {"state": "resolved", "closed_at": at, "closed_how": "auto"} if sort == "closed" else {}
        make_case(opened_at=at, value_minor=None if number % 4 == 0 else 100 * (number // 5), **closed)
    seen: list[queries.CaseRow] = []
    after = ""
    for _ in range(10):
        page = queries.cases(CaseFilter(state=state), now=NOW, sort=sort, after=after, limit=5)
        seen += page.items
        after = page.after
        if not after:
            break
    assert len(seen) == len({row.id for row in seen}) == 23
    if sort == "due":
        assert [row.due_at for row in seen] == sorted(row.due_at for row in seen)
    if sort == "money":
        values = [row.value_minor if row.value_minor is not None else -1 for row in seen]
        assert values == sorted(values, reverse=True)
    if sort == "newest":
        assert [row.opened_at for row in seen] == sorted((row.opened_at for row in seen), reverse=True)


def test_filters(make_case: Make, cast: Cast) -> None:
    workflow = uuid7()
    failed = make_case(
        kind="run_failed", error_class="connection", of_run=True, workflow_id=workflow, number=1
    )
    late = make_case(due_at=NOW - timedelta(hours=1), severity="critical", number=2)
    mine = make_case(assignee_id=cast.reviewer.id, business_key="20001", title="Lost in Leeds", number=3)
    asleep = make_case(snoozed_until=NOW + timedelta(hours=1), number=4)
    done = make_case(state="resolved", closed_at=NOW, closed_how="auto", number=5)
    assert codes(CaseFilter()) == [2, 1, 3]
    assert codes(CaseFilter(state="snoozed")) == [asleep.number]
    assert (
        codes(CaseFilter(state="closed"))
        == codes(CaseFilter(state="all", closed_how="auto"))
        == [done.number]
    )
    assert sorted(codes(CaseFilter(state="all"))) == [1, 2, 3, 4, 5]
    assert (
        codes(CaseFilter(assignee=cast.reviewer.id))
        == codes(CaseFilter(business_key="20001"))
        == [mine.number]
    )
    assert codes(CaseFilter(unassigned=True)) == [2, 1]
    assert codes(CaseFilter(past_due=True)) == codes(CaseFilter(severity="critical")) == [late.number]
    for kind in ("run_failed", "run_failed.connection"):
        assert codes(CaseFilter(kind=kind)) == [failed.number]
    assert codes(CaseFilter(kind="run_failed.permission")) == []
    assert codes(CaseFilter(workflow=workflow)) == [failed.number]
    assert codes(CaseFilter(text="leeds")) == codes(CaseFilter(text="EX-3")) == [mine.number]
    assert queries.case_ids(CaseFilter(kind="run_failed"), now=NOW) == [failed.id]
    for wrong in (CaseFilter(state="lost"),):
        with pytest.raises(Invalid):
            codes(wrong)
    for more in ({"sort": "price"}, {"after": "nonsense"}):
        with pytest.raises(Invalid):
            codes(CaseFilter(), **more)


def test_a_cursor_belongs_to_its_sort(make_case: Make) -> None:
    for _ in range(3):
        make_case()
    after = queries.cases(CaseFilter(), now=NOW, sort="due", limit=2).after
    with pytest.raises(Invalid):
        queries.cases(CaseFilter(), now=NOW, sort="money", after=after)


def test_counts_cost_one_statement(make_case: Make, cast: Cast) -> None:
    make_case(assignee_id=cast.reviewer.id, value_minor=100)
    make_case(due_at=NOW - timedelta(hours=1), severity="critical", value_minor=250)
    make_case(snoozed_until=NOW + timedelta(hours=1))
    make_case(state="resolving")
    make_case(state="resolved", closed_at=NOW, closed_how="auto")
    with CaptureQueriesContext(connection) as seen:
        found = queries.counts(now=NOW, mine=cast.reviewer.id)
    assert len(seen) == 1
    assert (found.open, found.mine, found.past_due, found.snoozed, found.resolving) == (2, 1, 1, 1, 1)
    assert (found.critical, found.high, found.normal) == (1, 1, 0)
    assert (found.value_minor, found.currency) == (350, "GBP")
    assert queries.open_count(NOW) == 2


def test_money_in_two_currencies_is_not_added_up(make_case: Make) -> None:
    make_case(value_minor=100)
    make_case(value_minor=100, currency="EUR")
    found = queries.counts(now=NOW)
    assert (found.value_minor, found.currency, found.mine) == (None, "", 0)


def test_cases_of_one_cause_are_one_group(make_case: Make) -> None:
    for number in range(4):
        make_case(fingerprint="a" * 32, value_minor=100, opened_at=NOW - timedelta(hours=number))
    make_case(fingerprint="b" * 32)
    first, second = queries.groups(CaseFilter(), now=NOW)
    assert (first.fingerprint, first.number, first.value_minor) == ("a" * 32, 4, 400)
    assert (first.since, first.last) == (NOW - timedelta(hours=3), NOW)
    assert second.number == 1
    assert [one.number for one in queries.groups(CaseFilter(), now=NOW, least=2)] == [4]


def test_kinds_for_a_menu(make_case: Make) -> None:
    make_case(kind="run_failed", error_class="connection", of_run=True)
    make_case(kind="gift_wrap_missing")
    assert [(code, str(label)) for code, label in queries.kinds_seen()] == [
        ("gift_wrap_missing", "Exception"),
        ("run_failed.connection", "No connection"),
    ]
