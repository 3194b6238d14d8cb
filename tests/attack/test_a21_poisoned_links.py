"""A21: a link in a mail leads to the stored host of the place, whatever the request said its host was."""

import re
from typing import Any, Final

import pytest
from django.core import mail
from django.test import Client

from portal.ui import link_mails
from tenants.accounts.models import MailLink
from tests.support.cast import Cast

FORMS: Final[list[dict[str, str]]] = [
    {"HTTP_X_FORWARDED_HOST": "evil.test"},
    {"HTTP_X_HOST": "evil.test"},
    {"HTTP_X_FORWARDED_SERVER": "evil.test"},
    {"HTTP_FORWARDED": "host=evil.test"},
    {"HTTP_X_ORIGINAL_HOST": "evil.test"},
    {"HTTP_X_HTTP_HOST_OVERRIDE": "evil.test"},
    {"HTTP_X_ORIGINAL_URL": "http://evil.test/"},
    {"HTTP_X_REWRITE_URL": "http://evil.test/"},
    {"HTTP_ORIGIN": "http://evil.test"},
    {"HTTP_REFERER": "http://evil.test/"},
    {"HTTP_X_FORWARDED_PROTO": "evil"},
    {"HTTP_X_FORWARDED_PORT": "666"},
    {"SERVER_NAME": "evil.test"},
    {"SERVER_PORT": "666"},
]
HOSTS: Final = [
    "evil.test",
    "{host}.evil.test",
    "evil.test:80@{host}",
    "{host}@evil.test",
    "{host}, evil.test",
    "{host}/evil.test",
    "{host}:evil.test",
    "{host}:80:evil.test",
    "{host}?evil.test",
    "{host}#evil.test",
    "[{host}]",
    "",
    "evil.test\\{host}",
]


def links() -> list[str]:
    """What stands in the mails that go out now."""
    for row in MailLink.objects.filter(sent_at__isnull=True):
        link_mails.send(link=str(row.id))
    return re.findall(r"https?://[^\s\"'<>]+", "".join(str(one.message()) for one in mail.outbox))


@pytest.mark.parametrize("form", FORMS, ids=lambda form: next(iter(form)))
def test_a_header_does_not_lead_a_link_astray(cast: Cast, now: Any, form: dict[str, str]) -> None:
    Client(HTTP_HOST=cast.host, **form).post("/sign-in/link", {"email": "owner@cast.test"})
    found = links()
    assert found
    assert all(re.match(rf"http://{re.escape(cast.host)}(:\d+)?/", one) for one in found), found


@pytest.mark.parametrize("form", HOSTS)
def test_a_host_that_is_not_ours_sends_no_mail_that_names_it(cast: Cast, now: Any, form: str) -> None:
    browser = Client(HTTP_HOST=form.format(host=cast.host), raise_request_exception=False)
    browser.post("/sign-in/link", {"email": "owner@cast.test"})
    assert not [one for one in links() if "evil" in one]
