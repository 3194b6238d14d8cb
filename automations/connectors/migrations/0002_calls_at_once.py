"""How many calls a system takes at a time."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("connectors", "0001_initial")]
    operations = [
        migrations.AddField(
            model_name="connection",
            name="calls_at_once",
            field=models.PositiveSmallIntegerField(
                help_text="Calls at a time, of all workflows; empty: as many as there are.", null=True
            ),
        ),
    ]
