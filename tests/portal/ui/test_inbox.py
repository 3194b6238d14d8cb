"""The inbox as people see it: the list, one case, what is decided, and what happens when two decide at once."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.test import Client

from automations.engine.actions import workflows
from automations.engine.machine.moves import Outcome
from automations.engine.models import Run
from automations.events.models import Event
from automations.inbox import actions
from automations.inbox.actions import pending
from automations.inbox.enums import CaseState
from automations.inbox.models import Case, Comment, Intent
from kernel import ids, jsonx
from tenants.access.models import User
from tenants.audit.models import AuditEvent
from tenants.tenancy import context
from tenants.tenancy.queries import TenantRef
from tests.automations.inbox.conftest import BY, Bench
from tests.portal.ui.conftest import PART
from tests.support.cast import NOW, Cast

ADDRESS = {"name": "Ann Example", "street": "14 Quay Street", "postcode": None}
CORRECTED = {"name": "Ann Example", "street": "14 Quay Street", "postcode": "BS1 4DB"}


@pytest.fixture
def reviewer(cast: Cast, client_for: Callable[..., Client]) -> Client:
    """The reviewer in Hollis."""
    return client_for(cast.reviewer, cast.host)


@pytest.fixture
def failed(bench: Bench, now: Any) -> Case:
    """A case of an order that the ERP refused for want of a postcode."""
    run = bench.fail(shipping_address=ADDRESS)
    return Case.objects.get(run_id=run.pk)


def eight_seconds_pass() -> None:
    """What was decided is carried out."""
    for intent in Intent.objects.filter(state="waiting"):
        Intent.objects.filter(pk=intent.pk).update(carry_at=Now() - timedelta(seconds=1))
        pending.carry_out(intent.pk, now=NOW)


def at(case: Case, tail: str = "") -> str:
    return f"/inbox/{case.public_id}/{tail}"


def words(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def toast(answer: Any) -> dict[str, Any]:
    found: dict[str, Any] = next(iter(jsonx.loads(answer["HX-Trigger"]).values()))
    return found


def test_the_list_says_what_it_is_about_how_much_is_at_risk_and_until_when(
    reviewer: Client, make_case: Callable[..., Case], now: Any
) -> None:
    make_case(
        title="Order 10045 is not delivered in time", value_minor=17_895, due_at=NOW + timedelta(hours=3)
    )
    make_case(
        title="Order 10046 is stuck", value_minor=2_000, due_at=NOW - timedelta(hours=2), severity="critical"
    )
    page = words(reviewer.get("/inbox/"))
    assert page.index("Order 10046 is stuck") < page.index("Order 10045 is not delivered in time")
    for said in ("due in 3 hr", "due 2 hr ago", "£178.95", "£198.95", "Critical", "2 open"):
        assert said in page, said


def test_an_empty_inbox_says_why_and_a_filter_that_nothing_fits_offers_the_way_back(
    reviewer: Client, tenant: TenantRef, now: Any
) -> None:
    assert "Nothing waits for you" in words(reviewer.get("/inbox/"))
    assert "Nothing fits" in words(reviewer.get("/inbox/?q=nothing-like-it"))


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", {"A", "B"}),
        ("late=1", {"B"}),
        ("who=me", {"B"}),
        ("who=nobody", {"A"}),
        ("kind=approval_late", {"A"}),
        ("severity=critical", {"B"}),
        ("q=beta", {"B"}),
        ("order=10046", {"B"}),
        ("state=closed", {"C"}),
        ("state=all", {"A", "B", "C"}),
        ("state=nonsense&severity=odd&sort=sideways&after=zzz&since=never", {"A", "B"}),
        ("since=2026-03-02", {"A", "B"}),
        ("until=2026-03-01", set()),
    ],
)
def test_filters_stand_in_the_address(
    cast: Cast, reviewer: Client, make_case: Callable[..., Case], now: Any, query: str, shown: set[str]
) -> None:
    make_case(title="Case A alpha", kind="approval_late", due_at=NOW + timedelta(hours=1))
    make_case(
        title="Case B beta", business_key="10046", severity="critical", due_at=NOW - timedelta(hours=1),
        assignee_id=cast.reviewer.id, assignee="Rosa Reviewer",
    )  # fmt: skip
    make_case(title="Case C gamma", state="resolved", closed_at=NOW, closed_how="person", closed_by="Colin")
    rows = reviewer.get(f"/inbox/?{query}").context["rows"]
    assert {row.title.split()[1] for row in rows} == shown


def test_a_long_list_goes_on_by_cursor_and_loses_nobody(
    reviewer: Client, make_case: Callable[..., Case], now: Any
) -> None:
    for number in range(45):
        make_case(title=f"Case no. {number:03d}", due_at=NOW + timedelta(minutes=number))
    first = reviewer.get("/inbox/").content.decode()
    after = first.split("after=")[1].split('"')[0].replace("&amp;", "&")
    second = reviewer.get(f"/inbox/?after={after}").content.decode()
    seen = [
        number
        for number in range(45)
        if (f"Case no. {number:03d}</a>" in first) + (f"Case no. {number:03d}</a>" in second) == 1
    ]
    assert len(seen) == 45


def test_the_list_and_a_case_cost_the_same_number_of_queries_however_many_there_are(
    reviewer: Client, make_case: Callable[..., Case], now: Any, django_assert_max_num_queries: Any
) -> None:
    for number in range(30):
        make_case(title=f"Case {number}", assignee="Somebody")
    with django_assert_max_num_queries(30):
        reviewer.get("/inbox/")


def test_a_case_shows_its_cause_its_facts_what_helps_and_the_steps_of_its_run(
    reviewer: Client, failed: Case
) -> None:
    page = words(reviewer.get(at(failed)))
    for said in (
        "A postcode is required for United Kingdom.", "£178.95", "10045", "Fill in what is missing",
        "Correct and try again", "Book the order failed: 422", failed.code, "in 8 hr",
    ):  # fmt: skip
        assert said in page, said


def test_htmx_gets_the_case_alone_or_the_list_alone(reviewer: Client, failed: Case) -> None:
    case = reviewer.get(at(failed), headers={**PART, "HX-Target": "section#detail"})
    assert "<html" not in case.content.decode()
    assert failed.title in case.content.decode()
    rows = reviewer.get("/inbox/", headers={**PART, "HX-Target": "div#list"})
    assert "What usually helps" not in rows.content.decode()
    assert failed.title in rows.content.decode()


def test_a_case_of_another_client_or_of_nobody_is_not_there(
    cast: Cast, reviewer: Client, other_tenant: TenantRef, client_for: Callable[..., Client]
) -> None:
    with context.enter(other_tenant):
        foreign = Case.objects.create(
            key="x", number=1, kind="delivery_late", title="Arbor's own", fingerprint="f", seq=1,
            due_at=NOW, opened_at=NOW,
        )  # fmt: skip
    for case in (foreign.public_id, ids.public_id("case", ids.uuid7()), "nonsense"):
        for tail in ("", "correct", "decide/retry"):
            assert reviewer.get(f"/inbox/{case}/{tail}").status_code == 404, (case, tail)
        for tail in ("assign", "snooze", "wake", "reopen", "comment", "decide/resolve", "correct"):
            answer = reviewer.post(f"/inbox/{case}/{tail}", {"text": "x", "to": "me", "until": "2030-01-01"})
            assert answer.status_code == 404, (case, tail)
    with context.enter(other_tenant):
        foreign.refresh_from_db()
        assert (foreign.state, foreign.version, foreign.assignee) == ("open", 1, "")


def test_a_click_tries_again_and_the_audit_says_who(reviewer: Client, failed: Case) -> None:
    answer = reviewer.post(
        at(failed, "decide/retry"),
        {"at_once": "1", "seen": failed.version},
        headers={**PART, "HX-Request": "true"},
    )
    assert answer.status_code == 204
    assert "is tried again" in toast(answer)["text"]
    assert toast(answer)["undo"] == at(failed, "undo")
    eight_seconds_pass()
    failed.refresh_from_db()
    assert (failed.state, failed.decided_by) == (CaseState.RESOLVING, "Rosa Reviewer")
    assert AuditEvent.objects.filter(action="inbox.decide", actor_label="Rosa Reviewer").count() == 1
    assert "The run is on its way" in words(reviewer.get(at(failed)))


def correction(page: Any, **fields: str) -> dict[str, str]:
    """What the browser would send of a page's form, with some fields changed."""
    form = page.context["form"]
    sent = {one.html_name: "" if one.value() is None else str(one.value()) for one in form}
    sent |= {"base": page.context["base"], "checked": page.context["checked"], "do": "check", "reason": ""}
    sent |= {"seen": str(page.context["why"]["seen"].value())}
    return sent | fields


