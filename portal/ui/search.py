"""Search and the command palette: one page, asked by both. Rooms add what they can find.

`@finds` over a function of the request and the typed text that gives hits; it must be quick, and may give none.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import structlog
from django.http import HttpResponse
from django.urls import NoReverseMatch, resolve, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.permissions import WITHIN_REACH, door
from portal.request import SignedIn
from portal.ui.kit.pages import page
from portal.ui.shell import Shell
from tenants.tenancy import queries

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Hit:
    """Something found: under which heading, its words, where it is."""

    group: str | Promise
    title: str | Promise
    url: str
    icon: str = "chevron-right"
    note: str | Promise = ""


Finder = Callable[[SignedIn, str], Iterable[Hit]]
_finders: Final[list[Finder]] = []
_PER_GROUP: Final = 8


def finds(finder: Finder) -> Finder:
    """Register a finder."""
    _finders.append(finder)
    return finder


@door(signed_in=True)
def search(request: SignedIn) -> HttpResponse:
    """What fits the text, by heading: a page, or its hits for the palette."""
    text = " ".join(request.GET.get("q", "").split())[:200]
    groups: dict[str, list[Hit]] = {}
    for finder in _finders:
        for hit in finder(request, text):
            found = groups.setdefault(str(hit.group), [])
            if len(found) < _PER_GROUP and hit not in found and _open_to(request, hit):
                found.append(hit)
    groups = {name: hits for name, hits in groups.items() if hits}
    context = {"q": text, "groups": groups, "crumbs": [(_("Search"), "")]}
    return page(request, "search/page.html", context, part="hits")


def _open_to(request: SignedIn, hit: Hit) -> bool:
    """Whether it leads to where one gets in: who is let in for parts of a client finds nothing on other pages."""
    if request.actor.scoped_as is None:
        return True
    return resolve(urlsplit(hit.url).path).view_name in WITHIN_REACH


@finds
def pages(request: SignedIn, text: str) -> Iterable[Hit]:
    """Pages of the sidebar."""
    for _group, shown in Shell(request).nav:
        for one in shown:
            if text.lower() in str(one.entry.label).lower():
                yield Hit(gettext_lazy("Pages"), one.entry.label, one.url, icon=one.entry.icon)
    if text and text.lower() in _("Profile and settings").lower():
        yield Hit(gettext_lazy("Pages"), _("Profile and settings"), reverse("profile"), icon="user-round")


_ACTIONS: Final = (
    ("tenancy.provision", "tenancy:new-start", gettext_lazy("Set up a new client"), "plus"),
    ("access.people", "access:add", gettext_lazy("Add a person"), "user-plus"),
    ("access.tokens", "access:token-add", gettext_lazy("Make an API token"), "key-round"),
    ("connectors.edit", "connections:new", gettext_lazy("Connect a system"), "plug"),
    ("events.endpoints", "events:endpoint-add", gettext_lazy("Make an endpoint"), "webhook"),
    ("engine.operate", "runs:bulk_start", gettext_lazy("Act on many runs"), "rotate-cw"),
)


@finds
def actions(request: SignedIn, text: str) -> Iterable[Hit]:
    """Things to do."""
    for permission, name, words, symbol in _ACTIONS:
        if request.actor.may(permission) and text.lower() in str(words).lower():
            try:
                yield Hit(gettext_lazy("Actions"), words, reverse(name), icon=symbol)
            except NoReverseMatch:
                continue  # not on this kind of host


@finds
def clients(request: SignedIn, text: str) -> Iterable[Hit]:
    """Clients by name, address, or pasted id."""
    partner = request.portal.partner
    if (
        not text
        or partner is None
        or request.portal.tenant is not None
        or not request.actor.may("tenancy.read")
    ):
        return
    wanted = text.lower()
    for tenant in queries.tenants_of(partner.id):
        if wanted in f"{tenant.name} {tenant.slug} {tenant.public_id}".lower():
            yield Hit(
                gettext_lazy("Clients"),
                tenant.name,
                reverse("tenancy:detail", args=[tenant.public_id]),
                icon="store",
                note=str(tenant.get_state_display()),
            )
