"""`manage.py kpi --tenant <partner/tenant> --json`: the key figures of a tenant, as now or as of an instant."""

import argparse
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError
from django.utils import translation

from automations.insights.catalog import KPIS
from automations.insights.enums import Unit
from automations.insights.queries import facts, measures
from automations.insights.queries.scope import Figure, Scope
from kernel import clock, jsonx
from kernel.errors import PortalError
from tenants.tenancy import context, queries

Shape = Callable[[datetime], dict[str, Any]]
_SNAPSHOTS: Final = ("2017-06-30 23:59:59", "2017-11-30 23:59:59")
_SNAPSHOT_PARTS: Final[Mapping[str, str]] = {
    "placed": "placed",
    "not_delivered_by_then": "not_delivered",
    "of_those_past_estimate": "past_estimate",
    "approved_not_with_carrier": "approved_not_handed_over",
    "not_yet_approved": "not_approved",
    "in_transit": "in_transit",
}


class Command(BaseCommand):
    """Prints figures of one tenant."""

    help = "Print a tenant's key figures."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Whose figures, as of when, in which form."""
        parser.add_argument(
            "--tenant", required=True, help="<partner>/<tenant>, or the tenant alone where it is unique"
        )
        parser.add_argument(
            "--as-of", default="", help="an instant in RFC 3339; the tenant's present if left out"
        )
        parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")
        parser.add_argument(
            "--shape",
            choices=sorted(_SHAPES),
            default="",
            help="the figures of a published data set, in its own form",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        """Count and print."""
        try:
            tenant = queries.tenant_by_slug(options["tenant"])
            wanted = clock.parse_rfc3339(options["as_of"]) if options["as_of"] else None
        except PortalError as error:
            raise CommandError(error.message) from error
        except ValueError as error:
            raise CommandError(f"--as-of: {error}") from error
        with context.enter(tenant), translation.override(tenant.language):
            at = wanted or context.now()
            found = _SHAPES[options["shape"]](at) if options["shape"] else figures(at)
        if options["json"] or options["shape"]:
            self.stdout.write(jsonx.text(found, indent=True))
            return
        for code, figure in found["figures"].items():
            self.stdout.write(f"{code:20} {figure['value']!s:>12}  n={figure['n']}  {figure['parts']}")


def figures(at: datetime) -> dict[str, Any]:
    """Every key figure of the current tenant as of `at`, without a period."""
    scope = Scope(at=at)
    return {
        "as_of": clock.rfc3339(at),
        "figures": {
            code: {"unit": kpi.unit.value, **_shown(kpi.figure(scope), kpi.unit)}
            for code, kpi in KPIS.items()
        },
    }


def _shown(figure: Figure, unit: Unit) -> dict[str, Any]:
    counted = unit not in (Unit.HOURS, Unit.FRACTION)
    parts = {one.code: one.value if unit == Unit.HOURS else _whole(one.value) for one in figure.parts}
    return {"value": _whole(figure.value) if counted else figure.value, "n": figure.n, "parts": parts}


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)


def olist10k(at: datetime) -> dict[str, Any]:
    """The figures that are published with the Olist orders, under their names and rounded as they are there."""
    scope = Scope(at=at)
    late = measures.share(facts.DELIVERED, scope, of="late")
    statuses = measures.by_part(facts.BY_STATUS, scope)
    return {
        "olist10k": {
            "orders": measures.count(facts.PLACED, scope).n,
            "status": {
                one.code: _whole(one.value) for one in sorted(statuses.parts, key=lambda p: -(p.value or 0))
            },
            "approval_lag_hours": _lag(measures.distribution(facts.APPROVAL_LAG, scope)),
            "approved_to_carrier_hours": _lag(measures.distribution(facts.HANDOVER_LAG, scope)),
            "late_delivery_n_strict_timestamp": _whole(late.part("late")),
            "late_delivery_rate_strict_timestamp": _rounded(late.value, 6),
            "seller_handoff_late_rate": _rounded(
                measures.share(facts.HANDED_OVER_LINES, scope, of="late").value, 6
            ),
            "snapshots_timestamps_only": {text: _snapshot(text) for text in _SNAPSHOTS},
        }
    }


def _lag(figure: Figure) -> dict[str, Any]:
    return {**{one.code: _rounded(one.value, 4) for one in figure.parts}, "n": figure.n}


def _snapshot(text: str) -> dict[str, Any]:
    at = datetime.fromisoformat(text).replace(tzinfo=UTC)
    figure = measures.counts(facts.UNDER_WAY, Scope(at=at), of="not_delivered")
    return {name: _whole(figure.part(code)) for name, code in _SNAPSHOT_PARTS.items()}


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


_SHAPES: Final[Mapping[str, Shape]] = {"olist10k": olist10k}
