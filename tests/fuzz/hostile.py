"""Values that nobody should send, and ways to spoil a body that somebody would."""

import copy
import json
from collections.abc import Callable
from typing import Any, Final

from hypothesis import strategies as st

_LONE: Final = "\ud800"
TEXTS: Final = (
    "", " ", "\x00", "a\x00b", _LONE, f"a{_LONE}b", "\x7f", "\x1b[31m", "\r\nX-Evil: 1", "\u202eabc", "\ufeff", "\U0001f600",
    "'", '"', "\\", "%", "%s", "%(x)s", "%00", "{}", "{0.__class__}", "{{ settings }}", "{% load x %}", "$ENV", "<script>",
    "; drop table x", "*", "(", "[", "a,b,,c", ",", ".", "..", "../../etc/passwd", "/", "//evil.example", "\\\\evil",
    "-", "-1", "0", "1", "+1", "1.5", "1e308", "1e999", "NaN", "Infinity", "²", "٣", "①", "9" * 20, "9" * 400, "9" * 5000,
    "-9223372036854775809", "true", "null", "on", "[]", "[1]", '{"a":1}', "[" * 3000, '{"a":' * 100, '"', "{",
    "2026-02-30", "2026-13", "2026-00", "0000-01", "0000-01-01", "0001-01-01", "9999-12-31", "9999-12", "10000-01-01",
    "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-03-02T09:30:00",
    "2026-03-29T01:30", "2026-W10-1", "25:61", "P1D", "P99999999999Y", "* * * * *", "*/0 * * * *", "0 0 30 2 *",
    "Europe/Nowhere", "../Berlin", "xx", "de-CH-1996", "a@b", "a@" + "b" * 300, "@", "a@b.c\n", "ü@exämple.test",
    "http://[", "http://[::1]", "https://u:p@h:99999/", "https://h:port", "http://\x00", "javascript:alert(1)", "https://", "ftp://x",
    "https://xn--a", "https://" + "a" * 300, "00000000-0000-0000-0000-000000000000", "run_", "run_" + "z" * 26, "run_" + "0" * 26,
    "tnt_7zzzzzzzzzzzzzzzzzzzzzzzzz", "case_" + "0" * 26, "mem_" + "7" * 26, "x" * 256, "x" * 3000, "x" * 70_000, "ß" * 300, "İ", "ﬀ",
    ".a | .b", "${ .a }", "${", "(a+)+$", "-----BEGIN", "#12345g", "#fff", "1.2.3", "1.2", "v1", "__class__", "id", "-id", "--id", "pk",
    "created_at", "=cmd()", "W10", "W1s=", "WyJuIiwgMSwgMl0", "eyJhIjoxfQ", "WyJuIiwiMjAyNi0wMi0zMCIsIngiXQ",
)  # fmt: skip
NUMBERS: Final = (0, -1, 1, 2**31, 2**63, -(2**63) - 1, 2**64, 10**30, 10**390, 1.5, -0.0, 1e308, 5e-324)
RAW: Final = (
    b"", b" ", b"{", b"}", b"[]", b"null", b"true", b"1", b'"x"', b"NaN", b'{"a":NaN}', b'{"a":Infinity}', b'{"a":1e999}', b"{'a':1}",
    b'{"a":1,"a":2}', b'{"a":"\\ud800"}', b'{"\\ud800":1}', b'{"a":"\\u0000"}', b'{"\\u0000":1}', b'{"a":"\xff"}', b"\xff\xfe{\x00}\x00",
    b"\xef\xbb\xbf{}", b"[" * 100_000, b'{"a":' * 50_000, b"[" * 60 + b"]" * 60, b'{"a":' + b"9" * 399 + b"}", b'{"a":' + b"9" * 100_000 + b"}",
    b'{"a":-}', b'{"a":01}', b'{"a":1}x', b"{}" * 2, b"a=1&b=%00&c=%ff", b"%", b"\x00" * 100, b"<a/>", b"a: &x [*x]",
    b"{" + b",".join(b'"k%d":1' % n for n in range(20_000)) + b"}",
)  # fmt: skip
TYPES: Final = (
    "application/json", "application/json", "application/json", "application/json; charset=utf-16", "application/json; charset=nowhere",
    "application/scim+json", "text/plain", "", "*/*", "application/x-www-form-urlencoded", "multipart/form-data",
    "multipart/form-data; boundary=x", "multipart/form-data; boundary=" + "y" * 300, "application/xml", "a", "application/json;;;", "\x01",
)  # fmt: skip
HEADERS: Final[dict[str, tuple[str, ...]]] = {
    "Idempotency-Key": ("", "x", "x" * 300, "\x01", "ü", "same", "0"),
    "Accept": ("", "*/*", "text/html", "application/xml", "a/b;q=x", "application/json;version=9", ";" * 50),
    "Accept-Language": ("de", "xx-YY-zz", "de;q=NaN", "*", "a" * 400, "-"),
    "X-Request-Id": ("a", "x" * 5000, "a\tb", "ü" * 9),
    "Authorization": (
        "Bearer",
        "Bearer ",
        "Bearer pat_x",
        "Basic eDp5",
        "Bearer ü",
        "x",
        "Bearer " + "p" * 5000,
    ),
    "HX-Request": ("true", "x"),
    "HX-Request-Type": ("partial", "x"),
    "HX-Current-URL": ("http://[", "//evil", "x" * 3000, "http://a:b/"),
    "HX-Target": ("x", "<"),
    "Referer": ("http://[", "x"),
    "If-None-Match": ("*", '"x"', "W/", "x" * 2000),
    "If-Modified-Since": ("x", "Thu, 01 Jan 1970 00:00:00 GMT", "Thu, 99 Foo 99999 00:00:00 GMT"),
    "Range": ("bytes=0-", "bytes=-1", "bytes=9-1", "x"),
    "User-Agent": ("", "x" * 5000, "\u00ff\u00fe", "${jndi:ldap://x}"),
    "Last-Event-ID": ("x", "-1", "9" * 40),
    "X-Forwarded-For": ("x", "1.2.3.4, ::1", "999.1.1.1", "[::1%eth0]"),
}

