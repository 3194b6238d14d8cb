"""Second factors, passkeys, links by mail, the list of sessions: as somebody with a browser meets them."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.core import mail
from django.test import Client

from kernel import clock
from portal.ui import link_mails
from tenants.accounts.actions import factors, policies
from tenants.accounts.models import Factor, MailLink, RecoveryCode, Visit
from tenants.audit.models import AuditEvent
from tenants.tenancy.models import Partner, Tenant
from tests.support.cast import NOW, PASSWORD, Cast
from tests.support.device import Device


def signed_in(cast: Cast) -> Client:
    browser = Client(HTTP_HOST=cast.host)
    answer = browser.post("/sign-in", {"email": "owner@cast.test", "password": PASSWORD})
    assert answer.status_code == 302
    return browser


def code(secret: str, ahead: int = 0) -> str:
    return factors.code_at(secret, int(clock.now().timestamp()) // factors.STEP_SECONDS + ahead)


def with_app(cast: Cast) -> tuple[Client, str, list[str]]:
    """The owner, who has set an authenticator app up: browser, its secret, recovery codes."""
    browser = signed_in(cast)
    assert browser.get("/profile/protection/app").status_code == 200
    secret = browser.session["app_setting_up"]
    answer = browser.post("/profile/protection/app", {"code": code(secret)})
    assert answer.status_code == 200
    codes = re.findall(r"(?<![\w-])[a-z2-9]{4}-[a-z2-9]{4}-[a-z2-9]{4}(?![\w-])", answer.content.decode())
    assert len(codes) == 10
    return browser, secret, codes


def password_step(cast: Cast) -> Client:
    browser = Client(HTTP_HOST=cast.host)
    answer = browser.post("/sign-in", {"email": "owner@cast.test", "password": PASSWORD, "next": "/people/"})
    assert (answer.status_code, answer["Location"]) == (302, "/sign-in/factor")
    assert browser.get("/people/").status_code == 302, "half a sign-in opens nothing"
    return browser


def test_with_an_app_a_password_is_half_the_way(cast: Cast, now: Any) -> None:
    _, secret, _ = with_app(cast)
    browser = password_step(cast)
    assert browser.post("/sign-in/factor", {"code": "000000"}).status_code == 422
    before = browser.session.session_key
    answer = browser.post("/sign-in/factor", {"code": code(secret, 1)})
    assert (answer.status_code, answer["Location"]) == (302, "/people/")
    assert browser.session.session_key != before
    assert browser.get("/people/").status_code == 200
    assert Visit.objects.get(session_key=browser.session.session_key).strong


def test_a_code_works_once_and_five_wrong_ones_are_all(cast: Cast, now: Any) -> None:
    _, secret, _ = with_app(cast)
    browser = password_step(cast)
    assert browser.post("/sign-in/factor", {"code": code(secret)}).status_code == 422, "it set the app up"
    for _ in range(4):
        assert browser.post("/sign-in/factor", {"code": "111111"}).status_code == 422
    assert browser.post("/sign-in/factor", {"code": code(secret, 1)}).status_code == 429
    again = password_step(cast)
    assert again.post("/sign-in/factor", {"code": code(secret, 1)}).status_code == 429


def test_a_recovery_code_stands_in_once(cast: Cast, now: Any) -> None:
    _, _, codes = with_app(cast)
    assert not RecoveryCode.objects.filter(digest__in=codes).exists()
    assert password_step(cast).post("/sign-in/factor", {"code": codes[0].upper()}).status_code == 302
    assert password_step(cast).post("/sign-in/factor", {"code": codes[0]}).status_code == 422
    assert RecoveryCode.objects.filter(used_at__isnull=False).count() == 1


def test_the_secret_of_an_app_is_sealed_and_shown_to_nobody_again(cast: Cast, now: Any) -> None:
    browser, secret, _ = with_app(cast)
    row = Factor.objects.get()
    assert secret.encode() not in bytes(row.secret)
    assert secret not in browser.get("/profile/protection/").content.decode()
    assert not AuditEvent.objects.filter(after__icontains=secret).exists()


def test_changing_how_one_signs_in_asks_for_a_fresh_proof(cast: Cast, now: Any) -> None:
    browser, _, _ = with_app(cast)
    factor = Factor.objects.get().public_id
    with clock.hold(NOW + timedelta(minutes=11)):
        answer = browser.post(f"/profile/protection/{factor}/remove")
        assert answer["Location"].startswith("/profile/confirm?next=")
        assert browser.post("/profile/confirm", {"secret": "not it"}).status_code == 422
        answer = browser.post("/profile/confirm", {"secret": PASSWORD, "next": "/profile/protection/"})
        assert (answer.status_code, answer["Location"]) == (302, "/profile/protection/")
        assert browser.post(f"/profile/protection/{factor}/remove").status_code == 302
    assert not Factor.objects.exists()
    assert not RecoveryCode.objects.exists()


def test_nobody_removes_a_factor_of_somebody_else(
    cast: Cast, now: Any, client_for: Callable[..., Client]
) -> None:
    with_app(cast)
    factor = Factor.objects.get().public_id
    other = client_for(cast.analyst, cast.host)
    session = other.session
    session["proved"] = NOW.timestamp()
    session.save()
    assert other.post(f"/profile/protection/{factor}/remove").status_code == 404
    assert Factor.objects.exists()


def with_passkey(cast: Cast) -> tuple[Client, Device]:
    browser, device = signed_in(cast), Device(f"http://{cast.host}")
    asked = browser.post("/profile/protection/passkey/ask").json()["publicKey"]
    assert asked["rp"]["id"] == cast.partner_host, "one passkey does for the partner's hosts"
    answer = browser.post(
        "/profile/protection/passkey", {"name": "Laptop", "answer": json.dumps(device.make(asked))}
    )
    assert answer.status_code == 200
    assert "Recovery codes" in answer.content.decode()
    return browser, device


def test_a_passkey_signs_in_without_a_password(cast: Cast, now: Any) -> None:
    _, device = with_passkey(cast)
    browser = Client(HTTP_HOST=cast.host)
    asked = browser.post("/sign-in/passkey/ask").json()["publicKey"]
    shown = json.dumps(device.show(asked))
    answer = browser.post("/sign-in/passkey", {"answer": shown, "next": "/people/"})
    assert (answer.status_code, answer["Location"]) == (302, "/people/")
    assert browser.get("/people/").status_code == 200
    thief = Client(HTTP_HOST=cast.host)
    thief.post("/sign-in/passkey/ask")
    assert thief.post("/sign-in/passkey", {"answer": shown})["Location"] == "/sign-in", (
        "an answer fits one question"
    )


@pytest.mark.parametrize("wrong", ["origin", "unverified", "counter", "key"])
def test_a_passkey_that_does_not_fit_is_refused(cast: Cast, now: Any, wrong: str) -> None:
    _, device = with_passkey(cast)
    if wrong == "origin":
        device.origin = "http://evil.test"
    if wrong == "unverified":
        device.verified = False
    if wrong == "counter":
        Factor.objects.update(sign_count=9)
    if wrong == "key":
        name, (rp, _) = next(iter(device.keys.items()))
        device.keys[name] = (rp, ec.generate_private_key(ec.SECP256R1()))
    browser = Client(HTTP_HOST=cast.host)
    asked = browser.post("/sign-in/passkey/ask").json()["publicKey"]
    answer = browser.post("/sign-in/passkey", {"answer": json.dumps(device.show(asked))})
    assert answer["Location"] == "/sign-in"
    assert "_auth_user_id" not in browser.session


def test_a_passkey_is_a_second_factor_too(cast: Cast, now: Any) -> None:
    _, device = with_passkey(cast)
    browser = password_step(cast)
    asked = browser.post("/sign-in/passkey/ask").json()["publicKey"]
    assert [one["id"] for one in asked["allowCredentials"]] == list(device.keys)
    answer = browser.post("/sign-in/factor", {"answer": json.dumps(device.show(asked))})
    assert answer["Location"] == "/people/"


def require_factor(cast: Cast) -> None:
    policies.set_policy(
        partner=Partner.objects.get(pk=cast.partner.id),
        tenant=Tenant.objects.get(pk=cast.tenant.id),
        values={"second_factor": True},
        by_sign_on=False,
        actor=cast.actor(cast.owner),
        now=NOW,
    )


def test_where_a_second_factor_is_needed_one_sets_one_up_first(cast: Cast, now: Any) -> None:
    browser = signed_in(cast)
    assert browser.get("/people/").status_code == 200
    require_factor(cast)
    answer = browser.get("/people/")
    assert (answer.status_code, answer["Location"]) == (302, "/profile/protection/")
    assert browser.get("/api/v1/me").json()["code"] == "second_factor_needed"
    assert "A second factor is needed here" in browser.get("/profile/protection/").content.decode()
    browser.get("/profile/protection/app")
    browser.post("/profile/protection/app", {"code": code(browser.session["app_setting_up"])})
    assert browser.get("/people/").status_code == 200


def sent() -> None:
    """Do what the worker does with links that wait."""
    for row in MailLink.objects.filter(sent_at__isnull=True):
        link_mails.send(link=str(row.id))


def test_a_link_by_mail_signs_in_once(cast: Cast, now: Any) -> None:
    browser = Client(HTTP_HOST=cast.host)
    assert browser.post("/sign-in/link", {"email": "OWNER@cast.test"}).status_code == 200
    sent()
    assert len(mail.outbox) == 1
    path = re.search(rf"http://{cast.host}(?::\d+)?(/sign-in/link/\S+)", mail.outbox[0].body)[1]
    assert browser.get(path).status_code == 200
    assert browser.get(path).status_code == 200, "a mail program that looks at it uses nothing up"
    elsewhere = Client(HTTP_HOST=cast.partner_host)
    assert elsewhere.post(path)["Location"] == "/sign-in"
    assert browser.post(path)["Location"] == "/"
    assert browser.get("/people/").status_code == 200
    assert Client(HTTP_HOST=cast.host).post(path)["Location"] == "/sign-in"


def test_a_link_for_nobody_says_the_same_and_sends_nothing(cast: Cast, now: Any) -> None:
    pages = [
        Client(HTTP_HOST=cast.host).post("/sign-in/link", {"email": email}).content.decode()
        for email in ("owner@cast.test", "nobody@cast.test")
    ]
    assert (
        pages[0].replace("owner@", "nobody@").split("<main")[1].split("<footer")[0]
        == (pages[1].split("<main")[1].split("<footer")[0])
    )
    sent()
    assert len(mail.outbox) == 1


def test_a_link_is_worth_nothing_after_ten_minutes(cast: Cast, now: Any) -> None:
    browser = Client(HTTP_HOST=cast.host)
    browser.post("/sign-in/link", {"email": "owner@cast.test"})
    sent()
    path = re.search(r"(/sign-in/link/\S+)", mail.outbox[0].body)[1]
    with clock.hold(NOW + timedelta(minutes=11)):
        assert browser.post(path)["Location"] == "/sign-in"
    tampered = path[:-1] + ("A" if path[-1] != "A" else "B")
    assert browser.post(tampered)["Location"] == "/sign-in"


def test_a_session_that_is_ended_elsewhere_is_gone_at_its_next_request(cast: Cast) -> None:
    one, other, third = signed_in(cast), signed_in(cast), signed_in(cast)
    page = one.get("/profile/sessions/").content.decode()
    assert page.count('class="nm" title=') == 3
    assert "This one" in page
    victim = Visit.objects.get(session_key=other.session.session_key)
    assert one.post(f"/profile/sessions/{victim.public_id}/end").status_code == 302
    assert other.get("/people/").status_code == 302
    assert third.get("/people/").status_code == 200
    one.post("/profile/sessions/others")
    assert third.get("/people/").status_code == 302
    assert one.get("/people/").status_code == 200


def test_nobody_ends_a_session_of_somebody_else(cast: Cast, client_for: Callable[..., Client]) -> None:
    owner = signed_in(cast)
    visit = Visit.objects.get(session_key=owner.session.session_key)
    other = client_for(cast.analyst, cast.host)
    assert other.post(f"/profile/sessions/{visit.public_id}/end").status_code == 404
    assert owner.get("/people/").status_code == 200


def test_a_new_password_ends_all_other_sessions(cast: Cast) -> None:
    one, other = signed_in(cast), signed_in(cast)
    answer = one.post("/profile/password", {"old": PASSWORD, "new": "quite another pass phrase"})
    assert answer.status_code == 302
    assert other.get("/people/").status_code == 302
    assert one.get("/people/").status_code == 200
    assert one.get("/profile/sessions/").content.decode().count('class="nm" title=') == 1
