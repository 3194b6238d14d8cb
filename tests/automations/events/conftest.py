"""What tests of events stand on: an endpoint, a way to deliver to it, handlers of their own, a bell that counts."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from automations.events import actions, policy, registry
from automations.events.actions import Receipt
from automations.events.models import Event, Rejection
from automations.ledger.models import IntakeRow
from tenants.tenancy.queries import TenantRef
from tests.support import make
from tests.support.cast import NOW
from tests.support.make import Door


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    """Opened secrets and counts do not outlive a test."""
    policy.forget()


@pytest.fixture
def door(tenant: TenantRef) -> Door:
    """An endpoint for CloudEvents."""
    return make.endpoint()


@pytest.fixture
def deliver(door: Door) -> Callable[..., Receipt]:
    """`deliver(event)`: sign it and hand it in; a list goes as a batch."""

    def send(event: Any, **changes: Any) -> Receipt:
        raw = make.body(event)
        batch = isinstance(event, list)
        signing = {
            "content_type": f"application/cloudevents{'-batch' if batch else ''}+json",
            **changes,
        }
        return actions.receive_webhook(
            token=door.row.token, headers=make.signed(raw, door.secret, **signing), body=raw, now=NOW
        )

    return send


@pytest.fixture
def handlers(monkeypatch: pytest.MonkeyPatch) -> None:
    """No handlers but those that the test registers."""
    monkeypatch.setattr(registry, "_handlings", [])


@pytest.fixture
def rings(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[None]]:
    """One entry for each time that the bell was rung."""
    heard: list[None] = []
    monkeypatch.setattr("automations.ledger.actions.ring_for_events", lambda: heard.append(None))
    return heard


@pytest.fixture
def nothing_happened(tenant: TenantRef) -> Callable[[], bool]:
    """Whether there is neither an event nor anything waiting nor anything set aside."""

    def check() -> bool:
        return not (
            Event.objects.exists()
            or Rejection.objects.exists()
            or IntakeRow.objects.filter(tenant_id=tenant.id).exists()
        )

    return check
