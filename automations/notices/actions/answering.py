"""Deciding by a link in a mail: the link names who, what and which version; it opens a page and changes nothing.

Only the person whom it was sent to may use it, signed in, by the button on that page, once, within three days, and only
while the case is as it was when the mail went out.
"""

import secrets as random
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction

from automations.inbox import actions as inbox
from automations.inbox.actions import Decided
from automations.inbox.enums import CLOSING, ON_THE_RUN
from automations.notices import queries
from automations.notices.errors import PassSpent
from automations.notices.models import Pass
from kernel.actor import Actor

LIVES: Final = timedelta(days=3)


def issue_pass(*, user_id: UUID, case_id: UUID, decision: str, seen: int, now: datetime) -> str:
    """The text of a new link, kept only as a digest."""
    if decision not in ON_THE_RUN | CLOSING:
        raise ValueError(f"{decision!r} decides nothing")
    text = random.token_urlsafe(32)
    Pass.objects.create(
        user_id=user_id,
        case_id=case_id,
        decision=decision,
        seen=seen,
        digest=queries.digest(text),
        created_at=now,
        expires_at=now + LIVES,
    )
    return text


def redeem_pass(*, text: str, reason: str, actor: Actor, now: datetime, present: datetime) -> Decided:
    """Decide what the link is about, as the person whom it was sent to; `present` is the tenant's time.

    Raises PassSpent, and what deciding raises; then the link can be used again.
    """
    actor.require("inbox.decide")
    with transaction.atomic():
        found = queries.pass_of(text, actor.user_id, now)
        held = Pass.objects.select_for_update().get(pk=found.pk)
        if held.used_at is not None:
            raise PassSpent
        held.used_at = now
        held.save(update_fields=["used_at"])
        return inbox.decide_case(
            case_id=held.case_id,
            decision=held.decision,
            reason=reason,
            seen=held.seen,
            actor=actor,
            now=present,
        )
