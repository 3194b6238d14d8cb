"""Making a tenant: whole or not at all, wherever it is interrupted."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from automations.ledger.models import Slot
from kernel import clock
from kernel.actor import system
from kernel.errors import Forbidden, Invalid
from tenants.access.models import Membership
from tenants.audit.models import AuditEvent
from tenants.tenancy import actions, context, queries, registry, store
from tenants.tenancy.enums import JobState, TenantState
from tenants.tenancy.errors import AddressTaken
from tenants.tenancy.models import DataKey, Domain, Partner, ProvisioningJob, Tenant
from tenants.tenancy.store.schemas import _dump

BY = system("test")


class Died(BaseException):
    """The process ends here."""


def ask(slug: str = "novel", **more: Any) -> ProvisioningJob:
    partner = Partner.objects.get(slug="meridian")
    return actions.request_tenant(
        partner=partner,
        name="Novel & Co",
        slug=slug,
        actor=BY,
        now=clock.now(),
        people=[{"email": "nora@novel.test", "name": "Nora", "role": "tenant_admin"}],
        **more,
    )


def schemas() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("select nspname from pg_namespace where nspname like 't\\_%'")
        return {row[0] for row in cursor.fetchall()}


def whole(tenant: Tenant) -> None:
    """Everything that a working tenant has is there, once."""
    tenant.refresh_from_db()
    assert tenant.ready_at is not None
    assert tenant.schema_name in schemas()
    assert DataKey.objects.filter(tenant=tenant).count() == 1
    assert Slot.objects.filter(tenant_id=tenant.id, schema_name=tenant.schema_name, open=True).count() == 1
    assert Membership.objects.filter(tenant=tenant).count() == 1
    assert queries.host("novel.meridian.localhost", "localhost").tenant is not None
    with context.enter(queries.ref_of(tenant)), connection.cursor() as cursor:
        cursor.execute("select count(*) from engine_run")
        assert cursor.fetchone() == (0,)


def test_a_tenant_is_made_step_by_step(committed, cast, jobs):
    job = ask()
    assert [name for name, _, _ in jobs.calls] == ["tenancy.provision"]
    jobs.run_all()
    job.refresh_from_db()
    assert (job.state, {step["state"] for step in job.steps}) == (JobState.DONE, {"done"})
    assert [step["name"] for step in job.steps] == [step.name for step in registry.steps()]
    whole(job.tenant)
    acts = AuditEvent.objects.filter(object_id=job.tenant.public_id).values_list("action", flat=True)
    assert set(acts) == {"tenancy.provision", "tenancy.provisioned"}


@pytest.mark.parametrize("at", [step.name for step in registry.steps()])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_at_any_step_it_resumes_and_is_whole(committed, cast, jobs, monkeypatch, at, moment):
    job = ask()
    step = registry._steps[at]

    def dying(*arguments: Any) -> str:
        if moment == "after":
            step.run(*arguments)
        raise Died

    monkeypatch.setitem(registry._steps, at, registry.Step(step.order, step.name, step.title, dying))
    with pytest.raises(Died):
        actions.provision(job_id=job.id, now=clock.now())
    connection.close()
    monkeypatch.setitem(registry._steps, at, step)
    assert (
        actions.provision(job_id=job.id, now=clock.now()).state == JobState.RUNNING
    )  # somebody may be at it
    later = clock.now() + actions.LEASE + timedelta(seconds=1)
    assert [found.id for found in queries.unfinished_provisioning(later)] == [job.id]
    done = actions.provision(job_id=job.id, now=later)
    assert (done.state, done.error) == (JobState.DONE, "")
    whole(done.tenant)


def test_a_step_that_keeps_failing_takes_the_tenant_away_again(committed, cast, jobs, monkeypatch):
    before = schemas()
    job = ask()
    step = registry._steps["people"]

    def failing(*_: Any) -> str:
        raise RuntimeError("no people today")

    monkeypatch.setitem(registry._steps, "people", registry.Step(step.order, step.name, step.title, failing))
    now = clock.now()
    for _ in range(actions.MAX_ATTEMPTS):
        job = actions.provision(job_id=job.id, now=now)
        now += timedelta(minutes=2)
    assert (job.state, job.error) == (JobState.ROLLED_BACK, "people: no people today")
    assert schemas() == before
    assert Domain.objects.filter(host="novel.meridian.localhost").count() == 0
    assert Tenant.objects.get(pk=job.tenant_id).state == TenantState.ARCHIVED
    monkeypatch.setitem(registry._steps, "people", step)
    again = ask()  # the address is free
    actions.provision(job_id=again.id, now=clock.now())
    whole(again.tenant)


def test_two_workers_make_it_once(committed, cast, jobs):
    job = ask()
    first = actions.provision(job_id=job.id, now=clock.now())
    second = actions.provision(job_id=job.id, now=clock.now())
    assert (first.state, second.state) == (JobState.DONE, JobState.DONE)
    assert Membership.objects.filter(tenant=job.tenant).count() == 1


def test_a_replayed_schema_is_what_the_migrations_make(committed, cast, jobs):
    job = ask()
    actions.provision(job_id=job.id, now=clock.now())
    assert _shape(job.tenant.schema_name) == _shape(store.TEMPLATE_SCHEMA)


def _shape(schema: str) -> str:
    """What is in a schema; a list in a check reads back cast as a whole once it was replayed, which means the same."""
    said = (
        _dump(schema).replace(schema, "S").splitlines()
    )  # a tenant's schema has a role with rights, the other none
    dump = "\n".join(
        line for line in said if not line.startswith(("--", "GRANT", "REVOKE", "ALTER DEFAULT")) and line
    )
    return re.sub(
        r"\(ARRAY\[(.*?)\]\)::text\[\]",
        lambda hit: f"ARRAY[{hit[1]}]",
        re.sub(r"\((('[^']*')::character varying)\)::text", r"\1", dump),
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("slug", "Bad Slug"),
        ("slug", "-x"),
        ("slug", ""),
        ("slug", "a" * 41),
        ("timezone", "Mars/Olympus"),
        ("currency", "euro"),
        ("name", " "),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_made(cast, field, value):
    partner = Partner.objects.get(slug="meridian")
    before = Tenant.objects.count()
    values = {"name": "N", "slug": "novel", "timezone": "UTC", "currency": "EUR", field: value}
    with pytest.raises(Invalid) as refused:
        actions.request_tenant(partner=partner, actor=BY, now=clock.now(), **values)
    assert list(refused.value.fields) == [field]
    assert Tenant.objects.count() == before


def test_a_taken_address_is_refused(cast):
    with pytest.raises(AddressTaken):
        ask("hollis")


def test_only_who_may_provision_does(cast):
    partner = Partner.objects.get(slug="meridian")
    engineer = cast.actor(cast.partner_engineer, cast.partner_host)
    with pytest.raises(Forbidden):
        actions.request_tenant(partner=partner, name="N", slug="novel", actor=engineer, now=clock.now())
    assert not Tenant.objects.filter(slug="novel").exists()


def test_schema_names_are_made_by_us(cast):
    job = ask("pg-catalog")
    assert job.tenant.schema_name == f"t_{job.tenant_id.hex}"
    with pytest.raises(ValueError):
        store.drop_schema("public")
