"""A55: no address that somebody else wrote leads away from this host, wherever a page asks where to go next."""

import re
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote, urljoin, urlsplit

import pytest
from django.test import Client

from portal.env import ROOT
from portal.ui.entering import relative
from tests.support.cast import PASSWORD, Cast

EVIL: Final = [
    "//evil.test",
    "//evil.test/",
    "///evil.test",
    "////evil.test",
    "/\\evil.test",
    "\\\\evil.test",
    "\\/evil.test",
    "/\t/evil.test",
    "/\n/evil.test",
    "\t//evil.test",
    " //evil.test",
    "/\x00/evil.test",
    "http://evil.test",
    "https://evil.test",
    "HTTPS:evil.test",
    "https:/evil.test",
    "https:///evil.test",
    "http:\\\\evil.test",
    "javascript:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "//evil%2etest",
    "//evil\u3002test",
    "//\u0435vil.test",
    "//hollis.meridian.localhost@evil.test",
    "https://hollis.meridian.localhost.evil.test",
    "https://hollis.meridian.localhost@evil.test",
    "//[::1]/",
    "//127.0.0.1/",
    "//0x7f000001/",
    "@evil.test",
    ".evil.test",
    "evil.test",
    "?next=//evil.test",
    "#//evil.test",
    "",
]
STAYS: Final = ["/", "/inbox/", "/inbox/?state=open&sort=-at", "/runs/run_1/#steps", "/orders/a%2Fb/"]
PAGES: Final[dict[str, dict[str, str]]] = {
    "/language": {"language": "de"},
    "/profile/confirm": {"secret": PASSWORD},
    "/profile/theme": {"theme": "dark"},
}
"""Pages that are told where to go, with what else they want."""


def leads(answer: Any) -> str:
    """Where a browser goes that asked this host and got that answer; empty where it stays."""
    target = answer.headers.get("Location", "") or answer.headers.get("HX-Redirect", "")
    # browsers drop tabs and line breaks, and take a backslash for a slash
    seen = re.sub(r"[\t\r\n]", "", target).strip().replace("\\", "/")
    host = urlsplit(urljoin("http://hollis.meridian.localhost/x", seen)).hostname or ""
    return "" if host == "hollis.meridian.localhost" else target


@pytest.mark.parametrize("address", EVIL)
def test_what_leads_away_leads_to_the_start_page(address: str) -> None:
    assert relative(address) == "/"


@pytest.mark.parametrize("address", STAYS)
def test_what_stays_is_where_one_goes(address: str) -> None:
    assert relative(address) == address


@pytest.mark.django_db
@pytest.mark.parametrize("address", EVIL)
def test_signing_in_leads_nowhere_else(cast: Cast, address: str) -> None:
    browser = Client(HTTP_HOST=cast.host)
    asked = browser.get(f"/sign-in?next={quote(address, safe='')}")
    assert leads(asked) == ""
    assert 'value="//' not in asked.content.decode()
    sent = browser.post(
        f"/sign-in?next={quote(address, safe='')}",
        {"email": "owner@cast.test", "password": PASSWORD, "next": address},
    )
    # U+0000 is refused by the field's name
    wanted = (400, "") if "\x00" in address else (302, "/")
    assert (sent.status_code, sent.headers.get("Location", "")) == wanted


@pytest.mark.django_db
@pytest.mark.parametrize("where", PAGES)
def test_nor_does_any_other_page_that_is_told_where_to_go(
    cast: Cast, client_for: Callable[..., Client], where: str
) -> None:
    browser = client_for(cast.owner, cast.host)
    stays = browser.post(where, {**PAGES[where], "next": "/inbox/"})
    assert stays.status_code in (200, 302)
    for address in EVIL:
        query = f"{where}?next={quote(address, safe='')}"
        for given in ({}, {"next": address, "back": address, "url": address}):
            asked = browser.get(query, HTTP_REFERER="http://evil.test/")
            sent = browser.post(query, {**PAGES[where], **given}, HTTP_REFERER="http://evil.test/")
            parts = browser.post(query, {**PAGES[where], **given}, headers={"HX-Request": "true"})
            assert [leads(one) for one in (asked, sent, parts)] == ["", "", ""], (where, address)


def test_every_page_that_reads_where_to_go_asks_the_one_function() -> None:
    read = re.compile(r"""(?:GET|POST)(?:\.get\(|\[)["'](?:next|back|return|url|continue|redirect)["']""")
    wrong = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in sorted((ROOT / "portal").rglob("*.py"))
        for line in path.read_text().splitlines()
        if read.search(line) and "relative(" not in line
    ]
    assert wrong == ['portal/admin/site.py: back = request.GET.get("next", reverse("admin:index"))'], (
        "Django's administration hands its own to the sign-in page, which asks; whatever else reads an address asks too"
    )
