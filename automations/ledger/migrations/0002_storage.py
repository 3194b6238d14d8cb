"""The queue is small and hot: room for updates within a page, and a vacuum that comes often."""

from django.db import migrations

UP = """
alter table ledger_queue set (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02,
  autovacuum_vacuum_cost_delay = 0);
alter table ledger_intake set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
alter table ledger_slot set (fillfactor = 50);
alter table ledger_worker set (fillfactor = 50);
insert into ledger_fair_clock (id, vtime) values (1, 0);
"""
DOWN = "delete from ledger_fair_clock;"


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial")]
    operations = [migrations.RunSQL(UP, DOWN)]
