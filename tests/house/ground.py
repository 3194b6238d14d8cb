"""The ground of the access matrix: three furnished clients of two partners, and everybody who may knock.

Hollis is asked; Novel is another client of the same partner, Arbor one of another partner. What each of them owns
carries a mark of its own, so that an answer shows whose objects it speaks of.
"""

import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.test import Client
from PIL import Image

from kernel import clock, ids
from kernel import jobs as kernel_jobs
from kernel.ids import parse_public_id
from portal.admin.site import site
from tenants.access import actions as access
from tenants.access import catalog
from tenants.access.enums import Role
from tenants.access.models import User
from tenants.audit import actions as audit
from tenants.branding import actions as branding
from tenants.tenancy import actions as tenancy
from tenants.tenancy import context, queries
from tenants.tenancy.models import Partner, Tenant
from tests.house import world
from tests.house.world import BY, World
from tests.support import cast as the_cast
from tests.support.admitting import admit
from tests.support.cast import NOW, Cast

MARKS: Final = {
    "hollis": "Zephyr",
    "novel": "Quillon",
    "arbor": "Vandor",
    "meridian": "Bexhill",
    "lumen": "Krailing",
}
SEES: Final = {
    "tenant": {MARKS["hollis"]},
    "partner": {MARKS["hollis"], MARKS["novel"], MARKS["meridian"]},
    "platform": set(MARKS.values()),
}
"""Whose marks may stand in answers of each kind of host, to those who belong there."""
_ID: Final = re.compile(r"[a-z]+_[0-9a-hjkmnp-tv-z]{26}")
NARROW: Final = frozenset({"settings.edit"})
"""The scope of a token that lacks every scope that the API asks for."""


@dataclass(frozen=True)
class Caller:
    """Who knocks: by what they show (`session`, `token`, a token or session of elsewhere, nothing), with what rights.

    `in_clients`: what partner staff may do in every client, and so in pages of their console that are about one.
    """

    name: str
    kind: str
    shows: str = "session"
    permissions: frozenset[str] = frozenset()
    in_clients: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return f"{self.name} at the {self.kind}"

    @property
    def inside(self) -> bool:
        """Whether they have any business on this host."""
        return bool(self.permissions)

    @property
    def strong(self) -> bool:
        """Whether they may so much that only the owner of an object can stand in their way."""
        strong = {"tenant": ("owner", "token"), "partner": ("partner_admin", "console_token")}
        return self.inside and self.name in strong.get(self.kind, ())

    @property
    def thorough(self) -> bool:
        """Whether they also ask by methods that an address does not name."""
        return self.inside and (self.kind, self.name) in (("tenant", "owner"), ("partner", "partner_admin"))

    @property
    def foreign(self) -> list[str]:
        """Whose objects are not theirs: to a partner's console those of all its clients are near."""
        return ["arbor"] if self.kind == "partner" else ["novel", "arbor"]


def _at_tenant() -> Iterator[Caller]:
    people = {
        "owner": Role.TENANT_ADMIN,
        "manager": Role.OPERATIONS_MANAGER,
        "reviewer": Role.REVIEWER,
        "staff": Role.STORE_STAFF,
        "analyst": Role.ANALYST,
        "auditor": Role.AUDITOR,
        "partner_admin": Role.PARTNER_ADMIN,
        "partner_engineer": Role.PARTNER_ENGINEER,
    }
    for name, role in people.items():
        held = catalog.IN_TENANT[role]
        staff = role in catalog.PARTNER_ROLES
        yield Caller(name, "tenant", permissions=held - catalog.NOT_IN_SUPPORT if staff else held)
    yield Caller("token", "tenant", "token", catalog.IN_TENANT[Role.PARTNER_ADMIN])
    yield Caller("narrow_token", "tenant", "token", NARROW)
    for name in ("stranger", "novel_owner", "other_owner", "other_partner_admin", "operator"):
        yield Caller(name, "tenant")
    for name in ("novel_token", "other_token", "console_token"):
        yield Caller(name, "tenant", "token of elsewhere")
    yield Caller("owner_with_a_session_of_elsewhere", "tenant", "session of elsewhere")
    yield Caller("nobody", "tenant", "nothing")


