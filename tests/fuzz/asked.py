"""One hostile request: to which address, by whom, with what."""

import itertools
import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlencode

from hypothesis import strategies as st

from tests.fuzz import hostile
from tests.fuzz.forms import Form, listened_to
from tests.house import bodies
from tests.house.ground import CALLERS, Caller, Ground
from tests.house.routes import KINDS, ROUTES, Route
from tests.support import make

_Draw = Callable[[Any], Any]
_NOT_ASKED: Final = frozenset({"ready"})
"""Says 503 where no worker runs, as it should."""
_FORM: Final = "application/x-www-form-urlencoded"
STRONG: Final = [
    caller for caller in CALLERS if caller.strong or (caller.kind, caller.name) == ("platform", "operator")
]
_OTHERS: Final = {
    kind: [caller for caller in CALLERS if caller.kind == kind and caller not in STRONG] for kind in KINDS
}


NOBODY: Final = {one.kind: one for one in CALLERS if one.shows == "nothing"}
_OFTEN: Final = 4


@dataclass
class Asked:
    """A request, ready to be sent."""

    route: Route
    caller: Caller
    method: str
    address: str
    body: bytes = b""
    content_type: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        sent = f" {self.content_type} {self.body[:300]!r}" if self.body else ""
        return f"{self.caller}: {self.method} {self.address[:300]}{sent} {self.headers or ''}"


@dataclass(frozen=True)
class Town:
    """What requests are made of: the ground, the forms of its pages, and the doors that take deliveries."""

    ground: Ground
    forms: Mapping[tuple[str, str, str], list[Form]]
    doors: list[tuple[str, make.Door]]


TARGETS: Final = [
    (route, method)
    for route in ROUTES
    if route.name not in _NOT_ASKED and route.rule is not None
    for method in (*route.methods, *(["POST"] if route.api and "POST" not in route.methods else []))
]


@st.composite
def requests(draw: _Draw, town: Town, route: Route, method: str) -> Asked:
    """Any request to an address; who asks is said afterwards."""
    if route.pattern.startswith("hooks/"):
        return _delivery(draw, town, route)
    asked = Asked(route, NOBODY[route.kind], method, _address(draw, town, route), headers=_headers(draw))
    form = draw(st.sampled_from(town.forms.get((route.kind, route.name, method)) or [Form("")]))
    query = _query(draw, town, route, method, form if method == "GET" else Form(""))
    if query:
        asked.address += f"?{query}"
    if method != "GET":
        asked.body, asked.content_type = _body(draw, town, route, method, form)
    return asked


def callers(route: Route) -> Iterator[Caller]:
    """Who asks, one after another: four times somebody to whom the door opens, then anybody."""
    strong = [one for one in STRONG if one.kind == route.kind and (route.api or one.shows == "session")]
    for other in itertools.cycle(_OTHERS[route.kind]):
        yield from itertools.islice(itertools.cycle(strong), _OFTEN)
        yield other


def _address(draw: _Draw, town: Town, route: Route) -> str:
    """The path: usually of things that are there, else with something else in one of its parts."""
    whose = draw(st.sampled_from(("own",) * 7 + ("arbor",)))
    ids = dict(town.ground.ids(route.kind, whose))
    if route.parts and draw(st.integers(0, 3)) == 0:
        spoiled = draw(st.sampled_from(route.parts))
        return route.address({**ids, spoiled: _MARK, f"{route.name}:{spoiled}": _MARK}).replace(
            _MARK, quoted(draw(st.one_of(hostile.letters, st.just(_absent(ids.get(spoiled, ""))))))
        )
    return quote(route.address(ids), safe="/:@%")


_MARK: Final = "SPOILED"


def _absent(text: str) -> str:
    """A well-formed id that nobody has."""
    return f"{text.partition('_')[0]}_{'0' * 25}1" if "_" in text else str(uuid.UUID(int=7))


def quoted(text: str) -> str:
    """`text` as a part of an address."""
    return quote(text.encode("utf-8", "surrogatepass")[:2_000], safe="") or "%20"


def encoded(pairs: list[tuple[str, str]]) -> str:
    """Names and values as an address or a form has them, whatever letters they are of."""
    return urlencode(
        [(a.encode("utf-8", "surrogatepass"), b.encode("utf-8", "surrogatepass")) for a, b in pairs]
    )


def _headers(draw: _Draw) -> dict[str, str]:
    if draw(st.integers(0, 3)):
        return {}
    name = draw(st.sampled_from(sorted(hostile.HEADERS)))
    return {name: draw(st.sampled_from(hostile.HEADERS[name]))}


def _query(draw: _Draw, town: Town, route: Route, method: str, form: Form) -> str:
    how = draw(st.integers(0, 9))
    if how == 0:
        return draw(
            st.sampled_from(
                ("%", "%00", "a=%ff", "=", "&&&", "a&b", "a[]=1", "q=%ed%a0%80", "%61=1;b=2", "?" * 9)
            )
        )
    if how < (2 if method == "GET" else 6):
        return ""
    return encoded(_pairs(draw, town, route, form, _parameters(route, method)))


def _parameters(route: Route, method: str) -> list[str]:
    said = bodies.operation(route, method)
    if said is None:
        return [
            *listened_to(route),
            *(("filter", "startIndex", "count", "attributes") if route.name.startswith("scim:") else ()),
        ]
    return [
        *(said.query().fields if said.query else ()),
        *(("limit", "cursor") if said.paged else ()),
        "unknown",
    ]


