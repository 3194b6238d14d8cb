"""The simulated shop and ERP over real HTTP: it acts once per key, refuses what an ERP refuses, fails as told."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from standardwebhooks.webhooks import Webhook

from automations.connectors.contract import Delivery
from automations.connectors.vendors.shopify import webhooks
from automations.events import registry
from deploy.estate import signing
from deploy.estate.erp import check_order
from deploy.estate.orders import Customers
from deploy.estate.server import Estate, build
from deploy.estate.shapes import erp_order, order_placed, shopify_order
from kernel.clock import parse_rfc3339

AT = parse_rfc3339("2026-03-02T09:00:00Z")
KEY = {"Authorization": "Bearer k"}
Client = TestClient[web.Request, web.Application]


@pytest.fixture
async def estate() -> AsyncIterator[Client]:
    server = TestServer(build(Estate(key="k-1", seed=7, first_number=1001)))
    async with TestClient(server, headers={"Authorization": "Bearer k-1"}) as client:
        yield client


def an_order(**changes: Any) -> dict[str, Any]:
    """A British order as the ERP takes it."""
    customers = Customers(7, 1001)
    order = next(one for one in iter(lambda: customers.order(AT), None) if one.country == "GB")
    return {**erp_order(order), **changes}


async def book(client: Client, order: Any, key: str = "") -> tuple[int, dict[str, Any]]:
    headers = {"Idempotency-Key": key} if key else {}
    async with client.post("/erp/orders", json=order, headers=headers) as answer:
        return answer.status, json.loads(await answer.read())


def broken(type_: str, data: Any) -> list[Any]:
    """Where `data` breaks the portal's contract of an event type."""
    contract = registry.contract(type_)
    assert contract is not None
    return contract.findings(data)


async def state(client: Client) -> dict[str, Any]:
    found: dict[str, Any] = await (await client.get("/control/state?keys=1")).json()
    return found


async def fail(client: Client, *rules: dict[str, Any]) -> None:
    assert (await client.post("/control/faults", json=list(rules))).status == 200


async def test_an_order_is_booked_reserved_cancelled_and_found(estate: Client) -> None:
    order = an_order()
    path = f"/erp/orders/{order['number']}"
    sku, quantity = order["lines"][0]["sku"], order["lines"][0]["quantity"]
    status, booked = await book(estate, order)
    assert (status, booked["reference"], booked["status"]) == (201, "SO-000001", "booked")
    before = (await (await estate.get(f"/erp/stock/{sku}")).json())["available"]
    reserved = await (await estate.post(f"{path}/reserve")).json()
    assert (reserved["status"], reserved["reservation"]) == ("reserved", "RS-000001")
    assert (await (await estate.get(f"/erp/stock/{sku}")).json())["available"] == before - quantity
    assert (await (await estate.post(f"{path}/cancel")).json())["status"] == "cancelled"
    assert (await (await estate.get(f"/erp/stock/{sku}")).json())["available"] == before
    assert (await (await estate.get(path)).json())["status"] == "cancelled"
    assert (await estate.post(f"{path}/reserve")).status == 409
    assert (await estate.get("/erp/orders/HO-0")).status == 404


async def test_without_its_key_nothing_is_done(estate: Client) -> None:
    answer = await estate.post("/erp/orders", json=an_order(), headers={"Authorization": "Bearer other"})
    assert (answer.status, answer.content_type) == (401, "application/problem+json")
    assert (await state(estate))["orders"] == 0


async def test_a_repeat_under_the_same_key_gets_the_saved_answer_and_acts_once(estate: Client) -> None:
    order = an_order()
    first, again = await book(estate, order, "k"), await book(estate, order, "k")
    assert first == again
    other, problem = await book(estate, {**order, "number": "HO-2"}, "k")
    assert (other, problem["code"]) == (422, "idempotency_key_reused")
    told = await state(estate)
    assert (told["effects"]["by_key"], told["repeats"], told["rejected_keys"], told["orders"]) == (
        {"k": 1},
        2,
        {"k": 1},
        1,
    )


