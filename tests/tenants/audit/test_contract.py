"""The form of what is sealed: RFC 8785 to the byte, whichever way it is written."""

import rfc8785
from hypothesis import given
from hypothesis import strategies as some

from tenants.audit import contract

TEXT = some.text(some.characters(codec="utf-8"))
VALUES = some.recursive(
    some.none()
    | some.booleans()
    | some.integers(-(2**53) + 1, 2**53 - 1)
    | some.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_the_quick_way_writes_what_the_careful_one_does(value: object) -> None:
    written = contract.canonical(value)
    assert written == rfc8785.dumps(value)


@given(some.text())
def test_control_characters_and_separators(text: str) -> None:
    clean = text.encode("utf-8", "ignore").decode()
    assert contract.canonical({"a": clean}) == rfc8785.dumps({"a": clean})


def test_numbers_that_readers_would_round_are_written_as_digits() -> None:
    plain = contract._plain({"n": 2**60, "deep": [-(2**54), 1.5, True]})
    assert plain == {"n": str(2**60), "deep": [str(-(2**54)), 1.5, True]}
