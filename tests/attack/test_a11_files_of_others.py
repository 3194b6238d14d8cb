"""A11: addresses of files that are guessed, bent or encoded."""

import random
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote

import pytest
from django.test import Client

from tests.support.cast import Cast

CLIMBS: Final = [
    "..",
    "%2e%2e",
    "..%2f",
    "%2e%2e%2f",
    "..%5c",
    "%252e%252e",
    "....//",
    "..;",
    "\uff0e\uff0e",
    "%c0%ae%c0%ae",
]
ROOTS: Final = ["/static/", "/media/", "/files/", "/brand/", "/hooks/", "/"]
GOALS: Final = [
    "etc/passwd",
    "keys/audit.key",
    "portal.env",
    "portal/settings.py",
    "proc/self/environ",
    "mail/",
]


def corpus() -> list[str]:
    """300 addresses that lead out of where they begin, in every dress."""
    dice = random.Random(11)
    found: set[str] = set()
    while len(found) < 300:
        climb = "/".join(dice.choice(CLIMBS) for _ in range(dice.randint(1, 8)))
        goal = dice.choice(GOALS)
        dressed = dice.choice(
            [goal, quote(goal, safe=""), goal.replace("/", "%5c"), f"{goal}%00.png", f"{goal}."]
        )
        found.add(f"{dice.choice(ROOTS)}{climb}/{dressed}")
    return sorted(found)


@pytest.fixture(autouse=True)
def _a_file_to_steal(settings: Any) -> None:
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": plain,
    }  # for the pages that say that nothing is there
    (settings.STATIC_ROOT.parent / "portal.env").touch()


def test_of_300_addresses_none_leads_anywhere(cast: Cast, client_for: Callable[..., Client]) -> None:
    browser = client_for(cast.owner, cast.host)
    wrong = []
    for address in corpus():
        answer = browser.get(address, headers={"accept": "application/json"})
        content = b"".join(answer) if answer.streaming else answer.content
        if (
            answer.status_code not in (301, 302, 400, 404, 405)
            or b"root:" in content
            or b"PORTAL_" in content
        ):
            wrong.append((address, answer.status_code))
    assert wrong == []


def test_the_brand_of_another_partner_is_nothing_here(cast: Cast, client_for: Callable[..., Client]) -> None:
    """What a brand is made of is the only thing that is served as a file and belongs to somebody."""
    browser = client_for(cast.owner, cast.host)
    for name in ("css", "svg", "png"):
        assert (
            browser.get(f"/brand/lumen.1.{name}", headers={"accept": "application/json"}).status_code == 404
        )
