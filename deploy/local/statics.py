"""Static files, hashed and compressed for the web server: collected where they are not those on disk any more."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from deploy.local.home import ROOT

# the parts of portal.css and portal.js; their addresses are those of the whole, so they cannot be served by themselves
_PARTS: Final = ("css", "js")
_LOCK: Final = ROOT / "uv.lock"  # packages bring static files as well

COLLECT: Final = ("collectstatic", "--noinput", "--clear", "-v0", *(f"--ignore={part}/*" for part in _PARTS))


def are_stale(home: Path) -> bool:
    """Whether what lies collected in `home` was made from other files than there are now."""
    try:
        return _mark(home).read_text() != _fingerprint()
    except OSError:
        return True


def mark_fresh(home: Path) -> None:
    """Note that what lies collected in `home` was made from the files that there are now."""
    _mark(home).write_text(_fingerprint())


def _mark(home: Path) -> Path:
    return home / "static.made-from"


def _fingerprint() -> str:
    found = hashlib.sha256(_LOCK.read_bytes())
    for path in sorted(_sources()):
        found.update(f"{path.relative_to(ROOT)} ".encode() + hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()


def _sources() -> Iterable[Path]:
    top = ROOT / "static"
    return (
        path for path in top.rglob("*") if path.is_file() and path.relative_to(top).parts[0] not in _PARTS
    )