POSTCODE = "at/shipping_address/postcode"


def test_corrected_data_are_shown_before_they_are_sent_and_the_step_is_done_on_them(
    reviewer: Client, failed: Case, bench: Bench
) -> None:
    page = reviewer.get(at(failed, "correct"))
    assert "A postcode is required for United Kingdom." in words(page)
    checked = reviewer.post(at(failed, "correct"), correction(page, **{POSTCODE: "BS1 4DB"}))
    assert [(one.place, one.before, one.after) for one in checked.context["changed"]] == [
        ("shipping address / postcode", None, "BS1 4DB")
    ]
    failed.refresh_from_db()
    assert failed.state == CaseState.OPEN
    sent = {**correction(checked, do="send"), POSTCODE: "BS1 4DB", "reason": "By phone"}
    done = reviewer.post(at(failed, "correct"), sent)
    assert (done.status_code, done["Location"]) == (302, at(failed))
    assert "Rosa Reviewer decided" in words(reviewer.get(at(failed)))
    eight_seconds_pass()
    bodies = bench.go_on(failed.run_id, Outcome(201, {}, {"reference": "SO-1"}))
    assert bodies[0]["shipping_address"] == CORRECTED
    failed.refresh_from_db()
    assert (failed.state, Run.objects.get(pk=failed.run_id).status) == (CaseState.RESOLVED, "completed")
    row = AuditEvent.objects.filter(action="inbox.decide").latest("at")
    assert row.actor_label == "Rosa Reviewer"
    assert row.before["data"]["shipping_address"]["postcode"] is None
    assert row.after["data"]["shipping_address"]["postcode"] == "BS1 4DB"
    assert row.reason == "By phone"
    page_after = words(reviewer.get(at(failed)))
    for said in ("Decided: Correct and try again", "By phone", "<ins>BS1 4DB</ins>"):
        assert said in page_after, said


