"""Runs that are long over: first their data go, and what happened stays; later all of them goes. In batches by SQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection

from automations.engine.machine import apart
from kernel import jsonx

_OVER: Final = """
select id, ended_at from engine_run
where started_at < %s and ended_at < %s and business_key <> all(%s)
  and status in ('completed', 'faulted', 'cancelled') {more}
order by started_at, id limit %s for update skip locked
"""
_TOLD: Final = ("type", "status", "title", "detail", "instance", "code", "limit", "unknown")
"""Members of an error that say what happened; the others are data."""
_EMPTY: Final = jsonx.pack(None)


@dataclass(frozen=True, slots=True)
class Over:
    """A run that is over, and since when."""

    id: UUID
    ended_at: datetime


def with_data(before: datetime, since: datetime | None, most: int, held: Sequence[str] = ()) -> list[Over]:
    """Runs that ended before then and still have their data, the oldest first; none that started before `since`,
    and none whose business key is `held`.
    """
    more = "and stripped_at is null" + (" and started_at >= %s" if since else "")
    with connection.cursor() as cursor:
        given: list[Any] = [before, before, list(held), *([since] if since else []), most]
        cursor.execute(_OVER.format(more=more), given)
        return [Over(*row) for row in cursor.fetchall()]


def over(before: datetime, most: int, held: Sequence[str] = ()) -> list[Over]:
    """Runs that ended before then, the oldest first; none whose business key is `held`."""
    with connection.cursor() as cursor:
        cursor.execute(_OVER.format(more=""), [before, before, list(held), most])
        return [Over(*row) for row in cursor.fetchall()]


def oldest_unfinished() -> datetime | None:
    """When the oldest run started that is not over."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select min(started_at) from engine_run where status not in ('completed', 'cancelled')"
            " and status <> 'faulted'"
        )
        row: Any = cursor.fetchone()
    found: datetime | None = row[0]
    return found


def strip(runs: Sequence[UUID], now: datetime) -> int:
    """Take the data of runs away, and leave what happened and when; how many bytes went."""
    keys = list(runs)
    with connection.cursor() as cursor:
        cursor.execute("select run_id, seq, steps from engine_segment where run_id = any(%s)", [keys])
        rows = [(run, seq, bytes(steps)) for run, seq, steps in cursor.fetchall()]
        told = [apart.pack_lines([_told(line) for line in _lines(steps)]) for _, _, steps in rows]
        cursor.execute(
            "update engine_segment s set steps = t.steps"
            " from unnest(%s::uuid[], %s::int[], %s::bytea[]) as t(run_id, seq, steps)"
            " where s.run_id = t.run_id and s.seq = t.seq",
            [[run for run, _, _ in rows], [seq for _, seq, _ in rows], told],
        )
        cursor.execute(
            "with gone as (delete from engine_blob where run_id = any(%s) returning length(content) as n)"
            " select coalesce(sum(n), 0)::bigint from gone",
            [keys],
        )
        blob_bytes: Any = cursor.fetchone()
        cursor.execute(
            "with old as (select id, length(input) + coalesce(length(output), 0) as n from engine_run"
            " where id = any(%s)), new as ("
            "  update engine_run set input = %s, output = null, stripped_at = %s, error = case"
            "    when error is null then null else (select jsonb_object_agg(key, value) from jsonb_each(error)"
            "      where key = any(%s)) end where id = any(%s) returning 1)"
            " select coalesce(sum(n), 0)::bigint from old",
            [keys, _EMPTY, now, list(_TOLD), keys],
        )
        run_bytes: Any = cursor.fetchone()
    shorter = sum(len(steps) for _, _, steps in rows) - sum(map(len, told))
    return max(shorter, 0) + int(blob_bytes[0]) + int(run_bytes[0])


def _lines(packed: bytes) -> list[dict[str, Any]]:
    found = apart.happenings(packed)
    if found is not None:
        return found
    lines = apart.outline(packed)[0]
    return list(lines) if isinstance(lines, list) else []


def _told(line: dict[str, Any]) -> dict[str, Any]:
    """A line without its data."""
    kept = {name: value for name, value in line.items() if name not in apart.DATA}
    if isinstance(kept.get("x"), dict):
        kept["x"] = {name: kept["x"][name] for name in _TOLD if name in kept["x"]}
    return kept


def delete(runs: Sequence[UUID]) -> int:
    """Delete runs with everything that is kept of them; how many rows of their journals there were."""
    keys = list(runs)
    with connection.cursor() as cursor:
        for table in (
            "engine_blob",
            "engine_effect",
            "engine_state",
            "engine_delivery",
            "engine_subscription",
        ):
            cursor.execute(f"delete from {table} where run_id = any(%s)", [keys])
        cursor.execute("delete from engine_segment where run_id = any(%s)", [keys])
        rows = cursor.rowcount
        cursor.execute("delete from engine_run where id = any(%s)", [keys])
    return int(rows)
