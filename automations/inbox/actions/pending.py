"""Decisions that are not carried out at once: for some seconds they may be undone; large amounts take two people.

A decision stands in the database from the click on, with an errand that is sent until it is done: the browser may go,
a worker may die. It is carried out as the person who took it, if they may still decide here, and on the case as it
was looked at. Time lets a decision of one person happen; it never stands in for the second person.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import structlog
from django.db import InterfaceError, OperationalError, transaction
from django.db.models.functions import Now
from django.utils import translation
from django.utils.translation import gettext as _

from automations.engine.models import Workflow
from automations.events import actions as events
from automations.inbox.actions.deciding import Decided, ItemResult, decide_case, require_decidable
from automations.inbox.enums import ON_THE_RUN, PENDING, Decide, IntentState
from automations.inbox.errors import CaseChanged, CaseUnknown, IntentOver, NotDecidable, SecondIsFirst
from automations.inbox.models import Case, Intent, Limits
from automations.inbox.queries import pending as queries
from automations.ledger import actions as ledger
from kernel.actor import Actor
from kernel.errors import Forbidden, Invalid, NotFound, PortalError
from tenants.access import policy as grants
from tenants.access.queries import rights
from tenants.audit.actions import record
from tenants.tenancy import context

log = structlog.get_logger(__name__)
JOB: Final = "inbox.carry_out"
UNDO: Final = timedelta(seconds=8)
_NEEDED: Final = frozenset({"inbox.decide", "engine.operate"})


@dataclass(frozen=True, slots=True)
class Put:
    """What became of a decision: it is carried out (`decided`), or stands as an intent."""

    decided: Decided | None = None
    intent: Intent | None = None

    @property
    def waits(self) -> bool:
        """Whether it is about to be carried out and may be undone."""
        return self.intent is not None and self.intent.state == IntentState.WAITING

    @property
    def asked(self) -> bool:
        """Whether a second person has to agree."""
        return self.intent is not None and self.intent.state == IntentState.ASKED


def put_decision(
    *,
    case_id: UUID,
    decision: Decide | str,
    actor: Actor,
    now: datetime,
    value: Any = None,
    reason: str = "",
    seen: int | None = None,
    undo: bool = False,
) -> Put:
    """Decide a case: now, or (`undo`) in eight seconds where it goes out to a run, or once a second person agrees.

    Raises as `decide_case`.
    """
    actor.require("inbox.decide")
    read: Case | None = Case.objects.filter(pk=case_id).first()
    if read is None:
        raise CaseUnknown
    two = actor.kind != "system" and queries.takes_two(read, decision)
    if not two and not (undo and _goes_out(read, decision)):
        done = decide_case(
            case_id=case_id, decision=decision, actor=actor, now=now, value=value, reason=reason, seen=seen
        )
        return Put(decided=done)
    if two and actor.user_id is None:
        raise NotDecidable(_("So much money is decided by people: two of them."))
    with transaction.atomic():
        case = Case.objects.select_for_update().get(pk=case_id)
        chosen = require_decidable(case, decision, value, reason, seen)
        if case.version != read.version:
            raise CaseChanged
        if chosen in ON_THE_RUN:
            grants.require(actor, "engine.operate", _workflow(case))
        intent = _intent(case, chosen, value, reason, actor, now, two=two)
        if two:
            _tell(intent, case, actor, now)
    return Put(intent=intent)


def _workflow(case: Case) -> Workflow | None:
    return Workflow.objects.filter(pk=case.workflow_id).first() if case.workflow_id else None


def _goes_out(case: Case, decision: Decide | str) -> bool:
    """Whether a decision reaches a run, so that opening the case again would not undo it."""
    return decision in ON_THE_RUN or (case.run_id is not None and not case.of_run)


def put_each(
    *, case_ids: list[UUID], decision: Decide | str, actor: Actor, now: datetime, reason: str = ""
) -> list[ItemResult]:
    """Decide many cases alike; what is refused, or waits for a second person, is told and stops nobody else."""
    actor.require("inbox.decide")
    results = []
    for case_id in case_ids:
        try:
            put = put_decision(case_id=case_id, decision=decision, actor=actor, now=now, reason=reason)
        except PortalError as error:
            if not error.benign:
                raise
            results.append(ItemResult(case_id, error.message))
        else:
            results.append(ItemResult(case_id, _("A second person has to agree.") if put.asked else ""))
    return results


def _intent(
    case: Case, chosen: Decide, value: Any, reason: str, actor: Actor, now: datetime, *, two: bool
) -> Intent:
    intent = Intent.objects.create(
        case=case,
        decision=chosen,
        value=value,
        reason=reason,
        version=case.version,
        digest=queries.digest_of(case, chosen, value, reason),
        state=IntentState.ASKED if two else IntentState.WAITING,
        actor=_kept(actor),
        first_id=actor.user_id,
        first=actor.label[:200],
        at=now,
        carry_at=None if two else Now() + UNDO,
    )
    record(
        actor=actor,
        action="inbox.ask_second" if two else "inbox.put_decision",
        obj=case,
        now=now,
        after={"decision": chosen.value, "intent": intent.public_id, "digest": intent.digest},
        reason=reason,
    )
    if not two:
        ledger.post_errand(job=JOB, key=intent.id, tenant_id=context.current().id)
    return intent


def undo_decision(*, intent_id: UUID, actor: Actor, now: datetime) -> None:
    """Take a decision back before it is carried out, or before somebody agrees. Raises IntentOver and Forbidden."""
    actor.require("inbox.decide")
    with transaction.atomic():
        intent = _held(intent_id)
        if actor.user_id is None or actor.user_id not in (intent.first_id, intent.second_id):
            raise Forbidden("who decided takes it back")
        if intent.state not in PENDING:
            raise IntentOver
        before = intent.state
        if intent.second_id is not None and actor.user_id == intent.second_id:
            intent.state, intent.second_id, intent.second, intent.carry_at = IntentState.ASKED, None, "", None
        else:
            intent.state, intent.settled_at = IntentState.UNDONE, now
        _save(intent, "inbox.undo_decision", actor, now, before)
        ledger.settle_errand(intent.id)


def agree(*, intent_id: UUID, digest: str, actor: Actor, now: datetime, reason: str = "") -> Intent:
    """Agree, as the second person, to exactly what was shown (`digest`); it is carried out in eight seconds.

    Raises SecondIsFirst, IntentOver, and CaseChanged where what was shown is no more.
    """
    with transaction.atomic():
        intent = _second(intent_id, actor)
        case = Case.objects.get(pk=intent.case_id)
        now_is = queries.digest_of(case, Decide(intent.decision), intent.value, intent.reason)
        if digest != intent.digest or now_is != intent.digest:
            raise CaseChanged
        intent.state, intent.second_id, intent.second = IntentState.WAITING, actor.user_id, actor.label[:200]
        intent.carry_at = Now() + UNDO
        _save(intent, "inbox.agree", actor, now, IntentState.ASKED, reason)
        ledger.post_errand(job=JOB, key=intent.id, tenant_id=context.current().id)
    return intent


def decline(*, intent_id: UUID, actor: Actor, now: datetime, reason: str) -> None:
    """Say no, as the second person; the case is open as before. Raises SecondIsFirst, IntentOver and Invalid."""
    if not reason.strip():
        raise Invalid(fields={"reason": [_("Say why.")]})
    with transaction.atomic():
        intent = _second(intent_id, actor)
        intent.state, intent.second_id, intent.second = IntentState.DECLINED, actor.user_id, actor.label[:200]
        intent.settled_at, intent.error = now, reason
        _save(intent, "inbox.decline", actor, now, IntentState.ASKED, reason)


def carry_out(intent_id: UUID, *, now: datetime) -> bool:
    """Do what an intent says, if its time has come; whether nothing is left to do for it."""
    with transaction.atomic(), translation.override(context.current().language):
        intent = Intent.objects.select_for_update().filter(pk=intent_id).first()
        if intent is None or intent.state != IntentState.WAITING:
            ledger.settle_errand(intent_id)
            return True
        if not Intent.objects.filter(pk=intent_id, carry_at__lte=Now()).exists():
            return False
        error = _carried(intent, now)
        intent.state = IntentState.REFUSED if error else IntentState.DONE
        intent.error, intent.settled_at = error, now
        intent.save(update_fields=["state", "error", "settled_at"])
        ledger.settle_errand(intent_id)
    return True


def _carried(intent: Intent, now: datetime) -> str:
    """Why it could not be done; empty where it was."""
    try:
        with transaction.atomic():
            decide_case(
                case_id=intent.case_id,
                decision=intent.decision,
                actor=_restored(intent),
                now=now,
                value=intent.value,
                reason=intent.reason,
                seen=intent.version,
                intent=intent,
            )
    except PortalError as error:
        return _(error.message)
    except (OperationalError, InterfaceError):
        raise  # the database was in the way, not the case: it is done again
    except Exception as error:
        log.exception("a decision broke", intent=intent.public_id)
        return type(error).__name__
    return ""


def set_limit(*, minor: int | None, currency: str, actor: Actor, now: datetime) -> None:
    """From which amount on a decision takes two people; None: from none. Raises Invalid."""
    actor.require("settings.edit")
    if minor is not None and minor <= 0:
        raise Invalid(fields={"two_from": [_("More than nothing, or leave it empty.")]})
    with transaction.atomic():
        row = Limits.objects.select_for_update().filter(pk=1).first() or Limits(pk=1)
        before = {"two_from_minor": row.two_from_minor, "currency": row.currency}
        after = {"two_from_minor": minor, "currency": currency}
        if before == after:
            return
        row.two_from_minor, row.currency = minor, currency
        row.save()
        where = ("tenant", str(context.current().id), context.current().name)
        record(actor=actor, action="inbox.set_limit", obj=where, now=now, before=before, after=after)


def _held(intent_id: UUID) -> Intent:
    found: Intent | None = Intent.objects.select_for_update().filter(pk=intent_id).first()
    if found is None:
        raise NotFound
    return found


def _second(intent_id: UUID, actor: Actor) -> Intent:
    """What waits for a second person, held for one who may be that."""
    actor.require("inbox.decide")
    intent = _held(intent_id)
    if intent.state != IntentState.ASKED:
        raise IntentOver
    if actor.user_id is None or actor.kind != "user":
        raise Forbidden("the second is a person")
    if actor.user_id == intent.first_id:
        raise SecondIsFirst
    return intent


def _save(intent: Intent, action: str, actor: Actor, now: datetime, before: str, reason: str = "") -> None:
    intent.save()
    record(
        actor=actor,
        action=action,
        obj=Case.objects.get(pk=intent.case_id),
        now=now,
        before={"state": before},
        after={"state": intent.state, "intent": intent.public_id, "digest": intent.digest},
        reason=reason,
    )


def _tell(intent: Intent, case: Case, actor: Actor, now: datetime) -> None:
    """Tell those who notify people that somebody else has to look."""
    events.publish(
        type="portal.case.asked",
        subject=case.business_key,
        data={
            "caseId": case.public_id,
            "intent": intent.public_id,
            "decision": intent.decision,
            "by": actor.label,
            "byId": str(actor.user_id),
            "reason": intent.reason,
        },
        source="/portal",
        time=now,
        event_id=intent.public_id,
        internal=True,
    )


def _kept(actor: Actor) -> dict[str, Any]:
    return {
        "kind": actor.kind,
        "id": str(actor.id) if actor.id else None,
        "permissions": sorted(actor.permissions & _NEEDED),
        "request_id": actor.request_id,
        "address": actor.address,
        "roles": list(actor.roles),
    }


def _restored(intent: Intent) -> Actor:
    """Who decided, with what this takes, if they (and the second) may decide here still. Raises Forbidden."""
    kept = intent.actor
    first = Actor(
        kind=kept["kind"],
        id=UUID(kept["id"]) if kept["id"] else None,
        label=intent.first,
        permissions=frozenset(kept["permissions"]),
        request_id=kept["request_id"],
        address=kept["address"],
        user_id=intent.first_id,
        roles=tuple(kept["roles"]),
    )
    held = _held_now(first)
    if intent.second_id is not None:
        _held_now(Actor(kind="user", id=intent.second_id, label=intent.second, user_id=intent.second_id))
    return replace(first, permissions=first.permissions & held)


def _held_now(actor: Actor) -> frozenset[str]:
    """What somebody may do here now. Raises Forbidden where deciding is no part of it."""
    tenant = context.current()
    held = rights.held_now(actor, partner_id=tenant.partner_id, tenant_id=tenant.id)
    if "inbox.decide" not in held:
        raise Forbidden("who decided may not decide here any more")
    return held
