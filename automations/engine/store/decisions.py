"""Finding the version of a decision table that is in force at an instant."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from automations.engine.models import DecisionVersion

_FIND: Final = """
select v.id, v.number, v.document
from "{schema}".engine_decisionversion v join "{schema}".engine_decisiontable t on t.id = v.table_id
where t.name = %s and v.effective_from <= to_timestamp(%s) and v.withdrawn_at is null
order by v.effective_from desc, v.number desc limit 1
"""


async def find(
    connection: AsyncConnection[Any], schema: str, name: str, at: float
) -> tuple[UUID, int, dict[str, Any]] | None:
    """Key, number and document of the version in force at `at` (epoch seconds); None without one."""
    cursor = await connection.execute(_FIND.format(schema=schema), [name, at])
    row = await cursor.fetchone()
    return (row[0], row[1], row[2]) if row else None


def in_force(table: UUID, at: datetime) -> DecisionVersion | None:
    """The version in force at `at`, None without one."""
    return (
        DecisionVersion.objects.filter(table_id=table, effective_from__lte=at, withdrawn_at__isnull=True)
        .order_by("-effective_from", "-number")
        .first()
    )
