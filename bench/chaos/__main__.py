"""`make chaos`: orders through the door while processes are killed, paused and wiped; nothing may be lost or doubled.

Kills whole workers and single children, the web server, the dispatcher; wipes and kills Valkey; shuts Postgres down
immediately; holds workers still for longer than their lease. The faults follow from the seed. Prints one JSON line last
and ends with 1 unless: each order ran once and completed, each effect was applied once under one key with one body, at
most 0.5 % were sent again (of few runs: four a fault), every write of a worker that had lost its lease was refused, and
all of it was over a minute after the last fault.
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from bench.chaos.load import Load, flow, unsafe_flow
from bench.chaos.monkey import Monkey, Plan
from bench.chaos.receiver import Receiver
from bench.chaos.stage import Stage, postgres, product
from bench.chaos.watcher import Watcher

STEPS: Final = 3
REPEATS: Final = 0.005
TERMINAL_SECONDS: Final = 60.0


def main() -> int:
    """Read the options, do it, tell."""
    options = _options()
    log = Path(options.log or tempfile.mkstemp(prefix="portal-chaos-", suffix=".log")[1])
    print(f"chaos: seed {options.seed}; the product's log is {log}", file=sys.stderr)
    figures = asyncio.run(_chaos(options, log))
    print(json.dumps(figures))
    return 0 if figures["green"] else 1


def _options() -> argparse.Namespace:
    """From the command line, else from variables as `make chaos SEED=7 RUNS=1000` sets them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )

    def add(name: str, default: int, words: str = "") -> None:
        parser.add_argument(
            f"--{name}", type=int, default=int(os.environ.get(name.upper(), default)), help=words
        )

    add("seed", random.SystemRandom().randrange(10**6))
    add("runs", 10_000)
    add("kills", 50, "of whole workers, single children, and the other programs")
    add("redis", 10, "wipes and kills of the broker, in turn")
    add("pg", 5, "immediate shutdowns of Postgres")
    add("pauses", 3, "workers held still past their lease")
    add("unsafe", 200, "calls without a key that a kill leaves unknown")
    add("duration", 420, "seconds over which load and faults are spread")
    add("lease", 30, "another lease than the product's, in seconds")
    parser.add_argument("--mutant", default="", help="break the product in this way; it has to turn red")
    parser.add_argument("--log", default="", help="where the product's output goes")
    return parser.parse_args()


async def _chaos(options: argparse.Namespace, log: Path) -> dict[str, Any]:
    receiver = Receiver(random.Random(options.seed))
    await receiver.start()
    mutants = ",".join(
        filter(None, [options.mutant, f"lease={options.lease}" if options.lease != 30 else ""])
    )
    stage_of = product(receiver.port, mutants, log)
    stage = await asyncio.to_thread(stage_of.__enter__)
    try:
        return await _measured(options, receiver, stage)
    finally:
        await asyncio.to_thread(stage_of.__exit__, None, None, None)


async def _measured(options: argparse.Namespace, receiver: Receiver, stage: Stage) -> dict[str, Any]:
    tenant, shop, watcher, redis_url = await asyncio.to_thread(_furnish, receiver.port, stage.port)
    plan = Plan(
        options.kills, options.redis, options.pg, options.pauses, float(options.duration), options.lease + 5
    )
    monkey = Monkey(stage, watcher, redis_url, plan, random.Random(options.seed))
    load = Load(shop, "chaos.chaos", options.runs, float(options.duration))
    await asyncio.gather(load.run(), monkey.run())
    completed = await _settled(watcher, tenant, options.runs, options.lease + TERMINAL_SECONDS)
    await watcher.done()
    unsafe = await _unsafe(options.unsafe, receiver, stage, tenant, shop, watcher) if options.unsafe else {}
    figures = {
        "name": "chaos",
        "seed": options.seed,
        **({"mutant": options.mutant} if options.mutant else {}),
        "runs": completed["completed"],
        "runs_not_over": options.runs - completed["completed"],
        "runs_double": completed["double"],
        "effects": len([one for one in receiver.keys if one[1] != "charge"]),
        "lost": options.runs * STEPS - len([one for one in receiver.keys if one[1] != "charge"]),
        "keys_applied_twice": receiver.twice,
        "bodies_changed": receiver.changed,
        "repeat_sends": receiver.repeats,
        "repeats_after": receiver.repeats_by(monkey.times),
        "journals_broken": completed["broken"],
        "stale_writes_expected": monkey.stale_expected,
        "stale_writes_refused": stage.stale_refused(),
        "engine_errors": len(stage.quarrels()),
        "recovery_s": _histogram(watcher.recovered),
        "seconds_to_terminal": round(max(completed["last"] - monkey.last_at, 0.0), 1),
        "sent_again_by_shop": load.again,
        "faults": monkey.done,
        **unsafe,
    }
    return {**figures, "green": not _reds(figures, options), "red": _reds(figures, options)}


def _reds(figures: dict[str, Any], options: argparse.Namespace) -> list[str]:
    """What is not as promised."""
    faults = sum(figures["faults"].values())
    promises = {
        "runs_not_over": figures["runs_not_over"] == 0,
        "runs_double": figures["runs_double"] == 0,
        "lost": figures["lost"] == 0,
        "keys_applied_twice": figures["keys_applied_twice"] == 0,
        "bodies_changed": figures["bodies_changed"] == 0,
        "repeat_sends": figures["repeat_sends"] <= max(options.runs * STEPS * REPEATS, 4 * faults),
        "journals_broken": figures["journals_broken"] == 0,
        "stale_writes_refused": figures["stale_writes_refused"] >= figures["stale_writes_expected"],
        "engine_errors": figures["engine_errors"] == 0,
        "seconds_to_terminal": figures["seconds_to_terminal"] <= TERMINAL_SECONDS,
        "unsafe_cases": figures.get("unsafe_cases", 0) == (options.unsafe or 0),
        "unsafe_sent_again": figures.get("unsafe_sent_again", 0) == 0,
    }
    return [name for name, kept in promises.items() if not kept]


