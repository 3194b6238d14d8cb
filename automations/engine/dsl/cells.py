"""Cells of decision tables: small conditions as people write them, compiled to functions of (value, whole input).

`-` or nothing: any value. `> 50`, `<= 2026-12-01`, `!= "DE"`: compared. `[10..20)`: inside. `"a", "b"`: one of them.
`not(…)`: none of them. `${ … }`: an expression of the whole input. Anything else must be equal.
"""

import re
from collections.abc import Callable
from typing import Any, Final

import orjson

from automations.engine.dsl.expressions import WHOLE, BadExpression, Compiler
from automations.engine.errors import WorkflowError

Json = Any
Cell = Callable[[Json, Json], bool]
_COMPARE: Final = re.compile(r"^(<=|>=|<|>|!=|=)\s*(\S.*)$", re.DOTALL)
_RANGE: Final = re.compile(r"^([\[(])\s*(.+?)\s*\.\.\s*(.+?)\s*([\])])$", re.DOTALL)
_NOT: Final = re.compile(r"^not\s*\((.*)\)$", re.DOTALL)
_ANY: Final = ("", "-")


class BadCell(ValueError):
    """A cell that cannot be read."""


def condition(cell: Json) -> Cell:
    """The condition in a cell. Raises BadCell."""
    if cell is None or (isinstance(cell, str) and cell.strip() in _ANY):
        return lambda _value, _given: True
    if not isinstance(cell, str):
        return lambda value, _given: _same(value, cell)
    text = cell.strip()
    if WHOLE.match(text):
        return _expression(text)
    if match := _NOT.match(text):
        inner = _alternatives(match.group(1))
        return lambda value, given: not inner(value, given)
    return _alternatives(text)


def result(cell: Json) -> Callable[[Json], Json]:
    """What an output cell gives for an input: its value, or that of its `${ … }`. Raises BadCell."""
    try:
        template = Compiler(frozenset({"input"})).template(cell)
    except BadExpression as error:
        raise BadCell(str(error)) from None
    return lambda given: template(given, {"input": given})


def _expression(text: str) -> Cell:
    try:
        test = Compiler(frozenset({"input"})).test(text)
    except BadExpression as error:
        raise BadCell(str(error)) from None
    return lambda _value, given: test(given, {"input": given})


def _alternatives(text: str) -> Cell:
    parts = [_one(part) for part in _split(text)]
    if len(parts) == 1:
        return parts[0]
    return lambda value, given: any(part(value, given) for part in parts)


def _split(text: str) -> list[str]:
    """The parts of a list, commas inside quotes or brackets left alone."""
    parts, depth, quoted, start = [], 0, False, 0
    for place, letter in enumerate(text):
        if letter == '"':
            quoted = not quoted
        elif not quoted and letter in "[(":
            depth += 1
        elif not quoted and letter in "])":
            depth -= 1
        elif letter == "," and not quoted and depth <= 0:
            parts.append(text[start:place].strip())
            start = place + 1
    parts.append(text[start:].strip())
    if quoted or any(not part for part in parts):
        raise BadCell(f"{text!r} has an empty or an open part")
    return parts


def _one(text: str) -> Cell:
    if match := _RANGE.match(text):
        opening, low_text, high_text, closing = match.groups()
        low, high = literal(low_text), literal(high_text)
        if _rank(low) is None or _rank(low) != _rank(high):
            raise BadCell(f"{text!r} is no range of numbers or of texts")
        above: Cell = _compare(">" if opening == "(" else ">=", low)
        below: Cell = _compare("<" if closing == ")" else "<=", high)
        return lambda value, given: above(value, given) and below(value, given)
    if match := _COMPARE.match(text):
        return _compare(match.group(1), literal(match.group(2)))
    wanted = literal(text)
    return lambda value, _given: _same(value, wanted)


def literal(text: str) -> Json:
    """A number, true, false, null or a quoted text; else the text as it stands."""
    try:
        return orjson.loads(text.strip())
    except orjson.JSONDecodeError:
        if text.strip().startswith(('"', "{")):
            raise BadCell(f"{text!r} is no value") from None
        return text.strip()


def _rank(value: Json) -> str | None:
    """Numbers are compared with numbers and texts (dates among them) with texts; nothing else has an order."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return "number"
    return "text" if isinstance(value, str) else None


def _compare(sign: str, wanted: Json) -> Cell:
    if sign in ("=", "!="):
        return lambda value, _given: _same(value, wanted) == (sign == "=")
    rank = _rank(wanted)
    if rank is None:
        raise BadCell(f"{sign} compares numbers or texts")

    def test(value: Json, _given: Json) -> bool:
        if value is None:
            return False
        if _rank(value) != rank:
            raise WorkflowError("expression", f"{value!r} cannot be compared with {wanted!r}")
        if sign == "<":
            return bool(value < wanted)
        if sign == "<=":
            return bool(value <= wanted)
        return bool(value > wanted) if sign == ">" else bool(value >= wanted)

    return test


def _same(value: Json, wanted: Json) -> bool:
    """Equal, true and 1 being two things."""
    return bool(value == wanted) and isinstance(value, bool) == isinstance(wanted, bool)
