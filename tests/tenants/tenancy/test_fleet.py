"""Migrating the fleet: one query for nobody, a few first, each by itself, held ones left out, a failure stops and resumes."""

import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from kernel import clock
from kernel.actor import system
from tenants.tenancy import store
from tenants.tenancy.actions import fleet
from tenants.tenancy.enums import FleetStep
from tenants.tenancy.models import FleetState, Tenant
from tests.support.cast import Cast

BY = system("test")
_MIGRATION = """
from django.db import migrations, models

class Migration(migrations.Migration):
    dependencies = [("events", "{after}")]
    operations = [
        migrations.AddField("event", "extra", models.CharField(max_length=9, db_default="")),
        migrations.AddIndex("event", models.Index(fields=["extra"], name="event_extra")),
        migrations.RunSQL({sql!r}, migrations.RunSQL.noop),
    ]
"""


class Disk:
    """The migrations of the events room, with one more that a test may write."""

    def __init__(self, folder: Path, settings: Any) -> None:
        ours = sorted(Path("automations/events/migrations").glob("0*.py"))
        self.folder = folder / "fleet_events"
        self.folder.mkdir()
        for path in [*ours, Path("automations/events/migrations/__init__.py")]:
            (self.folder / path.name).write_text(path.read_text())
        self._after = ours[-1].stem
        settings.MIGRATION_MODULES = {"events": "fleet_events"}

    def add(self, sql: str = "select 1") -> str:
        (self.folder / "0999_extra.py").write_text(_MIGRATION.format(after=self._after, sql=sql))
        for name in [name for name in sys.modules if name.startswith("fleet_events")]:
            del sys.modules[name]
        return store.revision()


@pytest.fixture
def disk(committed: Any, cast: Cast, tmp_path: Path, settings: Any, monkeypatch: Any) -> Iterator[Disk]:
    monkeypatch.syspath_prepend(str(tmp_path))
    yield Disk(tmp_path, settings)
    for name in [name for name in sys.modules if name.startswith("fleet_events")]:
        del sys.modules[name]


def go(**more: Any) -> fleet.Voyage:
    return fleet.migrate_fleet(actor=BY, now=clock.now(), **more)


def has_extra(schema: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "select count(*) from information_schema.columns"
            " where table_schema = %s and table_name = 'events_event' and column_name = 'extra'",
            [schema],
        )
        return bool((cursor.fetchone() or (0,))[0])


def test_nobody_behind_costs_two_queries_and_no_look_into_a_schema(committed: Any, cast: Cast) -> None:
    with CaptureQueriesContext(connection) as asked:
        voyage = go()
    assert (voyage.behind, voyage.migrated, voyage.ok) == (0, 0, True)
    assert len(asked) <= 2


def test_everybody_is_brought_along(disk: Disk, cast: Cast) -> None:
    wanted = disk.add()
    voyage = go()
    assert (voyage.behind, voyage.migrated, voyage.failed) == (2, 2, [])
    for ref in (cast.tenant, cast.other_tenant):
        row = Tenant.objects.get(pk=ref.id)
        assert (row.revision, has_extra(ref.schema_name)) == (wanted, True)
        assert row.fleet.step == FleetStep.DONE
        with connection.cursor() as cursor:
            cursor.execute(
                f"select count(*) from \"{ref.schema_name}\".django_migrations where name = '0999_extra'"
            )
            assert cursor.fetchone() == (1,)
            cursor.execute(
                "select has_column_privilege(%s, %s, 'extra', 'select')",
                [ref.schema_name, f'"{ref.schema_name}".events_event'],
            )
            assert cursor.fetchone() == (True,)
    assert go().behind == 0


def test_one_that_is_held_is_left_out(disk: Disk, cast: Cast) -> None:
    wanted = disk.add()
    call_command("migrate_fleet", hold="meridian/hollis", reason="audit week")
    voyage = go()
    assert (voyage.migrated, voyage.held) == (1, 1)
    assert not has_extra(cast.tenant.schema_name)
    call_command("migrate_fleet", release="meridian/hollis")
    assert go().migrated == 1
    assert set(Tenant.objects.values_list("revision", flat=True)) == {wanted}


def test_a_failure_leaves_the_rest_and_itself_untouched_and_is_gone_on_from(disk: Disk, cast: Cast) -> None:
    first, second = Tenant.objects.order_by("created_at", "id")
    disk.add(f"select 1 / (case when current_schema() = '{second.schema_name}' then 0 else 1 end)")
    with pytest.raises(CommandError, match="division by zero"):
        call_command("migrate_fleet")
    assert (has_extra(first.schema_name), has_extra(second.schema_name)) == (True, False)
    failed = FleetState.objects.get(tenant=second)
    assert (failed.step, "division by zero" in failed.error) == (FleetStep.FAILED, True)
    disk.add()
    voyage = go()
    assert (voyage.behind, voyage.migrated) == (1, 1)
    assert has_extra(second.schema_name)


def test_a_canary_that_dies_stops_everything(disk: Disk, cast: Cast) -> None:
    disk.add("select 1 / 0")
    voyage = go(canaries=1)
    assert (voyage.migrated, len(voyage.failed)) == (0, 1)
    assert not any(has_extra(ref.schema_name) for ref in (cast.tenant, cast.other_tenant))


def test_a_table_that_is_locked_for_a_while_is_tried_again(disk: Disk, cast: Cast) -> None:
    disk.add()
    locked, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f'lock table "{cast.tenant.schema_name}".events_event in access share mode')
            locked.set()
            done.wait(3)
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    locked.wait(10)
    began = time.monotonic()
    voyage = go()
    done.set()
    thread.join()
    assert voyage.ok
    assert voyage.migrated == 2
    assert time.monotonic() - began >= store.LOCK_SECONDS
    assert FleetState.objects.get(tenant_id=cast.tenant.id).attempts >= 2
