"""A20: the word of one partner's provider makes nobody somebody at another partner's; two real providers say so."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from tenants.access.models import Membership, User
from tenants.accounts.actions import providers, sign_on
from tenants.accounts.models import Identity, Provider
from tenants.tenancy.models import Partner
from tests.support import identity
from tests.support.cast import NOW, Cast


@pytest.fixture(scope="module")
def two() -> Iterator[tuple[identity.Provider, identity.Provider]]:
    with identity.running() as good, identity.running() as evil:
        yield good, evil


def trust(cast: Cast, provider: identity.Provider, *, mine: bool) -> Provider:
    partner = cast.partner if mine else cast.other_partner
    admin = cast.partner_admin if mine else cast.other_partner_admin
    return providers.add_provider(
        partner=Partner.objects.get(pk=partner.id),
        tenant=None,
        values={
            "name": "ID",
            "issuer": provider.issuer,
            "client_id": "portal",
            "domains": ["cast.test"],  # it claims the domain of the others as well
            "role": "partner_engineer",
        },
        secret="a secret of many letters",
        said=sign_on.metadata(provider.issuer),
        actor=cast.actor(admin, cast.partner_host if mine else cast.other_partner_host),
        now=NOW,
    )


@pytest.mark.parametrize("victim", ["partner_admin", "owner", "operator", "stranger"])
def test_an_address_of_somebody_elses_people_opens_nothing(
    cast: Cast, two: Any, settings: Any, victim: str
) -> None:
    good, evil = two
    settings.EGRESS_ALLOW = frozenset({good.opened, evil.opened})
    trust(cast, good, mine=True)
    row = trust(cast, evil, mine=False)
    evil.knows("anything", email=f"{victim}@cast.test", email_verified=True)
    browser = Client(HTTP_HOST=cast.other_partner_host)
    identity.sign_on(browser, row, evil, "anything")
    assert "_auth_user_id" not in browser.session
    assert not Identity.objects.exists()


def test_the_same_subject_at_two_providers_is_two_people(cast: Cast, two: Any, settings: Any) -> None:
    good, evil = two
    settings.EGRESS_ALLOW = frozenset({good.opened, evil.opened})
    ours, theirs = trust(cast, good, mine=True), trust(cast, evil, mine=False)
    good.knows("one", email="partner_engineer@cast.test", email_verified=True)
    evil.knows("one", email="somebody@cast.test", email_verified=True)
    at_ours, at_theirs = Client(HTTP_HOST=cast.partner_host), Client(HTTP_HOST=cast.other_partner_host)
    identity.sign_on(at_ours, ours, good, "one")
    identity.sign_on(at_theirs, theirs, evil, "one")
    assert at_ours.session["_auth_user_id"] == str(cast.partner_engineer.pk)
    made = User.objects.get(email="somebody@cast.test")
    assert at_theirs.session["_auth_user_id"] == str(made.pk)
    assert set(Membership.objects.filter(user=made).values_list("partner__slug", flat=True)) == {"lumen"}


def test_whom_a_provider_made_does_not_go_on_from_there_to_another_partner(
    cast: Cast, two: Any, settings: Any
) -> None:
    """A later role with somebody else does not make the first provider's word count there."""
    _, evil = two
    settings.EGRESS_ALLOW = frozenset({evil.opened})
    row = trust(cast, evil, mine=False)
    evil.knows("two", email="later@cast.test", email_verified=True)
    browser = Client(HTTP_HOST=cast.other_partner_host)
    identity.sign_on(browser, row, evil, "two")
    meridian = Partner.objects.get(pk=cast.partner.id)
    Membership.objects.create(
        user=User.objects.get(email="later@cast.test"),
        partner=meridian,
        role="partner_admin",
        created_at=NOW,
    )
    assert browser.post(f"/go/{meridian.public_id}").status_code == 404
