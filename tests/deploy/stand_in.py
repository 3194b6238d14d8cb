"""A launcher with stand-ins for the product's processes: `python -m tests.deploy.stand_in NAME=KIND …`.

Kinds: `family` (a process with two children), `stubborn` (ignores every polite signal), `stillborn` (dies before it
is ready), `mortal` (dies soon after). `demo` runs the launcher's own demo over stand-ins for the management commands
and for the web server; `STAND_IN_FAILS` names a management command that fails.
"""

import os
import signal
import sys
import time
from pathlib import Path

from deploy.local import cli, guard, product
from deploy.local.cli import _told
from deploy.local.home import Home
from deploy.local.launch import Launch
from deploy.local.product import Program
from deploy.local.supervisor import Patience, Supervisor
from deploy.local.voice import Voice
from portal.env import Env


def _play(kind: str) -> None:
    print(f"a {kind} starts", flush=True)
    if kind in ("mortal", "stillborn"):
        sys.exit(9)
    if kind == "stubborn":
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
    if kind == "family":
        for _ in range(2):
            if os.fork() == 0:
                signal.signal(
                    signal.SIGTERM, signal.SIG_IGN
                )  # as a pool's children do: their parent ends them
                time.sleep(600)
    time.sleep(600)


def _program(wanted: str, environ: dict[str, str]) -> Program:
    name, kind = wanted.split("=")
    command = [sys.executable, "-m", "tests.deploy.stand_in", "play", kind]
    return Program(name, command, environ, probe=lambda: kind != "stillborn", grace_seconds=0.5)


def _manage(command: str) -> int:
    print(f"{command} on standard output")
    print(f"{command} on standard error", file=sys.stderr)
    if command == "seed_demo":
        print(f"http://meridian.localhost:{Env.load().port}  admin@meridian.example")
    return int(command == os.environ.get("STAND_IN_FAILS"))


def _web(env: Env, environ: dict[str, str]) -> list[Program]:
    command = [sys.executable, "-m", "http.server", str(env.port), "--bind", env.host, "-d", "docs"]
    return [Program("web", command, environ, probe=lambda: product.http_status(env, "/health") == 404)]


def _supervise(wanted: list[str]) -> int:
    home = Home.open(Path(os.environ["PORTAL_HOME"]))
    with guard.alone(home):
        launch = Launch(home, os.environ)

        def work() -> int:
            patience = Patience(first_delay=0.05, longest_delay=0.05)
            with Supervisor(Voice(), home.run / "state.json", patience) as supervisor:
                supervisor.start(*(_program(one, launch.child_environ()) for one in wanted))
                supervisor.wait_ready(10)
                supervisor.say("all is up")
                supervisor.serve()
            return 0

        return guard.guarded(lambda: _told(work))


if __name__ == "__main__":
    if sys.argv[1] == "play":
        _play(sys.argv[2])
    elif sys.argv[1] == "manage":
        sys.exit(_manage(sys.argv[2]))
    elif sys.argv[1] == "demo":
        product.manage = lambda *words: [sys.executable, "-m", "tests.deploy.stand_in", "manage", *words]
        product.programs = _web
        sys.exit(cli.main(["demo"]))
    else:
        sys.exit(_told(lambda: _supervise(sys.argv[1:])))
