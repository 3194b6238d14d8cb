"""A13: a client whose name would make a schema, or a role, of somebody else's choosing."""

import re

import pytest
from django.db import DatabaseError, connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kernel import clock
from kernel.actor import system
from kernel.errors import PortalError
from tenants.tenancy import actions, store
from tenants.tenancy.models import Partner, Tenant
from tests.support.cast import Cast

NAMES = [
    "public",
    "pg_catalog",
    "information_schema",
    "pg_temp",
    'a"b',
    "a';drop schema public cascade;--",
    "t_" + "0" * 32,
    "x" * 64,
    "\u0455hop",
    "__class__",
    "../../x",
    "portal",
    "postgres",
    "",
]


@pytest.mark.parametrize("name", NAMES)
def test_the_schema_is_named_by_us(cast: Cast, name: str) -> None:
    partner, before = Partner.objects.get(pk=cast.partner.id), _schemas()
    try:
        job = actions.request_tenant(
            partner=partner, name=name, slug=name, actor=system("attack"), now=clock.now()
        )
    except PortalError:
        assert _schemas() == before
        return
    tenant = Tenant.objects.get(pk=job.tenant_id)
    assert tenant.schema_name == f"t_{tenant.id.hex}"
    assert re.fullmatch(r"[a-z0-9-]+", tenant.slug)


def _schemas() -> set[str]:
    return set(Tenant.objects.values_list("schema_name", flat=True))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text(min_size=1, max_size=80))
def test_no_other_name_reaches_sql(db: None, name: str) -> None:
    for act in (store.guard, store.drop_role, store.drop_schema):
        with pytest.raises(ValueError, match="is no tenant's schema"):
            act(name)


@pytest.mark.parametrize(
    "name", [*NAMES[:-1], "t_x", "t_01A20A142FD17580A489AE648749BC54", "t_01a20a142fd17611a78942faa1ca934dx"]
)
def test_no_other_name_becomes_a_role(db: None, name: str) -> None:
    class Somebody:
        schema_name = role = name

    before = connection.tenant  # type: ignore[attr-defined]
    connection.set_tenant(Somebody())  # type: ignore[attr-defined]
    try:
        with (
            pytest.raises(DatabaseError, match=r"no tenant's role|does not exist"),
            connection.cursor() as cursor,
        ):
            cursor.execute("select 1")
    finally:
        connection.set_tenant(before)  # type: ignore[attr-defined]
