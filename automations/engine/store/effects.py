"""Calls to systems that honour no key: intended before they are made, confirmed after."""

from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

_INTEND: Final = """
insert into "{schema}".engine_effect (run_id, key, state, at) values (%s, %s, 'intended', clock_timestamp())
on conflict do nothing
"""
_SETTLE: Final = """
update "{schema}".engine_effect set state = %s, at = clock_timestamp() where run_id = %s and key = %s
"""


async def intend(connection: AsyncConnection[Any], schema: str, run_id: UUID, key: str) -> bool:
    """Note that a call is about to be made; False if that was noted before, so that it may have been made."""
    cursor = await connection.execute(_INTEND.format(schema=schema), [run_id, key])
    return cursor.rowcount == 1


async def settle(
    connection: AsyncConnection[Any], schema: str, run_id: UUID, key: str, *, known: bool
) -> None:
    """Note how a call went."""
    await connection.execute(
        _SETTLE.format(schema=schema), ["confirmed" if known else "unknown", run_id, key]
    )
