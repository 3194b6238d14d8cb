"""What people and facts do to cases."""

from automations.inbox.actions.deciding import (
    Decided,
    ItemResult,
    decide_case,
    decide_each,
    dismiss_case,
    reopen_case,
    resolve_case,
)
from automations.inbox.actions.follow import follow
from automations.inbox.actions.naming import remove_view, save_view
from automations.inbox.actions.papers import LARGEST as LARGEST_FILE
from automations.inbox.actions.papers import attach_file
from automations.inbox.actions.pending import (
    Put,
    agree,
    decline,
    put_decision,
    put_each,
    set_limit,
    undo_decision,
)
from automations.inbox.actions.triage import assign_case, claim_case, comment_on_case, snooze_case

__all__ = [
    "LARGEST_FILE",
    "Decided",
    "ItemResult",
    "Put",
    "agree",
    "assign_case",
    "attach_file",
    "claim_case",
    "comment_on_case",
    "decide_case",
    "decide_each",
    "decline",
    "dismiss_case",
    "follow",
    "put_decision",
    "put_each",
    "remove_view",
    "reopen_case",
    "resolve_case",
    "save_view",
    "set_limit",
    "snooze_case",
    "undo_decision",
]
