"""The file in which a client travels: a ZIP of tables as COPY writes them, a manifest over all of them, a signed note.

What does not fit the installation that reads it is refused before a row is looked at. See `docs/adr/0016`.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from kernel import jsonx
from kernel.proof import Key, Malformed, read_text
from tenants.tenancy.errors import TenantFileRefused

FORMAT: Final = 1
MANIFEST, NOTE = "manifest.json", "manifest.txt"
_KIND: Final = "tenant-file"
_MOST: Final = 16 * 1024 * 1024
"""A manifest of more bytes is none."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table in the file; `along`: rows that the client has in a table which all clients share."""

    name: str
    columns: tuple[str, ...]
    rows: int
    bytes: int
    sha256: str
    along: bool = False

    @property
    def member(self) -> str:
        """Where it stands in the ZIP."""
        return f"{'along' if self.along else 'tables'}/{self.name}"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a file holds, whose it is, and what its audit log said last; `withheld` are columns left empty."""

    made_at: str
    portal: str
    tenant: Mapping[str, Any]
    revision: str
    migrations: tuple[tuple[str, str], ...]
    tables: tuple[Table, ...]
    sequences: Mapping[str, int | None] = field(default_factory=dict)
    audit: Mapping[str, Any] = field(default_factory=dict)
    keys: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    format: int = FORMAT

    @property
    def rows(self) -> int:
        """All rows in it."""
        return sum(table.rows for table in self.tables)

    def table(self, name: str) -> Table | None:
        """The table of that name, of the client's own."""
        return next((one for one in self.tables if one.name == name and not one.along), None)

    def text(self) -> bytes:
        """It as JSON."""
        return jsonx.dumps(asdict(self))


def note_over(raw: bytes, portal: str) -> str:
    """What is signed: who made the file, and the hash of its manifest."""
    return f"{portal}/{_KIND} {FORMAT}\n{hashlib.sha256(raw).hexdigest()}\n"


def read_manifest(raw: bytes, note: str, keys: Iterable[Key]) -> Manifest:
    """The manifest in `raw`, if `note` signs it by one of `keys`. Raises TenantFileRefused."""
    if len(raw) > _MOST:
        raise TenantFileRefused("The file's manifest is too large to be one.")
    try:
        said = read_text(note, keys)
    except Malformed as error:
        raise TenantFileRefused(f"The file is not signed by a key that is trusted here: {error}") from error
    kind, _, digest = said.strip().partition("\n")
    number = kind.rpartition(" ")[2]
    if f"/{_KIND} " not in kind or not number.isdigit():
        raise TenantFileRefused("This is no file of a client.")
    if int(number) != FORMAT:
        raise TenantFileRefused(f"The file has format {number}; this portal reads format {FORMAT}.")
    if hashlib.sha256(raw).hexdigest() != digest.strip():
        raise TenantFileRefused("The file's manifest was changed after it was signed.")
    return _manifest(jsonx.loads(raw))


def _manifest(found: Mapping[str, Any]) -> Manifest:
    tables = tuple(Table(**{**one, "columns": tuple(one["columns"])}) for one in found["tables"])
    migrations = tuple((app, name) for app, name in found["migrations"])
    lists = {name: tuple(found[name]) for name in ("keys", "withheld", "left_out")}
    return Manifest(**{**found, **lists, "tables": tables, "migrations": migrations})
