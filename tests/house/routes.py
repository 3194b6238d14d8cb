"""Every address of every kind of host, read from the URL tables: its view, its rule, what it is made of.

An address needs no line anywhere to be tested. What its parts stand for does: `OWNED` are ids of somebody's objects,
which `world.py` makes in each place; `WORDS` are the same for everybody.
"""

import importlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from django.conf import settings
from django.urls import URLPattern, URLResolver

from portal.permissions import Rule, rule_of

KINDS: Final = ("platform", "partner", "tenant")
OWNED: Final = frozenset(
    {
        "bulk",
        "channel",
        "case",
        "connection",
        "duty",
        "domain",
        "endpoint",
        "entry",
        "event",
        "file",
        "hook",
        "installation",
        "item",
        "member",
        "notice",
        "order",
        "own_role",
        "person",
        "place",
        "provider",
        "rejection",
        "review",
        "run",
        "stream",
        "subject",
        "hold",
        "table",
        "support_access",
        "restore",
        "tenant",
        "tenant_file",
        "token",
        "work_id",
        "workflow",
    }
)
"""Parts of addresses that name an object of one tenant or partner."""
LIBRARY: Final = frozenset({"slug", "version"})
WORDS: Final[Mapping[str, str]] = {
    "app_label": "tenancy",
    "code": "orders_by_status",
    "connections:add:connector": "http",
    "colour": "0057b8",
    "connector": "erp",
    "decision": "retry",
    "deletion": "del_nobody",
    "line": "0",
    "by-link:link": "lnk_nobody.signed",
    "number": "1",
    "named": "late-ones",
    "accounts:support-decide:verdict": "agree",
    "link": "inv_nobody.signed",
    "events:decide:decision": "discard",
    "factor": "fac_nobody",
    "group": "analyst",
    "how": "cancel",
    "state": "paused",
    "step": "business",
    "right": "inbox.read",
    "runs:data:what": "input",
    "templates:install:step": "settings",
    "tenancy:settle:how": "drop",
    "tenancy:state:state": "suspended",
    "url": "nowhere",
    "visit": "ses_nobody",
    "verdict": "kept",
    "scim:about:what": "Schemas",
    "what": "input",
}
"""Words in addresses: by the name of the part, or by that of the address, a colon and the part, where it means something
else there. Those of LIBRARY name a template or a brand."""
_GROUP: Final = re.compile(r"\(\?P<(\w+)>[^)]*\)")
_PART: Final = re.compile(r"<(?:(?P<kind>\w+):)?(?P<name>\w+)>")
_API_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True)
class Route:
    """One address of one kind of host."""

    kind: str
    name: str
    pattern: str
    view: Callable[..., Any]

    def __str__(self) -> str:
        return f"{self.kind} /{self.pattern}"

    @property
    def rule(self) -> Rule | None:
        """Who may."""
        return rule_of(self.view)

    @property
    def api(self) -> bool:
        """Whether machines ask here."""
        return self.pattern.startswith(("api/", "hooks/"))

    @property
    def office(self) -> bool:
        """Whether this is Django's administration."""
        return self.pattern.startswith("admin/")

    @cached_property
    def parts(self) -> tuple[str, ...]:
        """The names of what varies in it."""
        return tuple(match["name"] for match in _PART.finditer(self.pattern))

    @property
    def owned(self) -> tuple[str, ...]:
        """Those parts that name somebody's object."""
        return tuple(self._key(name) for name in self.parts if self._key(name) in OWNED)

    @cached_property
    def methods(self) -> tuple[str, ...]:
        """What can be asked of it: of a resource its methods, of a page reading and sending."""
        resource = getattr(self.view, "cls", None)
        if resource is None:
            return ("GET", "POST")
        return tuple(method for method in _API_METHODS if hasattr(resource, method.lower()))

    def _key(self, name: str) -> str:
        if name == "object_id" and self.office:
            return "/".join(self.pattern.split("/")[1:3])
        return "hook" if self.pattern.startswith("hooks/") and name == "token" else name

    @property
    def unknown(self) -> str:
        """What to do about a part of which nobody knows what it stands for; empty where all are known."""
        for name in self.parts:
            key = self._key(name)
            if key not in OWNED | LIBRARY | WORDS.keys() and not self.office:
                return (
                    f"{self}: the access matrix does not know what <{key}> stands for. If it names an object, let"
                    f" tests/house/world.py put one into `ids` and add {key!r} to OWNED in tests/house/routes.py; if"
                    f" it is a word, add it to WORDS there."
                )
        return ""

    def address(self, ids: Mapping[str, str]) -> str:
        """The path with `ids` in it."""

        def value(match: re.Match[str]) -> str:
            key = self._key(match["name"])
            own = f"{self.name}:{key}"
            return ids.get(own) or WORDS.get(own) or WORDS.get(key) or ids[key]

        return "/" + _PART.sub(value, self.pattern)


def _walk(patterns: Any, before: str, names: str, kind: str) -> Iterator[Route]:
    for one in patterns:
        text = before + _GROUP.sub(r"<\1>", str(one.pattern).lstrip("^").rstrip("$"))
        if isinstance(one, URLResolver):
            inner = f"{names}{one.namespace}:" if one.namespace else names
            yield from _walk(one.url_patterns, text, inner, kind)
        elif isinstance(one, URLPattern):
            yield Route(kind, f"{names}{one.name or ''}", text, one.callback)


def routes(kind: str) -> list[Route]:
    """All addresses of a kind of host, in the order of its table; the first of two alike is the one that counts."""
    table = importlib.import_module(settings.URLCONFS[kind]).urlpatterns
    found: dict[str, Route] = {}
    for route in _walk(table, "", "", kind):
        found.setdefault(_PART.sub("<>", route.pattern), route)
    return list(found.values())


ROUTES: Final = [route for kind in KINDS for route in routes(kind)]
