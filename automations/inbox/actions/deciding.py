"""What people decide: send the run behind a case on its way, cancel it, resolve or dismiss the case, reopen it.

Locks are taken in one order: the run, then the case. So of two people who decide at the same time one goes first, and
the other finds the case decided.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from automations.engine import queries as engine
from automations.engine.actions import operate
from automations.engine.enums import RunStatus
from automations.engine.errors import RunNotSuspended, RunOver
from automations.engine.models import Run
from automations.events import actions as events
from automations.inbox import registry
from automations.inbox.actions.trace import leave_trace
from automations.inbox.enums import (
    CLOSING,
    FIXING,
    ON_THE_RUN,
    PENDING,
    CaseState,
    ClosedHow,
    Decide,
    DecisionOutcome,
)
from automations.inbox.errors import (
    CaseAlreadyDecided,
    CaseChanged,
    CaseClosed,
    CaseOpen,
    CaseUnknown,
    NotDecidable,
    RunWaits,
    SecondNeeded,
)
from automations.inbox.models import Case, Decision, Intent
from automations.inbox.queries import pending
from kernel import ids
from kernel.actor import Actor
from kernel.errors import PortalError


@dataclass(frozen=True, slots=True)
class Decided:
    """What a decision made of a case."""

    case_id: UUID
    public_id: str
    code: str
    state: CaseState
    version: int
    decision_id: UUID


@dataclass(frozen=True, slots=True)
class ItemResult:
    """How one of many decisions went; `error` is empty where it worked."""

    case_id: UUID
    error: str = ""


def decide_case(
    *,
    case_id: UUID,
    decision: Decide | str,
    actor: Actor,
    now: datetime,
    value: Any = None,
    reason: str = "",
    seen: int | None = None,
    intent: Intent | None = None,
) -> Decided:
    """Decide an open case: retry, edit, skip, complete or cancel the run behind it, or resolve or dismiss the case.

    `value` is the corrected data (edit) or the step's output (complete); `now` is the tenant's present; `seen` is the
    version that the person looked at; `intent` is what is carried out, where it was not done at once. Raises
    CaseAlreadyDecided (naming who), CaseClosed, CaseChanged, NotDecidable, RunWaits, SecondNeeded and Forbidden.
    """
    actor.require("inbox.decide")
    chosen = _chosen(decision, value, reason)
    before = _read(case_id)
    data = _failed_data(before) if chosen == Decide.EDIT else None
    with transaction.atomic():
        blocked = _act_on_run(before, chosen, actor, now, value, reason) if chosen in ON_THE_RUN else None
        case = _held(case_id)
        _require_undecided(case, seen, before.version if blocked is None else None)
        if blocked is not None:
            raise blocked
        _require_alone(case, intent)
        _require_two(case, chosen, actor, intent)
        _require_allowed(case, chosen)
        _require_answer(case, chosen, value)
        shown = _shown(case) | ({"data": data} if chosen == Decide.EDIT else {})
        _apply(case, chosen, actor, now, reason)
        after = _shown(case) | ({"data": value} if chosen in (Decide.EDIT, Decide.COMPLETE) else {})
        after |= {"second": intent.second} if intent is not None and intent.second else {}
        return _write(case, chosen, actor, now, reason, shown, after, value)


def resolve_case(
    *, case_id: UUID, actor: Actor, now: datetime, reason: str = "", seen: int | None = None
) -> Decided:
    """Close an open case as settled. Raises as `decide_case`."""
    return decide_case(
        case_id=case_id, decision=Decide.RESOLVE, actor=actor, now=now, reason=reason, seen=seen
    )


def dismiss_case(
    *, case_id: UUID, actor: Actor, now: datetime, reason: str, seen: int | None = None
) -> Decided:
    """Close an open case because there is nothing to do. Raises as `decide_case`."""
    return decide_case(
        case_id=case_id, decision=Decide.DISMISS, actor=actor, now=now, reason=reason, seen=seen
    )


def reopen_case(*, case_id: UUID, actor: Actor, now: datetime, reason: str = "") -> Decided:
    """Open a closed case again; its due time starts anew. Raises CaseOpen, and RunOver for a run that is over."""
    actor.require("inbox.decide")
    with transaction.atomic():
        case = _held(case_id)
        if not case.closed:
            raise CaseOpen
        if case.of_run and _run_status(case) in (RunStatus.COMPLETED, RunStatus.CANCELLED):
            raise RunOver
        shown = _shown(case)
        kind = registry.kind(case.type, of_run=case.of_run)
        case.state, case.closed_at, case.closed_how, case.closed_by = CaseState.OPEN, None, "", ""
        case.outcome = ""
        case.reopened, case.reopened_at = case.reopened + 1, now
        case.due_at = now + timedelta(hours=kind.sla_hours)
        return _write(case, Decide.REOPEN, actor, now, reason, shown, _shown(case))


def decide_each(
    *,
    case_ids: Iterable[UUID],
    decision: Decide | str,
    actor: Actor,
    now: datetime,
    reason: str = "",
) -> list[ItemResult]:
    """Decide many cases alike, each in its own transaction; what is refused is told and stops nobody else."""
    actor.require("inbox.decide")
    results = []
    for case_id in case_ids:
        try:
            decide_case(case_id=case_id, decision=decision, actor=actor, now=now, reason=reason)
        except PortalError as error:
            if not error.benign:
                raise
            results.append(ItemResult(case_id, error.message))
        else:
            results.append(ItemResult(case_id))
    return results


def _chosen(decision: Decide | str, value: Any, reason: str) -> Decide:
    """The decision that is meant, with all that it needs. Raises NotDecidable, naming the field."""
    try:
        chosen = Decide(decision)
    except ValueError:
        raise NotDecidable(f"{decision!r} is no decision") from None
    if chosen not in ON_THE_RUN | CLOSING:
        raise NotDecidable(f"{chosen.value!r} decides nothing; it has an action of its own")
    if chosen == Decide.EDIT and value is None:
        raise NotDecidable(fields={"value": [_("Say what the data should be.")]})
    if chosen in (Decide.DISMISS, Decide.CANCEL) and not reason.strip():
        raise NotDecidable(fields={"reason": [_("Say why.")]})
    return chosen


def _failed_data(case: Case) -> Any:
    """The data of the failed step, as they are before somebody corrects them."""
    try:
        return engine.run_view(case.run_id).failed_data if case.run_id else None
    except Run.DoesNotExist:
        return None


def _read(case_id: UUID) -> Case:
    found: Case | None = Case.objects.filter(pk=case_id).first()
    if found is None:
        raise CaseUnknown
    return found


def _held(case_id: UUID) -> Case:
    """The case, held to the end of the transaction; its run is held before."""
    found: Case | None = Case.objects.select_for_update().filter(pk=case_id).first()
    if found is None:
        raise CaseUnknown
    return found


def _act_on_run(
    case: Case, chosen: Decide, actor: Actor, now: datetime, value: Any, reason: str
) -> PortalError | None:
    """Do it to the run; why that is impossible, if it is because of where the run is."""
    if case.run_id is None or not case.of_run:
        raise NotDecidable(_("There is no failed run behind this case."))
    error = (
        Run.objects.filter(pk=case.run_id, status=RunStatus.SUSPENDED).values_list("error", flat=True).first()
    )
    if error and error.get("instance") != case.step:
        return CaseChanged()  # it went on and stopped elsewhere; that is another case, about to open
    try:
        if chosen == Decide.CANCEL:
            operate.cancel(run_id=case.run_id, actor=actor, now=now, reason=reason)
        else:
            mode = cast("operate.Mode", chosen.value)
            operate.resume(run_id=case.run_id, mode=mode, actor=actor, now=now, value=value, reason=reason)
    except (RunNotSuspended, RunOver) as error:
        return error
    except Run.DoesNotExist:
        return RunOver()
    return None


def _require_undecided(case: Case, seen: int | None, read: int | None) -> None:
    """Go on only if nobody decided meanwhile, and the case is still the one that was looked at."""
    if case.state == CaseState.RESOLVING or (case.closed and case.closed_how == ClosedHow.PERSON):
        who = case.decided_by or case.closed_by
        raise CaseAlreadyDecided(
            _("%(who)s decided this case already: %(decision)s.")
            % {"who": who, "decision": str(Decide(case.decision).label) if case.decision else case.state},
            by=who,
        )
    if case.closed:
        raise CaseClosed
    if (seen is not None and case.version != seen) or (read is not None and case.version != read):
        raise CaseChanged


def _require_alone(case: Case, intent: Intent | None) -> None:
    """Go on only if no decision of somebody else is about to be carried out, or waits for a second person."""
    others = Intent.objects.filter(case_id=case.id, state__in=PENDING)
    first = (others.exclude(pk=intent.pk) if intent is not None else others).first()
    if first is not None:
        raise CaseAlreadyDecided(
            _("%(who)s decided this case already: %(decision)s.")
            % {"who": first.first, "decision": str(Decide(first.decision).label)},
            by=first.first,
        )


def _require_two(case: Case, chosen: Decide, actor: Actor, intent: Intent | None) -> None:
    """Go on only if one person is enough, or two agreed; and in either case to what the case still is."""
    if intent is not None and intent.digest != pending.digest_of(case, chosen, intent.value, intent.reason):
        raise CaseChanged
    if actor.kind == "system" or not pending.takes_two(case, chosen):
        return
    if intent is None or intent.second_id is None or intent.second_id == intent.first_id:
        raise SecondNeeded


def require_decidable(
    case: Case, decision: Decide | str, value: Any, reason: str, seen: int | None
) -> Decide:
    """The decision that is meant, if it could be carried out now on a case that is held. Raises as `decide_case`."""
    chosen = _chosen(decision, value, reason)
    _require_undecided(case, seen, None)
    _require_alone(case, None)
    status = _run_status(case)
    if chosen in ON_THE_RUN:
        if case.run_id is None or not case.of_run:
            raise NotDecidable(_("There is no failed run behind this case."))
        if status != RunStatus.SUSPENDED:
            raise RunNotSuspended
    _require_allowed(case, chosen)
    _require_answer(case, chosen, value)
    return chosen


def _require_allowed(case: Case, chosen: Decide) -> None:
    if chosen in CLOSING:
        if case.of_run and _run_status(case) == RunStatus.SUSPENDED:
            raise RunWaits
    elif chosen not in registry.kind(case.type, of_run=case.of_run).decisions:
        raise NotDecidable


def _require_answer(case: Case, chosen: Decide, value: Any) -> None:
    """Go on only with an answer that the asking workflow can use. Raises NotDecidable, naming the fields."""
    if chosen != Decide.RESOLVE or case.of_run or case.run_id is None:
        return
    wrong = engine.wrong_answer(case.run_id, case.key, value)
    if wrong:
        raise NotDecidable(fields=wrong)


def _run_status(case: Case) -> str | None:
    return (
        Run.objects.filter(pk=case.run_id).values_list("status", flat=True).first() if case.run_id else None
    )


def _apply(case: Case, chosen: Decide, actor: Actor, now: datetime, reason: str) -> None:
    case.decision, case.decided_at, case.decided_by = chosen, now, actor.label[:200]
    case.by_person = actor.kind != "system"
    case.snoozed_until = None
    if chosen in CLOSING:
        case.state = CaseState.RESOLVED if chosen == Decide.RESOLVE else CaseState.DISMISSED
        case.closed_at, case.closed_by, case.outcome = now, actor.label[:200], reason[:200]
        case.closed_how = ClosedHow.PERSON if case.by_person else ClosedHow.RUN
    else:
        case.state = CaseState.RESOLVING


def _write(
    case: Case,
    chosen: Decide,
    actor: Actor,
    now: datetime,
    reason: str,
    before: dict[str, Any],
    after: dict[str, Any],
    value: Any = None,
) -> Decided:
    """Store the case, the decision, the audit row and the fact."""
    case.version += 1
    case.save()
    decided = leave_trace(
        case,
        chosen,
        action="inbox.decide",
        actor=actor,
        now=now,
        before=before,
        after=after,
        reason=reason,
        outcome=_outcome_of(chosen),
        known=chosen == Decide.RESOLVE,
    )
    _tell(case, decided, actor, now, value)
    return Decided(case.id, case.public_id, case.code, CaseState(case.state), case.version, decided.id)


def _tell(case: Case, decided: Decision, actor: Actor, now: datetime, value: Any) -> None:
    """Tell rooms above, and workflows that wait for it, what was decided."""
    events.publish(
        type="portal.case.decided",
        subject=case.business_key,
        data={
            "caseId": case.public_id,
            "key": case.key,
            "kind": case.kind,
            "runId": str(case.run_id) if case.run_id else None,
            "decision": decided.kind,
            "state": case.state,
            "by": actor.label,
            "reason": decided.reason,
            **({} if case.of_run else {"value": value}),
        },
        source="/portal",
        time=now,
        event_id=ids.public_id(Decision.prefix, decided.id),
        internal=True,
    )


def _outcome_of(chosen: Decide) -> str:
    """Resolving is its own outcome; what is sent on its way shows later whether it worked."""
    if chosen == Decide.RESOLVE:
        return DecisionOutcome.WORKED
    return DecisionOutcome.PENDING if chosen in FIXING else ""


def _shown(case: Case) -> dict[str, Any]:
    """What of a case a decision changes."""
    return {
        "state": case.state,
        "decision": case.decision,
        "decided_by": case.decided_by,
        "closed_how": case.closed_how,
        "outcome": case.outcome,
    }
