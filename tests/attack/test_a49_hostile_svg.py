"""A49: drawings as logos that would run or fetch; in a real browser nothing opens a dialog or leaves this host."""

import re
from collections.abc import Callable

import pytest

from kernel.actor import system
from kernel.errors import Invalid
from tenants.branding import actions, queries
from tenants.tenancy.models import Partner
from tests.attack.hostile_svg import drawings
from tests.browser.conftest import Visit, chromium, server, visit
from tests.support.cast import NOW, Cast

__all__ = ["chromium", "server", "visit"]
BY = system("test")
_ACTS = re.compile(
    rb"<(?:\w+:)?(?:script|foreignobject|iframe|handler|embed|object)\b|\son\w+\s*=|href\s*=\s*.?\s*javascript:",
    re.IGNORECASE,
)
_FETCHES = re.compile(
    rb"(?:href|src)\s*=\s*['\"]?\s*(?:http|//|data:image/svg)|@import\s+url|url\(\s*['\"]?\s*(?:http|//|data:)|file:|<!ENTITY|<\?xml-stylesheet",
    re.IGNORECASE,
)


def _set(partner: Partner, drawing: str) -> bytes | None:
    """What is kept of a drawing as a logo; None where it is refused."""
    try:
        actions.set_logo(partner=partner, picture=drawing.encode(), actor=BY, now=NOW)
    except Invalid:
        return None
    found = queries.picture_of(partner.id, "logo")
    assert found is not None
    return found[1]


def test_nothing_that_acts_or_fetches_is_kept(cast: Cast) -> None:
    partner = Partner.objects.get(slug="meridian")
    corpus = list(drawings())
    assert len(corpus) >= 80
    kept = {drawing: _set(partner, drawing) for drawing in corpus}
    assert sum(clean is not None for clean in kept.values()) > 40
    for drawing, clean in kept.items():
        if clean is not None:
            assert not _ACTS.search(clean), (drawing, clean)
            # a link that somebody would have to follow fetches nothing by itself
            without_links = re.sub(rb"<a\b[^>]*>", b"", clean)
            assert not _FETCHES.search(without_links), (drawing, clean)


@pytest.mark.browser
@pytest.mark.timeout(300)
def test_in_a_browser_nothing_happens(cast: Cast, visit: Callable[..., Visit]) -> None:
    partner = Partner.objects.get(slug="meridian")
    seen = visit(None, cast.host)
    dialogs: list[str] = []
    seen.page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    looked = 0
    for drawing in drawings():
        if _set(partner, drawing) is None:
            continue
        looked += 1
        seen.go("/sign-in")
        address = seen.page.get_attribute("img.logo", "src")
        seen.go(str(address))
        seen.page.mouse.click(10, 10)
    seen.page.wait_for_timeout(300)
    assert looked > 40
    assert dialogs == []
    assert [url for url in seen.foreign if not url.startswith("blob:")] == []


@pytest.mark.browser
def test_the_harness_sees_a_drawing_that_acts(cast: Cast, visit: Callable[..., Visit]) -> None:
    """The same watch, over a page without our cleaning: it does hear dialogs and requests."""
    seen = visit(None, cast.host)
    dialogs: list[str] = []
    seen.page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    body = "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'><image href='http://evil.example.com/x.png'/></svg>"
    seen.page.route("**/raw.svg", lambda route: route.fulfill(content_type="image/svg+xml", body=body))
    seen.go("/raw.svg")
    seen.page.wait_for_timeout(300)
    assert dialogs == ["1"]
    assert any("evil.example.com" in url for url in seen.foreign)
