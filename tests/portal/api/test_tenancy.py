"""Clients of a partner by the API, and the clock of a sandbox."""

from typing import Any

from tenants.tenancy import queries
from tenants.tenancy.models import Tenant
from tests.house.world import World
from tests.portal.api.conftest import Machine
from tests.support.cast import Cast

NEW = {"name": "Kestrel Books", "slug": "kestrel", "timezone": "Europe/London", "currency": "GBP"}


def test_a_partner_sees_its_own_clients_alone(console: Machine) -> None:
    items = console.get("tenants").json()["items"]
    assert [(one["slug"], one["provisioning"], one["host"]) for one in items] == [
        ("hollis", "done", "hollis.meridian.localhost")
    ]
    assert console.get("tenants?text=arbor").json()["items"] == []
    assert console.get("tenants?state=suspended").json()["items"] == []
    assert console.get("tenants?sandbox=true").json()["items"] == []


def test_a_client_of_another_partner_does_not_exist(cast: Cast, console: Machine) -> None:
    row = Tenant.objects.get(slug="arbor")
    for path in ("", "/provisioning", "/installations"):
        assert console.get(f"tenants/{row.public_id}{path}").status_code == 404
    for verb in ("suspend", "resume", "archive"):
        assert console.post(f"tenants/{row.public_id}/{verb}", {"reason": "x"}).status_code == 404
    row.refresh_from_db()
    assert row.state == "trial"


def test_a_client_is_asked_for_and_its_job_looked_at(cast: Cast, console: Machine, jobs: Any) -> None:
    body = {**NEW, "people": [{"email": "kim@kestrel.test", "role": "tenant_admin"}]}
    answer = console.post("tenants", body, Idempotency_Key="kestrel")
    assert answer.status_code == 202
    job = answer.json()
    assert (job["state"], {step["state"] for step in job["steps"]}) == ("pending", {"pending"})
    assert console.post("tenants", body, Idempotency_Key="kestrel").json() == job
    assert Tenant.objects.filter(slug="kestrel").count() == 1
    assert [name for name, _, _ in jobs.calls].count("tenancy.provision") in (0, 1)  # sent at the commit
    found = console.get(f"tenants/{job['tenant']}").json()
    assert (found["host"], found["ready_at"], found["health"]) == ("", None, None)
    early = console.post(f"tenants/{job['tenant']}/installations", {"template": "order-watch"})
    assert (early.status_code, early.json()["code"]) == (503, "tenant_not_ready")


def test_what_is_wrong_with_a_new_client_is_named(console: Machine) -> None:
    answer = console.post("tenants", {**NEW, "slug": "Not A Slug", "timezone": "Moon", "currency": "gbp"})
    assert set(answer.json()["fields"]) == {"slug", "timezone", "currency"}
    taken = console.post("tenants", {**NEW, "slug": "hollis"})
    assert (taken.status_code, taken.json()["code"], set(taken.json()["fields"])) == (
        409,
        "address_taken",
        {"slug"},
    )
    person = {"email": "x@y.test", "role": "partner_admin"}
    wrong = console.post("tenants", {**NEW, "people": [person]})
    assert set(wrong.json()["fields"]) == {"people.0.role"}


def test_a_client_is_suspended_resumed_and_archived(cast: Cast, console: Machine) -> None:
    row = Tenant.objects.get(slug="hollis")
    path = f"tenants/{row.public_id}"
    assert set(console.post(f"{path}/suspend", {}).json()["fields"]) == {"reason"}
    for verb, state in (("suspend", "suspended"), ("resume", "active"), ("archive", "archived")):
        assert console.post(f"{path}/{verb}", {"reason": f"because: {verb}"}).json()["state"] == state
    refused = console.post(f"{path}/resume", {"reason": "x"})
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    reasons = [one["reason"] for one in console.get("audit?action=tenancy.lifecycle").json()["items"]]
    assert reasons == ["because: archive", "because: resume", "because: suspend"]


def test_a_client_shows_how_it_does(cast: Cast, console: Machine, hollis: World) -> None:
    health = console.get(f"tenants/{hollis.ids['tenant']}").json()["health"]
    assert (health["open_cases"], health["failed_last_day"], health["unhealthy_connections"]) == (1, 1, 0)
    assert health["last_event_at"] is not None


def test_a_template_is_installed_into_a_client_from_the_console(
    cast: Cast, console: Machine, hollis: World
) -> None:
    path = f"tenants/{hollis.ids['tenant']}/installations"
    (one,) = console.get(path).json()["items"]
    assert (one["template"], one["version"]) == ("order-watch", "1.0.0")
    again = console.post(path, {"template": "order-watch"})
    assert (again.status_code, again.json()["code"]) == (409, "already_installed")


def test_the_clock_of_a_sandbox_runs_forward(cast: Cast, api: Machine) -> None:
    refused = api.post("clock", {"to": "2030-01-01T00:00:00Z"})
    assert (refused.status_code, refused.json()["code"]) == (409, "not_sandbox")
    Tenant.objects.filter(pk=cast.tenant.id).update(sandbox=True)
    queries.forget_hosts()
    assert api.post("clock", {"to": "2030-01-01T00:00:00Z"}).json()["now"] == "2030-01-01T00:00:00Z"
    assert api.get("clock").json() == {"now": "2030-01-01T00:00:00Z", "sandbox": True, "virtual": True}
    back = api.post("clock", {"to": "2029-01-01T00:00:00Z"})
    assert (back.status_code, back.json()["code"]) == (409, "clock_runs_forward")
    assert set(api.post("clock", {"to": "2031-01-01T00:00:00"}).json()["fields"]) == {"to"}
