"""Following what runs tell: cases open, change and close by facts, a whole batch at a time.

Facts of one run are taken in the order in which the run told them, whatever order they arrive in: each carries its
place (`seq`), a case remembers the last one that counted, and a closing that comes before its opening is kept until
that comes. The cases concerned are read once, changed in memory, and written once.

A trouble that comes back after its case was closed reopens that case: its number, comments and decisions stay
together, and `reopened` counts how often.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.utils import translation
from django.utils.translation import gettext as _

from automations.events.models import Event
from automations.inbox import store
from automations.inbox.actions import opening
from automations.inbox.actions.opening import Background
from automations.inbox.enums import CaseState, ClosedHow, Decide, DecisionOutcome
from automations.inbox.models import Case, Closing, Decision
from kernel import clock, ids
from tenants.tenancy import context

Json = Any
SUSPENDED: Final = "portal.run.suspended"
RECOVERED: Final = "portal.run.recovered"
CANCELLED: Final = "portal.run.cancelled"
FAULTED: Final = "portal.run.faulted"
REQUESTED: Final = "portal.case.requested"
SETTLED: Final = "portal.case.settled"
_FAILURES: Final = frozenset({SUSPENDED, FAULTED})
_OPENINGS: Final = frozenset({SUSPENDED, FAULTED, REQUESTED})
_PLACE: Final = re.compile(r"^-(\d+)(?:-|$)")


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact as the inbox reads it: the case that it is about, and its place among the facts of its run."""

    type: str
    key: str
    run: UUID | None
    seq: int
    at: datetime
    subject: str
    data: Mapping[str, Json]


def follow(events: Sequence[Event]) -> None:
    """Open, change and close cases as `events` say, in the caller's transaction; a handful of statements in all."""
    facts = sorted((_fact(event) for event in events), key=lambda fact: (str(fact.run), fact.seq))
    with translation.override(context.current().language):
        board = _Board.read(facts)
        for fact in facts:
            board.take(fact)
        board.write()


def _fact(event: Event) -> Fact:
    data = event.data if isinstance(event.data, dict) else {}
    named = str(data.get("runId") or "")
    run = UUID(named) if named else None
    if event.type == CANCELLED:
        key = f"{named}:*"
    elif event.type in (REQUESTED, SETTLED):
        key = str(data.get("key") or event.event_id)
    else:
        key = f"{named}:{data.get('task') or (data.get('error') or {}).get('instance') or ''}"
    return Fact(event.type, key[:400], run, _place(event, named), event.time, event.subject, data)


def _place(event: Event, run: str) -> int:
    """A fact's place among those of its run: the engine writes it into the id; elsewhere the time tells."""
    match = _PLACE.match(event.event_id[len(run) :]) if run and event.event_id.startswith(run) else None
    return int(match.group(1)) if match else int(event.time.timestamp() * 1_000_000)


