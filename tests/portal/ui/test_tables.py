"""Decision tables as people see them: the rules, a try, the next version, and one that is taken back."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from automations.engine.models import DecisionTable, DecisionVersion
from tenants.tenancy.queries import TenantRef
from tests.support.cast import NOW, Cast

RULES = """inputs: [total]
outputs: [approve]
rules:
  - {when: ["<= 50"], then: [true], note: Small ones}
otherwise: {approve: false}
tests:
  - {input: {total: 20}, expect: {approve: true}}
"""


@pytest.fixture
def published(portal: Client, tenant: TenantRef, now: Any) -> str:
    """The address of a table that the client's admin published."""
    sent = {"name": "refunds", "title": "Refunds", "document": RULES}
    answer = portal.post("/tables/new/", sent)
    assert answer.status_code == 302
    return str(answer["Location"])


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def test_an_empty_list_says_what_a_table_is_for(portal: Client, now: Any) -> None:
    assert "No decision table yet" in text(portal.get("/tables/"))


def test_the_example_that_the_form_begins_with_can_be_published(
    portal: Client, tenant: TenantRef, now: Any
) -> None:
    example = portal.get("/tables/new/").context["form"].initial["document"]
    assert portal.post("/tables/new/", {"name": "first", "document": example}).status_code == 302
    assert DecisionVersion.objects.count() == 1


def test_a_table_is_published_shown_and_tried(portal: Client, published: str) -> None:
    page = text(portal.get(published))
    for said in ("Refunds", "&lt;= 50", "Small ones", "1 test passes", "Otherwise"):
        assert said in page, said
    assert "this rule gave the answer" in text(portal.get(published, {"given": '{"total": 20}'}))
    assert "this rule gave the answer" not in text(portal.get(published, {"given": '{"total": 99}'}))
    wrong = portal.get(published, {"given": '{"total": '})
    assert wrong.status_code == 422
    assert "This cannot be read as JSON" in text(wrong)
    assert "Refunds" in text(portal.get("/tables/"))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"document": RULES.replace("true}}", "false}}")}, "approve"),
        ({"document": "- nothing"}, ""),
        ({"document": RULES.replace("inputs", "input")}, "/input"),
        ({"effective_from": "2020-01-01T00:00"}, "choose a later time"),
        ({"name": "refunds"}, "There is a table of this name already."),
        ({"name": "Not a name"}, ""),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_typed_is_lost(
    portal: Client, published: str, changes: dict[str, str], said: str
) -> None:
    sent = {"name": "other", "title": "Mine own", "document": RULES, **changes}
    answer = portal.post("/tables/new/", sent)
    assert answer.status_code == 422
    assert said in text(answer)
    assert 'value="Mine own"' in text(answer)
    assert DecisionTable.objects.count() == 1


def test_a_version_to_come_is_taken_back_and_one_in_force_is_not(portal: Client, published: str) -> None:
    coming = (NOW + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    sent = {"title": "Refunds", "document": RULES.replace("50", "80"), "effective_from": coming}
    assert portal.post(f"{published}publish", sent).status_code == 302
    assert "Version 2" in text(portal.get("/tables/"))
    for number, gone in ((1, False), (2, True)):
        assert portal.post(f"{published}withdraw", {"number": number}).status_code == 302
        found = DecisionVersion.objects.get(number=number)
        assert (found.withdrawn_at is not None) is gone
    assert portal.post(f"{published}withdraw", {"number": "77"}).status_code == 404


def test_who_may_only_read_finds_no_button_and_publishes_nothing(
    cast: Cast, client_for: Callable[..., Client], published: str
) -> None:
    analyst = client_for(cast.analyst, cast.host)
    assert "Next version" not in text(analyst.get(published))
    assert analyst.get("/tables/new/").status_code == 403
    assert analyst.post(f"{published}publish", {"document": RULES}).status_code == 403
    assert DecisionVersion.objects.count() == 1
