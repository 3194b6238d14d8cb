"""People who are let in for parts of a client: what they see, by pages and API, and when it ends."""

from collections.abc import Callable

import pytest
from django.test import Client

from automations.engine.models import Run, Workflow
from automations.events.models import Event
from automations.inbox.models import Case
from automations.insights import actions as insights
from automations.insights.enums import UnitKind
from automations.notices.policy import readers
from kernel import clock
from tenants.access import actions
from tenants.access.actions.scoping import set_scope
from tenants.access.enums import Role
from tenants.access.models import ApiToken, Membership
from tenants.tenancy.models import Tenant
from tenants.tenancy.queries import TenantRef
from tests.house import world
from tests.portal.ui.test_figures import place_orders
from tests.support.cast import NOW, Cast


@pytest.fixture
def reviewer(cast: Cast, client_for: Callable[..., Client]) -> Client:
    return client_for(cast.reviewer, cast.host)


def limit(cast: Cast, *objects: object) -> None:
    member = Membership.objects.get(user=cast.reviewer)
    set_scope(membership=member, objects=objects, actor=cast.actor(cast.owner), now=clock.now())  # type: ignore[arg-type]


def two_runs(tenant: TenantRef) -> tuple[Run, Run]:
    """A run of each of two workflows, each with its case, about the orders A-1 and B-2."""
    made = world.World("Zephyr")
    world.fill(made, tenant, 2)
    mine, other = Run.objects.order_by("id")
    return mine, other


def test_lists_and_pages_keep_to_the_workflows_somebody_is_let_in_for(
    cast: Cast, reviewer: Client, tenant: TenantRef, now: object
) -> None:
    mine, other = two_runs(tenant)
    assert {mine.public_id, other.public_id} <= set(_ids(reviewer, "/api/v1/runs"))
    limit(cast, Workflow.objects.get(pk=mine.workflow_id))
    assert _ids(reviewer, "/api/v1/runs") == [mine.public_id]
    assert len(_ids(reviewer, "/api/v1/cases")) == 1
    assert len(_ids(reviewer, "/api/v1/workflows")) == 1
    case = Case.objects.get(run_id=other.id)
    for address in (
        f"/runs/{other.public_id}/",
        f"/api/v1/runs/{other.public_id}",
        f"/inbox/{case.public_id}/",
        f"/api/v1/cases/{case.public_id}",
    ):
        assert reviewer.get(address).status_code == 404, address
    assert reviewer.get(f"/runs/{mine.public_id}/").status_code == 200
    assert case.code not in reviewer.get("/inbox/").content.decode()
    refused = reviewer.post(f"/inbox/{case.public_id}/decide/dismiss", {"reason": "no"})
    assert refused.status_code == 404
    assert Case.objects.get(pk=case.pk).version == case.version


def _ids(browser: Client, address: str) -> list[str]:
    return [one["id"] for one in browser.get(address).json()["items"]]


def test_pages_that_do_not_keep_to_it_are_shut_and_not_on_offer(
    cast: Cast, reviewer: Client, tenant: TenantRef, now: object
) -> None:
    mine, _ = two_runs(tenant)
    assert reviewer.get("/overview/").status_code == 200
    limit(cast, Workflow.objects.get(pk=mine.workflow_id))
    for address in ("/overview/", "/events/", "/runs/bulk/", "/api/v1/events", "/api/v1/kpis"):
        assert reviewer.get(address).status_code == 403, address
    page = reviewer.get("/inbox/").content.decode()
    assert 'href="/overview/"' not in page
    assert reviewer.get("/").status_code == 302


