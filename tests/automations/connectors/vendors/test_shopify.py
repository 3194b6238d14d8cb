"""Each topic becomes its canonical events, to the cent; what is not Shopify's is refused."""

import json
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from automations.connectors import registry
from automations.connectors.contract import Arrival, Delivery
from automations.connectors.errors import Nonsense, SignatureMissing, SignatureWrong
from automations.connectors.vendors.shopify import webhooks
from automations.events import registry as contracts
from kernel.errors import Invalid
from tests.support import make
from tests.support.cast import NOW

PAYLOADS = Path(__file__).parent.parent / "payloads/shopify"
SHARED = Path("/work/shared/payloads/shopify_rest")
TOPICS = sorted(webhooks.TOPICS)


def payload(topic: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((PAYLOADS / f"{topic.replace('/', '_')}.json").read_text())
    return found


def read(topic: str, body: Any, key: str = "wh-1") -> list[Arrival]:
    raw = make.body(body)
    return webhooks.read(Delivery(make.shopify_signed(raw, "secret", topic, key), raw))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def test_a_new_order_is_placed_whole() -> None:
    (found,) = read("orders/create", payload("orders/create"))
    assert found == Arrival(
        id="wh-1",
        type="order.placed",
        subject="6120045510931",
        time=at("2026-03-02T08:12:44Z"),
        extensions={"shopifytopic": "orders/create", "shopifydomain": "harbour.myshopify.com"},
        data={
            "order_id": "6120045510931",
            "number": "2204",
            "placed_at": "2026-03-02T08:12:44Z",
            "currency": "EUR",
            "total_minor": 14_335,
            "tax_minor": 2_289,
            "discount_minor": 1_440,
            "shipping_minor": 490,
            "lines": [
                {
                    "line_id": "15300112233",
                    "sku": "BOOT-02",
                    "title": "Ridge boots",
                    "quantity": 1,
                    "price_minor": 13_500,
                },
                {
                    "line_id": "15300112234",
                    "sku": "44077",
                    "title": "Tent pegs",
                    "quantity": 3,
                    "price_minor": 595,
                },
            ],
            "customer": {
                "customer_id": "7003314412",
                "name": "Imke Brandt",
                "email": "imke.brandt@example.net",
            },
            "shipping_address": {
                "name": "Imke Brandt",
                "street": "Deichstraße 12, Hinterhaus",
                "city": "Lübeck",
                "region": "Schleswig-Holstein",
                "postcode": "23552",
                "country": "DE",
                "phone": "+49 451 555010",
            },
            "channel": "web",
            "payment_status": "pending",
        },
    )


def test_a_changed_order_is_updated_whole() -> None:
    (found,) = read("orders/updated", payload("orders/updated"))
    assert (found.type, found.time) == ("order.updated", at("2026-03-02T10:40:02Z"))
    assert found.data["shipping_address"]["postcode"] == "23554"
    assert found.data["shipping_address"]["street"] == "Deichstraße 12"


def test_a_paid_order_tells_how_much() -> None:
    (found,) = read("orders/paid", payload("orders/paid"))
    assert (found.type, found.time) == ("order.paid", at("2026-03-02T08:13:20Z"))
    assert found.data == {"order_id": "6120045510931", "amount_minor": 14_335, "currency": "EUR"}


def test_a_canceled_order_tells_why_and_when() -> None:
    (found,) = read("orders/cancelled", payload("orders/cancelled"))
    assert (found.type, found.time) == ("order.canceled", at("2026-03-02T11:00:30Z"))
    assert found.data == {"order_id": "6120045510931", "reason": "customer"}


def test_a_fulfilment_is_a_shipment_and_a_hand_over() -> None:
    shipped, handed = read("fulfillments/create", payload("fulfillments/create"))
    data = {
        "shipment_id": "5511203344",
        "order_id": "6120045510931",
        "carrier": "DHL",
        "tracking_number": "00340434161094000011",
    }
    assert (shipped.id, shipped.type, shipped.data) == (
        "wh-1",
        "shipment.updated",
        {**data, "status": "success"},
    )
    assert (handed.id, handed.type, handed.data) == ("wh-1:order.handed_over", "order.handed_over", data)
    assert shipped.subject == handed.subject == "6120045510931"


@pytest.mark.parametrize("status", ["pending", "open", "cancelled", "error", "failure", None])
def test_a_fulfilment_that_has_not_left_is_no_hand_over(status: str | None) -> None:
    (found,) = read("fulfillments/create", {**payload("fulfillments/create"), "status": status})
    assert (found.type, found.data["status"]) == ("shipment.updated", status or "unknown")


def test_a_refund_adds_its_transactions_up() -> None:
    (found,) = read("refunds/create", payload("refunds/create"))
    assert (found.type, found.time) == ("refund.created", at("2026-03-09T09:05:00Z"))
    assert found.data == {
        "refund_id": "930011223",
        "order_id": "6120045510931",
        "amount_minor": 12_060,
        "currency": "EUR",
        "reason": "zu klein",
        "lines": [{"sku": "BOOT-02", "quantity": 1}],
    }


@pytest.mark.parametrize("topic", TOPICS)
def test_what_comes_out_meets_its_contract(topic: str) -> None:
    found = read(topic, payload(topic))
    assert [one.type for one in found] == list(webhooks.TOPICS[topic])
    for one in found:
        contract = contracts.contract(one.type)
        assert contract is not None
        assert contract.findings(one.data) == []


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("19.99", "EUR", 1_999),
        ("0.07", "USD", 7),
        ("1000", "JPY", 1_000),
        ("12.345", "KWD", 12_345),
        ("-5.00", "EUR", -500),
        ("100000000.01", "EUR", 10_000_000_001),
    ],
)
def test_money_is_exact_in_every_currency(amount: str, currency: str, minor: int) -> None:
    body = {**payload("orders/paid"), "total_price": amount, "currency": currency}
    (found,) = read("orders/paid", body)
    assert found.data["amount_minor"] == minor


