"""A client as it was: only it goes back, its log goes on, nothing happens twice, nothing taken away comes back."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from automations.connectors import actions as connectors
from automations.connectors.models import Connection
from automations.engine.models import Effect, Run
from automations.events.models import Event
from automations.inbox.models import Comment
from automations.ledger.models import QueueRow, Slot
from kernel import clock, ids
from kernel.actor import system
from kernel.errors import Conflict, Forbidden, Invalid
from tenants.audit import actions as audit
from tenants.audit.models import AuditEvent
from tenants.tenancy import actions, context, queries, registry, store
from tenants.tenancy.actions import exporting, restoring
from tenants.tenancy.enums import JobState, RestoreState, TenantState
from tenants.tenancy.models import Restore, Tenant, TenantFile
from tenants.tenancy.store import swapping
from tests.house import world
from tests.support import make
from tests.support.cast import Cast

BY = system("test")
WHY = {"reason": "a bad import", "actor": BY}
SHARED_OF_IT = {"tenant_id", "schema_name"}


@pytest.fixture
def furnished(committed: Any, cast: Cast, tmp_path: Path, settings: Any) -> Tenant:
    settings.TENANT_FILES = tmp_path / "clients"
    settings.AUDIT_HEADS = tmp_path / "heads"
    world.of_tenant(cast.tenant, "Zephyr")
    world.of_tenant(cast.other_tenant, "Vandor")
    with context.enter(cast.tenant):
        make.connection(name="ERP", secret="the-secret-of-before-4711")
    return Tenant.objects.get(pk=cast.tenant.id)


def backup(tenant: Tenant) -> TenantFile:
    file = exporting.request_file(tenant=tenant, now=clock.now(), **WHY)
    made = exporting.make_file(file_id=file.id, now=clock.now())
    assert made.state == JobState.DONE, made.error
    return made


def laid(file: TenantFile) -> Restore:
    asked = restoring.request_restore(file=file, now=clock.now(), **WHY)
    made = restoring.lay_beside(restore_id=asked.id, now=clock.now())
    assert made.state == RestoreState.READY, made.error
    return made


def put(restore: Restore) -> Restore:
    return restoring.swap_in(restore=restore, typed=restore.tenant.name, now=clock.now(), **WHY)


def spoil(tenant: Tenant) -> None:
    """What somebody wants undone, and what must not be."""
    with context.enter(queries.ref_of(tenant)):
        Comment.objects.all().delete()
        Event.objects.update(data={"wrong": True})
        row = Connection.objects.get(name="ERP")
        connectors.set_secret(connection=row, secret="the-secret-of-today-0815", actor=BY, now=clock.now())
        with transaction.atomic():
            audit.record(action="test.mark", obj=("test", "1", "later"), now=clock.now(), actor=BY)


def others(tenant: Tenant) -> dict[str, Any]:
    """Hashes of everything that is not this client's: other schemas, and others' rows in shared tables."""
    found: dict[str, Any] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "select nspname from pg_namespace where nspname like 't\\_%%' and nspname <> %s",
            [tenant.schema_name],
        )
        for (schema,) in cursor.fetchall():
            if schema != store.TEMPLATE_SCHEMA:
                found[schema] = swapping.digests(schema)
        cursor.execute(
            "select table_name, array_agg(column_name::text) from information_schema.columns"
            " where table_schema = 'public' and column_name = any(%s) group by 1",
            [list(SHARED_OF_IT)],
        )
        for table, columns in cursor.fetchall():
            column = "tenant_id" if "tenant_id" in columns else "schema_name"
            value = str(tenant.id) if column == "tenant_id" else tenant.schema_name
            cursor.execute(
                f"select md5(string_agg(t::text, '' order by t::text)) from public.\"{table}\" t"
                f" where {column}::text not in (%s, 'public')",
                [value],
            )
            found[f"public.{table}"] = cursor.fetchone()
    return found


def test_only_this_client_goes_back_and_its_log_goes_on(furnished: Tenant) -> None:
    then = swapping.digests(furnished.schema_name)
    file = backup(furnished)
    spoil(furnished)
    restore = laid(file)
    compared = {one["table"]: (one["now"], one["then"]) for one in restore.compared}
    assert compared["inbox_comment"] == (0, then["inbox_comment"][0])
    live = swapping.digests(furnished.schema_name)
    assert live["inbox_comment"][0] == 0  # nothing has changed yet
    before = others(Tenant.objects.get(pk=furnished.pk)) | {}
    before.pop(restore.beside)
    put(restore)
    now = swapping.digests(furnished.schema_name)
    apart = {table for table in then if now[table] != then[table]}
    assert {table for table in apart if not table.startswith("audit_")} == {"connectors_connection"}
    assert others(furnished) == before
    with context.enter(queries.ref_of(furnished)):
        assert AuditEvent.objects.filter(action="test.mark").exists()
        event = AuditEvent.objects.get(action="tenancy.restored")
        assert (event.actor_label, event.reason) == ("test", "a bad import")
        while audit.seal(now=clock.now()):
            continue
        check = audit.verify_log(actor=BY, now=clock.now())
        assert (check.ok, check.findings) == (True, [])
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from pg_namespace where nspname = %s", [restore.beside])
        assert cursor.fetchone() == (0,)
        cursor.execute("select count(*) from pg_roles where rolname = %s", [restore.beside])
        assert cursor.fetchone() == (0,)


def test_the_restored_client_is_guarded_as_before_and_waits_to_be_let_go(
    furnished: Tenant, cast: Cast
) -> None:
    put(laid(backup(furnished)))
    furnished.refresh_from_db()
    assert furnished.state == TenantState.SUSPENDED
    assert Slot.objects.get(tenant_id=furnished.id).open is False
    assert store.unguarded() == []
    with context.enter(cast.tenant):
        assert Run.objects.exists()
        with (
            transaction.atomic(),
            pytest.raises(Exception, match="permission denied"),
            connection.cursor() as cursor,
        ):
            cursor.execute("delete from audit_auditevent")
    with context.enter(cast.tenant):
        make.connection(name="made afterwards")
    actions.set_state(tenant=furnished, state=TenantState.ACTIVE, now=clock.now(), **WHY)


def test_what_was_parked_then_does_not_fire_twice(furnished: Tenant, cast: Cast) -> None:
    keys = QueueRow.objects.filter(tenant_id=furnished.id).order_by("run_id").values_list("run_id", flat=True)
    run_id = keys[0]
    file = backup(furnished)
    with context.enter(cast.tenant):
        # the run goes on after the backup: a call that must be made once is made, and it is over
        Effect.objects.create(run_id=run_id, key="once", state="confirmed", at=clock.now())
    QueueRow.objects.filter(run_id=run_id).update(epoch=41, owner=ids.uuid7())
    put(laid(file))
    epoch, owner = QueueRow.objects.filter(run_id=run_id).values_list("epoch", "owner").get()
    assert (epoch > 41, owner) == (True, None)  # whoever held it is refused
    with context.enter(cast.tenant):
        assert Effect.objects.get(run_id=run_id, key="once").state == "confirmed"
        assert Run.objects.filter(pk=run_id).exists()


def test_a_restore_that_is_thrown_away_leaves_nothing(furnished: Tenant) -> None:
    before = swapping.digests(furnished.schema_name)
    restore = laid(backup(furnished))
    with pytest.raises(Conflict, match="open already"):
        restoring.request_restore(file=restore.file, now=clock.now(), **WHY)
    restoring.drop_restore(restore=restore, now=clock.now(), **WHY)
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from pg_namespace where nspname = %s", [restore.beside])
        assert cursor.fetchone() == (0,)
    after = swapping.digests(furnished.schema_name)
    assert {table for table in before if after[table] != before[table]} <= {
        "audit_auditevent", "audit_auditleaf", "audit_auditcheckpoint",
    }  # fmt: skip
    with pytest.raises(Conflict, match="nothing is laid out"):
        put(restore)


def test_where_somebody_is_at_work_it_gives_up_and_nothing_changes(
    furnished: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    import psycopg

    from kernel.database import dsn

    monkeypatch.setattr(swapping, "LOCK_SECONDS", 1)
    restore = laid(backup(furnished))
    with psycopg.connect(dsn("test")) as session:
        session.execute(f'lock table "{furnished.schema_name}".engine_run in row exclusive mode')
        with pytest.raises(Conflict, match="at work"):
            put(restore)
    restore.refresh_from_db()
    assert restore.state == RestoreState.READY
    assert put(restore).state == RestoreState.DONE


def test_it_wants_the_right_and_the_name(furnished: Tenant, cast: Cast) -> None:
    restore = laid(backup(furnished))
    with pytest.raises(Invalid):
        restoring.swap_in(restore=restore, typed="Hollis", now=clock.now(), **WHY)
    engineer = cast.actor(cast.partner_engineer, cast.partner_host)
    with pytest.raises(Forbidden):
        restoring.swap_in(
            restore=restore, typed=furnished.name, reason="", actor=engineer, now=clock.now() + timedelta(0)
        )


def test_who_was_erased_since_is_asked_for_again_before_it_opens(
    furnished: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[Any, int]] = []

    def replay(ref: queries.TenantRef, *_: Any) -> None:
        assert context.current().id == ref.id
        assert connection.in_atomic_block
        seen.append((ref.id, Comment.objects.count()))

    monkeypatch.setattr(registry, "_revivals", [replay])
    file = backup(furnished)
    spoil(furnished)
    put(laid(file))
    assert len(seen) == 1
    assert seen[0][1] > 0


def test_an_operator_does_it_by_command(furnished: Tenant, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("tenant_restore", "meridian/hollis", make=True)
    name = capsys.readouterr().out.split()[0]
    call_command("tenant_restore", "meridian/hollis", file=name)
    assert "lies beside the live client" in capsys.readouterr().out
    call_command("tenant_restore", "meridian/hollis", swap=True, name=furnished.name)
    assert "suspended until you resume it" in capsys.readouterr().out
