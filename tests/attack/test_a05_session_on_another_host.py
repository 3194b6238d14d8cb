"""A5: the session cookie of one portal, shown on others."""

from collections.abc import Callable

import pytest
from django.conf import settings
from django.test import Client

from tests.support.cast import Cast


@pytest.mark.parametrize("where", ["partner_host", "other_host", "other_partner_host", "platform_host"])
def test_it_opens_nothing_there(cast: Cast, client_for: Callable[..., Client], where: str) -> None:
    browser = client_for(cast.owner, cast.host)
    assert browser.get("/api/v1/runs").status_code == 200
    cookie = browser.cookies[settings.SESSION_COOKIE_NAME].value
    thief = Client(HTTP_HOST=getattr(cast, where))
    thief.cookies[settings.SESSION_COOKIE_NAME] = cookie
    assert thief.get("/api/v1/runs").status_code in (401, 404)
    assert not thief.session.get("_auth_user_id")


def test_it_is_gone_where_it_was_made_once_it_was_shown_elsewhere(
    cast: Cast, client_for: Callable[..., Client]
) -> None:
    browser = client_for(cast.owner, cast.host)
    thief = Client(HTTP_HOST=cast.other_host)
    thief.cookies[settings.SESSION_COOKIE_NAME] = browser.cookies[settings.SESSION_COOKIE_NAME].value
    thief.get("/api/v1/runs")
    assert browser.get("/api/v1/runs").status_code == 401


def test_the_cookie_is_of_one_host_where_there_is_https() -> None:
    """The browser itself refuses a `__Host-` cookie that names a domain, or came without TLS."""
    from portal import settings as ours

    assert not getattr(ours, "SESSION_COOKIE_DOMAIN", None)
    assert (ours.SESSION_COOKIE_NAME == "__Host-session") == ours.PORTAL_HTTPS
    assert ours.SESSION_COOKIE_SAMESITE == "Lax"
