"""What can be done with connections: make, change, give a secret, test, remove; and open one to call through it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings as django_settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from yarl import URL

from automations.connectors import queries, registry
from automations.connectors.contract import Auth, Connector, Probe
from automations.connectors.enums import AuthKind, ConnectionState, ErrorClass
from automations.connectors.errors import InUse, NameTaken, SecretMissing, SettingsWrong
from automations.connectors.models import Connection
from kernel import http, secrets
from kernel.actor import Actor
from kernel.errors import Invalid, NotFound
from kernel.secrets import Secret
from tenants.access import policy
from tenants.audit.actions import record

PROBE_SECONDS: Final = 15.0
PURPOSE: Final = "connection"
_USED_EVERY: Final = timedelta(minutes=1)
_UNSENDABLE: Final = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True)
class OpenConnection:
    """A connection as a call needs it. The secret leaves it only in `headers`, and only for `allowed_host`."""

    id: UUID
    name: str
    connector: Connector
    base_url: str
    allowed_host: str
    secret_version: int
    calls_at_once: int | None
    _sign: Callable[[], dict[str, str]] = field(repr=False)

    def headers(self) -> dict[str, str]:
        """The headers that sign a call in; asked for when it is sent. Raises SecretMissing and AuthNotSupported."""
        return self._sign()

    def url(self, path: str) -> str:
        """The address of `path` in this system."""
        return f"{self.base_url}{path}"


@dataclass(frozen=True)
class Tested:
    """What "Test connection" found."""

    state: ConnectionState
    detail: str
    status: int | None = None


def create_connection(
    *,
    name: str,
    connector: str,
    settings: Mapping[str, Any],
    auth: str = "",
    actor: Actor,
    now: datetime,
) -> Connection:
    """A new connection, still without a secret; `auth` is one of the connector's ways, its first if not given.

    Raises UnknownConnector, SettingsWrong (naming fields) and NameTaken.
    """
    actor.require("connectors.edit")
    kind = registry.connector(connector)
    way = _way(kind, auth or (kind.auth[0].kind if kind.auth else AuthKind.NONE))
    _check_settings(kind, settings)
    try:
        with transaction.atomic():
            connection = Connection.objects.create(
                name=_checked_name(name),
                connector=connector,
                auth=way.kind,
                settings=dict(settings),
                created_at=now,
            )
            record(
                actor=actor,
                action="connectors.create_connection",
                obj=connection,
                now=now,
                after={"name": name, "connector": connector, "auth": way.kind, "settings": dict(settings)},
            )
    except IntegrityError as error:
        raise NameTaken(fields={"name": [f"{name} is taken."]}) from error
    return connection


def update_connection(
    *,
    connection: Connection,
    name: str | None = None,
    settings: Mapping[str, Any] | None = None,
    auth: str | None = None,
    actor: Actor,
    now: datetime,
) -> Connection:
    """Change what is given. Another host or another way to sign in forgets the secret: it was not given for those.

    Raises SettingsWrong and NameTaken.
    """
    policy.require(actor, "connectors.edit", connection)
    kind = registry.connector(connection.connector)
    if settings is not None:
        _check_settings(kind, settings)
    try:
        with transaction.atomic():
            row = Connection.objects.select_for_update().get(pk=connection.pk)
            before = _shown(row)
            old_place = (queries.origin(row.settings), row.auth)
            row.name = row.name if name is None else _checked_name(name)
            row.settings = row.settings if settings is None else dict(settings)
            row.auth = row.auth if auth is None else _way(kind, auth).kind
            if (queries.origin(row.settings), row.auth) != old_place:
                row.secret, row.secret_hint, row.secret_set_at, row.secret_expires_at = None, "", None, None
                row.state, row.state_detail = ConnectionState.NEW, ""
            row.save()
            record(
                actor=actor,
                action="connectors.update_connection",
                obj=row,
                now=now,
                before=before,
                after=_shown(row),
            )
    except IntegrityError as error:
        raise NameTaken(fields={"name": [f"{name} is taken."]}) from error
    return row


def set_secret(
    *,
    connection: Connection,
    secret: str,
    expires_at: datetime | None = None,
    actor: Actor,
    now: datetime,
) -> Connection:
    """Keep a new secret, sealed; nobody reads it again but the calls that use it. Raises Invalid.

    `expires_at` is when its system stops taking it, for whoever has to see to another in time.
    """
    policy.require(actor, "connectors.edit", connection)
    if not secret or len(secret) > 8_000 or _UNSENDABLE.search(secret):
        raise Invalid(fields={"secret": ["Give a secret of at most 8000 characters, all on one line."]})
    if expires_at is not None and expires_at <= now:
        raise Invalid(fields={"expires_at": ["This is over already."]})
    ending = {"expires_at": expires_at} if expires_at else {}
    with transaction.atomic():
        row = Connection.objects.select_for_update().get(pk=connection.pk)
        row.secret_version += 1
        row.secret = secrets.keep(secret.encode(), row=row.id, version=row.secret_version, purpose=PURPOSE)
        row.secret_hint = secret[-4:] if len(secret) >= 12 else ""
        row.secret_set_at, row.secret_expires_at = now, expires_at
        row.state, row.state_detail = ConnectionState.NEW, ""
        row.save()
        record(
            actor=actor,
            action="connectors.set_secret",
            obj=row,
            now=now,
            after={"version": row.secret_version, "secret": Secret(secret), **ending},
        )
    return row


def test_connection(*, connection: Connection, actor: Actor, now: datetime) -> Tested:
    """Call the system's health probe and keep what it said. Call it outside a transaction: it waits for an answer."""
    policy.require(actor, "connectors.edit", connection)
    found = _probed(connection)
    with transaction.atomic():
        row = Connection.objects.select_for_update().get(pk=connection.pk)
        before = row.state
        row.state, row.state_detail, row.last_checked_at = found.state, found.detail, now
        row.save(update_fields=["state", "state_detail", "last_checked_at"])
        record(
            actor=actor,
            action="connectors.test_connection",
            obj=row,
            now=now,
            before={"state": before},
            after={"state": found.state, "detail": found.detail},
        )
    return found


