"""What `make check` runs, in order, each step by its name; it stops at the first that fails and says which."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from typing import Final

from deploy.local.home import ROOT

_BIN: Final = str(ROOT / ".venv" / "bin") + os.sep
_MANAGE: Final = [sys.executable, str(ROOT / "manage.py")]

STEPS: Final[dict[str, list[str]]] = {
    "format": [_BIN + "ruff", "format", "--check", "--quiet", "."],
    "ruff": [_BIN + "ruff", "check", "--quiet", "."],
    "imports": [_BIN + "lint-imports", "--no-cache"],
    "templates": [_BIN + "djlint", "templates", "--lint", "--quiet"],
    "assets": [*_MANAGE, "ui_assets", "--check"],
    "mypy": [sys.executable, "-m", "mypy"],
    "migrations": [*_MANAGE, "makemigrations", "--check", "--dry-run"],
    "openapi": [*_MANAGE, "openapi", "--check"],
}
FIXES: Final[dict[str, list[str]]] = {
    "ruff": [_BIN + "ruff", "check", "--fix", "--quiet", "."],
    "format": [_BIN + "ruff", "format", "--quiet", "."],
    "templates": [_BIN + "djlint", "templates", "--reformat", "--quiet"],
}


def main(arguments: Sequence[str]) -> int:
    """Run the named steps, or all; with `--fix` the ones that change files. 1 and the step's name if one fails."""
    fixing = "--fix" in arguments
    steps = FIXES if fixing else STEPS
    wanted = [name for name in arguments if name != "--fix"] or list(steps)
    if unknown := [name for name in wanted if name not in steps]:
        print(f"check: there is no step {unknown[0]!r}; there are {', '.join(steps)}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="portal-check-") as home:
        environ = _environ(home)
        for name in wanted:
            began = time.monotonic()
            done = subprocess.run(
                steps[name],
                cwd=ROOT,
                env=environ,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                check=False,
            )
            if done.returncode != 0 and not fixing:
                sys.stdout.write(done.stdout.decode(errors="replace"))
                print(f"check: {name} failed")
                return 1
            print(f"check: {name:<11}ok {time.monotonic() - began:5.1f} s", flush=True)
    return 0


def _environ(home: str) -> dict[str, str]:
    """An environment in which the settings can be read, with no database behind them and nobody's own values."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("PORTAL_")}
    return {
        **own,
        "PORTAL_HOME": home,
        "PORTAL_SECRET_KEY": "a secret key for checks, of no other use",
        "PORTAL_MASTER_KEY": "a master key for checks, of no other use",
        # without a database the migrations' history cannot be compared, which is told as a warning
        "PYTHONWARNINGS": "ignore::RuntimeWarning",
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
