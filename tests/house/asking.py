"""Asking a cell of the access matrix, and looking at the answer: what it tells, what was written, what it took."""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from html.parser import HTMLParser
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction
from django.test import Client

from portal.permissions import SAFE
from tests.house import bodies
from tests.house.cells import OPEN, Cell
from tests.house.ground import Ground
from tests.house.routes import OWNED

_READS: Final = {"select", "savepoint", "release", "rollback", "set", "show"}
_USES: Final = re.compile(
    r'^(UPDATE "access_apitoken" SET "last_used_at"|\w+ (FROM |INTO )?"django_session")'
)
"""What asking itself leaves behind: when a token was used last, and sessions."""
_PUBLIC_ID: Final = re.compile(r"\b([a-z]{2,5})_[0-9a-hjkmnp-tv-z]{26}\b")


class Answer:
    """What came back, and what was written on the way."""

    def __init__(self, response: Any, written: Iterable[tuple[str, Any]] = (), echo: str = "") -> None:
        self.status: int = response.status_code
        self.text = b"".join(response).decode("utf-8", "replace") + str(response.headers)
        if echo:
            self.text = self.text.replace(echo, "…")
        self._all = list(written)
        self.written = [sql for sql, _ in self._all if not _USES.match(sql)]

    def __str__(self) -> str:
        wrote = f", which wrote {self.written[0][:120]}" if self.written else ""
        return f"{self.status} came{wrote}"

    def tells_of(self, marks: Iterable[str]) -> set[str]:
        """Those of the marks whose objects it names."""
        return {
            mark for mark in marks if re.search(rf"{mark}[ -](\d|Person|Staff|token|console|says)", self.text)
        }

    def took(self, keys: Iterable[UUID]) -> set[UUID]:
        """Those of the keys that were written somewhere."""
        given = " ".join(str(params) for sql, params in self._all if not _USES.match(sql))
        return {key for key in keys if str(key) in given or key.hex in given}


def ask(cell: Cell, ground: Ground, browser: Client) -> Answer:
    """Put the question, with a body that the address takes where it takes one."""
    ids = ground.ids(cell.route.kind, cell.whose)
    own = ground.ids(cell.route.kind, "own")
    body = bodies.of(cell.route, cell.method, own) if cell.method not in SAFE else None
    echo = ids["order"] if "order" in cell.route.parts else ""  # a refusal says which address it refuses
    return _send(cell, browser, cell.route.address(ids), body, echo=echo)


def _send(cell: Cell, browser: Client, address: str, body: Any = None, echo: str = "") -> Answer:
    browser.raise_request_exception = False
    cookies = browser.cookies.output()
    given: dict[str, Any] = {}
    if body is not None and cell.route.api:
        given = {"data": body, "content_type": "application/json"}
    elif body is not None and cell.method == "POST":
        given = {"data": body}
    if (
        cell.expected != OPEN
    ):  # the words of a refusal without the frame around them, which is the same everywhere
        given["headers"] = {"HX-Request-Type": "partial"}
    with _written() as written:
        response = getattr(browser, cell.method.lower())(address, **given)
    if browser.cookies.output() != cookies:  # signing out, say, must not end what is asked next
        browser.cookies.clear()
        browser.cookies.load(cookies.replace("Set-Cookie: ", "").replace("\r\n", "; "))
    return Answer(response, written, echo)


@contextmanager
def _written() -> Iterator[list[tuple[str, Any]]]:
    """The statements inside that change something, with their parameters."""
    found: list[tuple[str, Any]] = []

    def watch(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        words = str(sql).lstrip(" (\n").split(None, 1)
        if words and words[0].lower() not in _READS:
            found.append((str(sql).strip(), params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        yield found


@contextmanager
def undone() -> Iterator[None]:
    """What is done inside is undone."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def fingerprint() -> dict[str, str]:
    """A hash over the content of every table of every schema, but for sessions and when tokens were used."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where c.relkind in ('r', 'p') and c.relname <> 'django_session'
              and n.nspname not in ('pg_catalog', 'information_schema')
            """
        )
        tables = cursor.fetchall()
        cursor.execute(" union all ".join(_hash_of(schema, table) for schema, table in tables))
        return dict(cursor.fetchall())


def _hash_of(schema: str, table: str) -> str:
    row = "to_jsonb(t) - 'last_used_at'" if table == "access_apitoken" else "t"
    return (
        f"select '{schema}.{table}', coalesce(md5(string_agg(h, '' order by h)), 'empty')"
        f' from (select md5(({row})::text) h from "{schema}"."{table}" t) hashes'
    )


def with_ids_of(cell: Cell, whose: str, ground: Ground, browser: Client) -> Iterator[Answer]:
    """The answers where everything but the address names objects of somebody else. Each is undone."""
    own, foreign = ground.ids(cell.route.kind, "own"), ground.ids(cell.route.kind, whose)
    address = cell.route.address(own)
    if cell.method in SAFE:
        for query in _queries(cell, foreign, ground, whose):
            with undone():
                yield _send(cell, browser, f"{address}?{query}")
        return
    by_prefix = {text.partition("_")[0]: text for text in foreign.values() if _PUBLIC_ID.fullmatch(text)}
    if cell.route.api:
        for body in bodies.with_foreign(cell.route, cell.method, own, by_prefix):
            with undone():
                yield _send(cell, browser, address, body)
    elif cell.method == "POST" and not cell.route.office:
        with undone():
            page = browser.get(address)
            forms = _Forms(by_prefix)
            forms.feed(b"".join(page).decode("utf-8", "replace") if page.status_code == 200 else "")
        with undone():
            yield _send(
                cell,
                browser,
                address,
                {**{name: foreign[name] for name in OWNED & set(foreign)}, **forms.values},
            )


def _queries(cell: Cell, foreign: Mapping[str, str], ground: Ground, whose: str) -> Iterator[str]:
    """To a resource each parameter that takes an id; to a page all ids at once, and a search for what they are called."""
    if cell.route.api:
        for name in bodies.id_parameters(cell.route, cell.method):
            yield f"{name[0]}={foreign.get(name[1], '')}"
        return
    yield "&".join(f"{name}={foreign[name]}" for name in sorted(OWNED & set(foreign)) if name != "order")
    if whose == "arbor":
        yield f"q={ground.worlds[whose].mark}"


class _Forms(HTMLParser):
    """The fields of a page's forms; whatever offers an id gets that of another."""

    def __init__(self, by_prefix: Mapping[str, str]) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self._by_prefix = by_prefix
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a field would send."""
        said = {name: value or "" for name, value in attrs}
        if tag in ("input", "textarea") and said.get("name"):
            self._note(said["name"], said.get("value", ""))
        elif tag == "select":
            self._select = said.get("name", "")
        elif tag == "option" and self._select:
            self._note(self._select, said.get("value", ""))

    def _note(self, name: str, value: str) -> None:
        match = _PUBLIC_ID.fullmatch(value)
        if match:
            value = self._by_prefix.get(match[1], value)
        if name != "csrfmiddlewaretoken" and (match or not self.values.get(name)):
            self.values[name] = value
