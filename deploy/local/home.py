"""The data folder of one installation: keys, logs, remembered ports, and settings for other commands."""

import hashlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.local.errors import Refused, refused_by

ROOT: Final = Path(__file__).resolve().parent.parent.parent
NEEDED_BYTES: Final = 500 * 1024 * 1024
_OTHER_HOME: Final = "set PORTAL_HOME to a folder that you may write to"
_HEAD: Final = (
    "# Settings of this data folder. The launcher renews its own lines at every start; add yours below.\n"
)


@dataclass(frozen=True)
class Home:
    """The folder and its parts; `open` makes them."""

    path: Path

    @classmethod
    def open(cls, path: Path) -> "Home":
        """Make the folder and its parts where they are missing. Raises Refused where that is not possible."""
        home = cls(path.expanduser().resolve())
        try:
            made = not home.path.exists()
            home.path.mkdir(parents=True, exist_ok=True)
            if made:  # a server that runs as another user must get through, and needs to list nothing
                home.path.chmod(0o711)
            for folder, mode in ((home.run, 0o711), (home.log, 0o700), (home.keys, 0o700)):
                folder.mkdir(exist_ok=True)
                folder.chmod(mode)
            with tempfile.TemporaryFile(dir=home.path) as probe:
                probe.write(b"x")
        except OSError as error:
            raise refused_by(error, f"cannot keep data in {home.path}", _OTHER_HOME) from None
        return home

    @property
    def run(self) -> Path:
        """What matters only while something runs, and the ports it had."""
        return self.path / "run"

    @property
    def log(self) -> Path:
        return self.path / "log"

    @property
    def keys(self) -> Path:
        return self.path / "keys"

    @property
    def settings_file(self) -> Path:
        return self.path / "portal.env"

    @property
    def digest(self) -> str:
        """A short name for this folder, for places outside it."""
        return hashlib.sha256(str(self.path).encode()).hexdigest()[:10]

    def key(self, name: str) -> str:
        """The secret `name`: made once, readable by the owner alone."""
        path = self.key_file(name)
        return path.read_text().strip()

    def key_file(self, name: str) -> Path:
        """The file of secret `name`, made if it is missing."""
        path = self.keys / name
        if not path.exists():
            write_private(path, secrets.token_urlsafe(36) + "\n")
        return path

    def require_space(self, *, free_bytes: int | None = None) -> None:
        """Raise Refused where the disk has less than the servers need to start."""
        free = shutil.disk_usage(self.path).free if free_bytes is None else free_bytes
        if free < NEEDED_BYTES:
            raise Refused(
                f"only {free // 2**20} MB are free under {self.path}, {NEEDED_BYTES // 2**20} MB are needed; "
                "free some, or set PORTAL_HOME to a folder on another disk"
            )

    def settings(self) -> dict[str, str]:
        """What `portal.env` says."""
        if not self.settings_file.exists():
            return {}
        lines = self.settings_file.read_text().splitlines()
        pairs = (line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
        return {name.strip(): value.strip() for name, value in pairs}

    def write_settings(self, values: Mapping[str, str]) -> None:
        """Set `values` in `portal.env`; lines with other names stay, they are somebody's own."""
        old = self.settings_file.read_text().splitlines() if self.settings_file.exists() else []
        own = [line for line in old if line.split("=", 1)[0].strip() not in values and line != _HEAD.strip()]
        text = _HEAD + "".join(f"{name}={value}\n" for name, value in values.items())
        write_private(self.settings_file, text + "".join(f"{line}\n" for line in own))


def write_private(path: Path, text: str, *, owner: tuple[int, int] | None = None) -> None:
    """Write `path` whole or not at all, readable by `owner` (uid, gid; default: ourselves) alone."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mkstemp makes it 0600
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text)
        if owner:
            os.chown(temporary, *owner)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
