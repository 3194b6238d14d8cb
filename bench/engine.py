"""The engine: set5 and http2 as runs per second and core.

set5: five `set` tasks on a 4 KB order, every expression through the evaluator, journal complete.
http2: set, POST, switch, POST, set against a stub that answers after 20 ms, effects keyed.
wake: runs parked on an event; from its receipt to the end of the run, all woken at once.
runs/s/core = runs ÷ CPU seconds of worker, PostgreSQL and Valkey together.
"""

import argparse
import json
import statistics
import subprocess
import sys
from typing import Any

from bench import ground

SET5 = {
    "document": {"dsl": "1.0.3", "namespace": "bench", "name": "set5", "version": "1.0.0"},
    "input": {"from": ".[0]"},
    "do": [
        {
            "pick": {
                "set": {
                    "id": "${ .id }",
                    "customer": "${ .customer }",
                    "items": "${ .items }",
                    "total": "${ .total }",
                }
            }
        },
        {"count": {"set": "${ . + {lineCount: (.items | length)} }"}},
        {"tier": {"if": ".total > 1000", "set": '${ . + {tier: "big"} }'}},
        {
            "skus": {
                "set": {
                    "id": "${ .id }",
                    "total": "${ .total }",
                    "tier": "${ .tier }",
                    "lineCount": "${ .lineCount }",
                    "skus": "${ [.items[].sku] }",
                },
                "export": {"as": "$context + {skus: .skus}"},
            }
        },
        {"done": {"set": {"id": "${ .id }", "ok": "${ .total > 1000 }", "n": "${ .lineCount }"}}},
    ],
}


def http2(port: int) -> dict[str, Any]:
    """Two idempotent calls."""
    address = f"http://127.0.0.1:{port}/stub"
    return {
        "document": {"dsl": "1.0.3", "namespace": "bench", "name": "http2", "version": "1.0.0"},
        "input": {"from": ".[0]"},
        "do": [
            {"pick": {"set": {"id": "${ .id }", "items": "${ .items }", "total": "${ .total }"}}},
            {
                "reserve": {
                    "call": "http",
                    "with": {
                        "method": "post",
                        "endpoint": f"{address}/reserve/{{id}}",
                        "body": {"id": "${ .id }", "total": "${ .total }"},
                    },
                    "output": {"as": "$input + {reserved: true}"},
                }
            },
            {
                "route": {
                    "switch": [{"big": {"when": ".total > 1000", "then": "pay"}}, {"small": {"then": "end"}}]
                }
            },
            {
                "pay": {
                    "call": "http",
                    "with": {
                        "method": "post",
                        "endpoint": f"{address}/pay/{{id}}",
                        "body": {"id": "${ .id }", "amount": "${ .total }"},
                    },
                    "output": {"as": "$input"},
                }
            },
            {"done": {"set": {"ok": "${ .reserved }"}}},
        ],
    }


def order() -> dict[str, Any]:
    """A 4 KB order."""
    address = {"street": "Quay Street 14", "city": "Bristol", "postcode": "BS1 4DB", "country": "GB"}
    return {
        "id": "ORD-2026-000123",
        "status": "submitted",
        "currency": "EUR",
        "total": 1834.5,
        "placedAt": "2026-11-20T10:11:12Z",
        "customer": {
            "id": "C-991",
            "name": "Ann Example",
            "email": "ann@shop.example",
            "tier": "gold",
            "address": address,
        },
        "shipping": {"carrier": "Parcel", "service": "express", "address": address},
        "tags": ["web", "repeat", "fragile"],
        "items": [
            {
                "sku": f"SKU-{n:04d}",
                "name": f"Article number {n} with a title as shops have them",
                "quantity": n * 7 % 5 + 1,
                "price": round(9.99 + n * 3.5, 2),
                "taxRate": 0.19,
                "warehouse": f"WH-{n % 3}",
                "backorder": n % 4 == 0,
                "dims": {"l": 10 + n, "w": 5, "h": 3},
            }
            for n in range(18)
        ],
        "notes": "Please deliver to the rear entrance before noon. " * 3,
    }


def seed(tenant: Any, definition: Any, count: int) -> None:
    """Start `count` runs."""
    from automations.engine.actions.intake import new_run
    from automations.engine.actions.programs import programs
    from automations.engine.store import intake
    from kernel import clock, ids
    from tenants.tenancy import context

    program = programs.compiled(definition.id, definition.document)
    workflow, given = ids.uuid7(), [order()]
    with context.enter(tenant):
        for start in range(0, count, 500):
            intake.start(
                tenant.id,
                [
                    new_run(
                        workflow_id=workflow,
                        definition_id=definition.id,
                        program=program,
                        given=given,
                        cause="test",
                        started_at=clock.now(),
                    )
                    for _ in range(min(500, count - start))
                ],
            )


def publish(tenant: Any, document: dict[str, Any]) -> Any:
    """Publish a document in the tenant."""
    from automations.engine.actions.workflows import publish as publish_document
    from kernel import clock
    from kernel.actor import system
    from tenants.tenancy import context

    with context.enter(tenant):
        return publish_document(document=document, actor=system("bench"), now=clock.now())


