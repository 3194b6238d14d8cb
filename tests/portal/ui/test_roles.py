"""Own roles, duties kept apart, why somebody may, and reviews: in a console and in a tenant."""

from collections.abc import Callable

from django.test import Client

from tenants.access.models import AccessReview, CustomRole, DutyRule, Membership
from tests.support.cast import Cast


def test_a_role_is_made_given_changed_and_removed(cast: Cast, portal: Client) -> None:
    given = {"name": "Night shift", "permissions": ["inbox.read", "inbox.comment"]}
    assert portal.post("/roles/new", given).status_code == 302
    role = CustomRole.objects.get(name="Night shift")
    analyst = Membership.objects.get(user=cast.analyst)
    answer = portal.post(f"/people/{analyst.public_id}/role", {"role": role.public_id})
    assert answer.status_code == 302, answer.content
    assert "Night shift" in portal.get("/people/").content.decode()
    page = portal.get("/roles/").content.decode()
    assert "Comment on cases · See cases" in page
    assert portal.post(f"/roles/{role.public_id}/remove").status_code == 409
    changed = {"name": "Night shift", "permissions": ["inbox.read"]}
    assert portal.post(f"/roles/{role.public_id}/", changed).status_code == 302
    assert cast.actor(cast.analyst).permissions == {"inbox.read"}


def test_mistakes_are_named_at_their_fields(portal: Client) -> None:
    answer = portal.post("/roles/new", {"name": "", "permissions": []})
    assert answer.status_code == 422
    assert answer.content.decode().count('aria-invalid="true"') >= 1
    answer = portal.post("/roles/new", {"name": "X", "permissions": ["tenancy.provision"]})
    assert answer.status_code == 422
    assert not CustomRole.objects.exists()
    pair = {"first": "audit.read", "second": "audit.read"}
    assert "Choose two rights." in portal.post("/duties/new", pair).content.decode()


def test_a_pair_is_kept_apart_and_its_holders_are_listed(cast: Cast, portal: Client) -> None:
    pair = {"first": "inbox.decide", "second": "engine.operate", "reason": "four eyes"}
    assert portal.post("/duties/new", pair).status_code == 302
    page = portal.get("/roles/").content.decode()
    assert "four eyes" in page
    assert cast.reviewer.email in page
    analyst = Membership.objects.get(user=cast.analyst)
    refused = portal.post(f"/people/{analyst.public_id}/role", {"role": "reviewer"})
    assert refused.status_code == 422
    assert "Nobody is to hold both engine.operate and inbox.decide." in refused.content.decode()
    rule = DutyRule.objects.get()
    assert portal.post(f"/duties/{rule.public_id}/remove").status_code == 302
    assert not DutyRule.objects.exists()


def test_the_page_says_why(cast: Cast, portal: Client) -> None:
    page = portal.get(f"/why/?person={cast.analyst.public_id}&right=inbox.decide").content.decode()
    assert "No: Decide, resolve and reopen cases" in page
    assert "Exception reviewer" in page
    page = portal.get(f"/why/?person={cast.reviewer.public_id}&right=inbox.decide").content.decode()
    assert "Yes: Decide, resolve and reopen cases" in page
    nobody = portal.get(f"/why/?person={cast.other_owner.public_id}&right=inbox.decide").content.decode()
    assert "Arno" not in nobody
    assert portal.get("/why/?person=%00&right=nonsense").status_code == 200


def test_an_auditor_reviews_signs_and_exports(cast: Cast, client_for: Callable[..., Client]) -> None:
    browser = client_for(cast.auditor, cast.host)
    assert browser.post("/reviews/").status_code == 302
    review = AccessReview.objects.get()
    page = browser.get(f"/reviews/{review.public_id}/")
    assert cast.analyst.email in page.content.decode()
    for item in review.items.all():
        verdict = "removed" if item.holder == cast.analyst.email else "kept"
        address = f"/reviews/{review.public_id}/{item.public_id}/{verdict}"
        assert browser.get(address).status_code == 302  # asking decides nothing
        item.refresh_from_db()
        assert item.verdict == "open"
        assert browser.post(address).status_code == 302
    assert not Membership.objects.filter(user=cast.analyst).exists()
    sign = f"/reviews/{review.public_id}/sign"
    assert browser.post(sign, {"statement": ""}).status_code == 422
    assert browser.post(sign, {"statement": "Looked at all seven."}).status_code == 302
    lines = b"".join(browser.get(f"/reviews/{review.public_id}/rows.csv")).decode()
    assert f"{cast.analyst.email},Analyst" in lines
    assert lines.count(",removed,") == 1
    assert str(cast.auditor) in lines


def test_a_review_of_another_place_is_none_here(cast: Cast, portal: Client, console: Client) -> None:
    assert console.post("/reviews/").status_code == 302
    review = AccessReview.objects.get()
    assert review.tenant_id is None
    for end in ("", "rows.csv", "sign"):
        assert portal.get(f"/reviews/{review.public_id}/{end}").status_code == 404
