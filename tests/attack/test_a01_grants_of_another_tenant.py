"""A1: a grant on an object of one client, used on an object of another that has the very same key."""

from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection, models

from automations.engine.models import Definition, Workflow
from kernel import ids
from kernel.actor import system
from tenants.access import actions as access
from tenants.access import policy
from tenants.tenancy import context
from tests.support.cast import Cast

BY = system("test")


@pytest.fixture
def twin(cast: Cast, now: Any) -> Any:
    """A workflow of the same key in Hollis and in Arbor; the analyst may operate the one in Hollis."""
    key = ids.uuid7()
    for ref in (cast.tenant, cast.other_tenant):
        with context.enter(ref):
            definition = _definition(now)
            Workflow.objects.create(
                id=key, name="twin", title=ref.slug, definition=definition, created_at=now
            )
    with context.enter(cast.tenant):
        access.grant(
            user=cast.analyst,
            permission="engine.operate",
            obj=Workflow.objects.get(pk=key),
            actor=BY,
            now=now,
        )
    return key


def _definition(now: Any) -> Definition:
    return Definition.objects.create(name="twin", version="1.0.0", digest="", document={}, published_at=now)


def test_the_grant_holds_where_it_was_given_and_nowhere_else(twin: Any, cast: Cast) -> None:
    found = {}
    for ref, place in ((cast.tenant, cast.host), (cast.other_tenant, cast.other_host)):
        with context.enter(ref):
            row = Workflow.objects.get(pk=twin)
            found[ref.slug] = policy.may(cast.actor(cast.analyst, place), "engine.operate", row)
    assert found == {"hollis": True, "arbor": False}


def test_no_grant_stands_in_a_shared_table(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "select count(*) from pg_tables where schemaname = 'public' and tablename like 'guardian_%'"
        )
        assert cursor.fetchone() == (0,)


def test_no_object_of_a_tenant_has_a_key_that_can_be_counted() -> None:
    """What a grant or an address can name is keyed by a UUID; the rest are rows that nobody names."""
    own = {app for app in settings.TENANT_APPS if app not in settings.SHARED_APPS and app != "guardian"}
    counted = [
        model._meta.label
        for app in apps.get_app_configs()
        if app.name in own
        for model in app.get_models()
        if hasattr(model, "prefix") and not isinstance(model._meta.pk, models.UUIDField)
    ]
    assert counted == []