def measure(name: str, tenant: Any, definition: Any, count: int, processes: int) -> dict[str, Any]:
    """One measurement: seed, let workers drain, count what it cost."""
    from django.db import connection

    from automations.engine import queries
    from tenants.tenancy import context

    seed(tenant, definition, count)
    with connection.cursor() as cursor:
        cursor.execute("vacuum analyze ledger_queue")
        cursor.execute("checkpoint")
    with context.enter(tenant):
        before = queries.status_counts()["completed"]
    crew = ground.workers(processes, seconds=600, idle=0.5)
    meter = ground.Meter().start()
    worker, rss = crew.go()
    meter.stop()
    with context.enter(tenant):
        done = queries.status_counts()["completed"] - before
    if done != count:
        raise SystemExit(f"{name}: {done} of {count} runs completed")
    total = worker + meter.postgres + meter.redis
    return {
        "name": name,
        "runs": count,
        "workers": processes,
        "runs_s_core": round(count / total),
        "runs_s_wall": round(count / max(meter.wall - 0.5, 0.01)),
        "cpu_ms": {
            "worker": round(worker / count * 1e3, 3),
            "postgres": round(meter.postgres / count * 1e3, 3),
            "redis": round(meter.redis / count * 1e3, 3),
        },
        "wal_bytes_run": round(meter.wal / count),
        "commits_run": round(meter.commits / count, 3),
        "rss_mb": round(rss),
    }


LISTEN = {
    "document": {"dsl": "1.0.3", "namespace": "bench", "name": "listen", "version": "1.0.0"},
    "do": [
        {
            "wait": {
                "listen": {
                    "to": {
                        "one": {
                            "with": {"type": "bench.wake"},
                            "correlate": {"order": {"from": ".subject", "expect": "$workflow.id"}},
                        }
                    }
                }
            }
        },
        {"done": {"set": {"ok": True}}},
    ],
}


def wake(tenant: Any, count: int, processes: int) -> dict[str, Any]:
    """Park runs, wake them all by an event each, and measure from receipt to end."""
    from django.db import connection

    from automations.engine.models import Run
    from automations.events.actions import publish_many
    from automations.events.actions.facts import Draft
    from kernel import clock
    from tenants.tenancy import context

    definition = publish(tenant, LISTEN)
    seed(tenant, definition, count)
    ground.workers(processes, seconds=120, idle=0.5).go()
    with context.enter(tenant):
        parked = list(Run.objects.filter(status="waiting").values_list("id", flat=True))
        if len(parked) != count:
            raise SystemExit(f"wake: {len(parked)} of {count} runs parked")
        crew = ground.workers(processes, seconds=120, idle=1.0)
        for start in range(0, count, 500):
            publish_many(
                Draft(type="bench.wake", subject=str(key), data={}, source="/bench", time=clock.now())
                for key in parked[start : start + 500]
            )
        meter = ground.Meter().start()
        worker, _ = crew.go()
        meter.stop()
        with connection.cursor() as cursor:
            cursor.execute(
                "select percentile_cont(array[0.5, 0.99]) within group (order by extract(epoch from r.ended_at"
                " - (select min(received_at) from events_event where type = 'bench.wake')) * 1000), count(*)"
                " from engine_run r where r.status = 'completed' and r.definition_id = %s",
                [definition.id],
            )
            spread, done = cursor.fetchone()
    if done != count:
        raise SystemExit(f"wake: {done} of {count} runs ended")
    total = worker + meter.postgres + meter.redis
    return {
        "name": "wake",
        "runs": count,
        "p50_ms": round(spread[0], 1),
        "p99_ms": round(spread[1], 1),
        "runs_s_core": round(count / total),
        "cpu_ms": {
            "worker": round(worker / count * 1e3, 3),
            "postgres": round(meter.postgres / count * 1e3, 3),
        },
    }


def stub(latency_ms: int) -> tuple[Any, int]:
    """The estate's server as a stub with a latency."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "deploy.estate", "--port", str(port), "--latency-ms", str(latency_ms)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return process, port


def main() -> None:
    """Print one line a scenario: medians over the repeats."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenario", nargs="*", default=["set5", "http2", "wake"])
    parser.add_argument("--runs", type=int, default=4_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    process, port = stub(20)
    import os

    os.environ["PORTAL_EGRESS_ALLOW"] = f"127.0.0.1:{port}"
    try:
        with ground.servers():
            ground.ready()
            tenant = ground.tenant()
            documents = {"set5": SET5, "http2": http2(port)}
            for scenario in options.scenario:
                if scenario == "wake":
                    print(json.dumps(wake(tenant, 5_000, options.workers)), flush=True)
                    continue
                definition = publish(tenant, documents[scenario])
                found = [
                    measure(scenario, tenant, definition, options.runs, options.workers)
                    for _ in range(options.repeats)
                ]
                middle = statistics.median_low([figure["runs_s_core"] for figure in found])
                print(
                    json.dumps(next(figure for figure in found if figure["runs_s_core"] == middle)),
                    flush=True,
                )
    finally:
        process.kill()


if __name__ == "__main__":
    main()
