"""Every connector there is: one folder each under `vendors/`, found by its name; and who works through a connection."""

import importlib
import pkgutil
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from automations.connectors import vendors
from automations.connectors.contract import Connector, Operation
from automations.connectors.errors import UnknownConnector, UnknownOperation


def _found() -> dict[str, Connector]:
    names = sorted(module.name for module in pkgutil.iter_modules(vendors.__path__) if module.ispkg)
    modules = [importlib.import_module(f"{vendors.__name__}.{name}") for name in names]
    return {module.CONNECTOR.name: module.CONNECTOR for module in modules}


_CONNECTORS: Final = _found()


def connectors() -> list[Connector]:
    """Every connector, by title."""
    return sorted(_CONNECTORS.values(), key=lambda connector: connector.title)


def connector(name: str) -> Connector:
    """The connector of this name. Raises UnknownConnector."""
    try:
        return _CONNECTORS[name]
    except KeyError:
        raise UnknownConnector(f"there is no connector {name!r}") from None


def operation(name: str, version: int = 1) -> tuple[Connector, Operation]:
    """What `<connector>.<operation>` means, as definitions write it (`shopify.orders.get`). Raises UnknownOperation."""
    owner, _, rest = name.partition(".")
    found = _CONNECTORS[owner].operation(rest, version) if owner in _CONNECTORS else None
    if found is None:
        raise UnknownOperation(f"no connector has an operation {name}:{version}")
    return _CONNECTORS[owner], found


@dataclass(frozen=True)
class Use:
    """Something that works through a connection: its kind, id and name, for people."""

    kind: str
    id: str
    title: str


_Find = Callable[[Collection[UUID]], Iterable[tuple[UUID, Use]]]
_users: list[_Find] = []


def finds_uses(find: _Find) -> _Find:
    """Register how a room above finds what of its own works through some connections."""
    _users.append(find)
    return find


def uses(connection_id: UUID) -> list[Use]:
    """What works through a connection, in the current tenant."""
    return uses_of([connection_id])[connection_id]


def uses_of(connections: Collection[UUID]) -> dict[UUID, list[Use]]:
    """What works through each of these connections, in the current tenant."""
    found: dict[UUID, list[Use]] = {key: [] for key in connections}
    for find in _users:
        for key, use in find(connections):
            found[key].append(use)
    return found
