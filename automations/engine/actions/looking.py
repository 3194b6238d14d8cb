"""What of runs is packed, read and written for the privacy room; and whose turn it is: a worker's comes first."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from django.db import connection

from automations.engine.machine import apart
from tenants.privacy.registry import Codec, codec, guard

_FREE: Final = """
select run_id from public.ledger_queue where run_id = any(%s) and owner is null for update skip locked
"""


def _read(packed: bytes | memoryview | None) -> Any:
    """A packed value; of what is kept apart a note, for that stands in a row of its own."""
    return None if packed is None else apart.outline(packed)[0]


def _column(model: str, name: str) -> None:
    def write(row: Any, value: Any) -> Mapping[str, Any]:
        return {name: apart.repacked(getattr(row, name), value)}

    codec(f"engine.{model}", name, Codec(read=lambda row: _read(getattr(row, name)), write=write))


def _at_work(runs: Sequence[UUID]) -> set[UUID]:
    """Of these runs, those that a worker has in hand; the others cannot be claimed until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(_FREE, [list(runs)])
        free = {row[0] for row in cursor.fetchall()}
        cursor.execute("select run_id from public.ledger_queue where run_id = any(%s)", [list(runs)])
        return {row[0] for row in cursor.fetchall()} - free


def _of_runs(rows: Sequence[Any]) -> set[Any]:
    busy = _at_work([row.run_id for row in rows])
    return {row.pk for row in rows if row.run_id in busy}


def _runs(rows: Sequence[Any]) -> set[Any]:
    return _at_work([row.id for row in rows])


for model, names in {
    "Run": ("input", "output"),
    "RunState": ("snapshot",),
    "Brood": ("shared",),
    "Segment": ("steps",),
    "Blob": ("content",),
}.items():
    for column in names:
        _column(model, column)
    guard(f"engine.{model}", _runs if model == "Run" else _of_runs)
