"""A62: whatever is logged, a line is one line of ours: no forged line, no colour, no turned text, no endless value."""

import json
import os
import subprocess
import sys
from typing import Any, Final

import pytest
from django.test import Client

from kernel import ids
from portal.env import ROOT
from portal.middleware import request_id
from tenants.accounts.models import Visit
from tests.support.cast import PASSWORD, Cast

HOSTILE: Final = [
    "a\nlevel=info event='signed in' user=root",
    "a\r\n2026-03-02T09:30:00Z [info] signed in",
    "\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07",
    "\x9b31m",
    "\x00",
    "\x08\x08\x08hidden",
    "\x7f",
    "\x85next line",
    "\u2028line\u2029paragraph",
    "\u202etxt.exe\u202c",
    "\u2066a\u2069",
    "\u200fright",
    '"}\n{"event": "signed in", "level": "info"}',
    "%s%n%(levelname)s{0}",
    "\ud800",
]
CONTROL: Final = {*range(0x20), 0x7F, *range(0x80, 0xA0), 0x200E, 0x200F, 0x2028, 0x2029}
CONTROL_ALSO: Final = {*range(0x202A, 0x202F), *range(0x2066, 0x206A)}
SCRIPT: Final = """
import json, logging, os, sys
import structlog
from kernel import logs
as_json, hostile = sys.argv[1] == "json", json.load(sys.stdin)
logs.configure("INFO", json=as_json)
log, plain = structlog.get_logger("a.room"), logging.getLogger("a.library")
for number, text in enumerate(hostile):
    log.info("seen", number=number, text=text, deep={text: [text, {"a": (text,)}]}, made=type("X", (), {"__repr__": lambda self: text})())
    log.info(text, number=number)
    plain.warning("seen %s", text)
    with logs.bound(tenant=text):
        log.info("bound", number=number)
log.info("long", text="x" * 10_000_000, deep=["y" * 10_000_000] * 3, many=list(range(100_000)))
nest = []
for _ in range(500):
    nest = [nest]
log.info("deep", nest=nest)
"""


def written(how: str) -> list[str]:
    """The lines of a process that logs each of the corpus in four ways."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, how],
        input=json.dumps(HOSTILE).encode(),
        capture_output=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "utf-8:replace"},
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    return done.stderr.decode().split("\n")[:-1]


@pytest.mark.parametrize("how", ["json", "terminal"])
def test_a_line_is_a_line_whatever_stands_in_it(how: str) -> None:
    lines = written(how)
    assert len(lines) == 4 * len(HOSTILE) + 2
    assert [line for line in lines if {ord(one) for one in line} & (CONTROL | CONTROL_ALSO)] == []
    assert max(map(len, lines)) < 40_000
    if how == "json":
        events = [json.loads(line) for line in lines]
        assert {one["logger"] for one in events} == {"a.room", "a.library"}
        assert sum(one["event"] == "signed in" for one in events) == 0


@pytest.mark.parametrize("text", [*HOSTILE, "x" * 10_000_000, "", "a b", "../x"])
def test_the_id_of_a_request_is_none_that_somebody_forges(text: str) -> None:
    assert request_id(text) != text
    assert request_id(ids.uuid7().hex)


@pytest.mark.django_db
def test_a_hostile_name_of_a_browser_is_kept_short_and_plain(cast: Cast) -> None:
    for text in (*HOSTILE[:13], "x" * 10_000_000):
        browser: Any = Client(HTTP_HOST=cast.host, HTTP_USER_AGENT=text)
        sent = browser.post("/sign-in", {"email": "owner@cast.test", "password": PASSWORD})
        assert sent.status_code == 302
    kept = list(Visit.objects.values_list("agent", flat=True))
    assert len(kept) == 14
    assert max(map(len, kept)) <= 500
    assert [one for one in kept if {ord(char) for char in one} & (CONTROL | CONTROL_ALSO)] == []
