"""Which installation this is: drawn once, when the database is made or comes to this version."""

from django.db import migrations

DRAW = "insert into vault_installation (id, created_at) values (gen_random_uuid(), now())"


class Migration(migrations.Migration):
    dependencies = [("vault", "0001_initial"), ("tenancy", "0002_keys_retire")]
    operations = [migrations.RunSQL(DRAW, "delete from vault_installation")]