def _at_partner() -> Iterator[Caller]:
    for role in catalog.PARTNER_ROLES:
        here, there = catalog.AT_PARTNER[role], catalog.IN_TENANT[role]
        yield Caller(str(role.value), "partner", permissions=here, in_clients=there)
    yield Caller("console_token", "partner", "token", catalog.AT_PARTNER[Role.PARTNER_ADMIN])
    yield Caller("narrow_console_token", "partner", "token", NARROW)
    for name in ("owner", "auditor", "stranger", "other_partner_admin", "other_owner", "operator"):
        yield Caller(name, "partner")
    for name in ("token", "other_console_token"):
        yield Caller(name, "partner", "token of elsewhere")
    yield Caller("partner_admin_with_a_session_of_elsewhere", "partner", "session of elsewhere")
    yield Caller("nobody", "partner", "nothing")


def _at_platform() -> Iterator[Caller]:
    yield Caller("operator", "platform", permissions=catalog.OPERATOR)
    yield Caller("partner_admin", "platform")
    yield Caller("nobody", "platform", "nothing")


CALLERS: Final = [*_at_tenant(), *_at_partner(), *_at_platform()]


@dataclass
class Ground:
    """What stands there: the worlds by slug, the people, their tokens, and the ids that addresses are filled with."""

    cast: Cast
    worlds: dict[str, World]
    people: dict[str, User]
    tokens: dict[str, str] = field(default_factory=dict)
    rows: dict[str, str] = field(default_factory=dict)

    @property
    def marks(self) -> set[str]:
        """All marks there are."""
        return set(MARKS.values())

    def seen(self, caller: Caller) -> set[str]:
        """Whose objects this caller may be told of."""
        return SEES[caller.kind] if caller.inside else set()

    def keys(self, whose: str) -> set[UUID]:
        """The keys of what somebody owns."""
        return {
            parse_public_id(text.partition("_")[0], text)
            for text in self.worlds[whose].ids.values()
            if _ID.fullmatch(text)
        }

    def host(self, kind: str) -> str:
        """The host of that kind that is asked."""
        return {
            "platform": self.cast.platform_host,
            "partner": self.cast.partner_host,
            "tenant": self.cast.host,
        }[kind]

    def ids(self, kind: str, whose: str) -> Mapping[str, str]:
        """What addresses of that kind of host are filled with: `own`, of `novel` (a sibling), or of `arbor`."""
        console = {"own": "meridian", "novel": "meridian", "arbor": "lumen"}[whose]
        tenant = self.worlds["hollis" if whose == "own" else whose].ids
        found = {**tenant, **self.worlds[console].ids} if kind == "partner" else dict(tenant)
        brand = "meridian" if kind != "platform" else "nobody"
        found |= {f"brand-{what}:slug": brand for what in ("css", "mark", "logo", "favicon")}
        found |= {f"brand-{what}:version": "v1" for what in ("css", "mark", "logo", "favicon")}
        found["place"] = tenant["tenant"]
        return {**found, **self.rows} if kind == "platform" else found

    def knock(self, caller: Caller) -> Client:
        """A browser or a machine that shows what the caller shows."""
        host = self.host(caller.kind)
        if caller.shows.startswith("token"):
            return Client(HTTP_HOST=host, HTTP_AUTHORIZATION=f"Bearer {self.tokens[caller.name]}")
        browser = Client(HTTP_HOST=host)
        if caller.shows.startswith("session"):
            name, _, elsewhere = caller.name.partition("_with_a_session")
            browser.force_login(self.people[name], backend=settings.AUTHENTICATION_BACKENDS[0])
            session = browser.session
            session["host"] = f"novel.{self.cast.partner_host}" if elsewhere else host
            if support := admit(self.people[name], host):
                session["support"] = support
            session.save()
        return browser


