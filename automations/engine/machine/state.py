"""The state of a run: strands of frames. A snapshot holds all of it; nothing is replayed to get it back.

A strand is one thread of control (a run has one, a fork adds one a branch). Its frames are the lists of tasks that
it is inside of, innermost last. A strand that cannot go on says in `pending` what it waits for.
"""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from automations.engine.dsl.expressions import NOW
from automations.engine.dsl.program import Program, TaskList
from automations.engine.machine.moves import Brood, Effect, Fact, Registration

Json = Any
Pending = dict[str, Any]
VERSION: Final = 1
ROOT: Final = "0"


class Frame:
    """A list of tasks that a strand is inside of, and where in it."""

    __slots__ = ("deadline", "index", "input", "jumps", "kind", "list", "local", "raw")

    def __init__(
        self, kind: str, tasks: TaskList, given: Json, raw: Json, local: dict[str, Any] | None = None
    ) -> None:
        """`given` is the composite task's `$input`, `raw` its input before `input.from`; `local` is the kind's own."""
        self.kind = kind
        self.list = tasks
        self.index = 0
        self.input = given
        self.raw = raw
        self.local = local
        self.deadline: float | None = None
        self.jumps = 0


class Strand:
    """One thread of control."""

    __slots__ = ("arguments", "context", "count", "data", "frames", "id", "parent", "pending")

    def __init__(self, key: str, parent: str, data: Json, context: Json) -> None:
        self.id = key
        self.parent = parent
        self.data = data
        self.context = context
        self.frames: list[Frame] = []
        self.pending: Pending | None = None
        self.count = 0  # effects that got a definitive answer: part of the next one's key
        self.arguments: dict[str, Json] | None = None


class Run:
    """A run in memory: its state, and the moves it has made since they were last taken out."""

    __slots__ = (
        "broods",
        "cause",
        "closed",
        "config",
        "dropped",
        "effects",
        "error",
        "facts",
        "hops",
        "id",
        "input",
        "journal",
        "look_at",
        "looked",
        "next_subscription",
        "now",
        "opened",
        "output",
        "parked",
        "program",
        "recent",
        "recovering",
        "seq",
        "started_at",
        "status",
        "steps",
        "strands",
        "strands_made",
        "tasks",
        "tenant",
        "unwritten",
    )

    def __init__(
        self,
        key: UUID,
        tenant: UUID,
        program: Program,
        given: Json,
        *,
        now: float,
        config: Mapping[str, Json],
    ) -> None:
        """A run of `program` on input `given`, at `now` (epoch seconds); `config` is the workflow's settings."""
        self.id = key
        self.tenant = tenant
        self.program = program
        self.input = given
        self.config = config
        self.tasks = ""  # the list that it runs, where it runs one of its program's for an item of `map`
        self.started_at = now
        self.now = now
        self.cause = now  # when that happened which made it move: an event's arrival, a timer's instant
        self.status = "pending"
        self.output: Json = None
        self.error: dict[str, Json] | None = None
        self.seq = 0
        self.hops = 0  # runs and events between it and an outside cause
        self.journal = 0  # bytes that it has written down
        self.unwritten = 0  # bytes that its moves will take, by estimate
        self.look_at = 0  # the line of the journal at which to look at its limits again
        self.looked = 1  # lines between the last look and the next
        self.next_subscription = 0
        self.strands_made = 0
        self.strands: dict[str, Strand] = {}
        self.recent: list[list[Json]] = []  # events taken lately: [id, arrival], so that none is taken twice
        self.parked: float | None = None  # since when it stands still before a call, by a pause
        self.recovering: list[str] = []  # the failed step that a person sent the run back to, and who it was
        # moves
        self.steps: list[dict[str, Json]] = []
        self.effects: list[Effect] = []
        self.facts: list[Fact] = []
        self.opened: list[Registration] = []
        self.broods: list[Brood] = []
        self.dropped: list[UUID] = []  # broods that nobody waits for any more: their runs are to be cancelled
        self.closed: list[int] = []

    # arguments of expressions

    def arguments(self, strand: Strand) -> dict[str, Json]:
        """What expressions of this strand may use; `input`, `task` and `output` are set by who evaluates."""
        found = strand.arguments
        if found is None:
            found = strand.arguments = self._arguments(strand)
        return found

    def _arguments(self, strand: Strand) -> dict[str, Json]:
        used = self.program.used
        found: dict[str, Json] = {"context": strand.context}
        if "workflow" in used:
            found["workflow"] = {
                "id": str(self.id),
                "definition": self.program.document,
                "input": self.input,
                "startedAt": instant(self.started_at),
            }
        if "runtime" in used:
            found["runtime"] = {"name": "portal", "version": "1", "metadata": {"config": self.config}}
        if "authorization" in used:
            found["authorization"] = None
        if NOW in used:
            found[NOW] = self.now
        for frame in strand.frames:
            if frame.local is not None and "names" in frame.local:
                found.update(frame.local["names"])
        return found

    # snapshot

    def snapshot(self) -> dict[str, Json]:
        """All that is needed to go on from here in another process."""
        return {
            "v": VERSION,
            "q": self.seq,
            "n": self.next_subscription,
            "m": self.strands_made,
            "j": self.journal,
            "t": self.started_at,
            "d": self.recent,
            "r": self.recovering,
            **({} if self.parked is None else {"p": self.parked}),
            "s": [
                [
                    strand.id,
                    strand.parent,
                    strand.data,
                    strand.context,
                    strand.count,
                    strand.pending,
                    [_frame_out(frame) for frame in strand.frames],
                ]
                for strand in self.strands.values()
            ],
        }

    def restore(self, snapshot: Mapping[str, Json]) -> None:
        """Take up the state that `snapshot` holds. Raises KeyError where the program lacks a list it names."""
        if snapshot["v"] != VERSION:
            raise ValueError(f"snapshot version {snapshot['v']} is not known")
        self.status = "running"
        self.seq = snapshot["q"]
        self.next_subscription = snapshot["n"]
        self.strands_made = snapshot["m"]
        self.journal = snapshot.get("j", 0)
        self.started_at = snapshot["t"]
        self.recent = snapshot["d"]
        self.recovering = snapshot["r"]
        self.parked = snapshot.get("p")
        self.strands = {}
        for key, parent, data, context, count, pending, frames in snapshot["s"]:
            strand = Strand(key, parent, data, context)
            strand.count = count
            strand.pending = pending
            strand.frames = [_frame_in(self.program, frame) for frame in frames]
            self.strands[key] = strand


def _frame_out(frame: Frame) -> list[Json]:
    same = frame.raw is frame.input
    return [
        frame.kind,
        frame.list.ref,
        frame.index,
        frame.input,
        None if same else [frame.raw],
        frame.local,
        frame.deadline,
        frame.jumps,
    ]


def _frame_in(program: Program, values: list[Json]) -> Frame:
    kind, ref, index, given, raw, local, deadline, *more = values
    frame = Frame(kind, program.lists[ref], given, given if raw is None else raw[0], local)
    frame.index = index
    frame.deadline = deadline
    frame.jumps = more[0] if more else 0
    return frame


def instant(seconds: float) -> dict[str, Json]:
    """A point in time as the standard's expressions see it."""
    from datetime import UTC, datetime

    text = datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
    return {"iso8601": text, "epoch": {"seconds": int(seconds), "milliseconds": int(seconds * 1000)}}
