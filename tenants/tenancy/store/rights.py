"""What the role of a tenant may do in the tables that all tenants share: the one list of it.

A table with a `tenant_id` shows a tenant its own rows, and those that its partner has for all its clients, by row-level
security; who the tenant is, is read off the role, which no statement of ours sets but `SET LOCAL ROLE`. A table that is
named here has what is said here. The owner of the tables, as whom the platform's own pages, the dispatcher and the
engine work, sees all rows.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

from django.apps import apps
from django.conf import settings
from django.db import connection, transaction

from tenants.tenancy.store.roles import EVERYBODY, make_role

ALL: Final = "select, insert, update, delete"
READ: Final = "select"
NONE: Final = ""
_OWN: Final = "tenant_id = portal_tenant()"
_OWN_LOG: Final = "schema_name = current_user::text"
_PARTNER: Final = "(select t.partner_id from public.tenancy_tenant t where t.id = portal_tenant())"
_OURS: Final = f"(tenant_id is null and partner_id = {_PARTNER})"


@dataclass(frozen=True, slots=True)
class Right:
    """What may be done, and with which rows: those that are seen, and those that may be written."""

    may: str
    seen: str = ""
    written: str = ""


# who somebody is, is the platform's knowledge: one login works for several partners and clients
_PEOPLE: Final = {
    "django_content_type": Right(READ),
    "auth_permission": Right(READ),
    "auth_group": Right(READ),
    "auth_group_permissions": Right(READ),
    "access_user_groups": Right(READ),
    "access_user_user_permissions": Right(READ),
    "django_session": Right(ALL),
    "access_user": Right("select, insert, update"),
    "access_handoff": Right(ALL),
    "access_invitation": Right(ALL),
    "access_reviewitem": Right(ALL),
    "access_apitoken": Right(ALL, _OWN),
    "access_idempotentrequest": Right(ALL, _OWN),
}
# how people prove who they are, and where they are signed in: the same wherever they do it
_SIGN_IN: Final = {
    "accounts_visit": Right(ALL),
    "accounts_maillink": Right(ALL),
    "accounts_factor": Right(ALL),
    "accounts_recoverycode": Right(ALL),
    "accounts_brake": Right(ALL),
    "accounts_crossing": Right(ALL),
    "accounts_identity": Right(ALL),
    "accounts_samlanswer": Right(ALL),
}
_PLACES: Final = {
    "tenancy_partner": Right(READ, f"id = {_PARTNER}"),
    "tenancy_tenant": Right("select, update", "id = portal_tenant()"),
    "tenancy_datakey": Right(ALL, f"{_OWN} or tenant_id is null", _OWN),
    "tenancy_schemaimage": Right(NONE),
    "tenancy_deletion": Right(NONE),
    "tenancy_tenantfile": Right(NONE),
    "tenancy_restore": Right(NONE),
    "tenancy_fleetstate": Right(NONE),
    "vault_installation": Right(READ),
    "privacy_term": Right(
        ALL, f"{_OWN} or (tenant_id is null and (partner_id is null or partner_id = {_PARTNER}))", _OWN
    ),
    "branding_brand": Right(READ, f"partner_id = {_PARTNER}"),
    "branding_brandversion": Right(NONE),
    "branding_domainclaim": Right(NONE),
    "branding_releaseddomain": Right(NONE),
    "django_admin_log": Right(NONE),
}
_LOGS: Final = {
    "audit_auditevent": Right(NONE),
    "audit_auditleaf": Right(NONE),
    "audit_auditnode": Right(NONE),
    "audit_auditcheckpoint": Right(NONE),
    "audit_auditcheck": Right(NONE),
    "audit_auditstream": Right(NONE),
    "audit_pending": Right(ALL, _OWN_LOG),
    "audit_owed": Right(ALL, _OWN_LOG),
}
_WORK: Final = {
    "ledger_pause": Right(ALL, f"{_OWN} or (tenant_id is null and target = {_PARTNER})", _OWN),
    "ledger_fair_clock": Right(READ),
    "ledger_worker": Right(READ),
    "ledger_tally": Right("select, insert, update"),
    "templates_lib_templateversion": Right(READ, f"partner_id is null or partner_id = {_PARTNER}"),
    "billing_plan": Right(READ),
}
_NAMED: Final = _PEOPLE | _SIGN_IN | _PLACES | _LOGS | _WORK

_WHO: Final = """
create or replace function public.portal_tenant() returns uuid language sql stable as
  $$ select case when current_user like 't\\_%' then substr(current_user::text, 3)::uuid end $$;
"""
_KNOWN: Final = """
select obj_description(to_regprocedure('public.portal_tenant()'), 'pg_proc') from pg_roles
where rolname = %s and has_table_privilege(oid, 'public.django_session', 'select')
"""


def rights() -> dict[str, Right]:
    """What is given in each shared table."""
    shared = set(settings.SHARED_APPS)
    found: dict[str, Right] = {}
    for app in apps.get_app_configs():
        if app.name not in shared:
            continue
        for model in app.get_models(include_auto_created=True):
            columns = {field.column for field in model._meta.local_concrete_fields if field.column}
            found[model._meta.db_table] = _usual(columns)
    return found | _NAMED


def _usual(columns: set[str]) -> Right:
    """A tenant's rows are its own; those of its partner that are no other tenant's it sees."""
    if {"tenant_id", "partner_id"} <= columns:
        return Right(ALL, f"{_OWN} or {_OURS}", _OWN)
    return Right(ALL, _OWN) if "tenant_id" in columns else Right(ALL)


def unnamed() -> list[str]:
    """Shared tables without a `tenant_id` that the list above does not name: each wants a decision."""
    return sorted(table for table, right in rights().items() if not right.seen and table not in _NAMED)


def share() -> bool:
    """Bring the rights of tenants in the shared tables in line with the list; False if they are."""
    wanted = _statements()
    digest = hashlib.sha256("\n".join(wanted).encode()).hexdigest()[:32]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_KNOWN, [EVERYBODY])
        row = cursor.fetchone()
        if row and row[0] == digest:
            return False
        make_role(EVERYBODY)
        for statement in wanted:
            cursor.execute(statement)
        cursor.execute(f"comment on function public.portal_tenant() is '{digest}'")
    return True


def _statements() -> list[str]:
    said = [_WHO, f"grant usage on schema public to {EVERYBODY}"]
    for table, right in sorted(rights().items()):
        said += _table(table, right)
    return said


def _table(table: str, right: Right) -> list[str]:
    said = [f"revoke all on public.{table} from {EVERYBODY}"]
    if right.may:
        said.append(f"grant {right.may} on public.{table} to {EVERYBODY}")
    said.append(f"drop policy if exists of_tenant on public.{table}")
    if right.seen:
        written = f" with check ({right.written or right.seen})"
        said.append(f"create policy of_tenant on public.{table} to {EVERYBODY} using ({right.seen}){written}")
    state = "enable" if right.seen else "disable"
    said.append(f"alter table public.{table} {state} row level security")
    return said


def unguarded() -> list[str]:
    """Schemas of tenants that are ready and have no role of their own yet, or one that may not enter here."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            select t.schema_name from tenancy_tenant t join pg_namespace n on n.nspname = t.schema_name
            left join pg_roles r on r.rolname = t.schema_name
            where t.ready_at is not null and (r.oid is null or not has_schema_privilege(r.oid, n.oid, 'usage'))
            order by 1
            """
        )
        return [row[0] for row in cursor.fetchall()]