async def test_a_refusal_is_saved_under_its_key_too(estate: Client) -> None:
    broken = an_order(currency="XXX")
    assert await book(estate, broken, "k") == await book(estate, broken, "k")
    assert (await state(estate))["effects"]["total"] == 0


async def test_without_honour_every_repeat_acts(estate: Client) -> None:
    await estate.post("/control/reset", json={"honour_keys": False})
    order = an_order()
    assert (await book(estate, order, "k"))[0] == 201
    assert (await book(estate, {**order, "number": "HO-2"}, "k"))[0] == 201
    assert (await state(estate))["effects"]["applied_twice"] == ["k"]


@pytest.mark.parametrize(
    ("country", "postcode", "status"),
    [
        ("GB", "LS1 4AP", 201), ("GB", "ls14ap", 201), ("GB", "", 422), ("GB", "LS1", 422), ("GB", None, 422),
        ("DE", "50667", 201), ("DE", "5066", 422), ("US", "97205-1234", 201), ("US", "9720", 422),
        ("BR", "01310-100", 201), ("BR", "01310100", 201), ("BR", "0131-100", 422), ("FR", "", 201),
    ],
)  # fmt: skip
async def test_a_postcode_is_checked_by_the_country_it_is_in(
    estate: Client, country: str, postcode: object, status: int
) -> None:
    order = an_order()
    order["shipping_address"] |= {"country": country, "postcode": postcode}
    found, answer = await book(estate, order)
    assert found == status
    assert list(answer.get("fields", {})) == (["shipping_address.postcode"] if status == 422 else [])


async def test_every_bad_field_is_named(estate: Client) -> None:
    order = an_order(number="", total_minor="12", lines=[{"sku": "NONE-01"}])
    del order["customer"]
    status, answer = await book(estate, order)
    assert status == 422
    assert sorted(answer["fields"]) == ["customer.name", "lines.0.sku", "number", "total_minor"]


async def test_another_price_or_total_is_a_conflict(estate: Client) -> None:
    order = an_order()
    lines = [{**order["lines"][0], "unit_minor": 1}, *order["lines"][1:]]
    assert (await book(estate, {**order, "lines": lines}))[1]["code"] == "price_mismatch"
    assert (await book(estate, {**order, "total_minor": 1}))[1]["code"] == "total_mismatch"
    assert (await book(estate, order))[0] == 201
    assert (await book(estate, order))[1]["code"] == "already_booked"


async def test_too_little_stock_is_a_conflict(estate: Client) -> None:
    order = an_order()
    await estate.post("/control/stock", json={order["lines"][0]["sku"]: 0})
    await book(estate, order)
    answer = await estate.post(f"/erp/orders/{order['number']}/reserve")
    assert (answer.status, (await answer.json())["code"]) == (409, "out_of_stock")


async def test_rules_apply_after_and_as_often_as_they_say(estate: Client) -> None:
    await fail(estate, {"match": {"method": "POST", "path": "/erp/*"}, "after": 1, "times": 2, "status": 503})
    found = [(await book(estate, an_order(number=f"HO-{number}")))[0] for number in range(5)]
    assert found == [201, 503, 503, 201, 201]
    assert (await state(estate))["faults"][0]["applied"] == 2


async def test_a_rate_limit_says_when_to_come_back(estate: Client) -> None:
    await fail(estate, {"times": 1, "rate_limit": {"retry_after": 30}})
    answer = await estate.post("/erp/orders", json=an_order())
    assert (answer.status, answer.headers["Retry-After"]) == (429, "30")


