"""Every resource can be read, and what it answers is what the document says."""

from collections.abc import Callable

import pytest

from automations.inbox.models import Case
from portal.api.document import ADDRESSES
from tests.house.world import World, of_partner
from tests.portal.api import contract
from tests.portal.api.conftest import Machine
from tests.support.cast import Cast


def reads(kind: str) -> list[str]:
    return sorted(path for path, operations in contract.the(kind)["paths"].items() if "get" in operations)


def filled(path: str, world: World) -> str:
    return path.format(**{**world.ids, "code": "orders_by_status", "right": "inbox.read"})


TO_PEOPLE = ("/api/v1/notices", "/api/v1/notice-rules")
"""What is addressed to somebody; a token of a machine is nobody."""


@pytest.mark.parametrize("path", reads("tenant"))
def test_what_a_client_reads_is_as_the_document_says(
    path: str, api: Machine, hollis: World, make_case: Callable[..., Case]
) -> None:
    if "store-tasks" in path:
        hollis.ids["case"] = make_case(kind="store_count", title="Count the mugs").public_id
    assert api.get(filled(path, hollis)).status_code == (403 if path in TO_PEOPLE else 200)


@pytest.mark.parametrize("path", reads("partner"))
def test_what_a_partner_reads_is_as_the_document_says(
    path: str, console: Machine, hollis: World, cast: Cast
) -> None:
    members = {"member": "people", "token": "tokens", "entry": "audit"}
    ids = {**hollis.ids, "right": "inbox.read"}
    for name, listed in members.items():
        if f"{{{name}}}" in path:
            ids[name] = console.get(listed).json()["items"][0]["id"]
    if any(f"{{{name}}}" in path for name in ("domain", "provider", "work_id")):
        ids |= of_partner(cast.partner.id, "Meridian").ids
    if "{own_role}" in path:
        ids["own_role"] = console.post("roles", {"name": "R", "permissions": ["audit.read"]}).json()["id"]
    if "{review}" in path:
        ids["review"] = console.post("reviews").json()["id"]
    if "{stream}" in path:
        made = {"name": "SIEM", "kind": "webhook", "address": "https://siem.example.com/in"}
        ids["stream"] = console.post("audit-streams", made).json()["id"]
    assert console.get(path.format(**ids)).status_code == (403 if path in TO_PEOPLE else 200)


@pytest.mark.parametrize("kind", ADDRESSES)
def test_the_document_says_everything(kind: str) -> None:
    whole = contract.the(kind)
    for operations in whole["paths"].values():
        for one in operations.values():
            assert one["description"]
            assert one["summary"]
            assert {"token": []} in one["security"]
            assert {"401", "403"} <= set(one["responses"])
            for part in one.get("parameters", ()):
                assert part.get("description"), (one["operationId"], part["name"])
    for name, schema in whole["components"]["schemas"].items():
        assert schema["description"], name
        for member, part in schema.get("properties", {}).items():
            assert part.get("description") or "$ref" in part or part.get("oneOf"), (name, member)
