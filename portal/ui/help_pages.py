"""Help: what each page is for, what to do about each kind of case, runbooks, key figures in words, keys."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from automations.inbox import registry
from automations.inbox.contract import Kind
from automations.insights.catalog.kpis import KPIS
from automations.insights.enums import Better, Unit
from kernel.errors import NotFound
from portal.permissions import door
from portal.request import SignedIn
from portal.ui.help_topic import Topic
from portal.ui.help_topics import TOPICS
from portal.ui.kit.pages import page
from portal.ui.kit.prose import prose
from portal.ui.place import crumbs, there
from templates_lib import queries
from templates_lib.models import TemplateVersion

_UNITS: Final = {
    Unit.ORDERS: gettext_lazy("orders"),
    Unit.LINES: gettext_lazy("order lines"),
    Unit.CASES: gettext_lazy("exceptions"),
    Unit.RUNS: gettext_lazy("runs"),
    Unit.HOURS: gettext_lazy("hours"),
    Unit.FRACTION: gettext_lazy("share"),
}
_BETTER: Final = {
    Better.LOWER: gettext_lazy("lower is better"),
    Better.HIGHER: gettext_lazy("higher is better"),
    Better.NEITHER: gettext_lazy("neither way is better"),
}


def show(request: SignedIn, part: str, title: str, **more: Any) -> HttpResponse:
    """A page of the help with its list of pages. Raises NotFound for somebody who has no role here."""
    if not request.actor.permissions:
        raise NotFound
    pages = [
        ("start", _("What each page is for"), "layout-dashboard"),
        ("cases", _("Exceptions, kind by kind"), "inbox"),
        ("errors", _("Errors, code by code"), "octagon-alert"),
        ("runbooks", _("Runbooks"), "scroll-text"),
        ("figures", _("Key figures"), "activity"),
        ("keys", _("Keyboard"), "keyboard"),
    ]
    shown = {
        "pages": [(reverse(f"help:{name}"), word, icon, name == part) for name, word, icon in pages],
        "title": title,
        "crumbs": crumbs(request, (_("Help"), "" if part == "start" else reverse("help:start")))
        + ([] if part == "start" else [(title, "")]),
        **more,
    }
    return page(request, f"help/{part}.html", shown)


@door(signed_in=True)
def start(request: SignedIn) -> HttpResponse:
    """What the pages of this host are for, the one that somebody comes from first."""
    came_from = request.GET.get("from", "")
    topics = [topic for topic in TOPICS if _fits(request, topic)]
    about = next((topic for topic in topics if came_from in topic.views), None) or next(
        (topic for topic in topics if came_from.split(":")[0] in topic.rooms), None
    )
    rest = [(topic, there(topic.url)) for topic in topics if topic is not about]
    shown = {"about": about, "about_url": there(about.url) if about else "", "topics": rest}
    return show(request, "start", _("Help"), **shown)


def _fits(request: SignedIn, topic: Topic) -> bool:
    """Whether the page exists on this host and the reader may open it."""
    allowed = not topic.permission or request.actor.may(topic.permission)
    return request.portal.kind in topic.hosts and allowed


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do about kinds of cases that share one piece of advice."""

    key: str
    kinds: Sequence[Kind]
    helps: str
    else_: str
    answers: Sequence[str]


@door(signed_in=True)
def cases(request: SignedIn) -> HttpResponse:
    """Each kind of exception: how urgent, what usually helps, what else can be decided."""
    found: dict[str, list[Kind]] = {}
    for kind in registry.kinds():
        found.setdefault(kind.runbook, []).append(kind)
    advice = [_advice(key, kinds) for key, kinds in found.items()]
    return show(request, "cases", _("Exceptions, kind by kind"), advice=advice)


def _advice(key: str, kinds: Sequence[Kind]) -> Advice:
    first = kinds[0]
    blanks = defaultdict(
        lambda: "…", system=_("the other system"), thing=_("the order"), what=_("what it says")
    )
    return Advice(
        key=key,
        kinds=kinds,
        helps=str(first.suggestion).format_map(blanks),
        else_=str(first.decline).format_map(blanks),
        answers=[str(first.answer(decision)) for decision in first.decisions],
    )


@door(signed_in=True)
def runbooks(request: SignedIn) -> HttpResponse:
    """The runbooks of what is installed here; in the console those of the whole library."""
    found = [(version, prose(version.runbook, below=3)) for version in _books(request)]
    return show(request, "runbooks", _("Runbooks"), books=found)


def _books(request: SignedIn) -> list[TemplateVersion]:
    if request.portal.tenant is not None:
        rows = queries.installations_of(request.portal.tenant.id)
        return [one.version for one in rows if one.version.runbook]
    partner = request.portal.partner
    return [version for version in queries.library(partner.id if partner else None) if version.runbook]


@door(signed_in=True)
def figures(request: SignedIn) -> HttpResponse:
    """Every key figure: unit, formula, source, and an example that is counted again by a test."""
    found = [
        {
            "kpi": kpi,
            "unit": _UNITS[kpi.unit],
            "better": _BETTER[kpi.better],
            "url": there("insights:figure", kpi.code),
        }
        for kpi in KPIS.values()
    ]
    return show(request, "figures", _("Key figures"), figures=found)


@door(signed_in=True)
def keys(request: SignedIn) -> HttpResponse:
    """The keyboard."""
    return show(request, "keys", _("Keyboard"))
