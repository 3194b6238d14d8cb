"""What a process remembers of endpoints never crosses tenants, never outlives a change, never grows without end."""

import dataclasses
import time
from typing import Any

import pytest
from django.test import override_settings

from automations.connectors.contract import Delivery
from automations.connectors.errors import SignatureWrong
from automations.events import policy
from automations.events.errors import EndpointUnknown, IntakeFull
from automations.events.models import Event
from automations.ledger.models import IntakeRow
from kernel import ids
from tenants.tenancy import context
from tenants.tenancy.queries import TenantRef
from tests.support import make
from tests.support.cast import NOW
from tests.support.make import Door


def signed(door: Door) -> Delivery:
    return Delivery(make.signed(b"{}", door.secret), b"{}")


def test_the_second_delivery_asks_the_database_nothing(
    door: Door, tenant: TenantRef, django_assert_num_queries: Any
) -> None:
    policy.prove(tenant, door.row.token, signed(door), NOW)
    with django_assert_num_queries(0):
        policy.prove(tenant, door.row.token, signed(door), NOW)


def test_a_secret_is_remembered_for_half_a_minute(
    door: Door, tenant: TenantRef, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    policy.prove(tenant, door.row.token, signed(door), NOW)
    later = time.monotonic() + 30
    monkeypatch.setattr(time, "monotonic", lambda: later)
    with django_assert_num_queries(2):  # the row, the data key
        policy.prove(tenant, door.row.token, signed(door), NOW)


def test_what_one_tenant_filled_another_does_not_find(
    door: Door, tenant: TenantRef, other_tenant: TenantRef
) -> None:
    policy.prove(tenant, door.row.token, signed(door), NOW)
    with context.enter(other_tenant), pytest.raises(EndpointUnknown):
        policy.prove(other_tenant, door.row.token, signed(door), NOW)


def test_a_wrong_signature_is_checked_against_the_row_before_it_is_refused(
    door: Door, tenant: TenantRef, django_assert_num_queries: Any
) -> None:
    policy.prove(tenant, door.row.token, signed(door), NOW)
    wrong = Delivery(make.signed(b"{}", make.endpoint().secret), b"{}")
    with django_assert_num_queries(1), pytest.raises(SignatureWrong):  # the row; its data key is remembered
        policy.prove(tenant, door.row.token, wrong, NOW)


def test_an_unknown_endpoint_is_not_remembered(tenant: TenantRef, django_assert_num_queries: Any) -> None:
    Event.objects.exists()  # the search path is set
    for _ in range(2):
        with django_assert_num_queries(1), pytest.raises(EndpointUnknown):
            policy.prove(tenant, "no-such-token", Delivery({}, b""), NOW)


def test_a_known_endpoint_does_not_print_its_secret(door: Door, tenant: TenantRef) -> None:
    found = policy.prove(tenant, door.row.token, signed(door), NOW)
    assert door.secret not in repr(found)
    assert "_secrets" not in repr(found)


def test_memory_is_bounded(tenant: TenantRef, door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "_REMEMBERED_MOST", 3)
    found = policy.prove(tenant, door.row.token, signed(door), NOW)
    for number in range(10):
        policy._remembered.put(f"t-{number}", dataclasses.replace(found))
    assert len(policy._remembered._found) == 3


def test_a_full_intake_is_counted_once_a_second(tenant: TenantRef, monkeypatch: pytest.MonkeyPatch) -> None:
    with override_settings(INTAKE_MOST=1):
        policy.require_room(tenant)
        IntakeRow.objects.create(tenant_id=tenant.id, event_id=ids.uuid7())
        policy.require_room(tenant)  # counted less than a second ago
        later = time.monotonic() + 1.1
        monkeypatch.setattr(time, "monotonic", lambda: later)
        with pytest.raises(IntakeFull):
            policy.require_room(tenant)
