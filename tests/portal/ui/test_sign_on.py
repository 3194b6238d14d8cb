"""Single sign-on against a real OpenID Connect provider, in a process of its own."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client

from tenants.access.models import Membership, User
from tenants.accounts.actions import policies, providers, sign_on
from tenants.accounts.errors import NotByYourself, StillEnforced
from tenants.accounts.models import Identity, Provider
from tenants.audit.models import AuditEvent
from tenants.tenancy import context
from tenants.tenancy.models import Partner, Tenant
from tests.support import identity
from tests.support.cast import NOW, PASSWORD, Cast


@pytest.fixture(scope="module")
def provider() -> Iterator[identity.Provider]:
    with identity.running() as made:
        made.knows("sub-owner", email="owner@cast.test", email_verified=True, name="Orla")
        made.knows("sub-new", email="nova@cast.test", email_verified=True, name="Nova New")
        made.knows("sub-unverified", email="manager@cast.test", email_verified=False)
        made.knows("sub-beyond", email="partner_admin@cast.test", email_verified=True)
        made.knows("sub-elsewhere", email="nova@other.test", email_verified=True)
        yield made


@pytest.fixture
def trusted(cast: Cast, provider: identity.Provider, settings: Any) -> Provider:
    """The provider, trusted by Hollis."""
    settings.EGRESS_ALLOW = frozenset({provider.opened})
    return trust(cast, provider, tenant=True)


def trust(cast: Cast, provider: identity.Provider, *, tenant: bool, role: str = "") -> Provider:
    return providers.add_provider(
        partner=Partner.objects.get(pk=cast.partner.id),
        tenant=Tenant.objects.get(pk=cast.tenant.id) if tenant else None,
        values={
            "name": "Cast ID",
            "issuer": provider.issuer,
            "client_id": "portal",
            "domains": ["cast.test"],
            "role": role,
        },
        secret="a secret of many letters",
        said=sign_on.metadata(provider.issuer),
        actor=cast.actor(cast.owner if tenant else cast.partner_admin, "" if tenant else cast.partner_host),
        now=NOW,
    )


def only(cast: Cast, *, by_sign_on: bool = True, on: bool = True) -> None:
    policies.set_policy(
        partner=Partner.objects.get(pk=cast.partner.id),
        tenant=Tenant.objects.get(pk=cast.tenant.id),
        values={"sign_on_only": on},
        by_sign_on=by_sign_on,
        actor=cast.actor(cast.owner),
        now=NOW,
    )


def test_somebody_comes_in_by_the_word_of_the_provider(
    cast: Cast, trusted: Provider, provider: identity.Provider
) -> None:
    browser = Client(HTTP_HOST=cast.host)
    assert "Sign in with Cast ID" in browser.get("/sign-in").content.decode()
    answer = identity.sign_on(browser, trusted, provider, "sub-owner", "/people/")
    assert (answer.status_code, answer["Location"]) == (302, "/people/")
    assert browser.get("/people/").status_code == 200
    row = Identity.objects.get()
    assert (row.user, row.issuer, row.subject) == (cast.owner, provider.issuer, "sub-owner")
    assert identity.sign_on(Client(HTTP_HOST=cast.host), trusted, provider, "sub-owner").status_code == 302
    assert Identity.objects.count() == 1


def test_who_is_known_stays_who_they_are_whatever_address_they_have_now(
    cast: Cast, trusted: Provider, provider: identity.Provider
) -> None:
    identity.sign_on(Client(HTTP_HOST=cast.host), trusted, provider, "sub-owner")
    provider.knows("sub-owner", email="analyst@cast.test", email_verified=True)
    browser = Client(HTTP_HOST=cast.host)
    identity.sign_on(browser, trusted, provider, "sub-owner")
    assert browser.session["_auth_user_id"] == str(cast.owner.pk)
    provider.knows("sub-owner", email="owner@cast.test", email_verified=True, name="Orla")


@pytest.mark.parametrize("subject", ["sub-unverified", "sub-beyond", "sub-elsewhere", "sub-new"])
def test_whom_the_provider_cannot_speak_for_stays_outside(
    cast: Cast, trusted: Provider, provider: identity.Provider, subject: str
) -> None:
    browser = Client(HTTP_HOST=cast.host)
    assert identity.sign_on(browser, trusted, provider, subject)["Location"] == "/sign-in"
    assert "_auth_user_id" not in browser.session
    assert not Identity.objects.exists()
    assert not User.objects.filter(email="nova@cast.test").exists()


def test_a_provider_may_bring_people_with_a_role(
    cast: Cast, provider: identity.Provider, settings: Any
) -> None:
    settings.EGRESS_ALLOW = frozenset({provider.opened})
    row = trust(cast, provider, tenant=True, role="analyst")
    browser = Client(HTTP_HOST=cast.host)
    identity.sign_on(browser, row, provider, "sub-new")
    made = Membership.objects.get(user__email="nova@cast.test")
    assert (made.tenant_id, made.role, made.user.name) == (cast.tenant.id, "analyst", "Nova New")
    assert browser.get("/figures/").status_code == 200
    assert not made.user.has_usable_password()


def test_sso_only_refuses_passwords_at_the_next_request(
    cast: Cast, trusted: Provider, provider: identity.Provider
) -> None:
    by_password = Client(HTTP_HOST=cast.host)
    by_password.post("/sign-in", {"email": "owner@cast.test", "password": PASSWORD})
    by_provider = Client(HTTP_HOST=cast.host)
    identity.sign_on(by_provider, trusted, provider, "sub-owner")
    assert by_password.get("/people/").status_code == 200
    only(cast)
    assert by_password.get("/people/").status_code == 302
    assert by_provider.get("/people/").status_code == 200
    page = Client(HTTP_HOST=cast.host).get("/sign-in").content.decode()
    assert 'name="password"' not in page
    again = Client(HTTP_HOST=cast.host)
    answer = again.post("/sign-in", {"email": "owner@cast.test", "password": PASSWORD})
    assert answer.status_code == 422
    assert again.get("/sign-in/link")["Location"] == "/sign-in"
    only(cast, on=False)
    assert again.post("/sign-in", {"email": "owner@cast.test", "password": PASSWORD}).status_code == 302


def test_nobody_locks_everybody_out(cast: Cast, trusted: Provider) -> None:
    with pytest.raises(NotByYourself):
        only(cast, by_sign_on=False)
    only(cast)
    with pytest.raises(StillEnforced):
        providers.remove_provider(provider=trusted, actor=cast.actor(cast.owner), now=NOW)


def test_the_word_of_a_clients_provider_opens_that_client_alone(
    cast: Cast, trusted: Provider, provider: identity.Provider
) -> None:
    browser = Client(HTTP_HOST=cast.host)
    identity.sign_on(browser, trusted, provider, "sub-owner")
    partner = Partner.objects.get(pk=cast.partner.id)
    Membership.objects.create(user=cast.owner, partner=partner, role="partner_admin", created_at=NOW)
    assert browser.post(f"/go/{partner.public_id}").status_code == 404


def test_the_page_of_rules_asks_the_provider_who_it_is(
    cast: Cast, provider: identity.Provider, settings: Any, client_for: Callable[..., Client]
) -> None:
    browser = client_for(cast.owner, cast.host)
    given = {
        "name": "Cast ID",
        "issuer": provider.issuer,
        "client_id": "portal",
        "secret": "a secret of many letters",
        "domains": "cast.test, @Shops.cast.test",
        "role": "analyst",
    }
    refused = browser.post("/signing-in/providers/new", given)
    assert refused.status_code == 422, "a private address is not asked"
    assert "a secret of many letters" not in refused.content.decode()
    settings.EGRESS_ALLOW = frozenset({provider.opened})
    wrong = browser.post("/signing-in/providers/new", {**given, "issuer": f"{provider.issuer}/other"})
    assert wrong.status_code == 422
    assert browser.post("/signing-in/providers/new", {**given, "role": "tenant_admin"}).status_code == 422
    assert browser.post("/signing-in/providers/new", given)["Location"] == "/signing-in/"
    row = Provider.objects.get()
    assert row.domains == ["cast.test", "shops.cast.test"]
    assert b"a secret of many" not in bytes(row.client_secret)
    page = browser.get(f"/signing-in/providers/{row.public_id}").content.decode()
    assert "a secret of many letters" not in page
    assert f"http://{cast.host}/sign-in/on/back" in page
    assert browser.post("/signing-in/", {"second_factor": "on", "support": "forbidden"}).status_code == 302
    with context.enter(cast.tenant):
        trail = set(AuditEvent.objects.values_list("action", flat=True))
    assert {"accounts.add_provider", "accounts.set_policy"} <= trail