def test_nothing_is_sent_that_was_not_looked_at(reviewer: Client, failed: Case) -> None:
    page = reviewer.get(at(failed, "correct"))
    unseen = reviewer.post(at(failed, "correct"), correction(page, do="send", **{POSTCODE: "BS1 4DB"}))
    assert unseen.status_code == 200
    same = reviewer.post(at(failed, "correct"), correction(page, do="send"))
    assert same.status_code == 422
    assert "Nothing is changed yet" in words(same)
    broken = reviewer.post(at(failed, "correct"), correction(page, whole='{"a": '))
    assert broken.status_code == 422
    assert "This cannot be read as JSON" in words(broken)
    failed.refresh_from_db()
    assert failed.state == CaseState.OPEN


def test_of_two_who_correct_at_once_the_second_is_told_and_loses_nothing(
    cast: Cast, reviewer: Client, failed: Case
) -> None:
    page = reviewer.get(at(failed, "correct"))
    checked = reviewer.post(at(failed, "correct"), correction(page, **{POSTCODE: "BS1 4DB"}))
    actions.decide_case(case_id=failed.pk, decision="retry", actor=cast.actor(cast.colleague), now=NOW)
    sent = {**correction(checked, do="send"), POSTCODE: "BS1 4DB", "reason": "By phone"}
    refused = reviewer.post(at(failed, "correct"), sent)
    text = words(refused)
    assert refused.status_code == 409
    assert "Colin Colleague decided this case already: Try again." in text
    assert 'value="BS1 4DB"' in text
    assert "By phone" in text
    failed.refresh_from_db()
    assert failed.decided_by == "Colin Colleague"
    click = reviewer.post(
        at(failed, "decide/retry"), {"at_once": "1", "seen": "1"}, headers={**PART, "HX-Request": "true"}
    )
    assert click.status_code == 409
    assert "Colin Colleague decided this case already" in toast(click)["text"]


