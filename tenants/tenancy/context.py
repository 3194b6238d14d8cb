"""Who the present work is for: the tenant of this thread, entered at a door and left behind it.

A door (host name, job message, management command) enters a tenant; everything below it reads `current()`. Without
a tenant, tenant code fails closed: `current()` raises, the router refuses tenant tables, the cache refuses keys.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import connection as _django_connection

from kernel import clock, logs
from tenants.tenancy import queries
from tenants.tenancy.errors import NoTenant
from tenants.tenancy.queries import TenantRef

connection: Any = _django_connection  # django-tenants adds `tenant`, `schema_name` and the setters
_current: ContextVar[TenantRef | None] = ContextVar("current_tenant", default=None)
_TENANT_ONLY: Final = frozenset(
    app.rsplit(".", 1)[-1] for app in settings.TENANT_APPS if app not in settings.SHARED_APPS
)


def current() -> TenantRef:
    """The tenant of this thread. Raises NoTenant."""
    found = _current.get()
    if found is None:
        raise NoTenant
    return found


def current_or_none() -> TenantRef | None:
    """The tenant of this thread, if a door entered one."""
    return _current.get()


def now() -> datetime:
    """The present of the current tenant: its own clock in a sandbox that has one, else everybody's."""
    tenant = _current.get()
    if tenant is None or not tenant.sandbox:  # whether it has a clock of its own may have changed since
        return clock.now()
    return queries.virtual_now(tenant.id) or clock.now()


@contextmanager
def enter(tenant: TenantRef | UUID) -> Iterator[TenantRef]:
    """Work for `tenant` inside the block: its schema on the connection, its name in the logs."""
    if isinstance(tenant, TenantRef):
        ref = tenant
    else:
        with leave():  # from inside another tenant it could not be seen
            ref = queries.tenant_ref(tenant)
    before = connection.tenant
    token = _current.set(ref)
    connection.set_tenant(ref)
    try:
        with logs.bound(tenant=ref.slug):
            yield ref
    finally:
        _current.reset(token)
        connection.set_tenant(before)


@contextmanager
def leave() -> Iterator[None]:
    """Work for nobody inside the block: the public schema, no current tenant."""
    before = connection.tenant
    token = _current.set(None)
    connection.set_schema_to_public()
    try:
        yield
    finally:
        _current.reset(token)
        connection.set_tenant(before)


@contextmanager
def own(tenant: TenantRef) -> Iterator[None]:
    """Work on a tenant's schema inside the block as the owner of the database: for the end of a tenant alone."""
    before = connection.tenant
    token = _current.set(tenant)
    connection.set_schema(tenant.schema_name)
    try:
        yield
    finally:
        _current.reset(token)
        connection.set_tenant(before)


class _Door:
    """How `kernel.jobs` enters a tenant."""

    def current_id(self) -> UUID | None:
        found = _current.get()
        return found.id if found else None

    def enter(self, tenant_id: UUID) -> Any:
        return enter(tenant_id)


door = _Door()


class TenantRouter:
    """Refuses tenant tables while no tenant is entered, with an error that says so."""

    def _check(self, model: Any) -> None:
        if model._meta.app_label in _TENANT_ONLY and connection.schema_name == "public":
            raise NoTenant(f"{model.__name__} was asked for without a tenant")

    def db_for_read(self, model: Any, **_: Any) -> None:
        """Refuse or leave the choice to the next router."""
        self._check(model)

    def db_for_write(self, model: Any, **_: Any) -> None:
        """Refuse or leave the choice to the next router."""
        self._check(model)


def cache_key(key: str, prefix: str, version: int) -> str:
    """The cache's key for `key`: it names the tenant. Raises NoTenant, except for keys that start with `public:`."""
    if key.startswith("public:"):
        return f"{prefix}:{version}:{key}"
    return f"{prefix}:{version}:{current().id}:{key}"
