"""A4: through the console of one partner at the client of another; three partners, each against the others."""

from collections.abc import Callable
from typing import Any

from django.test import Client

from kernel.actor import system
from tenants.access import actions as access
from tenants.access.enums import Role
from tenants.access.models import User
from tenants.tenancy import actions as tenancy
from tenants.tenancy.models import Tenant
from tests.house.asking import fingerprint
from tests.house.routes import ROUTES, Route
from tests.support.cast import NOW, Cast

BY = system("test")
MARKS = ("Hollis Home", "Arbor Outdoor", "Grove Garden")


def third(cast: Cast) -> tuple[User, str, Tenant]:
    """A third partner: its admin, its host, its client."""
    partner = tenancy.create_partner(slug="umbra", name="Umbra Systems", actor=BY, now=NOW)
    member = access.add_member(
        partner=partner,
        tenant=None,
        email="ulla@umbra.test",
        name="Ulla Umbra",
        role=Role.PARTNER_ADMIN,
        actor=BY,
        now=NOW,
    )
    tenancy.request_tenant(partner=partner, name="Grove Garden", slug="grove", people=[], actor=BY, now=NOW)
    host = cast.partner_host.replace("meridian", "umbra")
    return member.user, host, Tenant.objects.get(slug="grove")


def about_a_client() -> list[Route]:
    return [route for route in ROUTES if route.kind == "partner" and "tenant" in route.parts]


def test_every_address_of_a_client_is_unknown_at_the_console_of_another_partner(
    cast: Cast, client_for: Callable[..., Client], now: Any
) -> None:
    own = {
        "meridian": (cast.partner_admin, cast.partner_host, Tenant.objects.get(slug="hollis")),
        "lumen": (cast.other_partner_admin, cast.other_partner_host, Tenant.objects.get(slug="arbor")),
        "umbra": third(cast),
    }
    browsers = {name: client_for(user, host) for name, (user, host, _) in own.items()}
    for browser in browsers.values():
        browser.get("/")
    before, asked = fingerprint(), 0
    others = dict.fromkeys({part for route in about_a_client() for part in route.parts}, "x")
    for name, browser in browsers.items():
        for whose, (_, _, client) in own.items():
            if whose == name:
                continue
            for route in about_a_client():
                address = route.address({**others, "tenant": client.public_id})
                for method in route.methods:
                    answer = browser.generic(method, address, b"{}", "application/json")
                    assert answer.status_code in ((400, 404, 405) if method != "GET" else (404, 405)), (
                        name,
                        method,
                        address,
                        answer.status_code,
                    )
                    assert client.name not in answer.content.decode(), (name, address)
                    asked += 1
    assert asked > 200
    assert fingerprint() == before
    listed = browsers["meridian"].get("/api/v1/tenants").content.decode()
    assert [mark in listed for mark in MARKS] == [True, False, False]


def test_one_s_own_client_is_there(cast: Cast, client_for: Callable[..., Client], now: Any) -> None:
    """The same request that is refused above, for the right client."""
    own = Tenant.objects.get(slug="hollis").public_id
    assert client_for(cast.partner_admin, cast.partner_host).get(f"/api/v1/tenants/{own}").status_code == 200