@dataclass(slots=True)
class _Board:
    """The cases that a batch of facts is about, in memory."""

    cases: dict[str, Case]
    kept: dict[str, Closing]
    known: Background
    failures: dict[UUID, list[Case]] = field(default_factory=lambda: defaultdict(list))
    fresh: list[Case] = field(default_factory=list)
    changed: dict[UUID, Case] = field(default_factory=dict)
    early: dict[str, Closing] = field(default_factory=dict)
    outcomes: dict[UUID, tuple[str, datetime]] = field(default_factory=dict)
    acts: list[Decision] = field(default_factory=list)

    @classmethod
    def read(cls, facts: Sequence[Fact]) -> "_Board":
        runs = {fact.run for fact in facts if fact.run and fact.type not in (REQUESTED, SETTLED)}
        openings = [fact for fact in facts if fact.type in _OPENINGS]
        cases = {case.key: case for case in store.hold({fact.key for fact in facts}, runs)}
        waiting = {fact.key for fact in openings} | {f"{fact.run}:*" for fact in openings if fact.run}
        board = cls(
            cases=cases,
            kept=store.closings(waiting) if waiting else {},
            known=Background.of(
                {fact.run for fact in openings if fact.run},
                {fact.run for fact in openings if fact.run and fact.type in _FAILURES},
            ),
        )
        for case in cases.values():
            if case.of_run and case.run_id:
                board.failures[case.run_id].append(case)
        return board

    def take(self, fact: Fact) -> None:
        if fact.type in _OPENINGS:
            self._open(fact)
        elif fact.type == CANCELLED:
            self._close_run(fact)
        else:
            self._close_one(fact)

    # opening

    def _open(self, fact: Fact) -> None:
        case = self.cases.get(fact.key)
        if case is not None and fact.seq <= case.seq:
            return
        if fact.type in _FAILURES:
            self._leave_behind(fact)
        if case is None:
            self._open_new(fact)
        elif case.closed:
            self._reopen(case, fact)
        else:
            self._again(case, fact)

    def _open_new(self, fact: Fact) -> None:
        case = Case(
            key=fact.key,
            number=0,
            of_run=fact.type in _FAILURES,
            run_id=fact.run,
            business_key=fact.subject,
            seq=fact.seq,
            opened_at=fact.at,
        )
        self._describe(case, fact)
        case.due_at = opening.due(case, fact.data, fact.at)
        self.cases[fact.key] = case
        self.fresh.append(case)
        if case.of_run and fact.run:
            self.failures[fact.run].append(case)
        over = self._closing_after(fact)
        if over is not None:
            case.seq = over.seq
            self._shut(case, max(over.at, fact.at), ClosedHow(over.how), over.by, over.outcome)

    def _closing_after(self, fact: Fact) -> Closing | None:
        """What closed this trouble before it was told of, if something did."""
        found = [self.early.get(key) or self.kept.get(key) for key in (fact.key, f"{fact.run}:*")]
        for other in self.failures.get(fact.run, ()) if fact.run and fact.type in _FAILURES else ():
            if other.seq > fact.seq and other.key != fact.key:
                at, how = other.closed_at or other.opened_at, ClosedHow.RUN
                found.append(Closing(key=fact.key, seq=fact.seq, at=at, how=how, outcome=_elsewhere()))
        late = [closing for closing in found if closing is not None and closing.seq >= fact.seq]
        return max(late, key=lambda closing: closing.seq, default=None)

    def _describe(self, case: Case, fact: Fact) -> None:
        row = self.known.runs.get(fact.run) if fact.run else None
        if row:
            case.workflow_id = row["workflow_id"]
            case.business_key = case.business_key or row["business_key"]
        if case.of_run:
            opening.describe_failure(case, fact.data, self.known)
        else:
            opening.describe_request(case, fact.data)
        opening.set_money(case, fact.data, self.known)

    def _again(self, case: Case, fact: Fact) -> None:
        """The same trouble while its case is open: what was decided did not help."""
        self._describe(case, fact)
        case.state, case.failures = CaseState.OPEN, case.failures + 1
        case.snoozed_until = None
        self._touch(case, fact.seq)
        self.outcomes[case.id] = (DecisionOutcome.FAILED, fact.at)

    def _reopen(self, case: Case, fact: Fact) -> None:
        before = _ending(case)
        self._describe(case, fact)
        case.state, case.closed_at, case.closed_how, case.closed_by = CaseState.OPEN, None, "", ""
        case.outcome, case.snoozed_until = "", None
        case.reopened, case.reopened_at, case.failures = case.reopened + 1, fact.at, case.failures + 1
        case.due_at = opening.due(case, fact.data, fact.at)
        self._touch(case, fact.seq)
        self.acts.append(
            Decision(
                id=ids.uuid7(),
                case=case,
                kind=Decide.REOPEN,
                actor_kind="system",
                actor="engine",
                at=fact.at,
                reason=_("It came back."),
                before=before,
                after={"state": CaseState.OPEN, "reopened": case.reopened},
                step=case.step,
                fingerprint=case.fingerprint,
            )
        )

    def _leave_behind(self, fact: Fact) -> None:
        """A run waits at one place: its earlier failures elsewhere are over."""
        for other in self.failures.get(fact.run, ()) if fact.run else ():
            if other.key != fact.key and not other.closed and other.seq < fact.seq:
                self._close(other, fact, _elsewhere())

    # closing

    def _close_one(self, fact: Fact) -> None:
        case = self.cases.get(fact.key)
        outcome = str(fact.data.get("detail") or fact.data.get("outcome") or "")[:200]
        if case is None:
            self._keep(fact, ClosedHow.AUTO if fact.type == SETTLED else ClosedHow.RUN, outcome)
        elif fact.seq > case.seq:
            if case.closed:
                self._touch(case, fact.seq)
            else:
                self._close(case, fact, outcome)

    def _close_run(self, fact: Fact) -> None:
        """The run was cancelled: no failure of it is left, and none that is still to be told of will be."""
        for case in self.failures.get(fact.run, ()) if fact.run else ():
            if not case.closed and case.seq < fact.seq:
                self._close(case, fact, _("The run was cancelled."))
        self._keep(fact, ClosedHow.RUN, _("The run was cancelled."))

    def _keep(self, fact: Fact, how: ClosedHow, outcome: str) -> None:
        found = Closing(
            key=fact.key,
            seq=fact.seq,
            at=fact.at,
            how=how,
            by=str(fact.data.get("by") or "")[:200],
            outcome=outcome,
        )
        earlier = self.early.get(fact.key)
        if earlier is None or earlier.seq < found.seq:
            self.early[fact.key] = found

    def _close(self, case: Case, fact: Fact, outcome: str) -> None:
        """Close an open case; whether a person did it tells the decision that it waited on."""
        by = str(fact.data.get("by") or "")[:200]
        how = ClosedHow.AUTO if fact.type == SETTLED else ClosedHow.RUN
        if fact.type in (RECOVERED, CANCELLED) and case.state == CaseState.RESOLVING and case.by_person:
            how, by = ClosedHow.PERSON, case.decided_by
        elif fact.type == RECOVERED and (said := fact.data.get("by")):
            how, by = ClosedHow.PERSON, str(said)  # somebody sent the run on from its own page
        worked = fact.type in (RECOVERED, SETTLED)
        self.outcomes[case.id] = (DecisionOutcome.WORKED if worked else DecisionOutcome.FAILED, fact.at)
        case.seq = fact.seq
        self._shut(case, fact.at, how, by, outcome)

    def _shut(self, case: Case, at: datetime, how: ClosedHow, by: str, outcome: str) -> None:
        case.state, case.closed_at, case.closed_how = CaseState.RESOLVED, at, how
        case.closed_by, case.outcome, case.snoozed_until = by, outcome[:200], None
        self._touch(case, case.seq)

    # writing

    def _touch(self, case: Case, seq: int) -> None:
        case.seq = seq
        if case.number:  # a new case has no number yet, and no earlier version that somebody could have seen
            case.version += 1
            self.changed[case.id] = case

    def write(self) -> None:
        """Store what the facts made of the board."""
        store.insert(self.fresh)
        store.update(list(self.changed.values()))
        store.settle_decisions(self.outcomes)
        store.add_decisions(self.acts)
        store.keep_closings(list(self.early.values()))


def _elsewhere() -> str:
    return _("The run went on and stopped elsewhere.")


def _ending(case: Case) -> dict[str, Json]:
    """How a case had ended, for the record of its reopening."""
    return {
        "state": case.state,
        "closed_at": clock.rfc3339(case.closed_at) if case.closed_at else None,
        "closed_how": case.closed_how,
        "closed_by": case.closed_by,
        "outcome": case.outcome,
    }
