"""The command for pauses: every level, there and back, and what is paused."""

import io
import json
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from automations.connectors import actions as connectors
from automations.engine.enums import WorkflowState
from automations.engine.models import Workflow
from automations.ledger.models import Pause, Slot
from kernel import ids
from tenants.audit.models import AuditEvent
from tenants.tenancy import context
from tests.house import world
from tests.support.cast import NOW


def pause(*words: Any) -> list[dict[str, Any]]:
    out = io.StringIO()
    call_command("engine_pause", *[str(word) for word in words], stdout=out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_each_level_stands_still_and_goes_on(tenant, now):
    run, _ = world.failing_run("Checks", "10045", NOW)
    made = connectors.create_connection(
        name="ERP", connector="erp", settings={"base_url": "https://erp.example.com"}, actor=world.BY, now=NOW
    )
    with context.leave():
        for words in (
            ("partner", "meridian"),
            ("tenant", tenant.slug),
            ("workflow", tenant.slug, "checks"),
            ("connection", tenant.slug, made.public_id),
            ("run", tenant.slug, run.public_id),
        ):
            level = words[0]
            assert pause(*words, "--reason", "on call") == [{"level": level, "paused": True, "changed": True}]
            assert pause(*words) == [{"level": level, "paused": True, "changed": False}]
            assert Pause.objects.get(level=level).reason == "on call"
        listed = pause("list")
        assert {line["level"] for line in listed} == {"partner", "tenant", "workflow", "connection", "run"}
        assert {(line["by"], line["reason"]) for line in listed} == {("engine_pause", "on call")}
        assert not Slot.objects.get(tenant_id=tenant.id).open
        for words in (("partner", "meridian"), ("tenant", tenant.slug), ("workflow", tenant.slug, "checks")):
            assert pause(*words, "--resume")[0]["changed"]
        assert pause("connection", tenant.slug, "ERP", "--resume")[0]["changed"]
        assert pause("run", tenant.slug, run.public_id, "--resume")[0]["changed"]
        assert pause("list") == []
    assert Slot.objects.get(tenant_id=tenant.id).open
    assert Workflow.objects.get(name="checks").state == WorkflowState.ACTIVE
    assert AuditEvent.objects.filter(action="engine.pause_run", reason="on call").count() == 1


def test_what_there_is_not_is_said(tenant, now):
    with context.leave():
        for words in (
            ("partner", "nobody"),
            ("tenant", "nobody"),
            ("workflow", tenant.slug, "nothing"),
            ("connection", tenant.slug, ids.public_id("con", ids.uuid7())),
            ("run", tenant.slug, "run_x"),
        ):
            with pytest.raises(CommandError):
                pause(*words)
    assert Pause.objects.count() == 0
