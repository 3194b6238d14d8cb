"""Single sign-on by SAML against a provider in a process of its own."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from lxml import etree

from tenants.access.models import Membership, User
from tenants.accounts.actions import policies, providers
from tenants.accounts.models import Identity, Provider, SamlAnswer
from tenants.audit.models import AuditEvent
from tenants.tenancy import context
from tenants.tenancy.models import Partner, Tenant
from tests.support import saml
from tests.support.cast import NOW, PASSWORD, Cast


@pytest.fixture(scope="module")
def provider() -> Iterator[saml.Process]:
    with saml.running() as made:
        yield made


@pytest.fixture
def trusted(cast: Cast, provider: saml.Process, settings: Any, now: Any) -> Provider:
    """The provider, trusted by Hollis."""
    settings.EGRESS_ALLOW = frozenset({provider.base.removeprefix("http://")})
    return trust(cast, provider)


def trust(cast: Cast, provider: saml.Process, *, tenant: bool = True, role: str = "") -> Provider:
    return providers.add_saml_provider(
        partner=Partner.objects.get(pk=cast.partner.id),
        tenant=Tenant.objects.get(pk=cast.tenant.id) if tenant else None,
        values={"name": "Company SAML", "domains": ["cast.test"], "role": role},
        metadata=provider.get("/metadata"),
        actor=cast.actor(cast.owner if tenant else cast.partner_admin, "" if tenant else cast.partner_host),
        now=NOW,
    )


def sign_on(browser: Client, row: Provider, provider: saml.Process, onwards: str = "/", **person: str) -> Any:
    """Off to the provider, its form to us from its own page, and back with the session."""
    off = browser.get(f"/sign-in/on/{row.public_id}", {"next": onwards})
    assert off["Location"].startswith(f"{provider.base}/sso?SAMLRequest="), off
    where, response = provider.answer(off["Location"], **person)
    strange = Client(HTTP_HOST=urlsplit(where).netloc, enforce_csrf_checks=True)  # no cookie comes along
    taken = strange.post(urlsplit(where).path, {"SAMLResponse": response}, headers={"Origin": provider.base})
    return browser.get(taken["Location"]) if taken.status_code == 302 else taken


def here(browser: Client) -> str | None:
    return browser.session.get("_auth_user_id")


def test_who_is_a_member_comes_in_and_is_known_by_their_subject_from_then_on(
    cast: Cast, trusted: Provider, provider: saml.Process
) -> None:
    browser = Client(HTTP_HOST=cast.host)
    answer = sign_on(browser, trusted, provider, "/inbox/")
    assert (answer.status_code, answer["Location"]) == (302, "/inbox/")
    assert here(browser) == str(cast.owner.pk)
    assert browser.get("/people/").status_code == 200
    again = Client(HTTP_HOST=cast.host)
    sign_on(again, trusted, provider, mail="else@evil.test", name="Other")
    assert here(again) == str(cast.owner.pk)
    assert Identity.objects.get().subject == "sub-owner"
    with context.enter(cast.tenant):
        assert AuditEvent.objects.filter(action="accounts.link_identity").count() == 1
    assert [row.claims for row in SamlAnswer.objects.all()] == [{}, {}]


def test_somebody_new_gets_the_role_that_was_said(
    cast: Cast, provider: saml.Process, settings: Any, now: Any
) -> None:
    settings.EGRESS_ALLOW = frozenset({provider.base.removeprefix("http://")})
    row = trust(cast, provider, role="analyst")
    browser = Client(HTTP_HOST=cast.host)
    sign_on(browser, row, provider, subject="sub-new", mail="nova@cast.test", name="Nova New")
    made = User.objects.get(email="nova@cast.test")
    assert (here(browser), made.name) == (str(made.pk), "Nova New")
    assert Membership.objects.get(user=made).role == "analyst"


@pytest.mark.parametrize(
    "person",
    [
        {"subject": "sub-x", "mail": "nova@cast.test"},  # nobody invited them
        {"subject": "sub-x", "mail": "owner@other.test"},  # a domain that is not the provider's
        {"subject": "sub-x", "mail": "partner_admin@cast.test"},  # more than this place's
        {"subject": "sub-x", "mail": ""},
    ],
)
def test_who_does_not_belong_here_stays_outside(
    cast: Cast, trusted: Provider, provider: saml.Process, person: dict[str, str]
) -> None:
    browser = Client(HTTP_HOST=cast.host)
    sign_on(browser, trusted, provider, **person)
    assert here(browser) is None


def test_a_name_that_is_an_address_counts_as_one(
    cast: Cast, trusted: Provider, provider: saml.Process
) -> None:
    browser = Client(HTTP_HOST=cast.host)
    person = {"subject": "owner@cast.test", "mail": "", "format": saml.PERSISTENT}
    sign_on(browser, trusted, provider, **person)
    assert here(browser) is None
    person["format"] = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
    sign_on(browser, trusted, provider, **person)
    assert here(browser) == str(cast.owner.pk)


def test_a_partner_has_its_own(cast: Cast, provider: saml.Process, settings: Any, now: Any) -> None:
    settings.EGRESS_ALLOW = frozenset({provider.base.removeprefix("http://")})
    row = trust(cast, provider, tenant=False)
    browser = Client(HTTP_HOST=cast.partner_host)
    sign_on(browser, row, provider, subject="sub-pa", mail="partner_admin@cast.test")
    assert here(browser) == str(cast.partner_admin.pk)
    assert Client(HTTP_HOST=cast.host).get(f"/sign-in/on/{row.public_id}").status_code == 404


def test_sign_on_alone_is_kept_by_saml_too(cast: Cast, trusted: Provider, provider: saml.Process) -> None:
    browser = Client(HTTP_HOST=cast.host)
    sign_on(browser, trusted, provider)
    answer = browser.post("/signing-in/", {"sign_on_only": "on", "mail_links": "on", "support": "allowed"})
    assert answer.status_code == 302
    assert browser.get("/people/").status_code == 200
    outside = Client(HTTP_HOST=cast.host)
    refused = outside.post("/sign-in", {"email": cast.owner.email, "password": PASSWORD})
    assert refused.status_code == 422
    assert "Company SAML" in outside.get("/sign-in").content.decode()
    hollis = Tenant.objects.get(pk=cast.tenant.id)
    assert policies.Policy.objects.get(tenant=hollis).sign_on_only


def test_the_portal_describes_itself(cast: Cast) -> None:
    answer = Client(HTTP_HOST=cast.host).get("/sign-in/saml/metadata")
    assert answer["Content-Type"] == "application/samlmetadata+xml"
    root = etree.fromstring(answer.content)
    assert root.get("entityID") == f"http://{cast.host}/sign-in/saml/metadata"
    role = root[0]
    assert role.get("WantAssertionsSigned") == "true"
    assert role[-1].get("Location") == f"http://{cast.host}/sign-in/saml"
    assert Client(HTTP_HOST=cast.platform_host).get("/sign-in/saml/metadata").status_code == 404


def test_the_page_trusts_and_changes_a_provider(
    cast: Cast, client_for: Callable[..., Client], settings: Any, now: Any
) -> None:
    settings.EGRESS_ALLOW = frozenset()
    browser = client_for(cast.owner, cast.host)
    first, second = saml.Signer(), saml.Signer()
    issuer, sso = "https://id.example.com", "https://id.example.com/sso"
    given = {"name": "ID", "domains": "cast.test", "metadata": saml.metadata(issuer, sso, first.bare)}
    assert browser.get("/signing-in/providers/new/saml").status_code == 200
    for wrong, words in {
        "": "required",
        "<nonsense": "no metadata of an identity provider",
        saml.metadata(issuer, sso): "no certificate for signing",
        saml.metadata(issuer, sso, "AAAA"): "cannot be read",
        saml.metadata(issuer, "http://id.example.com/sso", first.bare): "https",
        "<!DOCTYPE x [<!ENTITY e 'x'>]>" + given["metadata"]: "no metadata",
    }.items():
        answer = browser.post("/signing-in/providers/new/saml", {**given, "metadata": wrong})
        assert answer.status_code == 422, wrong
        assert words in answer.content.decode(), wrong
    assert browser.post("/signing-in/providers/new/saml", given).status_code == 302
    assert browser.post("/signing-in/providers/new/saml", given).status_code == 422  # it is here already
    row = Provider.objects.get(kind="saml")
    assert (row.issuer, row.sso_url, row.certificates) == (issuer, sso, [first.pem])
    page = browser.get(f"/signing-in/providers/{row.public_id}").content.decode()
    assert "2040" in page
    change = {"name": "ID two", "domains": "cast.test", "metadata": ""}
    assert browser.post(f"/signing-in/providers/{row.public_id}", change).status_code == 302
    change["metadata"] = saml.metadata("https://other.example.com", sso, second.bare)
    assert browser.post(f"/signing-in/providers/{row.public_id}", change).status_code == 422
    change["metadata"] = saml.metadata(issuer, sso, first.bare, second.bare)
    assert browser.post(f"/signing-in/providers/{row.public_id}", change).status_code == 302
    row.refresh_from_db()
    assert (row.name, row.certificates) == ("ID two", [first.pem, second.pem])
    with context.enter(cast.tenant):
        rows = AuditEvent.objects.filter(action__endswith="_provider").values()
        assert len(rows) == 3
        assert first.bare[:64] not in str(list(rows))
