"""Regular expressions as RE2 runs them: in time linear in the text, without look-around and back-references.

What jq's own library (Oniguruma) writes differently is translated: the flag `x`, `\\h`, `\\Z`, comments, and for
texts beyond ASCII the classes `\\w`, `\\d` and `\\s`.
"""

import re
import time
from typing import Final

import re2

from automations.engine.dsl.jq.errors import OutOfFuel, Raised
from automations.engine.dsl.jq.fuel import Fuel
from automations.engine.dsl.jq.values import Json, described

_MAX_LENGTH: Final = 2_000
_MAX_WORK: Final = 20_000_000
"""Bytes of text times size of the program; what one search may look at. 6 ns each at worst."""
_MAX_NANOSECONDS: Final = 50_000_000
_MEMORY: Final = 1 << 20
FLAGS: Final = frozenset("gimnpslx")
_HINTS: Final = {
    "(?=": "look-ahead is not supported",
    "(?!": "look-ahead is not supported",
    "(?<": "look-behind is not supported",
    "(?>": "atomic groups are not supported",
}
_PART: Final = re.compile(r"\\.|\(\?#[^)]*\)|\[\^?\]?|[^\\\[(]|.", re.DOTALL)
_IN_CLASS: Final = re.compile(r"\\.|\[:\^?\w+:\]|&&|.", re.DOTALL)
_ASCII: Final = {"\\h": "0-9a-fA-F"}
_UNICODE: Final = {**_ASCII, "\\w": r"\p{L}\p{M}\p{N}\p{Pc}", "\\d": r"\p{Nd}", "\\s": r"\s\x{85}\p{Z}"}
_OUTSIDE: Final = {"\\Z": "\\z", "\\e": "\\x1b"}


class _Translator:
    """Rewrites one pattern."""

    def __init__(self, pattern: str, *, extended: bool, beyond_ascii: bool) -> None:
        self.pattern = pattern
        self.extended = extended
        self.classes = _UNICODE if beyond_ascii else _ASCII
        self.parts: list[str] = []

    def run(self) -> str:
        position = 0
        while position < len(self.pattern):
            found = _PART.match(self.pattern, position)
            text = found.group() if found else self.pattern[position]
            position += len(text)
            if text.startswith("["):
                position = self.brackets(text, position)
            elif self.extended and text == "#":
                position = (self.pattern.find("\n", position) + 1) or len(self.pattern)
            elif not (text.startswith("(?#") or (self.extended and text.isspace())):
                self.parts.append(self.single(text))
        return "".join(self.parts)

    def single(self, text: str) -> str:
        if text in _OUTSIDE:
            return _OUTSIDE[text]
        if text in self.classes:
            return f"[{self.classes[text]}]"
        if text[0] == "\\" and text.lower() in self.classes:
            return f"[^{self.classes[text.lower()]}]"
        return text

    def brackets(self, opening: str, position: int) -> int:
        """Rewrites a class in square brackets; gives the position after it."""
        self.parts.append(opening.replace("]", "\\]"))
        while position < len(self.pattern):
            found = _IN_CLASS.match(self.pattern, position)
            text = found.group() if found else ""
            position += len(text)
            if text in ("&&", "["):
                raise Raised("Regex failure: sets inside of [ ] are not supported; a bracket is written \\[")
            self.parts.append(self.classes.get(text, text))
            if text == "]":
                return position
        return position


