"""The command for runs: what pages do, for scripts."""

import io
import json
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from automations.engine.actions import redriving
from automations.engine.models import Bulk, BulkItem, Run
from automations.events.actions import dispatch
from automations.inbox.models import Case
from tenants.tenancy import context
from tests.house import world
from tests.support.cast import NOW


def run(tenant: Any, *words: Any) -> list[dict[str, Any]]:
    out = io.StringIO()
    call_command("runs", tenant.slug, *[str(word) for word in words], stdout=out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


@pytest.fixture
def held(tenant: Any, now: Any) -> Run:
    return world.failing_run("Checks", "10045", NOW)[0]


def test_many_are_counted_and_only_begun_when_told_to(tenant, held):
    assert run(tenant, "list") == [
        {"runs": 1, "orders": 1},
        {"step": "", "error": "validation", "code": 422, "runs": 1},
    ]
    assert run(tenant, "redrive", "--workflow", "checks") == [{"act": "retry", "runs": 1, "orders": 1}]
    assert Bulk.objects.count() == 0
    _, begun = run(tenant, "redrive", "--workflow", "checks", "--rate", "50", "--yes")
    assert (begun["state"], begun["waiting"]) == ("running", 1)
    assert run(tenant, "stop", begun["bulk"])[0]["state"] == "stopped"
    assert run(tenant, "continue", begun["bulk"])[0]["state"] == "running"
    redriving.carry_on(Bulk.objects.get().id, seconds=0.3)
    assert run(tenant, "bulk", begun["bulk"])[0]["sent"] == 1
    assert Run.objects.get().status == "running"


def test_those_of_one_cause_are_meant_by_the_fingerprint_of_their_cases(tenant, held):
    other = world.failing_run("Others", "10046", NOW)[0]
    while dispatch(context.current(), now=NOW):
        pass
    marks = dict(Case.objects.values_list("run_id", "fingerprint"))
    assert marks[held.id] != marks[other.id]
    assert run(tenant, "list", "--fingerprint", marks[held.id])[0] == {"runs": 1, "orders": 1}
    assert run(tenant, "list", "--fingerprint", "f" * 32)[0] == {"runs": 0, "orders": 0}
    _, begun = run(tenant, "redrive", "--fingerprint", marks[other.id], "--yes")
    assert list(BulkItem.objects.values_list("run_id", flat=True)) == [other.id]
    assert Bulk.objects.get().wanted == {"alike": marks[other.id]}
    assert begun["total"] == 1


def test_one_is_looked_at_sent_back_and_ended(tenant, held):
    (seen,) = run(tenant, "rewind", held.public_id, 0, "--look")
    assert seen == {"from": "/do/0/check", "again": [], "data": {"order_id": "10045"}}
    assert Run.objects.get().status == "suspended"
    assert run(tenant, "rewind", held.public_id, 0, "--data", '{"order_id": "2"}')[1]["status"] == "running"
    assert run(tenant, "cancel", held.public_id, "--reason", "enough")[0]["cancelled"] is True
    with pytest.raises(CommandError, match="over"):
        run(tenant, "resume", held.public_id)


def test_what_is_not_there_is_said(tenant, held):
    for wrong in (("cancel", "run_00000000000000000000000000"), ("resume", "nonsense"), ("bulk", "blk_1")):
        with pytest.raises(CommandError):
            run(tenant, *wrong)
    with pytest.raises(CommandError, match="by this version already"):
        run(tenant, "migrate", held.public_id)
    with pytest.raises(CommandError, match="there is no workflow none"):
        run(tenant, "dryrun", "none")


def test_a_workflow_is_tried(tenant, held):
    told = run(tenant, "dryrun", "checks", "--input", '{"order_id": "1"}')
    assert (told[0]["status"], told[0]["error"]["status"], told[-1]) == ("suspended", 422, {"output": None})
    with pytest.raises(CommandError, match="no event has come"):
        run(tenant, "dryrun", "checks")
