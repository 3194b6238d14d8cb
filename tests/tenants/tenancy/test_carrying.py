"""A client in a file: whole, without secrets, refused where somebody touched it, and the same client where it arrives."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from automations.connectors.models import Connection
from automations.events.models import Endpoint
from automations.ledger.models import QueueRow, Slot
from kernel import clock, notes
from kernel.actor import system
from kernel.errors import Conflict, Forbidden
from tenants.audit import actions as audit
from tenants.audit import queries as trails
from tenants.audit.models import AuditEvent
from tenants.tenancy import actions, context, queries, registry, store, tasks
from tenants.tenancy.actions import deleting, exporting, importing
from tenants.tenancy.contract import MANIFEST, NOTE
from tenants.tenancy.enums import JobState, TenantState
from tenants.tenancy.errors import TenantFileRefused
from tenants.tenancy.models import Partner, ProvisioningJob, Tenant, TenantFile
from tenants.vault import registry as vault
from tests.house import world
from tests.support import make
from tests.support.cast import Cast

BY = system("test")
SECRET = "canary-of-the-connection-4711"
WHY = {"reason": "moves house", "actor": BY}


@pytest.fixture
def furnished(committed: Any, cast: Cast, tmp_path: Path, settings: Any) -> Tenant:
    """Hollis with something in every room, and files that lie in a folder of this test."""
    settings.TENANT_FILES = tmp_path / "clients"
    settings.AUDIT_HEADS = tmp_path / "heads"
    world.of_tenant(cast.tenant, "Zephyr")
    with context.enter(cast.tenant):
        make.connection(secret=SECRET)
    return Tenant.objects.get(pk=cast.tenant.id)


def export(tenant: Tenant) -> TenantFile:
    file = exporting.request_file(tenant=tenant, now=clock.now(), **WHY)
    return exporting.make_file(file_id=file.id, now=clock.now())


def elsewhere(tenant: Tenant) -> None:
    """This database from now on is another portal, which has never seen the client."""
    actions.set_state(tenant=tenant, state=TenantState.ARCHIVED, now=clock.now(), **WHY)
    tenant.refresh_from_db()
    asked = deleting.request_deletion(tenant=tenant, typed=tenant.name, now=clock.now(), **WHY)
    deleting.delete_tenant(deletion_id=asked.id, now=asked.due_at)


def bring_in(path: Path, **more: Any) -> ProvisioningJob:
    job = importing.request_import(
        partner=Partner.objects.get(slug="lumen"), file=path, now=clock.now(), **WHY, **more
    )
    return actions.provision(job_id=job.id, now=clock.now())


def kept(tenant: Tenant, tmp_path: Path) -> Path:
    """A file of the tenant that outlives it."""
    file = export(tenant)
    assert file.state == JobState.DONE, file.error
    copy = tmp_path / "carried.zip"
    copy.write_bytes(exporting.path_of(file).read_bytes())
    return copy


def test_a_client_arrives_with_every_row_and_its_log_verifies_under_its_old_key(
    furnished: Tenant, tmp_path: Path, settings: Any
) -> None:
    path = kept(furnished, tmp_path)
    manifest = importing.look_into(path)
    old_key = str(audit.verifying_keys()[0])
    rows = store.rows_in(furnished.schema_name)
    waiting = QueueRow.objects.filter(tenant_id=furnished.id).count()
    elsewhere(furnished)
    settings.AUDIT_KEY_FILE = tmp_path / "other.key"
    settings.AUDIT_HEADS = tmp_path / "other-heads"
    notes.make_key(settings.AUDIT_KEY_FILE)
    with pytest.raises(TenantFileRefused, match="not signed by a key that is trusted"):
        bring_in(path)
    job = bring_in(path, slug="hollis-2", keys=[old_key])
    assert job.state == JobState.DONE, job.error
    tenant = job.tenant
    tenant.refresh_from_db()
    assert (tenant.state, tenant.schema_name != furnished.schema_name) == (TenantState.SUSPENDED, True)
    assert Slot.objects.get(tenant_id=tenant.id).open is False
    here = store.rows_in(tenant.schema_name)
    with context.enter(queries.ref_of(tenant)):
        added = AuditEvent.objects.filter(action="tenancy.imported").count()
        event = AuditEvent.objects.get(action="tenancy.imported")
        assert event.after["head"] == manifest.audit["root"]
        while audit.seal(now=clock.now()):
            continue
        check = audit.verify_log(actor=BY, now=clock.now())
        assert (check.ok, check.findings) == (True, [])
        point = trails.newest_checkpoint()
        assert point is not None
        assert point.size > manifest.audit["size"]
        assert old_key in [str(key) for key in audit.keys_here()]
    for table in manifest.tables:
        if not table.along:
            more = added if table.name == "audit_auditevent" else 0
            assert here[table.name] == table.rows + more, table.name
            assert table.rows <= rows[table.name]
    assert QueueRow.objects.filter(tenant_id=tenant.id).count() == waiting > 0


def test_no_secret_is_in_the_file_and_none_works_where_it_arrives(furnished: Tenant, tmp_path: Path) -> None:
    with context.enter(queries.ref_of(furnished)):
        sealed = [bytes(row.secret) for row in Connection.objects.exclude(secret=None)]
        sealed += [bytes(row.secret) for row in Endpoint.objects.all()]
    assert len(sealed) >= 2
    path = kept(furnished, tmp_path)
    with zipfile.ZipFile(path) as folder:
        content = b"".join(folder.read(name) for name in folder.namelist())
    assert len(content) > 10_000
    for secret in sealed:
        assert secret.hex().encode() not in content
    assert SECRET.encode() not in content
    elsewhere(furnished)
    job = bring_in(path)
    with context.enter(job.tenant_id):
        assert not Connection.objects.exclude(secret=None).exists()
        assert {row.state for row in Connection.objects.exclude(auth="none")} == {"new"}
        assert all(bytes(row.secret) and bytes(row.secret) not in sealed for row in Endpoint.objects.all())


def test_every_sealed_column_of_a_client_stays_where_it_is() -> None:
    rooms = {app.rsplit(".", 1)[-1] for app in settings.TENANT_APPS}
    here = [one for one in vault.columns() if one.tenants and one.model._meta.app_label in rooms]
    sealed = {(one.model._meta.db_table, one.column) for one in here}
    assert sealed == {(one.table, name) for one in registry.withheld().values() for name in one.secrets}
    assert len(sealed) >= 5


def changed(path: Path, to: Path, member: str, by: Any) -> Path:
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(to, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, by(content) if name == member else content)
    return to


def test_a_file_that_somebody_touched_is_refused_and_nothing_is_made(
    furnished: Tenant, tmp_path: Path
) -> None:
    path = kept(furnished, tmp_path)
    elsewhere(furnished)
    before = set(Tenant.objects.values_list("id", flat=True))
    said = json.loads(zipfile.ZipFile(path).read(MANIFEST))
    newer = {**said, "migrations": [*said["migrations"], ["engine", "9999_unheard_of"]], "revision": "f" * 32}
    other = tmp_path / "other.zip"
    file = changed(path, other, "tables/engine_run", lambda raw: raw.replace(b"\n", b"x\n", 1))
    with pytest.raises(TenantFileRefused, match="engine_run in the file was changed"):
        bring_in(file)
    file = changed(path, other, MANIFEST, lambda raw: raw.replace(b"Hollis", b"Mallory"))
    with pytest.raises(TenantFileRefused, match="manifest was changed"):
        bring_in(file)
    with pytest.raises(TenantFileRefused, match="9999_unheard_of is not known here"):
        bring_in(signed_again(path, other, newer))
    with pytest.raises(TenantFileRefused, match="format 2; this portal reads format 1"):
        bring_in(signed_again(path, other, said, number=2))
    other.write_bytes(path.read_bytes()[:2_000])
    with pytest.raises(TenantFileRefused, match="not whole"):
        bring_in(other)
    assert set(Tenant.objects.values_list("id", flat=True)) == before


def signed_again(path: Path, to: Path, manifest: dict[str, Any], number: int = 1) -> Path:
    """The file with another manifest, by somebody who has the key."""
    import hashlib

    raw = json.dumps(manifest).encode()
    note = audit.certify(f"portal/tenant-file {number}\n{hashlib.sha256(raw).hexdigest()}\n").encode()
    return changed(changed(path, to.with_suffix(".1"), MANIFEST, lambda _: raw), to, NOTE, lambda _: note)


def test_a_file_whose_work_is_here_already_is_refused(furnished: Tenant, tmp_path: Path) -> None:
    path = kept(furnished, tmp_path)
    with transaction.atomic():
        job = importing.request_import(
            partner=Partner.objects.get(slug="lumen"), file=path, slug="twin", now=clock.now(), **WHY
        )
    done = actions.provision(job_id=job.id, now=clock.now())
    assert done.state == JobState.RUNNING
    assert "queue of another client" in done.error
    assert store.rows_in(done.tenant.schema_name)["events_event"] == 0


def test_it_is_made_once_by_a_job_and_says_how_far_it_is(furnished: Tenant, jobs: Any) -> None:
    file = exporting.request_file(tenant=furnished, now=clock.now(), **WHY)
    with pytest.raises(Conflict, match="already"):
        exporting.request_file(tenant=furnished, now=clock.now(), **WHY)
    assert list(tasks._unmade()) == [{"file": file.id}]
    jobs.run_all()
    file.refresh_from_db()
    assert (file.state, file.rows > 50, file.size > 1_000) == (JobState.DONE, True, True)
    assert exporting.path_of(file).stat().st_mode & 0o077 == 0
    assert list(tasks._unmade()) == []
    with context.enter(queries.ref_of(furnished)):
        assert AuditEvent.objects.filter(action="tenancy.exported").exists()
    exporting.remove_file(file=file, now=clock.now(), **WHY)
    assert not exporting.path_of(file).exists()


def test_a_failed_attempt_is_tried_again_three_times(
    furnished: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(exporting, "write", broken)
    file = exporting.request_file(tenant=furnished, now=clock.now(), **WHY)
    states = []
    for _ in range(3):
        TenantFile.objects.update(lease_until=None)
        states.append(exporting.make_file(file_id=file.id, now=clock.now()).state)
    assert states == [JobState.PENDING, JobState.PENDING, JobState.FAILED]
    assert list(exporting.path_of(file).parent.glob("*")) == []


def test_only_a_client_whose_last_word_is_in_a_file_counts_as_exported(furnished: Tenant) -> None:
    export(furnished)
    actions.set_state(tenant=furnished, state=TenantState.ARCHIVED, now=clock.now(), **WHY)
    furnished.refresh_from_db()
    with pytest.raises(Conflict, match="export it first"):
        actions.set_state(tenant=furnished, state=TenantState.EXPORTED, now=clock.now(), **WHY)
    export(furnished)
    done = actions.set_state(tenant=furnished, state=TenantState.EXPORTED, now=clock.now(), **WHY)
    assert done.state == TenantState.EXPORTED
    host = "hollis.meridian.localhost"
    assert queries._look_up(host) is None
    assert Slot.objects.get(tenant_id=done.id).open is False
    back = actions.set_state(tenant=done, state=TenantState.SUSPENDED, now=clock.now(), **WHY)
    assert queries._look_up(host) is not None
    assert back.state == TenantState.SUSPENDED


def test_who_may_not_carry_does_not(furnished: Tenant, cast: Cast) -> None:
    actor = cast.actor(cast.partner_engineer, cast.partner_host)
    with pytest.raises(Forbidden):
        exporting.request_file(tenant=furnished, reason="", actor=actor, now=clock.now())
    assert not TenantFile.objects.filter(state=JobState.PENDING).exists()


def test_an_operator_does_it_by_command(furnished: Tenant, tmp_path: Path) -> None:
    path = tmp_path / "by-hand.zip"
    out = io.StringIO()
    call_command("tenant_file", "out", str(path), tenant="meridian/hollis", stdout=out)
    call_command("tenant_file", "look", str(path), stdout=out)
    assert "engine_run" in out.getvalue()
    with pytest.raises(CommandError, match="queue of another client"):
        call_command("tenant_file", "in", str(path), partner="lumen", slug="twin", stdout=out)
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from pg_namespace where nspname like 't\\_%'")
        before = cursor.fetchone()
    elsewhere(furnished)
    call_command("tenant_file", "in", str(path), partner="lumen", slug="twin", stdout=out)
    assert "twin is here, suspended" in out.getvalue()
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from pg_namespace where nspname like 't\\_%'")
        assert cursor.fetchone() == before
    assert settings.TENANT_FILES.exists() is False
