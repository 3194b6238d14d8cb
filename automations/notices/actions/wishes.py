"""What somebody says about how they want to be told."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from automations.notices.enums import URGENCY, About, Mail
from automations.notices.models import Rule
from automations.notices.policy import Wish
from kernel.actor import Actor
from kernel.errors import Forbidden, Invalid
from tenants.audit.actions import record


def set_rules(*, wishes: Mapping[About, Wish], actor: Actor, now: datetime) -> None:
    """Set how the actor wants to be told; one's own rules alone. Raises Invalid, and Forbidden for a machine."""
    actor.require("inbox.read")
    if actor.user_id is None:
        raise Forbidden("only people are told")
    for about, one in wishes.items():
        if one.least not in URGENCY or one.mail not in Mail.values:
            raise Invalid(fields={about.value: ["Choose one of those on offer."]})
    with transaction.atomic():
        before = {rule.about: _shown(rule) for rule in Rule.objects.filter(user_id=actor.user_id)}
        after: dict[str, Any] = {}
        for about, one in wishes.items():
            rule, _made = Rule.objects.update_or_create(
                user_id=actor.user_id,
                about=about,
                defaults={"bell": one.bell, "mail": one.mail, "least": one.least},
            )
            after[about.value] = _shown(rule)
            last = rule
        record(actor=actor, action="notices.set_rules", obj=last, now=now, before=before, after=after)


def _shown(rule: Rule) -> dict[str, Any]:
    return {"bell": rule.bell, "mail": str(rule.mail), "least": rule.least}
