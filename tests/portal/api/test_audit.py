"""The proof over the audit, and where it is sent on to."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from kernel import clock, proof
from kernel.actor import system
from tenants.audit import actions
from tenants.audit.models import AuditStream
from tenants.tenancy import context
from tests.portal.api.conftest import Machine
from tests.support.cast import Cast

NEW = {"name": "SIEM", "kind": "webhook", "address": "https://siem.example.com/in"}


@pytest.fixture(autouse=True)
def _heads(settings: Any, tmp_path: Path) -> None:
    settings.AUDIT_HEADS = tmp_path / "heads"


def test_the_whole_log_is_read_in_pages_and_verifies(cast: Cast, api: Machine) -> None:
    assert api.get("audit-proof").json()["checkpoint"] == ""
    with context.enter(cast.tenant):
        for number in range(7):
            with transaction.atomic():
                actions.record(
                    actor=system("test"), action="test.note", obj=("t", str(number), "T"), now=clock.now()
                )
        actions.seal(now=clock.now())
        check = actions.verify_log(actor=system("test"), now=clock.now())
    state = api.get("audit-proof").json()
    assert (state["verified"], state["first_bad"], state["sealed"]) == (True, None, check.size)
    lines, address = [], "audit-lines?limit=3"
    while address:
        page = api.get(address).json()
        lines += [one["line"] for one in page["items"]]
        address = (page["next"] or "").partition("/api/v1/")[2]
    export = [
        json.dumps({"audit_export": 1, "origin": state["checkpoint"].partition("\n")[0]}).encode(),
        *(line.encode() for line in lines),
        json.dumps({"checkpoint": state["checkpoint"]}).encode(),
    ]
    report = proof.verify(export, [proof.Key.read(key) for key in state["keys"]], complete=True)
    assert (report.ok, report.findings, report.events) == (True, [], check.size)
    assert api.get("audit-lines?cursor=x").status_code == 400


def test_a_stream_by_api(cast: Cast, api: Machine) -> None:
    made = api.post("audit-streams", NEW).json()
    assert made["secret"].startswith("whsec_")
    listed = api.get("audit-streams")
    assert [one["id"] for one in listed.json()["items"]] == [made["id"]]
    assert made["secret"] not in listed.content.decode()
    changed = api("patch", f"audit-streams/{made['id']}", {"active": False}).json()
    assert changed["active"] is False
    assert api.post("audit-streams", {**NEW, "address": "https://10.0.0.1/"}).json()["fields"].keys() == {
        "address"
    }
    assert api("delete", f"audit-streams/{made['id']}").status_code == 204
    with context.enter(cast.tenant):
        assert not AuditStream.objects.exists()


def test_streams_of_another_place_do_not_exist(
    api: Machine, console: Machine, machine: Any, cast: Cast
) -> None:
    inside, outside = (
        api.post("audit-streams", NEW).json()["id"],
        console.post("audit-streams", NEW).json()["id"],
    )
    others = machine(cast.other_partner_host)
    for desk, stream in ((console, inside), (api, outside), (others, outside)):
        assert desk.get(f"audit-streams/{stream}").status_code == 404
        assert desk("delete", f"audit-streams/{stream}").status_code == 404
    assert machine("", "audit.read").get("audit-streams").status_code == 403
