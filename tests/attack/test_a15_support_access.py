"""A15: nobody of the partner is in a client's portal unseen: a reason, a time, both audits, no secrets, and the door."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from kernel import clock
from tenants.access import catalog
from tenants.access.models import ApiToken
from tenants.accounts.actions import policies
from tenants.accounts.models import SupportAccess
from tenants.audit.models import AuditEvent
from tenants.tenancy import context
from tenants.tenancy.models import Partner, Tenant
from tests.support.cast import NOW, Cast

GIVEN = {"reason": "Orders wait since the morning", "ticket": "T-4711", "minutes": "30"}
ClientFor = Callable[..., Client]


@pytest.fixture
def engineer(cast: Cast, client_for: ClientFor) -> Client:
    """The engineer at the console."""
    return client_for(cast.partner_engineer, cast.partner_host)


def hollis(cast: Cast) -> Tenant:
    return Tenant.objects.get(pk=cast.tenant.id)


def rule(cast: Cast, word: str) -> None:
    policies.set_policy(
        partner=Partner.objects.get(pk=cast.partner.id),
        tenant=hollis(cast),
        values={"support": word},
        by_sign_on=False,
        actor=cast.actor(cast.owner),
        now=NOW,
    )


def came_in(cast: Cast, page: str) -> Client:
    """A browser that followed the way into the client."""
    found = re.search(rf'content="0;url=http://{re.escape(cast.host)}(/enter[^"]+)"', page)
    assert found, page[:2_000]
    inside = Client(HTTP_HOST=cast.host, HTTP_SEC_FETCH_SITE="same-site")
    assert inside.get(found[1].replace("&amp;", "&")).status_code == 302
    return inside


def go_in(cast: Cast, engineer: Client, **more: str) -> Client:
    address = f"/support/enter/{hollis(cast).public_id}"
    return came_in(cast, engineer.post(address, {**GIVEN, **more}).content.decode())


def trail(cast: Cast, *, client: bool) -> list[tuple[str, str, str]]:
    with context.enter(cast.tenant) if client else context.leave():
        rows = AuditEvent.objects.filter(action__startswith="accounts.").order_by("id")
        return [(row.action, row.actor_label, row.reason) for row in rows]


def test_the_way_in_asks_for_a_reason_and_stands_in_both_audits(
    cast: Cast, engineer: Client, now: Any
) -> None:
    place = hollis(cast).public_id
    asked = engineer.post(f"/go/{place}", {"next": "/runs/"})
    assert asked["Location"] == f"/support/enter/{place}?next=%2Fruns%2F"
    assert engineer.get(asked["Location"]).status_code == 200
    for wrong in ({"reason": ""}, {"reason": "short"}, {"minutes": "100000"}, {"minutes": ""}):
        assert engineer.post(f"/support/enter/{place}", {**GIVEN, **wrong}).status_code == 422
    assert not SupportAccess.objects.exists()
    inside = go_in(cast, engineer)
    page = inside.get("/runs/").content.decode()
    assert "Support access: Orders wait since the morning (T-4711). It ends at" in page
    assert 'class="banner t-bad' in page
    assert 'action="/support/leave"' in page
    name = str(cast.partner_engineer)
    told = ("accounts.ask_support", name, "Orders wait since the morning")
    assert told in trail(cast, client=False)
    assert trail(cast, client=True) == [told, ("accounts.sign_in", name, "")]


def test_a_role_with_the_partner_opens_no_clients_portal_by_itself(
    cast: Cast, now: Any, client_for: ClientFor
) -> None:
    for user in (cast.partner_engineer, cast.partner_admin):
        browser = Client(HTTP_HOST=cast.host)
        browser.force_login(user)
        session = browser.session
        session["host"] = cast.host
        session.save()
        assert browser.get("/").status_code == 403
        for address in ("/runs/", "/people/", "/api/v1/runs", "/api/v1/me", "/audit/", "/settings/"):
            assert browser.get(address).status_code == 404, address


def test_it_is_over_at_its_time_at_the_next_request(cast: Cast, engineer: Client, now: Any) -> None:
    inside = go_in(cast, engineer, minutes="15")
    with clock.hold(NOW + timedelta(minutes=14, seconds=59)):
        assert inside.get("/runs/").status_code == 200
    with clock.hold(NOW + timedelta(minutes=15)):
        answer = inside.get("/runs/")
        assert (answer.status_code, answer["Location"]) == (302, "/sign-in?next=%2Fruns%2F")
        assert "_auth_user_id" not in inside.session
    assert inside.get("/runs/").status_code == 302, "it does not come back by the clock"


def test_the_client_shows_somebody_out_at_the_next_request(
    cast: Cast, engineer: Client, now: Any, client_for: ClientFor
) -> None:
    inside = go_in(cast, engineer)
    owner = client_for(cast.owner, cast.host)
    page = owner.get("/support/").content.decode()
    assert "Orders wait since the morning" in page
    assert "T-4711" in page
    assert "is here for support" in owner.get("/people/").content.decode()
    row = SupportAccess.objects.get().public_id
    assert owner.post(f"/support/{row}/end").status_code == 302
    assert inside.get("/runs/").status_code == 302
    assert [one[0] for one in trail(cast, client=True)][-1] == "accounts.end_support"
    assert [one[0] for one in trail(cast, client=False)][-1] == "accounts.end_support"


def test_the_client_may_forbid_it_also_to_who_is_inside(cast: Cast, engineer: Client, now: Any) -> None:
    inside = go_in(cast, engineer)
    rule(cast, "forbidden")
    assert inside.get("/runs/").status_code == 302
    address = f"/support/enter/{hollis(cast).public_id}"
    SupportAccess.objects.all().delete()
    assert "does not let support in" in engineer.get(address).content.decode()
    assert engineer.post(address, GIVEN).status_code == 422
    assert not SupportAccess.objects.exists()


def test_where_the_client_agrees_first_the_time_counts_from_then(
    cast: Cast, engineer: Client, now: Any, client_for: ClientFor
) -> None:
    rule(cast, "approval")
    address = f"/support/enter/{hollis(cast).public_id}"
    assert engineer.post(address, GIVEN).status_code == 302
    row = SupportAccess.objects.get()
    assert "The client has been asked" in engineer.post(address).content.decode()
    assert (row.state, row.expires_at) == ("asked", None)
    owner = client_for(cast.owner, cast.host)
    assert owner.get(f"/support/{row.public_id}/agree").status_code == 405, "nothing is agreed to by reading"
    with clock.hold(NOW + timedelta(hours=2)):
        assert owner.post(f"/support/{row.public_id}/agree").status_code == 302
        row.refresh_from_db()
        assert row.expires_at == NOW + timedelta(hours=2, minutes=30)
        inside = came_in(cast, engineer.post(address).content.decode())
        assert inside.get("/runs/").status_code == 200
        owner.post(f"/support/{row.public_id}/refuse")
        row.refresh_from_db()
        assert row.state == "open", "what is decided stays decided"


def test_nobody_agrees_to_their_own_request(
    cast: Cast, engineer: Client, now: Any, client_for: ClientFor
) -> None:
    rule(cast, "approval")
    engineer.post(f"/support/enter/{hollis(cast).public_id}", GIVEN)
    row = SupportAccess.objects.get().public_id
    for user in (cast.reviewer, cast.partner_admin, cast.partner_engineer):
        assert client_for(user, cast.host).post(f"/support/{row}/agree").status_code in (403, 404)
    assert client_for(cast.other_owner, cast.other_host).post(f"/support/{row}/agree").status_code == 404
    assert SupportAccess.objects.filter(state="asked").count() == 1


def test_who_came_for_support_sees_no_secret_and_lets_nobody_in(
    cast: Cast, now: Any, client_for: ClientFor
) -> None:
    inside = client_for(cast.partner_admin, cast.host)
    held = set(inside.get("/api/v1/me").json()["permissions"])
    assert held == catalog.IN_TENANT["partner_admin"] - catalog.NOT_IN_SUPPORT  # type: ignore[index]
    for address in (
        "/tokens/new",
        "/endpoints/new/",
        "/people/add",
        "/audit/streams/new",
        "/signing-in/",
        "/support/",
    ):
        assert inside.get(address).status_code == 403, address
    body = {"name": "mine", "scopes": ["engine.read"]}
    assert inside.post("/api/v1/tokens", body, content_type="application/json").status_code == 403
    assert not ApiToken.objects.filter(name="mine").exists()


def test_the_way_out_ends_it(cast: Cast, engineer: Client, now: Any) -> None:
    inside = go_in(cast, engineer)
    inside.get("/support/leave")
    assert inside.get("/runs/").status_code == 200, "reading ends nothing"
    page = inside.post("/support/leave")
    assert f'content="0;url=http://{cast.partner_host}"' in page.content.decode()
    assert inside.get("/runs/").status_code == 302
    assert SupportAccess.objects.get().state == "ended"
    address = f"/support/enter/{hollis(cast).public_id}"
    assert "0;url=" not in engineer.post(address).content.decode(), "to come again takes a reason again"


def test_staff_of_another_partner_do_not_even_learn_of_the_client(
    cast: Cast, now: Any, client_for: ClientFor
) -> None:
    other = client_for(cast.other_partner_admin, cast.other_partner_host)
    address = f"/support/enter/{hollis(cast).public_id}"
    assert other.get(address).status_code == 404
    assert other.post(address, GIVEN).status_code == 404
    owner = client_for(cast.owner, cast.host)
    assert owner.post(address, GIVEN).status_code in (403, 404), "who belongs here needs no support access"
    assert not SupportAccess.objects.exists()
