"""The jq of the C library, to be compared with: in a process of its own, because nothing can interrupt it.

Run as a program it answers lines of `[program, input]` with lines of `["ok", results]` or `["syntax"]` or
`["error", message]`.
"""

import json
import math
import subprocess
import sys
from pathlib import Path

SECONDS = 3
MAX_RESULTS = 2_000


class Reference:
    """jq in a child process; `ask` gives None where jq itself ran away or died."""

    def __init__(self):
        self._child = None

    def __enter__(self):
        return self

    def __exit__(self, *_details):
        self._stop()

    def _stop(self):
        if self._child is not None:
            self._child.stdin.close()
            self._child.stdout.close()
            self._child.kill()
            self._child.wait()
            self._child = None

    def ask(self, program, value):
        if self._child is None:
            self._child = subprocess.Popen(
                [sys.executable, str(Path(__file__))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                encoding="utf-8",
            )
        try:
            self._child.stdin.write(json.dumps([program, value]) + "\n")
            self._child.stdin.flush()
            answer = self._child.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            self._stop()
            return None
        return json.loads(answer)


def alike(ours, theirs):
    """Whether two results are the same: 1 is 1.0, the last digit of a float may differ, keys stand in one order."""
    if isinstance(ours, bool) or isinstance(theirs, bool):
        return ours is theirs
    if isinstance(ours, int) and isinstance(theirs, int):
        return ours == theirs
    if isinstance(ours, int | float) and isinstance(theirs, int | float):
        return math.isclose(ours, theirs, rel_tol=1e-14)
    if type(ours) is not type(theirs):
        return False
    if isinstance(ours, list):
        return len(ours) == len(theirs) and all(map(alike, ours, theirs))
    if isinstance(ours, dict):
        return list(ours) == list(theirs) and all(alike(ours[key], theirs[key]) for key in ours)
    return ours == theirs


def _answer(program, value):
    import jq

    try:
        found = []
        for result in jq.compile(program).input_text(json.dumps(value)):
            found.append(result)
            if len(found) > MAX_RESULTS:
                sys.exit()
    except ValueError as error:
        return ["syntax"] if "compile error" in str(error) else ["error", str(error)]
    return ["ok", found]


def _serve():
    import resource
    import signal

    resource.setrlimit(resource.RLIMIT_AS, (2_000_000_000, 2_000_000_000))
    for line in sys.stdin:
        signal.setitimer(signal.ITIMER_PROF, SECONDS)  # of processor time; ends the process
        sys.stdout.write(json.dumps(_answer(*json.loads(line))) + "\n")
        sys.stdout.flush()
        signal.setitimer(signal.ITIMER_PROF, 0)


if __name__ == "__main__":
    _serve()
