"""What can be done with endpoints: make, give a new secret, switch off and on."""

import secrets as random
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import IntegrityError, transaction

from automations.events import policy
from automations.events.errors import EndpointNameTaken, SecretTooWeak
from automations.events.models import Endpoint
from kernel import ids, secrets
from kernel.actor import Actor
from kernel.errors import Invalid
from tenants.audit.actions import record

OVERLAP: Final = timedelta(hours=24)


def create_endpoint(
    *, name: str, kind: str, source: str = "", secret: str = "", actor: Actor, now: datetime
) -> tuple[Endpoint, str]:
    """A new endpoint and its secret, which is shown this once: a new one, or `secret` where the sender dictates it.

    `source` is the CloudEvents source of what comes in here, unless the sender says it. Raises EndpointNameTaken,
    SecretTooWeak, UnknownConnector and Invalid.
    """
    actor.require("events.endpoints")
    if not name.strip() or len(name) > 120:
        raise Invalid(fields={"name": ["Give the endpoint a name of at most 120 characters."]})
    secret = _secret(kind, secret)
    key = ids.uuid7()
    endpoint = Endpoint(
        id=key,
        name=name.strip(),
        kind=kind,
        token=random.token_urlsafe(32),
        secret=_sealed(key, 1, secret),
        source=source or f"/{kind}/{ids.public_id(Endpoint.prefix, key)}",
        created_at=now,
    )
    try:
        with transaction.atomic():
            endpoint.save(force_insert=True)
            record(
                actor=actor,
                action="events.create_endpoint",
                obj=endpoint,
                now=now,
                after={"name": endpoint.name, "kind": kind, "source": endpoint.source},
            )
    except IntegrityError as error:
        raise EndpointNameTaken(fields={"name": [f"{name} is taken."]}) from error
    return endpoint, secret


def rotate_endpoint_secret(
    *,
    endpoint: Endpoint,
    secret: str = "",
    overlap: timedelta = OVERLAP,
    actor: Actor,
    now: datetime,
) -> tuple[Endpoint, str]:
    """Give an endpoint another secret, shown this once; the one before counts for `overlap` longer.

    Raises SecretTooWeak.
    """
    actor.require("events.endpoints")
    secret = _secret(endpoint.kind, secret)
    with transaction.atomic():
        row = Endpoint.objects.select_for_update().get(pk=endpoint.pk)
        # sealed under its own version already, which is the one before the new one
        row.previous_secret, row.previous_until = bytes(row.secret), now + overlap
        row.secret_version += 1
        row.secret = _sealed(row.id, row.secret_version, secret)
        row.save(update_fields=["previous_secret", "previous_until", "secret_version", "secret"])
        record(
            actor=actor,
            action="events.rotate_endpoint_secret",
            obj=row,
            now=now,
            after={"version": row.secret_version, "previous_until": row.previous_until},
        )
    return row, secret


def set_endpoint_active(*, endpoint: Endpoint, active: bool, actor: Actor, now: datetime) -> Endpoint:
    """Switch an endpoint off (what comes to it is answered as if it did not exist) or on again."""
    actor.require("events.endpoints")
    with transaction.atomic():
        row = Endpoint.objects.select_for_update().get(pk=endpoint.pk)
        if row.active != active:
            row.active = active
            row.save(update_fields=["active"])
            record(
                actor=actor,
                action="events.set_endpoint_active",
                obj=row,
                now=now,
                before={"active": not active},
                after={"active": active},
            )
    return row


def renew_empty(*, other_tokens: bool) -> int:
    """Give every endpoint without a secret one that nobody knows, and with `other_tokens` another path; how many."""
    rows = list(Endpoint.objects.filter(secret=b""))
    for row in rows:
        row.secret_version += 1
        row.secret = _sealed(row.id, row.secret_version, _secret(row.kind, ""))
        row.previous_secret = row.previous_until = None
        if other_tokens:
            row.token = random.token_urlsafe(32)
    Endpoint.objects.bulk_update(
        rows, ["secret_version", "secret", "previous_secret", "previous_until", "token"]
    )
    return len(rows)


def _secret(kind: str, given: str) -> str:
    """The given secret, if it is strong enough, or a new one."""
    inbound = policy.inbound_of(kind)
    if not given:
        return inbound.new_secret()
    try:
        inbound.check_secret(given)
    except ValueError as error:
        raise SecretTooWeak(fields={"secret": [str(error)]}) from None
    return given


def _sealed(key: UUID, version: int, secret: str) -> bytes:
    return secrets.keep(secret.encode(), row=key, version=version, purpose=policy.PURPOSE)
