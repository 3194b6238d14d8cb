"""States, clocks and contexts of tenants."""

import threading
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection

from automations.engine.models import Run
from automations.ledger.models import Slot
from kernel import clock
from kernel.actor import system
from kernel.errors import Conflict, Forbidden
from tenants.audit.models import AuditEvent
from tenants.tenancy import actions, context, queries
from tenants.tenancy.enums import TenantState
from tenants.tenancy.errors import ClockRunsForward, NoTenant, NotSandbox, UnknownHost
from tenants.tenancy.models import Domain, Tenant

BY = system("test")


def row(cast) -> Tenant:
    return Tenant.objects.get(pk=cast.tenant.id)


def test_a_suspended_tenant_is_shut_for_work_and_opens_again(cast):
    actions.set_state(
        tenant=row(cast), state=TenantState.SUSPENDED, reason="unpaid", actor=BY, now=clock.now()
    )
    assert Slot.objects.get(tenant_id=cast.tenant.id).open is False
    actions.set_state(tenant=row(cast), state=TenantState.ACTIVE, reason="paid", actor=BY, now=clock.now())
    assert Slot.objects.get(tenant_id=cast.tenant.id).open is True
    trail = AuditEvent.objects.filter(action="tenancy.lifecycle").order_by("id")
    assert [(event.before, event.after, event.reason) for event in trail] == [
        ({"state": "trial"}, {"state": "suspended"}, "unpaid"),
        ({"state": "suspended"}, {"state": "active"}, "paid"),
    ]


def test_an_archived_tenant_has_no_address(cast):
    actions.set_state(tenant=row(cast), state=TenantState.ARCHIVED, reason="", actor=BY, now=clock.now())
    with pytest.raises(UnknownHost):
        queries.host(cast.host, "localhost")
    with pytest.raises(Conflict):
        actions.set_state(tenant=row(cast), state=TenantState.ACTIVE, reason="", actor=BY, now=clock.now())


def test_only_who_may_changes_the_state(cast):
    with pytest.raises(Forbidden):
        actions.set_state(
            tenant=row(cast),
            state=TenantState.ARCHIVED,
            reason="",
            actor=cast.actor(cast.owner),
            now=clock.now(),
        )
    assert row(cast).state == "trial"


def test_only_a_sandbox_has_a_clock_and_it_runs_forward(cast):
    at = clock.parse_rfc3339("2020-05-01T00:00:00Z")
    with pytest.raises(NotSandbox):
        actions.advance_clock(tenant_id=cast.tenant.id, to=at, actor=BY, now=clock.now())
    Tenant.objects.filter(pk=cast.tenant.id).update(sandbox=True)
    actions.advance_clock(tenant_id=cast.tenant.id, to=at, actor=BY, now=clock.now())
    with pytest.raises(ClockRunsForward):
        actions.advance_clock(
            tenant_id=cast.tenant.id, to=at - timedelta(seconds=1), actor=BY, now=clock.now()
        )
    assert Slot.objects.get(tenant_id=cast.tenant.id).virtual_now == at
    with context.enter(queries.tenant_ref(cast.tenant.id)):
        assert context.now() == at


def test_without_a_tenant_tenant_code_fails_closed(cast):
    with pytest.raises(NoTenant):
        context.current()
    with pytest.raises(NoTenant):
        Run.objects.count()
    with pytest.raises(NoTenant):
        cache.get("anything")
    cache.set("public:anything", 1)
    assert cache.get("public:anything") == 1


def test_a_tenant_is_left_as_it_was_entered_also_after_an_error(cast, other_tenant):
    with pytest.raises(RuntimeError), context.enter(cast.tenant):
        with context.enter(other_tenant):
            assert (context.current(), connection.schema_name) == (other_tenant, other_tenant.schema_name)
        assert (context.current(), connection.schema_name) == (cast.tenant, cast.tenant.schema_name)
        raise RuntimeError
    assert (context.current_or_none(), connection.schema_name) == (None, "public")


def test_threads_do_not_see_each_others_tenant(committed, cast, other_tenant):
    seen = {}

    def look(name, tenant) -> None:
        with context.enter(tenant):
            barrier.wait()
            with connection.cursor() as cursor:
                cursor.execute("select current_schema()")
                seen[name] = (context.current().slug, cursor.fetchone()[0])
        connection.close()

    barrier = threading.Barrier(2)
    threads = [
        threading.Thread(target=look, args=("a", cast.tenant)),
        threading.Thread(target=look, args=("b", other_tenant)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {"a": ("hollis", cast.tenant.schema_name), "b": ("arbor", other_tenant.schema_name)}


def test_only_a_verified_host_leads_anywhere(cast):
    Domain.objects.create(
        host="shop.example",
        partner_id=cast.partner.id,
        tenant_id=cast.tenant.id,
        is_primary=False,
        created_at=clock.now(),
    )
    with pytest.raises(UnknownHost):
        queries.host("shop.example", "localhost")
    Domain.objects.filter(host="shop.example").update(verified_at=clock.now())
    queries.forget_hosts()
    assert queries.host("shop.example", "localhost").tenant.id == cast.tenant.id


def test_a_tenant_is_found_by_its_name(cast):
    assert (
        queries.tenant_by_slug("meridian/hollis").id == queries.tenant_by_slug("hollis").id == cast.tenant.id
    )
    with pytest.raises(NoTenant):
        queries.tenant_by_slug("lumen/hollis")
