"""The status vocabulary: each state is a colour, an icon and a word, and always shown as all three."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Look:
    """How a state is shown; `tone` is one of ok, info, warn, bad, review, wait; `live` turns its icon."""

    tone: str
    icon: str
    word: str | Promise
    live: bool = False


_RUNNING: Final = Look(tone="info", icon="loader-circle", word=_("Running"), live=True)
_WAITING: Final = Look(tone="wait", icon="hourglass", word=_("Waiting"))
_SUCCEEDED: Final = Look(tone="ok", icon="circle-check", word=_("Succeeded"))
_FAILED: Final = Look(tone="bad", icon="octagon-x", word=_("Failed"))
_CANCELLED: Final = Look(tone="wait", icon="ban", word=_("Cancelled"))
_ACTIVE: Final = Look(tone="ok", icon="circle-check", word=_("Active"))
_PAUSED: Final = Look(tone="wait", icon="circle-pause", word=_("Paused"))

LOOKS: Final[Mapping[str, Look]] = {
    # runs and steps, ours and the words of the Serverless Workflow specification
    "running": _RUNNING,
    "waiting": _WAITING,
    "pending": Look(tone="wait", icon="circle-dashed", word=_("Pending")),
    "retrying": Look(tone="warn", icon="rotate-cw", word=_("Retrying")),
    "review": Look(tone="review", icon="user-check", word=_("Needs review")),
    "succeeded": _SUCCEEDED,
    "completed": _SUCCEEDED,
    "failed": _FAILED,
    "faulted": _FAILED,
    "cancelled": _CANCELLED,
    "not_taken": Look(tone="wait", icon="skip-forward", word=_("Not taken")),
    "not_reached": Look(tone="wait", icon="circle-dashed", word=_("Not reached")),
    # health
    "healthy": Look(tone="ok", icon="circle-check", word=_("Healthy")),
    "degraded": Look(tone="warn", icon="triangle-alert", word=_("Degraded")),
    "paused": _PAUSED,
    "off": Look(tone="wait", icon="power", word=_("Switched off")),
    "disconnected": Look(tone="bad", icon="unplug", word=_("Disconnected")),
    "connected": Look(tone="ok", icon="plug", word=_("Connected")),
    "unknown": Look(tone="wait", icon="circle-dashed", word=_("No figures yet")),
    # severity
    "critical": Look(tone="bad", icon="octagon-alert", word=_("Critical")),
    "high": Look(tone="warn", icon="triangle-alert", word=_("High")),
    "normal": Look(tone="wait", icon="circle-dot", word=_("Normal")),
    # cases
    "open": Look(tone="info", icon="circle-dot", word=_("Open")),
    "resolved": Look(tone="ok", icon="circle-check", word=_("Resolved")),
    "second": Look(tone="review", icon="user-round", word=_("Second person")),
    "snoozed": Look(tone="wait", icon="clock", word=_("Snoozed")),
    "overdue": Look(tone="bad", icon="clock-alert", word=_("Past due")),
    "closed": Look(tone="ok", icon="circle-check", word=_("Closed")),
    # orders
    "created": Look(tone="wait", icon="circle-dot", word=_("Placed")),
    "approved": Look(tone="info", icon="badge-check", word=_("Approved")),
    "invoiced": Look(tone="info", icon="receipt", word=_("Invoiced")),
    "processing": Look(tone="info", icon="package", word=_("Processing")),
    "shipped": Look(tone="info", icon="truck", word=_("Handed over")),
    "delivered": Look(tone="ok", icon="circle-check", word=_("Delivered")),
    "canceled": Look(tone="wait", icon="ban", word=_("Canceled")),
    "unavailable": Look(tone="warn", icon="circle-alert", word=_("Unavailable")),
    # tenants, people, tokens, addresses
    "trial": Look(tone="info", icon="timer", word=_("Trial")),
    "active": _ACTIVE,
    "suspended": Look(tone="warn", icon="circle-pause", word=_("Suspended")),
    "archived": Look(tone="wait", icon="archive", word=_("Archived")),
    "exported": Look(tone="wait", icon="package", word=_("Exported")),
    "sandbox": Look(tone="review", icon="flask-conical", word=_("Sandbox")),
    "setting_up": Look(tone="info", icon="loader-circle", word=_("Being set up"), live=True),
    "done": Look(tone="ok", icon="circle-check", word=_("Done")),
    "ready": Look(tone="review", icon="eye", word=_("Ready to be looked at")),
    "dropped": Look(tone="wait", icon="undo-2", word=_("Thrown away")),
    "rolled_back": Look(tone="bad", icon="undo-2", word=_("Rolled back")),
    "invited": Look(tone="info", icon="mail", word=_("Invited")),
    "deactivated": Look(tone="wait", icon="ban", word=_("Deactivated")),
    "expiring": Look(tone="warn", icon="clock-alert", word=_("Ends soon")),
    "expired": Look(tone="warn", icon="clock-alert", word=_("Expired")),
    "replaced": Look(tone="info", icon="rotate-cw", word=_("Replaced, goes on")),
    "revoked": Look(tone="wait", icon="ban", word=_("Revoked")),
    "asked": Look(tone="info", icon="hourglass", word=_("Asked for")),
    "admitted": Look(tone="warn", icon="shield-alert", word=_("Inside")),
    "refused": Look(tone="wait", icon="ban", word=_("Refused")),
    "over": Look(tone="wait", icon="circle-check", word=_("Over")),
    "verified": Look(tone="ok", icon="badge-check", word=_("Verified")),
    "unverified": Look(tone="warn", icon="circle-alert", word=_("Not verified")),
    # lines of a run's journal
    "resumed": Look(tone="review", icon="user-cog", word=_("Sent on")),
    "caught": Look(tone="warn", icon="triangle-alert", word=_("Taken care of")),
    "skipped": Look(tone="wait", icon="skip-forward", word=_("Skipped")),
    "migrated": Look(tone="review", icon="git-branch", word=_("Moved")),
    # steps of a workflow that nobody runs: what they do
    "step_start": Look(tone="info", icon="play", word=_("Starts it")),
    "step_end": Look(tone="ok", icon="circle-check", word=_("End")),
    "step_data": Look(tone="wait", icon="circle-dot", word=_("Data")),
    "step_choice": Look(tone="wait", icon="git-branch", word=_("Decision")),
    "step_call": Look(tone="wait", icon="arrow-up-right", word=_("Call")),
    "step_listen": Look(tone="wait", icon="hourglass", word=_("Waits for an event")),
    "step_wait": Look(tone="wait", icon="timer", word=_("Waits")),
    "step_tell": Look(tone="wait", icon="bell", word=_("Tells others")),
    "step_case": Look(tone="review", icon="user-check", word=_("Asks a person")),
    "step_repeat": Look(tone="wait", icon="rotate-cw", word=_("Repeats")),
    "step_fork": Look(tone="wait", icon="git-branch", word=_("Side by side")),
    "step_run": Look(tone="wait", icon="workflow", word=_("Workflow")),
    "step_other": Look(tone="wait", icon="circle-dot", word=_("Step")),
}


def look(state: object) -> Look:
    """The look of `state`; an unknown one is shown by its own name, without a colour that claims something."""
    key = str(state).strip().lower().replace("-", "_").replace(" ", "_")
    return LOOKS.get(key) or Look(
        tone="wait", icon="circle-dot", word=str(state).replace("_", " ").capitalize()
    )
