"""Decisions that are about to be carried out or wait for a second person, and from which amount on they do."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Case as Either
from django.db.models import When

from automations.inbox.enums import PENDING, Decide, IntentState
from automations.inbox.models import Case, Intent, Limits

Json = Any
BEYOND_ONE = frozenset({Decide.EDIT, Decide.SKIP, Decide.COMPLETE, Decide.RESOLVE})
"""What takes a second person above the limit: whatever lets money go on otherwise than the workflow had it."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A decision that was taken and is not carried out."""

    id: UUID
    public_id: str
    decision: Decide
    value: Json
    reason: str
    state: IntentState
    digest: str
    first: str
    first_id: UUID | None
    second: str
    second_id: UUID | None
    at: datetime
    carry_at: datetime | None
    error: str


def pending_of(case_id: UUID) -> Pending | None:
    """What is about to become of a case; else the last decision on it, if that could not be carried out."""
    first = Either(When(state__in=PENDING, then=0), default=1)
    one = Intent.objects.filter(case_id=case_id).order_by(first, "-at", "-id").first()
    if one is None or (
        one.state not in PENDING and one.state not in (IntentState.REFUSED, IntentState.DECLINED)
    ):
        return None
    return Pending(
        id=one.id,
        public_id=one.public_id,
        decision=Decide(one.decision),
        value=one.value,
        reason=one.reason,
        state=IntentState(one.state),
        digest=one.digest,
        first=one.first,
        first_id=one.first_id,
        second=one.second,
        second_id=one.second_id,
        at=one.at,
        carry_at=one.carry_at,
        error=one.error,
    )


def asked_among(keys: Iterable[UUID]) -> set[UUID]:
    """Those of these cases about which a second person is asked."""
    found = Intent.objects.filter(case_id__in=list(keys), state=IntentState.ASKED)
    return set(found.values_list("case_id", flat=True))


def limit() -> tuple[int, str] | None:
    """(minor units, currency) from which on a decision takes a second person."""
    row = Limits.objects.filter(pk=1).first()
    return (row.two_from_minor, row.currency) if row and row.two_from_minor is not None else None


def takes_two(case: Case, decision: Decide | str) -> bool:
    """Whether one person is too few. An amount in another currency than the limit's is taken for one above it."""
    found = limit()
    if found is None or decision not in BEYOND_ONE or case.value_minor is None:
        return False
    if decision == Decide.RESOLVE and case.run_id is None:
        return False
    minor, currency = found
    return case.currency != currency or case.value_minor >= minor


def digest_of(case: Case, decision: Decide, value: Json, reason: str) -> str:
    """One number for everything that a second person agrees to: it changes with any of it."""
    told = [
        str(case.id),
        case.version,
        case.step,
        case.business_key,
        case.value_minor,
        case.currency,
        case.facts,
        case.error,
        decision.value,
        value,
        reason,
    ]
    # by name, since the database keeps the members of an object in an order of its own
    text = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
