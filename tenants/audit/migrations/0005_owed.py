"""Which streams of which logs have something to send, and when; one table for all logs, in the public schema."""

from django.db import migrations

OWED = """
create table if not exists public.audit_owed (
  stream_id uuid primary key,
  schema_name text not null,
  due_at timestamptz not null,
  asked bigint not null default 0
);
create index if not exists audit_owed_due on public.audit_owed (due_at);
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0004_seal_and_protect")]
    operations = [migrations.RunSQL(OWED, migrations.RunSQL.noop)]
