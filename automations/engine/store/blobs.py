"""What runs keep apart because it is too large for a row: stored once a run, under the hash of its content."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from django.db import connection as here
from psycopg import AsyncConnection

from automations.engine.machine.apart import Blobs, parts, whole

_INSERT: Final = """
insert into {table} (run_id, digest, size, content)
select * from unnest(%b::uuid[], %b::text[], %b::int[], %b::bytea[]) on conflict do nothing
"""
_FETCH: Final = """
select b.run_id, b.digest, b.content from {table} b
join unnest(%b::uuid[], %b::text[]) as t(run_id, digest) on b.run_id = t.run_id and b.digest = t.digest
"""


def _rows(blobs: Sequence[tuple[UUID, Blobs]]) -> list[list[Any]]:
    rows = [(run, digest, blob) for run, found in blobs for digest, blob in found.items()]
    return [
        [run for run, _, _ in rows],
        [digest for _, digest, _ in rows],
        [blob.size for _, _, blob in rows],
        [blob.content for _, _, blob in rows],
    ]


def _asked(wanted: Sequence[tuple[UUID, str]]) -> list[list[Any]]:
    return [[run for run, _ in wanted], [digest for _, digest in wanted]]


async def keep(connection: AsyncConnection[Any], schema: str, blobs: Sequence[tuple[UUID, Blobs]]) -> None:
    """Store parts of runs; what a run has already stays."""
    await connection.execute(_INSERT.format(table=f'"{schema}".engine_blob'), _rows(blobs))


async def fetch(
    connection: AsyncConnection[Any], schema: str, wanted: Sequence[tuple[UUID, str]]
) -> dict[UUID, dict[str, bytes]]:
    """What is kept of runs under hashes, by run."""
    cursor = await connection.execute(_FETCH.format(table=f'"{schema}".engine_blob'), _asked(wanted))
    return _by_run(await cursor.fetchall())


def keep_here(blobs: Sequence[tuple[UUID, Blobs]]) -> None:
    """Store parts of runs in the caller's transaction and tenant."""
    with here.cursor() as cursor:
        cursor.execute(_INSERT.format(table="engine_blob").replace("%b", "%s"), _rows(blobs))


def fetch_here(wanted: Sequence[tuple[UUID, str]]) -> dict[UUID, dict[str, bytes]]:
    """What is kept of runs of the present tenant under hashes, by run."""
    with here.cursor() as cursor:
        cursor.execute(_FETCH.format(table="engine_blob").replace("%b", "%s"), _asked(wanted))
        return _by_run(cursor.fetchall())


def whole_here(run_id: UUID, packed: bytes | memoryview) -> Any:
    """A packed value of a run of the present tenant, with what was kept apart."""
    wanted = [(run_id, one.digest) for one in parts(packed)]
    return whole(packed, fetch_here(wanted).get(run_id, {}) if wanted else {})


def _by_run(rows: Sequence[Any]) -> dict[UUID, dict[str, bytes]]:
    found: dict[UUID, dict[str, bytes]] = {}
    for run, digest, content in rows:
        found.setdefault(run, {})[digest] = bytes(content)
    return found
