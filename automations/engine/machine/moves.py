"""What a run wants done: effects to carry out, facts and events to publish, events to listen for."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson

Json = Any


@dataclass(slots=True)
class Effect:
    """Something to be done outside, for one strand; `key` is the same for each attempt of the same call."""

    strand: str
    key: str
    ref: str
    kind: str
    request: dict[str, Json]
    effect: str = "idempotent"
    seconds: float | None = None


@dataclass(slots=True)
class Outcome:
    """How an effect went: an answer, or (`error`) why there is none; `unknown`: it may have happened all the same."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    content: Json = None
    error: str = ""
    unknown: bool = False
    refused: str = ""


@dataclass(slots=True)
class Fact:
    """An event that the run publishes with its next checkpoint; `id` is the same if the step runs again."""

    id: str
    type: str
    subject: str
    data: Json
    time: float
    source: str = ""
    extensions: dict[str, Json] = field(default_factory=dict)


@dataclass(slots=True)
class Member:
    """A run that is started by another; `id` is the same if the step runs again."""

    id: UUID
    position: int
    given: Json


@dataclass(slots=True)
class Brood:
    """Runs that one step starts: of another workflow (`workflow`), or of a list of its own (`tasks`) for each item.

    At most `cap` of them move at a time. With `wait`, the step goes on when all are over, or when `enough` of them (if
    it is not 0) have completed; it is told so under `id`.
    `shared` is what each of them begins with.
    """

    id: UUID
    ref: str
    members: list[Member]
    cap: int
    enough: int = 0
    wait: bool = True
    workflow: str = ""
    version: str = ""
    tasks: str = ""
    shared: dict[str, Json] = field(default_factory=dict)


@dataclass(slots=True)
class Registration:
    """An event that the run listens for from now on; `key` finds it."""

    no: int
    type: str
    key: int
    since: float


def correlation_key(kind: str, sources: Sequence[str], values: Sequence[Json]) -> int:
    """The number by which an event of type `kind` and those who wait for it find each other.

    `sources` are the expressions of the correlation and `values` what they give; none of either stands for a
    listener that takes any event of the type.
    """
    name = orjson.dumps(
        [kind, list(sources), list(values)], option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS
    )
    return int.from_bytes(hashlib.blake2b(name, digest_size=8).digest(), "big", signed=True)
