"""On paper a page is its content: no sidebar, no buttons, nothing behind a scroll bar, dark ink on white whatever the lighting."""

from collections.abc import Callable

import pytest

from tests.browser import work
from tests.browser.conftest import Visit
from tests.support.cast import Cast

INK = """() => [...document.querySelectorAll('main h1, main h2, main td, main dd, main p')]
  .filter((one) => one.checkVisibility()).slice(0, 60)
  .map((one) => getComputedStyle(one).color.match(/[\\d.]+/g).slice(0, 3).map(Number))
  .filter((colour) => Math.max(...colour) > 210).length"""
HIDDEN = """() => [...document.querySelectorAll('main *')].filter((one) => one.checkVisibility()
  && ['auto', 'scroll', 'hidden'].includes(getComputedStyle(one).overflowY) && one.scrollHeight > one.clientHeight + 4
  && one.clientHeight > 40 && !one.matches('pre, textarea, select')).map((one) => one.className)"""


@pytest.mark.timeout(180)
def test_pages_print_as_their_content(cast: Cast, visit: Callable[..., Visit]) -> None:
    paths = [one for one in work.pages(cast) if one.startswith(("/inbox/case_", "/runs/run_"))][:3]
    seen = visit(cast.owner, cast.host, theme="dark")
    for path in (*paths, "/audit/", "/people/", "/overview/?period=all"):
        seen.page.emulate_media(media="screen")
        seen.go(path)
        assert seen.page.is_visible(".side, .menu-b")
        seen.page.emulate_media(media="print")
        for gone in (".side", ".top", "main .btn"):
            assert not any(one.is_visible() for one in seen.page.locator(gone).all()), (path, gone)
        assert any(one.is_visible() for one in seen.page.locator("main h1").all()), path
        assert seen.page.evaluate(INK) == 0, path
        assert seen.page.evaluate(HIDDEN) == [], path
