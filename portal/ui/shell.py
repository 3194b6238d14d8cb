"""What every page shows around its content: whose portal it is, where one may go, what waits.

Rooms add to it without being known here: `NAV` lists the entries (each is shown where its address exists and the
actor may read it), `@count` gives an entry its number, `@notices` fills the bell, `@banners` puts a line on top.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import translation
from django.utils.functional import Promise, cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from portal.permissions import WITHIN_REACH
from portal.request import PortalRequest
from tenants.access import queries as access
from tenants.access.enums import Role
from tenants.branding import queries as branding
from tenants.tenancy import context
from tenants.tenancy import queries as tenancy

_SWITCHER: Final = 60  # more than that are found by typing


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the sidebar: the name of its address, its word, its icon, what one needs, and on which hosts."""

    url: str
    label: str | Promise
    icon: str
    permission: str
    hosts: tuple[str, ...] = ("tenant",)
    group: str = "main"


@dataclass(frozen=True, slots=True)
class Notice:
    """A line under the bell."""

    text: str
    url: str
    at: datetime
    tone: str = "info"
    icon: str = "info"


@dataclass(frozen=True, slots=True)
class Banner:
    """A line above everything; `kind` test is striped."""

    text: str
    tone: str = "info"
    icon: str = "info"
    kind: str = ""
    url: str = ""
    action: str = ""
    post: bool = False


@dataclass(slots=True)
class Shown:
    """An entry as it stands on this page."""

    entry: Entry
    url: str
    current: bool
    count: int | None = None


PARTNER: Final = ("partner",)
PLATFORM: Final = ("platform",)
BOTH: Final = ("partner", "tenant")
SETUP: Final = "setup"

NAV: Final[list[Entry]] = [
    # a partner's console
    Entry("tenancy:fleet", lazy("Clients"), icon="building-2", permission="tenancy.read", hosts=PARTNER),
    Entry("templates:library", lazy("Templates"), icon="blocks", permission="templates.read", hosts=PARTNER),
    Entry("billing:partner", lazy("Plans and usage"), icon="receipt", permission="billing.read", hosts=PARTNER),
    # a client's portal
    Entry("insights:overview", lazy("Overview"), icon="layout-dashboard", permission="insights.read"),
    Entry("inbox:list", lazy("Exceptions"), icon="inbox", permission="inbox.read"),
    Entry("store:tasks", lazy("Store tasks"), icon="store", permission="tasks.do"),
    Entry("runs:list", lazy("Runs"), icon="activity", permission="engine.read"),
    Entry("workflows:list", lazy("Workflows"), icon="workflow", permission="engine.read"),
    Entry("tables:list", lazy("Decision tables"), icon="table-2", permission="engine.read"),
    Entry("templates:installed", lazy("Templates"), icon="blocks", permission="templates.read"),
    Entry("orders:list", lazy("Orders"), icon="shopping-bag", permission="insights.read"),
    Entry("events:explorer", lazy("Events"), icon="search", permission="events.read"),
    Entry("events:quarantine", lazy("Quarantine"), icon="octagon-alert", permission="events.quarantine"),
    # both
    Entry("connections:list", lazy("Connections"), icon="plug", permission="connectors.read", group=SETUP),
    Entry("notices:channels", lazy("Channels"), icon="megaphone", permission="settings.edit", group=SETUP),
    Entry("events:endpoints", lazy("Webhooks"), icon="webhook", permission="events.endpoints", group=SETUP),
    Entry("access:people", lazy("People"), icon="users", permission="access.people", hosts=BOTH, group=SETUP),
    Entry("access:rules", lazy("Signing in"), icon="shield-check", permission="access.policy", hosts=BOTH, group=SETUP),
    Entry("accounts:support", lazy("Support access"), icon="shield-alert", permission="access.support", group=SETUP),
    Entry("accounts:support", lazy("Support access"), "shield-alert", "tenancy.support", hosts=PARTNER, group=SETUP),
    Entry("branding:editor", lazy("Branding"), icon="palette", permission="branding.edit", hosts=PARTNER, group=SETUP),
    Entry("access:tokens", lazy("API tokens"), icon="key-round", permission="access.tokens", hosts=BOTH, group=SETUP),
    Entry("tenancy:secrets", lazy("Secrets"), icon="lock", permission="connectors.edit", group=SETUP),
    Entry("billing:plan", lazy("Plan and usage"), icon="receipt", permission="billing.read", group=SETUP),
    Entry("work:list", lazy("Long work"), icon="hourglass", permission="work.read", hosts=BOTH, group=SETUP),
    Entry("audit:trail", lazy("Audit log"), icon="scroll-text", permission="audit.read", hosts=BOTH, group=SETUP),
    Entry("privacy:subjects", lazy("Data subjects"), icon="users", permission="privacy.subjects", group=SETUP),
    Entry("privacy:retention", lazy("Retention"), "clock", "privacy.retention", hosts=BOTH, group=SETUP),
    Entry("tenancy:settings", lazy("Settings"), icon="settings", permission="settings.edit", group=SETUP),
    # the platform
    Entry("platform:start", lazy("Start"), icon="house", permission="platform.read", hosts=PLATFORM),
    Entry("styleguide", lazy("Style guide"), icon="palette", permission="platform.read", hosts=PLATFORM, group=SETUP),
    Entry("admin:index", lazy("Administer"), icon="wrench", permission="platform.read", hosts=PLATFORM, group=SETUP),
]  # fmt: skip

