"""A22: an invitation lets one person in, once, where they were invited; whoever else holds the link stays outside."""

import threading
from typing import Any

from django.db import connection

from kernel import clock
from tenants.access import actions, queries
from tenants.access.actions import inviting
from tenants.access.enums import Role
from tenants.access.errors import InvitationSpent
from tenants.access.models import Invitation, Membership
from tenants.tenancy.models import Partner, Tenant
from tests.support.cast import NOW, Cast


def invited(cast: Cast) -> tuple[Membership, str]:
    member = actions.add_member(
        partner=Partner.objects.get(pk=cast.partner.id),
        tenant=Tenant.objects.get(pk=cast.tenant.id),
        email="ines@invited.test",
        name="Ines",
        role=Role.ANALYST,
        actor=cast.actor(cast.owner),
        now=NOW,
    )
    return member, queries.invitation_text(Invitation.objects.get(membership=member))


def accepted(cast: Cast, text: str, host: str = "") -> bool:
    try:
        inviting.accept(
            text=text,
            host=cast.place(host or cast.host),
            name="",
            timezone="",
            password="a pass phrase of ines",
            now=NOW,
        )
    except InvitationSpent:
        return False
    return True


def test_ten_who_hold_the_link_at_once_are_one(committed: Any, cast: Cast, now: Any) -> None:
    _, text = invited(cast)
    through: list[bool] = []
    ready = threading.Barrier(10)

    def one() -> None:
        try:
            ready.wait()
            with clock.hold(NOW):
                through.append(accepted(cast, text))
        finally:
            connection.close()

    threads = [threading.Thread(target=one) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(through) == [False] * 9 + [True]


def test_elsewhere_and_after_the_role_is_gone_it_is_worth_nothing(cast: Cast, now: Any) -> None:
    member, text = invited(cast)
    assert not accepted(cast, text, cast.other_host)
    assert not accepted(cast, text, cast.partner_host)
    actions.remove_member(membership=member, actor=cast.actor(cast.owner), now=NOW)
    assert not accepted(cast, text)


def test_a_newer_link_makes_the_one_before_worthless(cast: Cast, now: Any) -> None:
    member, text = invited(cast)
    made = inviting.invite(membership=member, actor=cast.actor(cast.owner), now=NOW)
    assert not accepted(cast, text)
    assert accepted(cast, queries.invitation_text(made))


def test_a_link_that_somebody_wrote_themselves_is_none(cast: Cast, now: Any) -> None:
    _, text = invited(cast)
    name, _, signature = text.partition(".")
    other, _ = invited_elsewhere(cast)
    for forged in (name, f"{name}.", f"{name}.{signature[:-1]}", f"{other}.{signature}", f".{signature}"):
        assert not accepted(cast, forged)


def invited_elsewhere(cast: Cast) -> tuple[str, str]:
    member = actions.add_member(
        partner=Partner.objects.get(pk=cast.other_partner.id),
        tenant=None,
        email="igor@invited.test",
        name="Igor",
        role=Role.PARTNER_ENGINEER,
        actor=cast.actor(cast.other_partner_admin, cast.other_partner_host),
        now=NOW,
    )
    text = queries.invitation_text(Invitation.objects.get(membership=member))
    name, _, signature = text.partition(".")
    return name, signature
