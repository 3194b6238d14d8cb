"""What becomes of people in a copy: the same person is the same other person everywhere in it, and nobody can go back.

What a value becomes hangs on a key that is drawn for each copy and kept nowhere. Columns that hold people are named by
their rooms; in all others, and deep inside JSON, what looks like a person, an address or a note is found by its form.
"""

import hashlib
import hmac
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from kernel import jsonx

_FIRST: Final = (
    "Alma",
    "Bela",
    "Cleo",
    "Dino",
    "Elif",
    "Finn",
    "Gina",
    "Hugo",
    "Iris",
    "Juno",
    "Kai",
    "Lena",
    "Milo",
    "Nora",
    "Odin",
    "Pia",
    "Quin",
    "Rosa",
)
_LAST: Final = (
    "Alder",
    "Birch",
    "Cedar",
    "Dahlia",
    "Elm",
    "Fern",
    "Gorse",
    "Hazel",
    "Ivy",
    "Juniper",
    "Larch",
    "Maple",
    "Nettle",
    "Oak",
    "Pine",
    "Rowan",
)
_WORDS: Final = (
    "amber",
    "basin",
    "candle",
    "delta",
    "ember",
    "fable",
    "garden",
    "harbour",
    "island",
    "jacket",
    "kettle",
    "lantern",
    "meadow",
    "needle",
    "orchard",
)
_MAIL: Final = re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+")
_PHONE: Final = re.compile(r"\+\d[\d ()./-]{6,}\d")
_PERSON: Final = frozenset(
    {
        "firstname",
        "lastname",
        "fullname",
        "givenname",
        "familyname",
        "customername",
        "recipient",
        "contactname",
    }
)
_STREET: Final = frozenset(
    {"street", "street1", "street2", "address1", "address2", "addressline1", "addressline2"}
)
_PLACE: Final = frozenset({"city", "postcode", "zip", "zipcode", "postalcode", "company"})
_TEXT: Final = frozenset(
    {"note", "notes", "comment", "comments", "message", "remark", "giftmessage", "freetext"}
)
_SIGNS: Final = frozenset({"email", "phone", "mobile"}) | _PERSON | _STREET | _PLACE
"""An object with one of these is a person or a place, so its `name` is one, too."""
_WHOLE: Final = frozenset(
    {"customer", "shippingaddress", "billingaddress", "deliveryaddress", "buyer", "consignee"}
)
_KEPT: Final = frozenset({"country", "countrycode", "currency", "language", "locale", "id", "customerid"})
_ESCAPES: Final = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}
_ESCAPED: Final = re.compile(rb"\\(.)", re.DOTALL)
_TO_ESCAPE: Final = re.compile(rb"[\\\b\f\n\r\t\v]")
_BACK: Final = {value: b"\\" + key for key, value in _ESCAPES.items()} | {b"\\": b"\\\\"}
_NULL: Final = b"\\N"


class Masks:
    """The masks of one copy."""

    def __init__(self, key: bytes | None = None) -> None:
        self._key = key or os.urandom(32)
        self._kinds: dict[str, Callable[[str], str]] = {
            "name": self.name,
            "mail": self.mail,
            "text": self.text,
            "scan": self.scanned,
            "empty": lambda _: "",
        }

    def _number(self, value: str) -> int:
        digest = hmac.new(self._key, " ".join(value.split()).casefold().encode(), hashlib.sha256).digest()
        return int.from_bytes(digest[:8], "big")

    def name(self, value: str) -> str:
        """Another name; whoever is nobody in particular stays so."""
        number = self._number(value)
        return (
            f"{_FIRST[number % len(_FIRST)]} {_LAST[number // 31 % len(_LAST)]}" if value.strip() else value
        )

    def mail(self, value: str) -> str:
        """Another address, at a domain that nobody can own."""
        return f"person-{self._number(value) % 10**10:010d}@example.com" if value.strip() else value

    def phone(self, value: str) -> str:
        """Another number of the same shape."""
        digits = iter(f"{self._number(value):020d}" * 3)
        return re.sub(r"\d", lambda _: next(digits), value)

    def street(self, value: str) -> str:
        """Another street."""
        number = self._number(value)
        return f"{number % 97 + 1} {_LAST[number // 97 % len(_LAST)]} Street" if value.strip() else value

    def place(self, value: str) -> str:
        """A word in place of a town, and digits in place of digits."""
        number = self._number(value)
        if any(character.isdigit() for character in value):
            return self.phone(value)
        return _LAST[number % len(_LAST)] if value.strip() else value

    def text(self, value: str) -> str:
        """As many other words."""
        return " ".join(_WORDS[self._number(word) % len(_WORDS)] for word in value.split())

    def scanned(self, value: str) -> str:
        """The same text with other mail addresses and telephone numbers in it."""
        found = _MAIL.sub(lambda hit: self.mail(hit.group()), value)
        return _PHONE.sub(lambda hit: self.phone(hit.group()), found)

    def json(self, value: Any, *, whole: bool = False) -> Any:
        """The same structure with other people in it; `whole`: every text in it is about a person."""
        if isinstance(value, Mapping):
            about = whole or any(_plain(name) in _SIGNS for name in value)
            return {
                name: self._member(_plain(name), item, whole=whole, about=about)
                for name, item in value.items()
            }
        if isinstance(value, list):
            return [self.json(item, whole=whole) for item in value]
        if isinstance(value, str):
            return self.place(value) if whole else self.scanned(value)
        return value

    def _member(self, name: str, item: Any, *, whole: bool, about: bool) -> Any:
        if not isinstance(item, str):
            return self.json(item, whole=whole or name in _WHOLE)
        if name in _KEPT:
            return item
        if "mail" in name:
            return self.mail(item)
        if "phone" in name or "mobile" in name:
            return self.phone(item)
        if name in _PERSON or (name == "name" and about):
            return self.name(item)
        if name in _STREET:
            return self.street(item)
        if name in _PLACE:
            return self.place(item)
        if name in _TEXT:
            return self.text(item)
        return self.json(item, whole=whole or name in _WHOLE)

    def rows(self, kinds: Sequence[str], rows: Iterable[bytes]) -> Iterator[bytes]:
        """Rows as COPY writes them, one a chunk or more, with each field behind the mask of its kind; "" is none."""
        for chunk in rows:
            for line in chunk.splitlines(keepends=False):
                fields = line.split(b"\t")
                yield b"\t".join(map(self._field, kinds, fields)) + b"\n"

    def _field(self, kind: str, field: bytes) -> bytes:
        if not kind or field == _NULL:
            return field
        raw = _ESCAPED.sub(lambda hit: _ESCAPES.get(hit.group(1), hit.group(1)), field)
        if kind == "packed":
            return self._packed(field, raw)
        if kind == "json":
            masked = jsonx.dumps(self.json(jsonx.loads(raw)))
        else:
            masked = self._kinds[kind](raw.decode()).encode()
        return _TO_ESCAPE.sub(lambda hit: _BACK[hit.group()], masked)

    def _packed(self, field: bytes, raw: bytes) -> bytes:
        try:
            value = jsonx.unpack(bytes.fromhex(raw.decode().removeprefix("\\x")))
        except ValueError:
            return field  # no JSON in it: a hash, a picture
        return b"\\\\x" + jsonx.pack(self.json(value)).hex().encode()


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", str(name).lower())
