"""The API of signing in: rules, identity providers, support access."""

from collections.abc import Callable
from typing import Any

import pytest

from tenants.accounts.actions import sign_on
from tenants.accounts.models import Policy, Provider, SupportAccess
from tenants.tenancy.models import Tenant
from tests.house import world
from tests.portal.api.conftest import Machine
from tests.support import saml
from tests.support.cast import NOW, Cast

ISSUER = "https://id.example.com"


def test_rules_are_read_and_changed_one_by_one(api: Machine, console: Machine) -> None:
    assert api.get("sign-in-rules").json()["second_factor"] is False
    answer = api("patch", "sign-in-rules", {"second_factor": True, "support": "approval"})
    assert answer.json() == {
        "sign_on_only": False,
        "second_factor": True,
        "mail_links": True,
        "support": "approval",
    }
    assert console.get("sign-in-rules").json()["second_factor"] is False
    refused = api("patch", "sign-in-rules", {"sign_on_only": True})
    assert (refused.status_code, refused.json()["code"]) == (409, "sign_on_not_tried")
    assert Policy.objects.get().second_factor


def test_a_provider_of_openid_connect_comes_and_goes(
    api: Machine, monkeypatch: pytest.MonkeyPatch, now: Any
) -> None:
    monkeypatch.setattr(sign_on, "metadata", lambda issuer: {"issuer": issuer})
    given = {
        "name": "ID",
        "issuer": ISSUER,
        "client_id": "portal",
        "secret": "the very secret",
        "domains": ["cast.test"],
    }
    made = api.post("identity-providers", given)
    assert made.status_code == 201
    assert "the very secret" not in made.content.decode()
    where = f"identity-providers/{made.json()['id']}"
    changed = api("patch", where, {"name": "Other", "role": "analyst"}).json()
    assert (changed["name"], changed["role"], changed["client_id"]) == ("Other", "analyst", "portal")
    assert [one["id"] for one in api.get("identity-providers").json()["items"]] == [made.json()["id"]]
    assert api("patch", where, {"role": "tenant_admin"}).status_code == 400
    assert api("delete", where).status_code == 204
    assert api.get(where).status_code == 404


def test_a_provider_of_saml_is_told_by_its_metadata(api: Machine, now: Any) -> None:
    signer, sso = saml.Signer(), f"{ISSUER}/sso"
    given = {"kind": "saml", "name": "ID", "domains": ["cast.test"]}
    missing = api.post("identity-providers", given)
    assert (missing.status_code, set(missing.json()["fields"])) == (400, {"metadata"})
    made = api.post("identity-providers", {**given, "metadata": saml.metadata(ISSUER, sso, signer.bare)})
    assert made.status_code == 201
    assert (made.json()["issuer"], made.json()["sso_url"]) == (ISSUER, sso)
    second = saml.Signer()
    where = f"identity-providers/{made.json()['id']}"
    api("patch", where, {"metadata": saml.metadata(ISSUER, sso, second.bare)})
    assert Provider.objects.get().certificates == [second.pem]
    assert set(api.post("identity-providers", {**given, "kind": "oidc"}).json()["fields"]) == {
        "issuer",
        "client_id",
        "secret",
    }


def test_support_is_agreed_to_refused_and_ended(
    cast: Cast, api: Machine, console: Machine, machine: Callable[..., Machine], now: Any
) -> None:
    row = world.support_access(Tenant.objects.get(pk=cast.tenant.id), "Zephyr", NOW)
    where = f"support-accesses/{row.public_id}"
    (listed,) = api.get("support-accesses").json()["items"]
    assert (listed["id"], listed["state"]) == (row.public_id, "asked")
    assert console.get("support-accesses").json()["items"] == [listed]
    assert machine(cast.other_host).post(f"{where}/agree").status_code == 404
    agreed = api.post(f"{where}/agree").json()
    assert (agreed["state"], agreed["decided_by"]) == ("open", "token machine")
    assert api.post(f"{where}/refuse").json()["code"] == "support_over"
    assert api.post(f"{where}/end").json()["state"] == "ended"
    assert SupportAccess.objects.get().ended_by == "token machine"
