"""Figures over order facts in SQL: one condition and one value serve the figure, its days and its rows alike."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from django.db import connection

from automations.events.queries import Page
from automations.inbox.contract import Words
from automations.insights.queries import paging
from automations.insights.queries.scope import FactRow, Figure, Part, Scope
from kernel.errors import Invalid

PAGE: Final = 50
_NOTHING: Final = "-1e300"
"""Where rows without a value are sorted."""
PERCENTILES: Final[Mapping[str, float]] = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}
ORDERS: Final = "insights_orderfact f"
LINES: Final = "insights_orderline l join insights_orderfact f using (order_id)"

STATUS: Final = """
case
  when f.stated_at <= %(at)s and f.stated_at >= coalesce(greatest(
      case when f.placed_at <= %(at)s then f.placed_at end,
      case when f.approved_at <= %(at)s then f.approved_at end,
      case when f.handed_over_at <= %(at)s then f.handed_over_at end,
      case when f.delivered_at <= %(at)s then f.delivered_at end,
      case when f.ended_at <= %(at)s then f.ended_at end), f.stated_at) then f.stated
  when f.ended_at <= %(at)s then f.ended_as
  when f.delivered_at <= %(at)s then 'delivered'
  when f.handed_over_at <= %(at)s then 'shipped'
  when f.approved_at <= %(at)s then 'approved'
  else 'created'
