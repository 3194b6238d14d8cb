"""The HTTP connector signs calls in every way that it names."""

import base64

import pytest

from automations.connectors import registry
from automations.connectors.enums import AuthKind
from automations.connectors.errors import AuthNotSupported

HTTP = registry.connector("http")


@pytest.mark.parametrize(
    ("kind", "settings", "expected"),
    [
        (AuthKind.NONE, {}, {}),
        (AuthKind.API_KEY, {}, {"X-Api-Key": "s3cret"}),
        (AuthKind.API_KEY, {"header": "X-Token"}, {"X-Token": "s3cret"}),
        (AuthKind.BEARER, {}, {"Authorization": "Bearer s3cret"}),
        (
            AuthKind.BASIC,
            {"username": "bö"},
            {"Authorization": "Basic " + base64.b64encode("bö:s3cret".encode()).decode()},
        ),
    ],
)
def test_each_way_has_its_header(kind: AuthKind, settings: dict[str, str], expected: dict[str, str]) -> None:
    auth = HTTP.auth_of(kind)
    assert auth is not None
    assert auth.headers(settings, "s3cret") == expected


def test_oauth_is_stored_but_not_used_yet() -> None:
    auth = HTTP.auth_of(AuthKind.OAUTH2)
    assert auth is not None
    with pytest.raises(AuthNotSupported):
        auth.headers({}, "s3cret")


@pytest.mark.parametrize(
    ("settings", "pointer"),
    [
        ({}, ""),
        ({"base_url": "ftp://x.example"}, "/base_url"),
        ({"base_url": "no url"}, "/base_url"),
        ({"base_url": "https://x.example", "header": "a b"}, "/header"),
        ({"base_url": "https://x.example", "username": "a:b"}, "/username"),
        ({"base_url": "https://x.example", "token": "secret in settings"}, ""),
    ],
)
def test_settings_that_do_not_fit_are_pointed_at(settings: dict[str, str], pointer: str) -> None:
    assert pointer in [finding.pointer for finding in HTTP.settings.findings(settings)]
