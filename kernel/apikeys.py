"""What an API token looks like: known at sight by whoever looks for lost ones, and told from a mistyped one.

`pat_`, 43 letters and digits that are 256 random bits, and six more that are a checksum over what stands before them: a
scanner needs the pattern and the checksum alone, and says nothing of a word that only looks alike.
"""

import re
import secrets as random
import string
import zlib
from collections.abc import Iterator
from typing import Final

PREFIX: Final = "pat_"
PATTERN: Final = re.compile(r"\bpat_[0-9A-Za-z]{49}\b")
"""What stands in documents for people who set up a scanner."""
_LIKELY: Final = re.compile(r"pat_[0-9A-Za-z_-]{40,}")
_LETTERS: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
_RANDOM: Final = 43
_SUM: Final = 6
_BITS: Final = 256
HINT: Final = len(PREFIX) + 4
"""So many letters tell tokens of a list apart and help nobody to guess the others."""


def new() -> str:
    """The text of a new token."""
    body = PREFIX + _spelled(random.randbits(_BITS), _RANDOM)
    return body + _sum(body)


def is_one(text: str) -> bool:
    """Whether this is a token by its form and its checksum, wherever it was made."""
    return PATTERN.fullmatch(text) is not None and _sum(text[:-_SUM]) == text[-_SUM:]


def mistyped(text: str) -> bool:
    """Whether it has the form of a token and a wrong checksum; those made before there was one are of another form."""
    return PATTERN.fullmatch(text) is not None and not is_one(text)


def found_in(text: str) -> Iterator[str]:
    """The tokens that stand in a text."""
    return (word for word in PATTERN.findall(text) if is_one(word))


def hidden(text: str) -> str:
    """`text` without what may be a token."""
    return _LIKELY.sub(f"{PREFIX}…", text) if PREFIX in text else text


def _spelled(number: int, length: int) -> str:
    letters = []
    for _ in range(length):
        number, rest = divmod(number, len(_LETTERS))
        letters.append(_LETTERS[rest])
    return "".join(reversed(letters))


def _sum(body: str) -> str:
    return _spelled(zlib.crc32(body.encode()), _SUM)
