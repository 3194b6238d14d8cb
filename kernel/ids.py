"""Keys: UUIDv7 inside (time-ordered, RFC 9562), a typed text outside (`run_01h455vb4pex5vsknk084sn02q`)."""

import os
import threading
import time
import uuid
from typing import Final

_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford base 32, as TypeID writes a UUID
_VALUES: Final = {letter: value for value, letter in enumerate(_ALPHABET)}
_lock = threading.Lock()
_last = 0


def uuid7() -> uuid.UUID:
    """A new UUIDv7; later calls in one process sort after earlier ones, also within a millisecond."""
    global _last  # noqa: PLW0603 - the counter is the point
    with _lock:
        # 48 bit milliseconds and 12 bit fraction: RFC 9562, method 3, made monotonic by hand
        ticks = time.time_ns() * 4096 // 1_000_000
        _last = ticks = max(ticks, _last + 1)
    millis, fraction = divmod(ticks, 4096)
    tail = int.from_bytes(os.urandom(8), "big") & 0x3FFF_FFFF_FFFF_FFFF
    return uuid.UUID(int=(millis & 0xFFFF_FFFF_FFFF) << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | tail)


def public_id(prefix: str, key: uuid.UUID) -> str:
    """`key` as a public id: prefix, underscore, 26 letters (TypeID's encoding)."""
    number = key.int
    letters = []
    for _ in range(26):
        letters.append(_ALPHABET[number & 31])
        number >>= 5
    return f"{prefix}_{''.join(reversed(letters))}"


def parse_public_id(prefix: str, text: str) -> uuid.UUID:
    """The key inside a public id; raises ValueError if `text` is not an id of this prefix."""
    head, _, letters = text.strip().partition("_")
    if head != prefix or len(letters) != 26:
        raise ValueError(f"{text!r} is not an id that starts with {prefix}_")
    number = 0
    for letter in letters.lower():
        if letter not in _VALUES:
            raise ValueError(f"{text!r} has a letter that no id has")
        number = number << 5 | _VALUES[letter]
    if number >> 128:
        raise ValueError(f"{text!r} is out of range")
    return uuid.UUID(int=number)
