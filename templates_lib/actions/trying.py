"""Trying a template: on made-up events (its tests), or on a tenant's recent ones (the preview before it works)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from automations.engine.actions.gathering import as_input, fits, starting_events
from automations.engine.actions.rehearse import Rehearsal, rehearse, yes
from automations.engine.catalog import FUNCTIONS
from automations.engine.dsl.compile import compile_document
from automations.engine.dsl.program import Program
from automations.engine.machine.moves import Effect, Outcome
from automations.events import queries as events
from automations.events.models import Event
from kernel import clock
from kernel.errors import Invalid
from templates_lib.contract import Folder
from templates_lib.models import TemplateVersion

Json = Any
_PREVIEWED: Final = 50


def run_tests(folder: Folder) -> list[str]:
    """Run the tests that a template brings along; a sentence for each that fails."""
    program = compile_document(folder.document, FUNCTIONS)
    results = [_tested(program, test) for test in folder.tests]
    failures = [f"{one.name}: {one.problem}" for one in results if one.problem]
    if not folder.tests:
        failures.append("there is no test")
    return failures


@dataclass(frozen=True, slots=True)
class Tested:
    """A test of a template as it went just now: what comes in, what must come out, and the problem, if there is one."""

    name: str
    events: Sequence[Mapping[str, Json]]
    config: Mapping[str, Json]
    expect: Mapping[str, Json]
    calls: Sequence[str]
    status: str
    problem: str


def tested(version: TemplateVersion) -> list[Tested]:
    """Run the tests of a published version again, on the machine of today."""
    program = compile_document(version.document, FUNCTIONS)
    return [_tested(program, test) for test in version.tests]


def _tested(program: Program, test: Mapping[str, Json]) -> Tested:
    seen = _rehearse_test(program, test)
    return Tested(
        name=test.get("name", "a test"),
        events=test["events"],
        config=test.get("config") or {},
        expect=test["expect"],
        calls=_calls(seen),
        status=seen.status,
        problem=_difference(test, seen),
    )


def _calls(seen: Rehearsal) -> list[str]:
    """The requests that would have been sent, as `POST /orders`."""
    return [f"{call['method']} {call['uri']}" for call in seen.calls if "method" in call]


def _rehearse_test(program: Program, test: Mapping[str, Json]) -> Rehearsal:
    given = [
        {"specversion": "1.0", "id": f"test-{number}", "source": "/test", **event}
        for number, event in enumerate(test["events"])
    ]
    number = len(program.start.filters) if program.start.gathers else 1
    return rehearse(
        program,
        given=as_input(program, given[:number]),
        started_at=max(clock.parse_rfc3339(one["time"]).timestamp() for one in given[:number]),
        until=clock.parse_rfc3339(test["until"]).timestamp(),
        events=given[number:],
        config=test.get("config") or {},
        answer=_Answers(test.get("answers") or []),
    )


class _Answers:
    """Answers calls as a test says: the first entry that matches and is not used up."""

    def __init__(self, entries: Sequence[Mapping[str, Json]]) -> None:
        self._entries = [[entry, entry.get("times", 1_000_000)] for entry in entries]

    def __call__(self, effect: Effect) -> Outcome:
        for pair in self._entries:
            entry, left = pair
            wanted = entry.get("match") or {}
            if left > 0 and all(effect.request.get(name) == value for name, value in wanted.items()):
                pair[1] -= 1
                if entry.get("drop"):
                    return Outcome(error="the connection broke", unknown=True)
                headers = {name.lower(): str(value) for name, value in (entry.get("headers") or {}).items()}
                return Outcome(entry["status"], headers, entry.get("body"))
        return yes(effect)


def _difference(test: Mapping[str, Json], seen: Rehearsal) -> str:
    """What differs from what the test expects; empty if nothing does."""
    expected = test["expect"]
    calls = _calls(seen)
    facts = [{"type": fact.type, **(fact.data if isinstance(fact.data, dict) else {})} for fact in seen.facts]
    if "status" in expected and seen.status != expected["status"]:
        why = (
            f" ({seen.error.get('detail', seen.error.get('title'))} at {seen.error.get('instance')})"
            if seen.error
            else ""
        )
        return f"it is {seen.status}{why}, not {expected['status']}"
    if "calls" in expected and calls != expected["calls"]:
        return f"it calls {calls}, not {expected['calls']}"
    if "output" in expected and seen.output != expected["output"]:
        return f"it gives {seen.output}, not {expected['output']}"
    if "error" in expected and not _holds(seen.error or {}, expected["error"]):
        return f"its error is {seen.error}, not {expected['error']}"
    if "facts" in expected:
        fits = len(facts) == len(expected["facts"]) and all(map(_holds, facts, expected["facts"]))
        if not fits:
            return f"it tells {facts}, not {expected['facts']}"
    return ""


def _holds(whole: Mapping[str, Json], part: Mapping[str, Json]) -> bool:
    return all(whole.get(name) == value for name, value in part.items())


@dataclass(frozen=True, slots=True)
class Previewed:
    """What one recent event would have led to."""

    subject: str
    time: str
    status: str
    calls: list[str]
    cases: list[dict[str, Json]]
    detail: str
    steps: list[tuple[str, str]] = field(default_factory=list)
    """(reference of a task, how it went), in order."""
    waits_for: list[str] = field(default_factory=list)
    """Types of the events that would take it on."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a template would have done with a tenant's recent events; nothing was sent."""

    looked_at: int
    runs: list[Previewed] = field(default_factory=list)

    @property
    def cases(self) -> int:
        """How many cases would have opened."""
        return sum(len(run.cases) for run in self.runs)

    @property
    def calls(self) -> int:
        """How many calls would have been made."""
        return sum(len(run.calls) for run in self.runs)