def delete_connection(*, connection: Connection, actor: Actor, now: datetime) -> None:
    """Remove a connection with its secret. Raises InUse, naming what works through it."""
    policy.require(actor, "connectors.edit", connection)
    with transaction.atomic():
        row = Connection.objects.select_for_update().get(pk=connection.pk)
        if used := registry.uses(row.id):
            raise InUse(f"{', '.join(use.title for use in used)} still works through {row.name}")
        record(actor=actor, action="connectors.delete_connection", obj=row, now=now, before=_shown(row))
        row.delete()


def open_connection(connection_id: UUID, *, now: datetime | None = None) -> OpenConnection:
    """The connection of the current tenant with this key, ready for calls. Raises NotFound.

    With `now` its time of last use is kept, to the minute.
    """
    row = Connection.objects.filter(pk=connection_id).first()
    if row is None:
        raise NotFound("this connection is gone")
    if now is not None:
        Connection.objects.filter(pk=row.pk).filter(
            Q(last_used_at__isnull=True) | Q(last_used_at__lt=now - _USED_EVERY)
        ).update(last_used_at=now)
    kind = registry.connector(row.connector)
    base = str(row.settings.get("base_url", "")).rstrip("/")
    return OpenConnection(
        id=row.id,
        name=row.name,
        connector=kind,
        base_url=base,
        allowed_host=URL(base).authority if base else "",
        secret_version=row.secret_version,
        calls_at_once=row.calls_at_once,
        _sign=_signer(row, _way(kind, row.auth)),
    )


def egress() -> http.Egress:
    """What calls may reach: public addresses, and what operators opened."""
    return http.Egress(allowed=django_settings.EGRESS_ALLOW)


def _signer(row: Connection, way: Auth) -> Callable[[], dict[str, str]]:
    """A function that signs a call in; it asks no database, so an event loop may call it."""
    settings, secret = dict(row.settings), _opened(row) if way.needs_secret else None

    def sign() -> dict[str, str]:
        if not way.needs_secret:
            return {}
        if secret is None:
            raise SecretMissing
        return way.headers(settings, secret.reveal())

    return sign


def _opened(row: Connection) -> Secret | None:
    if row.secret is None:
        return None
    opened = secrets.opened(bytes(row.secret), row=row.id, version=row.secret_version, purpose=PURPOSE)
    return Secret(opened.decode())


def _probed(connection: Connection) -> Tested:
    opened = open_connection(connection.pk)
    probe = opened.connector.probe
    if probe is None:
        return Tested(ConnectionState.HEALTHY, "There is nothing to test.")
    try:
        answer = http.fetch(
            probe.method,
            opened.url(probe.path),
            egress(),
            headers=opened.headers(),
            seconds=PROBE_SECONDS,
        )
    except SecretMissing as error:
        return Tested(ConnectionState.DISCONNECTED, error.message)
    except (http.EgressRefused, http.NoAnswer) as error:
        return Tested(ConnectionState.DISCONNECTED, secrets.redact(error.message)[:500])
    return _judged(opened.connector, probe, answer.status)


def _judged(kind: Connector, probe: Probe, status: int) -> Tested:
    if status in probe.expect:
        return Tested(ConnectionState.HEALTHY, f"{kind.title} answered {status}.", status)
    found = kind.error_class(status)
    if found == ErrorClass.SIGN_IN:
        return Tested(ConnectionState.DISCONNECTED, f"The credentials are not accepted ({status}).", status)
    return Tested(ConnectionState.DEGRADED, f"{kind.title} answered {status}.", status)


def _way(kind: Connector, auth: str) -> Auth:
    found = kind.auth_of(auth)
    if found is None:
        raise SettingsWrong(fields={"auth": [f"{kind.title} is not signed in to that way."]})
    return found


def _checked_name(name: str) -> str:
    if not name.strip() or len(name) > 120:
        raise Invalid(fields={"name": ["Give the connection a name of at most 120 characters."]})
    return name.strip()


def _check_settings(kind: Connector, settings: Mapping[str, Any]) -> None:
    """Raises SettingsWrong with a message a field."""
    wrong: dict[str, list[str]] = {}
    for finding in kind.settings.findings(dict(settings)):
        wrong.setdefault(finding.pointer.lstrip("/") or "settings", []).append(finding.message)
    base = settings.get("base_url")
    if isinstance(base, str) and "base_url" not in wrong:
        try:
            http.check_url(base, egress())
        except http.EgressRefused as error:
            wrong["base_url"] = [error.message]
    if wrong:
        raise SettingsWrong(fields=wrong)


def _shown(row: Connection) -> dict[str, Any]:
    """What the audit says of a connection."""
    return {
        "name": row.name,
        "auth": row.auth,
        "settings": row.settings,
        "secret": f"version {row.secret_version}" if row.secret is not None else "none",
    }
