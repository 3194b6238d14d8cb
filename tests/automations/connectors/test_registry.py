"""Connectors are found by their folders, and each is whole."""

from collections.abc import Collection, Iterator
from pathlib import Path
from uuid import UUID

import pytest

from automations.connectors import registry, vendors
from automations.connectors.contract import Connector
from automations.connectors.enums import ErrorClass
from automations.connectors.errors import UnknownConnector, UnknownOperation
from automations.connectors.registry import Use
from kernel import ids

FOLDERS = sorted(path.name for path in Path(vendors.__path__[0]).iterdir() if (path / "__init__.py").exists())


def test_every_folder_is_a_connector_of_its_name() -> None:
    assert sorted(connector.name for connector in registry.connectors()) == FOLDERS
    assert [connector.title for connector in registry.connectors()] == ["ERP orders", "HTTP", "Shopify"]


@pytest.mark.parametrize("name", FOLDERS)
def test_every_connector_has_a_page_and_says_what_it_is(name: str) -> None:
    connector = registry.connector(name)
    page = (Path(vendors.__path__[0]) / name / "README.md").read_text()
    assert page.startswith(f"# {connector.title}\n")
    assert connector.summary.endswith(".")
    for operation in connector.operations:
        assert f"{name}.{operation.name}" in page
    if connector.inbound:
        assert all(f"`{topic}`" in page for topic in connector.inbound.topics)
    assert len({(operation.name, operation.version) for operation in connector.operations}) == len(
        connector.operations
    )


def test_what_is_not_there_is_said() -> None:
    with pytest.raises(UnknownConnector):
        registry.connector("no_such")
    for name in ("erp.no_such", "no_such.orders.get", "erp", ""):
        with pytest.raises(UnknownOperation):
            registry.operation(name)
    with pytest.raises(UnknownOperation):
        registry.operation("erp.orders.get", version=2)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (200, None),
        (204, None),
        (302, ErrorClass.REFUSED),
        (400, ErrorClass.REFUSED),
        (401, ErrorClass.SIGN_IN),
        (404, ErrorClass.NOT_FOUND),
        (409, ErrorClass.CONFLICT),
        (422, ErrorClass.REFUSED),
        (429, ErrorClass.BUSY),
        (500, ErrorClass.BROKEN),
        (503, ErrorClass.BUSY),
        (599, ErrorClass.BROKEN),
    ],
)
def test_an_answer_has_a_class(status: int, expected: ErrorClass | None) -> None:
    assert registry.connector("erp").error_class(status) == expected


def test_a_connector_may_read_an_answer_in_its_own_way() -> None:
    whole = registry.connector("erp")
    own = Connector(
        name="own",
        title="Own",
        icon="",
        category="",
        summary="",
        settings=whole.settings,
        errors={409: ErrorClass.BUSY},
    )
    assert (own.error_class(409), own.error_class(404)) == (ErrorClass.BUSY, ErrorClass.NOT_FOUND)


@pytest.fixture
def users(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(registry, "_users", [])
    return None


@pytest.mark.usefixtures("users")
def test_rooms_above_say_what_they_use() -> None:
    wanted = ids.uuid7()

    @registry.finds_uses
    def find(connections: Collection[UUID]) -> list[tuple[UUID, Use]]:
        return [(wanted, Use("workflow", "wfl_1", "Orders"))] if wanted in connections else []

    assert registry.uses(wanted) == [Use("workflow", "wfl_1", "Orders")]
    assert registry.uses(ids.uuid7()) == []
