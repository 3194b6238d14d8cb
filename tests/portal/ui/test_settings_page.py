"""A client's settings, and the clock of a sandbox."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from tenants.audit.models import AuditEvent
from tenants.tenancy import queries
from tenants.tenancy.models import Tenant
from tenants.tenancy.queries import TenantRef
from tests.portal.ui.test_figures import text_of
from tests.support.cast import NOW, Cast

GIVEN = {"name": "Hollis Haus", "timezone": "Europe/Berlin", "currency": "GBP", "language": "de"}


def test_settings_are_saved_with_a_trace_of_what_changed(
    cast: Cast, portal: Client, tenant: TenantRef, now: object
) -> None:
    assert portal.post("/settings/", {**GIVEN, "currency": "EUR"})["Location"] == "/settings/"
    row = Tenant.objects.get(pk=tenant.id)
    assert (row.name, row.timezone, row.currency, row.language) == (
        "Hollis Haus",
        "Europe/Berlin",
        "EUR",
        "de",
    )
    trace = AuditEvent.objects.get(action="tenancy.settings")
    assert trace.before == {"name": "Hollis Home", "timezone": "UTC", "language": "en"}
    assert trace.after == {"name": "Hollis Haus", "timezone": "Europe/Berlin", "language": "de"}
    assert "Hollis Haus" in text_of(portal.get("/settings/"))
    portal.post("/settings/", {**GIVEN, "currency": "EUR"})
    assert AuditEvent.objects.filter(action="tenancy.settings").count() == 1


@pytest.mark.parametrize("field", sorted(GIVEN))
def test_a_mistake_is_told_at_its_field_and_nothing_is_lost(
    portal: Client, tenant: TenantRef, now: object, field: str
) -> None:
    answer = portal.post("/settings/", {**GIVEN, field: "" if field == "name" else "nonsense"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert f'href="#id_{field}"' in page
    assert "Hollis Haus" in page or field == "name"
    assert Tenant.objects.get(pk=tenant.id).name == "Hollis Home"


def test_a_value_that_no_menu_offers_stays_as_it_is(portal: Client, tenant: TenantRef, now: object) -> None:
    Tenant.objects.filter(pk=tenant.id).update(currency="XAU", timezone="Etc/GMT+3")
    queries.forget_hosts()
    given = {**GIVEN, "currency": "XAU", "timezone": "Etc/GMT+3"}
    assert portal.post("/settings/", given).status_code == 302
    row = Tenant.objects.get(pk=tenant.id)
    assert (row.name, row.currency, row.timezone) == ("Hollis Haus", "XAU", "Etc/GMT+3")


def test_settings_are_for_admins(cast: Cast, tenant: TenantRef, client_for: Callable[..., Client]) -> None:
    for name, status in {"owner": 200, "partner_admin": 200, "manager": 403, "partner_engineer": 403}.items():
        browser = client_for(getattr(cast, name), cast.host)
        assert browser.get("/settings/").status_code == status, name
    assert client_for(cast.manager, cast.host).post("/settings/", GIVEN).status_code == 403
    assert client_for(cast.other_owner, cast.host).get("/settings/").status_code == 404
    assert Tenant.objects.get(pk=tenant.id).name == "Hollis Home"


def test_the_clock_of_a_sandbox_only_runs_forward(
    cast: Cast, tenant: TenantRef, client_for: Callable[..., Client], now: object
) -> None:
    browser = client_for(cast.partner_admin, cast.host)
    there = {"to": "2026-03-04T10:00:00"}
    assert browser.post("/settings/clock", there).status_code == 404
    assert "The clock of this sandbox" not in text_of(browser.get("/settings/"))
    Tenant.objects.filter(pk=tenant.id).update(sandbox=True, virtual_now=NOW)
    queries.forget_hosts()
    assert "The clock of this sandbox" in text_of(browser.get("/settings/"))
    assert browser.post("/settings/clock", there)["Location"] == "/settings/"
    assert Tenant.objects.get(pk=tenant.id).virtual_now == NOW.replace(hour=10, minute=0) + timedelta(days=2)
    back = browser.post("/settings/clock", {"to": "2026-03-03T10:00:00"})
    assert back.status_code == 422
    assert "it is 2026-03-04T10:00:00Z there already" in text_of(back)
    assert browser.post("/settings/clock", {"to": "soon"}).status_code == 422
    assert client_for(cast.owner, cast.host).post("/settings/clock", there).status_code == 403
