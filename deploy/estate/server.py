"""The estate's doors: HTTP in front of the ERP, the shop, the stub and the controls."""

import asyncio
import hashlib
import hmac
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson
from aiohttp import web

from deploy.estate import keeping
from deploy.estate.erp import Erp, Refusal
from deploy.estate.faults import BadRule, Faults, Rule
from deploy.estate.feed import Feeds, Wish
from deploy.estate.keys import Keys
from deploy.estate.orders import Customers
from deploy.estate.shapes import shopify_order

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Act = Callable[[bytes], tuple[int, dict[str, Any]]]
_JSON: Final = "application/json"
_PROBLEM: Final = "application/problem+json"
_STUB_ANSWER: Final = b'{"ok":true}'


@dataclass
class Estate:
    """Everything that the server knows; `reset` forgets it, `state_file` remembers it over a restart."""

    key: str
    seed: int = 0
    latency_seconds: float = 0
    first_number: int = 10_001
    state_file: Path | None = None
    erp: Erp = field(init=False)
    keys: Keys = field(init=False)
    stub_keys: Keys = field(init=False)
    faults: Faults = field(init=False)
    requests: Counter[str] = field(init=False)
    answers: Counter[str] = field(init=False)

    def __post_init__(self) -> None:
        self.reset()
        self.feeds = Feeds(Customers(self.seed, self.first_number))

    def reset(self, *, honour_keys: bool = True) -> None:
        """Empty books, no rules, counts at zero; feeds go on."""
        self.erp, self.faults = Erp(), Faults(self.seed)
        self.keys, self.stub_keys = Keys(honoured=honour_keys), Keys(honoured=False)
        self.requests, self.answers = Counter(), Counter()

    def told(self, *, by_key: bool) -> dict[str, Any]:
        """The counts for a test or a person."""
        return {
            "requests": dict(self.requests),
            "answers": dict(self.answers),
            **self.keys.told(by_key=by_key),
            "stub": self.stub_keys.told(by_key=by_key),
            "orders": len(self.erp.orders),
            "faults": [rule.told() for rule in self.faults.rules],
            "feeds": [feed.told() for feed in self.feeds.feeds.values()],
        }


ESTATE: Final = web.AppKey("estate", Estate)


def build(estate: Estate) -> web.Application:
    """The application; it owns the feeds while it runs."""
    app = web.Application(middlewares=[_misbehaving], client_max_size=2 * 2**20)
    app[ESTATE] = estate
    app.add_routes(
        [
            web.post("/erp/orders", _book),
            web.get("/erp/orders/{number}", _look_up),
            web.post("/erp/orders/{number}/reserve", _reserve),
            web.post("/erp/orders/{number}/cancel", _cancel),
            web.get("/erp/stock/{sku}", _shelf),
            web.get("/shop/orders/{id}.json", _shop_order),
            web.route("*", "/stub/{rest:.*}", _stub),
            web.get("/control/state", _state),
            web.post("/control/reset", _reset),
            web.post("/control/faults", _set_faults),
            web.put("/control/faults", _set_faults),
            web.post("/control/stock", _set_stock),
            web.post("/control/shop/feed", _start_feed),
            web.delete("/control/shop/feed", _stop_feeds),
        ]
    )
    app.cleanup_ctx.append(_remembering)
    return app


async def _remembering(app: web.Application) -> Any:
    """Open the feeds; with a file to remember in, take up what it keeps and save from now on."""
    estate, path = app[ESTATE], app[ESTATE].state_file
    await estate.feeds.open()
    if path is None:
        yield
    else:
        if path.exists():
            keeping.restore(estate, path)
        saving = asyncio.create_task(keeping.keep_saving(estate, path))
        yield
        saving.cancel()
        keeping.save(estate, path)
    await estate.feeds.close()