class Pattern:
    """A pattern with flags, compiled when it is first used and kept by whoever holds it."""

    __slots__ = ("_beyond_ascii", "_flags", "_plain", "everywhere", "nonempty", "source")

    def __init__(self, source: str, flags: str = "") -> None:
        self.source = source
        self.everywhere = "g" in flags
        self.nonempty = "n" in flags
        self._flags = flags
        self._plain: Json = None
        self._beyond_ascii: Json = None

    def with_flags(self, more: str) -> "Pattern":
        """This pattern with more flags."""
        return self if set(more) <= set(self._flags) else Pattern(self.source, self._flags + more)

    def plain(self, fuel: Fuel) -> Json:
        """The program for ASCII texts."""
        if self._plain is None:
            self._plain = self._compile(fuel, beyond_ascii=False)
        return self._plain

    def beyond_ascii(self, fuel: Fuel) -> Json:
        """The program for other texts."""
        if self._beyond_ascii is None:
            self._beyond_ascii = self._compile(fuel, beyond_ascii=True)
        return self._beyond_ascii

    def _compile(self, fuel: Fuel, *, beyond_ascii: bool) -> Json:
        if len(self.source) > _MAX_LENGTH:
            raise Raised(f"Regex failure: a pattern has at most {_MAX_LENGTH} characters")
        fuel.step(20 + len(self.source) // 4)
        translated = _Translator(self.source, extended="x" in self._flags, beyond_ascii=beyond_ascii).run()
        options = re2.Options()
        options.log_errors = False
        options.max_mem = _MEMORY
        options.case_sensitive = "i" not in self._flags
        options.dot_nl = "m" in self._flags or "p" in self._flags
        options.longest_match = "l" in self._flags
        try:
            return re2.compile(translated, options)
        except re2.error as error:
            raise Raised(f"Regex failure: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    text = error.args[0] if error.args else b""
    message = text.decode(errors="replace") if isinstance(text, bytes) else str(text)
    for sign, hint in _HINTS.items():
        if f": {sign}" in message:
            return hint
    if re.search(r"escape sequence: \\[1-9k]", message):
        return "back-references are not supported"
    return message


def pattern_of(fuel: Fuel, source: Json, flags: Json) -> Pattern:
    """The pattern for values that an expression gave; one that is already prepared stays as it is."""
    if source.__class__ is Pattern:
        prepared: Pattern = source
        return prepared
    if source.__class__ is not str:
        raise Raised(f"{described(source)} is not a string")
    if flags is None:
        flags = ""
    if flags.__class__ is not str:
        raise Raised(f"{described(flags)} is not a string")
    if not set(flags) <= FLAGS:
        raise Raised(f"{flags} is not a valid modifier string")
    key = (source, flags)
    found = fuel.patterns.get(key)
    if found is None:
        if len(fuel.patterns) >= 50:
            fuel.patterns.clear()
        found = fuel.patterns[key] = Pattern(source, flags)
    return found


class Search:
    """Goes through the matches of a pattern in a text, drawing on fuel.

    RE2 does not say how far it looked for a match. So besides steps, the processor time of all searches of an
    evaluation is bounded.
    """

    def __init__(self, fuel: Fuel, text: Json, pattern: Pattern) -> None:
        if text.__class__ is not str:
            raise Raised(f"{described(text)} cannot be matched, as it is not a string")
        self.fuel = fuel
        self.text: str = text
        started = time.thread_time_ns()
        plain = pattern.plain(fuel)
        self.program = plain if text.isascii() else pattern.beyond_ascii(fuel)
        if len(text) * plain.programsize > _MAX_WORK:
            raise OutOfFuel("the expression searches too long a text with too big a pattern")
        self.pattern = pattern
        self.cost = 2 + plain.groups + (len(text) >> 11)
        fuel.grow(len(text))
        self._clock(started)

    def _clock(self, started: int) -> None:
        self.fuel.searched += time.thread_time_ns() - started
        if self.fuel.searched > _MAX_NANOSECONDS:
            raise OutOfFuel("the expression takes too long to search texts")

    def found(self) -> bool:
        """Whether the text matches."""
        self.fuel.step(self.cost)
        started = time.thread_time_ns()
        if not self.pattern.nonempty:
            result = self.program.search(self.text) is not None
            self._clock(started)
            return result
        return next(iter(self), None) is not None

    def __iter__(self) -> "Search":
        self._matches = iter(self.program.finditer(self.text))
        self._over = False
        self._last = (-1, -1)
        return self

    def __next__(self) -> Json:
        """The next match. Raises StopIteration, OutOfFuel."""
        while not self._over:
            self.fuel.step(self.cost)
            started = time.thread_time_ns()
            match = next(self._matches, None)
            self._clock(started)
            if match is None:
                break
            span, before = match.span(), self._last
            self._last = span
            if span[0] == span[1] and (self.pattern.nonempty or span == before):
                continue  # the library finds what is empty at the end twice
            self._over = not self.pattern.everywhere
            return match
        raise StopIteration
