"""The forms of pages, as a browser finds them, and what else a page listens to."""

import inspect
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any, Final
from urllib.parse import parse_qsl, urljoin, urlsplit

from django.conf import settings
from django.urls import Resolver404, resolve

from tests.house.asking import undone
from tests.house.ground import Caller, Ground
from tests.house.routes import ROUTES, Route

_READS: Final = re.compile(r"(?:POST|GET|given|data|query)(?:\.get(?:list)?\(|\[|, )\s*\"([\w.-]+)\"")
_FIELD: Final = re.compile(r"^    (\w+)(?:: [^=]+)? = (?:forms|fields)\.", re.MULTILINE)
_COMMON: Final = (
    "q",
    "after",
    "cursor",
    "sort",
    "order",
    "page",
    "from",
    "to",
    "status",
    "next",
    "view",
    "tab",
    "days",
    "selected",
    "csv",
)
_OFFICE: Final = ("q", "o", "p", "e", "all", "action", "_selected_action", "_popup", "_to_field", "id__exact", "pk__in", "state__exact", "at__gte", "_save")  # fmt: skip


@dataclass
class Form:
    """What one form would send."""

    address: str
    method: str = "GET"
    values: list[tuple[str, str]] = field(default_factory=list)
    files: list[str] = field(default_factory=list)


class _Page(HTMLParser):
    """The forms of a page, the addresses that its buttons send to, and the queries of its links."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.address = address
        self._form: Form | None = None
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note forms and their fields."""
        said = {name: value or "" for name, value in attrs}
        for method in ("post", "get"):
            if f"hx-{method}" in said:
                self._open(said[f"hx-{method}"], method, close=tag != "form")
        if tag == "form":
            self._open(said.get("action", ""), said.get("method", "get"))
        elif tag == "a" and "?" in said.get("href", ""):
            self._link(said["href"])
        elif said.get("formaction"):
            self._open(said["formaction"], "post", close=True)
        if tag in ("input", "textarea", "button", "select") and said.get("name"):
            self._field(tag, said)
        elif tag == "option" and self._select and (value := said.get("value", "")):
            self._note(self._select, value)

    def handle_endtag(self, tag: str) -> None:
        """The end of a form."""
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = ""

    def _open(self, action: str, method: str, *, close: bool = False) -> None:
        made = Form(urlsplit(urljoin(self.address, action)).path, method.upper())
        self.forms.append(made)
        if not close:
            self._form = made

    def _link(self, href: str) -> None:
        parts = urlsplit(urljoin(self.address, href))
        self.forms.append(Form(parts.path, "GET", parse_qsl(parts.query, keep_blank_values=True)))

    def _field(self, tag: str, said: dict[str, str]) -> None:
        if tag == "select":
            self._select = said["name"]
            self._note(said["name"], "")
        elif said.get("type") == "file" and self._form:
            self._form.files.append(said["name"])
        elif said["name"] != "csrfmiddlewaretoken":
            self._note(said["name"], said.get("value", ""))

    def _note(self, name: str, value: str) -> None:
        if self._form is not None and len(self._form.values) < 60:
            self._form.values.append((name, value))


def harvest(ground: Ground, callers: list[Caller]) -> dict[tuple[str, str, str], list[Form]]:
    """The forms of all pages that the callers may read, by kind of host, name of the address, and method."""
    found: dict[tuple[str, str, str], list[Form]] = {}
    for caller in callers:
        browser = ground.knock(caller)
        browser.raise_request_exception = False
        for route in ROUTES:
            if route.kind != caller.kind or route.api:
                continue
            for form in _of_page(route, ground, browser):
                found.setdefault((route.kind, _name(form.address, route.kind), form.method), []).append(form)
    return found


def _of_page(route: Route, ground: Ground, browser: Any) -> Iterator[Form]:
    address = route.address(ground.ids(route.kind, "own"))
    with undone():
        answer = browser.get(address)
        text = b"".join(answer).decode("utf-8", "replace") if answer.status_code == 200 else ""
    if "html" in answer.headers.get("Content-Type", ""):
        page = _Page(address)
        page.feed(text)
        yield from page.forms


def _name(path: str, kind: str) -> str:
    try:
        return str(resolve(path, settings.URLCONFS[kind]).view_name)
    except Resolver404:
        return ""


def listened_to(route: Route) -> list[str]:
    """The names that the module of a view reads, besides those of every list."""
    if route.office:
        return list(_OFFICE)
    module = sys.modules.get(route.view.__module__)
    text = inspect.getsource(module) if module else ""
    return sorted({*_READS.findall(text), *_FIELD.findall(text), *_COMMON})
