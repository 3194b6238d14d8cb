"""The worked examples of the key figures. A house test counts each of them again, and opens its rows."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from automations.insights.contract import Example, RunOf, Told

_MONDAY: Final = datetime(2026, 3, 2, 8, tzinfo=UTC)
_FRIDAY: Final = datetime(2026, 3, 6, 8, tzinfo=UTC)


def _at(hours: float) -> datetime:
    """So many hours after Monday 08:00."""
    return _MONDAY + timedelta(hours=hours)


def _text(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def _placed(
    key: str, hours: float = 0, *, promised: float | None = None, limits: tuple[float, ...] = ()
) -> Told:
    """An order of 10.00 a line, placed so many hours after Monday 08:00."""
    lines: list[dict[str, Any]] = [
        {"sku": f"SKU-{number}", "quantity": 1, "price_minor": 1_000, "shipping_limit_at": _text(_at(limit))}
        for number, limit in enumerate(limits, 1)
    ]
    data: dict[str, Any] = {
        "order_id": key,
        "number": key,
        "placed_at": _text(_at(hours)),
        "currency": "EUR",
        "total_minor": 1_000 * max(len(lines), 1),
        "lines": lines or [{"sku": "SKU-1", "quantity": 1, "price_minor": 1_000}],
    }
    if promised is not None:
        data["estimated_delivery_at"] = _text(_at(promised))
    return Told("order.placed", key, _at(hours), data)


def _then(kind: str, key: str, hours: float) -> Told:
    return Told(f"order.{kind}", key, _at(hours), {"order_id": key})


def _case(what: str, key: str, hours: float, kind: str = "delivery_late") -> Told:
    data = {"key": key, "kind": kind, "title": f"Case {key}"} if what == "requested" else {"key": key}
    return Told(f"portal.case.{what}", key, _at(hours), data)


PLACED: Final = Example(
    words=_("Orders A and B were placed by Friday 08:00, order C after it: 2 orders."),
    at=_FRIDAY,
    events=(_placed("A"), _placed("B", 24), _placed("C", 120)),
    value=2,
    rows={"": frozenset({"A", "B"})},
)
BY_STATUS: Final = Example(
    words=_(
        "A is delivered, B handed over, C canceled, D was handed over after Friday 08:00 and counts as approved:"
        " one order each."
    ),
    at=_FRIDAY,
    events=(
        *(_placed(key) for key in "ABCD"),
        *(_then("approved", key, 1) for key in "ABD"),
        *(_then("handed_over", key, 24) for key in "AB"),
        _then("delivered", "A", 48),
        _then("canceled", "C", 2),
        _then("handed_over", "D", 100),
    ),
    value=4,
    parts={"delivered": 1, "shipped": 1, "canceled": 1, "approved": 1},
    rows={"approved": frozenset({"D"}), "canceled": frozenset({"C"})},
)
AGE: Final = Example(
    words=_(
        "On Friday 08:00, A (placed 23 h before) is under 1 day old, B (24 h) and C (71 h) are 1 to 3 days old;"
        " D is delivered and does not count."
    ),
    at=_FRIDAY,
    events=(_placed("A", 73), _placed("B", 72), _placed("C", 25), _placed("D"), _then("delivered", "D", 95)),
    value=3,
    parts={"under_1d": 1, "1d_3d": 2, "3d_7d": 0, "over_30d": 0},
    rows={"1d_3d": frozenset({"B", "C"}), "": frozenset({"A", "B", "C"})},
)
UNDER_WAY: Final = Example(
    words=_(
        "Of four orders placed by Friday 08:00 one is delivered; of the other three A waits for approval and is past"
        " its promise, B is approved, C is handed over."
    ),
    at=_FRIDAY,
    events=(
        _placed("A", promised=90),
        _placed("B", promised=200),
        _placed("C", promised=200),
        _placed("D", promised=200),
        *(_then("approved", key, 1) for key in "BCD"),
        *(_then("handed_over", key, 2) for key in "CD"),
        _then("delivered", "D", 3),
    ),
    value=3,
    parts={
        "placed": 4,
        "not_delivered": 3,
        "past_estimate": 1,
        "approved_not_handed_over": 1,
        "not_approved": 1,
        "in_transit": 1,
    },
    rows={
        "past_estimate": frozenset({"A"}),
        "in_transit": frozenset({"C"}),
        "not_approved": frozenset({"A"}),
    },
)
APPROVAL_LAG: Final = Example(
    words=_(
        "Approved after 1, 2, 3 and 10 hours: the median is 2.5 h, the 90th percentile 7.9 h, the mean 4 h."
    ),
    at=_FRIDAY,
    events=(
        *(_placed(key) for key in "ABCD"),
        *(_then("approved", key, hours) for key, hours in zip("ABCD", (1, 2, 3, 10), strict=True)),
    ),
    value=2.5,
    parts={"p50": 2.5, "p90": 7.9, "mean": 4},
    rows={"p90": frozenset("ABCD")},
)
HANDOVER_LAG: Final = Example(
    words=_(
        "Handed over 4 h and 10 h after the approval, and once 2 h before it: the median is 4 h, the mean 4 h."
    ),
    at=_FRIDAY,
    events=(
        *(_placed(key) for key in "ABC"),
        *(_then("approved", key, 10) for key in "ABC"),
        *(_then("handed_over", key, hours) for key, hours in zip("ABC", (14, 20, 8), strict=True)),
    ),
    value=4,
    parts={"p50": 4, "mean": 4},
    rows={"": frozenset("ABC")},
)
LATE_DELIVERY: Final = Example(
    words=_(
        "Promised for hour 48: A came at 47, B at 48 exactly, C at 49, D is not there yet: 1 of 3 is late, 33.3 %."
    ),
    at=_FRIDAY,
    events=(
        *(_placed(key, promised=48) for key in "ABCD"),
        *(_then("delivered", key, hours) for key, hours in zip("ABC", (47, 48, 49), strict=True)),
    ),
    value=1 / 3,
    parts={"late": 1, "in_time": 2},
    rows={"late": frozenset("C"), "in_time": frozenset("AB")},
)
LATE_HANDOVER: Final = Example(
    words=_(
        "A went out at hour 24; its lines were due at 12 and at 30; B's one line at 24 went out then: 1 of 3 lines."
    ),
    at=_FRIDAY,
    events=(
        _placed("A", limits=(12, 30)),
        _placed("B", limits=(24,)),
        _then("handed_over", "A", 24),
        _then("handed_over", "B", 24),
    ),
    value=1 / 3,
    parts={"late": 1, "in_time": 2},
    rows={"late": frozenset("A"), "": frozenset("AB")},
)
OPEN_CASES: Final = Example(
    words=_("By Friday 08:00 three cases had opened and one of them had closed: 2 open cases."),
    at=_FRIDAY,
    events=(
        _case("requested", "A", 1),
        _case("requested", "B", 2),
        _case("requested", "C", 3, "approval_late"),
        _case("settled", "B", 4),
    ),
    value=2,
    parts={"delivery_late": 1, "approval_late": 1},
    rows={"delivery_late": frozenset({"Case A"}), "": frozenset({"Case A", "Case C"})},
)
CASES_BY_KIND: Final = Example(
    words=_(
        "Two cases for late deliveries and one for a late approval opened, one closed by itself: 3 cases."
    ),
    at=_FRIDAY,
    events=OPEN_CASES.events,
    value=3,
    parts={"delivery_late": 2, "approval_late": 1},
    rows={"delivery_late": frozenset({"Case A", "Case B"})},
)
_RUNS: Final = (
    RunOf("completed", _at(1)),
    RunOf("completed", _at(2)),
    RunOf("completed", _at(3), decided=True),
    RunOf("cancelled", _at(4)),
    RunOf("waiting", _at(5)),
    RunOf("completed", _at(120)),
)
RUNS_BY_STATUS: Final = Example(
    words=_("Of five runs that started by Friday 08:00 three succeeded, one was cancelled, one waits."),
    at=_FRIDAY,
    runs=_RUNS,
    value=5,
    parts={"completed": 3, "cancelled": 1, "waiting": 1},
    rows={"waiting": frozenset({"run 5"})},
)
AUTOMATION_RATE: Final = Example(
    words=_("Of four runs that are over two completed by themselves, one after a person's decision: 50 %."),
    at=_FRIDAY,
    runs=_RUNS,
    value=0.5,
    parts={"by_itself": 2, "with_help": 1, "cancelled": 1, "faulted": 0},
    rows={"by_itself": frozenset({"run 1", "run 2"}), "with_help": frozenset({"run 3"})},
)
