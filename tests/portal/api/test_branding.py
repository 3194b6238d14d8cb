"""A partner's brand and names by the API: drafted, published, gone back to; claimed, proven, given back."""

from collections.abc import Callable
from typing import Any

import pytest

from kernel import dns
from tenants.branding.models import BrandVersion, DomainClaim
from tenants.tenancy.models import Tenant
from tests.portal.api.conftest import Machine
from tests.support.cast import Cast


def test_a_brand_is_drafted_published_and_gone_back_to(cast: Cast, console: Machine, now: Any) -> None:
    before = console.get("brand").json()
    assert before["draft"] is None
    drafted = console("patch", "brand", {"name": "Kestrel", "colour": "#0057b8"}).json()
    assert drafted["draft"]["name"] == "Kestrel"
    assert drafted["published"] == before["published"]
    assert console.post("brand/publish").json()["published"]["name"] == "Kestrel"
    assert console.post("brand/publish").status_code == 404  # there is no draft any more
    console("patch", "brand", {"name": "Merlin"})
    assert console("delete", "brand").status_code == 204
    console("patch", "brand", {"name": "Osprey"})
    console.post("brand/publish")
    versions = console.get("brand/versions").json()["items"]
    assert [one["values"]["name"] for one in versions][:2] == ["Osprey", "Kestrel"]
    back = console.post(f"brand/versions/{versions[1]['number']}/roll-back").json()
    assert back["published"]["name"] == "Kestrel"
    assert console.post("brand/versions/999/roll-back").status_code == 404
    for wrong in ({"colour": "red"}, {"sidebar": "pink"}, {"css": "*{}"}, {"words": []}):
        answer = console("patch", "brand", wrong)
        assert (answer.status_code, list(answer.json()["fields"])) == (400, list(wrong)), wrong


def test_who_may_not_brand_reads_nothing(cast: Cast, machine: Callable[..., Machine], now: Any) -> None:
    narrow = machine(cast.partner_host, "tenancy.read")
    assert narrow.get("brand").status_code == 403
    assert narrow("patch", "brand", {"name": "X"}).status_code == 403
    assert not BrandVersion.objects.filter(published_at__isnull=True).exists()


def test_a_name_is_claimed_proven_and_given_back(
    cast: Cast, console: Machine, now: Any, monkeypatch: pytest.MonkeyPatch, machine: Callable[..., Machine]
) -> None:
    made = console.post("domains", {"host": "portal.kestrel-shop.com"}).json()
    at = f"domains/{made['id']}"
    assert made["proof_name"] == "_portal-challenge.portal.kestrel-shop.com"
    monkeypatch.setattr(dns, "texts", lambda *_a, **_k: [])
    refused = console.post(f"{at}/check")
    assert (refused.status_code, refused.json()["code"]) == (409, "not_proven")
    monkeypatch.setattr(dns, "texts", lambda *_a, **_k: [made["proof_value"]])
    assert console.post(f"{at}/check").json()["verified_at"]
    assert console.post(f"{at}/first").status_code == 200
    theirs = machine(cast.other_partner_host)
    assert theirs.get(at).status_code == 404
    assert theirs("delete", at).status_code == 404
    taken = theirs.post("domains", {"host": "portal.kestrel-shop.com"})
    assert (taken.status_code, taken.json()["code"]) == (409, "host_taken")
    assert console("delete", at).status_code == 204
    assert not DomainClaim.objects.exists()
    foreign = Tenant.objects.get(pk=cast.other_tenant.id).public_id
    answer = console.post("domains", {"host": "x.kestrel-shop.com", "tenant": foreign})
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["tenant"])
    ours = Tenant.objects.get(pk=cast.tenant.id).public_id
    assert console.post("domains", {"host": "x.kestrel-shop.com", "tenant": ours}).json()["tenant"] == ours
    answer = console.post("domains", {"host": "not a name"})
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["host"])