letters: Final = st.one_of(
    st.sampled_from(TEXTS),
    st.text(max_size=12),
    st.text(st.sampled_from("\x00\ud800'\"\\/%.:,-+ 09aZ_\u0660\u202e"), max_size=12),
)
scalars: Final = st.one_of(letters, st.sampled_from(NUMBERS), st.sampled_from((None, True, False)))
values: Final = st.one_of(
    scalars,
    scalars,
    st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(letters, inner, max_size=3),
        max_leaves=6,
    ),
    st.sampled_from(([], {}, [None], [[[]]], {"": ""}, {"\x00": 1}, [{}] * 300)),
)


def deep(level: int) -> Any:
    """Objects inside objects."""
    found: Any = 1
    for _ in range(level):
        found = {"a": found}
    return found


@st.composite
def spoiled(draw: Callable[[Any], Any], good: Any) -> Any:
    """`good` with something in it replaced, left out or added; seldom it as a whole."""
    if draw(st.integers(0, 19)) == 0:
        return draw(values)
    found = json.loads(json.dumps(good))
    for _ in range(draw(st.integers(1, 3))):
        found = _spoil_one(draw, found, copy.deepcopy(draw(values)))  # what is spoiled may be spoiled again
    return found


def _spoil_one(draw: Callable[[Any], Any], found: Any, value: Any) -> Any:
    places = [place for place in _places(found) if place]
    if not places:
        return value
    *way, last = draw(st.sampled_from(places))
    inner = found
    for part in way:
        inner = inner[part]
    how = draw(st.sampled_from(("put", "put", "put", "leave out", "add", "deep")))
    if how == "leave out":
        del inner[last]
    elif how == "add" and isinstance(inner, dict):
        inner[draw(letters)] = value
    else:
        inner[last] = deep(draw(st.sampled_from((3, 40, 70)))) if how == "deep" else value
    return found


def _places(value: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The ways to all parts of a value."""
    found = [way]
    if isinstance(value, dict):
        parts = list(value.items())
    elif isinstance(value, list):
        parts = list(enumerate(value))
    else:
        return found
    for name, part in parts:
        found += _places(part, (*way, name))
    return found
