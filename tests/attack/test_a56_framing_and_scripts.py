"""A56: nobody frames a page or runs a script of their own in it: the headers of every address, as everybody, say so."""

import re
from collections import defaultdict
from collections.abc import Callable
from typing import Any, Final

import pytest
from django.test import Client

from tests.attack.conftest import _plain_files  # noqa: F401 - a fixture
from tests.house.routes import Route, routes
from tests.support.cast import Cast

HOSTS: Final = {"tenant": "host", "partner": "partner_host", "platform": "platform_host"}
WORD: Final = re.compile(r"'unsafe-inline'|'unsafe-eval'|'unsafe-hashes'|\*|https?:|blob:")


def wrong(answer: Any) -> str:
    """What lets others in, in the headers of an answer; empty where nothing does."""
    kind = answer.headers.get("Content-Type", "").partition(";")[0]
    if answer.headers.get("X-Content-Type-Options") != "nosniff":
        return "no nosniff"
    if answer.request["PATH_INFO"].startswith("/hooks/"):  # to a machine; no browser shows it
        return "" if not answer.content or kind in ("application/json", "application/problem+json") else kind
    if answer.headers.get("X-Frame-Options") not in (
        "DENY",
        None if "frame-ancestors" in _policy(answer) else "",
    ):
        return "may be framed"
    policy = _policy(answer)
    if "sandbox" in policy and policy.get("default-src") == "'none'":
        return ""
    for part in ("frame-ancestors", "base-uri", "default-src"):
        if policy.get(part) != "'none'":
            return f"{part} is {policy.get(part)}"
    found = WORD.search(policy.get("script-src", "missing *") + policy.get("style-src", "missing *"))
    return f"scripts or styles: {found[0]}" if found else ""


def _policy(answer: Any) -> dict[str, str]:
    parts = [
        one.strip().partition(" ") for one in answer.headers.get("Content-Security-Policy", "").split(";")
    ]
    return {name: value for name, _, value in parts if name}


@pytest.mark.django_db
@pytest.mark.parametrize("kind", HOSTS)
@pytest.mark.parametrize("who", ["nobody", "owner"])
def test_no_answer_of_any_address_lets_others_in(
    cast: Cast, client_for: Callable[..., Client], kind: str, who: str
) -> None:
    host = getattr(cast, HOSTS[kind])
    browser = client_for(cast.owner, host) if who == "owner" else Client(HTTP_HOST=host)
    browser.raise_request_exception = False
    seen: dict[str, str] = {}
    for route in routes(kind):
        for method in ("get", "post"):
            address = _address(route)
            if "sign-out" in address:
                continue
            answer = getattr(browser, method)(address)
            if found := wrong(answer):
                seen[f"{method} {address} ({answer.status_code})"] = found
    assert len(routes(kind)) > 20
    assert seen == {}


def _address(route: Route) -> str:
    return route.address(defaultdict(lambda: "none"))


@pytest.mark.django_db
def test_no_header_of_a_request_widens_what_the_answer_says(cast: Cast) -> None:
    for name in ("Origin", "Referer", "X-Frame-Options", "Content-Security-Policy", "X-Forwarded-Host"):
        answer = Client(HTTP_HOST=cast.host).get("/sign-in", headers={name: "https://evil.test"})
        assert wrong(answer) == ""
        assert "evil.test" not in str(answer.headers)
