"""New events wait to be sealed, and the sealed log is append-only too; personal data may be emptied and nothing else."""

from django.db import migrations

PRIVATE = "actor_label, object_label, before, after, reason, address"
QUEUE = f"""
create table if not exists public.audit_pending (
  id bigint generated always as identity primary key,
  schema_name text not null,
  event_id uuid not null,
  at timestamptz not null default clock_timestamp()
);
create index if not exists audit_pending_of_log on public.audit_pending (schema_name, id);

create function audit_queue() returns trigger language plpgsql as $$
begin
  insert into public.audit_pending (schema_name, event_id) values (tg_table_schema, new.id);
  perform set_config('portal.audited', pg_current_xact_id()::text, true);
  return null;
end $$;
insert into public.audit_pending (schema_name, event_id)
  select current_schema(), id from audit_auditevent order by at, id;
create trigger audit_await_seal after insert on audit_auditevent
  for each row execute function audit_queue();

create or replace function audit_refuse() returns trigger language plpgsql as $$
declare
  private text[] := string_to_array('{PRIVATE}', ', ');
begin
  -- erasing personal data is the one change: all of them, and nothing else
  if tg_op = 'UPDATE' and tg_table_name = 'audit_auditevent' then
    if to_jsonb(new) - private = to_jsonb(old) - private and new.before is null and new.after is null
       and concat(new.actor_label, new.object_label, new.reason, new.address) = '' then
      return new;
    end if;
  elsif tg_op = 'UPDATE' and tg_table_name = 'audit_auditleaf' then
    if to_jsonb(new) - 'salt' = to_jsonb(old) - 'salt' and length(new.salt) = 0 then
      return new;
    end if;
  end if;
  raise exception 'the audit is append-only: % refused', tg_op using errcode = 'insufficient_privilege';
end $$;
grant update ({PRIVATE}) on audit_auditevent to current_user;
"""
PROTECT = """
create trigger audit_append_only before update or delete on {table}
  for each row execute function audit_refuse();
create trigger audit_keep_all before truncate on {table}
  for each statement execute function audit_refuse();
revoke update, delete, truncate on {table} from current_user, public;
"""
RELEASE = """
grant update, delete, truncate on {table} to current_user;
drop trigger audit_append_only on {table};
drop trigger audit_keep_all on {table};
"""
TABLES = ("audit_auditleaf", "audit_auditnode", "audit_auditcheckpoint")
UNQUEUE = """
drop trigger audit_await_seal on audit_auditevent;
drop function audit_queue();
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0003_sealed_log")]
    operations = [
        migrations.RunSQL(QUEUE, UNQUEUE),
        *(migrations.RunSQL(PROTECT.format(table=table), RELEASE.format(table=table)) for table in TABLES),
        migrations.RunSQL("grant update (salt) on audit_auditleaf to current_user", migrations.RunSQL.noop),
    ]
