"""Values too large for a row, kept apart."""

from django.db import migrations, models

# they are packed already
STORAGE = "alter table engine_blob alter column content set storage external;"


class Migration(migrations.Migration):
    dependencies = [("engine", "0007_legal_transitions")]
    operations = [
        migrations.CreateModel(
            name="Blob",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "run_id", "digest", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("run_id", models.UUIDField()),
                ("digest", models.CharField(help_text="SHA-256 of its JSON.", max_length=64)),
                ("size", models.IntegerField(help_text="Bytes of its JSON.")),
                ("content", models.BinaryField()),
            ],
        ),
        migrations.RunSQL(STORAGE, migrations.RunSQL.noop),
    ]
