"""The compiled form of a workflow: what the state machine runs. Built once for a definition, shared by its runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from automations.engine.dsl.expressions import Evaluate, Test
from automations.engine.dsl.timing import Timing

CONTINUE: Final = -1
EXIT: Final = -2
END: Final = -3
"""Flow directives as a number; from 0 on it is the index of a task in the same list."""

Check = Any
"""A compiled JSON Schema: `iter_errors(value)` yields what is wrong."""
Effects = Literal["safe", "idempotent", "unsafe"]
"""What it does when a call is made twice: nothing at all, the same as once, or something more."""


@dataclass(slots=True)
class Task:
    """What every task has; a kind adds its own fields."""

    name: str
    ref: str
    test: Test | None = None
    input_check: Check | None = None
    input_from: Evaluate | None = None
    output_as: Evaluate | None = None
    output_check: Check | None = None
    export_as: Evaluate | None = None
    export_check: Check | None = None
    timeout: Evaluate | None = None
    then: int = CONTINUE
    metadata: Mapping[str, Any] = field(default_factory=dict)
    kind: str = ""
    source: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class TaskList:
    """Tasks in order, under their reference in the document."""

    ref: str
    tasks: list[Task] = field(default_factory=list)
    index: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Set(Task):
    """Replaces the data."""

    value: Evaluate = field(kw_only=True)


@dataclass(slots=True)
class Switch(Task):
    """Chooses where to go on."""

    cases: Sequence[tuple[str, Test | None, int]] = field(kw_only=True)


@dataclass(slots=True)
class Do(Task):
    """Runs a list of its own."""

    body: TaskList = field(kw_only=True)


@dataclass(slots=True)
class For(Task):
    """Runs its list once for each item, one after the other."""

    body: TaskList = field(kw_only=True)
    items: Evaluate = field(kw_only=True)
    each: str = field(kw_only=True)
    at: str = field(kw_only=True)
    go_on: Test | None = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class Retry:
    """When and how often a try is tried again; lengths in seconds."""

    when: Test | None
    except_when: Test | None
    delay: float
    backoff: Literal["constant", "linear", "exponential"]
    count: int | None
    attempt_duration: float | None
    duration: float | None
    jitter: tuple[float, float] | None


@dataclass(slots=True)
class Try(Task):
    """Runs its list and catches what it raises."""

    body: TaskList = field(kw_only=True)
    filter: Mapping[str, Any] = field(kw_only=True)
    error_as: str = field(kw_only=True)
    when: Test | None = field(kw_only=True)
    except_when: Test | None = field(kw_only=True)
    retry: Retry | None = field(kw_only=True)
    handler: TaskList | None = field(kw_only=True)
    handler_then: int | None = field(kw_only=True)


@dataclass(slots=True)
class Raise(Task):
    """Raises an error."""

    error: Evaluate = field(kw_only=True)


@dataclass(slots=True)
class Wait(Task):
    """Waits for a duration; gives its length in seconds."""

    duration: Evaluate = field(kw_only=True)


@dataclass(slots=True)
class Emit(Task):
    """Publishes an event."""

    event: Evaluate = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class Correlate:
    """One part of a correlation key: what the event says, and what this run expects (None: what comes first)."""

    name: str
    from_source: str
    from_: Evaluate
    expect: Evaluate | None


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events count: attributes by equality or `^pattern$`, data by value or predicate, and the correlation."""

    type: str
    attributes: Sequence[tuple[str, Any]]
    data: Test | None
    correlate: Sequence[Correlate]

    @property
    def sources(self) -> tuple[str, ...]:
        """The expressions that make the key of an event for this filter, in order of their names."""
        return tuple(part.from_source for part in self.correlate)

    @property
    def keyed(self) -> bool:
        """Whether the key is known when listening starts."""
        return bool(self.correlate) and all(part.expect is not None for part in self.correlate)


Read = Literal["data", "envelope", "raw"]


@dataclass(slots=True)
class ForEach:
    """What is done with each event as it comes."""

    item: str
    at: str
    body: TaskList
    output_as: Evaluate | None
    export_as: Evaluate | None


