"""Card numbers in what people write: found by issuer, length and check digit, and masked before anything is kept.

Numbers of orders and parcels look alike, so a number counts only where an issuer gives out such ones: an id that is
no card is left as it is nearly always, and data that a machine sent are not looked through.
"""

import re
from typing import Final

_LIKELY: Final = re.compile(r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)")
_ISSUED: Final = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})"  # Visa
    r"|5[1-5]\d{14}|222[1-9]\d{12}|22[3-9]\d{13}|2[3-6]\d{14}|27[01]\d{13}|2720\d{12}"  # Mastercard
    r"|3[47]\d{13}"  # American Express
    r"|3(?:0[0-5]|[68]\d)\d{11}"  # Diners Club
    r"|6(?:011|5\d\d|4[4-9]\d)\d{12}"  # Discover
    r"|35(?:2[89]|[3-8]\d)\d{12}"  # JCB
)
_KEPT: Final = 4


def masked(text: str) -> str:
    """`text` with every card number in it as dots but for its last four digits."""
    return _LIKELY.sub(_mask, text)


def _mask(match: re.Match[str]) -> str:
    found = match[0]
    digits = found.replace(" ", "").replace("-", "")
    if not _ISSUED.fullmatch(digits) or not _adds_up(digits):
        return found
    return "•" * (len(digits) - _KEPT) + digits[-_KEPT:]


def _adds_up(digits: str) -> bool:
    """Whether the check digit is right (Luhn): from the right every second one counts twice, digit by digit."""
    twice = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
    values = [int(one) for one in reversed(digits)]
    return (sum(values[::2]) + sum(twice[one] for one in values[1::2])) % 10 == 0