_counts: Final[dict[str, Callable[[PortalRequest], int | None]]] = {}
_notices: Final[list[Callable[[PortalRequest], Iterable[Notice]]]] = []
_banners: Final[list[Callable[[PortalRequest], Iterable[Banner]]]] = []


def count(
    url: str,
) -> Callable[[Callable[[PortalRequest], int | None]], Callable[[PortalRequest], int | None]]:
    """Register the number beside a sidebar entry: `@count("inbox:list")` over a function of the request."""

    def register(provider: Callable[[PortalRequest], int | None]) -> Callable[[PortalRequest], int | None]:
        _counts[url] = provider
        return provider

    return register


def notices(
    provider: Callable[[PortalRequest], Iterable[Notice]],
) -> Callable[[PortalRequest], Iterable[Notice]]:
    """Register lines for the bell."""
    _notices.append(provider)
    return provider


def banners(
    provider: Callable[[PortalRequest], Iterable[Banner]],
) -> Callable[[PortalRequest], Iterable[Banner]]:
    """Register lines above every page."""
    _banners.append(provider)
    return provider


def shell(request: HttpRequest) -> dict[str, Any]:
    """Django's context processor: the frame, worked out only where a template asks for it."""
    frame = Shell(request)  # type: ignore[arg-type] # our middleware made it one of ours
    return {
        "portal": getattr(request, "portal", None),
        "actor": getattr(request, "actor", None),
        "brand": frame.brand,
        "shell": frame,
        "clock": frame.clock,
    }


