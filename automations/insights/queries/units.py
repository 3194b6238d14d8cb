"""Parts of the business (stores, regions) that orders belong to, and which orders are within somebody's reach."""

from collections.abc import Collection
from typing import Final
from uuid import UUID

from automations.insights.enums import UnitKind
from automations.insights.models import BusinessUnit, OrderFact
from kernel import reach
from kernel.reach import Reach

COLUMNS: Final = {UnitKind.STORE: "channel", UnitKind.REGION: "region"}
_MOST: Final = 500


def reach_of(workflows: Collection[UUID], units: Collection[UUID]) -> Reach:
    """What somebody can see who is let in for these; none of a kind means all of it."""
    parts: dict[str, tuple[str, ...]] = {}
    for unit in BusinessUnit.objects.filter(pk__in=units):
        column = COLUMNS[UnitKind(unit.kind)]
        parts[column] = (*parts.get(column, ()), unit.code)
    keys = None
    if units:  # also where the parts are gone: then nothing is left
        keys = OrderFact.objects.none().values("order_id")
        for column, codes in parts.items():
            keys |= OrderFact.objects.filter(**{f"{column}__in": codes}).values("order_id")
    return Reach(frozenset(workflows) if workflows else None, keys, parts)


def condition() -> tuple[str, dict[str, list[str]]]:
    """Orders `f` within reach, as SQL and its parameters."""
    found = reach.present()
    if found is None or found.keys is None:
        return "true", {}
    given = {f"reach_{column}": list(codes) for column, codes in found.parts.items()}
    return " or ".join(f"f.{column} = any(%(reach_{column})s)" for column in found.parts) or "false", given


def known() -> list[tuple[UnitKind, str]]:
    """Stores and regions that orders tell of, and those that somebody was let in for."""
    found = {(UnitKind(unit.kind), unit.code) for unit in BusinessUnit.objects.all()[:_MOST]}
    for kind, column in COLUMNS.items():
        codes = OrderFact.objects.exclude(**{column: ""}).order_by(column).values_list(column, flat=True)
        found |= {(kind, code) for code in codes.distinct()[:_MOST]}
    return sorted(found)
