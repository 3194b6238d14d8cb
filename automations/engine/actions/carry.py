"""A run in a worker's hands: from the claim to the checkpoint."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import structlog

from automations.engine.actions.programs import Setup
from automations.engine.dsl.expressions import NOW
from automations.engine.dsl.limits import MAX_AGE, MAX_VALUE
from automations.engine.dsl.program import Program
from automations.engine.enums import Signal
from automations.engine.errors import LimitReached, WorkflowError
from automations.engine.machine import interpreter, operating
from automations.engine.machine.apart import LINES, Blobs, journal_rows, lighten, whole
from automations.engine.machine.core import current_task
from automations.engine.machine.kinds.broods import begin_item
from automations.engine.machine.moves import Effect, Fact, Outcome
from automations.engine.machine.state import ROOT, Run
from automations.engine.machine.waking import BROOD, Arrival, wake
from automations.engine.store.broods import Moved
from automations.engine.store.claim import Claimed
from automations.engine.store.commit import NEVER, Checkpoint
from kernel import clock, jsonx

log = structlog.get_logger(__name__)
_STATUS_OVER: Final = frozenset({"completed", "faulted", "cancelled"})
NOBODY: Final = UUID(int=0)
_CHANGING: Final = frozenset({NOW, "task"})


@dataclass(slots=True)
class Carried:
    """A claimed run with what its checkpoint needs."""

    run: Run
    tenant_id: UUID
    schema: str
    epoch: int
    wakes: int
    virtual: bool
    until: float
    stored_status: str
    stored_step: str
    had_state: bool
    hops: int
    business_key: str
    setup: Setup
    arrivals: list[Arrival]
    fresh: bool
    taken: list[tuple[int, UUID]] = field(default_factory=list)
    dirty: bool = False
    signal: int = 0
    listened: bool = False
    brood: UUID | None = None
    position: int = 0
    shared: Any = None
    stored: set[str] = field(default_factory=set)
    lost: WorkflowError | None = None
    workflow_id: UUID = NOBODY
    since: float = 0.0
    holds: list[UUID] = field(default_factory=list)
    laned: bool = False
    called: bool = False
    waits: bool = False
    line: asyncio.Lock = field(default_factory=asyncio.Lock)
    leased: float = 0.0
    """When the lease was last asked for, by time.monotonic: it ends LEASE_SECONDS later, or after that."""

    def move(self) -> None:
        """Let the run start or go on, with what arrived and what is due."""
        if self.signal:
            self.obey(self.signal)
            return
        if self.stored_status == "suspended":
            return
        if self.run.now + 1.0 >= _oldest(self.run, self.virtual):
            self.exceed(LimitReached("age", f"the run is {int(MAX_AGE / 86_400)} days old"))
            return
        if self.fresh and self.run.tasks:
            begin_item(self.run, self.run.tasks, self.position, self.shared)
            interpreter.advance(self.run)
        elif self.fresh:
            interpreter.start(self.run)
        else:
            operating.unpark(self.run)
            operating.reissue(self.run)
            interpreter.advance(self.run)
        self._wake()

    def _wake(self) -> None:
        done, self.arrivals = wake(self.run, self.arrivals, self.until, virtual=self.virtual)
        self.taken.extend((arrival.no, UUID(arrival.id)) for arrival in done)

    def take(self, effect: Effect, outcome: Outcome) -> None:
        """Give the run the outcome of a call, and whatever else has become due."""
        if not self.virtual:
            self.run.now = self.until = clock.now().timestamp()
        self.dirty = True
        interpreter.take_outcome(self.run, effect.strand, effect.key, outcome)
        self._wake()

    def must_save(self) -> bool:
        """Whether the calls that are about to be made must not be made before what led to them is durable.

        A call that changes something is repeated with the very same body if this process dies. So everything that
        its body may depend on and that would not come out the same again is written first.
        """
        changes = any(effect.effect != "safe" for effect in self.run.effects)
        return changes and (self.dirty or bool(self.run.program.used & _CHANGING))

    def obey(self, signal: int) -> None:
        """Do what an operator asked for."""
        self.signal = 0
        if signal & Signal.CANCEL:
            operating.cancel(self.run, by="operator")

    def park(self, by: UUID | None) -> None:
        """Stand still before the calls that are due next; they are handed out again under the same keys.

        `by` is the pause for it; None for a call that has to wait for its turn.
        """
        self.run.effects = []
        self.run.parked = self.run.now
        self.waits = True
        if by is not None:
            self.holds.append(by)

    def broke(self, error: Exception) -> None:
        """The engine itself failed on this run: hold it for a person instead of trying for ever."""
        title, detail = "The engine could not go on with this run", f"{type(error).__name__}: {error}"
        try:
            self._hold(title, detail)
        except Exception:  # the run's state itself is no good: hold it as it was written last
            log.exception("run cannot be held where it is", run=str(self.run.id))
            self.lost = WorkflowError("runtime", detail, title=title)

    def quarantine(self) -> None:
        """Workers died on this run again and again: hold it for a person."""
        self._hold(
            "Workers stopped while they worked on this run",
            "three workers in turn took it up and ended before it had come any further",
            code="limit_claims",
            limit="claims",
        )

    def exceed(self, error: LimitReached) -> None:
        """The run has used up what a run is given: hold it for a person, who may end it."""
        self._hold(**error.body)

    def _hold(self, title: str, detail: str, **more: Any) -> None:
        run = self.run
        if not run.strands and self.fresh:
            if run.tasks:
                begin_item(run, run.tasks, self.position, self.shared)
            else:
                operating.prepare(run)
        operating.hold(run, title, detail, **more)

    def checkpoint(self, *, keep: bool = False) -> Checkpoint:
        """What is to be written of the run now; its moves since the last checkpoint go with it.

        A run that cannot be written, because a value in it is too large, is held as it was written last.
        """
        if self.lost is not None:
            return self._unwritable(self.lost)
        try:
            return self._checkpoint(keep=keep)
        except LimitReached as error:
            return self._unwritable(error)

    def _checkpoint(self, *, keep: bool) -> Checkpoint:
        run = self.run
        over = run.status in _STATUS_OVER
        status, ready = _stored(run, self.virtual)
        status = "waiting" if self.waits and status == "running" else status
        parked = self.waits and status in ("running", "waiting")
        step = _where(run)
        changed = over or (status, step) != (self.stored_status, self.stored_step)
        held = status == "suspended" and self.stored_status != "suspended"
        apart: Blobs = {}
        output = _light(run.output, apart) if run.status == "completed" else b""
        segments = list(journal_rows(run.steps, apart, most=MAX_VALUE))
        run.journal += sum(len(packed) for _, packed in segments)
        run.unwritten, run.look_at = 0, 0
        point = Checkpoint(
            tenant_id=self.tenant_id,
            schema=self.schema,
            run_id=run.id,
            epoch=self.epoch,
            seen=self.wakes,
            status=status,
            changed=changed,
            over=over,
            keep=keep and not over,
            ready=self.since if parked else ready,
            holds=self.holds if parked else [],
            left=self.laned and (over or status == "suspended"),
            called=self.called,
            output=output,
            error=jsonx.text(run.error)
            if run.error is not None and status in ("suspended", "faulted")
            else "",
            step=step,
            ended=run.now if over else 0.0,
            seq=segments[0][0] if segments else 0,
            steps=segments[0][1] if segments else b"",
            more_steps=segments[1:],
            fold=_to_fold(segments[0][0], run.seq) if segments else None,
            snapshot=b"" if over else _light(run.snapshot(), apart),
            blobs={digest: blob for digest, blob in apart.items() if digest not in self.stored},
            had_state=self.had_state,
            listened=self.listened or run.next_subscription > 0,
            hops=self.hops,
            business_key=self.business_key,
            facts=run.facts,
            opened=[] if over else [new for new in run.opened if new.no not in set(run.closed)],
            closed=run.closed,
            taken=self.taken,
            broods=run.broods,
            dropped=run.dropped,
            moved=Moved(self.brood, over, run.now, status == "completed")
            if self.brood and (over or held)
            else None,
            at=run.now,
        )
        self._written(point)
        return point

    def _written(self, point: Checkpoint) -> None:
        """The moves since the last checkpoint are in this one."""
        run, over = self.run, point.over
        self.stored_status, self.stored_step = point.status, point.step
        self.stored.update(point.blobs)
        self.had_state, self.dirty = self.had_state or not over, False
        run.steps, run.facts, run.opened, run.closed, self.taken = [], [], [], [], []
        run.broods, run.dropped = [], []
        self.holds, self.waits = [], False

    def _unwritable(self, error: WorkflowError) -> Checkpoint:
        """Hold the run in front of what cannot be written: only the error is new."""
        run = self.run
        error.body["instance"] = self.stored_step or "/do"
        run.status, run.effects = "suspended", []
        data = {"runId": str(run.id), "task": error.body["instance"], "error": error.body}
        point = Checkpoint(
            tenant_id=self.tenant_id,
            schema=self.schema,
            run_id=run.id,
            epoch=self.epoch,
            seen=self.wakes,
            status="suspended",
            changed=True,
            error=jsonx.text(error.body),
            step=self.stored_step,
            hops=self.hops,
            business_key=self.business_key,
            moved=Moved(self.brood, over=False, at=run.now) if self.brood else None,
            left=self.laned,
            called=self.called,
            facts=[
                Fact(
                    f"{run.id}-{run.seq}-unwritable",
                    "portal.run.suspended",
                    "",
                    data,
                    run.now,
                    source="/engine",
                )
            ],
        )
        self._written(point)
        return point


def _light(value: Any, apart: Blobs) -> bytes:
    """`value` packed for a row; what is too large for one is added to `apart`. Raises LimitReached."""
    packed, found = lighten(value, most=MAX_VALUE)
    apart.update(found)
    return packed


def _to_fold(first: int, following: int) -> tuple[int, int] | None:
    """The stretch of the journal that is full now, if the lines from `first` to before `following` filled one."""
    if first // LINES == following // LINES or following - first >= LINES:
        return None
    return first // LINES * LINES, following // LINES * LINES


def _oldest(run: Run, virtual: bool) -> float:
    """Until when the run may live; for ever on a sandbox's own clock, on which a year may be a minute."""
    return NEVER if virtual else run.started_at + MAX_AGE


