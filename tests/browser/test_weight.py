"""What pages weigh on the wire, served as an installation serves them: the first one, and those that come after it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test.testcases import LiveServerThread

from tests.browser import work
from tests.browser.conftest import Visit
from tests.support.cast import Cast

FIRST_KB, LATER_KB, FIRST_REQUESTS = 130, 40, 10


@pytest.fixture
def server(committed: Any, settings: Any, tmp_path: Path) -> Iterator[int]:
    """A server with files collected and compressed."""
    settings.STATIC_ROOT = tmp_path / "static"
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    call_command("collectstatic", interactive=False, verbosity=0)
    thread = LiveServerThread("127.0.0.1", lambda handler: handler)
    thread.daemon = True
    thread.start()
    thread.is_ready.wait()
    if thread.error:
        raise thread.error
    yield int(thread.port)
    thread.terminate()


class Scale:
    """Weighs what a page asks for."""

    def __init__(self, page: Any) -> None:
        self.asked: list[tuple[str, int]] = []
        page.on("requestfinished", self._came)

    def _came(self, request: Any) -> None:
        if not request.url.startswith("data:"):
            sizes = request.sizes()
            self.asked.append((request.url, sizes["responseBodySize"] + sizes["responseHeadersSize"]))

    def weigh(self) -> tuple[int, float]:
        """(requests, kilobytes) since the last time."""
        found = len(self.asked), sum(size for _url, size in self.asked) / 1_024
        self.asked.clear()
        return found


@pytest.mark.timeout(240)
def test_the_first_page_and_later_ones_weigh_little(cast: Cast, visit: Callable[..., Visit]) -> None:
    work.pages(cast)
    for user, host, first, later in (
        (cast.owner, cast.host, "/overview/", ("/inbox/", "/runs/", "/workflows/", "/orders/", "/audit/")),
        (cast.partner_admin, cast.partner_host, "/clients/", ("/branding/", "/templates/", "/people/")),
    ):
        seen = visit(user, host)
        scale = Scale(seen.page)
        seen.go(first)
        seen.page.wait_for_load_state("networkidle")
        requests, weight = scale.weigh()
        assert requests <= FIRST_REQUESTS, first
        assert 10 < weight <= FIRST_KB, (first, weight)
        for path in later:
            seen.go(path)
            seen.page.wait_for_load_state("networkidle")
            _requests, weight = scale.weigh()
            assert weight <= LATER_KB, (path, weight)