def furnish() -> Ground:
    """Make it all, by the rooms' own actions."""
    with clock.hold(NOW), kernel_jobs.recorded() as recorded:
        cast = the_cast.load()
        novel = provision("meridian", "novel")
        recorded.run_all()
        novel_ref = queries.ref_of(Tenant.objects.get(pk=novel.pk))
        tokens = _give_tokens()  # before duties are kept apart: some of them may do everything
        worlds = {
            "hollis": world.of_tenant(cast.tenant, MARKS["hollis"]),
            "novel": world.of_tenant(novel_ref, MARKS["novel"]),
            "arbor": world.of_tenant(cast.other_tenant, MARKS["arbor"]),
            "meridian": world.of_partner(cast.partner.id, MARKS["meridian"]),
            "lumen": world.of_partner(cast.other_partner.id, MARKS["lumen"]),
        }
        people = {**vars(cast), "novel_owner": User.objects.get(email="nora@novel.test")}
        ground = Ground(cast, worlds, people, tokens, rows=dict(_office_rows()))
        branding.set_logo(
            partner=Partner.objects.get(slug="meridian"), picture=picture("navy"), actor=BY, now=NOW
        )
        branding.set_favicon(
            partner=Partner.objects.get(slug="meridian"), picture=picture("teal"), actor=BY, now=NOW
        )
        for place in (cast.tenant, novel_ref, cast.other_tenant):
            with context.enter(place):
                audit.seal(now=NOW)
        audit.seal(now=NOW)
        return ground


def picture(colour: str) -> bytes:
    """A small picture in one colour, as PNG."""
    made = io.BytesIO()
    Image.new("RGB", (64, 64), colour).save(made, "PNG")
    return made.getvalue()


def _office_rows() -> Iterator[tuple[str, str]]:
    """A row of each list of the office; of an empty list a key that no row has."""
    for model in site._registry:
        row = model._default_manager.order_by("pk").values_list("pk", flat=True).first()
        yield f"{model._meta.app_label}/{model._meta.model_name}", str(row or ids.uuid7())


def provision(partner: str, slug: str) -> Tenant:
    return tenancy.request_tenant(
        partner=Partner.objects.get(slug=partner),
        name=f"{slug.title()} & Co",
        slug=slug,
        people=[{"email": f"nora@{slug}.test", "name": "Nora", "role": Role.TENANT_ADMIN}],
        actor=BY,
        now=NOW,
    ).tenant


def _give_tokens() -> dict[str, str]:
    every = sorted(catalog.PERMISSIONS)
    places: dict[str, tuple[str, str | None, Any]] = {
        "token": ("meridian", "hollis", sorted(catalog.IN_TENANT[Role.PARTNER_ADMIN])),
        "novel_token": ("meridian", "novel", every),
        "other_token": ("lumen", "arbor", every),
        "console_token": ("meridian", None, sorted(catalog.AT_PARTNER[Role.PARTNER_ADMIN])),
        "other_console_token": ("lumen", None, every),
    }
    return {
        **{name: _token(partner, tenant, name, scopes) for name, (partner, tenant, scopes) in places.items()},
        "narrow_token": _token("meridian", "hollis", "narrow", sorted(NARROW)),
        "narrow_console_token": _token("meridian", None, "narrow console", sorted(NARROW)),
    }


def _token(partner: str, tenant: str | None, name: str, scopes: list[str]) -> str:
    return access.make_token(
        partner=Partner.objects.get(slug=partner),
        tenant=Tenant.objects.get(slug=tenant) if tenant else None,
        name=name,
        scopes=scopes,
        expires_at=None,
        actor=BY,
        now=NOW,
    )[1]