def _stored(run: Run, virtual: bool) -> tuple[str, float]:
    """Status and due time as the tables hold them."""
    if run.status != "running":
        return run.status, NEVER
    waits = all(
        strand.pending is not None and strand.pending["k"] != "call" for strand in run.strands.values()
    )
    due = interpreter.next_due(run)
    latest = _oldest(run, virtual)
    return ("waiting" if waits else "running"), latest if due is None else min(due, latest)


def _where(run: Run) -> str:
    root = run.strands.get(ROOT)
    return current_task(root).ref[:200] if root is not None and root.frames else ""


def carried(claimed: Claimed, program: Program, setup: Setup) -> Carried:
    """The run of a claim, restored from its snapshot or about to start."""
    row = claimed.row
    fresh = row.snapshot is None
    now = claimed.ready_at if claimed.virtual else claimed.now
    run = Run(
        claimed.run_id,
        claimed.tenant_id,
        program,
        whole(row.input, claimed.apart),
        now=row.started_at,
        config=setup.config,
    )
    run.cause, run.tasks, run.hops = row.started_at, row.tasks, row.hops
    if not fresh:
        run.restore(whole(row.snapshot, claimed.apart))
        if row.status == "suspended":
            run.status = "suspended"
        run.now = max(now, run.started_at)
    elif not claimed.virtual:
        run.now = now
    return Carried(
        run=run,
        tenant_id=claimed.tenant_id,
        schema=claimed.schema,
        epoch=claimed.epoch,
        wakes=claimed.wakes,
        virtual=claimed.virtual,
        until=claimed.now,
        stored_status=row.status,
        stored_step=row.step,
        had_state=not fresh,
        hops=row.hops,
        business_key=row.business_key,
        setup=setup,
        arrivals=_arrivals(claimed),
        fresh=fresh,
        signal=claimed.signal,
        listened=bool(claimed.wakes),
        brood=row.brood_id,
        position=row.position,
        shared=claimed.shared,
        stored=set(claimed.apart),
        workflow_id=row.workflow_id,
        since=claimed.ready_at,
    )


