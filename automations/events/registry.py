"""Who is told of which events, and what events of a type look like.

Rooms above register handlers when they are loaded. Contracts are JSON Schemas in `contracts/`, compiled once; a type
without one is taken as it is.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from automations.connectors.contract import Finding, Schema
from automations.events.models import Event
from kernel.jsonx import Json

Handler = Callable[[list[Event], datetime], None]


@dataclass(frozen=True)
class Handling:
    """A handler with the event types it takes: exact, or a beginning behind which a `*` stands."""

    patterns: tuple[str, ...]
    order: int
    run: Handler
    _exact: frozenset[str] = field(repr=False)
    _beginnings: tuple[str, ...] = field(repr=False)

    def matching(self, events: Sequence[Event]) -> list[Event]:
        """Those of `events` that it takes, in their order."""
        return [
            event for event in events if event.type in self._exact or event.type.startswith(self._beginnings)
        ]


_handlings: list[Handling] = []


def handles(*patterns: str, order: int = 50) -> Callable[[Handler], Handler]:
    """Register the decorated function for event types; lower `order` runs first.

    It gets the matching events of a batch in the order of their intake, and `now`; it runs inside the tenant and
    inside the transaction that takes them out of the intake, so what it writes happens exactly once. What it raises
    undoes the batch, and in the end sets the event aside that it cannot work on.
    """

    def register(run: Handler) -> Handler:
        _handlings.append(
            Handling(
                patterns=patterns,
                order=order,
                run=run,
                _exact=frozenset(pattern for pattern in patterns if not pattern.endswith("*")),
                _beginnings=tuple(pattern[:-1] for pattern in patterns if pattern.endswith("*")),
            )
        )
        _handlings.sort(key=lambda handling: handling.order)
        return run

    return register


def handlings() -> Sequence[Handling]:
    """Every handler, in the order in which they run."""
    return _handlings


@dataclass(frozen=True)
class Contract:
    """What `data` of one event type must look like; more members than it names are welcome."""

    type: str
    version: int
    title: str
    description: str
    schema: dict[str, Any] = field(repr=False)
    example: Json = field(repr=False)
    _compiled: Schema = field(repr=False)

    def findings(self, data: Json) -> list[Finding]:
        """Where `data` breaks the contract; nothing if it does not."""
        return self._compiled.findings(data)


_FOLDER: Final = Path(__file__).parent / "contracts"
_SHARED: Final = "shared.json"
_SHARED_REF: Final = re.compile(r'"(?:shared\.json)?#/\$defs/(\w+)"')


def _load() -> dict[str, Contract]:
    shared = json.loads((_FOLDER / _SHARED).read_text())["$defs"]
    found = {}
    for path in sorted(_FOLDER.glob("*.json")):
        if path.name == _SHARED:
            continue
        schema = _whole(json.loads(path.read_text()), shared)
        type_, _, version = schema["$id"].removeprefix("urn:contract:").rpartition(":")
        found[type_] = Contract(
            type=type_,
            version=int(version),
            title=schema["title"],
            description=schema["description"],
            schema=schema,
            example=schema["examples"][0],
            _compiled=Schema(schema),
        )
    return found


def _whole(schema: dict[str, Any], shared: Mapping[str, Any]) -> dict[str, Any]:
    """`schema` with the shared definitions that it refers to, so that it stands alone."""
    needed: dict[str, Any] = {}
    waiting = [schema]
    while waiting:
        for name in _SHARED_REF.findall(json.dumps(waiting.pop())):
            if name not in needed:
                needed[name] = shared[name]
                waiting.append(shared[name])
    alone: dict[str, Any] = json.loads(_SHARED_REF.sub(r'"#/$defs/\1"', json.dumps(schema)))
    return {**alone, "$defs": needed} if needed else alone


_CONTRACTS: Final = _load()


def contracts() -> list[Contract]:
    """Every contract, by type."""
    return sorted(_CONTRACTS.values(), key=lambda contract: contract.type)


def contract(type_: str) -> Contract | None:
    """The contract of an event type, if it has one."""
    return _CONTRACTS.get(type_)