def _pairs(draw: _Draw, town: Town, route: Route, form: Form, names: list[str]) -> list[tuple[str, str]]:
    """What the form would send, with some values spoiled, and some that it has no field for."""
    ids = list(town.ground.ids(route.kind, draw(st.sampled_from(("own", "arbor")))).values())
    found = list(form.values)
    known = sorted({name for name, _ in found})
    for _ in range(draw(st.integers(0 if found else 1, 3))):
        name = draw(st.sampled_from([*known * 2, *names] or ["x"]))
        value = draw(st.one_of(hostile.letters, hostile.letters, st.sampled_from(ids)))
        places = [place for place, (one, _) in enumerate(found) if one == name]
        if places and draw(st.integers(0, 5)):
            found[draw(st.sampled_from(places))] = (name, value)
        else:
            found.append((name, value))
    if found and draw(st.integers(0, 5)) == 0:
        del found[draw(st.integers(0, len(found) - 1))]
    return found


def _body(draw: _Draw, town: Town, route: Route, method: str, form: Form) -> tuple[bytes, str]:
    how = draw(st.integers(0, 19))
    if how == 0:
        return draw(st.sampled_from(hostile.RAW)), draw(st.sampled_from(hostile.TYPES))
    if route.api:
        good = bodies.of(route, method, town.ground.ids(route.kind, "own")) or _SCIM.get(method, {})
        raw = json.dumps(draw(hostile.spoiled(good)) if how > 1 else good).encode()
        return raw, "application/json" if how > 2 else draw(st.sampled_from(hostile.TYPES))
    pairs = _pairs(draw, town, route, form, listened_to(route))
    if how < 5 or form.files:
        return _multipart(draw, pairs, form.files)
    return encoded(pairs).encode(), _FORM


_SCIM: Final[dict[str, Any]] = {
    "POST": {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": "new@world.test",
        "externalId": "7",
        "active": True,
        "displayName": "New",
        "name": {"givenName": "New", "familyName": "Person", "formatted": "New Person"},
        "emails": [{"value": "new@world.test", "primary": True, "type": "work"}],
    },
    "PATCH": {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [
            {"op": "replace", "path": "active", "value": False},
            {"op": "add", "path": "members", "value": [{"value": "scu_x"}]},
            {"op": "remove", "path": 'members[value eq "scu_x"]'},
            {"op": "replace", "value": {"displayName": "New"}},
        ],
    },
}
_SCIM["PUT"] = _SCIM["POST"]


def _multipart(draw: _Draw, pairs: list[tuple[str, str]], files: list[str]) -> tuple[bytes, str]:
    parts = []
    for name, value in pairs:
        said = _utf8(name).replace(b'"', b"%22").replace(b"\r", b"").replace(b"\n", b"")
        parts.append(b'Content-Disposition: form-data; name="' + said + b'"\r\n\r\n' + _utf8(value))
    for name in [*files, *(["file"] if draw(st.booleans()) else [])]:
        title = draw(
            st.sampled_from(
                (
                    "a.txt",
                    "..\\..\\x",
                    "a\x00.svg",
                    "",
                    "x" * 400,
                    "a.png",
                    "\u202egnp.exe",
                    "a;b.yaml",
                    "ä.csv",
                )
            )
        )
        content = draw(
            st.sampled_from(
                (
                    b"",
                    b"\x89PNG\r\n\x1a\n",
                    b"GIF89a",
                    b"<svg/>",
                    b"<svg",
                    b"\xff" * 99,
                    b"%PDF-1.7",
                    b"a: &x [*x, *x]",
                    b"PK\x03\x04",
                    b"{",
                    b"a,b\n=1,2",
                    *hostile.RAW[-4:],
                )
            )
        )
        parts.append(
            f'Content-Disposition: form-data; name="{name}"; filename="{title}"\r\nContent-Type: image/png\r\n\r\n'.encode()
            + content
        )
    end = draw(st.sampled_from((b"--b--\r\n",) * 6 + (b"", b"--b", b"--b-")))
    return b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + end, "multipart/form-data; boundary=b"


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _delivery(draw: _Draw, town: Town, route: Route) -> Asked:
    """To the letterbox, signed by who knows the secret: only then is the body looked at."""
    kind, door = draw(st.sampled_from(town.doors))
    good = make.cloudevent() if kind == "cloudevents" else make.order()
    if draw(st.integers(0, 5)) == 0:
        raw = draw(st.sampled_from(hostile.RAW))
    else:
        raw = json.dumps(draw(hostile.spoiled(good))).encode()
    if kind == "shopify":
        topic = draw(
            st.sampled_from(("orders/create", "orders/updated", "refunds/create", "x", "", "a" * 400))
        )
        headers = dict(
            make.shopify_signed(raw, door.secret, topic, key=draw(st.sampled_from(("wh-1", "x" * 300, ""))))
        )
    else:
        headers = dict(
            make.signed(raw, door.secret, key=draw(st.sampled_from(("msg_1", "m" * 300, "a b", ""))))
        )
    kind_said = headers.pop("Content-Type")
    if draw(st.integers(0, 3)) == 0:
        name = draw(st.sampled_from(sorted(headers)))
        headers[name] = draw(
            st.sampled_from(
                ("", "x", "v1,", "v1,x v1a,y", "9" * 30, "-1", "NaN", "²", "\xff", "v1," + "A" * 9000)
            )
        )
        kind_said = draw(st.sampled_from((kind_said, *hostile.TYPES)))
    return Asked(route, NOBODY[route.kind], "POST", door.path, raw, kind_said, headers)
