"""The page of secrets: names, addresses, uses and ends, for whoever may change connections; never a value."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from automations.connectors import actions as connectors
from automations.connectors.models import Connection
from automations.engine.actions import workflows
from automations.engine.dsl.document import read
from kernel.errors import Invalid
from tenants.tenancy.queries import TenantRef
from tenants.vault import queries
from tests.house import world
from tests.support import make
from tests.support.cast import NOW, Cast

VALUE = "the key of the shop and nobody else"


def kept(name: str, days: int | None = None) -> Connection:
    row = make.connection(name=name, base_url="https://shop.example.com/api")
    until = NOW + timedelta(days=days) if days else None
    return connectors.set_secret(connection=row, secret=VALUE, expires_at=until, actor=make.BY, now=NOW)


def test_what_ends_first_stands_on_top_and_says_where_it_goes_and_what_uses_it(
    portal: Client, tenant: TenantRef, now: object
) -> None:
    later, soon, never = kept("Later", 200), kept("Soon", 12), kept("Never")
    definition = workflows.publish(document=read(world.FLOW), actor=make.BY, now=NOW)
    workflows.deploy(
        name="billing",
        title="Billing by night",
        definition=definition,
        config={},
        connections={"erp": str(soon.id)},
        actor=make.BY,
        now=NOW,
    )
    make.endpoint(name="Shop hooks", secret="")
    rows = queries.secrets_here(NOW)
    assert [(one.told.name, one.state) for one in rows][:2] == [("Soon", "expiring"), ("Later", "active")]
    assert rows[0].told.uses == ("Billing by night",)
    assert rows[0].told.hosts == "https://shop.example.com"
    assert {"Never", "Shop hooks"} <= {one.told.name for one in rows}
    text = portal.get("/settings/secrets/").content.decode()
    for words in ("Soon", "Billing by night", "https://shop.example.com", "1 secret ends within 30 days"):
        assert words in text
    assert VALUE not in text
    assert VALUE[-4:] not in text.split("<main", 1)[1]
    assert queries.secrets_here(NOW + timedelta(days=13))[0].state == "expired"
    assert (later.secret_version, never.secret_expires_at) == (1, None)


def test_another_secret_forgets_the_end_of_the_one_before(tenant: TenantRef, now: object) -> None:
    row = kept("Shop", 12)
    row = connectors.set_secret(connection=row, secret=VALUE, actor=make.BY, now=NOW)
    assert row.secret_expires_at is None
    with pytest.raises(Invalid) as refused:
        connectors.set_secret(connection=row, secret=VALUE, expires_at=NOW, actor=make.BY, now=NOW)
    assert "expires_at" in refused.value.fields


def test_the_form_takes_the_last_day(portal: Client, tenant: TenantRef, now: object) -> None:
    row = make.connection(name="Shop")
    day = (NOW + timedelta(days=5)).date()
    address = f"/connections/{row.public_id}/secret"
    assert portal.post(address, {"secret": VALUE, "expires": "nonsense"}).status_code == 422
    assert portal.post(address, {"secret": VALUE, "expires": "2001-01-01"}).status_code == 422
    row.refresh_from_db()
    assert row.secret is None
    assert portal.post(address, {"secret": VALUE, "expires": str(day)}).status_code == 302
    row.refresh_from_db()
    assert row.secret_expires_at is not None
    assert row.secret_expires_at.date() == day


def test_who_may_not_change_connections_does_not_see_the_page(
    cast: Cast, client_for: Callable[..., Any], portal: Client
) -> None:
    assert "No secret yet" in portal.get("/settings/secrets/").content.decode()
    for who in (cast.analyst, cast.reviewer, cast.auditor):
        assert client_for(who, cast.host).get("/settings/secrets/").status_code == 403
