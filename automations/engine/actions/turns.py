"""Taking turns: runs of a workflow that takes only so many at a time, and calls through a connection that does.

What is counted in is a lane: the workflow itself, each value of its key (an order), a connection.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid5

import structlog
from psycopg import AsyncConnection
from psycopg.errors import DeadlockDetected

from automations.engine.actions.lines import LANES, Lines
from automations.engine.dsl.expressions import BadExpression, Compiler, Evaluate
from automations.engine.errors import WorkflowError
from automations.engine.store import holds, lanes
from automations.engine.store.lanes import Entry
from kernel import jsonx
from kernel.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from automations.engine.actions.carry import Carried

log = structlog.get_logger(__name__)
Json = Any
MOST: Final = 1_000
NAMES: Final = frozenset({"business"})
"""What an expression for a lane may use besides the input: the run's business key."""
_KEPT: Final = 500
_DEADLOCKS: Final = 5
_compiled: OrderedDict[str, Evaluate] = OrderedDict()


@dataclass(frozen=True, slots=True)
class Rule:
    """How many runs of a workflow go at a time: of all of them, or (with `key`) of those that give the same key."""

    limit: int
    key: str = ""

    @classmethod
    def read(cls, given: Mapping[str, Json] | None) -> "Rule | None":
        """The rule of a workflow's row, None where there is no limit."""
        return cls(given["limit"], given.get("key", "")) if given else None

    def lane(self, workflow: UUID, value: Json, business: str) -> UUID | None:
        """The lane of a run; None for one that has no key, which waits for nobody."""
        if not self.key:
            return workflow_lane(workflow)
        try:
            found = _evaluate(self.key)(value, {"business": business})
        except WorkflowError as error:
            log.warning("no lane for a run", workflow=str(workflow), error=str(error))
            return None
        return None if found in (None, "") else uuid5(workflow, jsonx.text(found))


def workflow_lane(workflow: UUID) -> UUID:
    """The lane of all runs of a workflow."""
    return uuid5(workflow, "all runs")


def connection_lane(connection: UUID) -> UUID:
    """The lane of calls through a connection."""
    return uuid5(connection, "calls")


def checked(given: Mapping[str, Json] | None) -> dict[str, Json] | None:
    """A rule as it is kept. Raises Invalid, naming `limit` or `key`."""
    if not given:
        return None
    limit, key = given.get("limit"), given.get("key") or ""
    if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= MOST:
        raise Invalid(fields={"concurrency.limit": [f"Give a whole number from 1 to {MOST}."]})
    if not isinstance(key, str) or len(key) > 1_000:
        raise Invalid(fields={"concurrency.key": ["Give an expression."]})
    if key:
        try:
            _evaluate(key)
        except BadExpression as error:
            raise Invalid(fields={"concurrency.key": [str(error)]}) from error
    return {"limit": limit, **({"key": key} if key else {})}


def _evaluate(key: str) -> Evaluate:
    found = _compiled.get(key)
    if found is None:
        found = _compiled[key] = Compiler(NAMES).expression(key)
        while len(_compiled) > _KEPT:
            _compiled.popitem(last=False)
    return found


class Turns:
    """Lanes as a worker uses them, on a connection of its own: what locks lanes must be over at once."""

    def __init__(self, lines: Lines) -> None:
        """`lines` are the worker's connections."""
        self._lines = lines
        self._lock = asyncio.Lock()

    async def _do(self, work: "Callable[[AsyncConnection[Any]], Awaitable[bool]]") -> bool:
        """Do it in a transaction; again if another's stood in the way, which the database then undid whole."""
        for _ in range(_DEADLOCKS):
            try:
                return await self._attempt(work)
            except DeadlockDetected:
                log.info("lanes locked again")
        return await self._attempt(work)

    async def _attempt(self, work: "Callable[[AsyncConnection[Any]], Awaitable[bool]]") -> bool:
        async def within(connection: AsyncConnection[Any]) -> bool:
            async with connection.transaction():
                return await work(connection)

        async with self._lock:
            return await self._lines.steadily(LANES, within)

    async def begin(self, held: "Carried", worker: UUID) -> bool:
        """Whether a claimed run may move now; if not, it is given back, and held until it is its turn."""
        held.laned = True
        run = held.run.id

        async def work(connection: AsyncConnection[Any]) -> bool:
            if not await lanes.lock(connection, worker, run, held.epoch):
                return False
            # asked anew: by a rule that was taken away meanwhile, nobody would let it go on
            rule = Rule.read(await lanes.rule(connection, held.schema, held.workflow_id))
            if rule is None:
                return True
            lane = rule.lane(held.workflow_id, held.run.input, held.business_key)
            if lane is None:
                return True
            if not await lanes.enter(connection, held.tenant_id, "lane", [Entry(run, lane, rule.limit)]):
                return True
            await holds.release(connection, worker, [(run, held.epoch)])
            return False

        return await self._do(work)

    async def enter(self, held: "Carried", connection_id: UUID, places: int) -> bool:
        """Whether a run may call through a connection now; if not, it is held from its next checkpoint on."""
        entry = Entry(held.run.id, connection_lane(connection_id), places)

        async def work(connection: AsyncConnection[Any]) -> bool:
            return not await lanes.enter(connection, held.tenant_id, "call", [entry])

        held.called = await self._do(work)
        return held.called

    async def leave(self, held: "Carried") -> None:
        """The call is over."""

        async def work(connection: AsyncConnection[Any]) -> bool:
            await lanes.leave(connection, [(held.run.id, False)])
            return True

        await self._do(work)
        held.called = False
