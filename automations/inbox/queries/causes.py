"""Cases of one cause: as groups, as heaps that stand for them in a list, and the runs behind them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Max, Min

from automations.inbox import registry
from automations.inbox.contract import Words
from automations.inbox.models import Case
from automations.inbox.queries.listing import HEAP, CaseFilter, CaseRow, money, one_currency, rows


@dataclass(frozen=True, slots=True)
class Group:
    """Open cases of one cause: how many, how much money, since when, the most urgent due time, and one of them."""

    fingerprint: str
    number: int
    kind: str
    label: Words
    title: str
    workflow_id: UUID | None
    step: str
    value_minor: int | None
    currency: str
    since: datetime
    last: datetime
    due_at: datetime


def heaps(wanted: CaseFilter, found: Sequence[CaseRow], *, now: datetime) -> dict[UUID, Group]:
    """By the key of a row of a heaped list, the heap that it stands for; one statement more than none."""
    keys = {row.fingerprint for row in found}
    matching = rows(wanted, now).filter(fingerprint__in=keys, of_run=True)
    by_cause = {one.fingerprint: one for one in _grouped(matching, HEAP, len(keys))} if keys else {}
    return {row.id: by_cause[row.fingerprint] for row in found if row.fingerprint in by_cause}


def groups(wanted: CaseFilter, *, now: datetime, least: int = 1, limit: int = 100) -> list[Group]:
    """Matching cases by cause, the largest group first; only groups of at least `least` cases."""
    return _grouped(rows(wanted, now), least, limit)


def _grouped(matching: Any, least: int, limit: int) -> list[Group]:
    found = (
        matching.values("fingerprint")
        .annotate(
            size=Count("id"),
            **money(),
            since=Min("opened_at"),
            last=Max("opened_at"),
            due=Min("due_at"),
            newest=Max("number"),
        )
        .filter(size__gte=least)
        .order_by("-size", "fingerprint")[:limit]
    )
    groups_ = [one_currency(one) for one in found]
    samples = {row.number: row for row in Case.objects.filter(number__in=[one["newest"] for one in groups_])}
    return [_group(one, samples[one["newest"]]) for one in groups_ if one["newest"] in samples]


def _group(found: dict[str, Any], sample: Case) -> Group:
    return Group(
        fingerprint=found["fingerprint"],
        number=found["size"],
        kind=sample.type,
        label=registry.kind(sample.type, of_run=sample.of_run).label,
        title=sample.title,
        workflow_id=sample.workflow_id,
        step=sample.step,
        value_minor=found["value_minor"],
        currency=found["currency"],
        since=found["since"],
        last=found["last"],
        due_at=found["due"],
    )


def runs_alike(fingerprint: str, *, limit: int = 20_001) -> list[UUID]:
    """The runs behind open cases of one cause, the oldest case first."""
    found = Case.objects.open().filter(fingerprint=fingerprint, of_run=True, run_id__isnull=False)
    keys = found.order_by("opened_at", "id").values_list("run_id", flat=True)[:limit]
    return [key for key in keys if key is not None]
