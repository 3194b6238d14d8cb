"""Through the door: signed webhooks accepted per second, and the way from a webhook to a finished run.

webhooks: a signed CloudEvent of an order (4 KB) to 202, web server and database alone.
noop5: webhook → five trivial steps → completed.
order: webhook → validate → GET → branch → POST → completed (2 ms stub).
"""

import argparse
import asyncio
import base64
import hashlib
import hmac
import json
import os
import subprocess
import sys
import time
from typing import Any

import aiohttp
import orjson

from bench import ground
from bench.engine import order, publish, stub

NOOP5 = {
    "document": {"dsl": "1.0.3", "namespace": "bench", "name": "noop5", "version": "1.0.0"},
    "schedule": {"on": {"one": {"with": {"type": "bench.noop"}}}, "read": "data"},
    "do": [{f"step{n}": {"set": {"n": n}}} for n in range(5)],
}


def order_flow(port: int) -> dict[str, Any]:
    """Validate, GET, branch, POST."""
    address = f"http://127.0.0.1:{port}/stub"
    return {
        "document": {"dsl": "1.0.3", "namespace": "bench", "name": "order", "version": "1.0.0"},
        "schedule": {"on": {"one": {"with": {"type": "bench.order"}}}, "read": "data"},
        "do": [
            {
                "validate": {
                    "input": {
                        "from": ".[0]",
                        "schema": {
                            "document": {
                                "type": "array",
                                "minItems": 1,
                                "items": {"required": ["id", "total"]},
                            }
                        },
                    },
                    "set": {"id": "${ .id }", "total": "${ .total }", "customer": "${ .customer.id }"},
                }
            },
            {
                "look": {
                    "call": "http",
                    "with": {"method": "get", "endpoint": f"{address}/customer/{{customer}}"},
                    "output": {"as": "$input"},
                }
            },
            {
                "route": {
                    "switch": [{"big": {"when": ".total > 1000", "then": "book"}}, {"small": {"then": "end"}}]
                }
            },
            {
                "book": {
                    "call": "http",
                    "with": {"method": "post", "endpoint": f"{address}/book/{{id}}", "body": "${ . }"},
                }
            },
        ],
    }


class Shop:
    """A sender of signed events to one endpoint."""

    def __init__(self, url: str, host: str, secret: str) -> None:
        self.url, self.host = url, host
        self.key = base64.b64decode(secret.removeprefix("whsec_"))
        self.sent = 0

    def next_number(self) -> str:
        """A number that no other event of ours has."""
        self.sent += 1
        return f"{os.getpid()}-{self.sent}"

    def signed(self, number: str, body: bytes) -> dict[str, str]:
        """The headers of Standard Webhooks for a delivery `number` of `body`, sent now."""
        at = str(int(time.time()))
        mac = hmac.new(self.key, f"msg_{number}.{at}.".encode() + body, hashlib.sha256).digest()
        return {
            "Host": self.host,
            "Content-Type": "application/cloudevents+json",
            "webhook-id": f"msg_{number}",
            "webhook-timestamp": at,
            "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
        }

    def request(self, kind: str) -> tuple[bytes, dict[str, str]]:
        """One event of an order, with its headers."""
        number = self.next_number()
        data = {**order(), "id": f"O-{number}"}
        event = {
            "specversion": "1.0",
            "id": number,
            "source": "/bench",
            "type": kind,
            "subject": data["id"],
            "time": "2026-11-20T10:11:12Z",
            "data": data,
        }
        body = orjson.dumps(event)
        return body, self.signed(number, body)


