"""Cases are claimed, given, put to sleep and talked about."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import transaction

from automations.inbox import actions, policy, queries
from automations.inbox.errors import CaseAlreadyDecided, CaseClosed
from automations.inbox.models import Case, Comment, Decision
from kernel.errors import Forbidden, Invalid
from tenants.audit.actions import record
from tenants.audit.models import AuditEvent
from tests.support.cast import NOW, Cast


def test_one_of_two_claims_a_case(make_case: Callable[..., Case], cast: Cast) -> None:
    case = make_case()
    assert actions.claim_case(case_id=case.id, actor=cast.actor(cast.reviewer), now=NOW) == "Rosa Reviewer"
    with pytest.raises(CaseAlreadyDecided, match="Rosa Reviewer has this case"):
        actions.claim_case(case_id=case.id, actor=cast.actor(cast.colleague), now=NOW)
    case.refresh_from_db()
    assert case.assignee_id == cast.reviewer.id
    audit = AuditEvent.objects.get()
    assert (audit.action, audit.before, audit.after) == (
        "inbox.assign",
        {"assignee": ""},
        {"assignee": "Rosa Reviewer"},
    )
    assert Decision.objects.get().audit_id == audit.id


def test_a_case_goes_to_people_who_may_decide(make_case: Callable[..., Case], cast: Cast) -> None:
    case, malik = make_case(), cast.actor(cast.manager)
    assert (
        actions.assign_case(case_id=case.id, to=cast.colleague.id, actor=malik, now=NOW) == "Colin Colleague"
    )
    for nobody in (cast.analyst.id, cast.stranger.id, cast.other_owner.id):
        with pytest.raises(Invalid):
            actions.assign_case(case_id=case.id, to=nobody, actor=malik, now=NOW)
    assert actions.assign_case(case_id=case.id, to=None, actor=malik, now=NOW) == ""
    names = [person.name for person in policy.assignable()]
    assert names == ["Colin Colleague", "Malik Manager", "Orla Owner", "Paula Partner", "Rosa Reviewer"]


def test_a_case_sleeps_until_then(make_case: Callable[..., Case], cast: Cast) -> None:
    case, rosa, until = make_case(), cast.actor(cast.reviewer), NOW + timedelta(hours=3)
    actions.snooze_case(case_id=case.id, until=until, actor=rosa, now=NOW)
    assert queries.cases(queries.CaseFilter(), now=NOW).items == ()
    assert [row.id for row in queries.cases(queries.CaseFilter(state="snoozed"), now=NOW).items] == [case.id]
    assert [row.id for row in queries.cases(queries.CaseFilter(), now=until).items] == [case.id]
    with pytest.raises(Invalid):
        actions.snooze_case(case_id=case.id, until=NOW, actor=rosa, now=NOW)


def test_internal_notes_stay_with_the_partner(make_case: Callable[..., Case], cast: Cast) -> None:
    case, rosa, emil = make_case(), cast.actor(cast.reviewer), cast.actor(cast.partner_engineer)
    actions.comment_on_case(case_id=case.id, text="The carrier searches.", actor=rosa, now=NOW)
    actions.comment_on_case(
        case_id=case.id, text="Their stock is a mess.", visibility="internal", actor=emil, now=NOW
    )
    with pytest.raises(Forbidden):
        actions.comment_on_case(case_id=case.id, text="Me too", visibility="internal", actor=rosa, now=NOW)
    seen = queries.case(case.id, now=NOW, internal=policy.is_partner_staff(rosa))
    assert [note.text for note in seen.notes] == ["The carrier searches."]
    seen = queries.case(case.id, now=NOW, internal=policy.is_partner_staff(emil))
    assert len(seen.notes) == 2
    assert "mess" not in str(list(AuditEvent.objects.values()))


def test_who_may_not_changes_nothing(make_case: Callable[..., Case], cast: Cast) -> None:
    case = make_case()
    analyst, until = cast.actor(cast.analyst), NOW + timedelta(hours=3)
    for act in (
        lambda: actions.claim_case(case_id=case.id, actor=analyst, now=NOW),
        lambda: actions.assign_case(case_id=case.id, to=None, actor=analyst, now=NOW),
        lambda: actions.snooze_case(case_id=case.id, until=until, actor=analyst, now=NOW),
        lambda: actions.comment_on_case(case_id=case.id, text="Hm", actor=analyst, now=NOW),
    ):
        with pytest.raises(Forbidden):
            act()
    assert Case.objects.get().assignee == ""
    assert (Comment.objects.count(), Decision.objects.count(), AuditEvent.objects.count()) == (0, 0, 0)


def test_a_card_number_in_a_comment_or_reason_is_kept_nowhere(
    make_case: Callable[..., Case], cast: Cast
) -> None:
    case, rosa, number = (
        make_case(of_run=False, run_id=None),
        cast.actor(cast.reviewer),
        "4111 1111 1111 1111",
    )
    actions.comment_on_case(case_id=case.id, text=f"Paid with {number}.", actor=rosa, now=NOW)
    with transaction.atomic():
        record(actor=rosa, action="inbox.test", obj=case, now=NOW, reason=f"charged {number} twice")
    kept = f"{list(Comment.objects.values())} {list(AuditEvent.objects.values())}"
    assert number not in kept
    assert kept.count("••••••••••••1111") == 2


def test_a_closed_case_is_left_alone(make_case: Callable[..., Case], cast: Cast) -> None:
    case = make_case(state="resolved", closed_at=NOW, closed_how="auto")
    with pytest.raises(CaseClosed):
        actions.claim_case(case_id=case.id, actor=cast.actor(cast.reviewer), now=NOW)
    actions.comment_on_case(case_id=case.id, text="For the record.", actor=cast.actor(cast.reviewer), now=NOW)
    assert Comment.objects.count() == 1


@pytest.mark.parametrize("text", ["", "   ", "x" * 5_001])
def test_a_comment_says_something(make_case: Callable[..., Case], cast: Cast, text: str) -> None:
    case = make_case()
    with pytest.raises(Invalid):
        actions.comment_on_case(case_id=case.id, text=text, actor=cast.actor(cast.reviewer), now=NOW)