def _furnish(receiver_port: int, web_port: int) -> tuple[Any, Any, Watcher, str]:
    """A tenant with an endpoint and the two workflows."""
    import django

    django.setup()
    from django.conf import settings

    from automations.events.actions import create_endpoint
    from bench import ground
    from bench.door import Shop, deploy
    from kernel import clock
    from kernel.actor import system
    from tenants.tenancy import context, queries

    tenant = ground.tenant("chaos")
    host = queries.primary_host(partner_id=tenant.partner_id, tenant_id=tenant.id)
    with context.enter(tenant):
        endpoint, secret = create_endpoint(
            name="chaos", kind="cloudevents", source="/chaos", actor=system("chaos"), now=clock.now()
        )
    deploy(tenant, flow(receiver_port))
    deploy(tenant, unsafe_flow(receiver_port))
    shop = Shop(f"http://127.0.0.1:{web_port}/hooks/{endpoint.token}", host, secret)
    return tenant, shop, Watcher(postgres(settings)), settings.REDIS_URL


_COUNTS = """
select count(*) filter (where status = 'completed'), count(*) - count(distinct event_id),
       coalesce(extract(epoch from max(ended_at)), 0)::float8
from "{schema}".engine_run where workflow_id = (select id from "{schema}".engine_workflow where name = '{name}')
"""
_SUSPENDED = """
select count(*) from "{schema}".engine_run r join "{schema}".engine_workflow w on w.id = r.workflow_id
where w.name = 'unsafe' and r.status = 'suspended'
"""


async def _settled(watcher: Watcher, tenant: Any, runs: int, patience: float) -> dict[str, Any]:
    """Wait until every run is over, or nothing moves any more."""
    began, seen = time.monotonic(), -1
    while True:
        rows = await watcher.rows(_COUNTS.format(schema=tenant.schema_name, name="chaos"), [])
        completed, double, last = rows[0]
        if completed != seen:
            began, seen = time.monotonic(), completed
        if completed >= runs or time.monotonic() - began > patience:
            broken = await _patiently(_broken_journals, tenant)
            return {"completed": completed, "double": double, "last": last, "broken": broken}
        await asyncio.sleep(0.25)


async def _patiently(look: Callable[[Any], int], tenant: Any) -> int:
    """What `look` finds, as soon as the database is there to be looked at."""
    from django.db import OperationalError

    for _ in range(100):
        try:
            return await asyncio.to_thread(look, tenant)
        except OperationalError:
            await asyncio.sleep(0.2)
    return await asyncio.to_thread(look, tenant)


def _broken_journals(tenant: Any) -> int:
    """Completed runs whose journal has a gap, or tells a step twice."""
    from django.db import close_old_connections

    from automations.engine.machine import apart
    from automations.engine.models import Run, Segment
    from tenants.tenancy import context

    close_old_connections()
    numbers: dict[Any, list[int]] = {}
    with context.enter(tenant):
        done = set(Run.objects.filter(status="completed").values_list("id", flat=True))
        for run_id, steps in Segment.objects.order_by("run_id", "seq").values_list("run_id", "steps"):
            if run_id in done:
                numbers.setdefault(run_id, []).extend(step["n"] for step in apart.lines(steps))
    return sum(found != list(range(len(found))) for found in numbers.values()) + len(done - set(numbers))


async def _unsafe(
    count: int, receiver: Receiver, stage: Stage, tenant: Any, shop: Any, watcher: Watcher
) -> dict[str, int]:
    """Kill every worker while calls without a key are under way: each becomes a case, none is made again."""
    await stage.all_ready()
    await Load(shop, "chaos.unsafe", count, 1.0).run()
    for _ in range(600):
        if receiver.waiting >= count:
            break
        await asyncio.sleep(0.1)
    for pid in stage.children("engine"):
        os.kill(pid, 9)
    suspended = 0
    for _ in range(int(TERMINAL_SECONDS * 4)):
        suspended = int(str((await watcher.rows(_SUSPENDED.format(schema=tenant.schema_name), []))[0][0]))
        if suspended >= count:
            break
        await asyncio.sleep(0.5)
    receiver.answering.set()
    charges = [
        receiver.sends[key] for (_, step), keys in receiver.keys.items() if step == "charge" for key in keys
    ]
    return {
        "unsafe_sent": len(charges),
        "unsafe_cases": suspended,
        "unsafe_sent_again": sum(charges) - len(charges),
    }


def _histogram(seconds: list[float]) -> dict[str, Any]:
    """How long what a dead worker held stayed in its hands."""
    if not seconds:
        return {"count": 0}
    ordered = sorted(seconds)
    edges = [1, 5, 10, 20, 30, 40, 60]
    buckets = {f"<={edge}": sum(one <= edge for one in ordered) for edge in edges}
    return {
        "count": len(ordered),
        "p50": round(statistics.median(ordered), 1),
        "p95": round(ordered[int(len(ordered) * 0.95)], 1),
        "max": round(ordered[-1], 1),
        **buckets,
    }


if __name__ == "__main__":
    sys.exit(main())
