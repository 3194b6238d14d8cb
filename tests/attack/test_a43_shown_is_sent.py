"""A43: what the second person saw differs from what would be sent: each part of it changed in between, nothing is done."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from automations.engine.models import Run
from automations.inbox import actions
from automations.inbox.actions import pending
from automations.inbox.errors import CaseChanged
from automations.inbox.models import Case, Intent
from tests.automations.inbox.conftest import Bench, bench
from tests.support.cast import NOW, Cast

__all__ = ["bench"]
OF_THE_CASE = (
    {"value_minor": 1},
    {"currency": "JPY"},
    {"business_key": "other"},
    {"facts": {"shop": {"total": 1}}},
    {"error": {"instance": "/do/1/book", "detail": "other"}},
    {"version": 9},
)
OF_THE_DECISION = ({"value": {"reference": "THEIRS"}}, {"reason": "other"}, {"decision": "skip"})


@pytest.fixture
def asked(cast: Cast, bench: Bench, now: Any) -> Intent:
    """Rosa enters a result for an order of 178.95; two people decide from 100 on."""
    case = Case.objects.get(run_id=bench.fail().pk)
    actions.set_limit(minor=10_000, currency="GBP", actor=cast.actor(cast.owner), now=NOW)
    intent = actions.put_decision(
        case_id=case.pk, decision="complete", value={"reference": "SO-7"}, actor=cast.actor(cast.reviewer),
        now=NOW, undo=True,
    ).intent  # fmt: skip
    assert intent is not None
    return intent


def changed(intent: Intent, change: dict[str, Any]) -> None:
    """Somebody changes a part of it behind the portal's back."""
    if change in OF_THE_CASE:
        Case.objects.filter(pk=intent.case_id).update(**change)
    else:
        Intent.objects.filter(pk=intent.pk).update(**change)


@pytest.mark.parametrize("change", [*OF_THE_CASE, *OF_THE_DECISION], ids=str)
def test_what_changes_before_the_second_person_agrees_is_not_agreed_to(
    cast: Cast, asked: Intent, change: dict[str, Any]
) -> None:
    changed(asked, change)
    with pytest.raises(CaseChanged):
        actions.agree(intent_id=asked.pk, digest=asked.digest, actor=cast.actor(cast.colleague), now=NOW)


@pytest.mark.parametrize("change", [*OF_THE_CASE, *OF_THE_DECISION], ids=str)
def test_what_changes_after_that_is_not_sent(cast: Cast, asked: Intent, change: dict[str, Any]) -> None:
    actions.agree(intent_id=asked.pk, digest=asked.digest, actor=cast.actor(cast.colleague), now=NOW)
    changed(asked, change)
    Intent.objects.filter(pk=asked.pk).update(carry_at=Now() - timedelta(seconds=1))
    pending.carry_out(asked.pk, now=NOW)
    asked.refresh_from_db()
    assert asked.state == "refused"
    assert Run.objects.get(pk=asked.case.run_id).status == "suspended"


def test_what_stays_as_it_was_shown_is_sent(cast: Cast, asked: Intent) -> None:
    actions.agree(intent_id=asked.pk, digest=asked.digest, actor=cast.actor(cast.colleague), now=NOW)
    Intent.objects.filter(pk=asked.pk).update(carry_at=Now() - timedelta(seconds=1))
    pending.carry_out(asked.pk, now=NOW)
    asked.refresh_from_db()
    assert asked.state == "done"
