"""The product under faults (`make chaos-short`, in `.ci/run`), and the harness under mutants (`make chaos-mutants`)."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.chaos.mutants.sitecustomize import MUTANTS
from deploy.local.home import ROOT

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]
EXPECTED = {
    "no_epoch_check": "stale_writes_refused",
    "no_ring_again": "runs_not_over",
    "key_per_attempt": "keys_applied_twice",
    "lease_by_worker_clock": "repeat_sends",
    "acknowledge_before_commit": "runs_not_over",
}


def chaos(tmp_path: Path, *options: str) -> dict[str, Any]:
    """What a run of the harness says at its end."""
    log = tmp_path / "product.log"
    command = [sys.executable, "-m", "bench.chaos", "--log", str(log), *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.strip(), done.stderr[-2_000:]
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    assert done.returncode == (0 if found["green"] else 1)
    return found


def test_nothing_is_lost_or_doubled_under_faults(tmp_path: Path) -> None:
    said = chaos(
        tmp_path,
        *("--seed", "7", "--runs", "1000", "--kills", "10", "--redis", "4", "--pg", "2", "--pauses", "1"),
        *("--unsafe", "50", "--duration", "60"),
    )
    assert said["red"] == [], said
    assert said["stale_writes_expected"] > 0
    assert said["recovery_s"]["max"] <= 60


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_broken_product_turns_it_red(tmp_path: Path, mutant: str) -> None:
    said = chaos(
        tmp_path,
        *("--seed", "3", "--runs", "400", "--kills", "6", "--redis", "2", "--pg", "2", "--pauses", "1"),
        *("--unsafe", "0", "--duration", "30", "--lease", "6", "--mutant", mutant),
    )
    assert EXPECTED[mutant] in said["red"], said