@dataclass
class Shell:
    """The frame of one page; each part is worked out once, when asked for."""

    request: PortalRequest
    portal: Any = field(init=False)
    actor: Any = field(init=False)

    def __post_init__(self) -> None:
        """An early error page has neither portal nor actor."""
        self.portal = getattr(self.request, "portal", None)
        self.actor = getattr(self.request, "actor", None)

    @cached_property
    def user(self) -> Any:
        """Who is signed in, or None."""
        user = getattr(self.request, "user", None)
        return user if user is not None and user.is_authenticated else None

    @cached_property
    def brand(self) -> branding.BrandRef:
        """The partner's brand; on the platform's own host and on unknown ones nobody's."""
        if self.portal is None:
            return branding.neutral()
        if self.portal.partner is None:
            return branding.neutral("platform", _("Operator console"))
        return branding.brand_of(self.portal.partner)

    @cached_property
    def clock(self) -> datetime | None:
        """The present of a sandbox that lives on its own clock; None where everybody's counts."""
        tenant = self.portal.tenant if self.portal else None
        return tenancy.virtual_now(tenant.id) if tenant is not None and tenant.virtual else None

    # how the page looks to this reader
    @property
    def theme(self) -> str:
        """auto, light or dark."""
        return str(self.user.theme) if self.user else "auto"

    @property
    def density(self) -> str:
        """comfortable or compact."""
        return str(self.user.density) if self.user else "comfortable"

    @property
    def keys(self) -> str:
        """Whether single letters act: kept in the browser, since it is about this keyboard."""
        return "off" if self.request.COOKIES.get("keys") == "off" else "on"

    @property
    def direction(self) -> str:
        """ltr, or rtl for a language written that way."""
        return "rtl" if translation.get_language_bidi() else "ltr"

    @property
    def languages(self) -> list[tuple[str, str]]:
        """The languages to choose from."""
        return list(settings.LANGUAGES)

    @cached_property
    def script_words(self) -> dict[str, str]:
        """What the scripts say, in the reader's language."""
        return {
            "undo": _("Undo"),
            "undone": _("Undone"),
            "notUndone": _("This can no longer be undone."),
            "copied": _("Copied %s"),
            "notCopied": _("Your browser did not allow copying."),
            "found": _("%s found"),
            "noHits": _("Nothing found"),
            "searchFailed": _("The search did not answer. Try again."),
            "offline": _("The portal did not answer. Check your connection and try again."),
            "failed": _("That did not work. Nothing was changed."),
            "scan": _("Scan"),
            "noPasskeys": _("This browser has no passkeys."),
            "notShown": _("That did not work. Try again, or choose another way."),
        }

    # where one is, and may go
    @cached_property
    def nav(self) -> list[tuple[str, list[Shown]]]:
        """(group, entries) for the sidebar: what exists on this kind of host and what the actor may read."""
        found: dict[str, list[Shown]] = {"main": [], "setup": []}
        if self.portal is None or self.actor is None:
            return []
        for entry in NAV:
            if self.portal.kind not in entry.hosts or not self.actor.may(entry.permission):
                continue
            if self.actor.scoped_as is not None and entry.url not in WITHIN_REACH:
                continue
            try:
                url = reverse(entry.url)
            except NoReverseMatch:
                continue  # the room has no page yet
            found[entry.group].append(Shown(entry, url, False, self._count(entry.url)))
        self._mark_current([shown for group in found.values() for shown in group])
        return [(group, shown) for group, shown in found.items() if shown]

    def _mark_current(self, shown: list[Shown]) -> None:
        """The entry whose address is the longest beginning of the present one."""
        path = self.request.path
        fitting = [one for one in shown if path == one.url or (one.url != "/" and path.startswith(one.url))]
        if fitting:
            max(fitting, key=lambda one: len(one.url)).current = True

    def _count(self, url: str) -> int | None:
        provider = _counts.get(url)
        return provider(self.request) if provider else None

    @cached_property
    def places(self) -> list[access.Place]:
        """Where the switcher leads."""
        return access.places(self.user, limit=_SWITCHER) if self.user else []

    @property
    def place(self) -> tuple[str, str]:
        """(name, words under it) of where one is."""
        if self.portal is None or self.portal.partner is None:
            return _("Platform"), _("Operator console")
        if self.portal.tenant is None:
            return _("All clients"), _("Partner console")
        tenant = self.portal.tenant
        return tenant.name, _("Sandbox") if tenant.sandbox else self._state(tenant.state)

    @staticmethod
    def _state(state: str) -> str:
        return {"trial": _("Trial"), "active": _("Live"), "suspended": _("Suspended")}.get(state, state)

    @property
    def role(self) -> str:
        """The reader's roles here, in words."""
        if not self.actor:
            return ""
        known = {role.value: str(role.label) for role in Role}
        return ", ".join(known.get(role, _("Platform operator")) for role in self.actor.roles)

    # what waits
    @cached_property
    def notices(self) -> list[Notice]:
        """The newest lines under the bell."""
        if (
            not self.actor or self.actor.scoped_as is not None
        ):  # what was told earlier may be beyond their reach
            return []
        found = [notice for provider in _notices for notice in provider(self.request)]
        return sorted(found, key=lambda notice: notice.at, reverse=True)[:20]

    @cached_property
    def banners(self) -> list[Banner]:
        """Lines above the page: test mode, suspension, and what rooms add."""
        tenant = context.current_or_none()
        found: list[Banner] = []
        if tenant is not None and tenant.sandbox:
            found.append(
                Banner(
                    _("Sandbox. Nothing here is real: no order, no message, no figure."),
                    tone="warn",
                    icon="flask-conical",
                    kind="test",
                )
            )
        if tenant is not None and tenant.state == "suspended":
            found.append(
                Banner(
                    _("This client is suspended: everything can be read, nothing can be changed."),
                    tone="warn",
                    icon="circle-pause",
                )
            )
        return found + [banner for provider in _banners for banner in provider(self.request)]
