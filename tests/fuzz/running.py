"""Sending hostile requests, and judging what comes back."""

import json
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from django.core.signals import got_request_exception
from django.db import connection
from django.test import Client
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as hypothesis_settings

from portal.env import ROOT
from tenants.tenancy import context
from tests.fuzz.asked import STRONG, TARGETS, Asked, Town, callers, requests
from tests.fuzz.forms import harvest
from tests.house.asking import undone
from tests.house.ground import Caller, Ground
from tests.house.routes import Route
from tests.support import make

SLOW: Final = 10.0
"""Seconds after which an answer counts as none: one request must not hold a worker."""
FEWEST: Final = 5
"""Requests to each address that is asked."""
ONCE: Final = {
    "phases": [Phase.generate],
    "database": None,
    "deadline": None,
    "suppress_health_check": list(HealthCheck),
}


@dataclass
class Tally:
    """What came back."""

    requests: int = 0
    classes: Counter[str] = field(default_factory=Counter)
    routes: dict[str, Counter[int]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    slowest: tuple[float, str] = (0.0, "")

    def note(self, what: str, asked: object, status: int, route: str) -> None:
        """One answer; `what` is why it is wrong, if it is."""
        self.requests += 1
        self.classes[f"{status // 100}xx"] += 1
        self.routes.setdefault(route, Counter())[status] += 1
        if what:
            self.failures.setdefault(what, str(asked))

    def line(self) -> str:
        """The figures as a line of JSON."""
        return json.dumps(
            {
                "name": "fuzz",
                "requests": self.requests,
                **{name: self.classes[name] for name in sorted(self.classes)},
                "addresses": len(self.routes),
                "slowest_ms": round(self.slowest[0] * 1000),
                "failures": len(self.failures),
            }
        )


def town(ground: Ground) -> Town:
    """The ground with its forms, and a door of each kind."""
    with context.enter(ground.cast.tenant):
        doors = [(kind, make.endpoint(kind, name=f"fuzz {kind}")) for kind in ("cloudevents", "shopify")]
    return Town(ground, harvest(ground, STRONG), doors)


@dataclass
class Sender:
    """Sends requests as anybody; each is undone afterwards."""

    ground: Ground
    tally: Tally = field(default_factory=Tally)
    _browsers: dict[Caller, Client] = field(default_factory=dict)

    def send(self, asked: Asked) -> Any:
        """Send it, note what came, and give the answer (None where none came)."""
        browser = self._browser(asked.caller)
        cookies = browser.cookies.output()
        began = time.perf_counter()
        with _raised() as raised, undone():
            try:
                answer = browser.generic(
                    asked.method,
                    asked.address,
                    asked.body,
                    content_type=asked.content_type,
                    headers=asked.headers,
                    CONTENT_LENGTH=str(len(asked.body)),
                )
                text = b"".join(answer)
                if raised == [] and answer.status_code < 500:
                    connection.check_constraints()  # those that wait for the end of the transaction
            except Exception as error:  # noqa: BLE001 - whatever it is, it is what is looked for
                raised.append(_named(error))
                answer, text = None, b""
        self._look(asked, answer, text, raised, time.perf_counter() - began)
        if browser.cookies.output() != cookies:
            self._browsers.pop(asked.caller)  # signed out, or in as somebody else
        return answer

    def _browser(self, caller: Caller) -> Client:
        if caller not in self._browsers:
            browser = self._browsers[caller] = self.ground.knock(caller)
            browser.raise_request_exception = False
        return self._browsers[caller]

    def _look(self, asked: Asked, answer: Any, text: bytes, raised: list[str], took: float) -> None:
        status = answer.status_code if answer is not None else 500
        what = ""
        if status >= 500 or raised:
            what = raised[0] if raised else f"{status} from {asked.route}"
        elif took > SLOW:
            what = f"{asked.route} took {took:.1f} s"
        elif status >= 400 and asked.route.pattern.startswith("api/"):
            what = _untyped(asked, answer, status, text)
        if took > self.tally.slowest[0]:
            self.tally.slowest = (took, str(asked))
        self.tally.note(what, asked, status, f"{asked.method} {asked.route}")


def _untyped(asked: Asked, answer: Any, status: int, text: bytes) -> str:
    """What is wrong with a refusal: a machine must be able to read what it is, and of which member."""
    if asked.method == "HEAD" or "text/html" in asked.headers.get("Accept", ""):
        return ""
    if asked.route.name.startswith("scim:"):
        return "" if b'"status"' in text else f"{asked.route}: {status} is no SCIM error"
    if not answer.headers.get("Content-Type", "").startswith("application/problem+json"):
        return f"{asked.method} {asked.route}: {status} is no problem document"
    body = json.loads(text)
    if not body.get("code") or body.get("status") != status:
        return f"{asked.method} {asked.route}: {status} has no code"
    return ""


@contextmanager
def _raised() -> Iterator[list[str]]:
    """Errors that no view caught, each by its name and where in the product it began."""
    found: list[str] = []

    def note(**_: Any) -> None:
        error = sys.exc_info()[1]
        if error is not None:
            found.append(_named(error))

    got_request_exception.connect(note, weak=False)
    try:
        yield found
    finally:
        got_request_exception.disconnect(note)


def _named(error: BaseException) -> str:
    ours = [
        f"{frame.filename.removeprefix(str(ROOT) + '/')}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)
        if ".venv" not in frame.filename and "/tests/" not in frame.filename
    ]
    return f"{type(error).__name__}: {str(error)[:160]} at {' < '.join(reversed(ours[-4:]))}"


def fuzz(sender: Sender, made: Town, count: int, number: int) -> None:
    """Send about `count` hostile requests, made from the seed `number`; few of them go to some addresses alone."""
    targets = Random(number).sample(TARGETS, min(len(TARGETS), max(1, count // FEWEST)))
    each = -(-count // len(targets))
    for place, (route, method) in enumerate(targets):
        _some(sender, made, route, method, each, number + place)


def _some(sender: Sender, made: Town, route: Route, method: str, count: int, number: int) -> None:
    who = callers(route)

    @seed(number)
    @hypothesis_settings(max_examples=count, **ONCE)  # type: ignore[arg-type] # a mapping of different things
    @given(requests(made, route, method))
    def run(asked: Asked) -> None:
        if not route.pattern.startswith("hooks/"):
            asked.caller = next(who)
        sender.send(asked)

    run()
