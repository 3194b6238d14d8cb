"""A42: an approval by who asked for it, by somebody removed, twice, by a token, by a GET, or by waiting."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.test import Client

from automations.engine.models import Run
from automations.inbox import actions
from automations.inbox.actions import pending
from automations.inbox.errors import CaseAlreadyDecided, IntentOver, SecondIsFirst, SecondNeeded
from automations.inbox.models import Case, Intent
from kernel.actor import Actor
from kernel.errors import Forbidden
from tenants.access.models import Membership
from tests.automations.inbox.conftest import Bench, bench
from tests.portal.ui.conftest import _plain_files
from tests.support.cast import NOW, Cast

__all__ = ["_plain_files", "bench"]


@pytest.fixture
def asked(cast: Cast, bench: Bench, now: Any) -> Intent:
    """Rosa wants to skip a step of an order of 178.95; two people decide from 100 on."""
    case = Case.objects.get(run_id=bench.fail().pk)
    actions.set_limit(minor=10_000, currency="GBP", actor=cast.actor(cast.owner), now=NOW)
    intent = actions.put_decision(
        case_id=case.pk, decision="skip", actor=cast.actor(cast.reviewer), now=NOW, undo=True
    ).intent
    assert intent is not None
    return intent


def untouched(intent: Intent) -> bool:
    """The run waits as before, however long one waits."""
    Intent.objects.filter(pk=intent.pk).update(carry_at=Now() - timedelta(days=400))
    pending.carry_out(intent.pk, now=NOW + timedelta(days=400))
    return bool(Run.objects.get(pk=intent.case.run_id).status == "suspended")


def test_not_by_who_asked_and_not_even_by_sql(cast: Cast, asked: Intent) -> None:
    rosa = cast.actor(cast.reviewer)
    with pytest.raises(SecondIsFirst):
        actions.agree(intent_id=asked.pk, digest=asked.digest, actor=rosa, now=NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        Intent.objects.filter(pk=asked.pk).update(second_id=asked.first_id)
    for intent in (None, asked):
        with pytest.raises((SecondNeeded, CaseAlreadyDecided)):
            actions.decide_case(case_id=asked.case_id, decision="skip", actor=rosa, now=NOW, intent=intent)
    assert untouched(asked)


def test_not_by_a_token_of_somebody_else(cast: Cast, asked: Intent) -> None:
    token = Actor(
        kind="token", id=cast.colleague.id, label="token", permissions=frozenset({"inbox.decide"}),
        user_id=cast.colleague.id,
    )  # fmt: skip
    with pytest.raises(Forbidden):
        actions.agree(intent_id=asked.pk, digest=asked.digest, actor=token, now=NOW)
    assert untouched(asked)


@pytest.mark.parametrize("who", ["reviewer", "colleague"])
def test_not_by_somebody_who_was_removed_meanwhile(cast: Cast, asked: Intent, who: str) -> None:
    actions.agree(intent_id=asked.pk, digest=asked.digest, actor=cast.actor(cast.colleague), now=NOW)
    Membership.objects.filter(user=getattr(cast, who)).delete()
    assert untouched(asked)


def test_once(cast: Cast, asked: Intent) -> None:
    colin, owner = cast.actor(cast.colleague), cast.actor(cast.owner)
    actions.agree(intent_id=asked.pk, digest=asked.digest, actor=colin, now=NOW)
    with pytest.raises(IntentOver):
        actions.agree(intent_id=asked.pk, digest=asked.digest, actor=owner, now=NOW)
    assert not untouched(asked)
    assert pending.carry_out(asked.pk, now=NOW)
    assert asked.case.decisions.count() == 1


def test_not_by_looking_or_waiting(cast: Cast, asked: Intent, client_for: Callable[..., Client]) -> None:
    colleague = client_for(cast.colleague, cast.host)
    for tail in ("", "agree", f"agree?digest={asked.digest}", "decide/skip", "decline", "undo"):
        colleague.get(f"/inbox/{asked.case.public_id}/{tail}")
    asked.refresh_from_db()
    assert asked.state == "asked"
    assert untouched(asked)
