"""`python -m tests.fuzz --n 20000 --seed 1`: send hostile requests; what was found, then the figures as a line of JSON."""

import argparse
import os
import sys
import tempfile
from pathlib import Path

import pytest


def main() -> int:
    """Ask pytest, which makes the database; 1 where an answer was not one that was meant."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--n", type=int, default=20_000)
    asked.add_argument("--seed", type=int, default=1)
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        line = Path(folder) / "line.json"
        os.environ |= {"FUZZ_N": str(given.n), "FUZZ_SEED": str(given.seed), "FUZZ_LINE": str(line)}
        failed = pytest.main(
            ["-n0", "-p", "no:cacheprovider", "--tb=short", "--show-capture=no", "-m", "fuzz", "tests/fuzz"]
        )
        print(line.read_text() if line.exists() else '{"name": "fuzz", "requests": 0}')
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
