"""The audit: written with the act, never changed."""

import pytest
from django.db import DatabaseError, connection, transaction

from kernel import clock
from kernel.actor import Actor, system
from kernel.secrets import Secret
from tenants.audit import queries
from tenants.audit.actions import record
from tenants.audit.models import AuditEvent
from tenants.tenancy import context

BY = Actor(kind="user", id=None, label="Jess", request_id="r-1", address="10.0.0.1")


def note(**more):
    return record(actor=BY, action="test.note", obj=("thing", "t-1", "Thing"), now=clock.now(), **more)


@pytest.mark.parametrize(
    "change",
    ["update audit_auditevent set reason = 'x'", "delete from audit_auditevent", "truncate audit_auditevent"],
)
@pytest.mark.parametrize("where", ["tenant", "public"])
def test_the_database_refuses_every_change(tenant, change, where):
    inside = context.enter(tenant) if where == "tenant" else context.leave()
    with inside:
        note()
        refused = pytest.raises(DatabaseError, match=r"append-only|permission denied")
        with refused, transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(change)
        assert AuditEvent.objects.get(action="test.note").reason == ""


def test_an_act_and_its_trace_stand_or_fall_together(tenant):
    with pytest.raises(RuntimeError), transaction.atomic():
        note()
        raise RuntimeError
    assert not AuditEvent.objects.filter(action="test.note").exists()


def test_outside_a_transaction_nothing_is_recorded(committed, cast):
    with context.enter(cast.tenant), pytest.raises(RuntimeError, match="outside the transaction"):
        note()


def test_only_what_differs_is_kept_and_no_secret(tenant):
    Secret("hunter2hunter2").reveal()
    event = note(
        before={"name": "A", "state": "open", "key": Secret("hunter2hunter2")},
        after={"name": "A", "state": "shut", "note": "it was hunter2hunter2"},
        reason="because hunter2hunter2",
    )
    event.refresh_from_db()
    assert event.before == {"state": "open", "key": "•••"}
    assert event.after == {"state": "shut", "note": "it was •••"}
    assert event.reason == "because •••"
    assert (event.actor_label, event.request_id, event.address) == ("Jess", "r-1", "10.0.0.1")


def test_each_schema_has_its_own(cast, other_tenant):
    with context.enter(cast.tenant):
        note()
        assert queries.trail(action="test.note").count() == 1
    with context.enter(other_tenant):
        assert queries.trail(action="test.note").count() == 0
    assert queries.trail(action="test.note").count() == 0


def test_the_trail_is_found_by_what_people_know(tenant):
    record(actor=system("engine"), action="test.other", obj=("run", "run_1", "Run 1"), now=clock.now())
    note(reason="stock was counted")
    assert [event.action for event in queries.trail(text="counted")] == ["test.note"]
    assert [event.action for event in queries.trail(object_id="run_1")] == ["test.other"]
    assert set(queries.actions_seen()) >= {"test.note", "test.other"}
