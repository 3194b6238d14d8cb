"""Regular expressions as RE2 runs them: in time linear in the text, without look-around and back-references.

What jq's own library (Oniguruma) writes differently is translated: the flag `x`, `\\Z`, comments, and for
texts beyond ASCII the classes `\\w`, `\\d`, `\\s` and their like.
"""

import re
import time
from collections.abc import Iterator
from typing import Final

import re2

from automations.engine.dsl.jq.errors import OutOfFuel, Raised
from automations.engine.dsl.jq.fuel import Fuel
from automations.engine.dsl.jq.values import Json, described

_MAX_LENGTH: Final = 2_000
_MAX_WORK: Final = 20_000_000
"""Bytes of text times size of the program; what one search may look at. 6 ns each at worst."""
_LITTLE: Final = 20_000
"""As much work as a search may be without being timed."""
_MAX_KEPT: Final = 50
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
_UNICODE: Final = {
    "\\w": r"\p{L}\p{M}\p{N}\p{Pc}",
    "\\d": r"\p{Nd}",
    "\\s": r"\s\x{85}\p{Z}",
    "[:alpha:]": r"\p{L}\p{M}",
    "[:alnum:]": r"\p{L}\p{M}\p{N}",
    "[:digit:]": r"\p{Nd}",
    "[:lower:]": r"\p{Ll}",
    "[:upper:]": r"\p{Lu}",
    "[:punct:]": r"\p{P}\p{S}",
    "[:space:]": r"\s\x{85}\p{Z}",
}
_OUTSIDE: Final = {"\\Z": "\\z", "\\e": "\\x1b"}


class _Translator:
    """Rewrites one pattern."""

    def __init__(self, pattern: str, *, extended: bool, beyond_ascii: bool) -> None:
        self.pattern = pattern
        self.extended = extended
        self.classes = _UNICODE if beyond_ascii else {}
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
        started = time.thread_time_ns()
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
        finally:
            fuel.search(time.thread_time_ns() - started)


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
    if fuel.patterns is None or len(fuel.patterns) >= _MAX_KEPT:
        fuel.patterns = {}
    key = (source, flags)
    if key not in fuel.patterns:
        fuel.patterns[key] = Pattern(source, flags)
    kept: Pattern = fuel.patterns[key]
    return kept


class Search:
    """Goes through the matches of a pattern in a text, as spans of characters, drawing on fuel.

    RE2 does not say how far it looked for a match. Where that cannot be far, steps are drawn for the worst case; else
    the clock of the processor is read around each search, and the time of all of them together is bounded.
    """

    def __init__(self, fuel: Fuel, text: Json, regex: Json, flags: Json, *, more: str = "") -> None:
        """Looks for `regex` in `text` with `flags` and `more` of them. Raises Raised if these are no texts."""
        if text.__class__ is not str:
            raise Raised(f"{described(text)} cannot be matched, as it is not a string")
        self.fuel = fuel
        self.text: str = text
        self.pattern = pattern = pattern_of(fuel, regex, flags).with_flags(more)
        self._program = plain = pattern.plain(fuel)
        self._given = text.encode() if text.isascii() else text
        if self._given is text:
            self._program = pattern.beyond_ascii(fuel)
        work = len(text) * plain.programsize
        if work > _MAX_WORK:
            raise OutOfFuel("the expression searches too long a text with too big a pattern")
        self.groups: int = plain.groups
        self._timed = work > _LITTLE
        self._cost = 2 + self.groups + (len(text) >> 11 if self._timed else work >> 9)
        fuel.grow(len(text))

    def names(self) -> list[str | None]:
        """The name of each group, None where it has none."""
        found: list[str | None] = [None] * self.groups
        for name, number in self._program.groupindex.items():
            found[number - 1] = name
        return found

    def _next(self, matches: Iterator[Json]) -> Json:
        """The next match, None after the last."""
        self.fuel.step(self._cost)
        if not self._timed:
            return next(matches, None)
        started = time.thread_time_ns()
        found = next(matches, None)
        self.fuel.search(time.thread_time_ns() - started)
        return found

    def found(self) -> bool:
        """Whether the text matches."""
        if self.pattern.nonempty:
            return next(self.spans(), None) is not None
        return self._next(self._program.finditer(self._given)) is not None

    def spans(self) -> Iterator[list[tuple[int, int]]]:
        """For each match its start and end, and those of its groups; -1 for a group that took no part."""
        before = (-1, -1)
        numbers = range(self.groups + 1)
        matches = self._program.finditer(self._given)
        while (match := self._next(matches)) is not None:
            last, before = before, match.span()
            if before[0] == before[1] and (self.pattern.nonempty or before == last):
                continue  # the library finds what is empty at the end twice
            yield [match.span(number) for number in numbers]
            if not self.pattern.everywhere:
                return