def test_what_needs_approval_is_approved_by_a_click_and_rejected_with_a_reason(
    reviewer: Client, failed: Case
) -> None:
    Case.objects.filter(pk=failed.pk).update(kind="needs_approval", error_class="")
    page = words(reviewer.get(at(failed)))
    assert "Approve" in page
    assert "Reject" in page
    assert reviewer.post(at(failed, "decide/cancel"), {"seen": failed.version}).status_code == 422
    done = reviewer.post(
        at(failed, "decide/skip"),
        {"at_once": "1", "seen": failed.version},
        headers={**PART, "HX-Request": "true"},
    )
    assert (done.status_code, toast(done)["text"]) == (204, f"{failed.code} goes on")
    eight_seconds_pass()
    failed.refresh_from_db()
    assert (failed.state, failed.decision) == (CaseState.RESOLVING, "skip")


def test_what_needs_a_reason_asks_for_it_and_keeps_what_was_typed(
    reviewer: Client, make_case: Callable[..., Case], now: Any
) -> None:
    case = make_case()
    asked = reviewer.post(at(case, "decide/dismiss"), {"reason": " ", "seen": "1"}, headers=PART)
    assert asked.status_code == 422
    assert "<html" not in asked.content.decode()
    done = reviewer.post(at(case, "decide/dismiss"), {"reason": "Twice the same", "seen": "1"})
    assert done.status_code == 302
    case.refresh_from_db()
    assert (case.state, case.outcome) == ("dismissed", "Twice the same")
    again = reviewer.post(at(case, "decide/dismiss"), {"reason": "Me too", "seen": "1"})
    assert again.status_code == 409
    assert "Me too" in words(again)
    assert reviewer.get(at(case, "decide/nonsense")).status_code == 404
    assert reviewer.get(at(case, "decide/edit")).status_code == 404


def test_a_result_entered_by_hand_has_to_be_json(reviewer: Client, failed: Case, bench: Bench) -> None:
    wrong = reviewer.post(at(failed, "decide/complete"), {"value": "SO-7", "seen": "1"})
    assert wrong.status_code == 422
    done = reviewer.post(
        at(failed, "decide/complete"), {"value": '{"reference": "SO-7"}', "seen": failed.version}
    )
    assert done.status_code == 302
    eight_seconds_pass()
    failed.refresh_from_db()
    assert (failed.state, failed.decision) == (CaseState.RESOLVING, "complete")


def test_closing_is_undone_by_reopening(reviewer: Client, make_case: Callable[..., Case], now: Any) -> None:
    case = make_case()
    closed = reviewer.post(
        at(case, "decide/resolve"), {"at_once": "1", "seen": "1"}, headers={**PART, "HX-Request": "true"}
    )
    assert toast(closed)["undo"] == at(case, "reopen")
    assert reviewer.post(toast(closed)["undo"], headers={**PART, "HX-Request": "true"}).status_code == 200
    case.refresh_from_db()
    assert (case.state, case.reopened) == ("open", 1)


def test_a_case_is_taken_given_put_off_and_woken(
    cast: Cast, reviewer: Client, client_for: Callable[..., Client], make_case: Callable[..., Case], now: Any
) -> None:
    case = make_case()
    assert reviewer.post(at(case, "assign"), {"to": "me"}).status_code == 302
    case.refresh_from_db()
    assert case.assignee == "Rosa Reviewer"
    colleague = client_for(cast.colleague, cast.host)
    told = colleague.post(
        at(case, "assign"),
        {"to": "me"},
        headers={**PART, "HX-Request": "true", "HX-Target": "section#detail"},
    )
    assert "Rosa Reviewer has this case." in toast(told)["text"]
    given = ids.public_id("usr", cast.manager.id)
    assert reviewer.post(at(case, "assign"), {"to": given}).status_code == 302
    case.refresh_from_db()
    assert case.assignee == "Malik Manager"
    analyst = ids.public_id("usr", cast.analyst.id)
    reviewer.post(at(case, "assign"), {"to": analyst})
    assert reviewer.post(at(case, "assign"), {"to": "me-or-so"}).status_code == 404
    past = reviewer.post(
        at(case, "snooze"), {"until": "2020-01-01T00:00"}, headers={**PART, "HX-Request": "true"}
    )
    assert past.status_code == 400
    assert "still to come" in toast(past)["text"]
    odd = reviewer.post(at(case, "snooze"), {"until": "soon"}, headers={**PART, "HX-Request": "true"})
    assert odd.status_code == 422
    assert reviewer.post(at(case, "snooze"), {"until": "2026-03-03T09:00"}).status_code == 302
    case.refresh_from_db()
    assert (case.snoozed_until, case.assignee) == (NOW.replace(day=3, hour=9, minute=0), "Malik Manager")
    assert reviewer.post(at(case, "wake")).status_code == 302
    case.refresh_from_db()
    assert case.snoozed_until is None
    told_by = list(
        AuditEvent.objects.filter(object_id=case.public_id)
        .order_by("at", "id")
        .values_list("action", flat=True)
    )
    assert told_by == ["inbox.assign", "inbox.assign", "inbox.snooze", "inbox.snooze"]


