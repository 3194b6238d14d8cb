"""A53: a portal under another's name: unproven, released, reserved, beneath; against a real name server."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from kernel import dns
from kernel.actor import system
from kernel.errors import Conflict, Invalid
from tenants.branding import actions, queries
from tenants.branding.actions import domains
from tenants.branding.errors import HostTaken, NotProven
from tenants.branding.models import DomainClaim, ReleasedDomain
from tenants.tenancy.models import Domain, Partner, Tenant
from tenants.tenancy.queries import forget_hosts, primary_host
from tests.support import names
from tests.support.cast import NOW, Cast

BY = system("test")
HOST = "portal.shop-example.com"


@pytest.fixture(autouse=True)
def _own_names() -> None:
    names.start()


@pytest.fixture
def meridian(cast: Cast) -> Partner:
    return Partner.objects.get(slug="meridian")


@pytest.fixture
def lumen(cast: Cast) -> Partner:
    return Partner.objects.get(slug="lumen")


def claim(partner: Partner, host: str = HOST, tenant: Tenant | None = None, now: Any = NOW) -> DomainClaim:
    return actions.claim_domain(partner=partner, tenant=tenant, host=host, actor=BY, now=now)


def proven(partner: Partner, host: str = HOST, tenant: Tenant | None = None, now: Any = NOW) -> DomainClaim:
    made = claim(partner, host, tenant, now)
    names.say(queries.proof_name(made.host), "v=spf1 -all", queries.proof_value(made))
    return actions.verify_domain(claim=made, actor=BY, now=now)


def served(host: str = HOST, path: str = "/sign-in") -> int:
    forget_hosts()
    return Client(HTTP_HOST=host).get(path).status_code


def asks(host: str) -> int:
    forget_hosts()
    return Client(HTTP_HOST="127.0.0.1").get("/tls-ask", {"domain": host}).status_code


def test_a_name_is_served_only_once_its_zone_says_so(meridian: Partner) -> None:
    made = claim(meridian)
    names.say(queries.proof_name(HOST))
    assert (served(), asks(HOST)) == (404, 404)
    with pytest.raises(NotProven):
        actions.verify_domain(claim=made, actor=BY, now=NOW)
    names.say(queries.proof_name(HOST), "portal-verify=somebody-elses-nonce")
    with pytest.raises(NotProven):
        actions.verify_domain(claim=made, actor=BY, now=NOW)
    assert (served(), asks(HOST)) == (404, 404)
    names.say(queries.proof_name(HOST), queries.proof_value(made))
    actions.verify_domain(claim=made, actor=BY, now=NOW)
    assert asks(HOST) == 200
    assert queries.proof_name(HOST) in names.asked()
    actions.make_primary(partner=meridian, tenant=None, host=HOST, actor=BY, now=NOW)
    assert served() == 200


def test_the_door_of_certificates_opens_for_served_hosts_alone(cast: Cast, meridian: Partner) -> None:
    assert asks(cast.host) == asks(cast.partner_host) == 200
    for host in ("", "evil.example.com", f"x.{settings.BASE_DOMAIN}", "*", f"{cast.host}.evil.com", "a b"):
        assert asks(host) == 404, host


def test_of_two_who_claim_a_name_the_one_with_the_zone_gets_it(meridian: Partner, lumen: Partner) -> None:
    squatter, owner = claim(lumen), claim(meridian)
    names.say(queries.proof_name(HOST), queries.proof_value(owner))
    with pytest.raises(NotProven):
        actions.verify_domain(claim=squatter, actor=BY, now=NOW)
    actions.verify_domain(claim=owner, actor=BY, now=NOW)
    names.say(queries.proof_name(HOST), queries.proof_value(squatter))
    with pytest.raises(HostTaken):
        actions.verify_domain(claim=squatter, actor=BY, now=NOW)
    with pytest.raises(HostTaken):
        claim(lumen, HOST.upper())
    assert Domain.objects.get(host=HOST).partner == meridian


def test_a_name_beneath_anothers_is_refused(meridian: Partner, lumen: Partner) -> None:
    proven(meridian, "shop-example.com")
    with pytest.raises(HostTaken):
        claim(lumen, "portal.shop-example.com")
    assert claim(meridian, "portal.shop-example.com").pk


def test_a_released_name_stays_its_last_partners_for_a_month(meridian: Partner, lumen: Partner) -> None:
    made = proven(meridian)
    actions.release_domain(claim=made, actor=BY, now=NOW)
    assert (served(), asks(HOST)) == (404, 404)
    for days in (0, 1, 29):
        with pytest.raises(HostTaken):
            claim(lumen, now=NOW + timedelta(days=days))
    later = NOW + timedelta(days=31)
    assert proven(lumen, now=later).verified_at == later
    assert not ReleasedDomain.objects.filter(host=HOST).exists()


def test_its_last_partner_may_have_it_back_at_once(meridian: Partner) -> None:
    actions.release_domain(claim=proven(meridian), actor=BY, now=NOW)
    assert proven(meridian).verified_at == NOW


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "example",
        "127.0.0.1",
        "10.1.2.3",
        "::1",
        "a..b.com",
        "-a.example.com",
        "a_b.example.com",
        "a b.example.com",
        "x.local",
        "x.internal",
        "x.test",
        "http://x.example.com",
        "x.example.com/path",
        "x.example.com:80",
        f"{'a' * 64}.example.com",
        ".".join(["a" * 60] * 5) + ".com",
        "*.example.com",
        "",
        "x.example.com\r\nHost: evil",
    ],
)
def test_what_is_no_name_of_somebodys_own_is_no_claim(meridian: Partner, host: str) -> None:
    with pytest.raises(Invalid):
        claim(meridian, host)


def test_names_of_the_platform_are_not_to_be_claimed(meridian: Partner, cast: Cast) -> None:
    base = settings.BASE_DOMAIN
    for host in (base, f"admin.{base}", cast.other_host, f"new.{cast.partner_host}"):
        with pytest.raises((Invalid, HostTaken)):
            claim(meridian, host)


def test_a_look_alike_is_kept_as_what_it_is(meridian: Partner) -> None:
    assert claim(meridian, "pörtal.example.com").host == "xn--prtal-jua.example.com"
    assert claim(meridian, "\u0440ay.example.com").host.startswith("xn--")


def test_a_proof_that_is_gone_takes_the_name_off_after_three_days(meridian: Partner, cast: Cast) -> None:
    made = proven(meridian)
    actions.make_primary(partner=meridian, tenant=None, host=HOST, actor=BY, now=NOW)
    names.say(queries.proof_name(HOST))
    for days in (1, 2, 3):
        actions.recheck_domain(claim_id=made.pk, now=NOW + timedelta(days=days))
        assert asks(HOST) == 200, days
    actions.recheck_domain(claim_id=made.pk, now=NOW + timedelta(days=4))
    assert asks(HOST) == 404
    assert primary_host(partner_id=meridian.id) == cast.partner_host
    assert served(cast.partner_host) == 200


def test_silent_name_servers_take_nothing_off(meridian: Partner, monkeypatch: pytest.MonkeyPatch) -> None:
    made = proven(meridian)

    def silent(*_: object) -> list[str]:
        raise dns.NameServersSilent

    monkeypatch.setattr(domains.dns, "texts", silent)
    for days in range(1, 20):
        actions.recheck_domain(claim_id=made.pk, now=NOW + timedelta(days=days))
    assert asks(HOST) == 200


def test_pages_lead_to_the_first_name_and_forms_and_machines_stay(meridian: Partner, cast: Cast) -> None:
    proven(meridian)
    forget_hosts()
    found = Client(HTTP_HOST=HOST).get("/sign-in?next=/x")
    assert (found.status_code, found["Location"]) == (302, f"http://{cast.partner_host}/sign-in?next=/x")
    assert Client(HTTP_HOST=HOST).get("/api/v1/").status_code != 302
    actions.make_primary(partner=meridian, tenant=None, host=HOST, actor=BY, now=NOW)
    forget_hosts()
    found = Client(HTTP_HOST=cast.partner_host).get("/sign-in")
    assert (found.status_code, found["Location"]) == (302, f"http://{HOST}/sign-in")
    assert (
        Client(HTTP_HOST=cast.partner_host)
        .get("//evil.example.com/")
        .get("Location", "")
        .startswith((f"http://{HOST}/", ""))
    )


def test_an_unproven_name_is_never_the_first(meridian: Partner, lumen: Partner) -> None:
    claim(meridian)
    theirs = proven(lumen, "portal.lumen-example.com")
    for host in (HOST, theirs.host):
        with pytest.raises(Conflict):
            actions.make_primary(partner=meridian, tenant=None, host=host, actor=BY, now=NOW)


def test_a_partner_reaches_its_own_claims_alone(
    lumen: Partner, cast: Cast, client_for: Callable[..., Client]
) -> None:
    theirs = claim(lumen)
    mine = client_for(cast.partner_admin, cast.partner_host)
    for act in ("check", "first", "release"):
        assert mine.post(f"/branding/domains/{theirs.public_id}/{act}").status_code == 404
    assert HOST not in mine.get("/branding/domains/").content.decode()
    assert mine.post("/branding/domains/", {"host": "own.shop-example.com"}).status_code == 302
    page = mine.get("/branding/domains/").content.decode()
    assert "_portal-challenge.own.shop-example.com" in page
    tenants = {one.public_id for one in Tenant.objects.filter(partner=lumen)}
    foreign = {"host": "x.shop-example.com", "leads_to": tenants.pop()}
    assert mine.post("/branding/domains/", foreign).status_code == 422


def test_claims_that_came_to_nothing_are_forgotten(meridian: Partner) -> None:
    claim(meridian)
    assert actions.forget_claims(now=NOW + timedelta(days=13)) == 0
    assert actions.forget_claims(now=NOW + timedelta(days=15)) == 1
