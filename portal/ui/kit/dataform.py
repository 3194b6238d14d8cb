"""A JSON value as a form: a field for each leaf, what was found wrong at its place, and what changed afterwards."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from django import forms
from django.utils.translation import gettext as _

from kernel import jsonx
from kernel.errors import PortalError
from portal.ui.kit.forms import ui

Json = Any
_MOST: Final = 120
_LONG: Final = 90
_LINES: Final = 24


@dataclass(frozen=True, slots=True)
class Wrong:
    """What was found wrong at a place: a JSON pointer, and the words."""

    pointer: str
    message: str


@dataclass(frozen=True, slots=True)
class Change:
    """A leaf that differs: its place for people, what it was, and what it is; None where there was nothing."""

    place: str
    before: Json
    after: Json


@dataclass(frozen=True, slots=True)
class Part:
    """Fields that belong together: an object of the value, by its place."""

    title: str
    fields: Sequence[Any]


class DataForm(forms.Form):
    """`DataForm(value, wrong, data)`: `changed` is the corrected value once the form is valid.

    A missing leaf that somebody complained of gets a field, too. What fields cannot do, the text of the whole can.
    """

    whole = forms.CharField(
        required=False, strip=True, widget=forms.Textarea(attrs={"class": "code", "spellcheck": "false"})
    )

    def __init__(self, value: Json, wrong: Sequence[Wrong] = (), data: Any = None, **more: Any) -> None:
        """Build a field for each leaf of `value`, and for each that is said to be missing."""
        super().__init__(data, **more)
        self.value, self.changed = value, value
        self.leaves = dict(leaves(value, _MOST))
        self.wrong = _placed(value, self.leaves, wrong)
        for pointer in self.wrong:
            self.leaves.setdefault(pointer, None)
        for pointer, leaf in self.leaves.items():
            self.fields[_name(pointer)] = _field(pointer, leaf, self.wrong.get(pointer, ""))
        self._settle_marks()
        text = jsonx.text(value, indent=True)
        self.fields["whole"].label = _("The same as text (JSON)")
        self.fields["whole"].initial = text
        self.fields["whole"].widget.attrs["rows"] = str(min(text.count("\n") + 2, _LINES))

    def _settle_marks(self) -> None:
        """The first wrong field is where one begins; one that was changed is wrong no more, as far as is known."""
        for number, pointer in enumerate(self.wrong):
            field = self.fields[_name(pointer)]
            if self.is_bound and _differs(self.leaves[pointer], self.data.get(_name(pointer))):
                field.widget.attrs.pop("aria-invalid", None)
            elif number == 0 and not self.is_bound:
                field.widget.attrs["autofocus"] = True

    def faulty(self) -> list[Any]:
        """The fields at which something was found wrong."""
        return [self[_name(pointer)] for pointer in self.leaves if pointer in self.wrong]

    def parts(self) -> list[Part]:
        """The other fields, by the object that they belong to."""
        found: dict[str, list[Any]] = {}
        for pointer in self.leaves:
            if pointer not in self.wrong:
                found.setdefault(pointer.rpartition("/")[0], []).append(self[_name(pointer)])
        return [Part(place(holder), fields) for holder, fields in found.items()]

    def clean(self) -> dict[str, Any]:
        """Put the leaves together again, or take the text, if that is what was changed."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        if self.errors:
            return given
        changed = copy.deepcopy(self.value)
        for pointer, leaf in self.leaves.items():
            now = given.get(_name(pointer))
            if _differs(leaf, now):
                changed = put(changed, pointer, now)
        self.changed = self._from_text(given.get("whole") or "", changed)
        return given

    def _from_text(self, text: str, changed: Json) -> Json:
        """The value of the text where that was edited; else the one of the fields."""
        if not text:
            return changed
        try:
            told = jsonx.loads_strict(text.encode())
        except PortalError as error:
            self.add_error("whole", _("This cannot be read as JSON: %(why)s.") % {"why": error.message})
            return changed
        if told == self.value:
            return changed
        if changed not in (self.value, told):
            self.add_error("whole", _("Change either the fields or the text: they contradict each other."))
        return told


