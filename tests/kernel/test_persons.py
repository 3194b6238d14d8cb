"""A person is found by what they are known by, and goes without taking along what is somebody else's or no one's."""

from typing import Any

import pytest

from kernel import jsonx
from kernel.persons import Person, kind_of, normal, usable


def order(**changes: Any) -> dict[str, Any]:
    return {
        "order_id": "10045",
        "currency": "GBP",
        "total_minor": 17_895,
        "lines": [{"sku": "RAIN-02", "name": "Rain jacket", "quantity": 1}],
        "customer": {"name": "Ann Example", "email": "ann@example.com"},
        "shipping_address": {
            "name": "Ann Example",
            "street": "14 Quay Street",
            "city": "Bristol",
            "postcode": "BS1 4DB",
            "country": "GB",
        },
        "channel": "web",
        **changes,
    }


ANN = Person(["ann@example.com", "+44 7700 900 123", "Ann Example", "C-20931"], "erased-7f3a")


@pytest.mark.parametrize(
    "text",
    [
        "Mail ANN@Example.com, please",
        "<ann@example.com>",
        "call 07700 900123",
        "call 00447700900123.",
        "tel:+44(0)7700-900-123",
        "Ann  Example rang",
        "customer C-20931",
    ],
)
def test_a_term_is_found_however_it_is_written(text: str) -> None:
    assert ANN.stands_in(text)
    clean = ANN.without(text)
    assert not ANN.stands_in(clean)
    assert "erased-7f3a-" in clean


@pytest.mark.parametrize(
    "text",
    [
        "joann@example.com",
        "ann@example.community",
        "order 7700900124",
        "C-209311",
        "XC-20931",
        "Ann Examples",
        "AnnExample",
    ],
)
def test_what_is_somebody_elses_stays(text: str) -> None:
    assert not ANN.stands_in(text)
    assert ANN.without(text) == text


def test_a_record_goes_with_all_that_names_people_and_keeps_ids_and_amounts() -> None:
    one = order()
    clean = Person(["ann@example.com"], "erased-1").without_json(one)
    text = jsonx.text(clean)
    for gone in ("ann@example.com", "Ann Example", "14 Quay Street", "Bristol", "BS1 4DB"):
        assert gone not in text
    for kept in ("order_id", "currency", "total_minor", "lines", "channel"):
        assert clean[kept] == one[kept]
    assert clean["shipping_address"]["country"] == "GB"
    assert clean["customer"]["email"] == "erased-1-1@erased.invalid"


def test_other_peoples_records_in_one_value_stay() -> None:
    other = order(customer={"name": "Bo Other", "email": "bo@example.com"}, order_id="2")
    value = {"orders": [order(), other], "seen_by": {"name": "Robin"}}
    clean = Person(["ann@example.com"], "erased-1").without_json(value)
    assert clean["orders"][1] == other
    assert clean["seen_by"] == {"name": "Robin"}
    assert "Ann" not in jsonx.text(clean["orders"][0])


def test_numbers_are_somebodys_only_when_they_are_long() -> None:
    found = Person(["+49 170 1234567"], "erased-1")
    clean = found.without_json({"phone": 491701234567, "total_minor": 1_234_567})
    assert clean["total_minor"] == 1_234_567
    assert "1701234567" not in jsonx.text(clean)


def test_what_else_a_person_is_known_by_is_told() -> None:
    told = Person(["C-20931"]).told(
        order(customer={"id": "C-20931", "name": "Ann Example", "email": "a@b.eu"})
    )
    assert {"Ann Example", "a@b.eu", "14 Quay Street"} <= told
    assert Person(["C-1000"]).told(order()) == set()


def test_kinds_and_normal_forms() -> None:
    assert [kind_of(one) for one in ("a@b.eu", "+44 7700 900123", "20931", "Ann Example")] == [
        "mail",
        "phone",
        "word",
        "word",
    ]
    assert normal("+44 (0)7700 900123") == normal("07700-900 123")
    assert normal("Ann@Example.COM") == normal("ann@example.com")
    assert usable("C-20") is False
    assert usable("C-2093")
