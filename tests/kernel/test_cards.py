"""Card numbers are masked in what people write, and other long numbers are left."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.cards import masked

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
