"""Values too large for a row are taken apart by place, and put together again as they were."""

import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automations.engine.errors import LimitReached
from automations.engine.machine import apart
from kernel import jsonx

_random = random.Random(7)


def noise(length: int) -> str:
    """A text that no compression makes small."""
    return "".join(_random.choices(string.ascii_letters + string.digits, k=length))


def put_together(value: object) -> tuple[bytes, apart.Blobs]:
    packed, found = apart.lighten(value)
    contents = {digest: blob.content for digest, blob in found.items()}
    assert apart.whole(packed, contents) == value
    assert len(packed) <= apart.INLINE
    assert {one.digest for one in apart.parts(packed)} == set(found)
    return packed, found


def test_what_fits_stays_in_the_row():
    value = {"order": noise(20_000)}
    packed, found = put_together(value)
    assert (packed, found, apart.parts(packed)) == (jsonx.pack(value), {}, [])


def test_a_large_text_is_kept_apart_and_the_rest_stays():
    packed, found = put_together({"id": 7, "body": {"text": noise(100_000)}, "lines": [1, 2]})
    outline, (part,) = apart.outline(packed)
    assert part.path == ("body", "text")
    assert outline == {
        "id": 7,
        "body": {"text": {"keptApart": {"sha256": part.digest, "bytes": 100_002}}},
        "lines": [1, 2],
    }
    assert [blob.size for blob in found.values()] == [100_002]


def test_the_same_content_is_kept_once():
    text = noise(100_000)
    _, found = put_together({"a": {"x": text}, "b": [{"x": text}]})
    assert len(found) == 1


def test_very_many_small_ones_are_kept_as_one():
    packed, found = put_together({"all": [noise(40) for _ in range(5_000)], "n": 1})
    assert [one.path for one in apart.parts(packed)] == [("all",)]
    assert len(found) == 1


def test_very_many_large_ones_are_kept_as_one_where_their_places_alone_are_too_much(monkeypatch):
    monkeypatch.setattr(apart, "INLINE", 2_000)
    packed, _ = put_together([noise(2_100) for _ in range(60)])
    assert [one.path for one in apart.parts(packed)] == [()]


def test_a_text_on_its_own():
    put_together(noise(100_000))


@pytest.mark.parametrize("value", [{"keptApart": {"sha256": "0" * 64, "bytes": 1}}, {"v": 1, "p": []}])
def test_data_that_look_like_our_notes_are_data(value):
    put_together(value)
    put_together([value, {"v": noise(100_000), "p": [[["v"], "0" * 64, 3]]}])


def test_what_is_gone_is_said_to_be_gone():
    packed, _ = apart.lighten({"x": noise(100_000)})
    with pytest.raises(ValueError, match="a part of the value is gone"):
        apart.whole(packed, {})


def test_a_value_has_a_limit():
    value = {"x": noise(120_000)}
    apart.lighten(value, most=120_002)
    with pytest.raises(LimitReached) as found:
        apart.lighten(value, most=110_000)
    assert (found.value.body["limit"], found.value.body["code"]) == ("value", "limit_value")


_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=60),
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(st.text(max_size=8), inner, max_size=8),
    max_leaves=80,
)


@given(_values)
def test_any_value_comes_back(value):
    before, apart.INLINE = apart.INLINE, 300  # type: ignore[misc]
    try:
        packed, found = apart.lighten(value)
        assert apart.whole(packed, {digest: blob.content for digest, blob in found.items()}) == value
    finally:
        apart.INLINE = before  # type: ignore[misc]


def test_lines_packed_in_two_parts_tell_what_happened_without_their_data():
    lines = [
        {"n": n, "r": "/do/0/a", "s": "completed", "b": 1.0, "e": 2.0, "o": {"x": noise(50)}}
        for n in range(40)
    ]
    lines.append(
        {"n": 40, "r": "/do/1/b", "s": "faulted", "b": 2.0, "e": 2.0, "x": {"status": 500}, "i": {"y": 1}}
    )
    packed = apart.pack_lines(lines)
    assert apart.lines(packed) == apart.whole(packed, {}) == apart.outline(packed)[0] == lines
    told = apart.happenings(packed)
    assert told is not None
    assert told[3] == {"n": 3, "r": "/do/0/a", "s": "completed", "b": 1.0, "e": 2.0}
    assert told[40]["x"] == {"status": 500}
    assert len(jsonx.dumps(told)) < len(jsonx.dumps(lines)) / 1.5


def test_lines_that_others_packed_are_read_as_they_are():
    lines = [{"n": 0, "r": "/do/0/a", "o": {"text": noise(100_000)}}]
    packed, _ = apart.lighten(lines)
    assert apart.happenings(packed) is None
    (line,) = apart.lines(packed)
    assert line["o"]["text"]["keptApart"]["bytes"] == 100_002
