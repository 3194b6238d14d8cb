"""Own roles, duties that are kept apart, reviews, and that nobody gives or takes what they do not hold."""

from datetime import timedelta
from typing import Any

import pytest

from kernel import clock
from kernel.errors import Conflict, Forbidden, Invalid
from tenants.access import actions, catalog, queries
from tenants.access.actions import reviewing, roles
from tenants.access.enums import Role, Verdict
from tenants.access.errors import (
    BadToken,
    LastAdmin,
    MoreThanOwn,
    ReviewOpen,
    RoleInUse,
    RoleNotHere,
    ToxicPair,
)
from tenants.access.models import ApiToken, CustomRole, Membership
from tenants.access.queries import rights
from tenants.tenancy.models import Partner, Tenant
from tests.support.cast import Cast
from tests.support.make import BY


def place(slug: str = "hollis") -> dict[str, Any]:
    tenant = Tenant.objects.select_related("partner").get(slug=slug)
    return {"partner": tenant.partner, "tenant": tenant}


def made(cast: Cast, *permissions: str, by: Any = None, **more: Any) -> CustomRole:
    given = {**place(), "name": "Shift lead", **more}
    return roles.make_role(
        permissions=permissions, actor=by or cast.actor(cast.owner), now=clock.now(), **given
    )


def member(cast: Cast, name: str) -> Membership:
    return Membership.objects.get(user=getattr(cast, name))


def give(cast: Cast, name: str, role: Role | CustomRole, by: Any = None) -> Membership:
    actor = by or cast.actor(cast.owner)
    return actions.set_role(membership=member(cast, name), role=role, actor=actor, now=clock.now())


def test_an_own_role_gives_what_is_in_it_and_a_change_holds_at_the_next_request(cast: Cast) -> None:
    role = made(cast, "inbox.read", "insights.read")
    give(cast, "analyst", role)
    assert cast.actor(cast.analyst).permissions == {"inbox.read", "insights.read"}
    assert cast.actor(cast.analyst).roles == (Role.CUSTOM,)
    owner = cast.actor(cast.owner)
    roles.change_role(role=role, name="Lead", permissions=["inbox.read"], actor=owner, now=clock.now())
    assert cast.actor(cast.analyst).permissions == {"inbox.read"}
    with pytest.raises(RoleInUse):
        roles.drop_role(role=role, actor=owner, now=clock.now())
    give(cast, "analyst", Role.ANALYST)
    roles.drop_role(role=role, actor=owner, now=clock.now())
    assert not CustomRole.objects.exists()


def test_a_partners_own_role_counts_in_its_console_and_its_clients_and_never_beyond_the_admins(
    cast: Cast,
) -> None:
    meridian = Partner.objects.get(slug="meridian")
    role = roles.make_role(
        partner=meridian,
        tenant=None,
        name="Desk",
        permissions=["tenancy.read", "inbox.decide"],
        actor=cast.actor(cast.partner_admin, cast.partner_host),
        now=clock.now(),
    )
    by = cast.actor(cast.partner_admin, cast.partner_host)
    give(cast, "partner_engineer", role, by)
    assert cast.actor(cast.partner_engineer, cast.partner_host).permissions == {"tenancy.read"}
    assert cast.actor(cast.partner_engineer, cast.host).permissions == {"tenancy.read", "inbox.decide"}
    assert cast.actor(cast.partner_engineer, cast.other_host).permissions == frozenset()


@pytest.mark.parametrize("wanted", [(), ("nonsense",), ("tenancy.provision",), ("platform.partners",)])
def test_a_client_makes_no_role_of_what_is_not_a_clients(cast: Cast, wanted: tuple[str, ...]) -> None:
    with pytest.raises(Invalid) as refused:
        made(cast, *wanted)
    assert "permissions" in refused.value.fields
    assert not CustomRole.objects.exists()


