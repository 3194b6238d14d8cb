"""Card numbers are masked in what people write, and other long numbers are left."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.cards import masked, masked_data

CARDS = [
    "4111111111111111",
    "4012888888881881",
    "5555555555554444",
    "2223003122003222",
    "378282246310005",
    "30569309025904",
    "6011111111111117",
    "3530111333300000",
]
"""The issuers' own numbers for tests."""


@pytest.mark.parametrize("number", CARDS)
@pytest.mark.parametrize("between", ["", " ", "-"])
def test_a_card_number_keeps_its_last_four_digits(number: str, between: str) -> None:
    written = between.join(number[at : at + 4] for at in range(0, len(number), 4))
    shown = masked(f"paid with {written}, she says")
    assert shown == f"paid with {'•' * (len(number) - 4)}{number[-4:]}, she says"


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111112",  # the check digit is wrong
        "9400111899223197428490",  # a parcel
        "5012345678900",  # an article
        "1234567890123452",  # adds up, and nobody issues such
        "+49 170 1234567",
        "order 2026-03-02 10045",
        "",
    ],
)
def test_what_is_no_card_stays(text: str) -> None:
    assert masked(text) == text


@given(st.text(max_size=60), st.sampled_from(CARDS), st.text(max_size=60))
def test_no_card_survives_in_any_company(before: str, number: str, after: str) -> None:
    found = masked(f"{before} #{number}; {after}")
    assert number not in found
    assert masked(found) == found


@given(st.text(alphabet=st.characters(exclude_categories=["Nd"])))
def test_words_are_never_touched(text: str) -> None:
    assert masked(text) == text


@pytest.mark.parametrize("number", [one for one in CARDS if len(one) > 13])
@pytest.mark.parametrize(
    ("made", "shown"),
    [
        (lambda card: {"note": f"card {card}, thanks"}, lambda dots: {"note": f"card {dots}, thanks"}),
        (lambda card: {"payment": {"number": int(card)}}, lambda dots: {"payment": {"number": dots}}),
        (lambda card: [["x", card], 1], lambda dots: [["x", dots], 1]),
        (
            lambda card: {"customer_id": f"his card is {card}"},
            lambda dots: {"customer_id": f"his card is {dots}"},
        ),
    ],
)
def test_a_card_number_in_what_a_machine_sent_is_masked_wherever_it_stands(
    number: str, made: Any, shown: Any
) -> None:
    assert masked_data(made(number)) == shown("•" * (len(number) - 4) + number[-4:])


@pytest.mark.parametrize(
    "value",
    [
        {"id": 4111111111111111, "order_id": "4111111111111111", "lineItemId": 4111111111111111},
        {"trackingNumber": "4111 1111 1111 1111".replace(" ", ""), "ids": ["4111111111111111"]},
        {"gtin": "4012345678901", "note": "4222222222222"},  # thirteen digits: articles, ids of shops
        {"lat": 52.4111111111111111, "text": "0.4111111111111111", "at": "2026-03-02T09:30:00.123456Z"},
        {"total": 10**30, "ok": True, "none": None, "tuple": (1, 2)},
        "a text",
        None,
    ],
)
def test_what_is_no_card_in_what_a_machine_sent_is_the_very_same(value: Any) -> None:
    assert masked_data(value) is value


def test_a_number_that_is_hidden_by_escapes_is_found() -> None:
    sent = json.loads('{"note": "\\u0034111\\u002d1111-1111-1111"}')
    assert masked_data(sent) == {"note": "••••••••••••1111"}


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
        max_leaves=20,
    ),
    st.sampled_from([one for one in CARDS if len(one) > 13]),
)
def test_any_data_keep_their_shape_and_no_card(value: Any, number: str) -> None:
    found = masked_data({"a": value, "b": [number, f"#{number}!"]})
    assert number not in json.dumps(found["b"], ensure_ascii=False)
    assert masked_data(found) is found
