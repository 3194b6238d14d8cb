"""Whose delivery is taken: which endpoint it came to, whether its secret signed it, whether there is room for more.

An endpoint's opened secret is remembered for half a minute, by tenant, endpoint and version. Whether that version
still counts is asked by the statement that stores the events, so a rotation or a switch-off works at the next delivery.
"""

import hmac
import secrets as random
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

import structlog
from django.conf import settings

from automations.connectors import registry as connectors
from automations.connectors.contract import Delivery, Inbound
from automations.connectors.errors import SignatureWrong
from automations.events import contract, store
from automations.events.enums import CLOUDEVENTS
from automations.events.errors import EndpointUnknown, IntakeFull
from automations.events.models import Endpoint
from kernel import secrets
from kernel.errors import Invalid
from kernel.secrets import Secret
from tenants.tenancy.queries import TenantRef

log = structlog.get_logger(__name__)
REMEMBER_SECONDS: Final = 30.0
COUNT_SECONDS: Final = 1.0
PURPOSE: Final = "endpoint"
_REMEMBERED_MOST: Final = 2_000


@dataclass(frozen=True)
class KnownEndpoint:
    """An endpoint as a delivery needs it: its secrets opened, the newer first."""

    tenant_id: UUID
    id: UUID
    kind: str
    source: str
    version: int
    inbound: Inbound
    previous_until: datetime | None
    _secrets: tuple[Secret, ...] = field(repr=False)
    _known_until: float = field(repr=False)

    @property
    def still_known(self) -> bool:
        """Whether what was read of it may be used again."""
        return time.monotonic() < self._known_until

    def keys(self, now: datetime) -> list[str]:
        """The secrets that count at `now`."""
        taken = self._secrets
        if self.previous_until is not None and now >= self.previous_until:
            taken = taken[:1]
        return [secret.reveal() for secret in taken]


class _Remembered:
    """Endpoints by (tenant, token), for a while; forgets the oldest when there are too many."""

    def __init__(self) -> None:
        self._found: OrderedDict[tuple[UUID, str], KnownEndpoint] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, tenant_id: UUID, token: str) -> KnownEndpoint | None:
        found = self._found.get((tenant_id, token))
        return found if found is not None and found.still_known else None

    def put(self, token: str, endpoint: KnownEndpoint) -> None:
        with self._lock:
            self._found[endpoint.tenant_id, token] = endpoint
            while len(self._found) > _REMEMBERED_MOST:
                self._found.popitem(last=False)

    def drop(self, tenant_id: UUID, token: str) -> None:
        with self._lock:
            self._found.pop((tenant_id, token), None)

    def clear(self) -> None:
        with self._lock:
            self._found.clear()


_remembered: Final = _Remembered()
_counted: dict[UUID, tuple[float, bool]] = {}


def inbound_of(kind: str) -> Inbound:
    """How deliveries to an endpoint of this kind are proved and read. Raises Invalid."""
    if kind == CLOUDEVENTS:
        return contract.INBOUND
    found = connectors.connector(kind).inbound
    if found is None:
        raise Invalid(fields={"kind": [f"{kind} sends no webhooks."]})
    return found


def prove(
    tenant: TenantRef, token: str, delivery: Delivery, now: datetime, *, fresh: bool = False
) -> KnownEndpoint:
    """The endpoint behind `token`, if it is active and one of its secrets signed the delivery.

    Raises EndpointUnknown (after as much work as for a known one), SignatureMissing, SignatureWrong and
    TimestampStale. A signature that a remembered secret did not make is checked against the row as it is now.
    """
    endpoint = None if fresh else _remembered.get(tenant.id, token)
    if endpoint is not None:
        try:
            endpoint.inbound.verify(delivery, endpoint.keys(now), now)
        except SignatureWrong:
            log.debug("signature not made by the remembered secret", endpoint=str(endpoint.id))
        else:
            return endpoint
    endpoint = _read(tenant, token)
    if endpoint is None:
        hmac.digest(random.token_bytes(32), delivery.body, "sha256")
        raise EndpointUnknown
    endpoint.inbound.verify(delivery, endpoint.keys(now), now)
    return endpoint


def remembered(tenant: TenantRef, token: str) -> KnownEndpoint | None:
    """The endpoint behind `token`, if asking for it costs no query."""
    return _remembered.get(tenant.id, token)


def _read(tenant: TenantRef, token: str) -> KnownEndpoint | None:
    row = Endpoint.objects.filter(token=token, active=True).first()
    if row is None:
        _remembered.drop(tenant.id, token)
        return None
    endpoint = KnownEndpoint(
        tenant_id=tenant.id,
        id=row.id,
        kind=row.kind,
        source=row.source,
        version=row.secret_version,
        inbound=inbound_of(row.kind),
        previous_until=row.previous_until,
        _secrets=_opened(row),
        _known_until=time.monotonic() + REMEMBER_SECONDS,
    )
    _remembered.put(token, endpoint)
    return endpoint


def _opened(row: Endpoint) -> tuple[Secret, ...]:
    sealed = [(row.secret, row.secret_version), (row.previous_secret, row.secret_version - 1)]
    return tuple(
        Secret(secrets.opened(bytes(blob), row=row.id, version=version, purpose=PURPOSE).decode())
        for blob, version in sealed
        if blob is not None
    )


def require_room(tenant: TenantRef) -> None:
    """Go on only if the tenant's intake is not full; counted at most once a second. Raises IntakeFull."""
    room = has_room(tenant)
    if room is None:
        most = settings.INTAKE_MOST
        room = store.waiting(tenant.id, limit=most) < most
        _counted[tenant.id] = (time.monotonic() + COUNT_SECONDS, not room)
    if not room:
        raise IntakeFull(retry_after=settings.INTAKE_RETRY_SECONDS)


def has_room(tenant: TenantRef) -> bool | None:
    """Whether the tenant's intake has room, as it was counted within the last second; None if it has to be counted."""
    until, full = _counted.get(tenant.id, (0.0, False))
    return not full if until > time.monotonic() else None


def forget() -> None:
    """Remember nothing: neither secrets nor counts."""
    _remembered.clear()
    _counted.clear()
