"""Sealing, exporting, verifying: over a real log, with the hands of whoever owns the database."""

import csv
import io
import json
import threading
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from kernel import clock, ids, proof
from kernel.actor import Actor
from kernel.errors import Conflict, Forbidden, Invalid
from tenants.audit import actions, queries, store
from tenants.audit.models import AuditCheckpoint, AuditEvent, AuditLeaf
from tenants.tenancy import context, tasks
from tenants.tenancy.queries import TenantRef
from tests.support import owner
from tests.support.cast import NOW, Cast

AUDITOR = Actor(
    kind="user", id=ids.uuid7(), label="Aisha", permissions=frozenset({"audit.read", "audit.erase"})
)


def note(count: int = 1, **more: Any) -> AuditEvent:
    with transaction.atomic():
        for number in range(count):
            found = actions.record(
                actor=Actor(kind="user", id=ids.uuid7(), label="Jess", address="10.0.0.1"),
                action=more.get("action", "test.note"),
                obj=("thing", f"t-{number}", f"Thing {number}"),
                now=clock.now(),
                before={"n": number, "deep": {"x": [1, 2.5, None, 2**60]}},
                after={"n": number + 1, "deep": {"é": "ü\u2028"}},
                reason=more.get("reason", ""),
                partner_id=more.get("partner_id"),
            )
    return found


def seal_all() -> int:
    count = 0
    while done := actions.seal(now=clock.now()):
        count += done
    return count


def whole() -> list[bytes]:
    point = store.last_checkpoint()
    assert point
    return list(actions.whole(point))


def verified(lines: list[bytes], **more: Any) -> proof.Report:
    return proof.verify(lines, actions.verifying_keys(), **more)


@pytest.fixture(autouse=True)
def _heads(settings: Any, tmp_path: Path) -> None:
    settings.AUDIT_HEADS = tmp_path / "heads"


@pytest.fixture
def sealed(tenant: TenantRef, now: object) -> int:
    """A log of 700 sealed events and more: over two tiles, with a checkpoint at each batch."""
    note(300)
    count = seal_all()
    note(400)
    return count + seal_all()


def test_what_was_recorded_is_sealed_in_order_and_proves_itself(sealed: int) -> None:
    assert queries.proof_state().waiting == 0
    assert list(AuditLeaf.objects.values_list("seq", flat=True)) == list(range(sealed))
    report = verified(whole(), complete=True)
    assert (report.ok, report.findings, report.events) == (True, [], sealed)
    assert report.checkpoints == AuditCheckpoint.objects.count() >= 2


def test_nothing_to_seal_makes_no_checkpoint(sealed: int) -> None:
    before = AuditCheckpoint.objects.count()
    assert actions.seal(now=NOW) == 0
    assert AuditCheckpoint.objects.count() == before


def test_peaks_and_blocks_are_those_of_the_leaves(sealed: int) -> None:
    leaves = [bytes(one) for one in AuditLeaf.objects.order_by("seq").values_list("hash", flat=True)]
    for size in (1, 2, 255, 256, 257, 512, 600, sealed):
        tree = proof.Tree()
        for leaf in leaves[:size]:
            tree.add(leaf)
        assert store.peaks(size) == tree.peaks
        assert proof.Tree(store.peaks(size)).root() == tree.root()


@pytest.mark.parametrize(
    "change",
    [
        "update audit_auditevent set reason = 'x'",
        "update audit_auditevent set at = now()",
        "update audit_auditevent set actor_label = '', action = 'x'",
        "delete from audit_auditevent",
        "truncate audit_auditevent",
        "update audit_auditleaf set hash = '\\x00'",
        "update audit_auditleaf set salt = '\\x00'",
        "update audit_auditleaf set salt = '', seq = seq + 1000000",
        "delete from audit_auditleaf",
        "truncate audit_auditleaf",
        "update audit_auditcheckpoint set note = ''",
        "delete from audit_auditcheckpoint",
        "truncate audit_auditcheckpoint",
        "update audit_auditnode set hash = '\\x00'",
        "delete from audit_auditnode",
        "truncate audit_auditnode",
    ],
)
def test_the_database_refuses_every_change_of_the_sealed_log(sealed: int, change: str) -> None:
    refused = pytest.raises(DatabaseError, match=r"append-only|permission denied")
    with refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)


