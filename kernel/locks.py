"""Advisory locks: one name, one 64 bit number, the same in every process."""

import hashlib

from django.db import connection


def lock_number(*parts: object) -> int:
    """A stable signed 64 bit number for a name made of `parts`."""
    name = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big", signed=True)


def lock_until_commit(*parts: object) -> None:
    """Wait for the lock of this name and hold it to the end of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [lock_number(*parts)])


def try_lock_until_commit(*parts: object) -> bool:
    """Take the lock of this name to the end of the transaction, unless somebody holds it."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_try_advisory_xact_lock(%s)", [lock_number(*parts)])
        row = cursor.fetchone()
        return bool(row and row[0])