async def send(shop: Shop, kind: str, count: int, *, parallel: int, rate: float = 0.0) -> dict[str, float]:
    """Send `count` events, `parallel` at once, or one each 1/`rate` seconds; answer times in ms."""
    times: list[float] = []
    left = iter(range(count))
    connector = aiohttp.TCPConnector(limit=parallel)

    async def sender(session: aiohttp.ClientSession) -> None:
        for _ in left:
            body, headers = shop.request(kind)
            began = time.perf_counter()
            async with session.post(shop.url, data=body, headers=headers) as reply:
                await reply.read()
                if reply.status != 202:
                    raise SystemExit(f"the door answered {reply.status}: {await reply.text()}")
            times.append((time.perf_counter() - began) * 1e3)
            if rate:
                await asyncio.sleep(1 / rate)

    began = time.perf_counter()
    async with aiohttp.ClientSession(connector=connector) as session:
        await asyncio.gather(*(sender(session) for _ in range(1 if rate else parallel)))
    wall = time.perf_counter() - began
    times.sort()
    return {"wall": wall, "p50": times[len(times) // 2], "p95": times[int(len(times) * 0.95)]}


def start(name: str) -> "subprocess.Popen[bytes]":
    """A process of the product as the supervisor starts it."""
    from deploy.local.product import command_lines
    from portal.env import Env

    return subprocess.Popen(
        command_lines(Env.load())[name], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def wait_for_web(port: int) -> None:
    """Until the web server answers."""
    import socket

    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit("the web server does not answer")


def drained(tenant: Any, count: int, seconds: float = 120.0) -> float:
    """Seconds until `count` runs are completed."""
    from automations.engine.models import Run
    from tenants.tenancy import context

    began = time.perf_counter()
    with context.enter(tenant):
        while Run.objects.filter(status="completed").count() < count:
            if time.perf_counter() - began > seconds:
                raise SystemExit(
                    f"only {Run.objects.filter(status='completed').count()} of {count} runs completed"
                )
            time.sleep(0.05)
    return time.perf_counter() - began


def latencies(tenant: Any, kind: str) -> dict[str, float]:
    """From the receipt of an event to the end of its run, in ms."""
    from django.db import connection

    from tenants.tenancy import context

    with context.enter(tenant), connection.cursor() as cursor:
        cursor.execute(
            "select percentile_cont(array[0.5, 0.95]) within group"
            " (order by extract(epoch from r.ended_at - e.received_at) * 1000)"
            " from engine_run r join events_event e on e.id = r.event_id where e.type = %s",
            [kind],
        )
        row = cursor.fetchone()
    p50, p95 = row[0]
    return {"p50_ms": round(p50, 1), "p95_ms": round(p95, 1)}


def main() -> None:
    """Print one line a scenario."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenario", nargs="*", default=["webhooks", "noop5", "order"])
    parser.add_argument("--count", type=int, default=3_000)
    parser.add_argument("--parallel", type=int, default=32)
    options = parser.parse_args()
    process, stub_port = stub(2)
    os.environ["PORTAL_EGRESS_ALLOW"] = f"127.0.0.1:{stub_port}"
    started: list[Any] = [process]
    try:
        with ground.servers() as home:
            import socket

            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
            os.environ["PORTAL_PORT"] = str(port)
            ground.ready()
            from django.core.management import call_command

            call_command("collectstatic", interactive=False, verbosity=0)
            assert home
            started.append(start("web"))
            wait_for_web(port)
            for scenario in options.scenario:
                figures = _measure(scenario, port, stub_port, options, started)
                print(json.dumps(figures), flush=True)
    finally:
        for one in started:
            one.terminate()
        for one in started:
            one.wait()


def _measure(scenario: str, port: int, stub_port: int, options: Any, started: list[Any]) -> dict[str, Any]:
    from automations.events.actions import create_endpoint
    from kernel import clock
    from kernel.actor import system
    from tenants.tenancy import context, queries

    tenant = ground.tenant(scenario)
    host = queries.primary_host(partner_id=tenant.partner_id, tenant_id=tenant.id)
    with context.enter(tenant):
        endpoint, secret = create_endpoint(
            name="bench", kind="cloudevents", source="/bench", actor=system("bench"), now=clock.now()
        )
    shop = Shop(f"http://127.0.0.1:{port}/hooks/{endpoint.token}", host, secret)
    kind = {"webhooks": "bench.plain", "noop5": "bench.noop", "order": "bench.order"}[scenario]
    if scenario != "webhooks":
        deploy(tenant, NOOP5 if scenario == "noop5" else order_flow(stub_port))
        if len(started) < 4:
            started += [start("engine"), start("dispatcher")]
            time.sleep(4)
    asyncio.run(send(shop, kind, 100, parallel=8))  # connections, caches, prepared statements
    if scenario != "webhooks":
        drained(tenant, 100)
    web, engine = ground.processes("granian"), ground.processes("portal.worker")
    meter = ground.Meter().start()
    before = ground.cpu(web), ground.cpu(engine)
    answered = asyncio.run(send(shop, kind, options.count, parallel=options.parallel))
    wall = answered["wall"]
    if scenario != "webhooks":
        wall += drained(tenant, 100 + options.count)
    meter.stop()
    cpu = {
        "web": ground.cpu(ground.processes("granian")) - before[0],
        "worker": ground.cpu(ground.processes("portal.worker")) - before[1],
        "postgres": meter.postgres,
        "redis": meter.redis,
    }
    figures: dict[str, Any] = {
        "name": scenario,
        "count": options.count,
        "per_second": round(options.count / wall),
        "accepted_per_second": round(options.count / answered["wall"]),
        "ack_p95_ms": round(answered["p95"], 1),
        "cpu_ms": {name: round(seconds / options.count * 1e3, 3) for name, seconds in cpu.items()},
        "cpu_ms_total": round(sum(cpu.values()) / options.count * 1e3, 3),
    }
    if scenario != "webhooks":
        quiet = asyncio.run(_quiet(shop, kind, tenant, 100 + options.count))
        figures["at_10_per_second"] = quiet
    return figures


async def _quiet(shop: Shop, kind: str, tenant: Any, done: int) -> dict[str, float]:
    """Latency at ten events a second, with nothing else going on."""
    from tenants.tenancy import context

    def forget() -> None:
        with context.enter(tenant):
            from django.db import connection

            with ground.owner(), connection.cursor() as cursor:
                cursor.execute("alter table engine_run disable trigger user; delete from engine_run")

    await asyncio.to_thread(forget)
    await send(shop, kind, 100, parallel=1, rate=10)
    await asyncio.sleep(1)
    assert done
    return await asyncio.to_thread(latencies, tenant, kind)


def deploy(tenant: Any, document: dict[str, Any]) -> None:
    """Publish a document in the tenant and let its trigger start runs."""
    from automations.engine.actions import workflows
    from kernel import clock
    from kernel.actor import system
    from tenants.tenancy import context

    definition = publish(tenant, document)
    with context.enter(tenant):
        workflows.deploy(
            name=definition.name,
            title=definition.name,
            definition=definition,
            config={},
            connections={},
            actor=system("bench"),
            now=clock.now(),
        )


if __name__ == "__main__":
    sys.exit(main())
