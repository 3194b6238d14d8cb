"""Acts on many runs can be called off."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("engine", "0011_keeping"),
    ]

    operations = [
        migrations.AddField(
            model_name="bulk",
            name="cancelled",
            field=models.BooleanField(
                db_default=False, help_text="Called off: what waited is left alone."
            ),
        ),
    ]
