from django.db import migrations

HELD, NEW = "events.endpoints", "events.quarantine"


def give(apps, schema_editor):
    """Whoever could look through the quarantine by the right that it was part of has it by its own."""
    for name, column in (("CustomRole", "permissions"), ("ApiToken", "scopes")):
        model = apps.get_model("access", name)
        for row in model.objects.filter(**{f"{column}__contains": HELD}):
            setattr(row, column, sorted({*getattr(row, column), NEW}))
            row.save(update_fields=[column])


class Migration(migrations.Migration):

    dependencies = [
        ('access', '0006_token_rotation'),
    ]

    operations = [
        migrations.RunPython(give, migrations.RunPython.noop),
    ]
