"""Folding a journal: of a run that wrote it line by line, many small rows become one that is quickly read.

Only the worker that holds a run folds its journal, and only what is full. Each group of rows is exchanged in one
statement, which does nothing if one of them is not there any more.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from automations.engine.machine import apart

FEW: Final = 16
"""Rows that are not worth it."""
_READ: Final = """
select seq, steps from "{schema}".engine_segment where run_id = %b and seq >= %b and seq < %b order by seq
"""
_EXCHANGE: Final = """
with gone as (
  delete from "{schema}".engine_segment where run_id = %b and seq = any(%b::int[]) returning seq)
insert into "{schema}".engine_segment (run_id, seq, steps)
select %b, t.seq, t.steps from unnest(%b::int[], %b::bytea[]) as t(seq, steps)
where (select count(*) from gone) = %b
"""


async def fold(connection: AsyncConnection[Any], schema: str, run_id: UUID, since: int, upto: int) -> int:
    """Make few rows of those that begin with the lines from `since` to before `upto`; how many fewer there are."""
    cursor = await connection.execute(_READ.format(schema=schema), [run_id, since, upto], binary=True)
    saved = 0
    for group in _groups(await cursor.fetchall()):
        lines = [line for _, steps in group for line in apart.lines(steps)]
        rows = list(apart.journal_rows(lines, {}))
        await connection.execute(
            _EXCHANGE.format(schema=schema),
            [
                run_id,
                [seq for seq, _ in group],
                run_id,
                [seq for seq, _ in rows],
                [steps for _, steps in rows],
                len(group),
            ],
        )
        saved += len(group) - len(rows)
    return saved


def _groups(rows: Sequence[tuple[int, bytes]]) -> Iterator[list[tuple[int, bytes]]]:
    """Rows that follow each other and hold all of their data; rows in between, of which parts are kept apart, stay."""
    group: list[tuple[int, bytes]] = []
    for row in rows:
        if apart.parts(row[1]):
            if len(group) > FEW:
                yield group
            group = []
        else:
            group.append(row)
    if len(group) > FEW:
        yield group
