"""Invitations: a mail in the partner's brand, a link that works once, for one person, in one place, and not for long."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from kernel import clock
from kernel import jobs as kernel_jobs
from kernel.actor import system
from tenants.access import actions, queries
from tenants.access.actions import inviting
from tenants.access.enums import Role
from tenants.access.models import Invitation, Membership, User
from tenants.audit.models import AuditEvent
from tenants.branding.models import Brand
from tenants.tenancy import context
from tenants.tenancy.models import Partner, Tenant
from tests.support.cast import NOW, Cast

GOOD = {"name": "Nina Nova", "password": "seven blue lamps by the sea", "timezone": "Europe/Berlin"}


@pytest.fixture
def added(cast: Cast, portal: Client, committed: Any, jobs: kernel_jobs.recorded) -> Invitation:
    """Nina was added by the owner, and the mail went out."""
    answer = portal.post(
        "/people/add", {"email": "nina@nova.test", "name": "Nina", "role": "reviewer"}, follow=True
    )
    assert "A mail with the way in is on its way." in answer.content.decode()
    jobs.run_all()
    return Invitation.objects.get(membership__user__email="nina@nova.test")


def link_in(letter: Any) -> str:
    found = re.search(r"http://\S+/invitation/\S+", letter.body)
    assert found is not None
    return found[0]


def is_spent(answer: Any) -> bool:
    """Whether a link led nowhere but to the sign-in."""
    return (answer.status_code, answer.get("Location")) == (302, "/sign-in")


def path_in(letter: Any) -> str:
    return "/" + link_in(letter).split("/", 3)[3]


def test_somebody_who_is_added_gets_one_mail_in_the_partner_s_brand(cast: Cast, added: Invitation) -> None:
    assert len(mail.outbox) == 1
    letter: Any = mail.outbox[0]
    assert letter.to == ["nina@nova.test"]
    assert letter.subject == "Your access to Hollis Home"
    assert letter.from_email.startswith('"Meridian Retail Systems"') or letter.from_email.startswith(
        "Meridian"
    )
    for words in (
        "Hello Nina,",
        "Orla Owner has given you access to Hollis Home.",
        "Your role: Exception reviewer.",
        "UTC",
        link_in(letter),
    ):
        assert words in letter.body, words
    html = letter.alternatives[0][0]
    assert "Your role: Exception reviewer." in html
    assert link_in(letter) in html
    assert "background: #5b5bd6" in html
    assert "<style" not in html
    assert cast.host in link_in(letter)
    added.refresh_from_db()
    assert (added.sent_at is not None, added.tries) == (True, 1)


def test_the_brand_s_name_colour_and_contact_are_the_partner_s_own(
    cast: Cast, committed: Any, jobs: kernel_jobs.recorded
) -> None:
    partner = Partner.objects.get(pk=cast.partner.id)
    Brand.objects.create(
        partner=partner, name="Lumina & Söhne", colour="#ffe600", support_email="help@lumina.test", updated_at=NOW
    )  # fmt: skip
    actions.add_member(
        partner=partner, tenant=None, email="x@lumina.test", name="<b>X</b>", role=Role.PARTNER_ENGINEER,
        actor=cast.actor(cast.partner_admin, cast.partner_host), now=clock.now(),
    )  # fmt: skip
    jobs.run_all()
    letter: Any = mail.outbox[0]
    html = letter.alternatives[0][0]
    assert letter.reply_to == ["help@lumina.test"]
    assert "Lumina &amp; Söhne" in html
    assert "#ffe600" in html
    assert "<b>X</b>" not in html
    assert "Hello <b>X</b>," in letter.body
    assert "Lumina & Söhne" in letter.body


def test_a_mail_speaks_the_language_of_the_place(
    cast: Cast, portal: Client, committed: Any, jobs: Any
) -> None:
    Tenant.objects.filter(pk=cast.tenant.id).update(language="de")
    portal.post("/people/add", {"email": "nina@nova.test", "name": "Nina", "role": "reviewer"})
    jobs.run_all()
    assert mail.outbox[0].subject == "Ihr Zugang zu Hollis Home"
    assert "Hallo Nina," in mail.outbox[0].body


def test_the_link_leads_in_once(cast: Cast, added: Invitation) -> None:
    browser = Client(HTTP_HOST=cast.host)
    path = path_in(mail.outbox[0])
    page = browser.get(path).content.decode()
    for words in (
        "Welcome to Hollis Home",
        "Orla Owner let you in",
        "Exception reviewer",
        "nina@nova.test",
        'value="Nina"',
    ):
        assert words in page, words
    refused = browser.post(path, {**GOOD, "password": "short"})
    assert refused.status_code == 422
    assert "short" not in refused.content.decode().replace("too short", "").replace("A short sentence", "")
    done = browser.post(path, GOOD)
    assert (done.status_code, done["Location"]) == (302, "/")
    assert browser.get("/inbox/").status_code == 200
    user = User.objects.get(email="nina@nova.test")
    assert (user.name, user.timezone, user.check_password(GOOD["password"])) == (
        "Nina Nova",
        "Europe/Berlin",
        True,
    )
    with context.enter(cast.tenant):
        event = AuditEvent.objects.get(action="access.accept")
        assert (event.actor_label, event.actor_id) == ("Nina Nova", user.id)
    for again in (Client(HTTP_HOST=cast.host).get(path), Client(HTTP_HOST=cast.host).post(path, GOOD)):
        assert is_spent(again)


@pytest.mark.parametrize("where", ["another client", "the console", "another partner", "the platform"])
def test_the_link_is_nothing_anywhere_else(cast: Cast, added: Invitation, where: str) -> None:
    hosts = {
        "another client": cast.other_host,
        "the console": cast.partner_host,
        "another partner": cast.other_partner_host,
        "the platform": cast.platform_host,
    }
    browser = Client(HTTP_HOST=hosts[where])
    path = path_in(mail.outbox[0])
    assert is_spent(browser.get(path))
    assert is_spent(browser.post(path, GOOD))
    said = browser.get(path, follow=True).content.decode()
    assert "This invitation has been used, replaced by a newer one, or is too old" in said
    assert not User.objects.get(email="nina@nova.test").has_usable_password()


def test_a_link_that_was_tampered_with_or_expired_or_whose_person_is_out_leads_nowhere(
    cast: Cast, added: Invitation
) -> None:
    browser = Client(HTTP_HOST=cast.host)
    path = path_in(mail.outbox[0])
    other = Invitation.objects.create(
        membership=Membership.objects.get(user=cast.staff), invited_by="x", created_at=NOW, send_at=NOW, expires_at=NOW + timedelta(days=9_999)
    )  # fmt: skip
    stolen = f"/invitation/{other.public_id}.{path.rpartition('.')[2]}"
    for wrong in (
        f"{path}x",
        path[:-1],
        "/invitation/nonsense",
        "/invitation/inv_x.y",
        stolen,
        f"/invitation/{added.public_id}.",
    ):
        assert is_spent(browser.get(wrong)), wrong
        assert is_spent(browser.post(wrong, GOOD)), wrong
    Invitation.objects.filter(pk=added.pk).update(expires_at=clock.now())
    assert is_spent(browser.get(path))
    Invitation.objects.filter(pk=added.pk).update(expires_at=clock.now() + timedelta(days=1))
    assert browser.get(path).status_code == 200
    User.objects.filter(email="nina@nova.test").update(is_active=False)
    assert is_spent(browser.post(path, GOOD))
    User.objects.filter(email="nina@nova.test").update(is_active=True)
    Membership.objects.filter(user__email="nina@nova.test").delete()
    assert is_spent(browser.get(path))


def test_a_new_link_ends_the_old_one(
    cast: Cast, portal: Client, added: Invitation, jobs: kernel_jobs.recorded
) -> None:
    member = added.membership
    page = portal.get("/people/").content.decode()
    assert "Send the link again" in page
    portal.post(f"/people/{member.public_id}/invite")
    jobs.run_all()
    first, second = (path_in(letter) for letter in mail.outbox)
    browser = Client(HTTP_HOST=cast.host)
    assert is_spent(browser.get(first))
    assert browser.post(second, GOOD).status_code == 302
    with context.enter(cast.tenant):
        assert AuditEvent.objects.filter(action="access.invite").count() == 2


def test_whoever_may_not_manage_people_invites_nobody(
    cast: Cast, added: Invitation, client_for: Callable[..., Client]
) -> None:
    path = f"/people/{added.membership.public_id}/invite"
    assert client_for(cast.manager, cast.host).post(path).status_code == 403
    assert client_for(cast.other_owner, cast.other_host).post(path).status_code == 404
    assert client_for(cast.owner, cast.host).get(path).status_code == 405
    assert Invitation.objects.filter(membership=added.membership).count() == 1


def test_somebody_with_a_login_is_told_where_to_sign_in(cast: Cast, committed: Any, jobs: Any) -> None:
    """A link that sets a password must not be a way into a login that exists."""
    stranger = User.objects.get(pk=cast.stranger.pk)
    tenant = Tenant.objects.select_related("partner").get(pk=cast.tenant.id)
    actions.add_member(
        partner=tenant.partner, tenant=tenant, email=stranger.email, name="", role=Role.ANALYST,
        actor=cast.actor(cast.owner), now=clock.now(),
    )  # fmt: skip
    jobs.run_all()
    letter = mail.outbox[0]
    assert "/sign-in" in letter.body
    assert "/invitation/" not in letter.body
    row = Invitation.objects.get(membership__user=stranger)
    path = f"/invitation/{queries.invitation_text(row)}"
    assert Client(HTTP_HOST=cast.host).get(path)["Location"] == "/sign-in"
    Client(HTTP_HOST=cast.host).post(path, GOOD)
    stranger.refresh_from_db()
    assert not stranger.check_password(GOOD["password"])


def test_a_mail_that_does_not_go_out_is_tried_again_and_goes_out_once(
    cast: Cast, portal: Client, committed: Any, jobs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from portal.ui import invitation_mails

    portal.post("/people/add", {"email": "nina@nova.test", "name": "Nina", "role": "reviewer"})
    real = invitation_mails.EmailMultiAlternatives.send

    def refuse(*_: Any, **__: Any) -> int:
        raise OSError("the mail server is away")

    monkeypatch.setattr(invitation_mails.EmailMultiAlternatives, "send", refuse)
    with pytest.raises(OSError, match="away"):
        jobs.run_all()
    row = Invitation.objects.get(membership__user__email="nina@nova.test")
    assert (row.sent_at, row.tries) == (None, 1)
    assert list(queries.unsent_invitations(clock.now())) == []
    later = clock.now() + timedelta(minutes=2)
    assert list(queries.unsent_invitations(later)) == [row]
    monkeypatch.setattr(invitation_mails.EmailMultiAlternatives, "send", real)
    with clock.hold(later):
        for _turn in range(3):
            kernel_jobs.run_now("access.invite", invitation=str(row.pk))
    assert len(mail.outbox) == 1
    assert inviting.claim(invitation_id=row.pk, now=later + timedelta(hours=1)) is None


def test_the_people_page_says_where_each_stands(cast: Cast, portal: Client, added: Invitation) -> None:
    page = portal.get("/people/?q=nina").content.decode()
    assert "Invited" in page
    Invitation.objects.filter(pk=added.pk).update(expires_at=clock.now())
    assert "Invitation expired" in portal.get("/people/?q=nina").content.decode()
    Client(HTTP_HOST=cast.host)
    assert "Send the link again" not in portal.get("/people/?q=orla").content.decode()


def test_the_first_people_of_a_new_client_are_invited_in_the_partner_s_name(
    cast: Cast, committed: Any, jobs: kernel_jobs.recorded
) -> None:
    tenant = Tenant.objects.select_related("partner").get(pk=cast.tenant.id)
    actions.add_member(
        partner=tenant.partner, tenant=tenant, email="nina@nova.test", name="", role=Role.TENANT_ADMIN,
        actor=system("provisioning"), now=clock.now(),
    )  # fmt: skip
    jobs.run_all()
    letter = mail.outbox[0]
    assert (
        "Meridian Retail Systems has given you access to Hollis Home. Your role: Client admin." in letter.body
    )
    assert (
        "Meridian Retail Systems let you in"
        in Client(HTTP_HOST=cast.host).get(path_in(letter)).content.decode()
    )
