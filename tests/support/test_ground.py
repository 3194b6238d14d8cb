"""The ground that tests stand on holds."""

import socket

import pytest

from tenants.audit.models import AuditEvent
from tenants.tenancy import context
from tests.support.cast import Cast


def test_the_cast_has_the_rights_of_its_roles(cast: Cast) -> None:
    assert cast.actor(cast.owner).may("events.endpoints")
    assert not cast.actor(cast.reviewer).may("events.endpoints")
    assert cast.actor(cast.stranger).permissions == frozenset()
    assert cast.actor(cast.owner, cast.other_host).permissions == frozenset()
    assert cast.actor(cast.operator, cast.platform_host).may("platform.partners")


def test_a_test_starts_inside_its_tenant(tenant: object) -> None:
    assert context.current() == tenant
    assert AuditEvent.objects.count() == 0


def test_what_is_committed_is_gone_after_the_test(committed: object, tenant: object) -> None:
    AuditEvent.objects.create(at="2026-01-01T00:00:00Z", action="left behind")


def test_what_was_committed_before_is_not_here(committed: object, tenant: object) -> None:
    assert AuditEvent.objects.count() == 0


def test_the_network_is_out_of_reach() -> None:
    with socket.socket() as wire, pytest.raises((RuntimeError, UserWarning), match=r"192\.0\.2\.1"):
        wire.connect(("192.0.2.1", 80))
