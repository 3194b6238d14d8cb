"""A63: an old backup brings back no key, no session, no secret, no right and nobody that was taken away since."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from automations.connectors import actions as connectors
from automations.connectors.models import Connection
from automations.events import actions as events
from automations.events.models import Event
from kernel import clock, jobs
from kernel.actor import system
from kernel.secrets import SecretUnreadable, opened
from tenants.access import actions as access
from tenants.access.models import ApiToken, Membership
from tenants.accounts.models import Visit
from tenants.audit import actions as audit
from tenants.audit.models import AuditEvent
from tenants.privacy.actions import subjects
from tenants.privacy.errors import TooOld
from tenants.privacy.models import Erasure
from tenants.tenancy import actions, context, queries
from tenants.tenancy.actions import exporting, importing, restoring
from tenants.tenancy.enums import TenantState
from tenants.tenancy.models import Partner, Tenant, TenantFile
from tests.support import make
from tests.support.cast import PASSWORD, Cast

BY = system("test")
WHY = {"reason": "drill", "actor": BY}


@pytest.fixture
def hollis(committed: Any, cast: Cast, tmp_path: Path, settings: Any) -> Tenant:
    settings.TENANT_FILES = tmp_path / "clients"
    settings.AUDIT_HEADS = tmp_path / "heads"
    return Tenant.objects.get(pk=cast.tenant.id)


def go_back(tenant: Tenant, since: Any) -> None:
    """A backup, then what happens `since`, then back."""
    file = exporting.request_file(tenant=tenant, now=clock.now(), **WHY)
    exporting.make_file(file_id=file.id, now=clock.now())
    since()
    file.refresh_from_db()
    asked = restoring.request_restore(file=file, now=clock.now(), **WHY)
    made = restoring.lay_beside(restore_id=asked.id, now=clock.now())
    restoring.swap_in(restore=made, typed=tenant.name, now=clock.now(), **WHY)
    actions.set_state(
        tenant=Tenant.objects.get(pk=tenant.pk), state=TenantState.ACTIVE, now=clock.now(), **WHY
    )


def test_no_token_and_no_session_from_before_works_after(hollis: Tenant, cast: Cast) -> None:
    _, text = access.make_token(
        partner=Partner.objects.get(pk=hollis.partner_id),
        tenant=hollis,
        name="before",
        scopes=["events.read"],
        expires_at=None,
        actor=cast.actor(cast.owner),
        now=clock.now(),
    )
    machine = Client(HTTP_HOST=cast.host, HTTP_AUTHORIZATION=f"Bearer {text}")
    person = Client(HTTP_HOST=cast.host)
    person.post("/sign-in", {"email": "owner@cast.test", "password": PASSWORD})
    assert machine.get("/api/v1/events").status_code == 200
    assert person.get("/people/").status_code == 200
    elsewhere = ApiToken.objects.exclude(tenant_id=hollis.id).filter(revoked_at__isnull=True).count()
    go_back(hollis, lambda: None)
    assert machine.get("/api/v1/events").status_code == 401
    assert person.get("/people/").status_code == 302
    assert not Visit.objects.filter(tenant_id=hollis.id, ended_at__isnull=True).exists()
    assert ApiToken.objects.exclude(tenant_id=hollis.id).filter(revoked_at__isnull=True).count() == elsewhere


def test_a_secret_that_was_changed_since_stays_changed(hollis: Tenant, cast: Cast) -> None:
    with context.enter(cast.tenant):
        row = make.connection(name="ERP", secret="leaked-and-replaced-4711")
        gone = make.connection(name="Gone", secret="of-a-connection-that-goes")

    def since() -> None:
        with context.enter(cast.tenant):
            connectors.set_secret(connection=row, secret="fresh-secret-0815-abc", actor=BY, now=clock.now())
            Connection.objects.filter(pk=gone.pk).delete()

    go_back(hollis, since)
    with context.enter(queries.ref_of(hollis)):
        now = Connection.objects.get(pk=row.pk)
        said = opened(bytes(now.secret), row=now.id, version=now.secret_version, purpose="connection")
        assert said == b"fresh-secret-0815-abc"
        back = Connection.objects.get(pk=gone.pk)
        assert (back.secret, back.state) == (None, "new")
        with pytest.raises(SecretUnreadable):
            opened(bytes(now.secret), row=now.id, version=1, purpose="connection")


def test_who_was_taken_out_since_stays_out(hollis: Tenant, cast: Cast) -> None:
    member = Membership.objects.get(user=cast.manager, tenant_id=hollis.id)
    go_back(hollis, lambda: access.remove_member(membership=member, actor=BY, now=clock.now()))
    assert not Membership.objects.filter(user=cast.manager, tenant_id=hollis.id).exists()


def test_who_was_erased_since_is_erased_in_what_comes_back(hollis: Tenant, cast: Cast) -> None:
    with context.enter(cast.tenant):
        event_of("bo@example.com")

    def since() -> None:
        event_of("ann@example.com")
        erase("ann@example.com")

    with context.enter(cast.tenant):
        event_of("ann@example.com")
    go_back(hollis, lambda: _inside(cast, since))
    with context.enter(queries.ref_of(hollis)):
        assert [(row.data["email"][:6]) for row in Event.objects.order_by("time")] == ["bo@exa", "erased"]
        assert Erasure.objects.get(tenant_id=hollis.id).replays == 1


def test_who_was_erased_since_is_erased_in_a_client_that_is_imported_from_an_old_file(
    hollis: Tenant, cast: Cast, tmp_path: Path
) -> None:
    _inside(cast, lambda: event_of("ann@example.com"))
    file = export_of(hollis)
    _inside(cast, lambda: erase("ann@example.com"))
    job = importing.request_import(
        partner=Partner.objects.get(slug="lumen"),
        file=exporting.path_of(file),
        slug="hollis-2",
        now=clock.now(),
        **WHY,
    )
    job = actions.provision(job_id=job.id, now=clock.now())
    assert job.state == "done", job.error
    with context.enter(job.tenant_id):
        while audit.seal(now=clock.now()):
            continue
        jobs.run_now("privacy.replay", tenant=job.tenant_id)
        assert "ann@example.com" not in str(list(Event.objects.values_list("data", flat=True)))
        events_told = AuditEvent.objects.values_list("after", "before", "reason")
        assert "ann@example.com" not in str(list(events_told))
        assert audit.verify_log(actor=BY, now=clock.now()).ok
        own = Erasure.objects.get(tenant_id=job.tenant_id)
    assert (own.mark, own.waits) == (Erasure.objects.get(tenant_id=hollis.id).mark, False)


def test_a_file_from_before_an_erasure_that_nothing_remembers_does_not_come_back(
    hollis: Tenant, cast: Cast
) -> None:
    def since() -> None:
        event_of("ann@example.com")
        erase("ann@example.com")
        Erasure.objects.filter(tenant_id=hollis.id).update(terms=None)

    with pytest.raises(TooOld):
        go_back(hollis, lambda: _inside(cast, since))


def _inside(cast: Cast, run: Any) -> None:
    with context.enter(cast.tenant):
        run()


def event_of(mail: str) -> None:
    events.publish(type="customer.seen", subject="7", data={"email": mail}, source="/shop", time=clock.now())


def export_of(tenant: Tenant) -> TenantFile:
    file = exporting.request_file(tenant=tenant, now=clock.now(), **WHY)
    return exporting.make_file(file_id=file.id, now=clock.now())


def erase(mail: str) -> None:
    row = subjects.open_request(terms=[mail], reference="drill", actor=BY, now=clock.now())
    while not subjects.carry_on(key=row.pk, now=clock.now()):
        continue
    row.refresh_from_db()
    subjects.erase_subject(row=row, terms=[mail], typed="drill", reason="asked", actor=BY, now=clock.now())
    for _ in range(9):
        subjects.carry_on(key=row.pk, now=clock.now())
        row.refresh_from_db()
    assert row.state == "erased"
