"""Lines of a run's journal in words."""

import re
from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from automations.engine.queries import Step
from automations.inbox.contract import failures
from automations.inbox.contract.steps import step_title
from portal.ui.kit import words

Json = Any
_LONG: Final = 200
_WORDS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[-_]")


def title_at(document: Json, ref: str) -> str:
    """What people call the step at `/do/1/book/try/0/send`: its title, else that of its try, else its name."""
    *way, holder, place, name = ["", "", "", *ref.strip("/").split("/")]
    title = step_title(document, ref)
    if title != name:
        return title
    if holder in ("try", "do") and place == "0" and any(way):
        around = step_title(document, "/".join(way))
        if around != way[-1]:
            return around
    return _WORDS.sub(" ", name).strip().capitalize()


def line(step: Step, document: Mapping[str, Json]) -> dict[str, Any]:
    """A line for `components/events.html`."""
    return {"text": told(step, document), "state": step.status, "number": step.no, "at": step.end}


def logged(step: Step, document: Mapping[str, Json]) -> dict[str, Any]:
    """A line of one step's own log: what happened, what was called, how it was answered, how long that took."""
    request = step.request or (step.error or {}).get("request")
    parts = [told(step, document)]
    if isinstance(request, Mapping):
        parts.append(f"{request.get('method', '')} {request.get('uri', '')}".strip())
    took = (step.end - step.begin).total_seconds()
    if took > 0:
        parts.append(words.duration(took))
    key = step.key or str((step.error or {}).get("key") or "")
    return {**line(step, document), "text": " · ".join(parts), "key": key, "reason": step.reason}


def told(step: Step, document: Mapping[str, Json]) -> str:
    """What happened, in a sentence."""
    title = title_at(document, step.ref)
    why = reason(step.error)
    if step.status == "completed":
        return _completed(step, title)
    if step.status == "skipped":
        return _("%(step)s was skipped: its condition did not hold") % {"step": title}
    if step.status == "retrying":
        return _("%(step)s, try %(n)d failed: %(why)s. Next try in %(wait)s") % {
            "step": title,
            "n": step.attempt,
            "why": why,
            "wait": words.duration(step.delay),
        }
    if step.status == "caught":
        return _("%(step)s failed, and the workflow took care of it: %(why)s") % {"step": title, "why": why}
    if step.status == "faulted":
        return _("%(step)s failed: %(why)s") % {"step": title, "why": why}
    return _by_hand(step, title)


def _completed(step: Step, title: str) -> str:
    if step.case:
        return _("%(step)s went the way “%(way)s”") % {"step": title, "way": step.case}
    if step.http_status:
        return _("%(step)s succeeded: %(status)d") % {"step": title, "status": step.http_status}
    return _("%(step)s succeeded") % {"step": title}


def _by_hand(step: Step, title: str) -> str:
    said = _by_whom(step, title)
    return f"{said} ({step.reason})" if step.reason else said


def _by_whom(step: Step, title: str) -> str:
    if step.status == "resumed":
        return _("%(who)s sent it on at %(step)s: %(how)s") % {
            "who": step.by or _("Portal"),
            "step": title,
            "how": mode(step.mode),
        }
    if step.status == "migrated":
        return _("%(who)s moved the run to version %(version)s") % {
            "who": step.by or _("Portal"),
            "version": step.mode,
        }
    if step.status == "cancelled":
        return _("%(who)s cancelled the run at %(step)s") % {"who": step.by or _("Portal"), "step": title}
    return f"{title}: {step.status}"


def mode(name: str) -> str:
    """How a run was sent on, in words."""
    return {
        "retry": pgettext("how a run went on", "tried again"),
        "edit": pgettext("how a run went on", "with corrected data"),
        "skip": pgettext("how a run went on", "the step was skipped"),
        "complete": pgettext("how a run went on", "its result was entered by hand"),
        "back": pgettext("how a run went on", "everything from there again"),
    }.get(name, name)


def reason(error: Mapping[str, Json] | None) -> str:
    """What went wrong, as the other system or the workflow put it, in one line."""
    if not error:
        return ""
    said = failures.said(error) or str(error.get("title") or "")
    status = (
        0 if error.get("limit") else failures.status_answered(error)
    )  # a limit is not what anybody answered
    text = f"{status}, {said}" if status and said else said or str(status or "")
    text = text.rstrip(".")
    return text if len(text) <= _LONG else f"{text[: _LONG - 1]}…"
