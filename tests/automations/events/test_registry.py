"""Handlers are found by type, contracts hold what they promise."""

from datetime import datetime
from typing import Any

import pytest

from automations.events import registry
from automations.events.models import Event


def events(*types: str) -> list[Event]:
    return [Event(type=type_) for type_ in types]


def nothing(_: list[Event], __: datetime) -> None:
    """A handler that does nothing."""


@pytest.mark.usefixtures("handlers")
class TestHandlers:
    def test_a_handler_takes_exact_types_and_beginnings_in_their_order(self) -> None:
        registry.handles("order.placed", "portal.run.*")(nothing)
        (handling,) = registry.handlings()
        found = handling.matching(
            events("portal.run.faulted", "order.placed.late", "order.placed", "portal.runs", "portal.run.")
        )
        assert [event.type for event in found] == ["portal.run.faulted", "order.placed", "portal.run."]

    def test_a_star_takes_everything(self) -> None:
        registry.handles("*")(nothing)
        assert len(registry.handlings()[0].matching(events("a", "b.c"))) == 2

    def test_a_handler_of_exact_types_takes_no_other(self) -> None:
        registry.handles("a.b")(nothing)
        assert registry.handlings()[0].matching(events("a.c", "a")) == []

    def test_lower_orders_run_first_and_equal_ones_as_registered(self) -> None:
        for name, order in (("late", 90), ("first", 10), ("default", 50), ("also", 50)):
            registry.handles(name, order=order)(nothing)
        assert [handling.patterns[0] for handling in registry.handlings()] == [
            "first",
            "default",
            "also",
            "late",
        ]


CANONICAL = {
    "order.placed",
    "order.approved",
    "order.canceled",
    "order.unavailable",
    "order.handed_over",
    "order.delivered",
    "order.updated",
    "order.status_changed",
    "order.paid",
    "refund.created",
    "return.requested",
    "return.received",
    "stock.adjusted",
    "shipment.updated",
}


class TestContracts:
    def test_every_canonical_type_has_one(self) -> None:
        assert {contract.type for contract in registry.contracts()} == CANONICAL
        assert registry.contract("till.opened") is None

    @pytest.mark.parametrize("name", sorted(CANONICAL))
    def test_its_example_meets_it(self, name: str) -> None:
        contract = registry.contract(name)
        assert contract is not None
        assert contract.findings(contract.example) == []
        assert contract.version == 1
        assert contract.title
        assert contract.description

    @pytest.mark.parametrize("name", sorted(CANONICAL))
    def test_it_welcomes_more_members_and_refuses_a_missing_one(self, name: str) -> None:
        contract = registry.contract(name)
        assert contract is not None
        assert contract.findings({**contract.example, "of_our_own": {"a": [1]}}) == []
        for gone in registry.contract(name).example:  # type: ignore[union-attr]
            rest = {key: value for key, value in contract.example.items() if key != gone}
            if contract.findings(rest):
                break
        else:
            pytest.fail("nothing is required")

    @pytest.mark.parametrize(
        ("change", "pointer"),
        [
            ({"order_id": 10045}, "/order_id"),
            ({"order_id": ""}, "/order_id"),
            ({"placed_at": "2026-03-02"}, "/placed_at"),
            ({"placed_at": "2026-03-02T08:14:09"}, "/placed_at"),
            ({"currency": "eur"}, "/currency"),
            ({"total_minor": 178.95}, "/total_minor"),
            ({"total_minor": True}, "/total_minor"),
            ({"lines": {}}, "/lines"),
            ({"lines": [{"sku": "A", "quantity": 0, "price_minor": 1}]}, "/lines/0/quantity"),
            ({"lines": [{"sku": "A", "quantity": 1}]}, "/lines/0"),
            ({"shipping_address": {"postcode": 12345}}, "/shipping_address/postcode"),
            ({"shipping_address": {"country": "Germany"}}, "/shipping_address/country"),
            ({"estimated_delivery_at": None}, "/estimated_delivery_at"),
        ],
    )
    def test_an_order_with_a_wrong_type_is_pointed_at(self, change: Any, pointer: str) -> None:
        contract = registry.contract("order.placed")
        assert contract is not None
        assert [finding.pointer for finding in contract.findings({**contract.example, **change})] == [pointer]

    def test_what_is_not_known_of_a_person_may_be_null(self) -> None:
        contract = registry.contract("order.placed")
        assert contract is not None
        unknown = {"shipping_address": {"postcode": None, "country": None}, "customer": {"email": None}}
        assert contract.findings({**contract.example, **unknown}) == []

    def test_an_order_without_lines_is_one(self) -> None:
        contract = registry.contract("order.placed")
        assert contract is not None
        assert contract.findings({**contract.example, "lines": []}) == []

    @pytest.mark.parametrize("data", [None, [], "text", 5])
    def test_data_is_an_object(self, data: Any) -> None:
        contract = registry.contract("order.approved")
        assert contract is not None
        assert [finding.pointer for finding in contract.findings(data)] == [""]

    def test_the_schema_that_is_shown_stands_alone(self) -> None:
        import jsonschema_rs

        for contract in registry.contracts():
            jsonschema_rs.Draft202012Validator(contract.schema).validate(contract.example)
