"""Keeping the inbox in order: who has a case, until when it sleeps, what is said about it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from automations.events import actions as events
from automations.inbox import policy
from automations.inbox.actions.trace import leave_trace
from automations.inbox.enums import Decide, Visibility
from automations.inbox.errors import CaseAlreadyDecided, CaseClosed, CaseUnknown
from automations.inbox.models import Case, Comment
from kernel import cards, clock
from kernel.actor import Actor
from kernel.errors import Invalid
from tenants.audit.actions import record

_LONGEST = 5_000


def claim_case(*, case_id: UUID, actor: Actor, now: datetime) -> str:
    """Take a case that nobody has. Raises CaseAlreadyDecided, naming who has it, and CaseClosed."""
    return assign_case(case_id=case_id, to=actor.user_id, actor=actor, now=now, only_if_free=True)


def assign_case(
    *,
    case_id: UUID,
    to: UUID | None,
    actor: Actor,
    now: datetime,
    reason: str = "",
    only_if_free: bool = False,
) -> str:
    """Give a case to a person, or (None) to nobody; who has it now. Raises Invalid for one who may not decide."""
    actor.require("inbox.decide")
    person = next((one for one in policy.assignable() if one.id == to), None)
    if to is not None and person is None:
        raise Invalid(fields={"to": [_("This person does not decide cases here.")]})
    with transaction.atomic():
        case = _open(case_id)
        if only_if_free and case.assignee_id and case.assignee_id != to:
            raise CaseAlreadyDecided(_("%(who)s has this case.") % {"who": case.assignee}, by=case.assignee)
        before = {"assignee": case.assignee}
        if case.assignee_id != to:
            case.assignee_id, case.assignee = to, person.name[:200] if person else ""
            case.save(update_fields=["assignee_id", "assignee"])
            _note(case, Decide.ASSIGN, actor, now, reason, before, {"assignee": case.assignee})
            _tell(case, "assigned", to, actor, now)
        return str(case.assignee)


def snooze_case(
    *, case_id: UUID, until: datetime | None, actor: Actor, now: datetime, reason: str = ""
) -> None:
    """Take a case out of sight until an instant (None wakes it); its due time stays. Raises Invalid for the past."""
    actor.require("inbox.decide")
    if until is not None and until <= now:
        raise Invalid(fields={"until": [_("Choose a time that is still to come.")]})
    with transaction.atomic():
        case = _open(case_id)
        before = {"snoozed_until": _text(case.snoozed_until)}
        case.snoozed_until = until
        case.save(update_fields=["snoozed_until"])
        _note(case, Decide.SNOOZE, actor, now, reason, before, {"snoozed_until": _text(until)})


def comment_on_case(
    *,
    case_id: UUID,
    text: str,
    actor: Actor,
    now: datetime,
    visibility: Visibility | str = Visibility.CLIENT,
) -> UUID:
    """Say something about a case, open or closed; its key. Raises Invalid, and Forbidden for internal notes."""
    actor.require("inbox.comment")
    seen_by = Visibility(visibility)
    policy.require_visibility(actor, seen_by)
    text = cards.masked(text.strip())
    if not text or len(text) > _LONGEST:
        raise Invalid(fields={"text": [_("Write 1 to %(n)d characters.") % {"n": _LONGEST}]})
    with transaction.atomic():
        case = Case.objects.filter(pk=case_id).first()
        if case is None:
            raise CaseUnknown
        comment = Comment.objects.create(
            case=case, text=text, visibility=seen_by, actor_id=actor.id, actor=actor.label[:200], at=now
        )
        record(
            actor=actor,
            action="inbox.comment",
            obj=case,
            now=now,
            after={
                "comment": comment.public_id,
                "visibility": seen_by,
            },  # the words may hold what is not for auditors
        )
        if seen_by == Visibility.CLIENT:
            _tell(case, "commented", case.assignee_id, actor, now)
    return comment.id


def _open(case_id: UUID) -> Case:
    case: Case | None = Case.objects.select_for_update().filter(pk=case_id).first()
    if case is None:
        raise CaseUnknown
    if case.closed:
        raise CaseClosed
    return case


def _note(
    case: Case,
    kind: Decide,
    actor: Actor,
    now: datetime,
    reason: str,
    before: dict[str, Any],
    after: dict[str, Any],
) -> None:
    leave_trace(
        case,
        kind,
        action=f"inbox.{kind.value}",
        actor=actor,
        now=now,
        before=before,
        after=after,
        reason=reason,
    )


def _tell(case: Case, what: str, to: UUID | None, actor: Actor, now: datetime) -> None:
    """Let those above know that a case concerns somebody, where it does and they have not done it themselves."""
    if to is None or to == actor.user_id:
        return
    events.publish(
        type=f"portal.case.{what}",
        subject=case.business_key,
        data={"caseId": str(case.id), "to": str(to), "by": str(actor.user_id or "")},
        source="/inbox",
        time=now,
        internal=True,
    )


def _text(at: datetime | None) -> str | None:
    return clock.rfc3339(at) if at else None
