"""The launcher's command line: `python -m deploy.local demo | serve | services | run | status | env | exec`."""

import argparse
import errno
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from deploy.local import child, guard, product, statics
from deploy.local.errors import Refused
from deploy.local.home import ROOT, Home
from deploy.local.launch import Launch
from deploy.local.supervisor import Stopped
from portal.env import Env

_NOT_RUNNING = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks; what the machine does not allow is told in one line, with status 1."""
    asked = _parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = asked.run
    return _told(lambda: run(asked))


def _told(work: Callable[[], int]) -> int:
    try:
        return work()
    except Stopped:
        return 0
    except Refused as error:
        line = str(error)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        line = "no space left on the device; free some, or set PORTAL_HOME to a folder on another"
    print(f"portal: {line}", file=sys.stderr, flush=True)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy.local", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, run: Callable[[argparse.Namespace], int], words: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=words, description=words)
        command.set_defaults(run=run)
        return command

    for name, run, words in (
        ("demo", _demo, "start everything with sample content and a simulated shop and ERP"),
        ("serve", _serve, "start everything without sample content"),
        ("services", _services, "start the database and the broker alone"),
    ):
        add(name, run, words).add_argument(
            "--tcp", action="store_true", help="let the database listen on a loopback port as well"
        )
    inside = add("run", _run, "run a command with the services, started for it unless they run already")
    inside.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND …")
    add("status", _status, "say what runs from this data folder")
    add("env", _env, "print the settings of this data folder as shell commands")
    process = add("exec", _exec, "become one process of the product, as a container does")
    process.add_argument("process", choices=("web", "engine", "work", "dispatcher", "upgrade"))
    add("probe", _probe, "succeed if the web server is well, as a container's health check asks")
    return parser


def _home() -> Home:
    return Home.open(Path(os.environ.get("PORTAL_HOME") or ROOT / "var"))


def _supervised(asked: argparse.Namespace, *, demo: bool, work: Callable[[Launch], int], web: bool) -> int:
    """Hold the home and do `work` in a guarded process."""
    home = _home()
    with guard.alone(home):
        launch = Launch(home, os.environ, demo=demo, tcp=getattr(asked, "tcp", False))
        if web:
            launch.require_port()
        return guard.guarded(lambda: _told(lambda: work(launch)))


def _demo(asked: argparse.Namespace) -> int:
    return _supervised(asked, demo=True, work=lambda launch: _up(launch, seed=True), web=True)


def _serve(asked: argparse.Namespace) -> int:
    return _supervised(asked, demo=False, work=lambda launch: _up(launch, seed=False), web=True)


def _up(launch: Launch, *, seed: bool) -> int:
    with launch.supervisor() as supervisor:
        launch.bring_up(supervisor, seed=seed)
        supervisor.serve()
    return 0


def _services(asked: argparse.Namespace) -> int:
    def work(launch: Launch) -> int:
        with launch.supervisor() as supervisor:
            launch.start_servers(supervisor)
            supervisor.say(f"the settings that lead here are in {launch.home.settings_file}")
            supervisor.serve()
        return 0

    return _supervised(asked, demo=False, work=work, web=False)


def _run(asked: argparse.Namespace) -> int:
    command = asked.command[1:] if asked.command[:1] == ["--"] else asked.command
    if not command:
        raise Refused("say which command to run: python -m deploy.local run -- COMMAND …")
    home = _home()
    if guard.is_held(home):
        return _run_beside(home, command)

    def work(launch: Launch) -> int:
        with launch.supervisor(sys.stderr) as supervisor:  # standard output is the command's
            launch.start_servers(supervisor)
            return supervisor.run_in_front(command, env=launch.child_environ())

    return _supervised(asked, demo=False, work=work, web=False)


def _run_beside(home: Home, command: list[str]) -> int:
    """Become `command`, with the services that somebody else runs from `home`, once they are ready."""
    ready = child.wait_until(lambda: _servers_ready(home) or not guard.is_held(home), 60)
    if not ready or not _servers_ready(home):
        raise Refused(
            f"the services of {home.path} do not become ready; see what process {guard.holder(home)} says"
        )
    environ = {**home.settings(), **os.environ, "PORTAL_HOME": str(home.path)}
    try:
        os.execvpe(command[0], command, environ)
    except OSError as error:
        raise Refused(f"cannot start {command[0]}: {(error.strerror or str(error)).lower()}") from None


def _servers_ready(home: Home) -> bool:
    found = _state(home).get("programs", {})
    return all(found[name]["state"] == "ready" for name in ("valkey", "postgres") if name in found) and bool(
        found
    )


def _state(home: Home) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((home.run / "state.json").read_text())
    except (OSError, ValueError):
        return {}
    return found


def _status(_: argparse.Namespace) -> int:
    home = _home()
    if not guard.is_held(home):
        print(f"nothing runs from {home.path}")
        return _NOT_RUNNING
    print(
        f"running from {home.path}, process {guard.holder(home)}, port {home.settings().get('PORTAL_PORT', '?')}"
    )
    for name, program in _state(home).get("programs", {}).items():
        print(f"  {name:<11}{program['state']:<10}process {program['pid']}, start {program['starts']}")
    return 0


def _env(_: argparse.Namespace) -> int:
    home = _home()
    for name, value in {**home.settings(), "PORTAL_HOME": str(home.path)}.items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


def _exec(asked: argparse.Namespace) -> int:
    env = Env.load()
    os.chdir(ROOT)
    if asked.process == "upgrade" and statics.are_stale(env.home):
        subprocess.run(product.manage(*statics.COLLECT), check=True)
        statics.mark_fresh(env.home)
    lines = {**product.command_lines(env), "upgrade": product.manage("upgrade")}
    os.execvp(lines[asked.process][0], lines[asked.process])


def _probe(_: argparse.Namespace) -> int:
    env = Env.load()
    return 0 if product.http_status(env, "/health") == 200 else 1
