"""The role of a tenant: it has the name of the schema, nobody logs in as it, and it may use that schema alone."""

import re
from typing import Final

import structlog
from django.db import DatabaseError, connection, transaction

log = structlog.get_logger(__name__)
EVERYBODY: Final = "portal_tenant"
"""The group of all tenants' roles: what it may do, each of them may."""
OURS: Final = re.compile(r"t_[0-9a-f]{32}")
_MAKE: Final = """
do $$ begin
  create role "{role}" nologin;
exception when duplicate_object then null;
end $$
"""
_JOIN: Final = """
do $$ begin
  if not (select rolsuper from pg_roles where rolname = session_user) then
    execute format('grant %I to %I', '{role}', session_user);
  end if;
end $$
"""
_SCHEMA: Final = """
grant usage on schema "{schema}" to "{schema}";
grant select, insert, update, delete on all tables in schema "{schema}" to "{schema}";
grant usage on all sequences in schema "{schema}" to "{schema}";
alter default privileges in schema "{schema}" grant select, insert, update, delete on tables to "{schema}";
alter default privileges in schema "{schema}" grant usage on sequences to "{schema}";
revoke insert, update, delete on "{schema}".django_migrations from "{schema}";
revoke update, delete on "{schema}".audit_auditevent, "{schema}".audit_auditleaf, "{schema}".audit_auditnode,
  "{schema}".audit_auditcheckpoint from "{schema}";
grant update (actor_label, object_label, before, after, reason, address)
  on "{schema}".audit_auditevent to "{schema}";
grant update (salt) on "{schema}".audit_auditleaf to "{schema}";
"""


def make_role(role: str) -> None:
    """Make a role that nobody logs in as, unless it is there; the portal may take it on."""
    with connection.cursor() as cursor:
        cursor.execute(_MAKE.format(role=role))
        cursor.execute(_JOIN.format(role=role))


def guard(schema: str) -> None:
    """Give a tenant's schema its role, with the rights of a tenant; safe to run again."""
    if not OURS.fullmatch(schema):
        raise ValueError(f"{schema!r} is no tenant's schema")
    with transaction.atomic():
        make_role(schema)
        with connection.cursor() as cursor:
            cursor.execute(f'grant {EVERYBODY} to "{schema}"')
            cursor.execute(_SCHEMA.format(schema=schema))


def drop_role(schema: str) -> None:
    """Take a tenant's role away. It stays, without any right here, where another database of the server knows it."""
    if not OURS.fullmatch(schema):
        raise ValueError(f"{schema!r} is no tenant's schema")
    with connection.cursor() as cursor:
        cursor.execute("select 1 from pg_roles where rolname = %s", [schema])
        if cursor.fetchone() is None:
            return
        cursor.execute(f'drop owned by "{schema}"')
        try:
            with transaction.atomic():
                cursor.execute(f'drop role "{schema}"')
        except DatabaseError as error:
            log.info("role kept: another database knows it", role=schema, error=str(error))
