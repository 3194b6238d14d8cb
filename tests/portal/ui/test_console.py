"""The partner's console: fleet, new client, setting up, one client, branding."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from PIL import Image

from kernel import jobs as kernel_jobs
from portal.ui import figures
from tenants.audit.models import AuditEvent
from tenants.branding.models import Brand
from tenants.tenancy.models import ProvisioningJob, Tenant
from tests.portal.ui.conftest import PART
from tests.support.cast import Cast


def address_of(tenant_id: Any) -> str:
    return f"/clients/{Tenant.objects.get(pk=tenant_id).public_id}/"


def test_the_fleet_shows_the_partner_its_own_clients(cast: Cast, console: Client) -> None:
    page = console.get("/clients/").content.decode()
    assert "Hollis Home" in page
    assert "Arbor Outdoor" not in page
    assert "Meridian Retail Systems" in page


def test_a_figure_that_no_room_provides_is_a_dash(monkeypatch: pytest.MonkeyPatch, console: Client) -> None:
    monkeypatch.setattr(figures, "_providers", {})
    page = console.get("/clients/").content.decode()
    assert "No room of this portal has a figure for this yet." in page


def test_a_provider_is_asked_once_for_all_clients(
    cast: Cast, console: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[Any]] = []

    def cases(tenants: Any) -> Any:
        asked.append([tenant.id for tenant in tenants])
        return {tenant.id: (7, 7) for tenant in tenants}

    monkeypatch.setattr(figures, "_providers", {("open_cases", "overdue_cases"): cases})
    page = console.get("/clients/?show=problems").content.decode()
    assert asked == [[cast.tenant.id]]
    assert "7 exceptions are past due" in page


def test_the_fleet_costs_the_same_number_of_queries_for_one_client_and_for_forty(
    cast: Cast, console: Client, django_assert_num_queries: Any
) -> None:
    from kernel import clock, ids

    console.get("/clients/")  # what is remembered from then on is no matter
    with CaptureQueriesContext(connection) as asked:
        console.get("/clients/")
    few = len(asked)  # the next request begins to count anew
    for number in range(40):
        key = ids.uuid7()
        tenant = Tenant.objects.create(
            id=key, schema_name=f"t_{key.hex}", partner_id=cast.partner.id, slug=f"c{number}", name=f"C {number}", created_at=clock.now()
        )  # fmt: skip
        ProvisioningJob.objects.create(tenant=tenant, created_by="test", created_at=clock.now())
    console.get("/clients/")  # making forty took longer than some things are remembered
    with django_assert_num_queries(few):
        assert "C 39" in console.get("/clients/").content.decode()


def test_an_engineer_sees_the_fleet_and_may_not_add_to_it(
    cast: Cast, client_for: Callable[..., Client]
) -> None:
    browser = client_for(cast.partner_engineer, cast.partner_host)
    page = browser.get("/clients/")
    assert page.status_code == 200
    assert "New client" not in page.content.decode()
    for address in ("/clients/new/", "/branding/", "/people/", "/audit/"):
        assert browser.get(address).status_code == 403, address
    assert browser.post(f"{address_of(cast.tenant.id)}state/suspended", {"reason": "x"}).status_code == 403


BUSINESS = {"name": "Nova Küche", "timezone": "Europe/Berlin", "currency": "EUR", "language": "de"}
PEOPLE = {"people-count": "1", "people-0-email": "nina@nova.test", "people-0-role": "tenant_admin"}


def walk(console: Client) -> None:
    assert console.post("/clients/new/business/", BUSINESS)["Location"] == "/clients/new/address/"
    assert 'value="nova-kuche"' in console.get("/clients/new/address/").content.decode()
    assert console.post("/clients/new/address/", {"slug": "nova"})["Location"] == "/clients/new/people/"
    assert console.post("/clients/new/people/", PEOPLE)["Location"] == "/clients/new/blueprint/"
    assert console.post("/clients/new/blueprint/", {"blueprint": ""})["Location"] == "/clients/new/review/"


def test_a_new_client_takes_five_steps_and_one_call(
    cast: Cast, console: Client, jobs: kernel_jobs.recorded, committed: Any
) -> None:
    walk(console)
    review = console.get("/clients/new/review/").content.decode()
    assert "nova.meridian.localhost" in review
    assert "nina@nova.test" in review
    done = console.post("/clients/new/review/")
    job = ProvisioningJob.objects.get(tenant__slug="nova")
    assert done["Location"] == f"/clients/{job.tenant.public_id}/setup/"
    assert job.request["people"] == [{"email": "nina@nova.test", "role": "tenant_admin"}]
    assert "new_client" not in console.session


def test_steps_keep_what_was_typed_also_when_one_goes_back_with_a_mistake(
    cast: Cast, console: Client
) -> None:
    console.post("/clients/new/business/", BUSINESS)
    back = console.post("/clients/new/address/", {"slug": "No Good!", "to": "business"})
    assert back["Location"] == "/clients/new/business/"
    assert 'value="No Good!"' in console.get("/clients/new/address/").content.decode()
    assert (
        console.post("/clients/new/business/", {**BUSINESS, "to": "people"})["Location"]
        == "/clients/new/people/"
    )


def test_a_step_cannot_be_jumped_over(cast: Cast, console: Client) -> None:
    console.post("/clients/new/business/", BUSINESS)
    assert console.get("/clients/new/review/")["Location"] == "/clients/new/address/"
    assert console.post("/clients/new/review/")["Location"] == "/clients/new/address/"
    assert console.get("/clients/new/nonsense/").status_code == 404


def test_an_address_that_is_taken_is_refused_at_its_field(cast: Cast, console: Client) -> None:
    console.post("/clients/new/business/", BUSINESS)
    answer = console.post("/clients/new/address/", {"slug": "hollis"})
    assert answer.status_code == 422
    assert "hollis is taken." in answer.content.decode()


def test_an_address_taken_meanwhile_leads_back_to_its_step(cast: Cast, console: Client) -> None:
    walk(console)
    session = console.session
    session["new_client"]["address"]["slug"] = "hollis"
    session.save()
    assert console.post("/clients/new/review/")["Location"] == "/clients/new/address/"
    page = console.get("/clients/new/address/").content.decode()
    assert "hollis is taken." in page
    assert 'value="hollis"' in page


def test_the_progress_is_polled_until_it_is_done(cast: Cast, console: Client) -> None:
    job = ProvisioningJob.objects.get(tenant_id=cast.tenant.id)
    address = f"{address_of(cast.tenant.id)}setup/"
    assert "hx-trigger" not in console.get(address, headers=PART).content.decode()
    ProvisioningJob.objects.filter(pk=job.pk).update(state="running", steps=job.steps[:2])
    part = console.get(address, headers=PART).content.decode()
    assert 'hx-trigger="every' in part
    assert "<html" not in part
    assert "Open portal" not in part


def test_one_client_of_another_partner_is_no_client_here(cast: Cast, console: Client) -> None:
    address = address_of(cast.other_tenant.id)
    for path in (address, f"{address}setup/", f"{address}state/suspended"):
        assert console.get(path).status_code == 404, path
    assert (
        console.post(f"{address}state/suspended", {"reason": "x", "typed": "Arbor Outdoor"}).status_code
        == 404
    )


@pytest.mark.parametrize("tab", ["", "?tab=people", "?tab=domains", "?tab=log", "?tab=nonsense"])
def test_each_part_of_a_client_is_a_page(cast: Cast, console: Client, tab: str) -> None:
    assert console.get(f"{address_of(cast.tenant.id)}{tab}").status_code == 200


def test_suspending_asks_for_a_reason_and_the_name_and_is_audited(cast: Cast, console: Client) -> None:
    address = f"{address_of(cast.tenant.id)}state/suspended"
    assert console.post(address, {"reason": "Unpaid", "typed": "Hollis"}).status_code == 422
    assert console.post(address, {"typed": "Hollis Home"}).status_code == 422
    assert Tenant.objects.get(pk=cast.tenant.id).state == "trial"
    assert console.post(address, {"reason": "Unpaid", "typed": "Hollis Home"}).status_code == 302
    assert Tenant.objects.get(pk=cast.tenant.id).state == "suspended"
    event = AuditEvent.objects.get(action="tenancy.lifecycle")
    assert (event.reason, event.after) == ("Unpaid", {"state": "suspended"})
    assert console.post(address, {"reason": "Again", "typed": "Hollis Home"}).status_code == 404


def test_a_suspended_client_can_be_read_and_says_so(
    cast: Cast, console: Client, client_for: Callable[..., Client]
) -> None:
    console.post(f"{address_of(cast.tenant.id)}state/suspended", {"reason": "Unpaid", "typed": "Hollis Home"})
    owner = client_for(cast.owner, cast.host)
    page = owner.get("/people/")
    assert page.status_code == 200
    assert "This client is suspended" in page.content.decode()
    assert owner.post("/people/add", {"email": "x@cast.test", "role": "reviewer"}).status_code == 403
    assert owner.post("/profile/theme", {"theme": "dark"}).status_code == 302


BRAND = {
    "name": "Lumina",
    "colour": "#ffe600",
    "sidebar": "dark",
    "support_email": "help@lumina.test",
    "support_url": "",
}


def test_a_brand_is_on_every_page_at_once(cast: Cast, console: Client) -> None:
    assert console.post("/branding/", BRAND).status_code == 302
    for host in (cast.partner_host, cast.host):
        page = Client(HTTP_HOST=host).get("/sign-in").content.decode()
        assert "Sign in to Lumina" in page
        assert "help@lumina.test" in page
        assert 'data-side="dark"' in page
        sheet = page.split('<link rel="stylesheet" href="/brand/')[1].split('"')[0]
        answer = Client(HTTP_HOST=host).get(f"/brand/{sheet}")
        assert "--b-solid:#ffe600;" in answer.content.decode()
        assert answer["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "Lumina" not in Client(HTTP_HOST=cast.other_host).get("/sign-in").content.decode()


def test_a_sheet_of_an_older_brand_is_today_s_and_not_for_ever(cast: Cast) -> None:
    answer = Client(HTTP_HOST=cast.host).get("/brand/meridian.0000000000.css")
    assert (answer.status_code, answer["Cache-Control"]) == (200, "public, max-age=60")


def test_the_sheet_of_another_partner_is_nothing_here(cast: Cast) -> None:
    assert Client(HTTP_HOST=cast.host).get("/brand/lumen.0000000000.css").status_code == 404


@pytest.mark.parametrize("colour", ["red", "#12345", "#5b5bd6;}body{display:none", "url(x)", ""])
def test_only_a_colour_is_taken_for_one(cast: Cast, console: Client, colour: str) -> None:
    assert console.post("/branding/", {**BRAND, "colour": colour}).status_code == 422
    assert not Brand.objects.exists()


def test_a_colour_can_be_tried_without_being_kept(cast: Cast, console: Client) -> None:
    part = console.get("/branding/readability?colour=%23ffe600", headers=PART).content.decode()
    assert "15.1:1" in part
    assert console.get("/branding/readability?colour=%23ff").status_code == 204
    assert "/branding/preview-ffe600.css" in console.get("/branding/?colour=%23ffe600").content.decode()
    assert not Brand.objects.exists()


def picture(kind: str, size: tuple[int, int] = (900, 300)) -> io.BytesIO:
    out = io.BytesIO()
    Image.new("RGB", size, "#5b5bd6").save(out, kind)
    out.seek(0)
    out.name = f"logo.{kind.lower()}"
    return out


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "JPEG"])
def test_a_logo_is_drawn_anew_as_png(cast: Cast, console: Client, kind: str) -> None:
    assert console.post("/branding/logo", {"logo": picture(kind)}).status_code == 302
    page = Client(HTTP_HOST=cast.host).get("/sign-in").content.decode()
    address = page.split('<img class="logo" src="')[1].split('"')[0]
    answer = Client(HTTP_HOST=cast.host).get(address)
    assert answer["Content-Type"] == "image/png"
    with Image.open(io.BytesIO(answer.content)) as drawn:
        assert drawn.size == (480, 160)
    assert console.post("/branding/logo", {"remove": "1"}).status_code == 302
    assert Client(HTTP_HOST=cast.host).get(address).status_code == 404


@pytest.mark.parametrize(
    "content",
    [
        b"<svg",
        b"<html><body>hello</body></html>",
        b"GIF89a",
        b"",
        b"\x89PNG\r\n\x1a\nnonsense",
    ],
)
def test_what_is_no_picture_is_no_logo(cast: Cast, console: Client, content: bytes) -> None:
    sent = io.BytesIO(content)
    sent.name = "logo.png"
    assert console.post("/branding/logo", {"logo": sent}).status_code == 422
    assert not Brand.objects.filter(logo__isnull=False).exists()


def test_the_name_of_a_brand_is_text_wherever_it_stands(cast: Cast, console: Client) -> None:
    console.post("/branding/", {**BRAND, "name": "<script>alert(1)</script>"})
    page = Client(HTTP_HOST=cast.host).get("/sign-in").content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


def test_the_audit_of_the_console_is_filtered_by_its_url_and_opens_one_event(
    cast: Cast, console: Client
) -> None:
    console.post("/branding/", BRAND)
    event = AuditEvent.objects.get(action="branding.edit")
    page = console.get(f"/audit/?action=branding.edit&event={event.public_id}").content.decode()
    assert "#ffe600" in page
    assert "Paula Partner" in page
    assert console.get("/audit/?q=nothing+like+it").content.decode().count("<tr") == 0
    assert console.get("/audit/?event=aud_nonsense").status_code == 404
    assert console.get("/audit/?since=nonsense&until=2026-13-45&after=nonsense").status_code == 200


def test_the_audit_of_one_partner_is_not_the_other_s(
    cast: Cast, console: Client, client_for: Callable[..., Client]
) -> None:
    console.post("/branding/", BRAND)
    event = AuditEvent.objects.get(action="branding.edit")
    other = client_for(cast.other_partner_admin, cast.other_partner_host)
    assert "branding.edit" not in other.get("/audit/").content.decode()
    assert other.get(f"/audit/?event={event.public_id}").status_code == 404
