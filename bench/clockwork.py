"""What waits, and what is long: many parked runs, timers under restarts, a long loop, and a worker at rest.

parked: `--parked` runs wait for an event each; some of them are told one after the other while the others stay parked.
timers: `--timers` runs wait for instants spread over `--seconds`, while a worker is killed every tenth of that time.
for_each: one run that loops over 10,000 items.
idle: memory of a worker's child as the product starts it, with nothing to do.
"""

import argparse
import json
import os
import random
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any, Final

from bench import ground
from bench.door import start
from bench.engine import LISTEN, order, publish, seed

TOLD: Final = 400
A_SECOND: Final = 20
ITEMS: Final = 10_000
KILLS: Final = 10

TIMER: Final = {
    "document": {"dsl": "1.0.3", "namespace": "bench", "name": "timer", "version": "1.0.0"},
    "input": {"from": ".[0]"},
    "do": [{"pause": {"wait": '${ "PT\\(.seconds)S" }'}}, {"done": {"set": {"ok": True}}}],
}
LOOP: Final = {
    "document": {"dsl": "1.0.3", "namespace": "bench", "name": "loop", "version": "1.0.0"},
    "input": {"from": ".[0]"},
    "do": [
        {
            "each": {
                "for": {"each": "line", "in": ".lines"},
                "do": [{"price": {"set": {"sum": "${ (.sum // 0) + $line.price }"}}}],
            }
        }
    ],
}


def parked(tenant: Any, options: argparse.Namespace) -> dict[str, Any]:
    """From the receipt of an event to the end of the run that waited for it, while tens of thousands stay parked."""
    from django.db import connection

    from automations.engine.models import Run
    from automations.events.actions import publish_many
    from automations.events.actions.facts import Draft
    from kernel import clock
    from tenants.tenancy import context

    definition = publish(tenant, LISTEN)
    seed(tenant, definition, options.parked)
    ground.workers(2, seconds=600, idle=1.0).go()
    with context.enter(tenant):
        waiting = list(Run.objects.filter(status="waiting").values_list("id", flat=True))
        if len(waiting) != options.parked:
            raise SystemExit(f"parked: {len(waiting)} of {options.parked} runs wait")
        with ground.owner(), connection.cursor() as cursor:
            cursor.execute("vacuum analyze")
            cursor.execute("select count(*) from ledger_queue where owner is not null")
            held = (cursor.fetchone() or (None,))[0]
        crew = ground.workers(2, seconds=TOLD / A_SECOND + 5, idle=600)
        work = threading.Thread(target=crew.go)
        work.start()
        time.sleep(2)
        for key in random.Random(7).sample(waiting, TOLD):
            publish_many(
                [Draft(type="bench.wake", subject=str(key), data={}, source="/bench", time=clock.now())]
            )
            time.sleep(1 / A_SECOND)
        work.join()
        with connection.cursor() as cursor:
            cursor.execute(
                "select percentile_cont(array[0.5, 0.99]) within group"
                " (order by extract(epoch from r.ended_at - e.received_at) * 1000), count(*)"
                " from engine_run r join events_event e on e.subject = r.id::text"
                " where r.status = 'completed' and e.type = 'bench.wake'"
            )
            spread, done = cursor.fetchone() or ([0, 0], 0)
    if done != TOLD:
        raise SystemExit(f"parked: {done} of {TOLD} runs ended")
    return {
        "name": "parked",
        "parked": options.parked,
        "held_by_workers": held,
        "told": TOLD,
        "p50_ms": round(spread[0], 1),
        "p99_ms": round(spread[1], 1),
    }


def timers(tenant: Any, options: argparse.Namespace) -> dict[str, Any]:
    """How late timers fire while workers are killed."""
    from automations.engine.actions.intake import new_run
    from automations.engine.actions.programs import programs
    from automations.engine.store import intake
    from kernel import clock, ids
    from tenants.tenancy import context

    definition = publish(tenant, TIMER)
    program = programs.compiled(definition.id, definition.document)
    workflow, chance = ids.uuid7(), random.Random(7)
    lead = 10 + options.timers // 500  # until all are parked
    with context.enter(tenant):
        for begin in range(0, options.timers, 500):
            now = clock.now()
            intake.start(
                tenant.id,
                [
                    new_run(
                        workflow_id=workflow,
                        definition_id=definition.id,
                        program=program,
                        given=[{"seconds": round(lead + chance.random() * options.seconds, 3)}],
                        cause="test",
                        started_at=now,
                    )
                    for _ in range(min(500, options.timers - begin))
                ],
            )
        _with_kills(lead + options.seconds + 40, KILLS, chance)
        found = _lateness(definition.id, options.timers)
    return {"name": "timers", **found, "kills": KILLS, "seconds": options.seconds}


