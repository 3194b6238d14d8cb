"""Words that are longer than ours, and a script that runs the other way: nothing breaks, nothing stays untranslated."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils.translation import trans_real

from tests.browser import work
from tests.browser.conftest import NARROWEST, Visit
from tests.support.cast import Cast

PAGES = ("/overview/", "/inbox/", "/runs/", "/workflows/", "/tables/", "/events/", "/settings/", "/profile")
MARK = "\N{LEFT-POINTING ANGLE BRACKET}"
WIDER = "document.documentElement.scrollWidth > document.documentElement.clientWidth + 1"
PLAIN = """(mark) => [...document.querySelectorAll('h1, h2, th, label, summary, main button, .nav a > span:first-of-type')]
  .filter((one) => one.offsetParent !== null)
  .map((one) => one.innerText.trim())
  .filter((text) => /[a-z]{3}/i.test(text) && !text.includes(mark))"""


def longer(message: str) -> str:
    """A text with more letters than it has, and marks around it; what stands in braces or behind percents stays."""
    return f"{MARK}{message}{'~' * (len(message) * 4 // 10)}\N{RIGHT-POINTING ANGLE BRACKET}"


@pytest.fixture
def pseudo(monkeypatch: pytest.MonkeyPatch) -> None:
    """German is a language in which everything is longer by two fifths."""

    class Longer(trans_real.DjangoTranslation):  # type: ignore[misc] # Django's own has no types
        """The catalog of no country."""

        def gettext(self, message: str) -> str:
            return longer(message) if message else ""

        def ngettext(self, one: str, many: str, number: int) -> str:
            return longer(one if number == 1 else many)

        def pgettext(self, context: str, message: str) -> str:
            return longer(message)

        def npgettext(self, context: str, one: str, many: str, number: int) -> str:
            return longer(one if number == 1 else many)

    monkeypatch.setitem(trans_real._translations, "de", Longer("de"))


@pytest.mark.timeout(180)
def test_longer_words_fit_a_narrow_phone_and_no_word_is_without_translation(
    cast: Cast, visit: Callable[..., Visit], pseudo: Any
) -> None:
    cast.owner.language = "de"
    cast.owner.save(update_fields=["language"])
    inbox = next(path for path in work.pages(cast) if path.startswith("/inbox/case_"))
    seen = visit(cast.owner, cast.host, width=NARROWEST)
    wrong = {}
    for path in (*PAGES, inbox):
        seen.go(path)
        plain = seen.page.evaluate(PLAIN, MARK)
        if seen.page.evaluate(WIDER) or plain:
            wrong[path] = plain or "is wider than the phone"
    assert not any(found == "is wider than the phone" for found in wrong.values()), wrong
    texts = {text for found in wrong.values() for text in found}
    assert not texts - NAMES, texts - NAMES


NAMES = {"Order to ERP", "JSON", "Hollis Home", "Shop", "Warehouse", "Mail", "ERP"}
"""What people and systems are called, in every language."""


@pytest.mark.timeout(120)
@pytest.mark.parametrize("width", [390, 1440])
def test_a_script_that_runs_from_the_right_turns_the_page_round(
    cast: Cast, visit: Callable[..., Visit], width: int
) -> None:
    work.pages(cast)
    seen = visit(cast.owner, cast.host, width=width)
    for path in PAGES:
        seen.go(path)
        seen.page.evaluate("document.documentElement.dir = 'rtl'")
        assert not seen.page.evaluate(WIDER), path
        if width > 1000:
            left = seen.page.evaluate("document.querySelector('.side').getBoundingClientRect().left")
            assert left > width / 2, f"the sidebar of {path} stands on the left"
