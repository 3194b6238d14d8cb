"""Figures about cases and runs, asked from the rooms that keep them."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db.models import Count
from django.db.models.functions import TruncDate
from django.utils.translation import gettext_lazy as _

from automations.engine import queries as engine
from automations.engine.enums import TERMINAL, RunStatus
from automations.events.queries import Page
from automations.inbox import queries as inbox
from automations.inbox import registry as kinds
from automations.inbox.contract import Words
from automations.inbox.queries import CaseFilter, CaseRow
from automations.insights.queries.measures import PAGE
from automations.insights.queries.paging import page_by
from automations.insights.queries.scope import FactRow, Figure, Part, Scope
from kernel.errors import Invalid

BY_ITSELF: Final = "by_itself"
WITH_HELP: Final = "with_help"
_ENDINGS: Final[Mapping[str, Words]] = {
    BY_ITSELF: _("By themselves"),
    WITH_HELP: _("With a person's help"),
    "faulted": RunStatus.FAULTED.label,
    "cancelled": RunStatus.CANCELLED.label,
}


# cases


def open_cases(scope: Scope) -> Figure:
    """Cases that were open at the instant, in parts by kind."""
    return _by_kind(inbox.kind_counts(open_at=scope.at))


def cases_by_kind(scope: Scope) -> Figure:
    """Cases that opened in the period, in parts by kind."""
    return _by_kind(inbox.kind_counts(since=scope.since, until=_until(scope)))


def _by_kind(found: list[inbox.KindCount]) -> Figure:
    parts = [
        Part(one.kind, kinds.kind(one.kind, of_run=one.of_run).label, float(one.opened)) for one in found
    ]
    n = sum(one.opened for one in found)
    return Figure(float(n), n, sorted(parts, key=lambda part: (-(part.value or 0), part.code)))


def open_case_rows(
    scope: Scope, *, part: str = "", sort: str = "newest", after: str = "", limit: int = PAGE
) -> Page[FactRow]:
    """The cases behind `open_cases`."""
    return _case_page(CaseFilter(state="all", kind=part, open_at=scope.at), scope, sort, after, limit)


def case_rows(
    scope: Scope, *, part: str = "", sort: str = "newest", after: str = "", limit: int = PAGE
) -> Page[FactRow]:
    """The cases behind `cases_by_kind`."""
    wanted = CaseFilter(state="all", kind=part, since=scope.since, until=_until(scope))
    return _case_page(wanted, scope, sort, after, limit)


def _case_page(wanted: CaseFilter, scope: Scope, sort: str, after: str, limit: int) -> Page[FactRow]:
    order = {"newest": "newest", "value": "money"}.get(sort, sort)
    page = inbox.cases(wanted, now=scope.at, sort=order, after=after, limit=limit)
    return Page(tuple(_case_row(one) for one in page.items), page.after)


def _case_row(one: CaseRow) -> FactRow:
    return FactRow(
        kind="case",
        id=one.public_id,
        title=one.title,
        state=one.state,
        at=one.opened_at,
        value=None if one.value_minor is None else float(one.value_minor),
        value_minor=one.value_minor,
        currency=one.currency,
        place=one.code,
    )


def cases_daily(scope: Scope) -> list[tuple[date, float | None]]:
    """Cases that opened, day by day."""
    if scope.since is None:
        return []
    counted: dict[date, float] = {}
    for day, _kind, number in inbox.by_day(since=scope.since, until=_until(scope), zone=scope.zone):
        counted[day] = counted.get(day, 0) + number
    return [(day, counted.get(day, 0.0)) for day in scope.days()]


# runs


def runs_by_status(scope: Scope) -> Figure:
    """Runs that started in the period, in parts by where they are now."""
    counted = dict(_runs(scope).order_by().values_list("status").annotate(n=Count("id")))
    parts = [
        Part(str(one.value), one.label, float(counted.get(one, 0))) for one in RunStatus if counted.get(one)
    ]
    n = sum(counted.values())
    return Figure(float(n), n, parts)


def run_rows(
    scope: Scope, *, part: str = "", sort: str = "newest", after: str = "", limit: int = PAGE
) -> Page[FactRow]:
    """The runs behind `runs_by_status`. Raises Invalid for a status that there is not."""
    found = _runs(scope)
    if part:
        if part not in RunStatus.values:
            raise Invalid(fields={"part": [f"{part} is no status of a run."]})
        found = found.filter(status=part)
    return _run_page(found, after, limit)


def automation_rate(scope: Scope) -> Figure:
    """Runs of the period that are over: the fraction that completed without a person deciding anything."""
    found = _runs(scope).filter(status__in=TERMINAL).order_by()
    counted = dict(found.values_list("status").annotate(n=Count("id")))
    completed = counted.get(RunStatus.COMPLETED, 0)
    helped = _helped(found).count() if completed else 0
    values = {
        BY_ITSELF: completed - helped,
        WITH_HELP: helped,
        "faulted": counted.get(RunStatus.FAULTED, 0),
        "cancelled": counted.get(RunStatus.CANCELLED, 0),
    }
    n = sum(values.values())
    parts = [Part(code, _ENDINGS[code], float(value)) for code, value in values.items()]
    return Figure(values[BY_ITSELF] / n if n else None, n, parts)


def automation_rows(
    scope: Scope, *, part: str = "", sort: str = "newest", after: str = "", limit: int = PAGE
) -> Page[FactRow]:
    """The runs behind `automation_rate`. Raises Invalid for a part that there is not."""
    found = _runs(scope).filter(status__in=TERMINAL)
    if part == WITH_HELP:
        found = _helped(found)
    elif part == BY_ITSELF:
        found = found.filter(status=RunStatus.COMPLETED).exclude(id__in=inbox.decided_runs(since=scope.since))
    elif part in ("faulted", "cancelled"):
        found = found.filter(status=part)
    elif part:
        raise Invalid(fields={"part": [f"{part} is no way in which runs end."]})
    return _run_page(found, after, limit)


def runs_daily(scope: Scope) -> list[tuple[date, float | None]]:
    """Runs that started, day by day."""
    counted = dict(
        _runs(scope)
        .order_by()
        .annotate(day=TruncDate("started_at", tzinfo=scope.zone))
        .values_list("day")
        .annotate(n=Count("id"))
    )
    return [(day, float(counted.get(day, 0))) for day in scope.days()]


def _helped(found: Any) -> Any:
    """Completed ones of these runs that somebody decided about: nobody can before the run has started."""
    first = found.order_by("started_at").values_list("started_at", flat=True).first()
    return found.filter(status=RunStatus.COMPLETED, id__in=inbox.decided_runs(since=first))


def _runs(scope: Scope) -> Any:
    return engine.runs(since=scope.since, until=scope.until).filter(started_at__lte=scope.at)


def _run_page(found: Any, after: str, limit: int) -> Page[FactRow]:
    return page_by(found, "started_at", after, limit, _run_row)


def _run_row(run: Any) -> FactRow:
    return FactRow(
        kind="run",
        id=run.public_id,
        title=run.business_key or run.public_id,
        state=run.status,
        at=run.started_at,
        value=None,
        value_minor=run.value_minor,
        currency=run.currency,
        place=run.step,
    )


def _until(scope: Scope) -> datetime:
    """The end of the period, an instant after `at` where it has none (what happens at `at` has happened)."""
    end = scope.at + timedelta(microseconds=1)
    return end if scope.until is None else min(scope.until, end)
