"""What the pages say of what stands still and what waits for its turn: since when, by whom, why, how much of it."""

from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from automations.engine.models import Workflow
from automations.engine.queries import RunView
from automations.ledger import queries as standing
from automations.ledger.enums import Level
from automations.ledger.queries import Standing
from portal.ui.kit import words

BUSINESS: Final = "$business"
PER: Final = (
    ("", gettext_lazy("no limit")),
    ("business", gettext_lazy("each order (the run's business key)")),
    ("key", gettext_lazy("each value of an expression")),
    ("all", gettext_lazy("all runs together")),
)


def told(found: Standing) -> str:
    """Since when, by whom, and why."""
    said = _("Since %(when)s, by %(who)s.") % {"when": words.moment(found.at), "who": found.actor}
    return f"{said} {found.reason}".strip()


def held(target: UUID) -> str:
    """How many runs wait because of it; empty for none."""
    number = standing.held_by(target)
    if not number:
        return ""
    said = ngettext("%(n)s run waits.", "%(n)s runs wait.", number)
    return said % {"n": words.number(number)}


def of_workflow(workflow: Workflow) -> dict[str, str] | None:
    """The alert on the page of a workflow that is paused."""
    found = standing.pause_of(Level.WORKFLOW, workflow.id)
    if found is None:
        return None
    return {"title": _("This workflow is paused"), "text": f"{told(found)} {held(workflow.id)}".strip()}


def of_connection(key: UUID) -> dict[str, str] | None:
    """The alert on the page of a connection that is paused."""
    found = standing.pause_of(Level.CONNECTION, key)
    if found is None:
        return None
    return {"title": _("This connection is paused"), "text": f"{told(found)} {held(key)}".strip()}


def of_client(key: UUID, partner: UUID) -> list[dict[str, Any]]:
    """The alerts on the page of a client that stands still: why, and whether it is paused by itself."""
    titles = {
        Level.TENANT: _("This client is paused"),
        Level.PARTNER: _("All clients are paused"),
        Level.PLATFORM: _("The platform keeps workers away from this client"),
    }
    return [
        {"title": titles[one.level], "text": told(one), "own": one.level == Level.TENANT}
        for one in standing.pauses_over(key, partner)
    ]


def paused_here(tenant: UUID) -> bool:
    """Whether a client is paused by itself."""
    return standing.pause_of(Level.TENANT, tenant) is not None


def of_run(view: RunView) -> dict[str, Any]:
    """What the page of a run says of holds: `paused` by itself, and the alert if anything holds it."""
    if view.over:
        return {"paused": False, "alert": None}
    by = {hold.kind: hold.target for hold in standing.holds_of(view.id)}
    own = standing.pause_of(Level.RUN, view.id) if view.id in by.values() or by.get("pause") else None
    if own is not None:
        return {"paused": True, "alert": {"title": _("This run is paused"), "text": told(own)}}
    if "pause" in by:
        return {"paused": False, "alert": _what_holds(view, by["pause"])}
    if "lane" in by:
        text = _("Its workflow takes only so many at a time. Those that came before it go first.")
        return {"paused": False, "alert": {"title": _("It waits for its turn"), "text": text}}
    if "call" in by:
        text = _("The connection takes only so many calls at a time. Those that came before it go first.")
        return {"paused": False, "alert": {"title": _("It waits for the connection"), "text": text}}
    return {"paused": False, "alert": None}


def _what_holds(view: RunView, target: UUID) -> dict[str, str] | None:
    """The alert for a run that is held by a pause of something else."""
    if view.workflow is not None and view.workflow.id == target:
        found = standing.pause_of(Level.WORKFLOW, target)
        title_ = _("Its workflow is paused")
    else:
        found = standing.pause_of(Level.CONNECTION, target)
        title_ = _("The connection %(name)s is paused") % {"name": found.label} if found else ""
    return None if found is None else {"title": title_, "text": told(found)}


def initial(rule: dict[str, Any] | None) -> dict[str, Any]:
    """A rule as its form shows it."""
    if not rule:
        return {"per": "", "limit": 1}
    key = rule.get("key", "")
    per = "all" if not key else "business" if key == BUSINESS else "key"
    return {"per": per, "key": key if per == "key" else "", "limit": rule["limit"]}


def rule_word(rule: dict[str, Any] | None) -> str:
    """A rule for so many runs at a time, in words."""
    if not rule:
        return _("no limit")
    per = dict(PER)[initial(rule)["per"]]
    said = _("%(n)s at a time of %(per)s") % {"n": rule["limit"], "per": per}
    return f"{said}: {rule['key']}" if initial(rule)["per"] == "key" else said
