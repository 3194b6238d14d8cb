"""One person in texts and JSON: found by what they are known by, and taken out so that the rest still fits together.

Somebody is known by terms: an address for mail, a telephone number, a customer's id, a name. A term is found however
its letters are cased and however its digits are grouped. In JSON a person is not only where a term stands: around it
(in the same record, which ends where a list begins) what usually names people goes as well.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from kernel import jsonx

Json = Any
MOST_TERMS: Final = 40
SHORTEST: Final = 4
_PHONE_DIGITS: Final = 7
_PHONE_TAIL: Final = 9
_MAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_PHONE: Final = re.compile(r"[+\d][\d\s()/.\-]{5,}\d")
ALWAYS: Final = re.compile(
    r"e[-_]?mail|phone|mobile|fax|first_?name|last_?name|full_?name|sur_?name|street|address_?\d|^line_?\d$|post_?code"
    r"|postal|^zip|iban|bic|card|cvc|cvv|passw|secret|token|authorization|api_?key|birth|^ip$|ip_address|latitude"
    r"|longitude|^notes?$",
    re.IGNORECASE,
)
"""Members that point to a person or open a door, wherever they stand."""
PERSON: Final = re.compile(
    r"customer|address|recipient|buyer|contact|billing|shipping|payer|person|employee", re.IGNORECASE
)
"""Members whose value tells of a person."""
OF_PERSON: Final = re.compile(r"^(name|company|city|title|id_number|username)$", re.IGNORECASE)
"""Members that name somebody inside of such a value, and not elsewhere."""
_TELLING: Final = re.compile(r"e[-_]?mail|phone|mobile|full_?name|^name$|street", re.IGNORECASE)


def kind_of(term: str) -> str:
    """`mail`, `phone` or `word`."""
    if _MAIL.fullmatch(term):
        return "mail"
    digits = re.sub(r"\D", "", term)
    return "phone" if _PHONE.fullmatch(term) and len(digits) >= _PHONE_DIGITS and digits != term else "word"


def usable(term: str) -> bool:
    """Whether a term can tell one person from another at all."""
    return len(re.sub(r"\W", "", term)) >= SHORTEST


def normal(term: str) -> str:
    """A term in the one form in which two of them are compared."""
    if kind_of(term) == "phone":
        return re.sub(r"\D", "", term)[-_PHONE_TAIL:]
    return " ".join(term.split()).casefold()


def _pattern(term: str) -> str:
    if kind_of(term) == "phone":
        digits = re.sub(r"\D", "", term)[-_PHONE_TAIL:]
        return r"\+?(?:[\d()][\s()/.\-]*){0,6}?" + r"[\s()/.\-]*".join(digits) + r"(?!\d)"
    words = r"\s+".join(re.escape(word) for word in term.split())
    return rf"(?<![\w.+\-]){words}(?![\w\-])" if kind_of(term) == "word" else rf"(?<![\w.+\-]){words}(?![\w])"


@dataclass(frozen=True)
class Person:
    """Who is looked for, and what stands in their place afterwards: `mark`, with the number of the term."""

    terms: Sequence[str]
    mark: str = "erased"
    _one: Any = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Make one pattern of all terms, the longest first, so that a short one never cuts a longer one up."""
        ranked = sorted(range(len(self.terms)), key=lambda number: -len(self.terms[number]))
        joined = "|".join(f"(?P<t{number}>{_pattern(self.terms[number])})" for number in ranked)
        object.__setattr__(self, "_one", re.compile(joined or r"(?!)", re.IGNORECASE))

    def stands_in(self, text: str) -> bool:
        """Whether a term stands in a text."""
        return self._one.search(text) is not None

    def stands_in_json(self, value: Json) -> bool:
        """Whether a term stands in a value, in a member's name too."""
        return self.stands_in(jsonx.text(value)) and any(self._in_leaf(leaf) for leaf in _leaves(value))

    def _in_leaf(self, leaf: Json) -> bool:
        if isinstance(leaf, str):
            return self.stands_in(leaf)
        # a number is somebody's only if it is long enough to be no amount and no count
        return isinstance(leaf, int) and len(str(leaf)) >= _PHONE_TAIL and self.stands_in(str(leaf))

    def without(self, text: str) -> str:
        """A text with marks in place of terms."""
        return str(self._one.sub(lambda found: self._mark(int(found.lastgroup[1:])), text))

    def _mark(self, number: int) -> str:
        """What stands for a term: of its kind, so that what is checked as an address is still one."""
        mark = f"{self.mark}-{number + 1}"
        return f"{mark}@erased.invalid" if kind_of(self.terms[number]) == "mail" else mark

    def without_json(self, value: Json) -> Json:
        """A value with marks in place of terms, and of what else names people in the records where one stands."""
        if isinstance(value, str):
            return self.without(value)
        if isinstance(value, (Mapping, list)):
            return self._cleared(value, record=self._record_is_theirs(value), person=False)
        return f"{self.mark}" if self._in_leaf(value) else value

    def _record_is_theirs(self, value: Json) -> bool:
        return isinstance(value, Mapping) and any(
            self._in_leaf(leaf) for leaf in _leaves(value, records=False)
        )

    def _cleared(self, value: Json, *, record: bool, person: bool) -> Json:
        if isinstance(value, Mapping):
            return {
                self.without(str(name)): self._member(str(name), part, record=record, person=person)
                for name, part in value.items()
            }
        if isinstance(value, list):
            return [self._item(one, record=record, person=person) for one in value]
        return self._leaf(value)

    def _item(self, value: Json, *, record: bool, person: bool) -> Json:
        if isinstance(value, (Mapping, list)):
            theirs = self._record_is_theirs(value) or (record and person)
            return self._cleared(value, record=theirs, person=person)
        return self._leaf(value)

    def _member(self, name: str, value: Json, *, record: bool, person: bool) -> Json:
        if isinstance(value, (Mapping, list)):
            return self._cleared(value, record=record, person=bool(person or PERSON.search(name)))
        clean = self._leaf(value)
        if not record or clean in (None, "", True, False) or clean != value:
            return clean
        if ALWAYS.search(name) or (person and OF_PERSON.search(name)):
            return 0 if isinstance(value, (int, float)) else self._covered(str(value))
        return value

    def _leaf(self, value: Json) -> Json:
        if isinstance(value, str):
            return self.without(value)
        return self.mark if self._in_leaf(value) else value

    def _covered(self, value: str) -> str:
        return f"{self.mark}@erased.invalid" if _MAIL.fullmatch(value) else self.mark

    def told(self, value: Json) -> set[str]:
        """What else this person is known by, as records say in which a term stands: addresses, numbers, full names."""
        found: set[str] = set()
        for record in _records(value):
            if self._record_is_theirs(record):
                found |= set(_telling(record, person=False))
        return {one for one in found if not self.stands_in(one)}


