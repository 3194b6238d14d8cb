"""A copy of a client to try things in: nobody in it is real, nothing in it moves, and nothing leaves it."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from automations.connectors.models import Connection
from automations.engine.models import Run, Workflow
from automations.events.models import Endpoint, Event
from automations.inbox.models import Comment
from automations.ledger.models import QueueRow
from kernel import clock, jsonx
from kernel.actor import system
from kernel.errors import Conflict, Forbidden
from tenants.audit.models import AuditEvent
from tenants.tenancy import actions, context, policy, queries, store
from tenants.tenancy.actions import sandboxing
from tenants.tenancy.enums import JobState, TenantState
from tenants.tenancy.models import ProvisioningJob, Tenant
from tests.house import world
from tests.support import make
from tests.support.cast import Cast

BY = system("test")
PLANTED = (
    "Ottoline Quackenbush",
    "ottoline@quackenbush.test",
    "+44 117 496 0911",
    "Pickwick Row",
    "Ring twice please",
)


@pytest.fixture
def furnished(committed: Any, cast: Cast, tmp_path: Path, settings: Any) -> Tenant:
    settings.AUDIT_HEADS = tmp_path / "heads"
    world.of_tenant(cast.tenant, "Zephyr")
    name, mail, phone, street, note = PLANTED
    data = make.order(
        customer={"name": name, "email": mail, "phone": phone},
        shipping_address={"name": name, "street": f"3 {street}", "city": "Bristol", "country": "GB"},
        note=note,
    )
    with context.enter(cast.tenant):
        make.connection(secret="canary-of-the-connection-4711")
        event = Event.objects.order_by("id").first()
        Event.objects.filter(pk=event.pk).update(data=data)
        for run in Run.objects.all()[:3]:
            Run.objects.filter(pk=run.pk).update(
                input=jsonx.pack({"event": {"data": data}, "pad": "x" * 300})
            )
        Comment.objects.update(text=f"{name} called from {phone}: {note}")
    return Tenant.objects.get(pk=cast.tenant.id)


def copy(tenant: Tenant, slug: str = "hollis-lab") -> ProvisioningJob:
    job = sandboxing.request_sandbox(
        tenant=tenant, slug=slug, name="Hollis Lab", reason="to try it", actor=BY, now=clock.now()
    )
    done = actions.provision(job_id=job.id, now=clock.now())
    assert done.state == JobState.DONE, done.error
    done.tenant.refresh_from_db()
    return done


def everything(schema: str) -> str:
    """All that a schema holds as text, packed values unpacked."""
    found = []
    with connection.cursor() as cursor:
        for table in store.rows_in(schema):
            cursor.execute(f'select to_jsonb(t)::text from "{schema}"."{table}" t')
            for (row,) in cursor.fetchall():
                found.append(row)
                found += [_unpacked(hit) for hit in re.findall(r"\\\\x([0-9a-f]{8,})", row)]
    return "\n".join(found)


def _unpacked(text: str) -> str:
    try:
        return jsonx.text(jsonx.unpack(bytes.fromhex(text)))
    except ValueError:
        return ""


def test_nobody_of_the_client_is_in_the_copy(furnished: Tenant) -> None:
    before = everything(furnished.schema_name)
    assert all(value in before for value in PLANTED)
    made = copy(furnished).tenant
    after = everything(made.schema_name)
    assert [value for value in PLANTED if value in after] == []
    assert "Malik Manager" not in after
    source, here = store.rows_in(furnished.schema_name), store.rows_in(made.schema_name)
    for table in ("events_event", "engine_run", "inbox_case", "engine_workflow", "insights_orderfact"):
        assert here[table] == source[table] > 0, table


def test_it_stands_still_and_nothing_leaves_it(furnished: Tenant, cast: Cast) -> None:
    made = copy(furnished).tenant
    assert (made.sandbox, made.state) == (True, TenantState.TRIAL)
    assert not QueueRow.objects.filter(tenant_id=made.id).exists()
    with context.enter(cast.tenant):
        tokens = set(Endpoint.objects.values_list("token", flat=True))
    with context.enter(queries.ref_of(made)):
        assert not Run.objects.exclude(status__in=["cancelled", "faulted", "completed"]).exists()
        assert not Workflow.objects.filter(state__in=["active", "paused"]).exists()
        assert not Connection.objects.exclude(secret=None).exists()
        assert not tokens & set(Endpoint.objects.values_list("token", flat=True))
        event = AuditEvent.objects.get(action="tenancy.copied")
        assert event.after["from"] == "hollis"
        assert AuditEvent.objects.count() <= 3  # its log begins with itself
    with context.leave():
        assert AuditEvent.objects.filter(action="tenancy.request_sandbox").exists()


def test_one_person_is_one_other_person_in_a_copy_and_another_one_in_the_next() -> None:
    one, two = policy.Masks(), policy.Masks()
    assert one.mail(PLANTED[1]) == one.mail(PLANTED[1].upper()) != two.mail(PLANTED[1])
    value = {"customer": {"name": PLANTED[0], "email": PLANTED[1]}, "lines": [{"sku": "A", "name": "Mug"}]}
    masked = one.json(value)
    assert masked["customer"]["name"] == one.name(PLANTED[0]) != PLANTED[0]
    assert masked["lines"] == value["lines"]
    assert masked["customer"]["email"].endswith("@example.com")


@pytest.mark.parametrize("text", ["a\tb", "back\\slash", "line\nbreak", "\\N", "", "tab\\tliteral"])
def test_fields_come_through_copy_as_they_were(committed: Any, cast: Cast, text: str) -> None:
    masks = policy.Masks()
    with context.own(cast.tenant), connection.cursor() as cursor:
        cursor.execute("create table public.carried_text (a text, b jsonb)")
        raw = connection.connection
        with raw.cursor() as session:
            session.execute(
                "insert into public.carried_text values (%s, %s::jsonb)", [text, jsonx.text({"x": text})]
            )
            with session.copy("copy public.carried_text to stdout") as out:
                rows = list(masks.rows(["scan", "json"], [bytes(chunk) for chunk in out]))
            with session.copy("copy public.carried_text from stdin") as back:
                for row in rows:
                    back.write(row)
        cursor.execute("select count(distinct (a, b)) from public.carried_text")
        assert cursor.fetchone() == (1,)


def test_only_who_may_carry_copies_and_only_what_is_open(furnished: Tenant, cast: Cast) -> None:
    asked = {"slug": "x", "name": "X", "reason": "", "now": clock.now()}
    engineer = cast.actor(cast.partner_engineer, cast.partner_host)
    with pytest.raises(Forbidden):
        sandboxing.request_sandbox(tenant=furnished, actor=engineer, **asked)
    Tenant.objects.filter(pk=furnished.pk).update(state=TenantState.ARCHIVED)
    furnished.refresh_from_db()
    with pytest.raises(Conflict):
        sandboxing.request_sandbox(tenant=furnished, actor=BY, **asked)