async def test_a_dropped_line_has_not_acted_but_one_dropped_afterwards_has(estate: Client) -> None:
    order = an_order()
    await fail(estate, {"times": 1, "drop": True})
    with pytest.raises(aiohttp.ClientError):
        await book(estate, order, "k")
    assert (await state(estate))["orders"] == 0
    await fail(estate, {"times": 1, "drop_after_acting": True})
    with pytest.raises(aiohttp.ClientError):
        await book(estate, order, "k")
    assert (await state(estate))["orders"] == 1
    assert (await book(estate, order, "k"))[0] == 201
    told = await state(estate)
    assert (told["effects"]["by_key"], told["repeats"], told["answers"]) == (
        {"k": 1},
        1,
        {"dropped": 2, "201": 1},
    )


async def test_half_an_answer_and_a_late_one(estate: Client) -> None:
    order = an_order()
    await fail(estate, {"times": 1, "bad_json": True})
    with pytest.raises(json.JSONDecodeError):
        await book(estate, order, "k")
    assert (await book(estate, order, "k"))[0] == 201
    await fail(estate, {"times": 1, "slow": 0.2})
    began = asyncio.get_running_loop().time()
    assert (await book(estate, order, "k"))[0] == 201
    assert asyncio.get_running_loop().time() - began >= 0.2


async def test_a_rule_that_says_nothing_or_something_unknown_is_refused(estate: Client) -> None:
    for rule in ({}, {"status": 503, "drop": True}, {"status": 503, "often": 3}, "503"):
        assert (await estate.post("/control/faults", json=[rule])).status == 400
    assert (
        await estate.post("/control/faults", data="[]", headers={"Content-Type": "text/plain"})
    ).status == 415


async def test_a_reset_forgets_everything(estate: Client) -> None:
    await book(estate, an_order(), "k")
    await fail(estate, {"status": 503})
    await estate.post("/control/reset", json={})
    told = await state(estate)
    assert (told["orders"], told["effects"]["total"], told["requests"], told["faults"]) == (0, 0, {}, [])


