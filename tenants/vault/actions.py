"""What can be done with keys: give a tenant another data key, wrap data keys by another master key, forget old ones.

Nothing stops meanwhile. An old data key stays readable until nothing is sealed under it any more, and ten minutes
longer, for whoever read a row just before.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import structlog
from django.db import transaction

from kernel import jobs, masters, secrets
from kernel.actor import Actor
from kernel.errors import Conflict
from tenants.audit.actions import record
from tenants.tenancy import context
from tenants.tenancy.models import DataKey, Tenant
from tenants.vault import policy, queries
from tenants.vault.registry import SealedColumn, columns

log = structlog.get_logger(__name__)
RESEAL: Final = "vault.reseal"
KEPT: Final = timedelta(minutes=10)
_AT_ONCE: Final = 100


def make_data_key(*, tenant_id: UUID | None, now: datetime) -> DataKey:
    """The first data key of a tenant, or of the installation; the one that is there, where there is one."""
    found = queries.present_key(tenant_id)
    return found or _new_key(tenant_id, 1, now)


def _new_key(tenant_id: UUID | None, version: int, now: datetime) -> DataKey:
    wrapped = policy.wrap(secrets.new_key(), tenant_id, version)
    return DataKey.objects.create(tenant_id=tenant_id, version=version, wrapped=wrapped, created_at=now)


def rotate_data_key(*, tenant: Tenant | None, reason: str = "", actor: Actor, now: datetime) -> DataKey:
    """Give a tenant (None: the installation) another data key; what is sealed under older ones is sealed anew by a job.

    Raises Conflict while an earlier change is not through.
    """
    actor.require("platform.partners")
    owner = tenant.id if tenant else None
    with transaction.atomic(), context.leave():
        newest = queries.keys_of(owner).select_for_update().order_by("-version").first()
        if newest is None:
            raise Conflict("there is no data key yet")
        if queries.old_keys(owner).filter(retired_at__isnull=True).exists():
            raise Conflict("secrets are still being sealed under the present key; try again in a moment")
        made = _new_key(owner, newest.version + 1, now)
        record(
            actor=actor,
            action="vault.rotate_data_key",
            obj=tenant or made,
            now=now,
            before={"version": newest.version},
            after={"version": made.version},
            reason=reason,
            partner_id=tenant.partner_id if tenant else None,
        )
        jobs.enqueue(RESEAL, owner=str(owner or ""))
    return made


def reseal(*, tenant_id: UUID | None, now: datetime) -> int:
    """Seal anew what a tenant (None: the installation) has under older data keys; how many secrets that were.

    Data keys under which nothing is sealed retire, and are deleted `KEPT` later. May be run again at any time.
    """
    present = queries.present_key(tenant_id)
    if present is None:
        return 0
    with _inside(tenant_id):
        wanted = [column for column in columns() if column.stands(public=tenant_id is None)]
        count = sum(_reseal_column(column, tenant_id, present.version) for column in wanted)
        left = queries.sealed_under(public=tenant_id is None)
    with transaction.atomic():
        for key in queries.old_keys(tenant_id).select_for_update():
            _retire(key, used=left[key.version] > 0, now=now)
    return count


@contextmanager
def _inside(tenant_id: UUID | None) -> Iterator[None]:
    with context.enter(tenant_id) if tenant_id else context.leave():
        yield


def _reseal_column(column: SealedColumn, owner: UUID | None, number: int) -> int:
    """Every secret of a column under data key `number`; one that somebody changes meanwhile is left to them."""
    count = 0
    keys = [
        key
        for key, value in column.rows().values_list("pk", column.column).iterator()
        if queries.key_version(bytes(value)) != number or bytes(value)[:1] != queries.HEAD
    ]
    for start in range(0, len(keys), _AT_ONCE):
        with transaction.atomic():
            rows = column.rows().filter(pk__in=keys[start : start + _AT_ONCE]).select_for_update()
            changed = [row for row in rows if _reseal_row(column, row, owner, number)]
            column.model.objects.bulk_update(changed, [column.column])
            count += len(changed)
    return count


def _reseal_row(column: SealedColumn, row: Any, owner: UUID | None, number: int) -> bool:
    names = (row.pk, column.version(row), column.purpose)
    try:
        value = policy.keeper.opened(
            bytes(getattr(row, column.column)), row=names[0], version=names[1], purpose=names[2]
        )
    except secrets.SecretUnreadable:
        log.exception(
            "a secret cannot be opened, and stays as it is", row=str(row.pk), purpose=column.purpose
        )
        return False
    setattr(row, column.column, policy.keeper.sealed(value, owner, number, names))
    return True


def _retire(key: DataKey, *, used: bool, now: datetime) -> None:
    if used:
        return
    if key.retired_at is None:
        key.retired_at = now
        key.save(update_fields=["retired_at"])
    elif key.retired_at <= now - KEPT:
        key.delete()


def wrap_data_keys(*, reason: str = "", actor: Actor, now: datetime) -> int:
    """Wrap by the present master key every data key that another one wrapped; how many that were."""
    actor.require("platform.partners")
    count, master = 0, masters.master()
    with context.leave():
        keys = [
            key
            for key, wrapped in DataKey.objects.values_list("pk", "wrapped")
            if not master.present(bytes(wrapped))
        ]
        for start in range(0, len(keys), _AT_ONCE):
            with transaction.atomic():
                rows = list(DataKey.objects.select_for_update().filter(pk__in=keys[start : start + _AT_ONCE]))
                for row in rows:
                    row.wrapped = policy.wrap(policy.unwrap(row), row.tenant_id, row.version)
                DataKey.objects.bulk_update(rows, ["wrapped"])
                count += len(rows)
        with transaction.atomic():
            record(
                actor=actor,
                action="vault.wrap_data_keys",
                obj=("key", "master", "Master key"),
                now=now,
                after={"data_keys": count},
                reason=reason,
            )
    return count


def rotate_master_key(*, reason: str = "", actor: Actor, now: datetime) -> int:
    """Make a new master key and wrap every data key by it; how many that were. Old master keys stay known.

    Raises NoRotation where the master key is a setting.
    """
    actor.require("platform.partners")
    number = masters.master().rotate()
    with transaction.atomic(), context.leave():
        record(
            actor=actor,
            action="vault.rotate_master_key",
            obj=("key", "master", "Master key"),
            now=now,
            after={"key": number},
            reason=reason,
        )
    return wrap_data_keys(reason=reason, actor=actor, now=now)


def forget_master_keys(*, reason: str = "", actor: Actor, now: datetime) -> int:
    """Take master keys that wrap nothing any more out of the file; how many. Raises Conflict while one is needed."""
    actor.require("platform.partners")
    with transaction.atomic(), context.leave():
        ring = masters.ring()
        left = [row for row in DataKey.objects.all() if not masters.master().present(bytes(row.wrapped))]
        if left:
            raise Conflict(
                f"{len(left)} data keys are still wrapped by an older master key: wrap them anew first"
            )
        count = ring.forget_old()
        record(
            actor=actor,
            action="vault.forget_master_keys",
            obj=("key", "master", "Master key"),
            now=now,
            after={"forgotten": count},
            reason=reason,
        )
    return count
