"""A23: API tokens in addresses, logs and Referers; tokens of people who are gone."""

import hashlib
import io
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from kernel import apikeys
from kernel.actor import system
from tenants.access import actions
from tenants.access.models import ApiToken, Membership
from tenants.tenancy import context
from tenants.tenancy.models import Tenant
from tests.support.cast import NOW, Cast

BY = system("test")


@pytest.fixture
def token(cast: Cast, now: Any) -> tuple[ApiToken, str]:
    """A token of Orla's in Hollis that reads events."""
    hollis = Tenant.objects.get(pk=cast.tenant.id)
    return actions.make_token(
        partner=hollis.partner,
        tenant=hollis,
        name="canary",
        scopes=["events.read"],
        expires_at=None,
        actor=cast.actor(cast.owner),
        now=NOW,
    )


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """All that is logged, from the least on, as the product's own handler writes it."""
    root, text = logging.getLogger(), io.StringIO()
    handler = logging.StreamHandler(text)
    for known in root.handlers:
        if known.formatter is not None and "ProcessorFormatter" in type(known.formatter).__name__:
            handler.setFormatter(known.formatter)
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield text
    root.removeHandler(handler)
    root.setLevel(level)


def asks(cast: Cast, text: str) -> int:
    browser = Client(HTTP_HOST=cast.host)
    return browser.get("/api/v1/events", headers={"Authorization": f"Bearer {text}"}).status_code


NAMES = [
    "token",
    "access_token",
    "api_key",
    "apikey",
    "key",
    "auth",
    "authorization",
    "Authorization",
    "bearer",
]


@pytest.mark.parametrize("name", NAMES)
def test_in_an_address_it_opens_nothing(cast: Cast, token: tuple[ApiToken, str], name: str) -> None:
    _, text = token
    for value in (text, f"Bearer {text}"):
        answer = Client(HTTP_HOST=cast.host).get("/api/v1/events", {name: value})
        assert answer.status_code == 401
        assert text not in answer.content.decode() + str(answer.headers)
        assert Client(HTTP_HOST=cast.host).post("/api/v1/events", {name: value}).status_code == 401


def test_in_other_headers_cookies_and_schemes_it_opens_nothing(
    cast: Cast, token: tuple[ApiToken, str]
) -> None:
    _, text = token
    for header in ("X-Api-Key", "X-Auth-Token", "Proxy-Authorization", "X-Authorization", "Referer"):
        assert Client(HTTP_HOST=cast.host).get("/api/v1/events", headers={header: text}).status_code == 401
    for scheme in ("Basic", "Token", "Digest", ""):
        given = {"Authorization": f"{scheme} {text}".strip()}
        assert Client(HTTP_HOST=cast.host).get("/api/v1/events", headers=given).status_code == 401
    for cookie in ("session", "token", "Authorization"):
        browser = Client(HTTP_HOST=cast.host)
        browser.cookies[cookie] = text
        assert browser.get("/api/v1/events").status_code == 401


def test_no_log_line_holds_it(cast: Cast, token: tuple[ApiToken, str], written: io.StringIO) -> None:
    _, text = token
    assert asks(cast, text) == 200
    assert asks(cast, text[:-1] + "!") == 401
    browser = Client(HTTP_HOST=cast.host)
    for address in (f"/api/v1/events?token={text}", f"/{text}", f"/api/v1/{text}", f"/sign-in?next=/{text}"):
        browser.get(address, headers={"Referer": f"https://x.example/?t={text}", "User-Agent": text})
    logging.getLogger("django.request").error("Bad request: /?token=%s", text)
    try:
        raise ValueError(f"Bearer {text}")
    except ValueError:
        logging.getLogger("portal.request").exception("it went wrong")
    said = written.getvalue()
    assert "Bad request" in said
    assert text not in said
    assert "pat_…" in said


def test_the_database_keeps_no_more_than_its_hash_and_its_first_letters(
    cast: Cast, token: tuple[ApiToken, str]
) -> None:
    row, text = token
    assert asks(cast, text) == 200
    with connection.cursor() as cursor:
        cursor.execute(
            "select format('%%I.%%I', table_schema, table_name) from information_schema.tables"
            " where table_type = 'BASE TABLE' and (table_schema = 'public' or table_schema = %s)",
            [cast.tenant.schema_name],
        )
        tables = [name for (name,) in cursor.fetchall()]
        assert len(tables) > 50
        for name in tables:
            cursor.execute(f"select count(*) from {name} t where t::text like %s", [f"%{text[8:30]}%"])
            assert cursor.fetchone() == (0,), name
    assert row.hint == text[:8]
    assert row.digest == hashlib.sha256(text.encode()).hexdigest()


def test_no_page_tells_others_its_address(cast: Cast, client_for: Callable[..., Client], now: Any) -> None:
    """The answer that shows a token stands under an address without it, asks nobody else, and is kept nowhere."""
    browser = client_for(cast.owner, cast.host)
    made = browser.post("/tokens/new", {"name": "canary", "days": "30", "scopes": ["events.read"]})
    (text,) = set(apikeys.found_in(made.content.decode()))
    assert made.status_code == 200  # no redirect that would carry it
    assert made["Referrer-Policy"] == "same-origin"
    assert "no-store" in made["Cache-Control"]
    assert (
        "default-src 'none'" in made["Content-Security-Policy"] or "'self'" in made["Content-Security-Policy"]
    )
    assert text not in browser.get("/tokens/").content.decode()


def test_a_mistyped_one_costs_no_look_into_the_tokens(
    cast: Cast, token: tuple[ApiToken, str], django_assert_num_queries: Any
) -> None:
    from tenants.access.errors import BadToken
    from tenants.access.queries import actor_for_token

    _, text = token
    place = cast.place(cast.host)
    with django_assert_num_queries(0), pytest.raises(BadToken):
        actor_for_token(text[:-1] + ("a" if text[-1] != "a" else "b"), place, now=NOW)


def deactivated(cast: Cast) -> None:
    operator = cast.actor(cast.operator, cast.platform_host)
    actions.set_active(user=cast.owner, active=False, reason="left", actor=operator, now=NOW)


def removed(cast: Cast) -> None:
    Membership.objects.filter(user=cast.owner).delete()


def deleted(cast: Cast) -> None:
    with context.own(cast.tenant):
        cast.owner.delete()


def revoked(cast: Cast) -> None:
    actions.revoke_token(token=ApiToken.objects.get(name="canary"), actor=BY, now=NOW)


@pytest.mark.parametrize("gone", [deactivated, removed, deleted, revoked])
def test_the_token_of_somebody_who_is_gone_is_refused_at_its_next_request(
    cast: Cast, token: tuple[ApiToken, str], gone: Callable[[Cast], None]
) -> None:
    _, text = token
    assert asks(cast, text) == 200
    gone(cast)
    assert asks(cast, text) == 401
