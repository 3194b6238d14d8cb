"""A31, A27: a secret goes to the host that it was given for, and to no other; not by an edit, not by a redirect."""

from collections.abc import Mapping

import pytest

from automations.connectors import actions as connectors
from automations.connectors.errors import SecretMissing
from automations.engine.executors import http
from automations.engine.executors.http import Signed
from kernel.actor import system
from tenants.tenancy.queries import TenantRef
from tests.support import make
from tests.support.cast import NOW

OURS: Mapping[str, str] = {"X-Api-Key": "the key of the shop", "Authorization": "Bearer x"}
SIGNED = Signed("https://shop.example.com/api", OURS)
SENT = {"x-api-key": "the key of the shop", "authorization": "Bearer x", "accept": "application/json"}


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example.com/api",
        "//evil.example.com/",
        "http://shop.example.com/api",
        "https://shop.example.com:8443/",
        "https://shop.example.com.evil.example/",
        "https://user@evil.example.com/",
    ],
)
def test_a_redirect_elsewhere_takes_no_credential_along(target: str) -> None:
    following, headers = http._redirected("https://shop.example.com/api/orders", target, SENT, SIGNED)
    assert headers == {"accept": "application/json"}, following


def test_a_redirect_on_the_same_host_stays_signed_in() -> None:
    _, headers = http._redirected("https://shop.example.com/api/orders", "/api/other", SENT, SIGNED)
    assert headers == SENT


@pytest.mark.parametrize(
    "uri",
    [
        "https://evil.example.com/x",
        "//evil.example.com/x",
        "http://shop.example.com/api/x",
        "https:\\\\evil.example.com",
    ],
)
def test_a_step_cannot_name_another_host_for_a_connection(uri: str) -> None:
    try:
        full = http._inside(SIGNED.base_url, uri)
    except ValueError:
        return
    assert full.startswith("https://shop.example.com/"), full


def test_another_host_forgets_the_secret(tenant: TenantRef) -> None:
    row = make.connection(base_url="https://shop.example.com", secret="the key of the shop")
    connectors.update_connection(
        connection=row, settings={"base_url": "https://evil.example.com"}, actor=system("test"), now=NOW
    )
    with pytest.raises(SecretMissing):
        connectors.open_connection(row.id).headers()
