"""Provisioning by the path that the console takes; with --fleet, migrating as many schemas, and what they cost."""

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench import ground

_MIGRATION = """
from django.db import migrations, models

class Migration(migrations.Migration):
    dependencies = [("events", "{after}")]
    operations = [migrations.AddField("event", "extra", models.CharField(max_length=9, db_default=""))]
"""


def main() -> None:
    """Make clients one after the other and print how long each took; then bring all of them one migration on."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--fleet", action="store_true", help="migrate them as well")
    options = parser.parse_args()
    with ground.servers():
        ground.ready()
        ground.tenant("first")
        meter = ground.Meter().start()
        seconds = []
        for number in range(options.count):
            began = time.perf_counter()
            ground.tenant(f"client-{number}")
            seconds.append(time.perf_counter() - began)
        meter.stop()
        cuts = statistics.quantiles(seconds, n=20)
        said = {
            "name": "provisioning",
            "tenants": options.count,
            "p50_s": round(statistics.median(seconds), 3),
            "p95_s": round(cuts[-1], 3),
            "max_s": round(max(seconds), 3),
            "postgres_cpu_ms": round(meter.postgres / options.count * 1e3, 1),
        }
        print(json.dumps(said), flush=True)
        if options.fleet:
            print(json.dumps(fleet(options.count)))


def fleet(count: int) -> dict[str, Any]:
    """A deploy with nothing to do, one additive migration of every schema, and what so many schemas cost."""
    from django.test.utils import override_settings

    nothing = _voyage()
    with tempfile.TemporaryDirectory() as folder, override_settings(MIGRATION_MODULES={"events": "one_more"}):
        _one_more(Path(folder))
        moved = _voyage()
    return {
        "name": "fleet",
        "tenants": count + 1,
        "no_op_s": round(nothing.seconds, 3),
        "migration_s": round(moved.seconds, 1),
        "migrated": moved.migrated,
        "failed": len(moved.failed),
        **_costs(),
    }


def _voyage() -> Any:
    from kernel import clock
    from kernel.actor import system
    from tenants.tenancy.actions import fleet as tenants

    return tenants.migrate_fleet(actor=system("bench"), now=clock.now())


def _one_more(folder: Path) -> None:
    """The migrations of the events room on disk, with one more."""
    ours = sorted(Path("automations/events/migrations").glob("*.py"))
    (folder / "one_more").mkdir()
    for path in ours:
        (folder / "one_more" / path.name).write_text(path.read_text())
    last = next(path.stem for path in reversed(ours) if path.stem[0].isdigit())
    (folder / "one_more" / "0999_extra.py").write_text(_MIGRATION.format(after=last))
    sys.path.insert(0, str(folder))


def _costs() -> dict[str, Any]:
    """Catalogue and disk, the memory of a backend that looked into every schema, and cold and warm first looks."""
    from django.db import connection

    from automations.events.models import Event
    from tenants.tenancy import context, queries
    from tenants.tenancy.models import Tenant

    cold, warm = [], []
    for row in Tenant.objects.ready():
        with context.enter(queries.ref_of(row)):
            for found in (cold, warm):
                began = time.perf_counter()
                Event.objects.count()
                found.append((time.perf_counter() - began) * 1e3)
    with connection.cursor() as cursor:
        cursor.execute(
            "select pg_database_size(current_database()) / 1e6, (select count(*) from pg_class),"
            " (select sum(pg_total_relation_size(oid)) / 1e6 from pg_class where relnamespace = 11),"
            " pg_backend_pid()"
        )
        size, relations, catalogue, backend = cursor.fetchone() or (0, 0, 0, 0)
    lines = Path(f"/proc/{backend}/smaps_rollup").read_text().splitlines()
    private = sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1024
    return {
        "database_mb": round(float(size)),
        "relations": relations,
        "catalogue_mb": round(float(catalogue)),
        "backend_mb": round(private),
        "first_look_ms": round(statistics.median(cold), 2),
        "second_look_ms": round(statistics.median(warm), 2),
    }


if __name__ == "__main__":
    main()
