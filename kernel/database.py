"""The database as others than Django open it."""

from django.conf import settings
from django.db import connection
from psycopg.conninfo import make_conninfo


def dsn(name: str) -> str:
    """libpq's form of Django's database settings, for a connection that calls itself `name`; never that of a pool."""
    database = {**connection.settings_dict, **settings.DATABASE_BESIDE_POOL}
    return make_conninfo(
        dbname=database["NAME"],
        user=database.get("USER") or None,
        password=database.get("PASSWORD") or None,
        host=database.get("HOST") or None,
        port=database.get("PORT") or None,
        application_name=name,
        options="-c search_path=public",
    )
