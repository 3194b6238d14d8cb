"""Whose rights a database server runs with: PostgreSQL refuses root, so root lends it an existing user."""

import os
import pwd
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.local.errors import Refused


@dataclass(frozen=True)
class Account:
    """A user of this machine that a server runs as; nothing is created or changed for it."""

    name: str
    uid: int
    gid: int

    def rights(self) -> dict[str, Any]:
        """Arguments for `subprocess` that start a program with this user's rights and no others."""
        return {} if self.uid == os.geteuid() else {"user": self.uid, "group": self.gid, "extra_groups": []}

    def can_enter(self, folder: Path) -> bool:
        """Whether this user gets through every parent into `folder`."""
        return self._succeeds(["test", "-x", str(folder)])

    def can_run(self, program: Path) -> bool:
        """Whether this user can start `program` where it lies."""
        return self._succeeds([str(program), "--version"])

    def own(self, folder: Path) -> None:
        """Make `folder` this user's, closed to all others."""
        folder.mkdir(exist_ok=True)
        folder.chmod(0o700)
        os.chown(folder, self.uid, self.gid)

    def _succeeds(self, command: list[str]) -> bool:
        try:
            tried = subprocess.run(
                command, **self.rights(), cwd="/", stdin=subprocess.DEVNULL, capture_output=True, check=False
            )
        except OSError:
            return False
        return tried.returncode == 0


def ourselves() -> Account:
    """The user that this process runs as."""
    uid = os.geteuid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:  # a container may run under a number that has no name
        name = str(uid)
    return Account(name, uid, os.getegid())


def for_servers(folders: Iterable[Path]) -> Account:
    """The database server's user: ourselves, or as root the owner of existing data, else an unprivileged one."""
    if os.geteuid() != 0:
        return ourselves()
    for folder in folders:
        if folder.exists() and (owner := folder.stat()).st_uid != 0:
            try:
                name = pwd.getpwuid(owner.st_uid).pw_name
            except KeyError:
                name = str(owner.st_uid)
            return Account(name, owner.st_uid, owner.st_gid)
    for name in ("postgres", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(found.pw_name, found.pw_uid, found.pw_gid)
    raise Refused(
        "PostgreSQL does not run as root, and there is no user 'nobody'; start the portal as another user"
    )
