"""Writing and reading the file in which a client travels: streamed both ways, no table is ever whole in memory."""

import hashlib
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

from kernel.proof import Key
from tenants.tenancy.contract import MANIFEST, NOTE, Manifest, Table, read_manifest
from tenants.tenancy.errors import TenantFileRefused

_CHUNK: Final = 256 * 1024
_DAMAGED: Final = (zipfile.BadZipFile, KeyError, EOFError, OSError)


class Packer:
    """A file that is being written: table after table, then the manifest and the note that signs it."""

    def __init__(self, out: IO[bytes], tell: Callable[[int], None] = lambda _: None) -> None:
        """`tell` hears how many rows are in."""
        self._folder = zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6)
        self._tell, self._rows = tell, 0
        self.tables: list[Table] = []

    def add(self, name: str, columns: Sequence[str], rows: Iterable[bytes], *, along: bool = False) -> None:
        """Write a table."""
        shell = Table(name, tuple(columns), 0, 0, "", along)
        digest, count, size, waiting = hashlib.sha256(), 0, 0, bytearray()
        with self._folder.open(shell.member, "w", force_zip64=True) as member:
            for chunk in rows:
                count += chunk.count(b"\n")
                waiting += chunk
                if len(waiting) >= _CHUNK:
                    size += _put(member, waiting, digest)
                    self._tell(self._rows + count)
            size += _put(member, waiting, digest)
        self._rows += count
        self._tell(self._rows)
        self.tables.append(Table(name, shell.columns, count, size, digest.hexdigest(), along))

    def close(self, manifest: bytes, note: str) -> None:
        """Write what says that all of it is there."""
        self._folder.writestr(MANIFEST, manifest)
        self._folder.writestr(NOTE, note)
        self._folder.close()


def _put(member: IO[bytes], waiting: bytearray, digest: "hashlib._Hash") -> int:
    size = len(waiting)
    digest.update(waiting)
    member.write(waiting)
    waiting.clear()
    return size


class Unpacker:
    """A file that is being read; its signature is verified before anything else of it is looked at."""

    def __init__(self, path: Path, keys: Iterable[Key]) -> None:
        self._path, self._keys = path, list(keys)

    def __enter__(self) -> Self:
        try:
            self._folder = zipfile.ZipFile(self._path)
            raw, note = self._folder.read(MANIFEST), self._folder.read(NOTE).decode()
        except (*_DAMAGED, UnicodeDecodeError) as error:
            raise TenantFileRefused("This is no file of a client, or it is not whole.") from error
        self.manifest: Manifest = read_manifest(raw, note, self._keys)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._folder.close()

    def rows(self, table: Table) -> Iterator[bytes]:
        """A table's rows. Raises TenantFileRefused at the end where they are not those that were signed."""
        digest = hashlib.sha256()
        try:
            with self._folder.open(table.member) as member:
                while chunk := member.read(_CHUNK):
                    digest.update(chunk)
                    yield chunk
        except _DAMAGED as error:
            raise TenantFileRefused(f"The table {table.name} in the file is damaged.") from error
        if digest.hexdigest() != table.sha256:
            raise TenantFileRefused(f"The table {table.name} in the file was changed after it was signed.")
