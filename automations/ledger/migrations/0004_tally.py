"""Counts that outlive processes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("ledger", "0003_slot_paused")]
    operations = [
        migrations.CreateModel(
            name="Tally",
            fields=[
                ("name", models.CharField(max_length=60, primary_key=True, serialize=False)),
                ("count", models.BigIntegerField(default=0)),
            ],
            options={"db_table": "ledger_tally"},
        ),
    ]
