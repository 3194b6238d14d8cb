"""Signing in, going over to another portal, and signing out."""

from collections.abc import Callable

import pytest
from django.test import Client

from kernel import clock
from tenants.access import actions
from tenants.access.models import Handoff
from tests.support.cast import PASSWORD, Cast


def test_the_right_password_lets_in_under_a_new_session_key_bound_to_this_host(cast: Cast) -> None:
    browser = Client(HTTP_HOST=cast.host)
    browser.get("/sign-in")
    answer = browser.post("/sign-in", {"email": "OWNER@cast.test", "password": PASSWORD, "next": "/people/"})
    assert (answer.status_code, answer["Location"]) == (302, "/people/")
    assert browser.session["host"] == cast.host
    assert browser.get("/people/").status_code == 200


def test_an_unknown_e_mail_gets_the_same_answer_as_a_wrong_password(cast: Cast) -> None:
    answers = [
        Client(HTTP_HOST=cast.host).post("/sign-in", {"email": email, "password": "not it at all"})
        for email in ("owner@cast.test", "nobody@cast.test")
    ]
    assert [answer.status_code for answer in answers] == [422, 422]
    pages = [answer.content.decode().split("<form")[1].split("csrfmiddlewaretoken")[0] for answer in answers]
    assert pages[0] == pages[1]
    assert all("E-mail and password do not match." in answer.content.decode() for answer in answers)


@pytest.mark.parametrize(
    "address", ["https://evil.test/", "//evil.test/", "/\\evil.test", "javascript:alert(1)", "evil"]
)
def test_next_leads_nowhere_but_here(cast: Cast, address: str) -> None:
    browser = Client(HTTP_HOST=cast.host)
    answer = browser.post("/sign-in", {"email": "owner@cast.test", "password": PASSWORD, "next": address})
    assert (answer.status_code, answer["Location"]) == (302, "/")


def test_guessing_is_braked_after_eight_tries(cast: Cast) -> None:
    browser = Client(HTTP_HOST=cast.host)
    given = {"email": "owner@cast.test", "password": "not it at all"}
    assert [browser.post("/sign-in", given).status_code for _ in range(8)] == [422] * 8
    answer = browser.post("/sign-in", {"email": "owner@cast.test", "password": PASSWORD})
    assert answer.status_code == 429
    assert answer["Retry-After"] == "600"


def test_a_page_that_asks_for_a_login_leads_to_the_sign_in_and_back(cast: Cast) -> None:
    answer = Client(HTTP_HOST=cast.host).get("/people/?q=o")
    assert (answer.status_code, answer["Location"]) == (302, "/sign-in?next=%2Fpeople%2F%3Fq%3Do")


def test_a_part_of_a_page_tells_htmx_to_go_there_itself(cast: Cast) -> None:
    answer = Client(HTTP_HOST=cast.host).get(
        "/people/",
        headers={
            "HX-Request": "true",
            "HX-Request-Type": "partial",
            "HX-Current-URL": f"http://{cast.host}/people/",
        },
    )
    assert (answer.status_code, answer["HX-Redirect"]) == (204, "/sign-in?next=%2Fpeople%2F")


def test_a_session_is_worth_nothing_on_another_host(cast: Cast, client_for: Callable[..., Client]) -> None:
    browser = client_for(cast.partner_admin, cast.partner_host)
    assert browser.get("/clients/").status_code == 200
    assert browser.get("/people/", headers={"host": cast.host}).status_code == 302


def test_signing_out_takes_a_post(cast: Cast, portal: Client) -> None:
    portal.get("/sign-out")
    assert portal.get("/people/").status_code == 200
    assert portal.post("/sign-out").status_code == 302
    assert portal.get("/people/").status_code == 302


def test_the_switcher_leads_to_the_other_portal_with_a_pass_that_works_once(
    cast: Cast, console: Client
) -> None:
    from tenants.access.models import Membership
    from tenants.tenancy.models import Tenant

    tenant = Tenant.objects.get(pk=cast.tenant.id)
    Membership.objects.create(
        user=cast.partner_admin,
        partner=tenant.partner,
        tenant=tenant,
        role="tenant_admin",
        created_at=clock.now(),
    )
    page = console.post(f"/go/{tenant.public_id}").content.decode()
    address = page.split('content="0;url=')[1].split('"')[0]
    assert address.startswith(f"http://{cast.host}/enter?pass=")
    browser = Client(HTTP_HOST=cast.host, HTTP_SEC_FETCH_SITE="same-site")
    path = address.removeprefix(f"http://{cast.host}")
    assert browser.get(path).status_code == 302
    assert browser.get("/people/").status_code == 200
    assert Client(HTTP_HOST=cast.host, HTTP_SEC_FETCH_SITE="same-site").get(path).status_code == 401
    assert Handoff.objects.get().used_at is not None


def test_a_pass_is_worth_nothing_on_another_host_and_after_a_minute(cast: Cast) -> None:
    text = actions.issue_handoff(user_id=cast.partner_admin.id, host=cast.host, now=clock.now())
    assert Client(HTTP_HOST=cast.other_host).post("/enter", {"pass": text}).status_code == 401
    Handoff.objects.update(expires_at=clock.now())
    assert Client(HTTP_HOST=cast.host).post("/enter", {"pass": text}).status_code == 401


def test_a_link_does_not_swap_who_one_is_without_asking(cast: Cast, portal: Client) -> None:
    text = actions.issue_handoff(user_id=cast.partner_admin.id, host=cast.host, now=clock.now())
    asked = portal.get(f"/enter?pass={text}")
    assert asked.status_code == 200
    assert portal.session["_auth_user_id"] == str(cast.owner.pk)
    assert portal.post("/enter", {"pass": text}).status_code == 302
    assert portal.session["_auth_user_id"] == str(cast.partner_admin.pk)


def test_nobody_goes_where_they_do_not_belong(cast: Cast, console: Client) -> None:
    from tenants.tenancy.models import Tenant

    place = Tenant.objects.get(pk=cast.other_tenant.id).public_id
    assert console.post(f"/go/{place}").status_code == 404
    assert not Handoff.objects.exists()


def test_a_get_never_issues_a_pass(cast: Cast, console: Client) -> None:
    from tenants.tenancy.models import Tenant

    console.get(f"/go/{Tenant.objects.get(pk=cast.tenant.id).public_id}")
    assert not Handoff.objects.exists()


def test_a_stranger_is_told_so_and_sees_no_page(cast: Cast, client_for: Callable[..., Client]) -> None:
    browser = client_for(cast.stranger, cast.host)
    answer = browser.get("/")
    assert answer.status_code == 403
    assert "Nothing here is open to you" in answer.content.decode()
    assert browser.get("/people/").status_code == 404


def test_the_language_of_the_sign_in_page_can_be_chosen(cast: Cast) -> None:
    browser = Client(HTTP_HOST=cast.host)
    assert browser.post("/language", {"language": "de", "next": "/sign-in"}).status_code == 302
    assert '<html lang="de"' in browser.get("/sign-in").content.decode()
    assert browser.post("/language", {"language": "xx"}).status_code == 400