def test_nobody_gives_by_a_role_what_they_do_not_hold(cast: Cast) -> None:
    give(cast, "manager", made(cast, "access.people", "inbox.read"))
    manager = cast.actor(cast.manager)
    with pytest.raises(MoreThanOwn):
        made(cast, "audit.read", by=manager, name="Sly")
    with pytest.raises(MoreThanOwn):
        give(cast, "manager", Role.TENANT_ADMIN, manager)
    with pytest.raises(MoreThanOwn):  # nor do they move somebody who holds more
        give(cast, "owner", made(cast, "inbox.read", by=manager, name="Small"), manager)
    with pytest.raises(MoreThanOwn):
        actions.remove_member(membership=member(cast, "owner"), actor=manager, now=clock.now())
    assert cast.actor(cast.owner).permissions == catalog.IN_TENANT[Role.TENANT_ADMIN]
    assert manager.permissions == cast.actor(cast.manager).permissions


def test_a_role_of_another_place_is_none_here(cast: Cast) -> None:
    theirs = roles.make_role(
        **place("arbor"), name="Theirs", permissions=["inbox.read"], actor=BY, now=clock.now()
    )
    with pytest.raises(RoleNotHere):
        give(cast, "analyst", theirs)


def test_two_roles_of_one_name_are_refused_by_the_field(cast: Cast) -> None:
    made(cast, "inbox.read")
    with pytest.raises(Conflict) as refused:
        made(cast, "inbox.read", name="shift LEAD")
    assert "name" in refused.value.fields


def test_who_may_not_let_people_in_makes_no_roles(cast: Cast) -> None:
    for who in (cast.analyst, cast.auditor, cast.partner_engineer):
        with pytest.raises(Forbidden):
            made(cast, "inbox.read", by=cast.actor(who))


def forbid(cast: Cast, first: str, second: str) -> None:
    roles.forbid_pair(**place(), first=first, second=second, actor=cast.actor(cast.owner), now=clock.now())


def test_a_toxic_pair_is_refused_when_it_is_given_and_reported_where_it_is(cast: Cast) -> None:
    forbid(cast, "inbox.decide", "engine.operate")
    with pytest.raises(ToxicPair) as refused:
        give(cast, "analyst", Role.REVIEWER)
    assert "role" in refused.value.fields
    with pytest.raises(ToxicPair):
        made(cast, "inbox.decide", "engine.operate")
    with pytest.raises(ToxicPair):
        actions.make_token(
            **place(),
            name="T",
            scopes=["inbox.decide", "engine.operate"],
            expires_at=None,
            actor=cast.actor(cast.owner),
            now=clock.now(),
        )
    found = rights.toxic(partner_id=cast.partner.id, tenant_id=cast.tenant.id)
    assert {one.holder.partition("@")[0] for one in found} == {"owner", "manager", "reviewer", "colleague"}
    assert cast.actor(cast.analyst).permissions == catalog.IN_TENANT[Role.ANALYST]
    assert not rights.toxic(partner_id=cast.other_partner.id, tenant_id=cast.other_tenant.id)


def test_a_partners_rule_counts_in_its_clients(cast: Cast) -> None:
    meridian = Partner.objects.get(slug="meridian")
    roles.forbid_pair(
        partner=meridian, tenant=None, first="inbox.decide", second="inbox.read", actor=BY, now=clock.now()
    )
    with pytest.raises(ToxicPair):
        give(cast, "analyst", Role.REVIEWER)


def test_a_token_is_never_more_than_its_maker_still_is(cast: Cast) -> None:
    row, text = actions.make_token(
        **place(),
        name="T",
        scopes=["inbox.read", "audit.read"],
        expires_at=None,
        actor=cast.actor(cast.owner),
        now=clock.now(),
    )
    ApiToken.objects.filter(pk=row.pk).update(created_by=cast.manager)
    there = cast.place(cast.host)
    assert queries.actor_for_token(text, there, now=clock.now()).permissions == {"inbox.read", "audit.read"}
    give(cast, "manager", Role.ANALYST)
    assert queries.actor_for_token(text, there, now=clock.now()).permissions == {"inbox.read"}
    actions.remove_member(membership=member(cast, "manager"), actor=cast.actor(cast.owner), now=clock.now())
    with pytest.raises(BadToken):
        queries.actor_for_token(text, there, now=clock.now())


