"""Pauses, holds and places; what is held leaves the index that claims go by."""

from django.db import migrations, models

_KINDS = [("pause", "Paused"), ("lane", "Waits for its turn"), ("call", "Waits for the connection")]
_LEVELS = [
    ("platform", "Client, by the platform"),
    ("partner", "All clients"),
    ("tenant", "Client"),
    ("workflow", "Workflow"),
    ("connection", "Connection"),
    ("run", "Run"),
]
_KEEP = """
insert into ledger_pause (target, level, tenant_id, label, actor, reason, at)
select s.tenant_id, 'platform', s.tenant_id, s.schema_name, 'operator', '', clock_timestamp()
from ledger_slot s where s.paused;
update ledger_slot set max_running = null;
"""
_COUNT = """
create function ledger_in_hand(tenant uuid) returns bigint language sql volatile as
$$ select count(*) from public.ledger_queue q where q.owner is not null and q.tenant_id = tenant $$;
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0005_errand")]
    operations = [
        migrations.CreateModel(
            name="Pause",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey("target", "level", blank=True, editable=False, primary_key=True, serialize=False),
                ),
                ("target", models.UUIDField()),
                ("level", models.CharField(choices=_LEVELS, max_length=12)),
                ("tenant_id", models.UUIDField(help_text="None: that of a partner.", null=True)),
                ("label", models.CharField(help_text="What people call what stands still.", max_length=200)),
                ("actor", models.CharField(max_length=200)),
                ("reason", models.TextField(blank=True)),
                ("at", models.DateTimeField()),
            ],
            options={
                "db_table": "ledger_pause",
                "indexes": [models.Index(fields=["tenant_id", "level"], name="pause_of_tenant")],
            },
        ),
        migrations.CreateModel(
            name="Hold",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey("run_id", "target", blank=True, editable=False, primary_key=True, serialize=False),
                ),
                ("run_id", models.UUIDField()),
                ("target", models.UUIDField(help_text="What is paused, or the lane.")),
                ("tenant_id", models.UUIDField()),
                ("kind", models.CharField(choices=_KINDS, max_length=5)),
                (
                    "places",
                    models.PositiveIntegerField(db_default=0, help_text="How many the lane takes at a time."),
                ),
            ],
            options={
                "db_table": "ledger_hold",
                "indexes": [models.Index(fields=["target", "run_id"], name="hold_by_target")],
            },
        ),
        migrations.CreateModel(
            name="Place",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey("run_id", "lane", blank=True, editable=False, primary_key=True, serialize=False),
                ),
                ("run_id", models.UUIDField()),
                ("lane", models.UUIDField()),
                ("tenant_id", models.UUIDField()),
                ("kind", models.CharField(choices=_KINDS, max_length=5)),
            ],
            options={
                "db_table": "ledger_place",
                "indexes": [models.Index(fields=["lane"], name="place_of_lane")],
            },
        ),
        migrations.AddField(
            model_name="queuerow",
            name="held",
            field=models.BooleanField(db_default=False, help_text="A hold says why nobody may claim it."),
        ),
        migrations.RemoveIndex(model_name="queuerow", name="queue_due"),
        migrations.AddIndex(
            model_name="queuerow",
            index=models.Index(
                condition=models.Q(("held", False), ("owner__isnull", True)),
                fields=["tenant_id", "ready_at"],
                name="queue_due",
            ),
        ),
        migrations.AlterField(
            model_name="queuerow",
            name="signal",
            field=models.SmallIntegerField(default=0, help_text="0 none, 1 cancel"),
        ),
        migrations.AddField(
            model_name="slot",
            name="halts",
            field=models.PositiveIntegerField(
                db_default=0, help_text="Pauses of something in it; with none, a claim looks for none."
            ),
        ),
        migrations.AlterField(
            model_name="slot",
            name="max_running",
            field=models.PositiveIntegerField(
                help_text="Runs that workers may hold at a time; empty: as many as there is room for.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="slot",
            name="paused",
            field=models.BooleanField(
                db_default=False,
                help_text="Shut by a pause of it or its partner, whatever the tenant's state.",
            ),
        ),
        migrations.RunSQL(_KEEP, migrations.RunSQL.noop),
        # volatile: it sees what was committed while its caller waited for the tenant's turn
        migrations.RunSQL(_COUNT, "drop function ledger_in_hand(uuid)"),
    ]