def test_an_order_with_nothing_but_the_needful_is_read() -> None:
    body = {
        "id": 1,
        "created_at": "2026-03-02T09:12:44+01:00",
        "currency": "EUR",
        "total_price": "0.00",
        "line_items": [],
        "customer": None,
        "shipping_address": None,
    }
    (found,) = read("orders/create", body)
    contract = contracts.contract("order.placed")
    assert contract is not None
    assert contract.findings(found.data) == []


@pytest.mark.parametrize("topic", ["products/update", "app/uninstalled", "orders/delete", "shop/redact"])
def test_other_topics_are_ignored_whatever_they_carry(topic: str) -> None:
    assert read(topic, b"no JSON") == []


@pytest.mark.parametrize("topic", TOPICS)
@pytest.mark.parametrize("body", [b"", b"no JSON", b"[]", b"5", b"{}", b"null", b'{"id":1}', b'{"order":5}'])
def test_nonsense_is_400(topic: str, body: bytes) -> None:
    with pytest.raises((Nonsense, Invalid)) as caught:
        read(topic, body)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("topic", "changes"),
    [
        ("orders/create", {"total_price": 143.35}),
        ("orders/create", {"total_price": "NaN"}),
        ("orders/create", {"total_price": "a lot"}),
        ("orders/create", {"created_at": "2026-03-02"}),
        ("orders/create", {"created_at": None}),
        ("orders/create", {"line_items": [5]}),
        ("orders/create", {"line_items": [{"id": 1, "price": "1.00"}]}),
        ("orders/create", {"id": None}),
        ("orders/create", {"id": True}),
        ("orders/create", {"currency": None}),
        ("orders/create", {"customer": "somebody"}),
        ("orders/paid", {"financial_status": "pending"}),
        ("orders/cancelled", {"cancelled_at": None}),
        ("fulfillments/create", {"order_id": {}}),
        ("refunds/create", {"transactions": [{"kind": "refund", "amount": 1, "currency": "EUR"}]}),
    ],
)
def test_a_body_that_its_topic_does_not_send_is_400(topic: str, changes: dict[str, Any]) -> None:
    with pytest.raises(Nonsense):
        read(topic, {**payload(topic), **changes})


def test_any_member_may_be_missing_without_a_crash() -> None:
    whole = payload("orders/create")
    for name in whole:
        body = deepcopy(whole)
        del body[name]
        try:
            read("orders/create", body)
        except Nonsense as error:
            assert name in error.message  # noqa: PT017 - either is right


