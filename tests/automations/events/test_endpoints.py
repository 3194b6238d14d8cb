"""Endpoints are made, given new secrets and switched off by those who may, and the audit tells of it without secrets."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from automations.connectors.errors import UnknownConnector
from automations.events import actions
from automations.events.errors import EndpointNameTaken, SecretTooWeak
from automations.events.models import Endpoint
from kernel.errors import Forbidden, Invalid
from kernel.secrets import SecretUnreadable, opened
from tenants.audit.models import AuditEvent
from tenants.tenancy import context
from tenants.tenancy.queries import TenantRef
from tests.support import make
from tests.support.cast import NOW, Cast
from tests.support.make import Door


def test_a_new_endpoint_has_an_unguessable_path_and_a_secret_that_is_shown_once(
    cast: Cast, tenant: TenantRef
) -> None:
    actor = cast.actor(cast.owner)
    endpoint, secret = actions.create_endpoint(name=" Shop ", kind="cloudevents", actor=actor, now=NOW)
    assert endpoint.name == "Shop"
    assert len(endpoint.token) == 43  # 256 bits
    assert secret.startswith("whsec_")
    assert secret.encode() not in bytes(endpoint.secret)
    assert endpoint.source == f"/cloudevents/{endpoint.public_id}"
    trace = AuditEvent.objects.get(action="events.create_endpoint")
    assert (trace.actor_id, trace.object_id) == (cast.owner.id, endpoint.public_id)
    assert trace.after == {"name": "Shop", "kind": "cloudevents", "source": endpoint.source}


def test_the_secret_opens_for_its_own_row_version_and_tenant_alone(
    door: Door, tenant: TenantRef, other_tenant: TenantRef
) -> None:
    sealed = bytes(door.row.secret)
    assert opened(sealed, row=door.row.id, version=1, purpose="endpoint").decode() == door.secret
    for key, version, purpose in (
        (door.row.id, 2, "endpoint"),
        (make.endpoint().row.id, 1, "endpoint"),
        (door.row.id, 1, "connection"),
    ):
        with pytest.raises(SecretUnreadable):
            opened(sealed, row=key, version=version, purpose=purpose)
    with context.enter(other_tenant), pytest.raises(SecretUnreadable):
        opened(sealed, row=door.row.id, version=1, purpose="endpoint")


def test_the_sender_may_dictate_the_secret_but_not_a_weak_one(tenant: TenantRef) -> None:
    assert make.endpoint("shopify", secret="an app's client secret").secret == "an app's client secret"
    for kind, secret in (("shopify", "short"), ("cloudevents", "not-whsec")):
        with pytest.raises(SecretTooWeak):
            make.endpoint(kind, secret=secret)
    assert Endpoint.objects.count() == 1


@pytest.mark.parametrize(
    ("kind", "error"), [("erp", Invalid), ("no_such", UnknownConnector)], ids=["sends nothing", "unknown"]
)
def test_only_what_sends_webhooks_can_have_an_endpoint(
    tenant: TenantRef, kind: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        make.endpoint(kind)
    assert Endpoint.objects.count() == 0


def test_a_name_is_given_once(tenant: TenantRef) -> None:
    make.endpoint(name="Shop")
    with pytest.raises(EndpointNameTaken) as caught:
        make.endpoint(name="Shop")
    assert caught.value.fields == {"name": ["Shop is taken."]}
    assert Endpoint.objects.count() == 1


def test_a_rotation_is_told_by_version_and_keeps_the_old_secret_for_a_day(door: Door) -> None:
    row, secret = actions.rotate_endpoint_secret(endpoint=door.row, actor=make.BY, now=NOW)
    assert secret != door.secret
    assert (row.secret_version, row.previous_until) == (2, NOW + timedelta(hours=24))
    trace = AuditEvent.objects.get(action="events.rotate_endpoint_secret")
    assert trace.after == {"version": 2, "previous_until": "2026-03-03T09:30:00Z"}


def test_switching_off_and_on_is_told_and_doing_it_twice_is_not(door: Door) -> None:
    for active in (False, False, True):
        actions.set_endpoint_active(endpoint=door.row, active=active, actor=make.BY, now=NOW)
    told = AuditEvent.objects.filter(action="events.set_endpoint_active").order_by("id")
    assert [trace.after for trace in told] == [{"active": False}, {"active": True}]


@pytest.mark.parametrize(
    "who", ["reviewer", "manager", "analyst", "auditor", "staff", "stranger", "other_owner"]
)
def test_who_may_not_leaves_no_trace(cast: Cast, door: Door, who: str) -> None:
    actor = cast.actor(getattr(cast, who))
    before = (Endpoint.objects.values().get(), AuditEvent.objects.count())
    tries: list[Callable[[], Any]] = [
        lambda: actions.create_endpoint(name="x", kind="cloudevents", actor=actor, now=NOW),
        lambda: actions.rotate_endpoint_secret(endpoint=door.row, actor=actor, now=NOW),
        lambda: actions.set_endpoint_active(endpoint=door.row, active=False, actor=actor, now=NOW),
    ]
    for attempt in tries:
        with pytest.raises(Forbidden):
            attempt()
    assert (Endpoint.objects.values().get(), AuditEvent.objects.count()) == before


@pytest.mark.parametrize("who", ["owner", "partner_admin", "partner_engineer"])
def test_who_may_does(cast: Cast, tenant: TenantRef, who: str) -> None:
    actor = cast.actor(getattr(cast, who))
    actions.create_endpoint(name="x", kind="cloudevents", actor=actor, now=NOW)
    assert Endpoint.objects.count() == 1


def test_another_tenant_sees_none_of_them(door: Door, other_tenant: TenantRef) -> None:
    with context.enter(other_tenant):
        assert Endpoint.objects.count() == 0
