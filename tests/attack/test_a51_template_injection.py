"""A51: names that are written in a template language stand in mails as they were written, and nothing is worked out."""

from contextlib import suppress
from html import unescape

import pytest
from django.conf import settings
from django.utils.translation import gettext_lazy

from kernel import clock
from kernel.actor import system
from kernel.errors import Invalid
from portal.ui.mails import Letter, made
from tenants.branding.actions import set_brand
from tenants.branding.queries import _brands
from tenants.tenancy.models import Partner, Tenant
from tests.attack.hostile_text import SUM, templates
from tests.support.cast import Cast


def written(cast: Cast, text: str) -> tuple[str, str, str]:
    """(subject, text, HTML) of a mail in which everything that somebody names is called `text`."""
    partner, tenant, user = (
        Partner.objects.get(slug="meridian"),
        Tenant.objects.get(pk=cast.tenant.id),
        cast.owner,
    )
    tenant.name, user.name = text, text
    mail = made(
        Letter(
            name="sign_in_link",
            user=user,
            partner=partner,
            tenant=tenant,
            host=cast.host,
            path="/sign-in/link/x",
            subject=gettext_lazy("Your link to sign in to %(place)s"),
            more={"until": clock.now()},
        )
    )
    return mail.subject, str(mail.body), str(mail.alternatives[0][0])


@pytest.mark.timeout(180)
def test_names_are_words_and_no_templates(cast: Cast) -> None:
    corpus = [text for text in templates() if len(text) <= 60]
    assert len(corpus) >= 100
    for text in corpus:
        with suppress(Invalid):  # some are no names at all: the mail still has the two others
            set_brand(
                partner=Partner.objects.get(slug="meridian"),
                name=text, colour="#5b5bd6", sidebar="light", support_email="", support_url="",
                actor=system("test"), now=clock.now(),
            )  # fmt: skip
        _brands.clear()
        subject, plain, html = written(cast, text)
        assert text in subject
        assert plain.count(text) >= 2, plain
        assert unescape(html).count(text) >= 2, html
        assert text not in html or not set(text) & set("<>&"), (text, html)
        for shown in (subject, plain, html):
            assert SUM not in shown
            assert settings.SECRET_KEY not in shown
