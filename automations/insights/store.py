"""The SQL that folds events into facts: a batch of orders in one statement, their lines in two."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.db import connection

from kernel import jsonx

_KEY: Final = "order_id"
_FIRST: Final = ("placed_at", "approved_at", "handed_over_at", "delivered_at")
_DESCRIBED: Final = (
    "number",
    "channel",
    "country",
    "region",
    "currency",
    "total_minor",
    "lines",
    "estimated_delivery_at",
)
_STATED: Final = ("stated", "stated_at")
COLUMNS: Final = (_KEY, *_FIRST, "ended_at", "ended_as", *_DESCRIBED, "described", *_STATED, "stated_by")
_NAMES: Final = ", ".join(COLUMNS)


def _newer(names: Sequence[str], by: str) -> list[str]:
    """Columns that are taken over together, from whoever is greater in column `by`."""
    return [
        f'{name} = case when excluded.{by} collate "C" > old.{by} collate "C" then excluded.{name} else old.{name} end'
        for name in names
    ]


_MERGE: Final = ",\n    ".join(
    [
        *(f"{name} = least(old.{name}, excluded.{name})" for name in _FIRST),
        """ended_as = case
      when excluded.ended_at is null or (old.ended_at, old.ended_as) <= (excluded.ended_at, excluded.ended_as)
        then old.ended_as
      else excluded.ended_as end""",
        "ended_at = least(old.ended_at, excluded.ended_at)",
        *_newer((*_DESCRIBED, "described"), "described"),
        *_newer((*_STATED, "stated_by"), "stated_by"),
    ]
)
_FOLD: Final = f"""
with given as (select {_NAMES} from jsonb_populate_recordset(null::insights_orderfact, %s::jsonb)),
folded as (
  insert into insights_orderfact as old ({_NAMES}) select {_NAMES} from given order by {_KEY}
  on conflict ({_KEY}) do update set
    {_MERGE}
  returning {_KEY}, described)
select {_KEY} from folded join given using ({_KEY}) where given.described <> '' and given.described = folded.described
"""
_FORGET: Final = "delete from insights_orderline where order_id = any(%s)"
_LINES: Final = """
insert into insights_orderline (order_id, line_no, sku, quantity, price_minor, shipping_limit_at)
select order_id, line_no, sku, quantity, price_minor, shipping_limit_at
from jsonb_populate_recordset(null::insights_orderline, %s::jsonb)
"""


def fold(orders: Sequence[Mapping[str, Any]], lines: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Merge facts (rows of `COLUMNS`, one an order) with what is known, whatever order they come in.

    `lines` by order id go with the description of the same row, and replace those before them if it is the newest.
    """
    if not orders:
        return
    with connection.cursor() as cursor:
        cursor.execute(_FOLD, [jsonx.dumps(list(orders)).decode()])
        newest = [row[0] for row in cursor.fetchall()]
        if newest:
            cursor.execute(_FORGET, [newest])
            fresh = [line for order_id in newest for line in lines.get(order_id, ())]
            cursor.execute(_LINES, [jsonx.dumps(fresh).decode()])
