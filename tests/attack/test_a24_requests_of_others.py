"""A24: requests that another site makes a signed-in browser send; a sign-in that another site begins; CORS."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from portal.api.auth import CsrfMissing, SessionAuthentication
from portal.api.desk import Desk
from tenants.access import actions
from tests.house.asking import fingerprint
from tests.house.routes import ROUTES, Route
from tests.support.cast import NOW, PASSWORD, Cast

UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
ORIGINS = [
    "null",
    "https://evil.example",
    "https://{host}.evil.example",
    "https://evil-{host}",
    "https://sub.{host}",
    "https://{host}:8443",
    "http://meridian.{host}",
    "https://{host}@evil.example",
    "file://",
    "chrome-extension://abcdef",
]
NO_IDS: Any = dict.fromkeys(
    {part for route in ROUTES for part in route.parts} | {part for route in ROUTES for part in route.owned},
    "x",
)


def signed_in(cast: Cast, client_for: Callable[..., Client]) -> Client:
    browser = client_for(cast.owner, cast.host)
    browser.handler.enforce_csrf_checks = True
    return browser


def of_tenant() -> list[Route]:
    return [route for route in ROUTES if route.kind == "tenant" and not route.office]


def test_no_unsafe_method_of_the_api_works_by_the_cookie_alone(
    cast: Cast, client_for: Callable[..., Client], now: Any
) -> None:
    browser, asked = signed_in(cast, client_for), 0
    browser.get("/api/v1/me")
    before = fingerprint()
    for route in of_tenant():
        if not route.pattern.startswith("api/"):
            continue
        for method in set(UNSAFE) & set(route.methods):
            answer = browser.generic(method, route.address(NO_IDS), b"{}", "application/json")
            said = answer.json()
            code = said.get("code") or said.get("detail", "")
            allowed = ("csrf_missing", "forbidden", CsrfMissing.__doc__)
            assert (answer.status_code, code in allowed) == (403, True), (route, method, said)
            asked += code != "forbidden"
    assert asked > 60
    assert fingerprint() == before


def test_no_page_takes_a_form_without_its_token(
    cast: Cast, client_for: Callable[..., Client], now: Any
) -> None:
    browser, asked = signed_in(cast, client_for), 0
    browser.get("/")
    before = fingerprint()
    for route in of_tenant():
        if route.api or "POST" not in route.methods:
            continue
        answer = browser.post(route.address(NO_IDS), {"csrfmiddlewaretoken": "x" * 64})
        if route.pattern in KNOWN:
            continue
        assert answer.status_code in (403, 404, 405), route
        asked += answer.status_code == 403
    assert asked > 100
    assert fingerprint() == before


def test_what_django_lets_by_is_asked_for_the_token_by_the_desk() -> None:
    """The views that Django's own check leaves out: resources, which check it themselves, and the few named here."""
    for route in ROUTES:
        if not getattr(route.view, "csrf_exempt", False):
            continue
        resource = getattr(route.view, "cls", None)
        if resource is None:
            assert route.pattern in KNOWN, f"{route} takes forms of other sites: say in KNOWN why it may"
        else:
            assert issubclass(resource, Desk) or SessionAuthentication in resource.authentication_classes, (
                route
            )


KNOWN = {
    "sign-in/saml": "a provider's page sends it; it signs in nobody whose browser did not ask (see A19)",
    "hooks/<str:token>": "a system delivers, and signs; no cookie counts",
}


@pytest.mark.parametrize("origin", ORIGINS)
def test_a_true_token_from_another_origin_is_refused(cast: Cast, origin: str, now: Any) -> None:
    browser = Client(HTTP_HOST=cast.host, enforce_csrf_checks=True)
    browser.get("/sign-in")
    token = browser.cookies["csrf"].value
    given = {"email": cast.owner.email, "password": PASSWORD, "csrfmiddlewaretoken": token}
    assert browser.post("/sign-in", given).status_code == 302
    token = browser.cookies["csrf"].value
    headers = {"X-CSRFToken": token, "Origin": origin.format(host=cast.host)}
    body = {"email": "new@cast.test", "role": "analyst"}
    answer = browser.post("/api/v1/people", body, content_type="application/json", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "csrf_missing")
    page = browser.post("/people/add", {**body, "csrfmiddlewaretoken": token}, headers=headers)
    assert page.status_code == 403
    headers["Origin"] = f"http://{cast.host}"
    answer = browser.post("/api/v1/people", body, content_type="application/json", headers=headers)
    assert answer.status_code == 201


@pytest.mark.parametrize("origin", ["", *ORIGINS])
def test_nobody_is_signed_in_by_a_form_of_another_site(cast: Cast, origin: str) -> None:
    browser = Client(HTTP_HOST=cast.host, enforce_csrf_checks=True)
    headers = {"Origin": origin.format(host=cast.host)} if origin else {}
    given = {"email": cast.owner.email, "password": PASSWORD}
    assert browser.post("/sign-in", given, headers=headers).status_code == 403
    # the attacker's own cookie and token, planted by a neighbouring host, do not help from another origin
    browser.get("/sign-in")
    given["csrfmiddlewaretoken"] = browser.cookies["csrf"].value
    if origin:
        assert browser.post("/sign-in", given, headers=headers).status_code == 403
    assert not browser.session.get("_auth_user_id")


def test_no_link_signs_anybody_in(cast: Cast, now: Any) -> None:
    """A pass of the attacker's in an address is looked at, and used by the form of this very site alone."""
    text = actions.issue_handoff(user_id=cast.owner.id, host=cast.host, now=NOW)
    browser = Client(HTTP_HOST=cast.host, enforce_csrf_checks=True)
    for address in (f"/enter?pass={text}", f"/enter?next=/&pass={text}", f"/enter/{text}"):
        browser.get(address)
        assert not browser.session.get("_auth_user_id")
    for site in ("cross-site", "none", ""):
        browser.get(f"/enter?pass={text}", headers={"Sec-Fetch-Site": site})
        assert not browser.session.get("_auth_user_id")
    assert browser.post("/enter", {"pass": text}).status_code == 403
    assert not browser.session.get("_auth_user_id")
    ours = browser.get(f"/enter?pass={text}", headers={"Sec-Fetch-Site": "same-site"})
    assert ours.status_code == 302
    assert browser.session["_auth_user_id"] == str(cast.owner.id)


@pytest.mark.parametrize("origin", ORIGINS)
def test_no_origin_is_told_that_it_may_read(
    cast: Cast, client_for: Callable[..., Client], origin: str, now: Any
) -> None:
    browser = signed_in(cast, client_for)
    headers = {
        "Origin": origin.format(host=cast.host),
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,x-csrftoken",
    }
    for address in (
        "/api/v1/me",
        "/api/v1/runs",
        "/api/scim/v2/Users",
        "/",
        "/sign-in",
        "/hooks/x",
        "/static/x.js",
    ):
        for method in ("GET", "OPTIONS", "POST"):
            answer = browser.generic(method, address, b"{}", "application/json", headers=headers)
            told = [name for name in answer.headers if name.lower().startswith("access-control-")]
            assert not told, (method, address)


def test_cookies_stay_at_home() -> None:
    assert settings.SESSION_COOKIE_SAMESITE == settings.CSRF_COOKIE_SAMESITE == "Lax"
    assert settings.CSRF_COOKIE_HTTPONLY
    assert not getattr(settings, "CSRF_TRUSTED_ORIGINS", [])
    assert "corsheaders" not in " ".join(settings.INSTALLED_APPS)