@pytest.mark.parametrize("header", ["X-Shopify-Topic", "X-Shopify-Webhook-Id"])
def test_a_missing_header_is_400_and_named(header: str) -> None:
    raw = make.body(payload("orders/create"))
    headers = dict(make.shopify_signed(raw, "secret", "orders/create"))
    del headers[header]
    with pytest.raises(Nonsense, match=header):
        webhooks.read(Delivery(make.headers(headers), raw))


class TestSignature:
    RAW = b'{"id": 1}'

    def verify(self, raw: bytes, headers: Any, *keys: str) -> None:
        webhooks.verify(Delivery(headers, raw), keys, NOW)

    def test_the_right_one_passes_under_any_of_two_secrets(self) -> None:
        headers = make.shopify_signed(self.RAW, "new", "orders/create")
        self.verify(self.RAW, headers, "old", "new")
        self.verify(self.RAW, headers, "new")

    @pytest.mark.parametrize("value", ["x", "ü", "=", "A" * 44])
    def test_a_wrong_one_does_not(self, value: str) -> None:
        headers = make.headers({"X-Shopify-Hmac-Sha256": value})
        with pytest.raises(SignatureWrong):
            self.verify(self.RAW, headers, "secret")

    def test_none_at_all_does_not(self) -> None:
        with pytest.raises(SignatureMissing):
            self.verify(self.RAW, make.headers({}), "secret")
        with pytest.raises(SignatureMissing):
            self.verify(self.RAW, make.headers({"X-Shopify-Hmac-Sha256": ""}), "")

    def test_without_a_key_nothing_passes(self) -> None:
        with pytest.raises(SignatureWrong):
            self.verify(self.RAW, make.shopify_signed(self.RAW, "", "orders/create"))


@pytest.mark.skipif(not SHARED.exists(), reason="the shared payloads are not on this machine")
class TestRealBodies:
    """What the platform's own client library is tested with."""

    def body(self, name: str) -> Any:
        return json.loads((SHARED / f"test__fixtures__{name}.json").read_text())

    @pytest.mark.parametrize("wrapped", [True, False])
    def test_an_order(self, wrapped: bool) -> None:
        body = self.body("order")
        (found,) = read("orders/create", body if wrapped else body["order"])
        assert (found.subject, found.time) == ("450789469", at("2008-01-10T16:00:00Z"))
        assert (found.data["total_minor"], found.data["tax_minor"], found.data["currency"]) == (
            40_994,
            1_194,
            "USD",
        )
        assert [line["sku"] for line in found.data["lines"]] == [
            "IPOD2008GREEN",
            "IPOD2008RED",
            "IPOD2008BLACK",
        ]
        assert found.data["shipping_address"]["postcode"] == "40202"
        assert found.data["number"] == "1001"
        contract = contracts.contract("order.placed")
        assert contract is not None
        assert contract.findings(found.data) == []

    def test_an_order_of_a_list_that_was_cut_short(self) -> None:
        for order in self.body("orders")["orders"]:
            with pytest.raises(Nonsense, match="line_items is missing"):
                read("orders/updated", order)
            (found,) = read("orders/updated", {**order, "line_items": []})
            assert found.data["total_minor"] == 59_894

    def test_a_refund(self) -> None:
        (found,) = read("refunds/create", self.body("refund"))
        assert (found.data["amount_minor"], found.data["currency"]) == (20_900, "USD")
        assert found.data["reason"] == "it broke during shipping"

    def test_a_fulfilment(self) -> None:
        (found,) = read("fulfillments/create", self.body("fulfillment"))
        assert (found.type, found.data["status"]) == ("shipment.updated", "pending")
        assert found.data["tracking_number"] == "1Z2345"


def test_an_order_can_be_read_again() -> None:
    connector, operation = registry.operation("shopify.orders.get")
    call = operation.call({"order_id": "450789469", "fields": "id,name"})
    assert (connector.name, call.method, call.path, call.body) == (
        "shopify",
        "GET",
        "/orders/450789469.json?fields=id%2Cname",
        None,
    )
