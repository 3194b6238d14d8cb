"""What tests of the API share: a machine with a token, a browser with a session, one of everything in Hollis."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tenants.access import actions, catalog
from tenants.tenancy.models import Partner, Tenant
from tests.automations.inbox.conftest import make_case  # noqa: F401 - a fixture
from tests.house import world
from tests.house.world import World
from tests.portal.api import contract
from tests.portal.ui.conftest import _plain_files  # noqa: F401 - a fixture
from tests.support.cast import NOW, Cast


class Machine:
    """Speaks JSON with a token on one host; every answer is held against the OpenAPI document."""

    def __init__(self, host: str, token: str) -> None:
        self._kind = "tenant" if host.count(".") == 2 else "partner"
        self._client = Client(HTTP_HOST=host, enforce_csrf_checks=True)
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        given = {} if body is None else {"data": body, "content_type": "application/json"}
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        address = path if path.startswith("/") else f"/api/v1/{path}"
        answer = getattr(self._client, method)(address, headers={**self._headers, **names}, **given)
        contract.hold(self._kind, method, address, answer)
        return answer

    def get(self, path: str, **headers: str) -> Any:
        return self("get", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self("post", path, body, **headers)


@pytest.fixture
def machine(cast: Cast) -> Callable[..., Machine]:
    """`machine(host, *scopes)`: a token of that place with these scopes, or with all that a place knows."""

    def make(host: str = "", *scopes: str) -> Machine:
        place = cast.place(host or cast.host)
        assert place.partner
        admin = cast.other_partner_admin if place.partner.slug == "lumen" else cast.partner_admin
        actor = cast.actor(admin, place.host)
        wanted = list(scopes) or sorted(actor.permissions & set(catalog.PERMISSIONS))
        _, text = actions.make_token(
            partner=Partner.objects.get(pk=place.partner.id),
            tenant=Tenant.objects.get(pk=place.tenant.id) if place.tenant else None,
            name="machine",
            scopes=wanted,
            expires_at=None,
            actor=actor,
            now=NOW,
        )
        return Machine(place.host, text)

    return make


@pytest.fixture
def api(machine: Callable[..., Machine]) -> Machine:
    """A token with every scope in Hollis."""
    return machine()


@pytest.fixture
def console(cast: Cast, machine: Callable[..., Machine]) -> Machine:
    """A token with every scope in Meridian's console."""
    return machine(cast.partner_host)


@pytest.fixture
def hollis(cast: Cast, now: object) -> World:
    """One of everything in Hollis."""
    return world.of_tenant(cast.tenant, "Zephyr")
