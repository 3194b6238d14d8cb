"""The command for limits: of a workflow, a connection and a client, set and taken away."""

import io
import json
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from automations.connectors import actions as connectors
from automations.connectors.models import Connection
from automations.engine.models import Workflow
from automations.ledger.models import Slot
from tenants.audit.models import AuditEvent
from tenants.tenancy import context
from tests.house import world
from tests.support.cast import NOW


def limit(*words: Any) -> Any:
    out = io.StringIO()
    call_command("engine_limit", *[str(word) for word in words], stdout=out)
    return json.loads(out.getvalue())["holds"]


def test_each_is_set_and_taken_away(tenant, now):
    world.failing_run("Checks", "10045", NOW)
    connectors.create_connection(
        name="ERP", connector="erp", settings={"base_url": "https://erp.example.com"}, actor=world.BY, now=NOW
    )
    with context.leave():
        rule = limit("workflow", tenant.slug, "checks", "--limit", 1, "--key", "$business")
        assert rule == {"key": "$business", "limit": 1}
        assert limit("connection", tenant.slug, "ERP", "--limit", 4) == 4
        assert limit("tenant", tenant.slug, "--limit", 50) == 50
    assert Workflow.objects.get(name="checks").concurrency == rule
    assert Connection.objects.get(name="ERP").calls_at_once == 4
    assert Slot.objects.get(tenant_id=tenant.id).max_running == 50
    with context.leave():
        assert limit("workflow", tenant.slug, "checks", "--off") is None
        assert limit("connection", tenant.slug, "ERP", "--off") is None
        limit("tenant", tenant.slug, "--off")
    assert Workflow.objects.get(name="checks").concurrency is None
    assert Connection.objects.get(name="ERP").calls_at_once is None
    assert Slot.objects.get(tenant_id=tenant.id).max_running != 50
    assert AuditEvent.objects.filter(action="engine.limit_workflow", actor_label="engine_limit").count() == 2


def test_what_cannot_be_is_said(tenant, now):
    world.failing_run("Checks", "10045", NOW)
    with context.leave():
        for words in (
            ("workflow", tenant.slug, "nothing", "--limit", 1),
            ("workflow", tenant.slug, "checks", "--limit", 0),
            ("workflow", tenant.slug, "checks", "--limit", 1, "--key", "(("),
            ("workflow", tenant.slug, "checks"),
            ("connection", tenant.slug, "nothing", "--off"),
            ("tenant", "nobody", "--off"),
        ):
            with pytest.raises(CommandError):
                limit(*words)
    assert Workflow.objects.get(name="checks").concurrency is None
