import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel import jsonx
from kernel.errors import Invalid, TooLarge

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=5)
    ),
    max_leaves=20,
)


@given(values)
def test_what_is_packed_comes_out_the_same(value):
    assert jsonx.unpack(jsonx.pack(value)) == value


@given(st.integers())
def test_integers_stay_exact_at_any_size(number):
    assert jsonx.loads(jsonx.dumps({"n": number})) == {"n": number}


def test_long_values_are_compressed():
    value = {"items": ["the same words again"] * 200}
    assert len(jsonx.pack(value)) < len(jsonx.dumps(value)) / 10


@pytest.mark.parametrize("number", [2**53 + 1, 2**63, 2**64 - 1, 2**64, -(2**63), -(2**63) - 1, 10**40])
def test_large_integers_survive_packing_whether_the_fast_writer_takes_them_or_not(number):
    value = {"n": number, "text": "x" * 300}
    assert jsonx.unpack(jsonx.pack(value)) == value


def test_values_that_were_packed_before_are_still_read():
    import zstandard

    raw = jsonx.dumps({"n": 10**30, "text": "x" * 300})
    assert jsonx.unpack(b"\x01" + zstandard.compress(raw))["n"] == 10**30


def test_threads_do_not_spoil_each_others_values():
    wrong = []

    def work(seed: int) -> None:
        value = {"seed": seed, "items": [f"{seed}-{n}" for n in range(300)]}
        for _ in range(300):
            if jsonx.unpack(jsonx.pack(value)) != value:
                wrong.append(seed)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize("packed", [b"", b"x", b"\x02abc", b"\x01garbage", b"\x00{"])
def test_damaged_values_are_refused(packed):
    with pytest.raises(ValueError):
        jsonx.unpack(packed)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b'{"a": 1, "a": 2}', "twice"),
        (b'{"a": NaN}', "not valid"),
        (b'{"a": Infinity}', "not valid"),
        (b'{"a": "\\ud800"}', "not valid"),
        (b'{"a": "\xff"}', "not valid"),
        (b"[" * 70 + b"]" * 70, "deeper"),
        (b'{"a": ' + b"9" * 500 + b"}", "digits"),
        (b"{", "not valid"),
        (b"", "not valid"),
    ],
)
def test_foreign_json_that_two_readers_could_read_differently_is_refused(raw, reason):
    with pytest.raises(Invalid, match=reason):
        jsonx.loads_strict(raw)


def test_a_body_that_is_too_large_says_so():
    with pytest.raises(TooLarge):
        jsonx.loads_strict(b'"' + b"a" * 100 + b'"', max_bytes=50)


def test_brackets_inside_texts_do_not_count_as_depth():
    assert jsonx.loads_strict(b'{"a": "' + b"[{" * 200 + b'"}') == {"a": "[{" * 200}