def leaves(value: Json, most: int, pointer: str = "") -> Iterator[tuple[str, Json]]:
    """(pointer, leaf) of at most `most` leaves in order; an empty list or object is left to the text."""
    left = most
    inner: Sequence[tuple[str, Json]]
    if isinstance(value, Mapping):
        inner = [(str(key).replace("~", "~0").replace("/", "~1"), item) for key, item in value.items()]
    elif isinstance(value, list):
        inner = [(str(index), item) for index, item in enumerate(value)]
    else:
        if pointer:
            yield pointer, value
        return
    for key, item in inner:
        if left <= 0:
            return
        for found in leaves(item, left, f"{pointer}/{key}"):
            left -= 1
            yield found


def put(value: Json, pointer: str, leaf: Json) -> Json:
    """`value` with `leaf` at `pointer`; objects that are missing on the way are made."""
    *way, last = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    at = value
    for part in way:
        if isinstance(at, list):
            at = at[int(part)]
        else:
            if not isinstance(at.get(part), (dict, list)):
                at[part] = {}
            at = at[part]
    at[int(last) if isinstance(at, list) else last] = leaf
    return value


def changes(before: Json, after: Json) -> list[Change]:
    """Leaf by leaf what differs between two values."""
    old, new = dict(leaves(before, 10_000)), dict(leaves(after, 10_000))
    if not old and not new and before != after:
        return [Change("", before, after)]
    return [
        Change(place(pointer), old.get(pointer), new.get(pointer))
        for pointer in dict.fromkeys([*old, *new])
        if old.get(pointer) != new.get(pointer) or (pointer in old) != (pointer in new)
    ]


def place(pointer: str) -> str:
    """A pointer for people: `shipping address / postcode`, `lines 2 / sku`."""
    words: list[str] = []
    for part in pointer.split("/")[1:]:
        if part.isdigit():
            number = int(part) + 1
            words = [*words[:-1], f"{words[-1]} {number}"] if words else [_("entry %(n)d") % {"n": number}]
        else:
            words.append(_spoken(part.replace("~1", "/").replace("~0", "~")))
    return " / ".join(words)


def _spoken(name: str) -> str:
    spaced = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name)
    return spaced.replace("_", " ").replace("-", " ").strip()


def _name(pointer: str) -> str:
    return f"at{quote(pointer, safe='/~')}"


def _placed(value: Json, known: Mapping[str, Json], wrong: Sequence[Wrong]) -> dict[str, str]:
    """What was found wrong, each at its leaf: the very place, else the only one that ends like it."""
    found: dict[str, str] = {}
    for one in wrong:
        pointer = one.pointer
        if pointer not in known:
            ends = [leaf for leaf in known if leaf.endswith(pointer)] if pointer else []
            pointer = ends[0] if len(ends) == 1 else pointer
        if pointer in known or _can_hold(value, pointer):
            found[pointer] = f"{found[pointer]} {one.message}" if pointer in found else one.message
    return found


def _can_hold(value: Json, pointer: str) -> bool:
    """Whether there is an object in which a leaf at `pointer` may be put."""
    at = value
    *way, last = pointer.split("/")[1:] or [""]
    for part in way:
        if isinstance(at, list):
            at = at[int(part)] if part.isdigit() and int(part) < len(at) else None
        else:
            at = at.get(part) if isinstance(at, Mapping) else None
    return isinstance(at, Mapping) and bool(last) and not isinstance(at.get(last), (dict, list))


def _field(pointer: str, leaf: Json, wrong: str) -> forms.Field:
    label = _spoken(pointer.rpartition("/")[2]).capitalize()
    if label.isdigit():
        label = str(int(label) + 1)
    common: dict[str, Any] = {"label": label, "initial": leaf, "required": False, "help_text": wrong}
    if isinstance(leaf, bool):
        return ui(forms.BooleanField(**common))
    if isinstance(leaf, int):
        return ui(forms.IntegerField(**{**common, "required": True}), short=True)
    if isinstance(leaf, float):
        return ui(forms.FloatField(**{**common, "required": True}), short=True)
    long = isinstance(leaf, str) and (len(leaf) > _LONG or "\n" in leaf)
    widget = forms.Textarea(attrs={"rows": 3}) if long else forms.TextInput()
    if wrong:
        widget.attrs["aria-invalid"] = "true"
    return ui(forms.CharField(strip=True, widget=widget, **common))


def _differs(leaf: Json, now: Json) -> bool:
    """Whether a field says something else; an empty one leaves alone what was not there."""
    if leaf is None:
        return now not in (None, "")
    if isinstance(leaf, str):
        return str(leaf).strip().replace("\r\n", "\n") != str(now or "").replace("\r\n", "\n")
    return bool(leaf != now)
