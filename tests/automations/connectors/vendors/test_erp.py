"""The ERP connector speaks what the ERP of the simulated estate understands."""

import json
from typing import Any

import pytest
from aiohttp.test_utils import TestServer

from automations.connectors import registry
from automations.connectors.contract import Call
from automations.connectors.enums import AuthKind, Effect, ErrorClass
from automations.connectors.errors import InputWrong
from deploy.estate.server import Estate, build
from kernel.http import Client, Egress

ERP = registry.connector("erp")
ORDER: dict[str, Any] = {
    "number": "10045",
    "customer": {"name": "Ann Example", "email": "ann@example.com"},
    "shipping_address": {
        "name": "Ann Example",
        "street": "14 Quay Street",
        "city": "Bristol",
        "postcode": "BS1 4DB",
        "country": "GB",
    },
    "currency": "GBP",
    "lines": [{"sku": "RAIN-02", "quantity": 1, "unit_minor": 8_899}],
    "shipping_minor": 495,
    "total_minor": 9_394,
}


def call(name: str, values: Any) -> Call:
    operation = ERP.operation(name)
    assert operation is not None
    return operation.call(values)


class Desk:
    """The estate's ERP behind the connector."""

    def __init__(self, url: str, client: Client, key: str) -> None:
        self._url, self._client, self._key = url, client, key

    async def ask(self, name: str, values: Any, key: str = "") -> tuple[int, Any]:
        operation = ERP.operation(name)
        assert operation is not None
        made = operation.call(values)
        headers = ERP.auth[0].headers({}, self._key)
        if key:
            headers[operation.idempotency_header] = key
        body = None if made.body is None else json.dumps(made.body).encode()
        answer = await self._client.send(made.method, f"{self._url}{made.path}", headers=headers, body=body)
        value = json.loads(answer.body)
        if ERP.error_class(answer.status) is None:
            assert operation.output.findings(value) == []
        return answer.status, value


@pytest.fixture
async def desk() -> Any:
    server = TestServer(build(Estate(key="a key of the ERP")), host="127.0.0.1")
    await server.start_server()
    client = Client(Egress(allowed=frozenset({f"127.0.0.1:{server.port}"})))
    yield Desk(f"http://127.0.0.1:{server.port}", client, "a key of the ERP")
    await client.close()
    await server.close()


async def test_an_order_is_booked_once_a_key(desk: Desk) -> None:
    first = await desk.ask("orders.create", ORDER, "k-1")
    assert first[0] == 201
    assert await desk.ask("orders.create", ORDER, "k-1") == first
    assert (await desk.ask("orders.get", {"number": "10045"}))[1]["reference"] == first[1]["reference"]


async def test_stock_is_reserved_and_given_back(desk: Desk) -> None:
    await desk.ask("orders.create", ORDER, "k-1")
    before = (await desk.ask("stock.get", {"sku": "RAIN-02"}))[1]["available"]
    assert (await desk.ask("orders.reserve", {"number": "10045"}, "k-2"))[1]["status"] == "reserved"
    assert (await desk.ask("stock.get", {"sku": "RAIN-02"}))[1]["available"] == before - 1
    assert (await desk.ask("orders.cancel", {"number": "10045"}, "k-3"))[1]["status"] == "cancelled"
    assert (await desk.ask("stock.get", {"sku": "RAIN-02"}))[1]["available"] == before


@pytest.mark.parametrize("postcode", ["nonsense", "", None])
async def test_a_postcode_is_judged_by_the_erp(desk: Desk, postcode: Any) -> None:
    order = {**ORDER, "shipping_address": {**ORDER["shipping_address"], "postcode": postcode}}
    status, problem = await desk.ask("orders.create", order, "k-1")
    assert (status, ERP.error_class(status)) == (422, ErrorClass.REFUSED)
    assert list(problem["fields"]) == ["shipping_address.postcode"]


async def test_another_key_is_not_let_in(desk: Desk) -> None:
    desk._key = "another"
    status, _ = await desk.ask("orders.get", {"number": "10045"})
    assert (status, ERP.error_class(status)) == (401, ErrorClass.SIGN_IN)


async def test_the_probe_is_answered(desk: Desk) -> None:
    assert ERP.probe is not None
    name = ERP.probe.path.rpartition("/")[2]
    status, _ = await desk.ask("stock.get", {"sku": name})
    assert status in ERP.probe.expect


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"number": 10045}, "/number"),
        ({"lines": []}, "/lines"),
        ({"lines": [{"sku": "A", "quantity": 1.5, "unit_minor": 1}]}, "/lines/0/quantity"),
        ({"total_minor": "93.94"}, "/total_minor"),
        ({"shipping_address": {}}, "/shipping_address"),
    ],
)
def test_what_the_operation_does_not_take_is_refused_before_the_call(change: Any, pointer: str) -> None:
    with pytest.raises(InputWrong) as caught:
        call("orders.create", {**ORDER, **change})
    assert pointer in caught.value.fields


def test_an_odd_number_stays_one_segment_of_the_path() -> None:
    assert call("orders.get", {"number": "a/b?c#d é"}).path == "/erp/orders/a%2Fb%3Fc%23d%20%C3%A9"


def test_what_acts_has_a_key_and_what_reads_needs_none() -> None:
    for operation in ERP.operations:
        acts = operation.method == "POST"
        assert operation.effect == (Effect.IDEMPOTENT if acts else Effect.SAFE)
        assert bool(operation.idempotency_header) == acts
    assert [auth.kind for auth in ERP.auth] == [AuthKind.BEARER]
