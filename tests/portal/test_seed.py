"""The demo's furniture: made once, however often it is asked for."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command

from automations.connectors.models import Connection
from kernel.http import Answer
from portal.management.commands import seed_demo
from tenants.access.models import Membership, User
from tenants.tenancy import context, queries
from tests.house.asking import fingerprint


@pytest.fixture
def demo(
    committed: object, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[str]]:
    """A demo installation with a shop beside it that does as it is told; what it was told."""
    told: list[str] = []

    def answer(method: str, url: str, *_: object, **__: object) -> Answer:
        told.append(f"{method} {url}")
        return Answer(200, {}, b"{}")

    settings.PORTAL_DEMO = True
    settings.EGRESS_ALLOW = frozenset({"127.0.0.1:9"})
    (django_settings.ENV.home / "keys").mkdir(exist_ok=True)
    key = django_settings.ENV.home / "keys" / "estate.key"
    key.write_text("a key of the estate")
    monkeypatch.setattr(seed_demo.http, "fetch", answer)
    yield told
    key.unlink()


def seed() -> str:
    said = io.StringIO()
    call_command("upgrade", stdout=io.StringIO())
    call_command("seed_demo", stdout=said, stderr=io.StringIO())
    return said.getvalue()


def test_twice_is_as_good_as_once(demo: list[str], jobs: Any) -> None:
    first = seed()
    before = fingerprint()
    assert demo == ["POST http://127.0.0.1:9/control/shop/feed"]
    assert seed() == first
    after = fingerprint()
    assert {table for table in after if after[table] != before.get(table)} == set()
    assert len(demo) == 1


def test_it_makes_what_it_says(demo: list[str], jobs: Any) -> None:
    said = seed()
    password = said.splitlines()[0].rpartition("  ")[2]
    for line in said.splitlines()[2:]:
        words = line.split()
        address = next(word for word in words if "@" in word)
        user = User.objects.get(email=address)
        assert user.check_password(password), address
        assert user.is_staff or Membership.objects.filter(user=user).exists()
    for name in ("meridian/hollis", "meridian/birchwood"):
        tenant = queries.tenant_by_slug(name)
        assert tenant.ready
        assert tenant.state == "active"
    with context.enter(queries.tenant_by_slug("meridian/hollis")):
        assert Connection.objects.get(name="ERP").settings == {"base_url": "http://127.0.0.1:9"}


def test_a_place_that_is_no_demo_gets_no_people_with_a_known_password(
    committed: object, settings: Any, jobs: Any
) -> None:
    settings.PORTAL_DEMO = False
    before = User.objects.count()
    with pytest.raises(CommandError, match="PORTAL_DEMO"):
        call_command("seed_demo")
    assert User.objects.count() == before
