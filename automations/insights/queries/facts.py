"""The measures of orders, from their facts."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from automations.insights.enums import STATED, OrderStatus
from automations.insights.queries.measures import LINES, STATUS, Measure

# date_part gives a float at once; extract would go through numeric, which takes several times as long
_HOURS: Final = "date_part('epoch', {end} - {start}) / 3600"
_NOT_DELIVERED: Final = "(f.delivered_at is null or f.delivered_at > %(at)s)"
_APPROVED: Final = "f.approved_at <= %(at)s"
_HANDED_OVER: Final = "f.handed_over_at <= %(at)s"
BUCKETS: Final = (24, 72, 168, 336, 720)
"""Ages in hours at which the next bucket begins."""
BUCKET_LABELS: Final = {
    "under_1d": _("Under 1 day"),
    "1d_3d": _("1 to 3 days"),
    "3d_7d": _("3 to 7 days"),
    "7d_14d": _("7 to 14 days"),
    "14d_30d": _("14 to 30 days"),
    "over_30d": _("Over 30 days"),
}

PLACED: Final = Measure(anchor="f.placed_at", value="f.total_minor::float8")
"""Orders by when they were placed."""

BY_STATUS: Final = Measure(
    anchor="f.placed_at",
    value="f.total_minor::float8",
    part_by=STATUS,
    labels={**{str(one.value): one.label for one in OrderStatus}, **STATED},
)
"""Orders by when they were placed, in parts by where they are."""

_AGE: Final = _HOURS.format(end="%(at)s", start="f.placed_at")
_BUCKET_NAMES: Final = "', '".join(BUCKET_LABELS)
_BEGINNINGS: Final = ", ".join(f"{hours}::float8" for hours in BUCKETS)
AGE: Final = Measure(
    anchor="f.placed_at",
    where=f"{_NOT_DELIVERED} and (f.ended_at is null or f.ended_at > %(at)s)",
    value=_AGE,
    part_by=f"(array['{_BUCKET_NAMES}'])[1 + width_bucket({_AGE}, array[{_BEGINNINGS}])]",
    labels=BUCKET_LABELS,
    stock=True,
)
"""Orders that are neither delivered nor called off, by the hours since they were placed."""

APPROVAL_LAG: Final = Measure(
    anchor="f.approved_at",
    where="f.placed_at is not null",
    value=_HOURS.format(end="f.approved_at", start="f.placed_at"),
)
"""Orders by when they were approved, worth the hours since they were placed."""

HANDOVER_LAG: Final = Measure(
    anchor="f.handed_over_at",
    where=_APPROVED,
    value=_HOURS.format(end="f.handed_over_at", start="f.approved_at"),
)
"""Orders by when they were handed over, worth the hours since their approval: negative where that came later."""

DELIVERED: Final = Measure(
    anchor="f.delivered_at",
    where="f.estimated_delivery_at is not null",
    value=_HOURS.format(end="f.delivered_at", start="f.estimated_delivery_at"),
    parts={
        "late": "f.delivered_at > f.estimated_delivery_at",
        "in_time": "f.delivered_at <= f.estimated_delivery_at",
    },
    labels={"late": _("Late"), "in_time": _("In time")},
)
"""Orders with a promise by when they were delivered, worth the hours that they were late (or, negative, early)."""

HANDED_OVER_LINES: Final = Measure(
    source=LINES,
    key="f.order_id || '/' || l.line_no",
    anchor="f.handed_over_at",
    where="l.shipping_limit_at is not null",
    value=_HOURS.format(end="f.handed_over_at", start="l.shipping_limit_at"),
    parts={
        "late": "f.handed_over_at > l.shipping_limit_at",
        "in_time": "f.handed_over_at <= l.shipping_limit_at",
    },
    labels={"late": _("Late"), "in_time": _("In time")},
)
"""Order lines with a shipping limit by when they were handed over, worth the hours that they were late."""

UNDER_WAY: Final = Measure(
    anchor="f.placed_at",
    value=_AGE,
    parts={
        "placed": "true",
        "not_delivered": _NOT_DELIVERED,
        "past_estimate": f"{_NOT_DELIVERED} and f.estimated_delivery_at < %(at)s",
        "approved_not_handed_over": f"{_NOT_DELIVERED} and {_APPROVED} and ({_HANDED_OVER}) is not true",
        "not_approved": f"{_NOT_DELIVERED} and ({_APPROVED}) is not true",
        "in_transit": f"{_NOT_DELIVERED} and {_HANDED_OVER}",
    },
    labels={
        "placed": _("Placed"),
        "not_delivered": _("Not delivered"),
        "past_estimate": _("Past their promise"),
        "approved_not_handed_over": _("Approved, not handed over"),
        "not_approved": _("Not approved"),
        "in_transit": _("In transit"),
    },
    stock=True,
)
"""All orders placed by the instant, in overlapping parts by what had happened to them by then and nothing later."""
