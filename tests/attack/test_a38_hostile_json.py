"""A38: JSON that two readers read differently, or that takes a reader's time or stack."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel import jsonx
from kernel.errors import Invalid, TooLarge
from tests.support.cast import Cast
from tests.support.cost import cpu_seconds

SECONDS = 0.05
HOSTILE = {
    "lists": b"[" * 100_000,
    "closed lists": b"[" * 100_000 + b"]" * 100_000,
    "objects": b'{"a":' * 100_000,
    "a level too many": b"[" * 65 + b"]" * 65,
    "a million digits": b'{"a": ' + b"9" * 1_000_000 + b"}",
    "a long fraction": b'{"a": 0.' + b"1" * 100_000 + b"}",
    "NaN": b'{"a": NaN}',
    "infinity": b'{"a": -Infinity}',
    "a lone surrogate": b'{"a": "\\ud800"}',
    "a lone surrogate as key": b'{"\\udfff": 1}',
    "bytes that are no UTF-8": b'{"a": "\xff"}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "a mark of order": b"\xef\xbb\xbf{}",
    "twins": b'{"a": 1, "a": 2}',
    "twins by escape": b'{"a": 1, "\\u0061": 2}',
    "twins deep inside": b'{"x": [{"a": 1, "a": 1}]}',
    "two values": b"{}{}",
    "a comma more": b'{"a": 1,}',
    "a comment": b"{} // x",
    "one quote": b"{'a': 1}",
    "a leading nought": b'{"a": 01}',
    "half": b'{"a":',
    "nothing": b"",
    "NUL": b"\x00",
    "a control letter": b'{"a": "\x01"}',
}
TOO_LARGE = b'{"a": "' + b"x" * 1_100_000 + b'"}'


@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE)
def test_it_is_refused_within_50_ms(raw: bytes) -> None:
    def read() -> None:
        with pytest.raises(Invalid):
            jsonx.loads_strict(raw)

    assert cpu_seconds(read, enough=SECONDS) < SECONDS


def test_what_is_too_large_is_not_read() -> None:
    with pytest.raises(TooLarge):
        jsonx.loads_strict(TOO_LARGE)


@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE)
def test_the_api_says_400(cast: Cast, client_for: Callable[..., Client], raw: bytes) -> None:
    owner = client_for(cast.owner, cast.host)
    answer = owner.generic("POST", "/api/v1/audit-streams", raw, content_type="application/json")
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/problem+json")


def test_the_api_says_413(cast: Cast, client_for: Callable[..., Client]) -> None:
    owner = client_for(cast.owner, cast.host)
    answer = owner.generic("POST", "/api/v1/audit-streams", TOO_LARGE * 6, content_type="application/json")
    assert answer.status_code == 413


@settings(max_examples=500, database=None, deadline=None)
@given(
    st.binary(max_size=200)
    | st.text(st.sampled_from('{}[]",:0123456789eE+-.\\u \x00ntrfals'), max_size=200).map(str.encode)
)
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    """What is read is written and read alike."""
    try:
        value: Any = jsonx.loads_strict(raw)
    except Invalid:
        return
    assert jsonx.loads_strict(jsonx.dumps(value)) == value
