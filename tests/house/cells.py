"""The cells of the access matrix: who asks what, of whose object, and what the rule of the address says to it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from portal.permissions import SAFE
from tests.house.ground import CALLERS, Caller
from tests.house.routes import ROUTES, WORDS, Route

if TYPE_CHECKING:
    from tests.house.asking import Answer

OPEN: Final = 0
"""Instead of a status: the door opens, and the view answers."""
REFUSED: Final = -1
"""Instead of a status: the door opens, since a grant might do, and the view refuses."""
SIGN_IN: Final = 302
READ: Final = {200, 204, 302}
SENT: Final = {200, 201, 202, 204, 302, 303, 400, 409, 415, 422}
OWN_WAYS: Final[dict[tuple[str, str], set[int]]] = {
    ("enter", "GET"): {200, 401},  # without a pass; whoever is signed in is asked first
    ("enter", "POST"): {302, 401},
    ("go", "GET"): {302},  # to the start page: only sending opens another portal
    ("hooks", "GET"): {405},
    ("ready", "GET"): {200, 503},
    ("ready", "POST"): {200, 503},
    # a body is read before it is looked whom it is about
    ("scim:user", "PUT"): {200, 400, 404},
    ("scim:user", "PATCH"): {200, 400, 404},
}
"""What some addresses answer behind an open door, by name and method, where that is not 200 or the like."""
_FOR_PEOPLE: Final = {
    "api:case-views",
    "api:case-view",
    "api:notices",
    "api:notices-read",
    "api:notice-rules",
}
"""What belongs to a person: a token has none of it."""
BY_GET: Final = {"enter", "notices:read", "inbox:view-remove"} | _FOR_PEOPLE
"""Addresses that write for who may only read: a pass is a link, and works once; notices and views are one's own."""
_NONE_HERE: Final = (
    "api/scim/v2/Groups/",
    "api/v1/brand",
    "api/v1/store-tasks/",
    "branding/discard",
    "clients/<str:tenant>/delete",
    "clients/<str:tenant>/keep",
    "clients/deleted/<",
    "notifications/<str:notice>/",
    "notifications/answer/",
    "people/<str:member>/scope",
    "tables/<str:table>/withdraw",
    "tasks/<str:case>/",
)
"""Addresses of what the ground has none of: a draft, an archived client, a notice, a store's task, a member to scope."""
_MINE: Final = {"protection-remove", "session-end"}
"""Addresses of what is somebody's own: for everybody else there is nothing."""
_UNSAFE: Final = ("POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True)
class Cell:
    """One question to one door."""

    route: Route
    method: str
    caller: Caller
    whose: str = "own"

    def __str__(self) -> str:
        return f"{self.caller}: {self.method} {self.route}, ids of {self.whose}"

    @property
    def expected(self) -> int:
        """The status that the rule gives, or OPEN."""
        rule, caller = self.route.rule, self.caller
        if rule is None:
            return 404
        if rule.public:
            return OPEN
        if self._shows not in ("session", "token"):
            return 401 if self.route.api else SIGN_IN
        if rule.signed_in:
            return 404 if self.route.api and not caller.inside else OPEN
        if not rule.by_grant and not caller.inside:
            return 404
        permission = rule.methods.get("GET" if self.method in SAFE else self.method)
        if permission is None:
            return 405
        if permission in caller.permissions:
            return OPEN
        if not rule.by_grant:
            return 403
        return OPEN if "tenant" in self.route.parts and permission in caller.in_clients else REFUSED

    @property
    def _shows(self) -> str:
        """Pages have no use for tokens."""
        shows = self.caller.shows
        return "nothing" if shows.startswith("token") and not self.route.pattern.startswith("api/") else shows


def _cells(caller: Caller) -> Iterator[Cell]:
    for route in ROUTES:
        if route.kind != caller.kind or route.unknown:
            continue
        more = [method for method in _UNSAFE if method not in route.methods] if caller.thorough else []
        yield from (Cell(route, method, caller) for method in [*route.methods, *more])
        if caller.strong and route.owned:
            for whose in caller.foreign:
                yield from (Cell(route, method, caller, whose) for method in route.methods)


CELLS: Final = {caller: list(_cells(caller)) for caller in CALLERS}


def opened(cell: Cell, answer: "Answer") -> Iterator[str]:
    """What is wrong with an answer from behind an open door."""
    route, method = cell.route, cell.method
    if cell.whose != "own":
        fits = OWN_WAYS.get((route.name, method), {404})
    else:
        fits = set(OWN_WAYS.get((route.name, method)) or (READ if method in SAFE else SENT))
        fits.update(_more(cell))
    if answer.status not in fits:
        yield f"one of {sorted(fits)} was expected{_hint(cell, answer)}"
    reads = method in SAFE or (route.rule and (route.rule.methods.get(method) or "").endswith(".read"))
    changes = [sql for sql in answer.written if not sql.startswith('INSERT INTO "audit_auditevent"')]
    if reads and changes and route.name not in BY_GET:
        yield "what only reads must not write, but for the trace that it was read"


def _more(cell: Cell) -> Iterator[int]:
    """Further answers that are right."""
    route, method = cell.route, cell.method
    if method not in route.methods or (method == "POST" and not route.api):
        yield 405  # pages that are only read
    if not cell.caller.inside or route.office or route.kind == "platform":
        yield from (403, 404)  # nothing is here for them; the platform has no brand and no places
    if route.name in ("enter", "hooks", "invitation"):
        yield 401  # no pass, no signature, a link that no mail named
    if route.name in _MINE:
        yield 404
    if route.pattern.startswith(_NONE_HERE):
        yield from (403, 404, 410)
    if route.name == "support-enter" or (
        route.name in ("inbox:view-remove", "api:case-view") and not cell.caller.strong
    ):
        yield 403  # who has a role there needs no support access; a view belongs to who made it
    if route.name in _FOR_PEOPLE and cell.caller.shows.startswith("token"):
        yield from (403, 404)
    if route.name.endswith(":clock"):
        yield 404  # only a sandbox has a clock of its own


def _hint(cell: Cell, answer: "Answer") -> str:
    words = [name for name in cell.route.parts if name in WORDS]
    if answer.status != 404 or cell.whose != "own" or not words:
        return ""
    return f" (if <{words[0]}> stands for something else here, add {cell.route.name}:{words[0]} to WORDS)"
