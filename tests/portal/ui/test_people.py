"""People and tokens, in a console and in a tenant."""

from collections.abc import Callable

import pytest
from django.test import Client

from tenants.access.enums import Role
from tenants.access.models import ApiToken, Membership
from tests.portal.ui.conftest import PART
from tests.support.cast import Cast


def member(cast: Cast, name: str) -> Membership:
    return Membership.objects.get(user=getattr(cast, name), tenant_id=cast.tenant.id)


def test_the_page_lists_who_is_in_here_and_nobody_else(cast: Cast, portal: Client) -> None:
    page = portal.get("/people/").content.decode()
    assert "rosa" not in page
    assert "Rosa Reviewer" in page
    assert "Arno Arbor" not in page
    assert "Paula Partner" not in page


def test_searching_answers_with_the_rows_alone(portal: Client) -> None:
    answer = portal.get("/people/?q=rosa", headers=PART)
    text = answer.content.decode()
    assert "<html" not in text
    assert "Rosa Reviewer" in text
    assert "Anton Analyst" not in text
    assert "HX-Request-Type" in answer["Vary"]


def test_an_admin_lets_somebody_in(cast: Cast, portal: Client) -> None:
    answer = portal.post("/people/add", {"email": "new@cast.test", "name": "Nora New", "role": "reviewer"})
    assert (answer.status_code, answer["Location"]) == (302, "/people/")
    made = Membership.objects.get(user__email="new@cast.test")
    assert (made.role, made.tenant_id) == (Role.REVIEWER, cast.tenant.id)


def test_a_mistake_is_answered_at_its_field_inside_the_dialog(cast: Cast, portal: Client) -> None:
    answer = portal.post("/people/add", {"email": "owner@cast.test", "role": "reviewer"}, headers=PART)
    text = answer.content.decode()
    assert answer.status_code == 422
    assert "<html" not in text
    assert "owner@cast.test is a member already." in text
    assert 'aria-invalid="true"' in text


@pytest.mark.parametrize("role", ["partner_admin", "nonsense", ""])
def test_a_role_of_another_level_is_not_on_offer(portal: Client, role: str) -> None:
    answer = portal.post("/people/add", {"email": "new@cast.test", "role": role})
    assert answer.status_code == 422
    assert not Membership.objects.filter(user__email="new@cast.test").exists()


def test_a_role_is_changed_and_the_last_admin_stays(cast: Cast, portal: Client) -> None:
    reviewer, owner = member(cast, "reviewer"), member(cast, "owner")
    assert portal.post(f"/people/{reviewer.public_id}/role", {"role": "analyst"}).status_code == 302
    reviewer.refresh_from_db()
    assert reviewer.role == Role.ANALYST
    refused = portal.post(f"/people/{owner.public_id}/role", {"role": "analyst"})
    assert refused.status_code == 422
    assert "Somebody must stay who can let people in." in refused.content.decode()
    assert portal.post(f"/people/{owner.public_id}/remove").status_code == 409
    owner.refresh_from_db()
    assert owner.role == Role.TENANT_ADMIN


def test_looking_at_the_question_removes_nobody(cast: Cast, portal: Client) -> None:
    reviewer = member(cast, "reviewer")
    assert portal.get(f"/people/{reviewer.public_id}/remove").status_code == 200
    assert Membership.objects.filter(pk=reviewer.pk).exists()
    assert portal.post(f"/people/{reviewer.public_id}/remove").status_code == 302
    assert not Membership.objects.filter(pk=reviewer.pk).exists()


def test_a_member_of_another_place_is_nobody_here(cast: Cast, portal: Client, console: Client) -> None:
    other = Membership.objects.get(user=cast.other_owner)
    staff = Membership.objects.get(user=cast.partner_admin)
    for browser in (portal, console):
        assert browser.post(f"/people/{other.public_id}/remove").status_code == 404
    assert portal.post(f"/people/{staff.public_id}/remove").status_code == 404
    assert portal.get("/people/nonsense/role").status_code == 404
    assert Membership.objects.filter(pk__in=[other.pk, staff.pk]).count() == 2


def test_a_reviewer_gets_none_of_these_pages(cast: Cast, client_for: Callable[..., Client]) -> None:
    browser = client_for(cast.reviewer, cast.host)
    for address in ("/people/", "/people/add", "/tokens/", "/tokens/new", "/audit/"):
        assert browser.get(address).status_code == 403, address
    assert browser.post("/people/add", {"email": "x@cast.test", "role": "reviewer"}).status_code == 403
    assert not Membership.objects.filter(user__email="x@cast.test").exists()


def test_a_token_is_shown_once_and_then_never_again(cast: Cast, portal: Client) -> None:
    given = {"name": "ERP bridge", "days": "90", "scopes": ["events.read", "events.publish"]}
    made = portal.post("/tokens/new", given)
    text = made.content.decode()
    token = ApiToken.objects.get(name="ERP bridge")
    secret = text.split('data-copy="')[1].split('"')[0]
    assert secret.startswith("pat_")
    assert "no-store" in made["Cache-Control"]
    assert token.tenant_id == cast.tenant.id
    assert secret not in portal.get("/tokens/").content.decode()
    assert portal.post(f"/tokens/{token.public_id}/revoke").status_code == 302
    token.refresh_from_db()
    assert token.revoked_at is not None


def test_nobody_gives_a_right_that_they_do_not_hold(cast: Cast, portal: Client) -> None:
    answer = portal.post("/tokens/new", {"name": "Too much", "days": "30", "scopes": ["tenancy.provision"]})
    assert answer.status_code == 422
    assert not ApiToken.objects.exists()
