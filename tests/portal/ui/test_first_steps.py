"""First steps: told by what there is, each to those whose they are, and gone when done or put away."""

from collections.abc import Callable
from typing import Any

from django.test import Client

from automations.connectors.enums import ConnectionState
from automations.connectors.models import Connection
from automations.inbox.models import Decision
from tenants.access.models import Membership, User
from tenants.audit.models import AuditEvent
from tenants.tenancy import context
from tenants.tenancy.queries import TenantRef
from tests.house import world
from tests.portal.ui.conftest import PART
from tests.support.cast import Cast


def steps(answer: Any) -> dict[str, bool]:
    """The steps of a page, with whether each is done."""
    found = answer.context["first_steps"]
    return {str(one.step.title): one.done for one in found.steps} if found else {}


def test_an_admin_s_steps_are_done_by_what_there_is(
    cast: Cast, portal: Client, tenant: TenantRef, now: Any
) -> None:
    with context.leave():  # a client may not write its partner's people
        others = Membership.objects.exclude(user=cast.owner)
        everybody = list(others)
        others.delete()
    page = portal.get("/overview/")
    assert steps(page) == {
        "Connect your shop": False,
        "Install a template": False,
        "See a first run": False,
        "Invite a reviewer": False,
        "Decide a first case": False,
    }
    assert "0 of 5" in page.content.decode()
    assert 'href="/connections/"' in page.content.decode()
    with context.leave():
        Membership.objects.bulk_create(everybody)
    world.fill(world.World("Zephyr"), tenant, 1)
    Connection.objects.update(state=ConnectionState.HEALTHY)
    assert steps(portal.get("/overview/")) == {
        "Connect your shop": True,
        "Install a template": False,  # there are runs without one
        "See a first run": True,
        "Invite a reviewer": True,
        "Decide a first case": Decision.objects.filter(actor_id=cast.owner.pk).exists(),
    }


def test_a_connection_that_fails_is_no_step_done(
    cast: Cast, portal: Client, tenant: TenantRef, now: Any
) -> None:
    world.fill(world.World("Zephyr"), tenant, 1)
    Connection.objects.update(state=ConnectionState.DISCONNECTED)
    assert steps(portal.get("/overview/"))["Connect your shop"] is False


def test_everybody_has_the_steps_that_are_theirs(
    cast: Cast, client_for: Callable[..., Client], tenant: TenantRef, now: Any
) -> None:
    assert list(steps(client_for(cast.reviewer, cast.host).get("/overview/"))) == ["Decide a first case"]
    assert steps(client_for(cast.analyst, cast.host).get("/overview/")) == {}
    found = steps(client_for(cast.manager, cast.host).get("/overview/"))
    assert list(found) == ["See a first run", "Decide a first case"]


def test_a_partner_begins_with_a_client_a_brand_and_people(cast: Cast, console: Client, now: Any) -> None:
    found = steps(console.get("/clients/"))
    assert list(found) == ["Set up your first client", "Wear your brand", "Invite your people"]
    assert found["Set up your first client"] is True
    with context.leave():
        Membership.objects.filter(partner_id=cast.partner.id, tenant=None).exclude(
            user=cast.partner_admin
        ).delete()
    assert steps(console.get("/clients/"))["Invite your people"] is False


def test_who_puts_them_away_does_not_see_them_there_again_and_others_do(
    cast: Cast, portal: Client, client_for: Callable[..., Client], tenant: TenantRef, now: Any
) -> None:
    assert "First steps" in portal.get("/overview/").content.decode()
    assert portal.get("/first-steps/away").status_code == 302
    assert steps(portal.get("/overview/"))  # looking at an address puts nothing away
    assert portal.post("/first-steps/away").status_code == 302
    assert steps(portal.get("/overview/")) == {}
    assert User.objects.get(pk=cast.owner.pk).steps_away == tenant.id.hex
    assert AuditEvent.objects.filter(action="access.set_preferences").exists()
    assert steps(client_for(cast.manager, cast.host).get("/overview/"))
    assert portal.post("/first-steps/away").status_code == 302
    assert User.objects.get(pk=cast.owner.pk).steps_away == tenant.id.hex


def test_the_part_that_moves_asks_for_none_of_it(cast: Cast, portal: Client, now: Any) -> None:
    assert portal.get("/overview/", headers=PART).context["first_steps"] is None