def _leaves(value: Json, *, records: bool = True) -> Iterator[Json]:
    """Every leaf and every member's name; without `records`, none of objects that are items of a list."""
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield str(name)
            yield from _leaves(part, records=records)
    elif isinstance(value, list):
        for one in value:
            if records or not isinstance(one, Mapping):
                yield from _leaves(one, records=records)
    elif value is not None and not isinstance(value, bool):
        yield value


def _records(value: Json) -> Iterator[Mapping[str, Json]]:
    """The value itself and every object that is an item of a list in it."""
    if isinstance(value, Mapping):
        yield value
    pending: list[Json] = [value]
    while pending:
        one = pending.pop()
        parts: Iterable[Json] = (
            one.values() if isinstance(one, Mapping) else one if isinstance(one, list) else ()
        )
        for part in parts:
            if isinstance(one, list) and isinstance(part, Mapping):
                yield part
            pending.append(part)


def _telling(value: Json, *, person: bool) -> Iterator[str]:
    """Values in a record that tell one person from another."""
    for name, part in value.items() if isinstance(value, Mapping) else ():
        inside = bool(person or PERSON.search(str(name)))
        if isinstance(part, Mapping):
            yield from _telling(part, person=inside)
        elif isinstance(part, str) and _TELLING.search(str(name)) and _one_person(str(name), part, person):
            yield part.strip()


def _one_person(name: str, value: str, person: bool) -> bool:
    """Whether a value is about one person alone: a name in two words, a street with its number."""
    if kind_of(value.strip()) in ("mail", "phone"):
        return True
    if not (person or ALWAYS.search(name)) or len(value) > 80:
        return False
    return (
        len(value.split()) >= 2
        and len(value) >= 6
        and ("street" not in name.lower() or any(map(str.isdigit, value)))
    )