class Portal:
    """A door that takes webhooks and answers as it is told, then 202."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.taken: list[tuple[dict[str, str], bytes]] = []

    async def receive(self, request: web.Request) -> web.Response:
        self.taken.append((dict(request.headers), await request.read()))
        return web.Response(status=self.statuses.pop(0) if self.statuses else 202)


async def fed(estate: Client, portal: Portal, **wish: Any) -> dict[str, Any]:
    """Run a feed into `portal` to its end; what the estate tells of it."""
    app = web.Application()
    app.router.add_post("/in", portal.receive)
    async with TestServer(app) as door:
        url = f"http://shop.localhost:{door.port}/in"
        answer = await estate.post("/control/shop/feed", json={"url": url, "rate_per_second": 100, **wish})
        assert answer.status == 201, await answer.text()
        for _ in range(500):
            feed: dict[str, Any] = (await state(estate))["feeds"][0]
            if not feed["running"]:
                return feed
            await asyncio.sleep(0.01)
    raise AssertionError("the feed did not end")


async def test_a_feed_sends_signed_shopify_orders_some_without_a_postcode(estate: Client) -> None:
    portal = Portal()
    feed = await fed(estate, portal, secret="hush", count=40, faulty=0.25)
    assert (feed["sent"], feed["taken"], feed["url"].split("//")[1].split(":")[0]) == (
        40,
        40,
        "shop.localhost",
    )
    for headers, body in portal.taken:
        assert headers["X-Shopify-Hmac-Sha256"] == signing.shopify("hush", body)
        assert headers["X-Shopify-Topic"] == "orders/create"
    orders = [json.loads(body) for _, body in portal.taken]
    assert len({order["name"] for order in orders}) == 40
    assert 4 <= sum(not order["shipping_address"]["zip"] for order in orders) <= 12
    found = await (await estate.get(f"/shop/orders/{orders[0]['id']}.json")).json()
    assert found["order"] == orders[0]


async def test_a_feed_of_cloudevents_carries_a_standard_signature(estate: Client) -> None:
    portal, secret = Portal(), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    await fed(estate, portal, secret=secret, count=3, style="cloudevents")
    for headers, body in portal.taken:
        event = Webhook(secret).verify(body, {name.lower(): value for name, value in headers.items()})
        assert (event["type"], event["specversion"], event["id"]) == (
            "order.placed",
            "1.0",
            headers["webhook-id"],
        )
        assert broken("order.placed", event["data"]) == []


async def test_a_webhook_that_is_not_taken_comes_again_under_its_id_until_it_is(estate: Client) -> None:
    portal = Portal(503, 401)
    feed = await fed(estate, portal, secret="hush", count=1)
    assert (feed["retried"], feed["taken"], feed["refused"]) == (1, 0, 1)
    first, second = (headers["X-Shopify-Webhook-Id"] for headers, _ in portal.taken)
    assert first == second


@pytest.mark.parametrize("wish", [{"url": "ftp://x"}, {"style": "fax"}, {"rate_per_second": 0}, {"pace": 1}])
async def test_a_feed_that_nobody_can_run_is_refused(estate: Client, wish: dict[str, Any]) -> None:
    answer = await estate.post("/control/shop/feed", json={"url": "http://x", "secret": "hush", **wish})
    assert answer.status == 400


async def test_books_answers_and_endless_feeds_are_there_again_after_a_restart(tmp_path: Path) -> None:
    file, order = tmp_path / "state", an_order()
    wish = {"url": "http://shop.localhost:1/in", "secret": "hush", "rate_per_second": 0.01}
    async with TestClient(TestServer(build(Estate(key="k", state_file=file))), headers=KEY) as before:
        first = await book(before, order, "once")
        assert (await before.post("/control/shop/feed", json=wish)).status == 201
    async with TestClient(TestServer(build(Estate(key="k", state_file=file))), headers=KEY) as after:
        assert await book(after, order, "once") == first
        assert (await after.get(f"/erp/orders/{order['number']}")).status == 200
        assert [feed["url"] for feed in (await state(after))["feeds"]] == [wish["url"]]
    assert file.stat().st_mode & 0o777 == 0o600


def test_an_order_of_the_shop_becomes_one_that_the_erp_books() -> None:
    customers = Customers(7, 1001)
    for _ in range(50):
        order = customers.order(AT)
        body = json.dumps(shopify_order(order)).encode()
        headers = {"X-Shopify-Topic": "orders/create", "X-Shopify-Webhook-Id": "w-1"}
        (arrival,) = webhooks.read(Delivery(headers, body))
        assert (
            broken("order.placed", arrival.data) == broken("order.placed", order_placed(order)["data"]) == []
        )
        for told in (arrival.data, order_placed(order)["data"]):
            names = ("number", "customer", "shipping_address", "currency", "shipping_minor", "total_minor")
            lines = [
                {"sku": line["sku"], "quantity": line["quantity"], "unit_minor": line["price_minor"]}
                for line in told["lines"]
            ]
            check_order({**{name: told[name] for name in names}, "lines": lines})
            assert told["number"] == erp_order(order)["number"]


def test_the_published_vectors_of_both_schemes_come_out() -> None:
    assert signing.shopify("hush", b'"my secret message"') == "hMTq0K2x7oyOjoBwGYeTj5oxfnaVYXzbanUG9aajpKI="
    secret, message = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek"
    signature = signing.standard(secret, message, 1614265330, b'{"test": 2432232314}')
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_same_seed_gives_the_same_orders_and_their_sums_add_up() -> None:
    once, again = Customers(7, 1001), Customers(7, 1001)
    for _ in range(200):
        order = once.order(AT, faulty=0.2)
        assert order == again.order(AT, faulty=0.2)
        resource = shopify_order(order)
        goods = sum(round(float(line["price"]) * 100) * line["quantity"] for line in resource["line_items"])
        shipping = round(float(resource["shipping_lines"][0]["price"]) * 100)
        assert goods + shipping == round(float(resource["total_price"]) * 100) == order.total_minor
        assert order.email.isascii()
