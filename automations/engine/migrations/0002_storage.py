"""How the hot tables are stored, and what the database itself refuses: a changed definition, an illegal status."""

from django.db import migrations

UP = """
alter table engine_run set (fillfactor = 85);
alter table engine_state set (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
alter table engine_subscription set (autovacuum_vacuum_scale_factor = 0.05);
alter table engine_delivery set (autovacuum_vacuum_scale_factor = 0.05);
alter table engine_state alter column snapshot set storage external;
alter table engine_segment alter column steps set storage external;
alter table engine_run alter column input set storage external;
alter table engine_run alter column output set storage external;

create function engine_definition_fixed() returns trigger language plpgsql as $$
begin
  raise exception 'a published definition is never changed; publish a new version' using errcode = 'check_violation';
end $$;
create trigger definition_fixed before update on engine_definition
  for each row execute function engine_definition_fixed();

create function engine_run_legal() returns trigger language plpgsql as $$
begin
  if old.status in ('completed', 'cancelled', 'faulted') then
    raise exception 'run % is over (%) and cannot become %', old.id, old.status, new.status
      using errcode = 'check_violation';
  end if;
  if new.status = 'pending' then
    raise exception 'run % was started and cannot become pending again', old.id using errcode = 'check_violation';
  end if;
  return new;
end $$;
create trigger run_legal before update of status on engine_run
  for each row when (old.status is distinct from new.status) execute function engine_run_legal();
"""
DOWN = """
drop trigger run_legal on engine_run;
drop function engine_run_legal();
drop trigger definition_fixed on engine_definition;
drop function engine_definition_fixed();
"""


class Migration(migrations.Migration):
    dependencies = [("engine", "0001_initial")]
    operations = [migrations.RunSQL(UP, DOWN)]
