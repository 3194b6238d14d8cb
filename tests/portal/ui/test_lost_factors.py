"""An admin resets the second factors of a member who has lost them."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tenants.access.models import Membership
from tenants.accounts.enums import FactorKind
from tenants.accounts.models import Factor, RecoveryCode
from tenants.audit.models import AuditEvent
from tenants.tenancy import context
from tenants.tenancy.models import Partner
from tests.support.cast import NOW, PASSWORD, Cast

WHY = {"reason": "Called back on the number in the staff file"}


def protected(user: Any) -> None:
    Factor.objects.create(user=user, kind=FactorKind.TOTP, name="App", created_at=NOW)
    RecoveryCode.objects.create(user=user, digest="x", created_at=NOW)


def address(cast: Cast, user: Any) -> str:
    member = Membership.objects.get(user=user, tenant_id=cast.tenant.id)
    return f"/people/{member.public_id}/factors"


def proved(cast: Cast) -> Client:
    """The owner, who has just shown the password."""
    browser = Client(HTTP_HOST=cast.host)
    browser.post("/sign-in", {"email": cast.owner.email, "password": PASSWORD})
    assert browser.post("/profile/confirm", {"secret": PASSWORD}).status_code == 302
    return browser


def test_it_takes_a_fresh_proof_and_a_reason_and_ends_their_sessions(
    cast: Cast, client_for: Callable[..., Client], now: Any
) -> None:
    protected(cast.reviewer)
    where = address(cast, cast.reviewer)
    stale = client_for(cast.owner, cast.host)
    for answer in (stale.get(where), stale.post(where, WHY)):
        assert answer.status_code == 302
        assert answer["Location"].startswith("/profile/confirm")
    assert Factor.objects.filter(user=cast.reviewer).exists()
    browser = proved(cast)
    assert browser.get(where).status_code == 200
    assert browser.post(where, {"reason": "short"}).status_code == 422
    assert browser.post(where, WHY).status_code == 302
    assert not Factor.objects.filter(user=cast.reviewer).exists()
    assert not RecoveryCode.objects.filter(user=cast.reviewer).exists()
    with context.enter(cast.tenant):
        row = AuditEvent.objects.get(action="accounts.reset_factors")
    assert (row.actor_label, row.before) == (str(cast.owner), {"factors": 1})
    assert "staff file" in row.reason


def test_nobody_resets_their_own_or_those_of_somebody_who_belongs_elsewhere(cast: Cast, now: Any) -> None:
    browser = proved(cast)
    Membership.objects.create(
        user=cast.reviewer,
        partner=Partner.objects.get(pk=cast.other_partner.id),
        role="partner_engineer",
        created_at=NOW,
    )
    for user in (cast.reviewer, cast.owner):
        protected(user)
        assert browser.post(address(cast, user), WHY).status_code == 422
        assert Factor.objects.filter(user=user).exists()


def test_only_who_manages_people_does_it_and_only_here(
    cast: Cast, client_for: Callable[..., Client], now: Any
) -> None:
    protected(cast.reviewer)
    manager = client_for(cast.manager, cast.host)
    assert manager.post(address(cast, cast.reviewer), WHY).status_code == 403
    other = Membership.objects.get(user=cast.other_owner)
    assert proved(cast).post(f"/people/{other.public_id}/factors", WHY).status_code == 404


@pytest.mark.parametrize("reason", ["", "lost phone, seen in person"])
def test_an_operator_does_it_for_anybody_with_a_reason(cast: Cast, reason: str, now: Any) -> None:
    from kernel.errors import PortalError
    from portal.admin.access import UserOffice

    protected(cast.owner)
    act = next(do for name, _, do in UserOffice.acts if name == "reset_factors")
    operator = cast.actor(cast.operator, cast.platform_host)
    if not reason:
        with pytest.raises(PortalError):
            act(cast.owner, reason=reason, actor=operator, now=NOW)
    else:
        act(cast.owner, reason=reason, actor=operator, now=NOW)
    assert Factor.objects.filter(user=cast.owner).exists() is (not reason)
