"""Card numbers: found by issuer, length and check digit, and masked before anything is kept.

Numbers of orders and parcels look alike, so a number counts only where an issuer gives out such ones: an id that is
no card is left as it is nearly always. In what a machine sent, ids are moreover told by their names, and the shortest
numbers (13 digits, which cards have had no more for decades and ids of shops often have) are left.
"""

import re
from operator import is_
from typing import Final

from kernel import jsonx
from kernel.jsonx import Json

_LIKELY: Final = re.compile(r"(?<!\d)(?<!\d\.)\d(?:[ -]?\d){12,18}(?!\d)")
_ISSUED: Final = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})"  # Visa
    r"|5[1-5]\d{14}|222[1-9]\d{12}|22[3-9]\d{13}|2[3-6]\d{14}|27[01]\d{13}|2720\d{12}"  # Mastercard
    r"|3[47]\d{13}"  # American Express
    r"|3(?:0[0-5]|[68]\d)\d{11}"  # Diners Club
    r"|6(?:011|5\d\d|4[4-9]\d)\d{12}"  # Discover
    r"|35(?:2[89]|[3-8]\d)\d{12}"  # JCB
)
_KEPT: Final = 4
_SHORTEST: Final = 14
_LEAST, _MOST = 10 ** (_SHORTEST - 1), 10**19
_DIGITS: Final = bytes.maketrans(b"123456789", b"000000000")
_ENOUGH: Final = b"0" * _SHORTEST
_IDS: Final = re.compile(
    r"(?:^|_|(?<=[a-z]))(?:ids?|gid|uuid|sku|ean|gtin|upc|isbn|imei|iban|barcode|epc|sscc|token|etag|hash|digest)$"
    r"|tracking"
    r"|(?:order|parcel|shipment|invoice|customer|return|serial|batch|article)_?(?:number|no|key|ref|reference)$",
    re.IGNORECASE,
)
"""Names of members whose numbers are ids, and stay."""


def masked(text: str, *, shortest: int = 13) -> str:
    """`text` with every card number in it (of so many digits, at least) as dots but for its last four digits."""
    return _LIKELY.sub(lambda match: _mask(match[0], shortest), text)


def _mask(found: str, shortest: int) -> str:
    digits = found.replace(" ", "").replace("-", "")
    if len(digits) < shortest or not _ISSUED.fullmatch(digits) or not _adds_up(digits):
        return found
    return "•" * (len(digits) - _KEPT) + digits[-_KEPT:]


def _adds_up(digits: str) -> bool:
    """Whether the check digit is right (Luhn): from the right every second one counts twice, digit by digit."""
    twice = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
    values = [int(one) for one in reversed(digits)]
    return (sum(values[::2]) + sum(twice[one] for one in values[1::2])) % 10 == 0


def masked_data(value: Json, raw: bytes | None = None) -> Json:
    """JSON that came in, without card numbers; the very same value where there are none.

    `raw` is the value as our own JSON, where that is at hand: one look at it spares nearly every walk. A number that
    is a card's becomes a text. Names of members are left, and so are members that are ids by name.
    """
    if not likely(jsonx.dumps(value) if raw is None else raw):
        return value
    return _walk(value, "")


def likely(raw: bytes) -> bool:
    """Whether as many digits as a card has stand together somewhere, but for blanks and hyphens between them."""
    return _ENOUGH in raw.translate(_DIGITS, b" -")


def _walk(value: Json, name: str) -> Json:
    if isinstance(value, str):
        return value if len(value) < _SHORTEST else _text(value, name)
    if isinstance(value, dict):
        found = {key: _walk(one, key) for key, one in value.items()}
        return value if all(map(is_, found.values(), value.values())) else found
    if isinstance(value, list | tuple):
        parts = [_walk(one, name) for one in value]
        return value if all(map(is_, parts, value)) else parts
    if isinstance(value, int) and _LEAST <= value < _MOST and not _IDS.search(name):
        shown = _mask(str(value), _SHORTEST)
        return shown if "•" in shown else value
    return value


def _text(value: str, name: str) -> str:
    """An id is one word: a sentence in a member that is called like an id is looked through."""
    shown = masked(value, shortest=_SHORTEST)
    if shown == value or (_IDS.search(name) and " " not in value.strip()):
        return value
    return shown
