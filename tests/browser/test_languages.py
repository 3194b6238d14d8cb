"""Other languages than those that are written: longer words and another direction leave every page whole, and no word is left out.

The pseudo-locale writes each text with accents and 40 per cent longer, so that a text which no catalogue knows stands out.
"""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.utils.translation import trans_real

from tenants.access.models import User
from tests.browser import rooms, work
from tests.browser.conftest import Visit
from tests.support.cast import Cast

_ACCENTS = str.maketrans("aeiouAEIOU", "áéíóúÁÉÍÓÚ")
UNTRANSLATED = """(known) => {
  const where = 'h1, h2, th, label, legend, summary, .btn, .chip, .help, .empty p, nav a, dt, .formfoot, .tabs a';
  const data = 'code, kbd, pre, .copyid, .nm, [translate=no], .brandrow, .place, .me, .crumbs, .mono, .clip, .own';
  return [...document.querySelectorAll(where)].filter((one) => one.checkVisibility() && !one.closest(data)).flatMap((one) => {
    const words = [...one.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data.trim()).join(' ');
    return /[a-z]{5}/i.test(words) && !/[áéíóúÁÉÍÓÚ]/.test(words) && !known.some((name) => words.includes(name)) ? [words] : [];
  });
}"""
CUT_OR_LAID_OVER = """() => {
  const shown = (one) => one.checkVisibility({ visibilityProperty: true }) && !one.closest('[popover], dialog, .sr, svg, .toasts, #keysheet');
  const found = [];
  const all = [...document.querySelectorAll('main .btn, main .chip, main .badge, main .status, main th, main dt, main label, main h1, main h2')].filter(shown);
  for (const one of all) {
    const style = getComputedStyle(one);
    if (one.scrollWidth > one.clientWidth + 2 && style.overflowX === 'hidden' && style.textOverflow !== 'ellipsis') found.push('cut: ' + one.innerText);
  }
  const boxes = all.filter((one) => one.matches('.btn, .chip, .badge, .status, h1, h2')).map((one) => [one, one.getBoundingClientRect()]);
  boxes.forEach(([one, a], place) => boxes.slice(place + 1).forEach(([two, b]) => {
    if (one.contains(two) || two.contains(one) || !a.width || !b.width) return;
    const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left), high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    if (wide > 3 && high > 3 && one.closest('thead, .pane') === two.closest('thead, .pane')) found.push(`over: ${one.innerText} / ${two.innerText}`);
  }));
  return found;
}"""


def pseudo(text: str) -> str:
    """A text of the catalogue: its signs for values, tags and addresses stay as they are."""
    said = text.rpartition("\x04")[2]
    parts = re.split(r"(%\(\w+\)[sd]|%[sd%]|\{\w*\}|<[^>]+>|&\w+;|https?://\S+)", said)
    longer = "".join(part if place % 2 else part.translate(_ACCENTS) for place, part in enumerate(parts))
    return f"{longer}{' ·' * (len(said) // 12 + 1)}" if said.strip() else said


@pytest.fixture
def long_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is said in the pseudo-locale."""
    monkeypatch.setattr(trans_real.DjangoTranslation, "gettext", lambda self, text: pseudo(text))
    monkeypatch.setattr(
        trans_real.DjangoTranslation, "ngettext", lambda self, one, many, n: pseudo(one if n == 1 else many)
    )


def main_pages(cast: Cast) -> list[tuple[str, Any, list[str]]]:
    """The pages that people are on all day, and those with the longest words."""
    wanted = work.pages(cast)
    run = next(path for path in wanted if path.startswith("/runs/run_"))
    flow = next(path for path in wanted if path.startswith("/workflows/wfl_"))
    client = [
        "/overview/?period=all", "/inbox/", "/runs/", run, "/workflows/", flow, "/orders/", "/events/", "/connections/",
        "/endpoints/", "/tables/", "/notifications/", "/notifications/rules", "/usage/", "/settings/", "/settings/secrets/",
        "/profile", "/profile/protection/", "/why/", "/reviews/", "/roles/", "/templates/library/", "/tasks/",
    ]  # fmt: skip
    console = [path for path in rooms.of_console(cast) if path.count("/") <= 3 and "_" not in path]
    return [(cast.host, cast.owner, client), (cast.partner_host, cast.partner_admin, console)]


def faults(seen: Visit) -> list[str]:
    """What is cut, laid over something else or wider than the window, at a desk and on a phone."""
    found = []
    for width in (1440, 390):
        seen.page.set_viewport_size({"width": width, "height": 900})
        found += [f"{width}: {one}" for one in (*seen.page.evaluate(CUT_OR_LAID_OVER), *seen.too_wide())]
    return found


@pytest.mark.timeout(400)
def test_long_words_fit_and_none_is_left_out(
    cast: Cast, visit: Callable[..., Visit], long_words: None
) -> None:
    wrong: dict[str, list[str]] = {}
    for host, who, paths in main_pages(cast):
        seen = visit(who, host, proven=True)
        for path in paths:
            assert seen.go(path).status == 200, path
            known = [
                "Order to ERP",
                "Warehouse",
                "Carrier",
                "Standard",
                "verify.py",
                "example.com",
                "OpenID Connect",
                "units",
                "Book the order",
                "Order watch",
                "Hollis",
                "Meridian",
                "Bexhill",
                "Arbor",
                "Zephyr",
                "English",
                "Deutsch",
            ]
            left = [f"not translated: {one}" for one in seen.page.evaluate(UNTRANSLATED, known)]
            if said := left + faults(seen):
                wrong[f"{host}{path}"] = said
            seen.page.set_viewport_size({"width": 1440, "height": 900})
    assert wrong == {}


@pytest.mark.timeout(400)
def test_pages_hold_from_right_to_left(cast: Cast, visit: Callable[..., Visit], settings: Any) -> None:
    settings.LANGUAGES = [*settings.LANGUAGES, ("ar", "العربية")]
    User.objects.filter(pk__in=[cast.owner.pk, cast.partner_admin.pk]).update(language="ar")
    wrong: dict[str, list[str]] = {}
    for host, who, paths in main_pages(cast):
        seen = visit(who, host, proven=True)
        for path in paths:
            assert seen.go(path).status == 200, path
            assert seen.page.get_attribute("html", "dir") == "rtl", path
            side, main = (seen.page.locator(one).bounding_box()["x"] for one in (".side-in", "#main"))
            said = faults(seen) + ([] if side > main else ["the sidebar stands on the wrong side"])
            if said:
                wrong[f"{host}{path}"] = said
            seen.page.set_viewport_size({"width": 1440, "height": 900})
    assert wrong == {}
