"""A client of a partner sees that partner's brand on every surface, and nobody else's: not ours, not another partner's."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.core import mail as outbox
from django.test import Client

from automations.inbox.models import Case
from automations.notices import queries as notices
from kernel.actor import system
from portal.ui import invitation_mails, notice_mails, profile
from tenants.access.actions import inviting
from tenants.access.models import Membership
from tenants.branding import actions as branding
from tenants.branding import queries as brands
from tenants.tenancy import context
from tenants.tenancy.models import Partner, Tenant
from tenants.tenancy.queries import forget_hosts
from tests.support import names
from tests.support.cast import NOW, Cast

BY = system("test")
BRAND = "Quillfeather"
HOST = "desk.quillfeather-example.com"
OURS = ("partner-portal", "partner portal", "automation portal", "granian", "powered by")
"""What would tell a client who made this; `django` alone is the name of a form's field, which nobody shows."""
PAGES = (
    "/overview/", "/inbox/", "/runs/", "/workflows/", "/templates/", "/templates/library/", "/orders/", "/events/",
    "/quarantine/", "/endpoints/", "/connections/", "/people/", "/tokens/", "/usage/", "/audit/", "/settings/",
    "/profile", "/notifications/", "/notifications/rules", "/notifications/channels/", "/help/", "/search/?q=a",
    "/figures/", "/api/v1/docs",
)  # fmt: skip


class Surface:
    """Something that a client gets to see: its name, everything that is in it, and whether a name belongs there."""

    def __init__(self, name: str, content: Any, *, named: bool = True) -> None:
        self.name, self.named = name, named
        self.text = content if isinstance(content, str) else _whole(content)


def _whole(answer: Any) -> str:
    """Status line, headers, cookies and body."""
    head = "".join(f"{name}: {value}\n" for name, value in answer.headers.items())
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return f"{head}{answer.cookies.output()}\n{body.decode('latin-1')}"


@pytest.fixture
def branded(bench: Any, cast: Cast) -> Iterator[Cast]:
    """Meridian as Quillfeather, with a name of its own for Hollis; Lumen beside it with a brand, too."""
    with context.leave():
        partner, tenant = Partner.objects.get(slug="meridian"), Tenant.objects.get(slug="hollis")
        Partner.objects.filter(pk=partner.pk).update(name="Quillfeather Ltd")
        for row, name in ((partner, BRAND), (Partner.objects.get(slug="lumen"), "Lumenworks")):
            branding.set_brand(
                partner=row,
                name=name,
                colour="#0b6e4f",
                sidebar="dark",
                support_email=f"help@{name.lower()}.example.com",
                support_url="",
                sender_name=f"{name} Desk",
                privacy_url=f"https://{name.lower()}.example.com/privacy",
                actor=BY,
                now=NOW,
            )
        claim = branding.claim_domain(partner=partner, tenant=tenant, host=HOST, actor=BY, now=NOW)
        names.say(brands.proof_name(HOST), brands.proof_value(claim))
        branding.verify_domain(claim=claim, actor=BY, now=NOW)
        branding.make_primary(partner=partner, tenant=tenant, host=HOST, actor=BY, now=NOW)
    forget_hosts()
    yield cast
    forget_hosts()


def surfaces(cast: Cast, client_for: Callable[..., Client], monkeypatch: Any) -> Iterator[Surface]:
    reader, stranger = client_for(cast.owner, HOST), Client(HTTP_HOST=HOST)
    for address in PAGES:
        answer = reader.get(address)
        assert answer.status_code == 200, address
        yield Surface(address, answer)
    yield Surface("sign-in", stranger.get("/sign-in"))
    yield Surface("sign-in refused", stranger.post("/sign-in", {"email": "x@y.test", "password": "z"}))
    yield Surface("a link that is spent", stranger.get("/invitation/inv_nobody.signed", follow=True))
    yield from _errors(cast, client_for, reader, monkeypatch)
    yield Surface("openapi", reader.get("/api/v1/openapi.json"))
    yield Surface("csv", reader.get("/people/"), named=False)
    page = reader.get("/sign-in").content.decode()
    for address in re.findall(r'"(/brand/[^"]+)"', page):
        yield Surface(address, stranger.get(address), named=False)
    yield from _mails(cast)


