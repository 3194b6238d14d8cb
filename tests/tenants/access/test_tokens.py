"""API tokens are renewed without a gap, and go with whoever stands behind them."""

from collections.abc import Callable
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from kernel import apikeys
from kernel.errors import Invalid, PortalError
from tenants.access import actions, queries
from tenants.access.enums import Role
from tenants.access.errors import BadToken, TokenOver
from tenants.access.models import ApiToken, Membership
from tenants.audit.models import AuditEvent
from tenants.tenancy.models import Tenant
from tests.portal.ui.conftest import _plain_files  # noqa: F401 - a fixture
from tests.support.cast import NOW, Cast

DAY = timedelta(days=1)


def made(
    cast: Cast, *, ends: datetime | None = None, scopes: tuple[str, ...] = ("events.read",)
) -> tuple[ApiToken, str]:
    hollis = Tenant.objects.get(pk=cast.tenant.id)
    return actions.make_token(
        partner=hollis.partner,
        tenant=hollis,
        name="ERP bridge",
        scopes=list(scopes),
        expires_at=ends,
        actor=cast.actor(cast.owner),
        now=NOW,
    )


def works(cast: Cast, text: str, now: datetime) -> bool:
    try:
        queries.actor_for_token(text, cast.place(cast.host), now=now)
    except BadToken:
        return False
    return True


def test_both_work_until_the_overlap_is_over(cast: Cast, tenant: Any, now: Any) -> None:
    old, first = made(cast, ends=NOW + 90 * DAY)
    later = NOW + 80 * DAY
    new, second = actions.rotate_token(token=old, overlap=DAY, actor=cast.actor(cast.owner), now=later)
    assert second != first
    assert (new.name, new.scopes, new.expires_at) == (old.name, old.scopes, later + 90 * DAY)
    assert [works(cast, text, later) for text in (first, second)] == [True, True]
    assert [works(cast, text, later + DAY) for text in (first, second)] == [False, True]
    old.refresh_from_db()
    assert (old.replaced_by_id, old.state(later), old.state(later + DAY)) == (new.id, "replaced", "expired")
    row = AuditEvent.objects.get(action="access.rotate_token")
    assert row.object_id == old.public_id
    assert second not in str(AuditEvent.objects.values())


def test_an_overlap_never_lets_a_token_live_longer(cast: Cast, now: Any) -> None:
    old, first = made(cast, ends=NOW + timedelta(hours=1))
    actions.rotate_token(token=old, overlap=DAY, actor=cast.actor(cast.owner), now=NOW)
    assert not works(cast, first, NOW + timedelta(hours=1))


def test_without_an_overlap_the_old_one_is_over_at_once(cast: Cast, now: Any) -> None:
    old, first = made(cast)
    new, second = actions.rotate_token(token=old, overlap=0 * DAY, actor=cast.actor(cast.owner), now=NOW)
    assert (works(cast, first, NOW), works(cast, second, NOW)) == (False, True)
    assert new.expires_at is None


def test_what_is_over_or_renewed_is_not_renewed(cast: Cast, now: Any) -> None:
    owner = cast.actor(cast.owner)
    old, _ = made(cast)
    actions.rotate_token(token=old, overlap=DAY, actor=owner, now=NOW)
    ended, _ = made(cast)
    actions.revoke_token(token=ended, actor=owner, now=NOW)
    past, _ = made(cast, ends=NOW + DAY)
    for token, at in ((old, NOW), (ended, NOW), (past, NOW + DAY)):
        with pytest.raises(TokenOver):
            actions.rotate_token(token=token, overlap=DAY, actor=owner, now=at)
    assert ApiToken.objects.count() == 4


@pytest.mark.parametrize("overlap", [-DAY, 31 * DAY])
def test_an_overlap_has_its_bounds(cast: Cast, now: Any, overlap: timedelta) -> None:
    old, first = made(cast)
    with pytest.raises(Invalid):
        actions.rotate_token(token=old, overlap=overlap, actor=cast.actor(cast.owner), now=NOW)
    assert works(cast, first, NOW)


def test_nobody_comes_to_more_by_renewing_than_by_making(cast: Cast, now: Any) -> None:
    from dataclasses import replace

    old, _ = made(cast, scopes=("events.read", "access.people"))
    lesser = replace(cast.actor(cast.owner), permissions=frozenset({"access.tokens", "events.read"}))
    with pytest.raises(PortalError):
        actions.rotate_token(token=old, overlap=DAY, actor=lesser, now=NOW)
    assert ApiToken.objects.count() == 1


def test_what_a_token_makes_is_of_the_person_behind_it(cast: Cast, now: Any) -> None:
    _, text = made(cast, scopes=("access.tokens", "events.read"))
    machine = queries.actor_for_token(text, cast.place(cast.host), now=NOW)
    hollis = Tenant.objects.get(pk=cast.tenant.id)
    row, child = actions.make_token(
        partner=hollis.partner,
        tenant=hollis,
        name="child",
        scopes=["events.read"],
        expires_at=None,
        actor=machine,
        now=NOW,
    )
    assert row.created_by_id == cast.owner.id
    Membership.objects.filter(user=cast.owner).update(role=Role.STORE_STAFF)
    assert not works(cast, child, NOW)


def test_an_end_that_is_past_is_refused(cast: Cast, now: Any) -> None:
    with pytest.raises(Invalid):
        made(cast, ends=NOW)


def test_the_pages_renew_and_show_the_text_once(
    cast: Cast, client_for: Callable[..., Client], now: Any
) -> None:
    old, first = made(cast, ends=NOW + 5 * DAY)
    browser = client_for(cast.owner, cast.host)
    assert "Ends soon" in browser.get("/tokens/").content.decode()
    address = f"/tokens/{old.public_id}/rotate"
    assert browser.get(address).status_code == 200
    assert browser.post(address, {"hours": "99"}).status_code == 422
    answer = browser.post(address, {"hours": "24"})
    shown = list(apikeys.found_in(answer.content.decode()))
    assert shown
    assert "no-store" in answer["Cache-Control"]
    assert works(cast, shown[0], NOW)
    assert works(cast, first, NOW)
    listed = browser.get("/tokens/").content.decode()
    assert shown[0] not in listed
    assert "Replaced, goes on" in listed
    assert browser.post(address, {"hours": "24"}).status_code == 422  # it is renewed already


def test_the_command_finds_lost_ones_and_ends_them(cast: Cast, now: Any, tmp_path: Path) -> None:
    _, text = made(cast)
    foreign = apikeys.new()
    lost = tmp_path / "deploy.sh"
    lost.write_text(f"curl -H 'Authorization: Bearer {text}' # {foreign}\n")
    said = StringIO()
    with pytest.raises(CommandError, match="1 found that are live"):
        call_command("api_tokens", str(lost), stdout=said)
    assert "“ERP bridge” of meridian/hollis: active" in said.getvalue()
    assert "not of this installation" in said.getvalue()
    assert text not in said.getvalue()
    call_command("api_tokens", str(lost), "--revoke", "--reason", "in a public repository", stdout=said)
    assert not works(cast, text, NOW)
    call_command("api_tokens", str(lost), stdout=said)
    with pytest.raises(CommandError, match=r"nowhere\.txt"):
        call_command("api_tokens", str(tmp_path / "nowhere.txt"), stdout=said)
