"""Counts, straight from the CSV files, the runs and cases that *Order watch* must have when a replay of Olist ends.

Independent of the product: no import of it, no SQL, no pandas; one loop over orders. Run it by itself:

    python bench/olist_cases.py ../shared/data/olist10k

What it counts. An order runs through at most three stages. Each waits for the first of some events at or after the
stage began, until a deadline; an event exactly at the deadline is in time. If the event is later, or never came and
the deadline lies within the horizon (the last instant of the whole data set), a case opened; it closed by itself if
the event came.

    stage      deadline                                     waits for
    approval   placed + 24 h                                approved, handed over, delivered, called off
    hand-over  earliest shipping limit of its lines         handed over, delivered, called off
               (none without lines), or later entry
    delivery   promised delivery, or later entry            delivered, called off

Approved leads to the hand-over, handed over to the delivery, everything else ends. Called off (canceled, unavailable)
has no instant of its own in the data: it counts at the last instant that is known of the order, behind the others.
"""

import argparse
import csv
import gzip
import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

APPROVAL_HOURS = 24
COLUMNS = {
    "approved": "order_approved_at",
    "handed_over": "order_delivered_carrier_date",
    "delivered": "order_delivered_customer_date",
}
RANK = {"approved": 0, "handed_over": 1, "delivered": 2, "over": 3}
WAITS_FROM = {"approval_late": 0, "handover_late": 1, "delivery_late": 2}
"""The rank of the first happening that each stage waits for."""
LEADS_TO = {"approved": "handover_late", "handed_over": "delivery_late"}
"""The stage that follows; what else happens ends the watch."""


class Happening(NamedTuple):
    """Something that happened to an order; happenings sort by instant, then by rank."""

    at: datetime
    rank: int
    what: str


class Order(NamedTuple):
    """An order with its happenings after the placing, in order, and its deadlines."""

    placed: datetime
    happenings: list[Happening]
    ship_by: datetime | None
    promised: datetime | None


def read(folder: Path) -> list[Order]:
    """Every order of the data set."""
    limits: dict[str, datetime] = {}
    for line in rows(folder / "order_items.csv.gz"):
        limit = instant(line["shipping_limit_date"])
        if limit is not None:
            key = line["order_id"]
            limits[key] = min(limits.get(key, limit), limit)
    return [order_of(row, limits.get(row["order_id"])) for row in rows(folder / "orders.csv.gz")]


def rows(path: Path) -> Iterator[dict[str, str]]:
    """The rows of a packed CSV file."""
    with gzip.open(path, "rt", newline="") as file:
        yield from csv.DictReader(file)


def instant(text: str) -> datetime | None:
    """An instant of the data, as it stands; None for an empty field."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S") if text else None  # noqa: DTZ007 - all are of one zone


def order_of(row: dict[str, str], ship_by: datetime | None) -> Order:
    """An order from its row."""
    placed = instant(row["order_purchase_timestamp"])
    assert placed is not None
    found = [
        Happening(at, RANK[what], what)
        for what, column in COLUMNS.items()
        if (at := instant(row[column])) is not None
    ]
    if row["order_status"] in ("canceled", "unavailable"):
        last = max([placed, *(one.at for one in found)])
        found.append(Happening(last, RANK["over"], "over"))
    return Order(placed, sorted(found), ship_by, instant(row["order_estimated_delivery_date"]))


def horizon(orders: list[Order]) -> datetime:
    """The last instant at which anything happened to any order."""
    return max(at for order in orders for at in (order.placed, *(one.at for one in order.happenings)))


class Stage(NamedTuple):
    """A stage of an order: until when it had time, and what it waited for, if that came."""

    kind: str
    deadline: datetime | None
    came: Happening | None


def stages_of(order: Order) -> Iterator[Stage]:
    """The stages that an order runs through."""
    kind, entered, left = "approval_late", order.placed, order.happenings
    while kind:
        came = next((one for one in left if one.rank >= WAITS_FROM[kind] and one.at >= entered), None)
        yield Stage(kind, deadline_of(order, kind, entered), came)
        if came is None:
            return
        left = left[left.index(came) + 1 :]
        kind, entered = LEADS_TO.get(came.what, ""), came.at


def cases_of(order: Order, end: datetime) -> Iterator[tuple[str, bool]]:
    """The cases of one order: its kind, and whether it closed by itself."""
    for kind, deadline, came in stages_of(order):
        if deadline is not None and (came.at > deadline if came else deadline <= end):
            yield kind, came is not None


def deadline_of(order: Order, kind: str, entered: datetime) -> datetime | None:
    """Until when a stage has time; None for ever."""
    if kind == "approval_late":
        return order.placed + timedelta(hours=APPROVAL_HOURS)
    wanted = order.ship_by if kind == "handover_late" else order.promised
    return None if wanted is None else max(wanted, entered)


def count(folder: Path) -> dict[str, dict[str, int]]:
    """Cases by kind: opened, closed by themselves, still open at the end."""
    orders = read(folder)
    end = horizon(orders)
    opened: Counter[str] = Counter()
    closed: Counter[str] = Counter()
    for order in orders:
        for kind, healed in cases_of(order, end):
            opened[kind] += 1
            closed[kind] += healed
    return {
        kind: {
            "opened": opened[kind],
            "closed_auto": closed[kind],
            "still_open": opened[kind] - closed[kind],
        }
        for kind in WAITS_FROM
    }


def runs(folder: Path) -> dict[str, int]:
    """Runs by status: one an order, which waits as long as the last stage's event has not come."""
    waits = Counter(any(stage.came is None for stage in stages_of(order)) for order in read(folder))
    return {"completed": waits[False], "waiting": waits[True]}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Count the cases of Order watch from the Olist CSV files.")
    parser.add_argument("folder", type=Path, nargs="?", default=Path("../shared/data/olist10k"))
    asked = parser.parse_args().folder
    print(json.dumps({"cases": count(asked), "runs": runs(asked)}, indent=1))
