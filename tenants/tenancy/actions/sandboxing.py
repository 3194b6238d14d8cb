"""A copy of a client to try things in: made as every client is, its rows behind masks, nothing of it reaches outside.

What was under way is not; secrets, rights, the audit log and what was said to people stay where they are.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from kernel.actor import Actor, system
from kernel.errors import Conflict
from kernel.ids import public_id
from tenants.audit import actions as audit
from tenants.tenancy import actions, context, queries, registry, store
from tenants.tenancy.actions.exporting import LEFT_OUT
from tenants.tenancy.enums import CLOSED
from tenants.tenancy.models import ProvisioningJob, Tenant
from tenants.tenancy.policy import Masks
from tenants.tenancy.registry import Why

_BY_TYPE: Final = {"jsonb": "json", "bytea": "packed", "text": "scan", "varchar": "scan"}


def request_sandbox(
    *, tenant: Tenant, slug: str, name: str, reason: str, actor: Actor, now: datetime
) -> ProvisioningJob:
    """Make a sandbox with the masked rows of a client. Raises Conflict, AddressTaken and Invalid, naming the field."""
    actor.require("tenancy.carry")
    if tenant.ready_at is None or tenant.state in CLOSED:
        raise Conflict("only a client that is set up and not put away can be copied")
    with transaction.atomic():
        job = actions.request_tenant(
            partner=tenant.partner,
            slug=slug,
            name=name,
            timezone=tenant.timezone,
            currency=tenant.currency,
            language=tenant.language,
            sandbox=True,
            content={"sandbox_of": str(tenant.id), "by": actor.label, "reason": reason},
            actor=actor,
            now=now,
        )
        audit.record(
            actor=actor,
            action="tenancy.request_sandbox",
            obj=tenant,
            now=now,
            after={"sandbox": job.tenant.public_id, "name": name},
            reason=reason,
            partner_id=tenant.partner_id,
        )
    return job


def fill(ref: queries.TenantRef, source_id: UUID, by: str, now: datetime) -> str:
    """Bring masked rows of a client into a sandbox, in the caller's transaction; what was done, in words."""
    with context.leave():
        source = queries.tenant_ref(source_id)
    masks, count = Masks(), 0
    behind = registry.stays_behind() | set(LEFT_OUT)
    with context.own(ref), store.carrying.Snapshot(source.schema_name) as still:
        at = still.begin()
        kinds, here = still.types(), store.carrying.columns_in(ref.schema_name)
        with store.carrying.quiet(ref.schema_name):
            for table, columns in still.tables().items():
                if table in behind or table.startswith("audit_") or table not in here:
                    continue
                held = registry.withheld().get(table)
                secret = frozenset(held.secrets if held else ())
                hidden = registry.hidden().get(table, {})
                ways = [hidden.get(one.name, _BY_TYPE.get(kinds[table, one.name], "")) for one in columns]
                rows = masks.rows(ways, still.rows(table, columns, secret))
                count += store.carrying.load(ref.schema_name, table, [one.name for one in columns], rows)
        store.carrying.set_sequences(ref.schema_name, still.sequences())
    for arrived in registry.arrivals():
        arrived(ref, Why.SANDBOX, now)
    audit.record(
        actor=system("sandbox"),
        action="tenancy.copied",
        obj=("tnt", public_id("tnt", ref.id), ref.name),
        now=now,
        after={"from": source.slug, "as_of": at.isoformat(), "rows": count, "by": by},
    )
    return f"{count} rows copied behind masks"