def as_owner(statement: str) -> None:
    """What somebody does who switches our triggers off."""
    with owner.as_owner(), connection.cursor() as cursor:
        for table in ("auditevent", "auditleaf", "auditcheckpoint"):
            cursor.execute(f"alter table audit_{table} disable trigger user")
            cursor.execute(f"grant all on audit_{table} to current_user")
        cursor.execute(statement)


def third(sql: str) -> Callable[[], None]:
    key = "(select event_id from audit_auditleaf where seq = 333)"
    return lambda: as_owner(sql.format(key=key))


@pytest.mark.parametrize(
    ("change", "bad"),
    [
        (third("update audit_auditevent set reason = 'x' where id = {key}"), 333),
        (third("update audit_auditevent set action = 'x' where id = {key}"), 333),
        (third("""update audit_auditevent set after = '{{"n": 9}}' where id = {key}"""), 333),
        (third("update audit_auditevent set at = at - interval '1 day' where id = {key}"), 333),
        (third("delete from audit_auditevent where id = {key}"), 333),
        (third("update audit_auditleaf set salt = '' where seq = 333"), 333),
        (third("update audit_auditleaf set hash = sha256('x') where seq = 333"), 333),
        (third("update audit_auditleaf set event_id = gen_random_uuid() where seq = 333"), 333),
        (third("delete from audit_auditleaf where seq = 333"), 333),
        (third("delete from audit_auditcheckpoint where size = (select max(size) from audit_auditcheckpoint)"), None),
        (third("update audit_auditcheckpoint set note = replace(note, 'at 2026', 'at 2025')"), 0),
        (third("update audit_auditleaf set seq = case seq when 333 then -1 else 333 end where seq in (333, 334)"), 333),
    ],
)  # fmt: skip
def test_whoever_owns_the_database_is_found_out(
    sealed: int, change: Callable[[], None], bad: int | None
) -> None:
    assert actions.verify_log(actor=AUDITOR, now=NOW).ok
    change()
    check = actions.verify_log(actor=AUDITOR, now=NOW)
    assert not check.ok
    if bad is not None:
        assert check.first_bad == bad, check.findings
    told = AuditEvent.objects.get(action="audit.check_failed")
    assert told.after is not None
    assert told.after["first_bad"] == check.first_bad
    actions.verify_log(actor=AUDITOR, now=NOW)
    assert AuditEvent.objects.filter(action="audit.check_failed").count() == 1, "it is told of once"


def test_a_row_that_came_in_past_the_trigger_is_found(sealed: int) -> None:
    as_owner(
        "insert into audit_auditevent (id, at, actor_kind, actor_label, action, object_type, object_id, object_label,"
        " reason, request_id, address) values (gen_random_uuid(), now(), 'user', 'x', 'x', 'x', 'x', 'x', '', '', '')"
    )
    check = actions.verify_log(actor=AUDITOR, now=NOW)
    assert not check.ok
    assert "past the seal" in check.findings[0]


def test_a_database_that_was_rolled_back_is_found_by_the_checkpoint_outside(
    committed: Any, cast: Cast, now: object
) -> None:
    with context.enter(cast.tenant):
        note(50)
        seal_all()
        size = store.size()
        note(50)
        seal_all()
        assert actions.verify_log(actor=AUDITOR, now=NOW).ok
        as_owner(f"delete from audit_auditleaf where seq >= {size}")
        as_owner(f"delete from audit_auditcheckpoint where size > {size}")
        as_owner(
            "delete from audit_auditevent where not exists (select from audit_auditleaf where event_id = id)"
        )
        check = actions.verify_log(actor=AUDITOR, now=NOW)
    assert (check.ok, check.first_bad) == (False, size)
    assert "you have seen" in check.findings[0]


