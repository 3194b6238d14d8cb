"""The audit log's pages: downloads that verify, the state of the proof, erasing, streams."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from kernel import clock, proof
from kernel.actor import system
from tenants.audit import actions
from tenants.audit.models import AuditEvent, AuditLeaf, AuditStream
from tenants.tenancy import context
from tests.portal.ui.conftest import PART
from tests.support.cast import Cast


@pytest.fixture(autouse=True)
def _heads(settings: Any, tmp_path: Path) -> None:
    settings.AUDIT_HEADS = tmp_path / "heads"


def sealed(count: int = 3, **more: Any) -> AuditEvent:
    with transaction.atomic():
        for number in range(count):
            found = actions.record(
                actor=system("test"),
                action="test.note",
                obj=("thing", f"t-{number}", f"Thing {number}"),
                now=clock.now(),
                after={"n": number},
                **more,
            )
    while actions.seal(now=clock.now()):
        continue
    return found


@pytest.fixture
def event(cast: Cast) -> AuditEvent:
    with context.enter(cast.tenant):
        return sealed(reason="Mrs Miller called")


def test_a_search_is_exported_as_a_folder_that_verifies(
    portal: Client, event: AuditEvent, tmp_path: Path
) -> None:
    page = portal.get("/audit/?q=Thing+2").content.decode()
    assert "/audit/export?as=zip&amp;q=Thing+2" in page
    answer = portal.get("/audit/export?as=zip&q=Thing+2")
    assert answer["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as folder:
        folder.extractall(tmp_path)
    lines = (tmp_path / "events.jsonl").read_bytes().splitlines()
    assert [json.loads(line)["private"]["object_label"] for line in lines if b'{"event"' in line] == [
        "Thing 2"
    ]
    given = [
        str(tmp_path / "events.jsonl"),
        "--key",
        str(tmp_path / "keys.txt"),
        "--csv",
        str(tmp_path / "events.csv"),
    ]
    assert proof.main(given) == 0


def test_the_whole_log_is_exported_in_lines(portal: Client, event: AuditEvent) -> None:
    answer = portal.get("/audit/export?as=jsonl")
    lines = b"".join(answer.streaming_content).splitlines(keepends=True)
    report = proof.verify(lines, actions.verifying_keys(), complete=True)
    assert (report.ok, report.events) == (True, 3)
    assert portal.get("/audit/export?as=exe").status_code == 404


def test_a_log_without_a_seal_says_so(portal: Client, cast: Cast) -> None:
    answer = portal.get("/audit/export?as=zip", follow=True)
    assert "Nothing has been sealed here yet" in answer.content.decode()
    page = portal.get("/audit/proof/").content.decode()
    assert "Not verified yet" in page
    assert portal.get("/audit/proof/checkpoint.txt").status_code == 404


def test_the_proof_says_where_it_stands_and_verifies_when_asked(
    portal: Client, event: AuditEvent, jobs: Any, cast: Cast, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        answer = portal.post("/audit/proof/", follow=True)
    assert "is being verified" in answer.content.decode()
    assert [name for name, _, _ in jobs.calls] == ["audit.verify"]
    jobs.run_all()
    page = portal.get("/audit/proof/").content.decode()
    assert "as it was signed" in page
    assert str(actions.verifying_keys()[0]) in page
    assert "Orla" in page


def test_a_log_that_was_changed_is_shown_as_such(portal: Client, event: AuditEvent, cast: Cast) -> None:
    from tests.tenants.audit.test_sealing import as_owner

    with context.enter(cast.tenant):
        as_owner("update audit_auditevent set reason = 'x' where object_id = 't-1'")
        actions.verify_log(actor=system("test"), now=clock.now())
    page = portal.get("/audit/proof/").content.decode()
    assert "not as it was sealed" in page
    assert "is number 1" in page


def test_what_an_auditor_keeps_can_be_taken_away(portal: Client, event: AuditEvent) -> None:
    assert b"def verify(" in portal.get("/audit/proof/verify.py").content
    keys = [
        proof.Key.read(line) for line in portal.get("/audit/proof/keys.txt").content.decode().splitlines()
    ]
    point = proof.read_note(portal.get("/audit/proof/checkpoint.txt").content.decode(), keys)
    assert point.size == 3


def test_personal_data_are_erased_from_the_panel(portal: Client, event: AuditEvent, cast: Cast) -> None:
    opened = portal.get(f"/audit/?event={event.public_id}").content.decode()
    assert "number 2 of this log" in opened
    assert "Mrs Miller called" in opened
    address = f"/audit/{event.public_id}/erase"
    assert address in opened
    assert portal.get(address, headers=PART).status_code == 200
    refused = portal.post(address, {"reason": " "})
    assert (refused.status_code, "Say why" in refused.content.decode()) == (422, True)
    assert portal.post(address, {"reason": "asked for"}).status_code == 302
    opened = portal.get(f"/audit/?event={event.public_id}").content.decode()
    assert "Mrs Miller" not in opened
    assert "are erased" in opened


def test_who_may_not_erase_or_stream(
    cast: Cast, client_for: Callable[..., Client], event: AuditEvent
) -> None:
    auditor = client_for(cast.auditor, cast.host)
    assert auditor.get(f"/audit/?event={event.public_id}").status_code == 200
    assert "erase" not in auditor.get(f"/audit/?event={event.public_id}").content.decode()
    for address in (f"/audit/{event.public_id}/erase", "/audit/streams/", "/audit/streams/new"):
        assert auditor.get(address).status_code == 403, address
        assert auditor.post(address, {"reason": "x"}).status_code == 403, address
    assert auditor.get("/audit/proof/").status_code == 200


def test_an_event_of_another_place_is_not_found(
    cast: Cast, client_for: Callable[..., Client], event: AuditEvent
) -> None:
    other = client_for(cast.other_owner, cast.other_host)
    assert other.get(f"/audit/{event.public_id}/erase").status_code == 404


NEW = {"name": "SIEM", "kind": "webhook", "address": "https://siem.example.com/in"}


def test_a_stream_is_made_shown_stopped_and_removed(portal: Client, cast: Cast) -> None:
    assert "The log goes nowhere else" in portal.get("/audit/streams/").content.decode()
    made = portal.post("/audit/streams/new", NEW)
    assert "whsec_" in made.content.decode()
    assert made["Cache-Control"]
    with context.enter(cast.tenant):
        row = AuditStream.objects.get()
    page = portal.get("/audit/streams/").content.decode()
    assert "siem.example.com" in page
    assert "whsec_" not in page
    assert portal.post(f"/audit/streams/{row.public_id}/switch").status_code == 302
    with context.enter(cast.tenant):
        assert not AuditStream.objects.get().active
    assert "Go on" in portal.get("/audit/streams/").content.decode()
    assert portal.get(f"/audit/streams/{row.public_id}/remove", headers=PART).status_code == 200
    assert portal.post(f"/audit/streams/{row.public_id}/remove").status_code == 302
    with context.enter(cast.tenant):
        assert not AuditStream.objects.exists()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"address": "http://10.0.0.1/"}, "private address"),
        ({"kind": "syslog", "address": "siem:514"}, "a syslog server is"),
        ({"name": ""}, "This field is required"),
    ],
)
def test_what_is_wrong_with_a_stream_stands_at_its_field(
    portal: Client, given: dict[str, str], said: str
) -> None:
    answer = portal.post("/audit/streams/new", {**NEW, **given})
    assert answer.status_code == 422
    assert said in answer.content.decode()


def test_a_stream_of_another_place_is_not_found(
    cast: Cast, portal: Client, console: Client, client_for: Callable[..., Client]
) -> None:
    portal.post("/audit/streams/new", NEW)
    console.post("/audit/streams/new", NEW)
    with context.enter(cast.tenant):
        inside = AuditStream.objects.get()
    theirs = AuditStream.objects.get(partner_id=cast.partner.id)
    others = client_for(cast.other_partner_admin, cast.other_partner_host)
    for browser, row in ((console, inside), (portal, theirs), (others, theirs)):
        for what in ("switch", "remove"):
            assert browser.post(f"/audit/streams/{row.public_id}/{what}").status_code == 404


def test_a_partner_exports_its_own_acts_alone(cast: Cast, console: Client) -> None:
    sealed(partner_id=cast.partner.id)
    sealed(partner_id=cast.other_partner.id)
    raw = b"".join(console.get("/audit/export?as=jsonl").streaming_content)
    assert proof.verify(raw.splitlines(keepends=True), actions.verifying_keys()).ok
    assert str(cast.partner.id).encode() in raw
    assert str(cast.other_partner.id).encode() not in raw
    assert AuditLeaf.objects.count() > raw.count(b'{"event":')
