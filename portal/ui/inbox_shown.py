"""Cases as pages show them: rows, facts, what each system says, what was done and said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _

from automations.inbox.enums import PENDING, CaseState, Decide, DecisionOutcome, Visibility
from automations.inbox.queries import Act, Answer, CaseDetail, CaseRow, Group
from kernel import clock
from kernel.money import Money
from portal.ui.kit import words
from portal.ui.kit.dataform import Change, changes, place
from portal.ui.kit.query import moved
from portal.ui.links import order_address, run_address

Json = Any
_DAWN: Final = 9
_ICONS: Final = {
    Decide.RETRY: "rotate-cw",
    Decide.EDIT: "wrench",
    Decide.SKIP: "skip-forward",
    Decide.COMPLETE: "check",
    Decide.CANCEL: "ban",
    Decide.RESOLVE: "check",
    Decide.DISMISS: "x",
    Decide.REOPEN: "undo-2",
}
_AT_ONCE: Final = frozenset({Decide.RETRY, Decide.RESOLVE, Decide.REOPEN})
"""Decisions that need no word more; the others ask for a reason or for data first."""


def money(minor: int | None, currency: str) -> Money | None:
    """An amount, if there is one."""
    return Money(minor, currency) if minor is not None and currency else None


def due(row: CaseRow, now: datetime) -> str:
    """The due time in words."""
    return _("due %(when)s") % {"when": words.ago(row.due_at, now)}


def state_of(row: CaseRow, now: datetime) -> str:
    """The state in the words of the status vocabulary; empty for one that is simply open."""
    if row.state == CaseState.OPEN:
        return "snoozed" if row.snoozed_until and row.snoozed_until > now else ""
    return str(row.state.value)


def item(row: CaseRow, given: QueryDict, now: datetime, *, second: bool = False) -> dict[str, Any]:
    """A row of the list, for `components/item.html`."""
    over = row.closed_at is not None
    return {
        "id": row.public_id,
        "code": row.code,
        "title": row.title,
        "url": moved(reverse("inbox:case", args=[row.public_id]), given),
        "severity": row.severity.value,
        "kind": row.label,
        "due": "" if over else due(row, now),
        "late": row.late,
        "state": "second" if second else state_of(row, now),
        "value": money(row.value_minor, row.currency),
        "age": row.closed_at or row.opened_at,
        "owner": row.assignee,
    }


def heap(found: Group | None, *, redrive: bool) -> dict[str, Any]:
    """What a row says and offers that stands for many failures of one cause; nothing for one that stands for itself."""
    if found is None:
        return {}
    return {
        "heap": found.number,
        "heap_url": moved(reverse("inbox:list"), {"alike": found.fingerprint}),
        "redrive_url": moved(reverse("runs:bulk_start"), {"alike": found.fingerprint}) if redrive else "",
        "value": money(found.value_minor, found.currency),
    }


def pending(case: CaseDetail, me: Any) -> dict[str, Any] | None:
    """What is about to become of a case, or why the last decision was not carried out."""
    one = case.pending
    if one is None or (case.row.closed_at and one.state not in PENDING):
        return None
    label = next((act.label for act in case.answers if act.decision == one.decision), one.decision.label)
    changed = changes(case.editable, one.value) if one.decision == Decide.EDIT else []
    return {
        "state": one.state.value,
        "what": label,
        "one": one,
        "changes": changed,
        "value": None if changed else one.value,
        "mine": me is not None and me in (one.first_id, one.second_id),
        "may_agree": me is not None and me != one.first_id,
    }


def facts(case: CaseDetail, now: datetime) -> list[tuple[str, Any, str]]:
    """The strip under the title: money, due time, age, owner, order, and how often it failed."""
    row = case.row
    value = money(row.value_minor, row.currency)
    found: list[tuple[str, Any, str]] = [
        (_("Money at risk"), words.amount(value), ""),
        (_("Closed"), _time(row.closed_at, now), "")
        if row.closed_at
        else (_("Due"), _time(row.due_at, now), "bad" if row.late else ""),
        (_("Raised"), _time(row.opened_at, now), ""),
        (_("Owner"), row.assignee or _("Nobody yet"), ""),
    ]
    if row.business_key:
        found.append((_("Order"), _linked(row.business_key, order_address(row.business_key)), ""))
    if case.failures > 1:
        found.append((_("Failed"), _("%(n)d times") % {"n": case.failures}, ""))
    if row.reopened:
        found.append((_("Came back"), _("%(n)d times") % {"n": row.reopened}, ""))
    return found


def _time(at: datetime, now: datetime) -> Any:
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', clock.rfc3339(at), words.exact(at), words.ago(at, now)
    )


def _linked(text: str, url: str) -> Any:
    return format_html('<a class="link" href="{}">{}</a>', url, text) if url else text


@dataclass(frozen=True, slots=True)
class Button:
    """A decision on offer: its word and icon, its letter, whether it is done at once or asks first."""

    decision: str
    label: str
    icon: str
    key: str
    at_once: bool
    primary: bool


def answers(case: CaseDetail) -> list[Button]:
    """What may be decided, the suggested one first: A is the suggestion, E corrects or resolves, R rejects."""
    found = []
    for number, one in enumerate(case.answers):
        found.append(_button(one, case, first=number == 0))
    return found


def _button(one: Answer, case: CaseDetail, *, first: bool) -> Button:
    letters = {Decide.EDIT: "e", Decide.RESOLVE: "e", Decide.CANCEL: "r", Decide.DISMISS: "r"}
    approving = one.decision == Decide.SKIP and str(one.label) != str(Decide.SKIP.label)
    return Button(
        decision=one.decision.value,
        label=str(one.label),
        icon=_ICONS[one.decision],
        key="a" if first and one.decision not in letters else letters.get(one.decision, ""),
        at_once=(one.decision in _AT_ONCE or (first and approving))
        and not (one.decision == Decide.RESOLVE and case.form),
        primary=first and case.row.closed_at is None,
    )


@dataclass(frozen=True, slots=True)
class Compared:
    """What each system says: rows by field, a column a system."""

    systems: Sequence[str]
    rows: Sequence[tuple[str, Sequence[str], bool]]


def comparison(found: Json) -> Compared | None:
    """Facts as a workflow put them together: `{system: {field: value}}`, or plain `{field: value}`."""
    if not isinstance(found, Mapping) or not found:
        return None
    if all(isinstance(part, Mapping) for part in found.values()):
        names = dict.fromkeys(name for part in found.values() for name in part)
        rows = []
        for name in names:
            values = [_plain(part.get(name)) for part in found.values()]
            rows.append((place(f"/{name}"), values, len(values) > 1 and len(set(values)) > 1))
        return Compared([str(system) for system in found], rows)
    return Compared(
        [_("Value")], [(place(f"/{name}"), [_plain(item)], False) for name, item in found.items()]
    )


def _plain(value: Json) -> str:
    if value is None:
        return words.NONE
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, (int, float)):
        return words.number(value)
    return value if isinstance(value, str) else str(value)


@dataclass(frozen=True, slots=True)
class Told:
    """Something that was done or said about a case."""

    who: str
    text: str
    at: datetime
    reason: str = ""
    outcome: str = ""
    tone: str = "wait"
    changes: Sequence[Change] = ()
    said: bool = False
    internal: bool = False


def story(case: CaseDetail) -> list[Told]:
    """Acts and comments, newest first, down to its opening."""
    found = [_act(one) for one in case.acts]
    found += [
        Told(one.actor, one.text, one.at, said=True, internal=one.visibility == Visibility.INTERNAL)
        for one in case.notes
    ]
    row = case.row
    if row.closed_at and not (case.acts and case.acts[-1].kind in (Decide.RESOLVE, Decide.DISMISS)):
        found.append(Told(row.closed_by or _("Portal"), _("The case closed"), row.closed_at, row.outcome))
    found.sort(key=lambda one: one.at, reverse=True)
    return [*found, Told(_("Portal"), _("The case was opened"), row.opened_at)]


def _act(one: Act) -> Told:
    before, after = one.before or {}, one.after or {}
    outcome, tone = _outcome(one.outcome)
    changed = changes(before["data"], after["data"]) if "data" in before and "data" in after else []
    if one.kind == Decide.COMPLETE and "data" in after:
        changed = changes(None, after["data"])
    return Told(one.actor, _said(one, before, after), one.at, one.reason, outcome, tone, changed)


def _said(one: Act, before: Mapping[str, Json], after: Mapping[str, Json]) -> str:
    if one.kind == Decide.ASSIGN:
        to = after.get("assignee")
        return _("Gave it to %(who)s") % {"who": to} if to else _("Gave it back to all")
    if one.kind == Decide.SNOOZE:
        until = after.get("snoozed_until")
        return (
            _("Put it off until %(when)s") % {"when": words.moment(clock.parse_rfc3339(until))}
            if until
            else _("Woke it")
        )
    said = _("Decided: %(what)s") % {"what": one.label}
    if after.get("second"):
        said += " · " + _("%(who)s agreed") % {"who": after["second"]}
    return said


def _outcome(outcome: str) -> tuple[str, str]:
    if not outcome:
        return "", "wait"
    tone = {DecisionOutcome.WORKED: "ok", DecisionOutcome.FAILED: "bad"}.get(DecisionOutcome(outcome), "wait")
    return str(DecisionOutcome(outcome).label), tone


def naps(now: datetime) -> list[tuple[str, str]]:
    """(instant, words) of the usual times to put a case off to."""
    local = timezone.localtime(now)
    morning = local.replace(hour=_DAWN, minute=0, second=0, microsecond=0)
    monday = morning + timedelta(days=7 - local.weekday())
    choices = [
        (now + timedelta(hours=1), _("In an hour")),
        (now + timedelta(hours=4), _("In four hours")),
        (morning + timedelta(days=1), _("Tomorrow morning")),
        (monday, _("Monday morning")),
    ]
    return [(clock.rfc3339(at), word) for at, word in choices]


def links(request: Any, case: CaseDetail) -> list[tuple[str, str, str]]:
    """(icon, words, address) of what belongs to a case and may be looked at."""
    found, actor = [], request.actor
    run = run_address(case.run_public_id)
    if run and actor.may("engine.read"):
        found.append(("activity", _("Run"), run))
    order = order_address(case.row.business_key)
    if order and actor.may("insights.read"):
        found.append(("scroll-text", _("Timeline of the order"), order))
    if actor.may("audit.read"):
        found.append(
            ("shield-check", _("Audit"), moved(reverse("audit:trail"), {"object": case.row.public_id}))
        )
    return found