def test_a_comment_is_said_once_and_an_internal_one_stays_with_the_partner(
    cast: Cast, reviewer: Client, client_for: Callable[..., Client], make_case: Callable[..., Case], now: Any
) -> None:
    case = make_case()
    empty = reviewer.post(
        at(case, "comment"), {"text": "  "}, headers={**PART, "HX-Target": "section#detail"}
    )
    assert empty.status_code == 422
    reviewer.post(at(case, "comment"), {"text": "The carrier found it.", "visibility": "internal"})
    assert Comment.objects.get().visibility == "client"
    partner = client_for(cast.partner_admin, cast.host)
    partner.post(at(case, "comment"), {"text": "Their contract ends.", "visibility": "internal"})
    assert "Their contract ends." in words(partner.get(at(case)))
    page = words(reviewer.get(at(case)))
    assert "The carrier found it." in page
    assert "Their contract ends." not in page


@pytest.mark.parametrize("who", ["staff", "analyst", "auditor"])
def test_who_may_only_read_finds_no_buttons_and_changes_nothing(
    cast: Cast, client_for: Callable[..., Client], failed: Case, who: str
) -> None:
    person: User = getattr(cast, who)
    browser = client_for(person, cast.host)
    page = words(browser.get(at(failed)))
    assert failed.title in page
    for button in ("Correct and try again", "/assign", "/snooze", 'name="chosen"'):
        assert button not in page, button
    for tail in ("decide/retry", "correct", "assign", "snooze", "wake", "reopen"):
        assert browser.post(at(failed, tail), {"to": "me"}).status_code == 403, tail
    assert browser.post("/inbox/bulk", {"do": "assign", "chosen": failed.public_id}).status_code == 403
    failed.refresh_from_db()
    assert (failed.state, failed.version, failed.assignee_id) == ("open", 1, None)


def test_a_role_without_the_inbox_does_not_get_it(cast: Cast, client_for: Callable[..., Client]) -> None:
    assert client_for(cast.stranger, cast.host).get("/inbox/").status_code == 404
    assert client_for(None, cast.host).get("/inbox/").status_code == 302


def test_many_cases_are_taken_and_decided_with_a_word_about_each(
    cast: Cast, reviewer: Client, make_case: Callable[..., Case], now: Any
) -> None:
    one, two, taken = (
        make_case(),
        make_case(),
        make_case(assignee_id=cast.colleague.id, assignee="Colin Colleague"),
    )
    chosen = [case.public_id for case in (one, two, taken)]
    reviewer.post("/inbox/bulk", {"do": "assign", "chosen": chosen})
    for case in (one, two, taken):
        case.refresh_from_db()
    assert [case.assignee for case in (one, two, taken)] == [
        "Rosa Reviewer",
        "Rosa Reviewer",
        "Colin Colleague",
    ]
    asked = reviewer.post("/inbox/bulk", {"do": "dismiss", "chosen": chosen})
    assert "Dismiss: 3 cases" in words(asked)
    assert Case.objects.open().count() == 3
    assert (
        reviewer.post("/inbox/bulk", {"do": "dismiss", "chosen": chosen, "confirm": "1"}).status_code == 422
    )
    actions.resolve_case(case_id=one.pk, actor=cast.actor(cast.colleague), now=NOW)
    done = words(
        reviewer.post("/inbox/bulk", {"do": "dismiss", "chosen": chosen, "confirm": "1", "reason": "Test"})
    )
    assert "2 of 3 done" in done
    assert "Colin Colleague decided this case already" in done
    assert Case.objects.open().count() == 0


