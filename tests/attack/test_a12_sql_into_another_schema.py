"""A12: SQL that slips into a query and names the schema of another client, or the rows of all clients."""

from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from kernel.actor import system
from tenants.audit.actions import record
from tenants.tenancy import context, store
from tenants.tenancy.models import Tenant
from tenants.tenancy.queries import TenantRef
from tests.support.cast import NOW, Cast

TABLES = [
    "audit_auditevent",
    "connectors_connection",
    "events_event",
    "engine_run",
    "inbox_case",
    "django_migrations",
]
ACTS = [
    "select * from {there}.{table}",
    "select count(*) from {there}.{table}",
    "insert into {there}.{table} select * from {here}.{table}",
    "update {there}.{table} set id = id",
    "delete from {there}.{table}",
    "truncate {there}.{table}",
    "copy {there}.{table} to stdout",
    "lock table {there}.{table}",
    "select * from {here}.{table} union all select * from {there}.{table}",
    "with t as (select * from {there}.{table}) select * from t",
    "select (select count(*) from {there}.{table}) from {here}.{table}",
    "create view pg_temp.v as select * from {there}.{table}; select * from pg_temp.v",
]
DDL = [
    "create table {here}.stolen as select * from {here}.engine_run",
    "drop table {here}.engine_run",
    "alter table {here}.engine_run disable row level security",
    "create schema stolen",
    "drop schema {there} cascade",
    "alter table public.ledger_queue disable row level security",
    "alter role {here} superuser",
    "grant usage on schema {there} to {here}",
    "create function public.f() returns int language sql as $$ select 1 $$",
    "select pg_read_file('/etc/passwd')",
    "copy public.access_user to '/tmp/x'",
    "select * from pg_authid",
]


def refused(statement: str, tenant: TenantRef, other: TenantRef, table: str = "") -> None:
    said = statement.format(here=f'"{tenant.schema_name}"', there=f'"{other.schema_name}"', table=table)
    with (
        pytest.raises(DatabaseError, match=r"permission denied|must be|must have"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(said)
        cursor.fetchall()


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("statement", ACTS)
def test_another_schema_is_shut(
    tenant: TenantRef, other_tenant: TenantRef, statement: str, table: str
) -> None:
    refused(statement, tenant, other_tenant, table)


@pytest.mark.parametrize("statement", DDL)
def test_a_tenant_changes_no_table_and_no_right(
    tenant: TenantRef, other_tenant: TenantRef, statement: str
) -> None:
    refused(statement, tenant, other_tenant)


def test_outside_of_a_transaction_it_is_the_same(committed: Any, cast: Cast) -> None:
    there = cast.other_tenant.schema_name
    with context.enter(cast.tenant):
        for _ in range(3):
            with pytest.raises(DatabaseError, match="permission denied"), connection.cursor() as cursor:
                cursor.execute(f'select * from "{there}".audit_auditevent')
        with connection.cursor() as cursor:
            cursor.execute("select current_user, current_schema(), session_user <> current_user")
            assert cursor.fetchone() == (cast.tenant.schema_name, cast.tenant.schema_name, True)
    with connection.cursor() as cursor:
        cursor.execute("select current_user = session_user, current_schema()")
        assert cursor.fetchone() == (True, "public")


def _shared() -> dict[str, str]:
    return {name: right.seen for name, right in store.rights().items() if "tenant_id = portal" in right.seen}


def test_a_shared_table_shows_a_tenant_its_own_rows(tenant: TenantRef, cast: Cast) -> None:
    """Asked in SQL, without any filter: rows of this tenant, or of no tenant where those are everybody's."""
    with connection.cursor() as cursor:
        for table in _shared():
            cursor.execute(f"select count(*) from public.{table} where tenant_id <> %s", [tenant.id])
            assert cursor.fetchone() == (0,), table
        cursor.execute("select id from public.tenancy_tenant")
        assert cursor.fetchall() == [(tenant.id,)]
        cursor.execute("select id from public.tenancy_partner")
        assert cursor.fetchall() == [(cast.partner.id,)]
        cursor.execute("select distinct schema_name from public.audit_pending")
        assert cursor.fetchall() in ([], [(tenant.schema_name,)])


def test_there_is_something_to_hide(cast: Cast) -> None:
    """What the test above does not find is there: other clients have rows in most of these tables."""
    with connection.cursor() as cursor:
        for table in (
            "ledger_slot",
            "tenancy_datakey",
            "access_membership",
            "tenancy_domain",
            "billing_subscription",
        ):
            cursor.execute(
                f"select count(*) > 0 from public.{table} where tenant_id = %s", [cast.other_tenant.id]
            )
            assert cursor.fetchone() == (True,), table


@pytest.mark.parametrize(
    "statement",
    [
        "insert into public.ledger_intake (tenant_id, event_id) values ('{other}', gen_random_uuid())",
        "insert into public.ledger_errand (id, tenant_id, job) values (gen_random_uuid(), '{other}', 'x')",
        "update public.ledger_slot set tenant_id = '{other}'",
        "update public.access_membership set tenant_id = '{other}' where tenant_id is not null",
        "update public.tenancy_tenant set id = '{other}'",
        "insert into public.audit_pending (schema_name, event_id) values ('{schema}', gen_random_uuid())",
    ],
)
def test_nothing_is_written_in_another_clients_name(
    tenant: TenantRef, other_tenant: TenantRef, statement: str
) -> None:
    said = statement.format(other=other_tenant.id, schema=other_tenant.schema_name)
    with (
        pytest.raises(DatabaseError, match="row-level security"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(said)


def test_a_partners_own_membership_is_not_a_clients_to_change(tenant: TenantRef, cast: Cast) -> None:
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from public.access_membership where tenant_id is null")
        assert cursor.fetchone() != (0,), "staff of the partner may enter, so they are seen"
    with (
        pytest.raises(DatabaseError, match="row-level security"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("update public.access_membership set role = 'partner_admin' where tenant_id is null")


@pytest.mark.parametrize(
    "table", ["tenancy_schemaimage", "audit_auditevent", "audit_auditleaf", "django_admin_log"]
)
def test_what_is_the_platforms_is_not_read(tenant: TenantRef, table: str) -> None:
    refused(f"select * from public.{table}", tenant, tenant)


def test_every_shared_table_without_a_tenant_is_decided_on() -> None:
    assert store.unnamed() == [], "say in tenants/tenancy/store/rights.py what a tenant may do with it"


def test_the_audit_is_added_to_and_not_changed(tenant: TenantRef) -> None:
    record(actor=system("test"), action="test.mark", obj=Tenant.objects.get(), now=NOW)
    for statement in (
        "update {here}.audit_auditevent set action = 'x'",
        "delete from {here}.audit_auditevent",
        "update {here}.audit_auditleaf set hash = ''",
        "delete from {here}.audit_auditcheckpoint",
    ):
        refused(statement, tenant, tenant)


def test_a_schema_that_has_no_role_is_not_entered(cast: Cast) -> None:
    """A tenant that the upgrade has not come to yet is shut, not open."""
    with connection.cursor() as cursor:
        cursor.execute(f'drop owned by "{cast.tenant.schema_name}"')
    assert store.unguarded() == [cast.tenant.schema_name]
    with context.enter(cast.tenant), pytest.raises(DatabaseError), transaction.atomic():
        list(Tenant.objects.values_list("id"))
        with connection.cursor() as cursor:
            cursor.execute("select * from audit_auditevent")
    store.guard(cast.tenant.schema_name)
    assert store.unguarded() == []
