"""The audit is append-only: no right to change or delete, and a trigger for whoever has the right anyway."""

from django.db import migrations

PROTECT = """
create function audit_refuse() returns trigger language plpgsql as $$
begin
  raise exception 'the audit is append-only: % refused', tg_op using errcode = 'insufficient_privilege';
end $$;
create trigger audit_append_only before update or delete on audit_auditevent
  for each row execute function audit_refuse();
create trigger audit_keep_all before truncate on audit_auditevent
  for each statement execute function audit_refuse();
revoke update, delete, truncate on audit_auditevent from current_user, public;
"""
RELEASE = """
grant update, delete, truncate on audit_auditevent to current_user;
drop trigger audit_append_only on audit_auditevent;
drop trigger audit_keep_all on audit_auditevent;
drop function audit_refuse();
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]
    operations = [migrations.RunSQL(PROTECT, RELEASE)]
