"""A client out of a file: made as every client is, with one step that brings in its rows, all of them or none.

It begins suspended: somebody looks at it, sets its secrets anew, and lets it work when the other one has stopped.
"""

import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import psycopg
from django.db import IntegrityError, transaction

from kernel import clock, proof
from kernel.actor import Actor, system
from kernel.database import dsn
from tenants.audit import actions as audit
from tenants.tenancy import actions, context, queries, registry, store
from tenants.tenancy.actions import sandboxing
from tenants.tenancy.contract import Manifest
from tenants.tenancy.enums import TenantState
from tenants.tenancy.errors import TenantFileRefused, WorkIsHereAlready
from tenants.tenancy.models import Partner, ProvisioningJob, Tenant
from tenants.tenancy.registry import Why, provisioning_step

_LEASE: Final = timedelta(seconds=60)


def request_import(
    *,
    partner: Partner,
    file: Path,
    slug: str = "",
    name: str = "",
    keys: Sequence[str] = (),
    reason: str = "",
    actor: Actor,
    now: datetime,
) -> ProvisioningJob:
    """Make a client of `partner` out of `file`, which a key of this portal or one of `keys` has signed.

    Raises TenantFileRefused for a file that does not fit, before anything is made; AddressTaken and Invalid.
    """
    actor.require("tenancy.carry")
    manifest = look_into(file, keys)
    said = manifest.tenant
    return actions.request_tenant(
        partner=partner,
        slug=slug or str(said["slug"]),
        name=name or str(said["name"]),
        timezone=str(said["timezone"]),
        currency=str(said["currency"]),
        language=str(said["language"]),
        sandbox=bool(said["sandbox"]),
        content={"file": str(file.resolve()), "keys": list(keys), "reason": reason, "by": actor.label},
        actor=actor,
        now=now,
    )


def look_into(file: Path, keys: Sequence[str] = ()) -> Manifest:
    """What a file holds, if it fits this portal and all of it is as it was signed. Raises TenantFileRefused."""
    with store.Unpacker(file, trusted(keys)) as unpacker:
        fit(unpacker.manifest)
        for table in unpacker.manifest.tables:
            for _ in unpacker.rows(table):
                continue
        return unpacker.manifest


def trusted(keys: Sequence[str]) -> list[proof.Key]:
    """The keys of this portal, and `keys` of others. Raises TenantFileRefused for what is none."""
    try:
        return [*audit.verifying_keys(), *(proof.Key.read(key) for key in keys)]
    except proof.Malformed as error:
        raise TenantFileRefused(str(error)) from error


def fit(manifest: Manifest) -> None:
    """Raise TenantFileRefused unless the tables in a file are those of this version."""
    if manifest.revision == store.revision():
        return
    known = set(store.migrations())
    newer = [f"{app}.{name}" for app, name in manifest.migrations if (app, name) not in known]
    if newer:
        raise TenantFileRefused(
            f"A newer version of the portal made this file: {newer[0]} is not known here."
        )
    raise TenantFileRefused(
        "An older version of the portal made this file. Import it with that version, upgrade, and export it again."
    )


@provisioning_step(35, "content", "Bring in content")
def bring_in(ref: queries.TenantRef, job: ProvisioningJob, now: datetime) -> str:
    """Rows of a file, or those of another client behind masks; nothing for a client that begins empty."""
    content = job.request.get("content")
    if not content:
        return "It begins empty"
    with _kept_alive(job.id):
        if "sandbox_of" in content:
            return sandboxing.fill(ref, UUID(content["sandbox_of"]), str(content["by"]), now)
        with store.Unpacker(Path(content["file"]), trusted(content["keys"])) as unpacker:
            fit(unpacker.manifest)
            return _import(ref, unpacker, content, now)


def _import(ref: queries.TenantRef, unpacker: store.Unpacker, content: dict[str, Any], now: datetime) -> str:
    manifest = unpacker.manifest
    with context.own(ref):
        count = lay_out(ref.schema_name, unpacker) + _take_along(ref, unpacker)
        store.carrying.await_seal(ref.schema_name)
    with context.leave():
        Tenant.objects.filter(pk=ref.id).update(state=TenantState.SUSPENDED)
        tenant = Tenant.objects.get(pk=ref.id)
        actions.tell_state(tenant)
    audit.adopt(ref.schema_name, manifest.keys, str(manifest.audit.get("note", "")))
    for arrived in registry.arrivals():
        arrived(ref, Why.IMPORT, now)
    registry.revive(ref, UUID(str(manifest.tenant["id"])), clock.parse_rfc3339(manifest.made_at))
    audit.record(
        actor=system("import"),
        action="tenancy.imported",
        obj=tenant,
        now=now,
        after={
            "from": f"{manifest.portal}/{manifest.tenant['schema']}",
            "as_of": manifest.made_at,
            "rows": count,
            "log": manifest.audit.get("size", 0),
            "head": manifest.audit.get("root", ""),
            "by": content["by"],
        },
        reason=str(content.get("reason", "")),
    )
    return f"{count} rows brought in, as of {manifest.made_at}"


def lay_out(schema: str, unpacker: store.Unpacker, *, without: frozenset[str] = frozenset()) -> int:
    """Put the tables of a file into an empty schema, in the caller's transaction; how many rows."""
    here = store.carrying.columns_in(schema)
    count = 0
    with store.carrying.quiet(schema):
        for table in unpacker.manifest.tables:
            if table.along or table.name in without:
                continue
            if not set(table.columns) <= {one.name for one in here.get(table.name, ())}:
                raise TenantFileRefused(f"The table {table.name} in the file is not one of this portal.")
            loaded = store.carrying.load(schema, table.name, table.columns, unpacker.rows(table))
            if loaded != table.rows:
                raise TenantFileRefused(
                    f"The table {table.name} in the file has not as many rows as it says."
                )
            count += loaded
    store.carrying.set_sequences(schema, unpacker.manifest.sequences)
    return count


def _take_along(ref: queries.TenantRef, unpacker: store.Unpacker) -> int:
    known = {one.table: one for one in registry.along()}
    count = 0
    for table in unpacker.manifest.tables:
        if not table.along:
            continue
        one = known.get(table.name)
        if one is None or not set(table.columns) <= set(one.columns):
            raise TenantFileRefused(f"The table {table.name} in the file is not one of this portal.")
        try:
            with transaction.atomic():
                count += store.carrying.load_along(one, table.columns, ref.id, unpacker.rows(table))
        except IntegrityError as error:
            raise WorkIsHereAlready(
                "The work that was under way is in the queue of another client here. Delete that client first."
            ) from error
    return count


class _kept_alive:  # noqa: N801 - reads as a word: `with _kept_alive(job):`
    """Within the block a job's lease does not run out, however long its one transaction takes."""

    def __init__(self, job_id: UUID) -> None:
        self._job_id, self._over = job_id, threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._over.wait(_LEASE.total_seconds() / 6):
            with psycopg.connect(dsn("portal-lease"), autocommit=True) as session:
                session.execute(
                    "update tenancy_provisioningjob set lease_until = %s where id = %s",
                    [clock.now() + _LEASE, self._job_id],
                )
