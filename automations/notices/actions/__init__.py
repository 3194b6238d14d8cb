"""What can be done with notices: tell people, let them say how, send what goes out, answer by a link."""

from automations.notices.actions.answering import issue_pass, redeem_pass
from automations.notices.actions.channels import (
    create_channel,
    delete_channel,
    set_channel_active,
    try_channel,
)
from automations.notices.actions.sending import deliver, forget_old
from automations.notices.actions.telling import mark_read, tell_opened, tell_person
from automations.notices.actions.wishes import set_rules

__all__ = [
    "create_channel",
    "delete_channel",
    "deliver",
    "forget_old",
    "issue_pass",
    "mark_read",
    "redeem_pass",
    "set_channel_active",
    "set_rules",
    "tell_opened",
    "tell_person",
    "try_channel",
]