def _with_kills(seconds: float, kills: int, chance: random.Random) -> None:
    """Two workers for so long; now and then one is killed and another takes its place."""
    ends = time.monotonic() + seconds
    crew = [ground.workers(1, seconds=seconds, idle=seconds) for _ in range(2)]
    for one in crew:
        one.begin()
    for number in range(kills):
        _watch(time.monotonic() + max((ends - time.monotonic() - 35) / (kills - number), 0))
        place = chance.randrange(2)
        left = ends - time.monotonic()
        os.kill(crew[place].started[0].pid, signal.SIGKILL)
        crew[place].started[0].wait()
        crew[place] = ground.workers(1, seconds=left, idle=left)
        crew[place].begin()
    _watch(ends)
    for one in crew:
        one.end()


def _watch(until: float) -> None:
    """What the dispatcher does for workers that died, meanwhile."""
    from automations.ledger import actions as ledger

    while time.monotonic() < until:
        ledger.free_expired()
        time.sleep(1)


def _lateness(definition: Any, expected: int) -> dict[str, Any]:
    """Read from the journal: when each wait began and so was due, and when its run ended."""
    from automations.engine import queries
    from automations.engine.models import Run
    from kernel import jsonx

    late, missed = [], expected
    for key, given, ended in Run.objects.filter(definition_id=definition, status="completed").values_list(
        "id", "input", "ended_at"
    ):
        missed -= 1
        (wait,) = (step for step in queries.journal(key) if step.name == "pause")
        late.append((ended - wait.begin).total_seconds() - jsonx.unpack(given)[0]["seconds"])
    late.sort()
    return {
        "timers": expected,
        "missed": missed,
        "early": sum(one < 0 for one in late),
        "p50_late_ms": round(late[len(late) // 2] * 1e3, 1),
        "p99_late_ms": round(late[int(len(late) * 0.99)] * 1e3, 1),
        "max_late_ms": round(late[-1] * 1e3, 1),
    }


def for_each(tenant: Any, _: argparse.Namespace) -> dict[str, Any]:
    """One run that loops over ten thousand items."""
    from automations.engine.actions.intake import new_run
    from automations.engine.actions.programs import programs
    from automations.engine.models import Run
    from automations.engine.store import intake
    from kernel import clock, ids
    from tenants.tenancy import context

    definition = publish(tenant, LOOP)
    program = programs.compiled(definition.id, definition.document)
    lines = order()["items"]
    given = [{"lines": [lines[n % len(lines)] for n in range(ITEMS)]}]
    crew = ground.workers(1, seconds=60, idle=0.5)
    with context.enter(tenant):
        one = new_run(
            workflow_id=ids.uuid7(),
            definition_id=definition.id,
            program=program,
            given=given,
            cause="test",
            started_at=clock.now(),
        )
        intake.start(tenant.id, [one])
        meter = ground.Meter().start()
        worker, rss = crew.go()
        meter.stop()
        run = Run.objects.get(id=one.id)
    if run.status != "completed":
        raise SystemExit(f"for_each: the run is {run.status}: {run.error}")
    return {
        "name": "for_each",
        "items": ITEMS,
        "seconds": round(meter.wall - 0.5, 2),
        "cpu_s": {"worker": round(worker, 2), "postgres": round(meter.postgres, 2)},
        "wal_mb": round(meter.wal / 1e6, 1),
        "rss_mb": round(rss),
    }


def idle(*_: Any) -> dict[str, Any]:
    """What a child of the engine's worker takes while nothing is due: resident, and its own share of it."""
    engine = start("engine")
    try:
        time.sleep(20)
        children = [pid for pid in ground.below(engine.pid) if pid != engine.pid]
        found = sorted(_memory(pid) for pid in children)
        return {
            "name": "idle",
            "children": len(found),
            "rss_mb": round(found[-1][0]),
            "own_mb": round(max(own for _, own in found)),
            "parent_rss_mb": round(_memory(engine.pid)[0]),
        }
    finally:
        engine.terminate()
        engine.wait()


def _memory(pid: int) -> tuple[float, float]:
    """(resident, proportional) MB of a process."""
    kept = dict(
        line.split(":", 1)
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
        if ":" in line
    )
    return int(kept["Rss"].split()[0]) / 1024, int(kept["Pss"].split()[0]) / 1024


SCENARIOS: Final = {"parked": parked, "timers": timers, "for_each": for_each, "idle": idle}


def main() -> None:
    """Print one line a scenario."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("scenario", nargs="*", default=[*SCENARIOS])
    parser.add_argument("--parked", type=int, default=50_000)
    parser.add_argument("--timers", type=int, default=10_000)
    parser.add_argument("--seconds", type=int, default=600)
    options = parser.parse_args()
    with ground.servers():
        ground.ready()
        for scenario in options.scenario:
            found = SCENARIOS[scenario](ground.tenant(scenario.replace("_", "-")), options)
            print(json.dumps(found), flush=True)


if __name__ == "__main__":
    sys.exit(main())
