"""One supervisor for all processes of the portal: starts, watches, restarts and ends them, and shows their lines."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from deploy.local import child, guard
from deploy.local.errors import Refused
from deploy.local.home import write_private
from deploy.local.servers import Server
from deploy.local.voice import Ears, Voice

_ENDINGS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_OWN: Final = "portal"


class Stopped(Exception):
    """Somebody asked us to end."""


@dataclass(frozen=True)
class Patience:
    """How long a dying process is put up with; the delay before its next start grows from death to death."""

    first_delay: float = 0.2
    growth: float = 1.5
    longest_delay: float = 5.0
    most_deaths: int = 10
    death_seconds: float = 30.0
    most_failed_starts: int = 3
    calm_seconds: float = 10.0  # who lived that long has the first delay again


@dataclass
class _Watched:
    """A program, its present process, and what became of the ones before."""

    server: Server
    process: "subprocess.Popen[bytes]"
    started_at: float
    ready: bool = False
    ever_ready: bool = False
    starts: int = 1
    restart_at: float | None = None
    delay: float = 0.0
    deaths: list[float] = field(default_factory=list)


class Supervisor:
    """Use it as a context: leaving it ends every process, the stage that was started last first."""

    def __init__(self, voice: Voice, state_file: Path, patience: Patience | None = None) -> None:
        self._voice = voice
        self._state_file = state_file
        self._patience = patience or Patience()
        self._stages: list[list[_Watched]] = []
        self._asked_to_stop = False
        self._once: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._ears = Ears()
        signal.signal(signal.SIGCHLD, lambda *_: None)  # a handler that does nothing still wakes the ears
        for number in _ENDINGS:
            signal.signal(number, self._ask_to_stop)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDINGS)
        return self

    def __exit__(self, *_: object) -> None:
        self._asked_to_stop = True
        if self._once is not None:
            child.end(self._once, (signal.SIGTERM,), 5)
        for stage in reversed(self._stages):
            self._end(stage)
        guard.kill_children(except_for=set())
        self._ears.close()
        self._state_file.unlink(missing_ok=True)

    def say(self, line: str) -> None:
        """One line of our own."""
        self._voice.say(_OWN, line)

    def show(self, text: str) -> None:
        """`text` as it is."""
        self._voice.show(text)

    def start(self, *servers: Server) -> None:
        """Start `servers` as one stage, all at once; `wait_ready` waits for them."""
        stage: list[_Watched] = []
        self._stages.append(stage)
        for server in servers:
            stage.append(_Watched(server, server.spawn(), time.monotonic()))
            self._listen(stage[-1])
        self._write_state()

    def wait_ready(self, seconds: float) -> None:
        """Wait until everything that was started is ready. Raises Refused if that does not come."""
        deadline = time.monotonic() + seconds
        while waiting := [one.server.name for one in self._all() if not one.ready]:
            if time.monotonic() > deadline:
                raise Refused(f"not ready after {seconds:g} s: {', '.join(waiting)}")
            self._turn()

    def run_once(
        self, command: Sequence[str], *, name: str, env: Mapping[str, str], folder: Path, gather: bool = False
    ) -> str:
        """Run `command` to its end while the others are watched. Raises Refused if it fails.

        Its lines are shown as they come; with `gather` those on standard output are returned instead.
        """
        gathered: list[str] = []
        show = self._sayer(name)
        process = child.spawn(command, output=subprocess.PIPE, errors=subprocess.PIPE, env=env, folder=folder)
        self._ears.listen(process.stdout, gathered.append if gather else show)
        self._ears.listen(process.stderr, show)
        self._await(process)
        child.kill_group(process.pid)
        self._ears.finish(process.stdout)
        self._ears.finish(process.stderr)
        if process.returncode != 0:
            for line in gathered:
                show(line)
            raise Refused(f"{name} failed ({_ending(process.returncode)}); the lines above say why")
        return "\n".join(gathered)

    def run_in_front(self, command: Sequence[str], *, env: Mapping[str, str]) -> int:
        """Run `command` on our terminal while the others are watched; its exit status, as a shell gives it."""
        try:
            process = subprocess.Popen(list(command), env=dict(env))
        except OSError as error:
            raise Refused(f"cannot start {command[0]}: {(error.strerror or str(error)).lower()}") from None
        if os.isatty(0):  # the terminal sends Ctrl-C to the command as well: it is for the command to obey
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        self._await(process)
        return process.returncode if process.returncode >= 0 else 128 - process.returncode

    def serve(self) -> None:
        """Watch until somebody asks us to end, which raises Stopped."""
        while True:
            self._turn()

    def _await(self, process: "subprocess.Popen[Any]") -> None:
        self._once = process
        while process.poll() is None:
            self._turn()
        self._once = None

    def _turn(self) -> None:
        """Wait until something happens and see to it. Raises Stopped, and Refused when a process is past help."""
        restless = any(not one.ready for one in self._all())
        self._ears.hear(child.POLL_SECONDS if restless else 1.0)
        self._reap()
        if self._asked_to_stop:
            raise Stopped
        for one in self._all():
            if one.restart_at is not None:
                if time.monotonic() >= one.restart_at:
                    self._restart(one)
            elif not one.ready and one.server.ready(one.process):
                one.ready = one.ever_ready = True
                self.say(f"{one.server.name} is ready")
                self._write_state()

    def _reap(self) -> None:
        """Note who died, and clear away the dead whom we adopted."""
        for one in self._all():
            if one.restart_at is None and one.process.poll() is not None:
                self._died(one)
        known = {one.process.pid for one in self._all()} | {self._once.pid if self._once else 0}
        while hasattr(os, "waitid"):
            try:
                dead = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if dead is None or dead.si_pid in known:
                return
            os.waitpid(dead.si_pid, 0)

    def _died(self, one: _Watched) -> None:
        """End what the dead one left and set the time of its next start. Raises Refused when it dies too often."""
        now, name, how = time.monotonic(), one.server.name, _ending(one.process.returncode)
        limit = self._patience
        self._sweep_after(one)
        one.ready = False
        one.deaths = [at for at in one.deaths if now - at < limit.death_seconds] + [now]
        killed = one.process.returncode == -signal.SIGKILL  # then its log knows nothing of it
        because = f": {tail}" if not killed and (tail := one.server.why_dead()) else ""
        if len(one.deaths) >= limit.most_deaths:
            raise Refused(
                f"{name} died {limit.most_deaths} times within {limit.death_seconds:g} s ({how}){because}"
            )
        if not one.ever_ready and len(one.deaths) >= limit.most_failed_starts:
            raise Refused(f"{name} does not start ({how}){because}")
        calm = not one.delay or now - one.started_at > limit.calm_seconds
        one.delay = limit.first_delay if calm else min(one.delay * limit.growth, limit.longest_delay)
        self.say(f"{name} ended ({how}), starts again in {one.delay:.1f} s{because}")
        one.restart_at = now + one.delay
        self._write_state()

    def _sweep_after(self, one: _Watched) -> None:
        """SIGKILL to the dead one's group and to its orphans, which are our children by now."""
        child.kill_group(one.process.pid)
        kept = {other.process.pid for other in self._all() if other.process.returncode is None}
        guard.kill_children(except_for=kept | {self._once.pid if self._once else 0})
        self._ears.finish(one.process.stdout)

    def _restart(self, one: _Watched) -> None:
        one.restart_at, one.started_at = None, time.monotonic()
        one.starts += 1
        one.server.prepare()
        one.process = one.server.spawn()
        self._listen(one)
        self._write_state()

    def _end(self, stage: list[_Watched]) -> None:
        """End a stage: its signals in turn to all of it together, at last SIGKILL."""
        running = [one for one in stage if one.process.poll() is None]
        for turn in range(max((len(one.server.stop_signals) for one in running), default=0)):
            for one in running:
                if turn < len(one.server.stop_signals) and one.process.poll() is None:
                    one.process.send_signal(one.server.stop_signals[turn])
            deadline = time.monotonic() + max((one.server.grace_seconds for one in running), default=0)
            while any(one.process.poll() is None for one in running) and time.monotonic() < deadline:
                self._ears.hear(child.POLL_SECONDS)
        for one in stage:
            child.kill_group(one.process.pid)
            one.process.wait()
            self._ears.finish(one.process.stdout)

    def _listen(self, one: _Watched) -> None:
        self._ears.listen(one.process.stdout, self._sayer(one.server.name))

    def _sayer(self, name: str) -> Callable[[str], None]:
        return lambda line: self._voice.say(name, line)

    def _all(self) -> list[_Watched]:
        return [one for stage in self._stages for one in stage]

    def _ask_to_stop(self, *_: object) -> None:
        if not self._asked_to_stop:
            self._asked_to_stop = True
            self.say("ending everything")

    def _write_state(self) -> None:
        """Tell `status` and `run` who runs."""
        programs = {
            one.server.name: {
                "pid": one.process.pid,
                "state": "ready" if one.ready else "starting" if one.restart_at is None else "ended",
                "starts": one.starts,
            }
            for one in self._all()
        }
        write_private(self._state_file, json.dumps({"supervisor": os.getpid(), "programs": programs}) + "\n")


def _ending(code: int) -> str:
    if code >= 0:
        return f"exit status {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