def _errors(cast: Cast, client_for: Callable[..., Client], reader: Client, patch: Any) -> Iterator[Surface]:
    yield Surface("403", client_for(cast.staff, HOST).get("/settings/"))
    yield Surface("404", reader.get("/nothing/like/it"))
    yield Surface("404 of a stranger", Client(HTTP_HOST=HOST).get("/nothing", follow=True))
    yield Surface(
        "404 fragment", reader.get("/runs/run_x/", headers={"HX-Request-Type": "partial"}), named=False
    )
    yield Surface("404 of the API", reader.get("/api/v1/runs/run_x"), named=False)
    yield Surface("401 of the API", Client(HTTP_HOST=HOST).get("/api/v1/runs"), named=False)
    yield Surface("404 of a hook", Client(HTTP_HOST=HOST).post("/hooks/x"), named=False)
    strict = Client(HTTP_HOST=HOST, enforce_csrf_checks=True)
    yield Surface("csrf", strict.post("/sign-in", {"email": "a@b.test", "password": "x"}))
    guesser = Client(HTTP_HOST=HOST)
    answers = [guesser.post("/sign-in", {"email": "g@b.test", "password": "x"}) for _ in range(12)]
    assert answers[-1].status_code == 429
    yield Surface("429", answers[-1])
    with patch.context() as broken:
        broken.setattr(profile, "page", _break)
        reader.raise_request_exception = False
        answer = reader.get("/profile")
        assert answer.status_code == 500
        yield Surface("500", answer)
    with context.leave():
        tenant = Tenant.objects.get(slug="hollis")
        Tenant.objects.filter(pk=tenant.pk).update(ready_at=None)
    forget_hosts()
    answer = Client(HTTP_HOST=HOST).get("/sign-in")
    assert answer.status_code == 503
    yield Surface("503, being set up", answer)
    with context.leave():
        Tenant.objects.filter(pk=tenant.pk).update(ready_at=tenant.ready_at)
    forget_hosts()


def _break(*_: Any, **__: Any) -> Any:
    raise RuntimeError("broken on purpose")


def _mails(cast: Cast) -> Iterator[Surface]:
    member = Membership.objects.get(user=cast.analyst)
    row = inviting.invite(membership=member, actor=BY, now=NOW)
    found = list(notices.notices_of(cast.reviewer.id))
    for name, made in (
        ("invitation", invitation_mails.mail(row, HOST)),
        ("notices", notice_mails.mail(cast.reviewer, found, HOST, daily=False)),
    ):
        assert isinstance(made, outbox.EmailMultiAlternatives)
        html = str(made.alternatives[0][0])
        headers = "\n".join(f"{key}: {value}" for key, value in made.message().items())
        sender = headers.replace(settings.DEFAULT_FROM_EMAIL, "sender").replace(settings.BASE_DOMAIN, "")
        yield Surface(f"{name}, headers", re.sub(r"Message-ID: .*", "", sender))
        yield Surface(f"{name}, text", str(made.body))
        yield Surface(f"{name}, html", html)


def test_no_surface_of_a_client_names_anybody_but_its_partner(
    branded: Cast, bench: Any, client_for: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.fail()
    assert Case.objects.exists()
    found = list(surfaces(branded, client_for, monkeypatch))
    assert len(found) >= 25
    hits = [
        (surface.name, word)
        for surface in found
        for word in (*OURS, "lumenworks", "lumen commerce", f".{settings.BASE_DOMAIN}")
        if word in surface.text.lower().replace("@cast.test", "")
    ]
    assert hits == []
    assert [one.name for one in found if one.named and BRAND not in one.text] == []


def test_titles_carry_the_brand(branded: Cast, client_for: Callable[..., Client]) -> None:
    reader = client_for(branded.owner, HOST)
    for address in PAGES:
        title = re.search(r"<title>(.*?)</title>", reader.get(address).content.decode(), re.DOTALL)
        assert title is not None
        assert title.group(1).strip().endswith(BRAND), address


def test_cookies_and_headers_say_nothing_about_who_made_it(branded: Cast) -> None:
    answer = Client(HTTP_HOST=HOST).get("/sign-in")
    assert set(answer.cookies) <= {"session", "csrf", "__Host-session", "__Host-csrf"}
    assert "Server" not in answer
    assert "X-Powered-By" not in answer


def test_a_document_carries_the_brand_and_nobody_elses(
    branded: Cast, client_for: Callable[..., Client]
) -> None:
    from billing import actions as billing
    from billing.models import Plan

    with context.leave():
        tenant = Tenant.objects.get(slug="hollis")
        plan = Plan.objects.order_by("price_minor")[0]
        billing.subscribe(tenant=tenant, plan=plan, since=NOW.date(), actor=BY, now=NOW)
    answer = client_for(branded.owner, HOST).get("/usage/statement.pdf")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
    assert answer.content.startswith(b"%PDF-")
    for word in (b"fpdf", b"lumen", b"Meridian", b"python", b"http://www"):
        assert word.lower() not in answer.content.lower(), word
    assert BRAND.encode("utf-16-be") in answer.content or BRAND.encode() in answer.content
