"""Runs written down as they went: what came from outside, and every line of the journal that it led to.

A run is driven by the machine itself; the world answers by chance that follows from a number. What is kept is the
document, what was given, each answer by the key of its call, each event, and the journal. Nothing of it is computed
again when it is replayed.
"""

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from automations.engine.machine.moves import Effect, Outcome
from kernel import jsonx
from tests.conformance.dying import Happening, Mortal
from tests.conformance.test_deaths import KINDS
from tests.support.driving import program

RECORDINGS: Final = Path(__file__).parent / "runs.jsonl"
TIMES: Final = 9
"""Runs of each sample, each in a world of its own."""

Json = Any

MORE: Final[dict[str, tuple[str, Any, list[Happening]]]] = {
    "a decision table": (
        "- ask: {call: 'decide:1@default', with: {table: refund-limit, input: '${ . }'}}\n- then: {set: {limit: '${ . }'}}",
        {"country": "GB"},
        [],
    ),
    "skipping, narrowing and exporting": (
        """
- no: {if: .x > 9, set: {never: true}}
- narrow: {input: {from: .lines}, set: '${ {n: (. | length)} }', output: {as: '{count: .n}'}, export: {as: '$context + {seen: .count}'}}
- last: {set: {seen: '${ $context.seen }', was: '${ .count }'}}
""",
        {"x": 1, "lines": [1, 2, 3]},
        [],
    ),
}


class Chance:
    """A world that answers by chance, and remembers what it said."""

    def __init__(self, number: int) -> None:
        self._random = random.Random(number)
        self.said: dict[str, list[dict[str, Json]]] = defaultdict(list)

    def __call__(self, effect: Effect) -> Outcome:
        outcome = self._outcome(effect)
        self.said[effect.key].append(asdict(outcome))
        return outcome

    def _outcome(self, effect: Effect) -> Outcome:
        throw = self._random.random()
        if effect.kind != "http" or throw < 0.7:
            return Outcome(200, {}, {"ref": effect.ref, "number": self._random.randrange(10**6)})
        if throw < 0.85:
            return Outcome(503, {"retry-after": "5"}, None)
        if throw < 0.95:
            return Outcome(422, {}, {"message": "no", "field": "postcode"})
        return Outcome(error="the connection was reset", unknown=effect.effect == "unsafe")


class Kept:
    """A world that says again what was said; a call that nobody made then is a difference."""

    def __init__(self, said: dict[str, list[dict[str, Json]]]) -> None:
        self._left = {key: iter(outcomes) for key, outcomes in said.items()}

    def __call__(self, effect: Effect) -> Outcome:
        if effect.key not in self._left:
            raise AssertionError(f"{effect.ref} calls under a key that is new: {effect.key}")
        return Outcome(**next(self._left[effect.key]))


def recorded() -> Iterator[dict[str, Json]]:
    """Every sample in each of its worlds."""
    for kind, (text, given, events) in {**KINDS, **MORE}.items():
        for number in range(TIMES):
            yield record(kind, text, given, events, number)


def record(kind: str, text: str, given: Json, events: list[Happening], number: int) -> dict[str, Json]:
    """One run in the world of that number."""
    world, told = Chance(number), []

    def remembered(one: Happening) -> Happening:
        def data(facts: list[Any]) -> Json:
            value = one.data(facts) if callable(one.data) else one.data
            told.append({"at": one.at, "type": one.type, "data": value, "subject": one.subject})
            return value

        return Happening(one.at, one.type, data, one.subject) if callable(one.data) else one

    mortal = Mortal(program(text), given, world, events=[remembered(one) for one in events])
    ended = mortal.live()
    plain = [asdict(one) for one in events if not callable(one.data)]
    seen = {(one["at"], one["type"]): one for one in (*plain, *told)}
    return {
        "kind": kind,
        "world": number,
        "document": text,
        "given": given,
        "events": list(seen.values()),
        "answers": world.said,
        "journal": mortal.journal,
        "status": ended.status,
        "output": ended.output,
        "error": ended.error,
    }


def replayed(run: dict[str, Json]) -> dict[str, Json]:
    """What today's code makes of what came from outside then: journal and end."""
    events = [Happening(**one) for one in run["events"]]
    mortal = Mortal(program(run["document"]), run["given"], Kept(run["answers"]), events=events)
    ended = mortal.live()
    found = {"journal": mortal.journal, "status": ended.status, "output": ended.output, "error": ended.error}
    plain: dict[str, Json] = jsonx.loads(jsonx.dumps(found))
    return plain


def load() -> list[dict[str, Json]]:
    """The recordings in the repository."""
    return [jsonx.loads(line) for line in RECORDINGS.read_bytes().splitlines()]
