"""The end of a tenant: held back, whole or not at all, certified, nothing left and nobody else touched."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction

from kernel import clock, proof
from kernel.actor import system
from kernel.errors import Conflict, Forbidden, Invalid
from tenants.access.models import User
from tenants.audit import actions as audit
from tenants.audit.models import AuditEvent
from tenants.tenancy import actions, context, registry, store, tasks
from tenants.tenancy.actions import deleting
from tenants.tenancy.enums import DeletionState, TenantState
from tenants.tenancy.errors import NotAllGone
from tenants.tenancy.models import Deletion, Tenant
from tests.support.cast import Cast

BY = system("test")
WHY = {"reason": "contract is over", "actor": BY}


@pytest.fixture
def archived(committed: Any, cast: Cast) -> Tenant:
    row = Tenant.objects.get(pk=cast.tenant.id)
    actions.set_state(tenant=row, state=TenantState.ARCHIVED, now=clock.now(), **WHY)
    with context.enter(cast.tenant), transaction.atomic():
        audit.record(action="test.mark", obj=("test", "1", "one"), now=clock.now(), actor=BY)
    row.refresh_from_db()
    return row


def ask(tenant: Tenant) -> Deletion:
    return deleting.request_deletion(tenant=tenant, typed=tenant.name, now=clock.now(), **WHY)


def over(asked: Deletion) -> Deletion:
    return deleting.delete_tenant(deletion_id=asked.id, now=asked.due_at + timedelta(seconds=1))


def digests(schema: str) -> dict[str, str]:
    with connection.cursor() as cursor:
        found = {}
        for table in store.rows_in(schema):
            cursor.execute(
                f"""select md5(string_agg(t::text, ',' order by t::text)) from "{schema}"."{table}" t"""
            )
            found[table] = (cursor.fetchone() or ("",))[0]
    return found


def test_nothing_of_it_is_left_and_nothing_of_others_is_touched(archived: Tenant, cast: Cast) -> None:
    assert store.left_in_shared(archived.id, archived.schema_name)
    other = digests(cast.other_tenant.schema_name)
    before = store.left_in_shared(cast.other_tenant.id, cast.other_tenant.schema_name)
    done = over(ask(archived))
    assert done.state == DeletionState.DONE
    assert store.left_in_shared(archived.id, archived.schema_name) == {}
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from pg_namespace where nspname = %s", [archived.schema_name])
        assert cursor.fetchone() == (0,)
    assert digests(cast.other_tenant.schema_name) == other
    assert store.left_in_shared(cast.other_tenant.id, cast.other_tenant.schema_name) == before
    assert AuditEvent.objects.get(action="tenancy.deleted").object_id == archived.public_id


def test_people_who_belong_nowhere_else_go_along(archived: Tenant, cast: Cast) -> None:
    over(ask(archived))
    left = set(User.objects.values_list("email", flat=True))
    assert "manager@cast.test" not in left
    assert {"partner_admin@cast.test", "operator@cast.test", "other_owner@cast.test"} <= left


def test_the_certificate_verifies_offline_and_a_changed_one_does_not(
    archived: Tenant, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done = over(ask(archived))
    keys = [word for key in audit.verifying_keys() for word in ("--key", str(key))]
    file = tmp_path / "certificate.txt"
    file.write_text(done.certificate)
    assert proof.main([str(file), *keys]) == 0
    said = capsys.readouterr().out
    assert "rows left in shared tables: 0" in said
    assert re.search(r"audit log before: \d+ events, root [0-9a-f]{64}", said)
    file.write_text(done.certificate.replace("shared tables: 0", "shared tables: 1"))
    assert proof.main([str(file), *keys]) == 2


def test_it_is_held_and_can_be_taken_back(archived: Tenant) -> None:
    asked = ask(archived)
    assert asked.due_at - asked.asked_at == timedelta(days=settings.DELETE_HOLD_DAYS)
    assert list(tasks._ended()) == []
    assert deleting.delete_tenant(deletion_id=asked.id, now=clock.now()).state == DeletionState.HELD
    deleting.cancel_deletion(tenant=archived, now=clock.now(), **WHY)
    assert over(asked).state == DeletionState.CANCELLED
    assert Tenant.objects.filter(pk=archived.id).exists()
    again = ask(archived)
    with clock.hold(again.due_at + timedelta(minutes=1)):
        assert list(tasks._ended()) == [{"deletion": again.id}]
        tasks.delete(deletion=str(again.id))
    assert not Tenant.objects.filter(pk=archived.id).exists()


def test_only_what_is_archived_and_meant_is_deleted(archived: Tenant, cast: Cast) -> None:
    live = Tenant.objects.get(pk=cast.other_tenant.id)
    with pytest.raises(Conflict):
        ask(live)
    with pytest.raises(Invalid):
        deleting.request_deletion(tenant=archived, typed="Hollis", now=clock.now(), **WHY)
    with pytest.raises(Forbidden):
        deleting.request_deletion(
            tenant=archived,
            typed=archived.name,
            reason="",
            actor=cast.actor(cast.partner_engineer, cast.partner_host),
            now=clock.now(),
        )
    ask(archived)
    with pytest.raises(Conflict):
        ask(archived)
    assert Deletion.objects.count() == 1


def test_one_that_was_brought_back_meanwhile_stays(archived: Tenant) -> None:
    asked = ask(archived)
    actions.set_state(tenant=archived, state=TenantState.SUSPENDED, now=clock.now(), **WHY)
    assert over(asked).state == DeletionState.HELD
    assert Tenant.objects.filter(pk=archived.id).exists()


def test_where_something_is_left_nothing_is_deleted(
    archived: Tenant, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = digests(archived.schema_name)
    monkeypatch.setattr(store, "clear_shared", lambda *_: {})
    with pytest.raises(NotAllGone, match="ledger_slot"):
        over(ask(archived))
    assert digests(archived.schema_name).keys() == before.keys()
    with context.enter(cast.tenant):
        assert AuditEvent.objects.exists()


def test_every_room_that_keeps_people_says_farewell() -> None:
    assert [run.__name__ for run in registry.farewells()] == ["forget_people"]
