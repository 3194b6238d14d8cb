"""Which status of a run may follow which: a table of pairs that the database compares before it calls anything."""

from django.db import migrations, models

LEGAL = (
    "pending>running,pending>waiting,pending>suspended,pending>completed,pending>faulted,pending>cancelled,"
    "running>waiting,running>suspended,running>completed,running>faulted,running>cancelled,"
    "waiting>running,waiting>suspended,waiting>completed,waiting>faulted,waiting>cancelled,"
    "suspended>running,suspended>cancelled"
)
# a legal change never enters the function: the condition is evaluated by the executor itself
UP = f"""
drop trigger run_legal on engine_run;
create or replace function engine_run_legal() returns trigger language plpgsql as $$
begin
  raise exception 'run % is % and cannot become %', old.id, old.status, new.status
    using errcode = 'check_violation', constraint = 'run_legal', table = 'engine_run';
end $$;
create trigger run_legal before update of status on engine_run
  for each row when (
    old.status is distinct from new.status
    and old.status || '>' || new.status <> all ('{{{LEGAL}}}'::text[]))
  execute function engine_run_legal();
"""
DOWN = """
drop trigger run_legal on engine_run;
create or replace function engine_run_legal() returns trigger language plpgsql as $$
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


class Migration(migrations.Migration):
    dependencies = [("engine", "0006_decision_table")]
    operations = [
        migrations.AddConstraint(
            model_name="run",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "status__in",
                        ["pending", "running", "waiting", "suspended", "cancelled", "faulted", "completed"],
                    )
                ),
                name="run_status_known",
            ),
        ),
        migrations.RunSQL(UP, DOWN),
    ]
