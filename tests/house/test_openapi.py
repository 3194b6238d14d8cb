"""The committed documents are what the code says, and each is a valid OpenAPI 3.1 document."""

import re
from typing import Any

import pytest
from ruamel.yaml import YAML

from portal.api.document import ADDRESSES
from portal.api.schema import IDS
from portal.management.commands.openapi import FOLDER, text_of
from tests.portal.api import contract


@pytest.mark.parametrize("kind", ADDRESSES)
def test_the_committed_document_is_what_the_code_says(kind: str) -> None:
    committed = (FOLDER / f"{kind}.yaml").read_text()
    assert committed == text_of(kind), "run manage.py openapi and look at the difference"


def references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [one for part in value.values() for one in references(part)]
    return [one for part in value for one in references(part)] if isinstance(value, list) else []


@pytest.mark.parametrize("kind", ADDRESSES)
def test_the_document_is_whole(kind: str) -> None:
    whole = YAML(typ="safe").load((FOLDER / f"{kind}.yaml").read_text())
    assert re.match(r"3\.1\.\d", whole["openapi"])
    for reference in set(references(whole)):
        place: Any = whole
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]
    names = [one["operationId"] for operations in whole["paths"].values() for one in operations.values()]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", name) for name in names)


@pytest.mark.parametrize("kind", ADDRESSES)
def test_every_part_of_an_address_is_described(kind: str) -> None:
    for path, operations in contract.the(kind)["paths"].items():
        wanted = set(re.findall(r"{(\w+)}", path))
        for method, one in operations.items():
            said = {part["name"]: part for part in one.get("parameters", ()) if part["in"] == "path"}
            assert set(said) == wanted, (method, path)
            for name in wanted & set(IDS):
                assert said[name]["schema"]["pattern"].startswith(f"^{IDS[name]}_")


@pytest.mark.parametrize("kind", ADDRESSES)
def test_whatever_creates_or_changes_something_once_takes_a_key(kind: str) -> None:
    """Every POST but those that only look, or that wait for another system."""
    looks = {"preview_installation", "test_connection", "dry_run", "check_domain"}
    for operations in contract.the(kind)["paths"].values():
        if "post" in operations and operations["post"]["operationId"] not in looks:
            names = {part["name"] for part in operations["post"].get("parameters", ())}
            assert "Idempotency-Key" in names, operations["post"]["operationId"]