def test_the_palette_finds_nothing_beyond_what_somebody_is_let_in_for(
    cast: Cast, reviewer: Client, tenant: TenantRef, now: object
) -> None:
    mine, other = two_runs(tenant)
    place_orders(tenant, "A-1")
    case = Case.objects.get(run_id=other.id)
    event = Event.objects.filter(subject="A-1").first()
    assert event is not None
    for text, address in (
        (case.code, "/inbox/case_"),
        ("A-1", "/orders/A-1/"),
        (event.public_id, "/events/evt_"),
    ):
        assert f'href="{address}' in reviewer.get("/search/", {"q": text}).content.decode(), text
    limit(cast, Workflow.objects.get(pk=mine.workflow_id), insights.unit(UnitKind.STORE, "nowhere"))
    for text in (case.code, other.public_id, "A-1", event.public_id, "orders placed"):
        page = reviewer.get("/search/", {"q": text}).content.decode()
        for address in ("/inbox/case_", "/runs/run_", "/orders/A-1/", "/events/evt_", "/figures/"):
            assert f'href="{address}' not in page, (text, address)
    limit(cast, Workflow.objects.get(pk=mine.workflow_id))
    assert (
        f'href="/runs/{mine.public_id}/"' in reviewer.get("/search/", {"q": mine.public_id}).content.decode()
    )
    assert "/runs/run_" not in reviewer.get("/search/", {"q": other.public_id}).content.decode()


def test_nobody_is_told_of_cases_who_is_let_in_for_parts(cast: Cast, tenant: TenantRef, now: object) -> None:
    mine, _ = two_runs(tenant)
    assert cast.reviewer.id in {one.user_id for one in readers(tenant)}
    limit(cast, Workflow.objects.get(pk=mine.workflow_id))
    told = {one.user_id for one in readers(tenant)}
    assert cast.reviewer.id not in told
    assert cast.colleague.id in told


def test_orders_of_other_stores_are_not_there(
    cast: Cast, reviewer: Client, tenant: TenantRef, now: object
) -> None:
    place_orders(tenant, "A-1", "B-2")
    assert "A-1" in reviewer.get("/orders/").content.decode()
    limit(cast, insights.unit(UnitKind.STORE, "nowhere"))
    page = reviewer.get("/orders/").content.decode()
    assert "A-1" not in page
    assert reviewer.get("/orders/A-1/").status_code == 404
    assert _ids(reviewer, "/api/v1/runs") == []
    limit(cast, insights.unit(UnitKind.STORE, "web"))
    assert "A-1" in reviewer.get("/orders/").content.decode()
    assert reviewer.get("/orders/A-1/").status_code == 200


def test_a_second_role_for_everything_or_an_empty_scope_ends_it(
    cast: Cast, reviewer: Client, portal: Client, tenant: TenantRef, now: object
) -> None:
    mine, other = two_runs(tenant)
    limit(cast, Workflow.objects.get(pk=mine.workflow_id))
    member = Membership.objects.get(user=cast.reviewer)
    page = portal.get(f"/people/{member.public_id}/scope").content.decode()
    assert "checked" in page
    assert portal.post(f"/people/{member.public_id}/scope", {"units": ["nonsense"]}).status_code == 422
    assert portal.post(f"/people/{member.public_id}/scope", {}).status_code == 302
    assert set(_ids(reviewer, "/api/v1/runs")) == {mine.public_id, other.public_id}


def test_a_token_sees_no_further_than_its_maker(cast: Cast, tenant: TenantRef, now: object) -> None:
    mine, _ = two_runs(tenant)
    member = Membership.objects.get(user=cast.manager)
    set_scope(
        membership=member,
        objects=[Workflow.objects.get(pk=mine.workflow_id)],
        actor=cast.actor(cast.owner),
        now=NOW,
    )
    hollis = Tenant.objects.get(slug="hollis")
    row, text = actions.make_token(
        partner=hollis.partner,
        tenant=hollis,
        name="T",
        scopes=["engine.read"],
        expires_at=None,
        actor=cast.actor(cast.owner),
        now=NOW,
    )
    ApiToken.objects.filter(pk=row.pk).update(created_by=cast.manager)
    machine = Client(HTTP_HOST=cast.host, HTTP_AUTHORIZATION=f"Bearer {text}")
    assert _ids(machine, "/api/v1/runs") == [mine.public_id]
    actions.set_role(membership=member, role=Role.STORE_STAFF, actor=cast.actor(cast.owner), now=NOW)
    assert machine.get("/api/v1/runs").status_code == 401  # the next request, and nothing of it is left