def unreadable(claimed: Claimed, error: Exception) -> Checkpoint:
    """A checkpoint that holds a run for a person whose definition, input or snapshot cannot be used here."""
    failure = WorkflowError("runtime", f"{type(error).__name__}: {error}", title="The run cannot be taken up")
    failure.body["instance"] = claimed.row.step or "/do"
    data = {"runId": str(claimed.run_id), "task": failure.body["instance"], "error": failure.body}
    return Checkpoint(
        tenant_id=claimed.tenant_id,
        schema=claimed.schema,
        run_id=claimed.run_id,
        epoch=claimed.epoch,
        seen=claimed.wakes,
        status="suspended",
        changed=claimed.row.status != "suspended",
        error=jsonx.text(failure.body),
        step=claimed.row.step,
        business_key=claimed.row.business_key,
        moved=Moved(claimed.row.brood_id, over=False, at=claimed.now) if claimed.row.brood_id else None,
        facts=[
            Fact(
                f"{claimed.run_id}-{claimed.epoch}-unreadable",
                "portal.run.suspended",
                "",
                data,
                claimed.now,
                source="/engine",
            )
        ],
    )


def _arrivals(claimed: Claimed) -> list[Arrival]:
    """What came for the run, in its order: events, and the ends of runs that it started."""
    found = [_arrival(entry) for entry in claimed.arrivals or ()]
    if claimed.broods:
        found += [
            Arrival(BROOD, str(brood), at, {"members": members}) for brood, at, members in claimed.broods
        ]
        found.sort(key=lambda arrival: arrival.at)
    return found


def _arrival(row: Any) -> Arrival:
    event = {
        "specversion": "1.0",
        "id": row.id,
        "source": row.source,
        "type": row.type,
        "time": clock.rfc3339(row.time),
        "data": row.data,
        **(row.extensions or {}),
    }
    if row.subject:
        event["subject"] = row.subject
    return Arrival(row.no, str(row.event_id), row.at, event)
