"""Reads of connections, as frozen values for doors; no secret is among them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from yarl import URL

from automations.connectors import registry
from automations.connectors.enums import ConnectionState
from automations.connectors.models import Connection
from automations.connectors.registry import Use
from kernel import ids
from kernel.errors import NotFound
from tenants.tenancy.queries import TenantRef, over_tenants
from tenants.vault.registry import Told


@dataclass(frozen=True)
class ConnectionView:
    """A connection as pages and the API show it; `uses` is filled for a single one."""

    id: UUID
    public_id: str
    name: str
    connector: str
    title: str
    icon: str
    auth: str
    settings: dict[str, Any]
    has_secret: bool
    secret_hint: str
    secret_set_at: datetime | None
    state: ConnectionState
    state_detail: str
    last_used_at: datetime | None
    last_checked_at: datetime | None
    secret_expires_at: datetime | None = None
    calls_at_once: int | None = None
    uses: tuple[Use, ...] = ()


def connections(*, connector: str = "", text: str = "") -> list[ConnectionView]:
    """The tenant's connections by name, of one connector if given, whose name holds `text`."""
    found = Connection.objects.defer("secret").order_by("name")
    if connector:
        found = found.filter(connector=connector)
    if text:
        found = found.filter(name__icontains=text)
    return [_view(row) for row in found]


def connection(public_id: str) -> ConnectionView:
    """One connection with what works through it. Raises NotFound."""
    row = connection_row(public_id)
    return _view(row, registry.uses(row.id))


def connection_row(public_id: str) -> Connection:
    """The row behind a public id, for an action. Raises NotFound."""
    try:
        return Connection.objects.get(pk=ids.parse_public_id(Connection.prefix, public_id))
    except (ValueError, Connection.DoesNotExist) as error:
        raise NotFound from error


def choices(connector: str) -> list[tuple[str, str]]:
    """(id, name) of the connections of one connector, for a picker."""
    found = Connection.objects.filter(connector=connector).order_by("name").values_list("id", "name")
    return [(ids.public_id(Connection.prefix, key), name) for key, name in found]


def unhealthy() -> list[ConnectionView]:
    """Connections that did not work when they were last tested."""
    bad = (ConnectionState.DEGRADED, ConnectionState.DISCONNECTED)
    return [_view(row) for row in Connection.objects.filter(state__in=bad).order_by("name")]


def any_connected() -> bool:
    """Whether a system is connected and answered when it was last asked."""
    return Connection.objects.filter(state=ConnectionState.HEALTHY).exists()


def worst(tenants: Iterable[TenantRef]) -> dict[UUID, ConnectionState | None]:
    """How the worst connection of each tenant was when it was last tested; None where none is known to be bad."""
    counts = "count(*) filter (where state = %s), count(*) filter (where state = %s)"
    select = f"select {counts} from {{schema}}.connectors_connection"
    states = [ConnectionState.DISCONNECTED, ConnectionState.DEGRADED]
    rows = over_tenants(tenants, select, lambda _tenant: states)
    return {key: states[0] if row[0] else states[1] if row[1] else None for key, row in rows.items()}


def _view(row: Connection, uses: Iterable[Use] = ()) -> ConnectionView:
    kind = registry.connector(row.connector)
    return ConnectionView(
        id=row.id,
        public_id=row.public_id,
        name=row.name,
        connector=row.connector,
        title=kind.title,
        icon=kind.icon,
        auth=row.auth,
        settings=dict(row.settings),
        has_secret=row.secret_set_at is not None,
        secret_hint=row.secret_hint,
        secret_set_at=row.secret_set_at,
        secret_expires_at=row.secret_expires_at,
        state=ConnectionState(row.state),
        state_detail=row.state_detail,
        last_used_at=row.last_used_at,
        last_checked_at=row.last_checked_at,
        calls_at_once=row.calls_at_once,
        uses=tuple(uses),
    )


def told(rows: Sequence[Connection]) -> list[Told]:
    """What a list of secrets says of each connection's."""
    uses = registry.uses_of([row.id for row in rows])
    return [
        Told(
            name=row.name,
            public_id=row.public_id,
            hosts=origin(row.settings),
            set_at=row.secret_set_at,
            used_at=row.last_used_at,
            expires_at=row.secret_expires_at,
            uses=tuple(use.title for use in uses[row.id]),
        )
        for row in rows
    ]


def origin(settings: Mapping[str, Any]) -> str:
    """The one host that a connection's secret is sent to."""
    base = str(settings.get("base_url", ""))
    return str(URL(base).origin()) if base else ""
