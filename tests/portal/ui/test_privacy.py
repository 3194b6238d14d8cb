"""Pages about people's data: found, given out, erased once it is typed; terms and holds of a client and a partner."""

from collections.abc import Callable
from datetime import datetime

from django.test import Client
from django.urls import reverse

from automations.events import actions as events
from tenants.privacy import queries
from tenants.privacy.actions import subjects
from tenants.privacy.enums import Keeps, Level
from tenants.privacy.models import LegalHold, SubjectRequest
from tenants.privacy.registry import PURGERS
from tenants.tenancy import context
from tests.support import make
from tests.support.cast import Cast

HOST = "hollis.meridian.localhost"


def worked_off(cast: Cast, now: datetime) -> None:
    """What the job does for the one request that there is."""
    with context.enter(cast.tenant):
        key = SubjectRequest.objects.get().id
        while not subjects.carry_on(key=key, now=now):
            continue


def test_a_person_is_found_exported_and_erased(
    cast: Cast, client_for: Callable[..., Client], now: datetime
) -> None:
    with context.enter(cast.tenant):
        events.publish(type="order.placed", subject="10045", data=make.order(), source="/shop", time=now)
    browser = client_for(cast.owner, HOST)
    sent = browser.post("/settings/people-data/", {"terms": "ann@example.com", "reference": "DSR 12"})
    assert sent.status_code == 302
    assert "ann@" not in sent["Location"]
    worked_off(cast, now)
    address = sent["Location"]
    shown = browser.get(address).content.decode()
    assert "Ann Example" in shown
    assert "10045" in shown
    file = browser.post(f"{address}export")
    assert b"ann@example.com" in b"".join(file.streaming_content)
    wrong = browser.post(f"{address}erase", {"terms": "ann@example.com", "reason": "asked", "typed": "DSR"})
    assert wrong.status_code == 422
    browser.post(f"{address}erase", {"terms": "ann@example.com", "reason": "asked", "typed": "DSR 12"})
    worked_off(cast, now)
    assert SubjectRequest.objects.get().state == "erased"
    assert "ann@example.com" not in browser.get(address).content.decode()


def test_terms_are_inherited_and_a_hold_is_placed_and_lifted(
    cast: Cast, client_for: Callable[..., Client], now: datetime
) -> None:
    browser = client_for(cast.owner, HOST)
    assert browser.post("/settings/retention/", {"events": "30", "cases": "0"}).status_code == 302
    with context.enter(cast.tenant):
        found = {
            one.what: (one.days, one.level)
            for one in queries.standing(partner_id=cast.tenant.partner_id, tenant_id=cast.tenant.id)
        }
    assert found[Keeps.EVENTS] == (30, Level.TENANT)
    assert found[Keeps.RUNS][1] == Level.SYSTEM
    refused = browser.post("/settings/retention/holds", {"name": "Case 7", "reason": "court"})
    assert refused.status_code == 422
    placed = {"name": "Case 7", "reason": "court", "keys": "10045"}
    assert browser.post("/settings/retention/holds", placed).status_code == 302
    hold = LegalHold.objects.get()
    assert "Case 7" in browser.get("/settings/retention/").content.decode()
    browser.post(f"/settings/retention/holds/{hold.public_id}/lift", {"reason": "over", "typed": "Case 7"})
    hold.refresh_from_db()
    assert hold.lifted_at is not None


def test_a_partner_sees_whom_a_change_of_terms_reaches_before_it_is_saved(
    cast: Cast, client_for: Callable[..., Client], now: datetime
) -> None:
    partner_id = cast.tenant.partner_id
    before = queries.reach(partner_id)[Keeps.EVENTS]
    client_for(cast.owner, HOST).post("/settings/retention/", {"events": "30"})
    after = queries.reach(partner_id)
    assert (after[Keeps.EVENTS].follow, after[Keeps.EVENTS].own) == (before.follow - 1, before.own + 1)
    assert after[Keeps.CASES] == before
    console = client_for(cast.partner_admin, cast.partner_host)
    address = reverse("privacy:retention", "portal.urls_partner")
    shown = console.get(address).content.decode()
    assert "1 has a term of its own" in shown
    assert console.post(address, {"cases": "90"}).status_code == 302
    here = client_for(cast.owner, HOST).get("/settings/retention/").content.decode()
    assert "Partner Meridian" in here


def test_only_classes_that_are_deleted_are_offered_a_term_and_pages_say_what_is_not_looked_into(
    cast: Cast, client_for: Callable[..., Client]
) -> None:
    browser = client_for(cast.owner, HOST)
    page = browser.get("/settings/retention/").content.decode()
    assert all(f'name="{what}"' in page for what in Keeps)
    by_the_engine = {Keeps.RUN_DATA, Keeps.RUNS}
    assert set(Keeps) == by_the_engine | set(PURGERS)
    assert "not looked into" in browser.get("/settings/people-data/").content.decode()
