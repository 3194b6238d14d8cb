"""Which passwords are refused since everybody knows them; nothing is asked of anybody outside."""

import hashlib
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

_LOOKS_LIKE: Final = str.maketrans("013457@$!|", "oieastasil")
_LINE: Final = 128  # longer than any line of the file: forty hex digits, a colon, a count


class KnownPasswordValidator:
    """Refuses a password that stands in lists of broken ones.

    The list that Django ships is looked at with what people do to such words, too: figures and signs behind it, letters
    written as figures, twice in a row. With `path`, so is a file of SHA-1 hashes in their order, one a line, as breach
    lists are given out (`HASH:count`); it stays on this machine.
    """

    def __init__(self, path: str = "") -> None:
        """`path` of the file; empty where there is none."""
        self._path = Path(path) if path else None
        self._common: set[str] = CommonPasswordValidator().passwords

    def validate(self, password: str, user: Any = None) -> None:
        """Raises ValidationError for a known password."""
        if self._stands_for_a_common_one(password) or self._stands_in_the_file(password):
            raise ValidationError(
                _("This password stands in lists of broken ones. Choose another."), code="password_known"
            )

    def get_help_text(self) -> str:
        """What is asked for."""
        return _("A password that stands in lists of broken ones is refused.")

    def _stands_for_a_common_one(self, password: str) -> bool:
        low = password.lower().strip()
        half = low[: len(low) // 2]
        bare = low.strip("0123456789!?.,;:_-+*#$%&/()= ")
        forms = {low, bare, low.translate(_LOOKS_LIKE), bare.translate(_LOOKS_LIKE)}
        if half and half * 2 == low:
            forms.add(half)
        if forms & self._common:
            return True
        return len(set(low)) <= 3 or _runs(low)

    def _stands_in_the_file(self, password: str) -> bool:
        if self._path is None:
            return False
        wanted = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper().encode()
        with self._path.open("rb") as file:
            low, high = 0, self._path.stat().st_size
            while low < high:
                middle = (low + high) // 2
                file.seek(middle)
                if middle:
                    file.readline(_LINE)  # to the beginning of the next line
                line = file.readline(_LINE)
                if line[:40].upper() == wanted:
                    return True
                if not line or line[:40].upper() > wanted:
                    high = middle
                else:
                    low = middle + 1
        return False


def _runs(text: str) -> bool:
    """Whether it is nothing but a row of neighbours: abcdefghij, 9876543210."""
    steps = {ord(after) - ord(before) for before, after in pairwise(text)}
    return len(steps) == 1 and steps <= {-1, 0, 1}