def preview(
    version: TemplateVersion, config: Mapping[str, Json], *, until: float, most: int = _PREVIEWED
) -> Preview:
    """Rehearse a template on the last events of the current tenant that would have started it.

    Calls are answered with success; later events of the same subject come in when they did. `until` is the tenant's
    present in epoch seconds. Raises Invalid where the settings do not fit.
    """
    check_config(version, config)
    program = compile_document(version.document, FUNCTIONS)
    runs = []
    for event in _starters(program, most):
        together = starting_events(program, event)
        if together is None or together[-1].id != event.id:
            continue  # a run starts with the last event of those that start it
        started_by = {one.id for one in together}
        later = [
            other.envelope
            for other in events.of_subject(event.subject)
            if other.received_at >= event.received_at and other.id not in started_by and other.envelope
        ]
        seen = rehearse(
            program,
            given=as_input(program, [one.envelope() for one in together]),
            started_at=event.received_at.timestamp(),
            until=until,
            events=later,
            config=config,
        )
        runs.append(_previewed(event.subject, clock.rfc3339(event.time), seen))
    return Preview(looked_at=len(runs), runs=runs)


def _starters(program: Program, most: int) -> list[Event]:
    """The last events of the tenant that would have started the workflow, newest first."""
    found: list[Event] = []
    for part in program.start.filters:
        rows = events.event_rows(events.EventFilter(type=part.type))[:most]
        found += [event for event in rows if fits(part, event.envelope())]
    return sorted(found, key=lambda event: event.received_at, reverse=True)[:most]


def _previewed(subject: str, time: str, seen: Rehearsal) -> Previewed:
    error = seen.error or {}
    return Previewed(
        subject=subject,
        time=time,
        status=seen.status,
        calls=_calls(seen),
        cases=[fact.data for fact in seen.facts if fact.type == "portal.case.requested"],
        detail=str(error.get("detail") or error.get("title") or ", ".join(seen.waits_for)),
        steps=[(step["r"], step["s"]) for step in seen.steps],
        waits_for=seen.waits_for,
    )


def check_config(version: TemplateVersion, config: Mapping[str, Json]) -> None:
    """Raise Invalid, naming the fields, if settings do not fit the template's schema."""
    import jsonschema_rs

    wrong: dict[str, list[str]] = {}
    for error in jsonschema_rs.validator_for(version.input_schema).iter_errors(dict(config)):
        name = ".".join(str(part) for part in error.instance_path) or "settings"
        wrong.setdefault(name, []).append(error.message)
    if wrong:
        raise Invalid("The settings do not fit.", fields=wrong)
