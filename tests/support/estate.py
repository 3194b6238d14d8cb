"""The simulated shop and ERP as a process of its own, for tests of what is really sent."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from deploy.local.home import ROOT
from kernel import jsonx
from kernel.http import Answer, Egress, fetch

KEY = "estate-demo-key"


@dataclass(frozen=True)
class Estate:
    """A running estate."""

    port: int

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def allowed(self) -> str:
        """What a setting of allowed addresses says of it."""
        return f"127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """A control call; its JSON answer."""
        answer: Answer = fetch(
            method,
            f"{self.address}{path}",
            Egress(allowed=frozenset({self.allowed})),
            headers={"content-type": "application/json"},
            body=None if body is None else jsonx.dumps(body),
            seconds=5,
        )
        assert answer.status < 300, answer.body
        return jsonx.loads(answer.body) if answer.body else None

    def state(self) -> dict[str, Any]:
        """What was asked, answered and done."""
        found: dict[str, Any] = self.ask("GET", "/control/state?keys=1")
        return found

    @property
    def requests(self) -> int:
        """How many requests of the portal's came in."""
        counted: dict[str, int] = self.state()["requests"]
        return sum(number for route, number in counted.items() if "/control" not in route)

    def faults(self, *rules: dict[str, Any]) -> None:
        """Misbehave like this from now on."""
        self.ask("PUT", "/control/faults", list(rules))


@contextmanager
def running(*arguments: str) -> Iterator[Estate]:
    """An estate on a free port, ended with the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "deploy.estate", "--port", str(port), *arguments],
        cwd=ROOT,
        stderr=subprocess.PIPE,
    )
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield Estate(port)
    finally:
        process.kill()
        process.wait()