def test_fifty_writers_never_fork_the_log(committed: Any, cast: Cast) -> None:
    def write() -> None:
        try:
            with context.enter(cast.tenant):
                for _ in range(6):
                    note(2)
                    actions.seal(now=clock.now())
        finally:
            connection.close()

    threads = [threading.Thread(target=write) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with context.enter(cast.tenant):
        seal_all()
        assert AuditEvent.objects.filter(action="test.note").count() == 600
        assert store.size() == AuditEvent.objects.count()
        report = verified(whole(), complete=True)
    assert (report.ok, report.findings) == (True, [])


def test_an_act_that_commits_late_is_sealed_late(committed: Any, cast: Cast, now: object) -> None:
    with context.enter(cast.tenant):
        seal_all()
        began, commit = threading.Event(), threading.Event()

        def slow() -> None:
            try:
                with context.enter(cast.tenant), transaction.atomic():
                    note(1, action="test.slow")
                    began.set()
                    commit.wait(10)
            finally:
                connection.close()

        thread = threading.Thread(target=slow)
        thread.start()
        began.wait(10)
        note(1, action="test.quick")
        seal_all()
        commit.set()
        thread.join()
        assert seal_all() == 1
        last = AuditEvent.objects.get(pk=AuditLeaf.objects.latest("seq").event_id)
        assert last.action == "test.slow"
        assert actions.verify_log(actor=AUDITOR, now=NOW).ok


def test_the_dispatcher_is_told_which_logs_wait(committed: Any, cast: Cast) -> None:
    with context.enter(cast.tenant):
        while actions.seal(now=clock.now()):
            continue
        note(1)
    age("10 seconds")
    due = [one["tenant"] for one in tasks._unsealed()]
    assert cast.tenant.id in due
    assert None in due, "the public log has what provisioning wrote"
    with context.enter(cast.tenant):
        tasks.seal()
    assert cast.tenant.id not in [one["tenant"] for one in tasks._unsealed()]


def age(by: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"update public.audit_pending set at = at - interval '{by}'")


def test_a_part_of_the_log_proves_itself(sealed: int) -> None:
    rows = queries.trail(object_id="t-7")
    point = store.last_checkpoint()
    assert point
    lines = list(actions.part(point, rows, {"object_id": "t-7"}))
    report = verified(lines)
    assert (report.ok, report.findings, report.events) == (True, [], 2)
    assert report.events + report.hidden == sealed
    assert len(lines) < 40
    assert not verified(lines, complete=True).ok
    first = AuditCheckpoint.objects.order_by("size").first()
    assert first
    head = proof.read_note(first.note, actions.verifying_keys())
    assert not verified(lines, heads=[head]).ok, "it cannot be compared with that one"
    assert verified(list(actions.part(point, rows, {}, head=first.size)), heads=[head]).ok


@pytest.mark.parametrize("which", ["none", "first", "last", "all"])
def test_parts_at_the_edges(sealed: int, which: str) -> None:
    keys = list(AuditLeaf.objects.order_by("seq").values_list("event_id", flat=True))
    chosen = {"none": [], "first": keys[:1], "last": keys[-1:], "all": keys}[which]
    point = store.last_checkpoint()
    assert point
    report = verified(list(actions.part(point, AuditEvent.objects.filter(pk__in=chosen), {})))
    assert (report.ok, report.findings, report.events) == (True, [], len(chosen))


def exported(kind: str, **more: Any) -> bytes:
    out = io.BytesIO()
    given = {"filters": {}, "partner_id": None, "actor": AUDITOR, "now": NOW, **more}
    actions.export(kind=kind, out=out, **given)
    return out.getvalue()


def test_a_download_is_a_folder_that_verifies_itself(sealed: int, tmp_path: Path) -> None:
    note(1, reason="=cmd|' /C calc'!A0")
    seal_all()
    with zipfile.ZipFile(io.BytesIO(exported("zip"))) as folder:
        folder.extractall(tmp_path)
    arguments = [str(tmp_path / "events.jsonl"), "--key", str(tmp_path / "keys.txt"), "--complete"]
    arguments += ["--csv", str(tmp_path / "events.csv"), "--head", str(tmp_path / "checkpoint.txt")]
    assert proof.main(arguments) == 0
    rows = list(csv.DictReader((tmp_path / "events.csv").open(encoding="utf-8-sig", newline="")))
    assert len(rows) == sealed + 1
    assert rows[-1]["reason"].startswith("'=")
    table = tmp_path / "events.csv"
    table.write_text(table.read_text().replace("Thing 5,", "Thing 6,", 1))
    assert proof.main(arguments) == 1


def test_an_export_is_an_act_of_its_own(sealed: int) -> None:
    exported("jsonl", filters={"action": "test.note"})
    made = AuditEvent.objects.get(action="audit.export")
    assert made.after is not None
    assert made.after["filters"] == {"action": "test.note"}
    assert made.after["events"] == 700
    with pytest.raises(Forbidden):
        exported("jsonl", actor=Actor(kind="user", id=None, label="X"))


def test_without_a_checkpoint_there_is_nothing_to_export(tenant: TenantRef) -> None:
    with pytest.raises(actions.NothingSealed):
        exported("jsonl")


def test_a_partner_gets_its_own_acts_alone(cast: Cast, now: object) -> None:
    note(3, partner_id=cast.partner.id)
    note(3, partner_id=cast.other_partner.id)
    seal_all()
    lines = exported("jsonl", partner_id=cast.partner.id).splitlines(keepends=True)
    assert verified(lines).ok
    partners = {json.loads(line)["event"]["partner_id"] for line in lines if b'"event"' in line}
    assert partners == {str(cast.partner.id)}


def test_personal_data_are_erased_and_the_log_still_verifies(sealed: int) -> None:
    event = note(1, reason="Mrs Miller called")
    with pytest.raises(Conflict):
        actions.erase_event(event=event, reason="asked for", actor=AUDITOR, now=NOW)
    seal_all()
    before = whole()
    actions.erase_event(event=event, reason="asked for", actor=AUDITOR, now=NOW)
    assert (event.reason, event.actor_label, event.address, event.before, event.after) == (
        "",
        "",
        "",
        None,
        None,
    )
    assert event.action == "test.note"
    with pytest.raises(Conflict):
        actions.erase_event(event=event, reason="again", actor=AUDITOR, now=NOW)
    assert not actions.verify_log(actor=AUDITOR, now=NOW).ok, "until the erasing itself is sealed"
    seal_all()
    assert actions.verify_log(actor=AUDITOR, now=NOW).ok
    lines = whole()
    report = verified(lines, complete=True)
    assert (report.ok, report.erased) == (True, 1)
    assert b"Miller" in b"".join(before)
    assert b"Miller" not in b"".join(lines)
    point = store.last_checkpoint()
    assert point
    part = verified(list(actions.part(point, AuditEvent.objects.filter(pk=event.pk), {})))
    assert (part.ok, part.events) == (True, 2), "the erasing comes with it"


def test_erasing_takes_a_right_and_a_reason(sealed: int) -> None:
    event = AuditEvent.objects.first()
    assert event
    with pytest.raises(Forbidden):
        actions.erase_event(event=event, reason="x", actor=Actor(kind="user", id=None, label="X"), now=NOW)
    with pytest.raises(Invalid):
        actions.erase_event(event=event, reason=" ", actor=AUDITOR, now=NOW)


def test_checkpoints_go_forward_in_time(tenant: TenantRef) -> None:
    with clock.hold(NOW):
        note(1)
        actions.seal(now=NOW)
        note(1)
        actions.seal(now=NOW - timedelta(hours=1))
    times = list(AuditCheckpoint.objects.order_by("size").values_list("at", flat=True))
    assert times == sorted(times)


def test_sealing_without_the_key_says_so(tenant: TenantRef, settings: Any, tmp_path: Path) -> None:
    from kernel.notes import NoAuditKey

    settings.AUDIT_KEY_FILE = tmp_path / "none"
    note(1)
    with pytest.raises(NoAuditKey), transaction.atomic():
        actions.seal(now=NOW)
    assert store.size() == 0


def test_by_command(committed: Any, cast: Cast, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with context.enter(cast.tenant):
        note(5)
        seal_all()
    seal_all()
    call_command("audit_verify")
    said = capsys.readouterr().out
    assert "hollis:" in said
    assert "platform:" in said
    assert "CHANGED" not in said
    call_command("audit_export", str(tmp_path / "out.jsonl"), tenant="hollis")
    call_command("audit_verify", file=str(tmp_path / "out.jsonl"))
    assert "as it was signed" in capsys.readouterr().out
    with context.enter(cast.tenant):
        as_owner("update audit_auditevent set reason = 'x' where object_id = 't-3'")
    with pytest.raises(CommandError, match="hollis"):
        call_command("audit_verify", tenant="hollis")
    text = (tmp_path / "out.jsonl").read_text()
    (tmp_path / "out.jsonl").write_text(text.replace("Thing 3", "Thing 4"))
    with pytest.raises(CommandError, match="not as it was signed"):
        call_command("audit_verify", file=str(tmp_path / "out.jsonl"))


def test_a_download_has_a_bound_and_the_command_has_none(
    sealed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(actions.TooManyEvents):
        exported("jsonl", most=10)
    assert exported("jsonl", most=None).count(b'{"event":') == sealed
