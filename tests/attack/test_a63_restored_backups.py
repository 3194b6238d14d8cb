"""A63: an old backup brings back no key, no session, no secret and no right that was taken away since."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from automations.connectors import actions as connectors
from automations.connectors.models import Connection
from kernel import clock
from kernel.actor import system
from kernel.secrets import SecretUnreadable, opened
from tenants.access import actions as access
from tenants.access.models import ApiToken, Membership
from tenants.accounts.models import Visit
from tenants.tenancy import actions, context, queries
from tenants.tenancy.actions import exporting, restoring
from tenants.tenancy.enums import TenantState
from tenants.tenancy.models import Partner, Tenant
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
