"""A brand is drafted, published and taken back; nothing of it can act."""

import io
from typing import Any

import pytest
from django.test import Client

from kernel.actor import system
from kernel.errors import Invalid, NotFound
from tenants.branding import actions, queries
from tenants.branding.models import Brand, BrandVersion
from tenants.tenancy.models import Partner
from tests.support.cast import NOW, Cast

BY = system("test")
TEXTS = {"name": "Lumina", "colour": "#ffe600", "sidebar": "dark", "support_email": "", "support_url": ""}


@pytest.fixture
def partner(cast: Cast) -> Partner:
    queries.forget_brands()
    return Partner.objects.get(slug="meridian")


def _draft(partner: Partner, **values: Any) -> None:
    actions.save_draft(partner=partner, values={**TEXTS, **values}, actor=BY, now=NOW)


def test_a_draft_is_seen_by_nobody_until_it_is_published(partner: Partner, cast: Cast) -> None:
    _draft(partner)
    assert "Lumina" not in Client(HTTP_HOST=cast.host).get("/sign-in").content.decode()
    actions.publish_draft(partner=partner, actor=BY, now=NOW)
    assert "Lumina" in Client(HTTP_HOST=cast.host).get("/sign-in").content.decode()
    assert queries.draft_of(partner.id) is None
    with pytest.raises(NotFound):
        actions.publish_draft(partner=partner, actor=BY, now=NOW)


def test_going_back_publishes_an_earlier_version_with_its_pictures(partner: Partner) -> None:
    picture = b"<svg xmlns='http://www.w3.org/2000/svg'><rect width='9' height='9'/></svg>"
    actions.set_brand(partner=partner, actor=BY, now=NOW, **TEXTS)
    actions.set_logo(partner=partner, picture=picture, actor=BY, now=NOW)
    actions.set_brand(partner=partner, actor=BY, now=NOW, **{**TEXTS, "name": "Other"})
    actions.set_logo(partner=partner, picture=None, actor=BY, now=NOW)
    numbers = [row.number for row in queries.versions_of(partner.id)]
    assert numbers == [4, 3, 2, 1]
    actions.roll_back(partner=partner, number=2, actor=BY, now=NOW)
    brand = Brand.objects.get(partner=partner)
    assert (brand.name, bool(brand.logo), brand.logo_type) == ("Lumina", True, "image/svg+xml")
    assert queries.versions_of(partner.id)[0].number == 5
    with pytest.raises(NotFound):
        actions.roll_back(partner=partner, number=99, actor=BY, now=NOW)


def test_a_partner_goes_back_to_its_own_versions_alone(partner: Partner) -> None:
    other = Partner.objects.get(slug="lumen")
    actions.set_brand(partner=other, actor=BY, now=NOW, **{**TEXTS, "name": "Theirs"})
    with pytest.raises(NotFound):
        actions.roll_back(partner=partner, number=1, actor=BY, now=NOW)
    assert not Brand.objects.filter(partner=partner, name="Theirs").exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sender_name", "Lumina\r\nBcc: everybody@example.com"),
        ("name", "Lumina\nX: y"),
        ("privacy_url", "javascript:alert(1)"),
        ("imprint_url", "http://plain.example.com"),
        ("terms_url", "https://"),
        ("support_email", "x@y\nBcc: z@example.com"),
        ("words", {"en": {"tenant": "<b>store</b>"}}),
        ("words", {"en": {"unknown": "store"}}),
    ],
)
def test_what_could_act_is_refused_by_its_field(partner: Partner, field: str, value: Any) -> None:
    with pytest.raises(Invalid) as refused:
        _draft(partner, **{field: value})
    assert any(name.startswith(field.rstrip("s")) for name in refused.value.fields)
    assert not BrandVersion.objects.exists()


def test_own_words_stand_in_place_of_ours(partner: Partner, cast: Cast, client_for: Any) -> None:
    words = {"en": {"exceptions": "Alerts", "tenants": "Shops"}, "de": {"exceptions": "Meldungen"}}
    actions.set_brand(partner=partner, actor=BY, now=NOW, words=words, **TEXTS)
    inbox = client_for(cast.owner, cast.host).get("/inbox/").content.decode()
    assert '<h1 id="inbox-title">Alerts' in inbox
    assert "<span>Alerts</span>" in inbox
    fleet = client_for(cast.partner_admin, cast.partner_host).get("/clients/").content.decode()
    assert "<h1>Shops" in fleet
    german = client_for(cast.owner, cast.host).get("/inbox/", headers={"Accept-Language": "de"})
    assert "Meldungen" in german.content.decode()


def test_a_drawing_is_kept_without_what_could_act(partner: Partner, cast: Cast) -> None:
    hostile = (
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'><script>alert(2)</script>"
        b"<image href='https://evil.example.com/x.png'/><rect width='9' height='9' onclick='alert(3)'/></svg>"
    )
    actions.set_favicon(partner=partner, picture=hostile, actor=BY, now=NOW)
    browser = Client(HTTP_HOST=cast.host)
    page = browser.get("/sign-in").content.decode()
    address = page.split('<link rel="icon" href="')[1].split('"')[0]
    answer = browser.get(address)
    assert answer["Content-Type"] == "image/svg+xml"
    assert "sandbox" in answer["Content-Security-Policy"]
    for word in (b"alert", b"script", b"onload", b"evil"):
        assert word not in answer.content
    assert b"<rect" in answer.content


def test_a_picture_joins_the_draft_where_there_is_one(partner: Partner) -> None:
    _draft(partner)
    actions.set_logo(partner=partner, picture=b"<svg xmlns='http://www.w3.org/2000/svg'/>", actor=BY, now=NOW)
    assert not queries.brand_of(queries_ref(partner)).has_logo
    actions.publish_draft(partner=partner, actor=BY, now=NOW)
    assert queries.brand_of(queries_ref(partner)).has_logo


def queries_ref(partner: Partner) -> Any:
    from tenants.tenancy.queries import partner_ref

    return partner_ref(partner)


def test_a_bomb_of_pixels_is_refused(partner: Partner) -> None:
    from PIL import Image

    out = io.BytesIO()
    Image.new("1", (9_000, 9_000)).save(out, "PNG")
    with pytest.raises(Invalid):
        actions.set_logo(partner=partner, picture=out.getvalue(), actor=BY, now=NOW)
