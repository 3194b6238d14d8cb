"""What only whoever owns the database can do: a tenant's schema without the tenant's role."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection as _connection

connection: Any = _connection


@contextmanager
def as_owner() -> Iterator[None]:
    """In the block statements go to the schema that the connection is in, with every right there is."""
    before = connection.tenant
    connection.set_schema(before.schema_name)
    try:
        yield
    finally:
        connection.set_tenant(before)
