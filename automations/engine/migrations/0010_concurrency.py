"""How many runs of a workflow go at a time; and a state for workflows that are switched off."""

from django.db import migrations, models

_STATES = [("draft", "Draft"), ("active", "Active"), ("paused", "Paused"), ("off", "Switched off")]
_OFF = "update engine_workflow set state = 'off' where state = 'paused';"
_PAUSED = "update engine_workflow set state = 'paused' where state = 'off';"


class Migration(migrations.Migration):
    dependencies = [("engine", "0009_bulk")]
    operations = [
        migrations.AddField(
            model_name="workflow",
            name="concurrency",
            field=models.JSONField(
                help_text="`limit`: runs at a time; `key`: an expression, of those that give the same.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="workflow",
            name="state",
            field=models.CharField(choices=_STATES, default="draft", max_length=16),
        ),
        # so far, events started no runs of a paused workflow, and its runs went on
        migrations.RunSQL(_OFF, _PAUSED),
    ]