@web.middleware
async def _misbehaving(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Count the request, let it go wrong where a rule says so, and put in the latency that was set."""
    if request.path.startswith("/control/"):
        return await _controlled(request, handler)
    estate = request.app[ESTATE]
    resource = request.match_info.route.resource
    estate.requests[f"{request.method} {resource.canonical if resource else request.path}"] += 1
    rule = estate.faults.for_request(request.method, request.path) if estate.faults.rules else None
    if rule is not None and rule.kind == "slow":
        await asyncio.sleep(float(rule.value))
    elif rule is not None and rule.kind in ("drop", "status", "rate_limit"):
        return _before_acting(estate, request, rule)
    if estate.latency_seconds:
        await asyncio.sleep(estate.latency_seconds)
    try:
        answer = await handler(request)
    except Refusal as refusal:
        answer = _problem(refusal)
    if rule is not None:
        answer = _after_acting(request, rule, answer)
    estate.answers[
        str(answer.status) if request.transport and not request.transport.is_closing() else "dropped"
    ] += 1
    return answer


def _before_acting(estate: Estate, request: web.Request, rule: Rule) -> web.Response:
    if rule.kind == "drop":
        estate.answers["dropped"] += 1
        return _hung_up(request)
    status = int(rule.value) if rule.kind == "status" else 429
    headers = dict(rule.headers)
    if rule.kind == "rate_limit":
        headers["Retry-After"] = str(rule.value.get("retry_after", 1))
    estate.answers[str(status)] += 1
    body = rule.body if rule.body is not None else {"status": status, "title": "As the rule says"}
    return web.Response(status=status, body=orjson.dumps(body), content_type=_PROBLEM, headers=headers)


def _after_acting(request: web.Request, rule: Rule, answer: web.StreamResponse) -> web.StreamResponse:
    if rule.kind == "drop_after_acting":
        return _hung_up(request)
    if rule.kind == "bad_json" and isinstance(answer, web.Response) and isinstance(answer.body, bytes):
        half = answer.body[: len(answer.body) // 2]
        return web.Response(status=answer.status, body=half, content_type=_JSON)
    return answer


def _hung_up(request: web.Request) -> web.Response:
    """Close the line; what is returned reaches nobody."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


async def _acting(request: web.Request, act: Act) -> web.Response:
    """Act once per `Idempotency-Key`: a repeat gets the saved answer, the key under another body 422."""
    estate = request.app[ESTATE]
    _require_key(request, estate)
    body = await request.read()
    key = request.headers.get("Idempotency-Key", "")
    asked = hashlib.blake2b(request.path.encode() + b"\0" + body, digest_size=16).digest()
    if key and (saved := estate.keys.recall(key, asked)) is not None:
        if saved[0] != asked:
            raise Refusal(
                422, "idempotency_key_reused", "This Idempotency-Key was used with another request."
            )
        kind = _JSON if saved[1] < 400 else _PROBLEM
        return web.Response(
            status=saved[1], body=saved[2], content_type=kind, headers={"Idempotent-Replayed": "true"}
        )
    try:
        status, answer = act(body)
        kind = _JSON
    except Refusal as refusal:
        status, answer, kind = refusal.body["status"], refusal.body, _PROBLEM
    raw = orjson.dumps(answer)
    estate.keys.keep(key, asked, status, raw)
    return web.Response(status=status, body=raw, content_type=kind)


def _require_key(request: web.Request, estate: Estate) -> None:
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not hmac.compare_digest(given.encode(), estate.key.encode()):
        raise Refusal(401, "unauthenticated", "Send Authorization: Bearer with a key of this ERP.")


def _problem(refusal: Refusal) -> web.Response:
    return web.Response(status=refusal.status, body=orjson.dumps(refusal.body), content_type=_PROBLEM)


def _json(value: Any, status: int = 200) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(value), content_type=_JSON)


def _parsed(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Refusal(400, "not_json", f"The body is not JSON: {error}.") from None


async def _book(request: web.Request) -> web.Response:
    return await _acting(request, lambda body: request.app[ESTATE].erp.book(_parsed(body)))


async def _reserve(request: web.Request) -> web.Response:
    return await _acting(request, lambda _: request.app[ESTATE].erp.reserve(request.match_info["number"]))


async def _cancel(request: web.Request) -> web.Response:
    return await _acting(request, lambda _: request.app[ESTATE].erp.cancel(request.match_info["number"]))


async def _look_up(request: web.Request) -> web.Response:
    estate = request.app[ESTATE]
    _require_key(request, estate)
    return _json(estate.erp.look_up(request.match_info["number"]).shown())


async def _shelf(request: web.Request) -> web.Response:
    estate = request.app[ESTATE]
    _require_key(request, estate)
    return _json(estate.erp.shelf(request.match_info["sku"]))


async def _shop_order(request: web.Request) -> web.Response:
    number = request.match_info["id"]
    order = request.app[ESTATE].feeds.orders.get(int(number)) if number.isdigit() else None
    if order is None:
        raise Refusal(404, "unknown_order", f"The shop has no order {number}.")
    return _json({"order": shopify_order(order)})


async def _stub(request: web.Request) -> web.Response:
    await request.read()
    if key := request.headers.get("Idempotency-Key", ""):
        keys = request.app[ESTATE].stub_keys
        keys.recall(key, b"")
        keys.keep(key, b"", 200, _STUB_ANSWER)
    return web.Response(body=_STUB_ANSWER, content_type=_JSON)


async def _controlled(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A control: its body is JSON and says so, which a page in somebody's browser cannot do unasked."""
    if request.method in ("POST", "PUT") and request.content_type != _JSON:
        return _json({"error": "send JSON, with Content-Type: application/json"}, 415)
    try:
        return await handler(request)
    except Refusal as refusal:
        return _problem(refusal)
    except (BadRule, ValueError, TypeError) as error:
        return _json({"error": str(error)}, 400)


async def _state(request: web.Request) -> web.Response:
    return _json(request.app[ESTATE].told(by_key=request.query.get("keys") == "1"))


async def _reset(request: web.Request) -> web.Response:
    estate, asked = request.app[ESTATE], _parsed(await request.read() or b"{}")
    estate.seed = int(asked.get("seed", estate.seed))
    estate.latency_seconds = float(asked.get("latency_ms", estate.latency_seconds * 1000)) / 1000
    estate.reset(honour_keys=bool(asked.get("honour_keys", True)))
    return _json({"ok": True})


async def _set_faults(request: web.Request) -> web.Response:
    faults = request.app[ESTATE].faults
    faults.replace(_parsed(await request.read()))
    return _json({"rules": len(faults.rules)})


async def _set_stock(request: web.Request) -> web.Response:
    stock = request.app[ESTATE].erp.stock
    for sku, on_hand in _parsed(await request.read()).items():
        if sku not in stock:
            raise ValueError(f"{sku} is no article")
        stock[sku] = int(on_hand)
    return _json({"ok": True})


async def _start_feed(request: web.Request) -> web.Response:
    estate = request.app[ESTATE]
    feed = estate.feeds.start(Wish(**_parsed(await request.read())))
    if estate.state_file is not None:
        keeping.save(estate, estate.state_file)
    return _json(feed.told(), 201)


async def _stop_feeds(request: web.Request) -> web.Response:
    await request.app[ESTATE].feeds.stop()
    return _json({"ok": True})
