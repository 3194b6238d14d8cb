"""Fairness: a tenant floods the engine while nineteen others start runs, all at once and now and then.

The others' delay is from when a run is due to its first step (of five, two of them calls); `alone` is the same without
the flood. The flood's share is its pace while the others work, of its pace alone less what the others do.
"""

import argparse
import json
import os
import sys
from datetime import datetime, timedelta
from typing import Any, Final

from bench import ground
from bench.engine import http2, order, publish, stub

OTHERS: Final = 19
LEAD: Final = 20.0
"""Seconds in which everything is written down before the first of it is due."""


class Client:
    """A tenant with the workflow."""

    def __init__(self, name: str, document: dict[str, Any]) -> None:
        self.tenant = ground.tenant(name)
        self.definition = publish(self.tenant, document)

    def plan(self, times: list[datetime]) -> None:
        """A run that starts at each of these times."""
        from automations.engine.actions.intake import new_run
        from automations.engine.actions.programs import programs
        from automations.engine.store import intake
        from kernel import ids
        from tenants.tenancy import context

        program, given = programs.compiled(self.definition.id, self.definition.document), [order()]
        with context.enter(self.tenant):
            intake.start(
                self.tenant.id,
                [
                    new_run(
                        workflow_id=ids.uuid7(),
                        definition_id=self.definition.id,
                        program=program,
                        given=given,
                        cause="test",
                        started_at=at,
                    )
                    for at in times
                ],
            )

    def delays(self) -> list[float]:
        """Milliseconds from when each run was due to its first step; the runs are then forgotten."""
        from automations.engine.models import Run, Segment
        from kernel import jsonx
        from tenants.tenancy import context

        with context.enter(self.tenant):
            due = dict(Run.objects.values_list("id", "started_at"))
            first = Segment.objects.filter(seq=0).values_list("run_id", "steps")
            found = [
                (jsonx.unpack(bytes(steps))[0]["b"] - due[run].timestamp()) * 1e3 for run, steps in first
            ]
            self.forget()
        return found

    @staticmethod
    def forget() -> None:
        """Delete the runs of the tenant that is entered."""
        from django.db import connection

        with ground.owner(), connection.cursor() as cursor:
            cursor.execute("alter table engine_run disable trigger user; delete from engine_run")
            cursor.execute("alter table engine_segment disable trigger user; delete from engine_segment")

    def pace(self) -> float:
        """Runs a second between the first end and the last; the runs are then forgotten."""
        from django.db import connection

        from tenants.tenancy import context

        with context.enter(self.tenant), connection.cursor() as cursor:
            cursor.execute(
                "select count(*), extract(epoch from max(ended_at) - min(ended_at))::float8 from engine_run"
            )
            count, seconds = cursor.fetchone() or (0, 0.0)
            self.forget()
        return float(count / seconds)


def main() -> None:
    """Print a line for each way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flood", type=int, default=9_000)
    parser.add_argument("--others", type=int, default=1_000)
    options = parser.parse_args()
    process, port = stub(20)
    os.environ["PORTAL_EGRESS_ALLOW"] = f"127.0.0.1:{port}"
    try:
        with ground.servers():
            ground.ready()
            clients = [Client(f"client-{number}", http2(port)) for number in range(OTHERS + 1)]
            _work(clients[0], options.flood, clients[1:], 0, 1.0)
            pace = clients[0].pace()
            for name, seconds in (("fairness_at_once", 0.0), ("fairness", options.flood / pace)):
                found = _figures(clients, options.flood, options.others, pace, seconds)
                print(json.dumps({"name": name, **found}), flush=True)
    finally:
        process.kill()


def _figures(clients: list[Client], flood: int, others: int, pace: float, seconds: float) -> dict[str, Any]:
    """The others start their runs within so many seconds; `pace` is the flood's alone, in runs a second."""
    loud, *quiet = clients
    _work(loud, 0, quiet, others, seconds)
    alone = _spread(quiet)
    _work(loud, flood, quiet, others, seconds)
    flooded, beside = _spread(quiet), loud.pace()
    return {
        "flood": flood,
        "others": others,
        "seconds": round(seconds, 1),
        "alone_p95_ms": alone,
        "flooded_p95_ms": flooded,
        "flood_alone_per_second": round(pace),
        "flood_per_second": round(beside),
        "kept_of_idle": round(beside / (pace * flood / (flood + others)), 2),
    }


def _work(loud: Client, flood: int, quiet: list[Client], others: int, seconds: float) -> None:
    """Two workers; from one moment on a flood is due, and others start one after the other within so many seconds."""
    crew = ground.workers(2, seconds=600, idle=LEAD + 1)
    begin = _now() + timedelta(seconds=LEAD)
    loud.plan([begin] * flood)
    for place, client in enumerate(quiet):
        client.plan(
            [begin + timedelta(seconds=n * seconds / others) for n in range(place, others, len(quiet))]
        )
    if _now() > begin:
        raise SystemExit(f"the machine is too slow: writing down the runs took more than {LEAD} s")
    crew.go()


def _now() -> datetime:
    from kernel import clock

    return clock.now()


def _spread(clients: list[Client]) -> float:
    found = sorted(one for client in clients for one in client.delays())
    return round(found[int(len(found) * 0.95)], 1)


if __name__ == "__main__":
    sys.exit(main())