def test_all_that_match_means_what_the_filters_say(
    reviewer: Client, make_case: Callable[..., Case], now: Any
) -> None:
    make_case(kind="approval_late")
    kept = make_case(kind="delivery_late")
    sent = {"do": "resolve", "all": "1", "confirm": "1", "reason": ""}
    assert "1 of 1 done" in words(reviewer.post("/inbox/bulk?kind=approval_late", sent))
    assert list(Case.objects.open()) == [kept]
    for wrong in ({"do": "resolve"}, {"do": "edit", "chosen": kept.public_id}, {"chosen": kept.public_id}):
        assert reviewer.post("/inbox/bulk", wrong).status_code == 302
    assert list(Case.objects.open()) == [kept]


def test_the_sidebar_counts_and_the_search_finds_cases(
    reviewer: Client, make_case: Callable[..., Case], now: Any
) -> None:
    case = make_case(title="Order 10045 is not delivered in time")
    assert f'href="{at(case)}"' in reviewer.get(f"/search/?q={case.code}").content.decode()
    assert f'href="{at(case)}"' in reviewer.get("/search/?q=10045").content.decode()


@pytest.fixture
def asked(tenant: TenantRef, now: Any) -> Case:
    """A case by which a workflow asks for an answer in fields, and waits for it."""
    return ask_for(
        {
            "type": "object",
            "required": ["amount"],
            "properties": {"amount": {"type": "integer", "title": "Amount", "maximum": 5_000}},
        }
    )


def ask_for(form: Any) -> Case:
    """The case of a run that asks a person and waits."""
    bench = Bench()
    document = {
        "document": {"dsl": "1.0.3", "namespace": "test", "name": "asking", "version": "1.0.0"},
        "do": [{"ask": {"call": "humanTask:1@default", "with": {"title": "Refund for A1?", "form": form}}}],
    }
    bench.workflow = workflows.deploy(
        name="asking",
        title="Asking",
        definition=workflows.publish(document=document, actor=BY, now=NOW),
        config={},
        connections={},
        actor=BY,
        now=NOW,
    )
    return Case.objects.get(run_id=bench.fail().pk)


def test_an_answer_that_a_workflow_waits_for_is_given_in_fields(reviewer: Client, asked: Case) -> None:
    assert "at_once" not in words(reviewer.get(at(asked))).split("What usually helps")[1].split("Decline")[0]
    dialog = reviewer.get(at(asked, "decide/resolve"), headers=PART)
    assert 'name="answer-amount"' in words(dialog)
    wrong = reviewer.post(at(asked, "decide/resolve"), {"answer-amount": "9999", "reason": "Kept it"})
    assert wrong.status_code == 422
    assert 'value="9999"' in words(wrong)
    assert "Kept it" in words(wrong)
    asked.refresh_from_db()
    assert asked.state == CaseState.OPEN
    done = reviewer.post(at(asked, "decide/resolve"), {"answer-amount": "4000", "seen": asked.version})
    assert done.status_code == 302
    eight_seconds_pass()
    asked.refresh_from_db()
    assert (asked.state, asked.closed_by) == (CaseState.RESOLVED, "Rosa Reviewer")
    told = Event.objects.get(type="portal.case.decided")
    assert told.data["value"] == {"amount": 4_000}


def test_an_answer_without_fields_is_given_as_json(reviewer: Client, tenant: TenantRef, now: Any) -> None:
    case = ask_for({"type": "integer", "maximum": 9})
    for text in ("many", "77"):
        wrong = reviewer.post(at(case, "decide/resolve"), {"value": text})
        assert wrong.status_code in (400, 422), text
        assert text in words(wrong)
    assert reviewer.post(at(case, "decide/resolve"), {"value": "7"}).status_code == 302
