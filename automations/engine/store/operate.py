"""What operators do to a run that no worker holds: take hold of it, and write what became of it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from automations.engine.enums import Signal
from automations.engine.machine.apart import lighten
from automations.engine.store import blobs, holds, lanes
from automations.engine.store.blobs import whole_here
from kernel import jsonx


def hold(run_id: UUID) -> str:
    """Lock a run's queue row to the end of the transaction: `free`, `held` (a worker has it) or `over`."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select owner is not null from public.ledger_queue where run_id = %s for update", [run_id]
        )
        row = cursor.fetchone()
    if row is None:
        return "over"
    return "held" if row[0] else "free"


def hold_kind(run_id: UUID) -> str:
    """The same without locking it: `free`, `held` or `over`."""
    with connection.cursor() as cursor:
        cursor.execute("select owner is not null from public.ledger_queue where run_id = %s", [run_id])
        row = cursor.fetchone()
    if row is None:
        return "over"
    return "held" if row[0] else "free"


def repin(
    run_id: UUID,
    definition_id: UUID,
    *,
    step: str,
    error: Any,
    seq: int,
    steps: list[dict[str, Any]],
    snapshot: Any,
) -> None:
    """Write that a run goes on by another definition; it goes on when it would have."""
    with connection.cursor() as cursor:
        cursor.execute(
            "update engine_run set definition_id = %s, step = %s, error = %s::jsonb where id = %s",
            [definition_id, step, None if error is None else jsonx.text(error), run_id],
        )
        _append(run_id, seq, steps)
        written, large = lighten(snapshot)
        cursor.execute("update engine_state set snapshot = %s where run_id = %s", [written, run_id])
        blobs.keep_here([(run_id, large)])
        cursor.execute(
            "update public.ledger_queue set definition_id = %s where run_id = %s", [definition_id, run_id]
        )


def signal(run_id: UUID, what: Signal) -> None:
    """Tell the worker that holds the run; it looks at its next checkpoint."""
    with connection.cursor() as cursor:
        cursor.execute("update public.ledger_queue set signal = %s where run_id = %s", [int(what), run_id])


def snapshot_of(run_id: UUID) -> Any:
    """The snapshot of a parked run, None if it never moved."""
    with connection.cursor() as cursor:
        cursor.execute("select snapshot from engine_state where run_id = %s", [run_id])
        row = cursor.fetchone()
    return whole_here(run_id, row[0]) if row else None


def unlisten(run_id: UUID, numbers: list[int]) -> None:
    """The run listens under these numbers no more; events that came for them are nobody's."""
    with connection.cursor() as cursor:
        for table in ("engine_delivery", "engine_subscription"):
            cursor.execute(f"delete from {table} where run_id = %s and no = any(%s)", [run_id, numbers])


def _append(run_id: UUID, seq: int, steps: list[dict[str, Any]]) -> None:
    """Add lines to a run's journal."""
    written, large = lighten(steps)
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into engine_segment (run_id, seq, steps) values (%s, %s, %s)", [run_id, seq, written]
        )
    blobs.keep_here([(run_id, large)])


def write(
    run_id: UUID,
    *,
    status: str,
    error: Any,
    seq: int,
    steps: list[dict[str, Any]],
    snapshot: Any,
    over_at: datetime | None = None,
) -> None:
    """Write what an operator's act made of a run that `hold` said is free; wakes it, or ends it at `over_at`."""
    with connection.cursor() as cursor:
        cursor.execute(
            "update engine_run set status = %s, error = %s::jsonb, ended_at = %s where id = %s",
            [status, None if error is None else jsonx.text(error), over_at, run_id],
        )
        if steps:
            _append(run_id, seq, steps)
        if over_at is not None:
            lanes.leave_here(run_id)
            holds.forget(run_id)
            cursor.execute("delete from public.ledger_queue where run_id = %s", [run_id])
            cursor.execute("delete from engine_state where run_id = %s", [run_id])
            cursor.execute("delete from engine_delivery where run_id = %s", [run_id])
            cursor.execute("delete from engine_subscription where run_id = %s", [run_id])
            cursor.execute("delete from engine_brood where run_id = %s", [run_id])
            return
        written, large = lighten(snapshot)
        cursor.execute(
            "insert into engine_state (run_id, snapshot) values (%s, %s)"
            " on conflict (run_id) do update set snapshot = excluded.snapshot",
            [run_id, written],
        )
        blobs.keep_here([(run_id, large)])
        cursor.execute(
            "update public.ledger_queue set ready_at = '-infinity', claims = 0, wakes = wakes + 1 where run_id = %s",
            [run_id],
        )
