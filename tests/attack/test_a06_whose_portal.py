"""A6: a request that says in other places than its host whose portal it wants."""

from collections.abc import Callable

import pytest
from django.test import Client

from tests.support.cast import Cast

SAYS = [
    {"HTTP_X_TENANT": "arbor"},
    {"HTTP_X_TENANT_ID": "{other}"},
    {"HTTP_X_FORWARDED_HOST": "{other_host}"},
    {"HTTP_X_FORWARDED_HOST": "{other_host}, {host}"},
    {"HTTP_X_FORWARDED_SERVER": "{other_host}"},
    {"HTTP_X_HOST": "{other_host}"},
    {"HTTP_X_ORIGINAL_HOST": "{other_host}"},
    {"HTTP_X_ORIGINAL_URL": "http://{other_host}/"},
    {"HTTP_X_REWRITE_URL": "http://{other_host}/"},
    {"HTTP_FORWARDED": "host={other_host};proto=http"},
    {"HTTP_X_SCHEMA": "public"},
    {"HTTP_REFERER": "http://{other_host}/"},
    {"SERVER_NAME": "{other_host}"},
]
HOSTS = [
    "{other_host}:99999",
    "{host}.",
    "{host}@{other_host}",
    "{other_host}\\@{host}",
    "{host},{other_host}",
    "{host} {other_host}",
    "{host}\t",
    "http://{other_host}",
    "[::1]",
    "127.0.0.1",
    "",
    "." * 260,
    "hollis.meridian.localhost.evil.example",
    "xhollis.meridian.localhost",
    "holl\u0131s.meridian.localhost",
]


def _filled(text: str, cast: Cast) -> str:
    return text.format(host=cast.host, other_host=cast.other_host, other=cast.other_tenant.id)


@pytest.mark.parametrize("says", SAYS)
def test_the_host_alone_counts(cast: Cast, client_for: Callable[..., Client], says: dict[str, str]) -> None:
    answer = client_for(cast.owner, cast.host).get(
        "/api/v1/runs", **{name: _filled(value, cast) for name, value in says.items()}
    )
    assert answer.status_code == 200
    assert answer.wsgi_request.tenant.slug == "hollis"
    assert answer.wsgi_request.actor.id == cast.owner.id


@pytest.mark.parametrize("name", HOSTS)
def test_what_is_no_host_of_ours_is_nobodys(cast: Cast, client_for: Callable[..., Client], name: str) -> None:
    """A port and a last dot are no part of a name; anything else that is not exactly a verified name is unknown."""
    answer = client_for(cast.owner, cast.host).get("/api/v1/runs", headers={"host": _filled(name, cast)})
    tenant = getattr(answer.wsgi_request, "tenant", None)
    if tenant is None:
        assert answer.status_code in (400, 404)
    elif tenant.slug == "arbor":
        assert answer.status_code == 401, "the session is not of that host"
    else:
        assert tenant.slug == "hollis"
        assert _filled(name, cast).rstrip(".") == cast.host
