"""`python -m tests.deploy.smoke`: the demo as a stranger meets it, from the first start to Ctrl-C, then once more.

Starts `make demo` on a home and a port of its own, asks for the partner's sign-in page, presses Ctrl-C, and looks for
what is left. Prints the seconds of both starts; not 0 if one was late, a page was not there or a process stayed.
"""

import http.client
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from deploy.local import child
from deploy.local.home import ROOT
from deploy.local.ports import free_port
from tests.deploy.processes import clean_environ, folder_for_all, left_behind

_FIRST_SECONDS: Final = 180.0
_LATER_SECONDS: Final = float(os.environ.get("SMOKE_LATER_SECONDS", "30"))  # 15 on a quiet machine
_ADDRESS: Final = re.compile(r"http://([a-z0-9.-]+\.localhost):(\d+)")


class Failed(Exception):
    """The demo did not do what it promises."""


def main() -> int:
    """Two starts on one home; 1 and one line if something is amiss."""
    with folder_for_all() as folder:
        try:
            first = _once(folder / "home", _FIRST_SECONDS)
            later = _once(folder / "home", _LATER_SECONDS)
        except Failed as error:
            print(f"smoke: {error}")
            return 1
    print(f"smoke: first start {first:.1f} s, later start {later:.1f} s, nothing left behind")
    return 0


def _once(home: Path, seconds: float) -> float:
    """Start, look, end; the seconds until it was ready."""
    port = free_port()
    with tempfile.TemporaryFile("w+") as said:
        began = time.monotonic()
        portal = subprocess.Popen(
            ["make", "demo"],
            cwd=ROOT,
            env=clean_environ(home, PORTAL_PORT=str(port)),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

        def lines() -> str:
            said.seek(0)
            return said.read()

        def ready() -> bool:
            return portal.poll() is not None or _ADDRESS.search(lines()) is not None

        try:
            if not child.wait_until(ready, seconds) or portal.poll() is not None:
                raise Failed(f"not ready within {seconds:g} s; it said:\n{lines()}")
            took = time.monotonic() - began
            for host in {found[0] for found in _ADDRESS.findall(lines())}:
                _look(host, port)
            os.killpg(portal.pid, signal.SIGINT)
            if not child.wait_until(lambda: portal.poll() is not None, 30):
                raise Failed(f"Ctrl-C did not end it within 30 s; it said:\n{lines()}")
        finally:
            if portal.poll() is None:
                os.killpg(portal.pid, signal.SIGTERM)
                portal.wait(60)
        if stayed := left_behind(home):
            raise Failed(f"left behind: {stayed}")
        return took


def _look(host: str, port: int) -> None:
    """Follow the address to its sign-in page. Raises Failed where there is none."""
    path = "/"
    for _ in range(4):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", path, headers={"Host": f"{host}:{port}"})
        answer = connection.getresponse()
        body = answer.read().decode(errors="replace")
        connection.close()
        if answer.status in (301, 302, 303, 307) and answer.headers["Location"]:
            path = re.sub(r"^https?://[^/]+", "", answer.headers["Location"])
            continue
        if answer.status != 200 or 'type="password"' not in body:
            break
        _be_refused(host, port, path, body, answer.headers.get_all("Set-Cookie", []))
        print(f"smoke: http://{host}:{port}{path} is a sign-in page, and lets not everybody in")
        return
    raise Failed(f"http://{host}:{port}{path} answered {answer.status} and is no sign-in page")


def _be_refused(host: str, port: int, path: str, page: str, cookies: list[str]) -> None:
    """Send the form as somebody who has no login. Raises Failed for any other answer than the form again."""
    names = re.findall(r'<input[^>]*name="([^"]+)"', page)
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    form = dict.fromkeys(names, "nobody@example.com") | {"csrfmiddlewaretoken": token[1] if token else ""}
    headers = {
        "Host": f"{host}:{port}",
        "Origin": f"http://{host}:{port}",
        "Content-Type": "application/x-www-form-urlencoded",
        "Cookie": "; ".join(cookie.split(";")[0] for cookie in cookies),
    }
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("POST", path, body=urlencode(form), headers=headers)
    answer = connection.getresponse()
    body = answer.read().decode(errors="replace")
    connection.close()
    if answer.status not in (200, 401, 422) or 'type="password"' not in body:
        raise Failed(f"POST http://{host}:{port}{path} answered {answer.status}:\n{body[:2000]}")


if __name__ == "__main__":
    sys.exit(main())
