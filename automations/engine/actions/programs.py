"""Compiled definitions and workflow settings, kept in this process: definitions for good, settings for two seconds."""

import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from automations.engine.actions.turns import Rule
from automations.engine.catalog import FUNCTIONS
from automations.engine.dsl.compile import compile_document
from automations.engine.dsl.program import Program
from automations.engine.models import Resource
from kernel.errors import NotFound

_MOST: Final = 500
_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Setup:
    """A workflow's settings, which connection stands behind each alias, how many runs go at a time."""

    config: dict[str, Any]
    connections: dict[str, str]
    rule: Rule | None = None


class Programs:
    """A cache of compiled definitions, by their key: a published definition never changes."""

    def __init__(self) -> None:
        self._programs: OrderedDict[UUID, Program] = OrderedDict()
        self._setups: dict[UUID, tuple[float, Setup]] = {}

    def compiled(self, definition_id: UUID, document: dict[str, Any]) -> Program:
        """The program of a document that is at hand."""
        found = self._programs.get(definition_id)
        if found is None:
            found = compile_document(document, FUNCTIONS)
            if found.fetches:
                kept = dict(
                    Resource.objects.filter(definition_id=definition_id).values_list("address", "document")
                )
                found = compile_document(document, FUNCTIONS, resources=kept)
            self._remember(definition_id, found)
        return found

    def _remember(self, definition_id: UUID, program: Program) -> None:
        self._programs[definition_id] = program
        while len(self._programs) > _MOST:
            self._programs.popitem(last=False)

    def known(self, definition_id: UUID) -> Program | None:
        """The program if it was compiled in this process."""
        return self._programs.get(definition_id)

    async def load(self, connection: AsyncConnection[Any], schema: str, definition_id: UUID) -> Program:
        """The program of a definition of this tenant. Raises NotFound."""
        found = self._programs.get(definition_id)
        if found is not None:
            return found
        cursor = await connection.execute(
            f'select document from "{schema}".engine_definition where id = %s', [definition_id]
        )
        row = await cursor.fetchone()
        if row is None:
            raise NotFound(f"no definition {definition_id}")
        cursor = await connection.execute(
            f'select address, document from "{schema}".engine_resource where definition_id = %s',
            [definition_id],
        )
        kept = dict(await cursor.fetchall())
        found = compile_document(row[0], FUNCTIONS, resources=kept)
        self._remember(definition_id, found)
        return found

    async def setup(self, connection: AsyncConnection[Any], schema: str, workflow_id: UUID) -> Setup:
        """Settings and connections of a workflow."""
        remembered = self._setups.get(workflow_id)
        if remembered and remembered[0] > time.monotonic():
            return remembered[1]
        cursor = await connection.execute(
            f'select config, connections, concurrency from "{schema}".engine_workflow where id = %s',
            [workflow_id],
        )
        row = await cursor.fetchone()
        found = Setup(row[0], row[1], Rule.read(row[2])) if row else Setup({}, {})
        if len(self._setups) > _MOST:
            self._setups.clear()
        self._setups[workflow_id] = (time.monotonic() + _SECONDS, found)
        return found


programs = Programs()