@dataclass(slots=True)
class Listen(Task):
    """Waits for events."""

    mode: Literal["one", "any", "all"] = field(kw_only=True)
    filters: Sequence[EventFilter] = field(kw_only=True)
    until: Test | None = field(kw_only=True)
    until_filters: Sequence[EventFilter] = field(kw_only=True)
    until_mode: Literal["", "one", "any", "all"] = field(kw_only=True)
    read: Read = field(kw_only=True)
    foreach: ForEach | None = field(kw_only=True)


@dataclass(slots=True)
class Fork(Task):
    """Runs branches side by side."""

    branches: Sequence[TaskList] = field(kw_only=True)
    compete: bool = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class Authentication:
    """How a call proves who it is: a connection by its alias, or credentials given inline (only outside tenants)."""

    connection: str = ""
    scheme: str = ""
    values: Evaluate | None = None


@dataclass(slots=True)
class CallHttp(Task):
    """Calls an address."""

    method: str = field(kw_only=True)
    uri: Evaluate = field(kw_only=True)
    headers: Evaluate | None = field(kw_only=True)
    query: Evaluate | None = field(kw_only=True)
    body: Evaluate | None = field(kw_only=True)
    authentication: Authentication | None = field(kw_only=True)
    output: Literal["content", "response", "raw"] = field(kw_only=True)
    redirect: bool = field(kw_only=True)
    effect: Effects = field(kw_only=True)


@dataclass(slots=True)
class Unfetched(Task):
    """A call by a document that was not fetched: stands where a definition is only looked at, and never runs."""

    address: str = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class Function:
    """An entry of the default catalog, as publishing checks it and the machine asks for it.

    `inline` functions are pure and answer at once; others are done by an executor or a room above.
    """

    name: str
    required: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()


@dataclass(slots=True)
class CallFunction(Task):
    """Calls a function of the catalog."""

    function: Function = field(kw_only=True)
    arguments: Evaluate = field(kw_only=True)


@dataclass(slots=True)
class CallTask(Task):
    """Calls a function that the document defines: another task, with an input of its own."""

    body: TaskList = field(kw_only=True)
    arguments: Evaluate | None = field(kw_only=True)


@dataclass(slots=True)
class RunWorkflow(Task):
    """Starts another workflow, and waits for it unless told not to."""

    workflow: str = field(kw_only=True)
    version: str = field(kw_only=True)
    input: Evaluate | None = field(kw_only=True)
    wait: bool = field(kw_only=True)
    silent: bool = field(kw_only=True)


@dataclass(slots=True)
class Map(Task):
    """Runs its list once for each item, side by side, each in a run of its own."""

    body: TaskList = field(kw_only=True)
    items: Evaluate = field(kw_only=True)
    each: str = field(kw_only=True)
    at: str = field(kw_only=True)
    cap: int = field(kw_only=True)
    collect: bool = field(kw_only=True)
    enough: int | None = field(kw_only=True, default=None)
    """So many items that succeed end the step, and the others are cancelled; None: all are waited for."""


@dataclass(frozen=True, slots=True)
class Start:
    """What starts runs by itself."""

    filters: Sequence[EventFilter] = ()
    read: Read = "envelope"
    gathers: str = ""
    """Set where a run starts only when there is an event for each filter: a digest of these filters."""
    timing: Timing | None = None


@dataclass(slots=True)
class Program:
    """A compiled workflow."""

    name: str
    version: str
    title: str
    root: TaskList
    lists: dict[str, TaskList]
    tasks: dict[str, Task]
    start: Start
    input_check: Check | None
    input_from: Evaluate | None
    output_as: Evaluate | None
    output_check: Check | None
    timeout: Evaluate | None
    business: Mapping[str, Evaluate]
    used: frozenset[str]
    """Arguments that any expression uses, so that the machine builds no others."""
    connections: frozenset[str]
    """Aliases of the connections that calls use."""
    emits: frozenset[str]
    fetches: frozenset[str]
    """Addresses of documents (OpenAPI, JSON Schema) that publishing fetches and keeps."""
    document: Mapping[str, Any]