def test_why_tells_what_gives_a_right_and_what_does_not(cast: Cast, tenant: Any) -> None:
    asked = {"partner_id": cast.partner.id, "tenant_id": cast.tenant.id}
    yes = rights.why(user=cast.reviewer, permission="inbox.decide", **asked)
    assert (yes.yes, [(one.what, one.gives) for one in yes.reasons]) == (True, [("role", True)])
    no = rights.why(user=cast.analyst, permission="inbox.decide", **asked)
    assert (no.yes, [(one.what, one.gives) for one in no.reasons]) == (False, [("role", False)])
    staff = rights.why(user=cast.partner_admin, permission="inbox.decide", **asked)
    assert staff.reasons[0].what == "partner_role"
    stranger = rights.why(user=cast.stranger, permission="inbox.decide", **asked)
    assert (stranger.yes, stranger.reasons[0].what) == (False, "no_role")


def test_a_review_holds_every_right_and_is_signed_when_all_is_decided(cast: Cast, tenant: Any) -> None:
    auditor = cast.actor(cast.auditor)
    _, text = actions.make_token(
        **place(), name="Old", scopes=["inbox.read"], expires_at=None, actor=BY, now=clock.now()
    )
    review = reviewing.start_review(**place(), actor=auditor, now=clock.now())
    with pytest.raises(Conflict):
        reviewing.start_review(**place(), actor=auditor, now=clock.now())
    items = {item.holder.partition("@")[0].partition(" ")[0]: item for item in review.items.all()}
    assert set(items) == {
        "owner", "manager", "reviewer", "colleague", "staff", "analyst", "auditor", "Old",
    }  # fmt: skip
    for name, item in items.items():
        if name == "auditor":
            continue
        verdict = Verdict.REMOVED if name in ("analyst", "Old") else Verdict.KEPT
        reviewing.decide_item(item=item, verdict=verdict, actor=auditor, now=clock.now())
    assert not Membership.objects.filter(user=cast.analyst).exists()
    with pytest.raises(BadToken):
        queries.actor_for_token(text, cast.place(cast.host), now=clock.now())
    with pytest.raises(ReviewOpen):
        reviewing.sign_review(review=review, statement="All of it.", actor=auditor, now=clock.now())
    with pytest.raises(Conflict):  # their own right is for somebody else to take
        reviewing.decide_item(item=items["auditor"], verdict=Verdict.REMOVED, actor=auditor, now=clock.now())
    reviewing.decide_item(item=items["auditor"], verdict=Verdict.KEPT, actor=auditor, now=clock.now())
    signed = reviewing.sign_review(review=review, statement="All of it.", actor=auditor, now=clock.now())
    assert (signed.signed_by, signed.signed_at) == (str(cast.auditor), clock.now()) or signed.signed_at
    with pytest.raises(Conflict):
        reviewing.decide_item(item=items["staff"], verdict=Verdict.REMOVED, actor=auditor, now=clock.now())
    assert Membership.objects.filter(user=cast.staff).exists()


def test_a_review_does_not_take_the_last_admin(cast: Cast, tenant: Any) -> None:
    auditor = cast.actor(cast.auditor)
    review = reviewing.start_review(**place(), actor=auditor, now=clock.now() + timedelta(days=1))
    item = review.items.get(holder=cast.owner.email)
    with pytest.raises(LastAdmin):
        reviewing.decide_item(item=item, verdict=Verdict.REMOVED, actor=auditor, now=clock.now())
    item.refresh_from_db()
    assert item.verdict == Verdict.OPEN
