"""People, roles, tokens, passes and grants."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.test import RequestFactory

from automations.engine.models import Definition, Workflow
from kernel import clock
from kernel.errors import Forbidden, Invalid
from tenants.access import actions, catalog, policy, queries
from tenants.access.enums import Role
from tenants.access.errors import (
    AlreadyMember,
    BadCredentials,
    BadToken,
    HandoffSpent,
    LastAdmin,
    RoleNotHere,
)
from tenants.access.models import ApiToken, Handoff, IdempotentRequest, Membership, User
from tenants.audit.models import AuditEvent
from tenants.tenancy import context
from tenants.tenancy.models import Tenant
from tests.support.cast import PASSWORD


def hollis() -> Tenant:
    return Tenant.objects.select_related("partner").get(slug="hollis")


def test_a_role_gives_its_permissions_in_its_place_and_nowhere_else(cast):
    reviewer = cast.actor(cast.reviewer)
    assert reviewer.permissions == catalog.IN_TENANT[Role.REVIEWER]
    assert cast.actor(cast.reviewer, cast.other_host).permissions == frozenset()
    assert cast.actor(cast.reviewer, cast.partner_host).permissions == frozenset()
    assert cast.actor(cast.partner_admin, cast.host).permissions == catalog.IN_TENANT[Role.PARTNER_ADMIN]
    assert cast.actor(cast.partner_admin, cast.other_host).permissions == frozenset()
    assert cast.actor(cast.operator, cast.platform_host).permissions == catalog.OPERATOR
    assert cast.actor(cast.operator, cast.host).permissions == frozenset()


def test_a_revoked_role_is_gone_at_the_next_request(cast):
    membership = Membership.objects.get(user=cast.reviewer)
    actions.remove_member(membership=membership, actor=cast.actor(cast.owner), now=clock.now())
    assert cast.actor(cast.reviewer).permissions == frozenset()


def test_the_last_admin_stays(cast):
    membership = Membership.objects.get(user=cast.owner)
    owner = cast.actor(cast.owner)
    with pytest.raises(LastAdmin):
        actions.remove_member(membership=membership, actor=owner, now=clock.now())
    with pytest.raises(LastAdmin):
        actions.set_role(membership=membership, role=Role.ANALYST, actor=owner, now=clock.now())
    assert Membership.objects.get(user=cast.owner).role == Role.TENANT_ADMIN


def test_roles_belong_to_their_level(cast):
    with pytest.raises(RoleNotHere):
        actions.add_member(
            partner=hollis().partner,
            tenant=hollis(),
            email="x@y.test",
            name="X",
            role=Role.PARTNER_ADMIN,
            actor=cast.actor(cast.owner),
            now=clock.now(),
        )
    assert not User.objects.filter(email="x@y.test").exists()


def test_one_person_is_one_login_however_the_address_is_written(cast):
    with pytest.raises(AlreadyMember):
        actions.add_member(
            partner=hollis().partner,
            tenant=hollis(),
            email="REVIEWER@cast.TEST",
            name="",
            role=Role.ANALYST,
            actor=cast.actor(cast.owner),
            now=clock.now(),
        )
    assert User.objects.filter(email__iexact="reviewer@cast.test").count() == 1


def test_signing_in_takes_the_right_password_and_tells_nothing_else(cast):
    request = RequestFactory().post("/")
    assert actions.sign_in(email=" Owner@Cast.test ", password=PASSWORD, request=request) == cast.owner
    for email, password in (
        ("owner@cast.test", "wrong"),
        ("nobody@cast.test", PASSWORD),
        ("reviewer@cast.test", ""),
    ):
        with pytest.raises(BadCredentials):
            actions.sign_in(email=email, password=password, request=request)


def token(cast, **more):
    return actions.make_token(
        partner=hollis().partner,
        tenant=hollis(),
        actor=cast.actor(cast.owner),
        now=clock.now(),
        **{"name": "T", "scopes": ["events.read"], "expires_at": None, **more},
    )


def test_a_token_has_its_scopes_in_its_tenant_until_it_ends(cast):
    row, text = token(cast, expires_at=clock.now() + timedelta(days=1))
    actor = queries.actor_for_token(text, cast.place(cast.host), now=clock.now())
    assert (actor.kind, actor.permissions) == ("token", frozenset({"events.read"}))
    assert text not in str(ApiToken.objects.values())
    for host in (cast.other_host, cast.partner_host, cast.platform_host):
        with pytest.raises(BadToken):
            queries.actor_for_token(text, cast.place(host), now=clock.now())
    with pytest.raises(BadToken):
        queries.actor_for_token(text, cast.place(cast.host), now=clock.now() + timedelta(days=2))
    actions.revoke_token(token=row, actor=cast.actor(cast.owner), now=clock.now())
    with pytest.raises(BadToken):
        queries.actor_for_token(text, cast.place(cast.host), now=clock.now())


def test_a_token_of_somebody_who_was_removed_is_refused(cast):
    _, text = token(cast)
    User.objects.filter(pk=cast.owner.pk).update(is_active=False)
    with pytest.raises(BadToken):
        queries.actor_for_token(text, cast.place(cast.host), now=clock.now())


@pytest.mark.parametrize("scopes", [[], ["tenancy.provision"], ["no.such"]])
def test_nobody_gives_a_token_more_than_they_have(cast, scopes):
    with pytest.raises(Invalid):
        token(cast, scopes=scopes)
    assert ApiToken.objects.count() == 0


def test_a_pass_to_another_host_works_once_there_and_for_a_minute(cast):
    now = clock.now()
    text = actions.issue_handoff(user_id=cast.owner.id, host=cast.host, now=now)
    with pytest.raises(HandoffSpent):
        actions.redeem_handoff(text=text, host=cast.other_host, now=now)
    assert actions.redeem_handoff(text=text, host=cast.host, now=now) == cast.owner
    with pytest.raises(HandoffSpent):
        actions.redeem_handoff(text=text, host=cast.host, now=now)
    late = actions.issue_handoff(user_id=cast.owner.id, host=cast.host, now=now)
    with pytest.raises(HandoffSpent):
        actions.redeem_handoff(text=late, host=cast.host, now=now + timedelta(seconds=61))


def workflow(name: str) -> Workflow:
    definition = Definition.objects.create(
        name=name, version="1.0.0", document={}, digest="", published_at=clock.now()
    )
    return Workflow.objects.create(name=name, title=name, definition=definition, created_at=clock.now())


def test_a_grant_opens_one_object_and_can_be_taken_back(tenant, cast):
    mine, other = workflow("mine"), workflow("other")
    analyst = cast.actor(cast.analyst)
    assert not policy.may(analyst, "engine.operate", mine)
    actions.grant(
        user=cast.analyst,
        permission="engine.operate",
        obj=mine,
        actor=cast.actor(cast.owner),
        now=clock.now(),
    )
    assert policy.may(analyst, "engine.operate", mine)
    assert not policy.may(analyst, "engine.operate", other)
    assert list(policy.visible(analyst, "engine.operate", Workflow.objects.all())) == [mine]
    actions.withdraw(
        user=cast.analyst,
        permission="engine.operate",
        obj=mine,
        actor=cast.actor(cast.owner),
        now=clock.now(),
    )
    with pytest.raises(Forbidden):
        policy.require(analyst, "engine.operate", mine)
    assert AuditEvent.objects.filter(action__in=["access.grant", "access.withdraw"]).count() == 2


def test_an_operator_has_no_say_over_what_a_client_owns(tenant, cast):
    mine = workflow("mine")
    operator = cast.actor(cast.operator)
    assert cast.operator.is_superuser
    assert not policy.may(operator, "engine.operate", mine)
    assert list(policy.visible(operator, "engine.operate", Workflow.objects.all())) == []


def test_a_grant_in_one_tenant_opens_nothing_in_another(cast, other_tenant):
    with context.enter(cast.tenant):
        mine = workflow("w")
        actions.grant(
            user=cast.analyst,
            permission="engine.operate",
            obj=mine,
            actor=cast.actor(cast.owner),
            now=clock.now(),
        )
    with context.enter(other_tenant):
        twin = workflow("w")
        Workflow.objects.filter(pk=twin.pk).update(id=mine.id)  # even under the very same key
        assert not policy.may(cast.actor(cast.analyst), "engine.operate", Workflow.objects.get(pk=mine.id))


def test_what_is_over_is_forgotten(cast):
    now = clock.now()
    for age in (timedelta(hours=23), timedelta(hours=25), timedelta(hours=26)):
        Handoff.objects.create(user=cast.owner, host=cast.host, digest=f"{age}", expires_at=now - age)
        IdempotentRequest.objects.create(
            owner_id=cast.owner.id,
            partner=hollis().partner,
            digest=f"{age}",
            fingerprint="",
            status=200,
            answer=b"",
            created_at=now - age,
        )
        Session.objects.create(
            session_key=f"{age}", session_data="", expire_date=now + timedelta(hours=24) - age
        )
    assert actions.forget_expired(now=now, most=1) == 3
    assert actions.forget_expired(now=now) == 3
    assert [rows.count() for rows in (Handoff.objects, IdempotentRequest.objects, Session.objects)] == [
        1,
        1,
        1,
    ]
    assert actions.forget_expired(now=now) == 0
