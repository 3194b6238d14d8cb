"""A18: a session gets a new key when somebody signs in; what was planted before is worth nothing after."""

from django.contrib.sessions.models import Session
from django.test import Client

from kernel import ids
from tenants.access.models import User
from tests.support.cast import PASSWORD, Cast

OWNER = {"email": "owner@cast.test", "password": PASSWORD}


def planted(cast: Cast) -> tuple[Client, str]:
    """A browser with a session that somebody else chose, and its key."""
    browser = Client(HTTP_HOST=cast.host)
    session = browser.session
    session["planted"] = "yes"
    session.save()
    return browser, str(session.session_key)


def thief(cast: Cast, key: str) -> Client:
    browser = Client(HTTP_HOST=cast.host)
    browser.cookies["session"] = key
    return browser


def test_a_key_from_before_the_sign_in_is_worth_nothing_after(cast: Cast) -> None:
    browser, key = planted(cast)
    assert browser.post("/sign-in", OWNER).status_code == 302
    assert browser.session.session_key != key
    assert not Session.objects.filter(session_key=key).exists()
    assert thief(cast, key).get("/people/").status_code == 302
    assert browser.get("/people/").status_code == 200


def test_signing_in_as_somebody_else_takes_nothing_along(cast: Cast) -> None:
    stranger = Client(HTTP_HOST=cast.host)
    stranger.post("/sign-in", {"email": "stranger@cast.test", "password": PASSWORD})
    session = stranger.session
    session["support"], session["proved"] = str(ids.uuid7()), 9e12
    session.save()
    stranger.post("/sign-in", OWNER)
    assert "support" not in stranger.session
    assert stranger.session["proved"] < 9e12


def test_signing_out_ends_the_key_everywhere(cast: Cast) -> None:
    browser = Client(HTTP_HOST=cast.host)
    browser.post("/sign-in", OWNER)
    key = str(browser.session.session_key)
    copy = thief(cast, key)
    assert copy.get("/people/").status_code == 200
    browser.post("/sign-out")
    assert copy.get("/people/").status_code == 302


def test_who_is_kept_out_is_out_at_once(cast: Cast) -> None:
    browser = Client(HTTP_HOST=cast.host)
    browser.post("/sign-in", OWNER)
    User.objects.filter(pk=cast.owner.pk).update(is_active=False)
    assert browser.get("/people/").status_code == 302


def test_a_new_password_ends_the_sessions_of_before(cast: Cast) -> None:
    browser, other = Client(HTTP_HOST=cast.host), Client(HTTP_HOST=cast.host)
    browser.post("/sign-in", OWNER)
    other.post("/sign-in", OWNER)
    key = str(browser.session.session_key)
    browser.post("/profile/password", {"old": PASSWORD, "new": "quite another pass phrase"})
    assert browser.session.session_key != key
    assert other.get("/people/").status_code == 302
    assert thief(cast, key).get("/people/").status_code == 302