end"""
"""Where an order is at an instant: what its shop stated last, else what its own instants say."""


@dataclass(frozen=True)
class Measure:
    """Rows that count: where they are, by which instant they fall into a period, on what condition, worth what.

    All of it is fixed SQL over `f` (orders) and `l` (lines) with the parameter `at`; `parts` are further conditions
    by code, for figures that have parts; `part_by` is an expression that gives each row's code.
    """

    anchor: str
    where: str = "true"
    value: str = "null::float8"
    source: str = ORDERS
    key: str = "f.order_id"
    parts: Mapping[str, str] = field(default_factory=dict)
    part_by: str = ""
    labels: Mapping[str, Words] = field(default_factory=dict)
    stock: bool = False
    """Whether it is about what is there at the instant: the period does not count then."""

    def condition(self, scope: Scope) -> str:
        """The whole condition for a scope."""
        found = [f"({self.where})", f"{self.anchor} <= %(at)s"]
        if not self.stock and scope.since is not None:
            found.append(f"{self.anchor} >= %(since)s")
        if not self.stock and scope.until is not None:
            found.append(f"{self.anchor} < %(until)s")
        return " and ".join(found)

    def part(self, code: str) -> str:
        """The condition of one part. Raises Invalid for one that there is not."""
        if not code or code in PERCENTILES or code == "mean":
            return "true"
        if code in self.parts:
            return self.parts[code]
        if self.part_by:
            return f"({self.part_by}) = %(part)s"
        raise Invalid(fields={"part": [f"{code} is no part of this figure."]})


def _parameters(scope: Scope, **more: Any) -> dict[str, Any]:
    return {"at": scope.at, "since": scope.since, "until": scope.until, "zone": str(scope.zone), **more}


def _rows(statement: str, parameters: Mapping[str, Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())


def count(measure: Measure, scope: Scope) -> Figure:
    """How many rows."""
    found = _rows(
        f"select count(*) from {measure.source} where {measure.condition(scope)}", _parameters(scope)
    )
    return Figure(float(found[0][0]), found[0][0])


def by_part(measure: Measure, scope: Scope) -> Figure:
    """How many rows in each part that `part_by` gives; the value is their sum."""
    found = _rows(
        f"select {measure.part_by} as part, count(*) from {measure.source} where {measure.condition(scope)}"
        " group by 1 order by 2 desc, 1",
        _parameters(scope),
    )
    counted = dict(found)
    codes = [*measure.labels, *(code for code in counted if code not in measure.labels)]
    if not measure.stock:
        codes = [code for code in codes if code in counted]
    parts = [Part(code, measure.labels.get(code, code), float(counted.get(code, 0))) for code in codes]
    n = sum(counted.values())
    return Figure(float(n), n, parts)


def counts(measure: Measure, scope: Scope, *, of: str) -> Figure:
    """How many rows each condition of `parts` holds for; the value is that of part `of`."""
    wanted = ", ".join(f"count(*) filter (where {condition})" for condition in measure.parts.values())
    (found,) = _rows(
        f"select count(*), {wanted} from {measure.source} where {measure.condition(scope)}",
        _parameters(scope),
    )
    values = dict(zip(measure.parts, map(float, found[1:]), strict=True))
    parts = [Part(code, measure.labels.get(code, code), value) for code, value in values.items()]
    return Figure(values[of], found[0], parts)


def share(measure: Measure, scope: Scope, *, of: str) -> Figure:
    """The part `of` as a fraction of all rows; the parts are counted."""
    found = counts(measure, scope, of=of)
    return Figure((found.value or 0) / found.n if found.n else None, found.n, found.parts)


def distribution(measure: Measure, scope: Scope) -> Figure:
    """Percentiles by linear interpolation, and the mean; the value is the median."""
    levels = list(PERCENTILES.values())
    (found,) = _rows(
        f"""
        select count(*), avg(value), percentile_cont(%(levels)s::float8[]) within group (order by value)
        from (select {measure.value} as value from {measure.source} where {measure.condition(scope)}) as rows
        """,
        _parameters(scope, levels=levels),
    )
    n, mean, values = found
    values = values or [None] * len(levels)
    parts = [Part(code, code, value) for code, value in zip(PERCENTILES, values, strict=True)]
    return Figure(values[0], n, [*parts, Part("mean", "mean", None if mean is None else float(mean))])


_DAY: Final = "({anchor} at time zone %(zone)s)::date"


def daily(
    measure: Measure, scope: Scope, *, of: str = "", median: bool = False
) -> list[tuple[date, float | None]]:
    """The figure day by day: counts, the fraction that part `of` is, or the median; None where there is nothing."""
    what = "count(*)::float8"
    if of:
        what = f"avg(case when {measure.parts[of]} then 1 else 0 end)::float8"
    if median:
        what = f"percentile_cont(0.5) within group (order by {measure.value})"
    found = dict(
        _rows(
            f"select {_DAY.format(anchor=measure.anchor)} as day, {what} from {measure.source}"
            f" where {measure.condition(scope)} group by 1",
            _parameters(scope),
        )
    )
    nothing = None if of or median else 0.0
    return [(day, found.get(day, nothing)) for day in scope.days()]


def rows(
    measure: Measure,
    scope: Scope,
    *,
    part: str = "",
    sort: str = "newest",
    after: str = "",
    limit: int = PAGE,
) -> Page[FactRow]:
    """The rows behind a figure or one of its parts, newest or (`value`) largest first, by the same condition.

    Raises Invalid for a part, a sort or an `after` that is none.
    """
    if sort not in ("newest", "value"):
        raise Invalid(fields={"sort": [f"{sort} is no order of rows."]})
    by, kind = (
        (measure.anchor, "timestamptz")
        if sort == "newest"
        else (f"coalesce({measure.value}, {_NOTHING})", "float8")
    )
    behind = "true"
    parameters = _parameters(scope, part=part, limit=limit + 1)
    if after:
        parameters["place"], parameters["key"] = _place(after, sort)
        behind = f"({by}, {measure.key}) < (%(place)s::{kind}, %(key)s)"
    line = ", l.line_no, l.sku" if measure.source == LINES else ", null, ''"
    found = _rows(
        f"""
        select f.order_id, f.number, {STATUS}, {measure.anchor}, {measure.value}, f.total_minor, f.currency,
          {measure.key}, {by}{line}
        from {measure.source}
        where {measure.condition(scope)} and {measure.part(part)} and {behind}
        order by {by} desc, {measure.key} desc limit %(limit)s
        """,
        parameters,
    )
    last = paging.write(sort, found[limit - 1][8], found[limit - 1][7]) if len(found) > limit else ""
    return Page(tuple(_fact_row(row) for row in found[:limit]), last)


def _fact_row(row: Any) -> FactRow:
    order_id, number, status, at, value, total, currency, _, _, line, sku = row
    return FactRow(
        kind="order" if line is None else "line",
        id=order_id,
        title=number or order_id,
        state=status,
        at=at,
        value=value,
        value_minor=total,
        currency=currency,
        place="" if line is None else f"{line} {sku}",
    )


def _place(text: str, sort: str) -> tuple[Any, str]:
    """The value and key behind which to go on."""
    found = paging.read(text)
    kind = str if sort == "newest" else (int, float)
    if len(found) != 3 or found[0] != sort or not isinstance(found[1], kind) or not isinstance(found[2], str):
        raise paging.no_place()
    return found[1], found[2]
