"""A real browser against a real server, both in this process's test database. Skipped where no Chromium is found."""

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.db import connections
from django.test.testcases import LiveServerThread

from kernel import clock
from tenants.access.models import User
from tests.support.cast import Cast

ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip

AT_ONCE = 8
"""Browsers that one test holds open; the tests of many pages open them all at first."""
NARROW_BELOW, NARROWEST = 600, 320


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser" in str(item.path):
            item.add_marker(pytest.mark.browser)


def _chromium() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found:
            return found
    return ""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """One browser a module; no longer, since Playwright keeps an event loop in this thread that other tests must not see."""
    sync_api = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed (uv sync --group browser)"
    )
    path = _chromium()
    if not path:
        pytest.skip("no chromium on this machine (apt-get install chromium)")
    # While its loop runs, Django looks for its connections elsewhere in this thread; one that stayed open would be cut
    # off when the database is renewed, and the next module would find it dead.
    connections.close_all()
    with pytest.MonkeyPatch.context() as patch, sync_api.sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # the loop is Playwright's: nothing of ours runs in it
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """axe-core's script."""
    base = pytest.importorskip(
        "axe_playwright_python.base", reason="axe is not installed (uv sync --group browser)"
    )
    return str(base.AXE_SCRIPT)


@pytest.fixture
def server(committed: Any, settings: Any) -> Iterator[int]:
    """The port of a server that works on the same committed database."""
    settings.STORAGES = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    thread = LiveServerThread("127.0.0.1", StaticFilesHandler)
    thread.daemon = True
    thread.start()
    thread.is_ready.wait()
    if thread.error:
        raise thread.error
    yield int(thread.port)
    thread.terminate()


class Visit:
    """A page in the browser, and what it complained about."""

    def __init__(self, context: Any, host: str, port: int) -> None:
        self.context, self.host, self.port = context, host, port
        self.page = context.new_page()
        self.page.set_default_timeout(15_000)
        self.complaints: list[str] = []
        self.foreign: list[str] = []
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(f"page error: {error}"))
        self.page.on("request", self._asked)

    def _heard(self, message: Any) -> None:
        expected = "Failed to load resource" in message.text and any(
            code in message.text for code in ("403", "404", "409", "422")
        )
        if message.type in ("error", "warning") and not expected:
            self.complaints.append(message.text)

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((f"http://{self.host}:{self.port}/", "data:")):
            self.foreign.append(request.url)

    def url(self, path: str) -> str:
        return f"http://{self.host}:{self.port}{path}"

    def go(self, path: str) -> Any:
        return self.page.goto(self.url(path))

    def until(self, expression: str, argument: Any = None) -> None:
        """Wait until the expression (or function of `argument`) holds; Playwright's own waiting needs `unsafe-eval`."""
        for _turn in range(150):
            if self.page.evaluate(expression, argument):
                return
            self.page.wait_for_timeout(100)
        pytest.fail(f"waited in vain for {expression}")

    def violations(self, axe: str) -> list[str]:
        """What axe finds, as `rule: where`."""
        self.page.evaluate(axe)
        return self._violations({})

    def in_both_themes(self, axe: str) -> list[str]:
        """What axe finds in the light, and what its rules of colour find in the dark: nothing else differs there."""
        self.page.emulate_media(color_scheme="light")
        found = self.violations(axe)
        self.page.emulate_media(color_scheme="dark")
        colours = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
        return found + [f"in the dark, {one}" for one in self._violations(colours)]

    def _violations(self, options: dict[str, Any]) -> list[str]:
        wanted = {"resultTypes": ["violations"], "preload": False, **options}
        found = self.page.evaluate(
            "(options) => axe.run(document, options).then((result) => result.violations)", wanted
        )
        return [f"{one['id']}: {node['target']}" for one in found for node in one["nodes"]]

    def sideways(self) -> int:
        """By how many pixels the page is wider than the window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - innerWidth"))

    def too_wide(self) -> list[str]:
        """Whether the page is wider than its window; a phone's page is looked at on the narrowest phone, too."""
        size = self.page.viewport_size
        found = [f"{self.sideways()} pixels too wide"] if self.sideways() > 0 else []
        if size["width"] < NARROW_BELOW:
            self.page.set_viewport_size({**size, "width": NARROWEST})
            found += [f"{self.sideways()} pixels wider than {NARROWEST}"] if self.sideways() > 0 else []
            self.page.set_viewport_size(size)
        return found


@pytest.fixture
def visit(
    chromium: Any, server: int, cast: Cast, client_for: Callable[..., Any]
) -> Iterator[Callable[..., Visit]]:
    """`visit(user, host, width=…, theme=…)`: a fresh browser in which `user` is signed in on `host`."""
    contexts = []

    def make(
        user: User | None,
        host: str,
        *,
        width: int = 1440,
        theme: str = "light",
        proven: bool = False,
        **more: Any,
    ) -> Visit:
        while len(contexts) >= AT_ONCE:  # a page that nobody looks at any more still costs memory and time
            contexts.pop(0).close()
        context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=theme, **more)
        contexts.append(context)
        if user is not None:
            browser = client_for(user, host)
            if proven:  # somebody who has just shown who they are: pages that ask for it open
                session = browser.session
                session["proved"] = clock.now().timestamp()
                session.save()
            cookie = browser.cookies[django_settings.SESSION_COOKIE_NAME].value
            context.add_cookies(
                [{"name": django_settings.SESSION_COOKIE_NAME, "value": cookie, "domain": host, "path": "/"}]
            )
        return Visit(context, host, server)

    yield make
    for context in contexts:
        context.close()
