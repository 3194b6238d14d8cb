"""The demo's order of events, over stand-ins for the product: servers, migrations, processes, samples, addresses."""

import json
import os
import signal
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from deploy.local.home import ROOT, Home
from deploy.local.ports import free_port
from tests.deploy.processes import clean_environ, eventually, left_behind, pid_of, restarted, started

DEMO = [sys.executable, "-m", "tests.deploy.stand_in", "demo"]


def ask_estate(home: Home, method: str, path: str, body: Any = None) -> Any:
    """What the estate answers; its address is the first that the portal may call."""
    host, _, port = home.settings()["PORTAL_EGRESS_ALLOW"].split(",")[0].partition(":")
    connection = HTTPConnection(host, int(port), timeout=5)
    connection.request(
        method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"}
    )
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return answer


def test_everything_comes_up_in_order_and_the_addresses_are_said_last(place: Path) -> None:
    port = free_port()
    environ = clean_environ(place, PORTAL_PORT=str(port), PORTAL_EGRESS_ALLOW="10.0.0.7:443")
    address = f"http://meridian.localhost:{port}  admin@meridian.example"
    with started(DEMO, environ, until=address) as portal:
        lines = portal.said().splitlines()
        assert lines[lines.index(address) - 1] == "seed_demo on standard output"
        found = [
            lines.index(line)
            for line in (
                "portal     | postgres is ready",
                "upgrade    | upgrade on standard output",
                "seed       | seed_demo on standard error",
                address,
            )
        ]
        assert found == sorted(found)
        assert max(lines.index(f"portal     | {name} is ready") for name in ("web", "estate")) < found[-1]
        settings = Home(place).settings()
        assert (settings["PORTAL_DEMO"], settings["PORTAL_PORT"]) == ("1", str(port))
        assert settings["PORTAL_EGRESS_ALLOW"].endswith(",10.0.0.7:443")
        portal.send_signal(signal.SIGINT)
        assert portal.wait(10) == 0
        assert left_behind(place) == []


def test_a_feed_goes_on_when_the_estate_was_killed(place: Path) -> None:
    with started(DEMO, clean_environ(place, PORTAL_PORT=str(free_port())), until="http://meridian"):
        home = Home(place)
        wish = {"url": "http://hollis.localhost:1/in", "secret": "hush", "rate_per_second": 50}
        assert ask_estate(home, "POST", "/control/shop/feed", wish)["running"] is True
        old = pid_of(place, "estate")
        os.kill(old, signal.SIGKILL)
        eventually(lambda: restarted(place, "estate", old))
        eventually(lambda: ask_estate(home, "GET", "/control/state")["feeds"][0]["sent"] > 0)
        assert (place / "estate.state").stat().st_mode & 0o777 == 0o600


def test_a_failed_migration_ends_the_start_with_one_line_of_its_own(place: Path) -> None:
    environ = clean_environ(place, PORTAL_PORT=str(free_port()), STAND_IN_FAILS="upgrade")
    done = subprocess.run(
        DEMO, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 1
    assert done.stderr == "portal: upgrade failed (exit status 1); the lines above say why\n"
    assert "upgrade    | upgrade on standard error" in done.stdout
    assert left_behind(place) == []
