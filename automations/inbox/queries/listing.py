"""The inbox as a list: filters, sorts, pages by cursor, the numbers on the chips, and groups of one cause."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q, Sum, Window
from django.db.models.functions import RowNumber

from automations.events.queries import Page
from automations.inbox import registry
from automations.inbox.contract import Words
from automations.inbox.enums import CaseState, IntentState, Severity
from automations.inbox.models import Case, Intent
from kernel import jsonx
from kernel.errors import Invalid

PAGE: Final = 50
HEAP: Final = 5
"""So many open failures of one cause are one row."""
SORTS: Final = ("due", "money", "newest", "closed")
_SHOWN: Final = (
    "id",
    "number",
    "kind",
    "error_class",
    "severity",
    "state",
    "title",
    "of_run",
    "run_id",
    "workflow_id",
    "step",
    "business_key",
    "value_minor",
    "currency",
    "fingerprint",
    "due_at",
    "snoozed_until",
    "assignee_id",
    "assignee",
    "opened_at",
    "reopened",
    "closed_at",
    "closed_how",
    "closed_by",
    "outcome",
    "version",
)


@dataclass(frozen=True)
class CaseFilter:
    """What cases must be; empty means any. `state` is open (awake), snoozed, resolving, closed or all.

    `kind` is a code of the catalogue (`run_failed.connection`, `delivery_late`), or `run_failed` for every failure.
    """

    state: str = "open"
    assignee: UUID | None = None
    unassigned: bool = False
    past_due: bool = False
    kind: str = ""
    severity: str = ""
    workflow: UUID | None = None
    business_key: str = ""
    fingerprint: str = ""
    closed_how: str = ""
    text: str = ""
    open_at: datetime | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case as the list shows it; `late` says that its due time is over, `money` is in minor units."""

    id: UUID
    public_id: str
    code: str
    kind: str
    label: Words
    severity: Severity
    state: CaseState
    title: str
    run_id: UUID | None
    workflow_id: UUID | None
    step: str
    business_key: str
    value_minor: int | None
    currency: str
    fingerprint: str
    due_at: datetime
    late: bool
    snoozed_until: datetime | None
    assignee_id: UUID | None
    assignee: str
    opened_at: datetime
    reopened: int
    closed_at: datetime | None
    closed_how: str
    closed_by: str
    outcome: str
    version: int


@dataclass(frozen=True, slots=True)
class Counts:
    """The numbers on the chips: open and awake, mine, past due, snoozed, being resolved, by severity."""

    open: int
    mine: int
    past_due: int
    snoozed: int
    resolving: int
    second: int
    critical: int
    high: int
    normal: int
    value_minor: int | None
    currency: str


def rows(wanted: CaseFilter, now: datetime) -> Any:
    """The cases that match every given filter, in no order."""
    found = _in_state(Case.objects.all(), wanted.state, now).order_by()
    if wanted.kind:
        kind, _, error_class = wanted.kind.partition(".")
        found = found.filter(kind=kind)
        if error_class:
            found = found.filter(error_class=error_class)
    if wanted.unassigned:
        found = found.filter(assignee_id__isnull=True)
    if wanted.past_due:
        found = found.past_due(now)
    if wanted.open_at:
        found = found.open_at(wanted.open_at)
    if wanted.text:
        found = found.filter(_text(wanted.text))
    exact: dict[str, Any] = {
        "assignee_id": wanted.assignee,
        "severity": wanted.severity or None,
        "workflow_id": wanted.workflow,
        "business_key": wanted.business_key or None,
        "fingerprint": wanted.fingerprint or None,
        "closed_how": wanted.closed_how or None,
        "opened_at__gte": wanted.since,
        "opened_at__lt": wanted.until,
    }
    return found.filter(**{name: value for name, value in exact.items() if value is not None})


def _in_state(found: Any, state: str, now: datetime) -> Any:
    if state == "all":
        return found
    if state == "closed":
        return found.filter(closed_at__isnull=False)
    if state == "snoozed":
        return found.open().filter(snoozed_until__gt=now)
    if state == "resolving":
        return found.open().filter(Q(state=CaseState.RESOLVING) | decided(IntentState.WAITING))
    if state == "second":
        return found.open().filter(decided(IntentState.ASKED))
    if state == "open":
        return found.open().filter(~decided(IntentState.WAITING), state=CaseState.OPEN).awake(now)
    raise Invalid(fields={"state": [f"{state} is no state to filter by."]})


def decided(state: IntentState) -> Q:
    """Cases with a decision in this state that is not carried out."""
    return Q(Exists(Intent.objects.filter(case_id=OuterRef("pk"), state=state)))


def _text(text: str) -> Q:
    """Title, cause, order, and the code that people say (EX-1042)."""
    found = Q(title__icontains=text) | Q(cause__icontains=text) | Q(business_key__icontains=text)
    number = text.strip().upper().removeprefix("EX-")
    return found | Q(number=int(number)) if number.isdigit() and len(number) < 18 else found


def cases(
    wanted: CaseFilter,
    *,
    now: datetime,
    sort: str = "",
    after: str = "",
    limit: int = PAGE,
    heaped: bool = False,
) -> Page[CaseRow]:
    """A page of cases, most urgent first (`due`), most money first, newest or last closed first.

    `heaped`: of many failures of one cause only the first in this order; `heaps` tells how many it stands for.
    Closed ones are sorted by their closing unless asked otherwise. Raises Invalid for a sort or `after` that is none.
    """
    sort = sort or ("closed" if wanted.state == "closed" else "due")
    if sort not in SORTS:
        raise Invalid(fields={"sort": [f"{sort} is no order of cases."]})
    matching = rows(wanted, now)
    if heaped:
        matching = Case.objects.filter(pk__in=_heads(matching, sort))
    found = _behind(matching, sort, after).order_by(*_ORDERS[sort]).only(*_SHOWN)[: limit + 1]
    items = list(found)
    last = _cursor(items[limit - 1], sort) if len(items) > limit else ""
    return Page(tuple(row_of(case, now) for case in items[:limit]), last)


def _heads(matching: Any, sort: str) -> Any:
    """The keys of what stands in a heaped list: each case by itself, but for heaps only the first of each."""
    ranked = matching.annotate(
        place=Window(RowNumber(), partition_by="fingerprint", order_by=_ORDERS[sort]),
        size=Window(Count("id"), partition_by="fingerprint"),
    )
    return ranked.filter(Q(of_run=False) | Q(place=1) | Q(size__lt=HEAP)).values("pk")


def case_ids(wanted: CaseFilter, *, now: datetime, limit: int = 10_000) -> list[UUID]:
    """The keys of every case that matches, oldest first: what “select all that match” means."""
    return list(rows(wanted, now).order_by("opened_at", "id").values_list("id", flat=True)[:limit])


def rows_of(keys: Sequence[UUID], *, now: datetime) -> list[CaseRow]:
    """The cases with these keys, oldest first."""
    found = Case.objects.filter(pk__in=keys).order_by("opened_at", "id").only(*_SHOWN)
    return [row_of(case, now) for case in found]


def row_of(case: Case, now: datetime) -> CaseRow:
    """The frozen form of a case."""
    return CaseRow(
        id=case.id,
        public_id=case.public_id,
        code=case.code,
        kind=case.type,
        label=registry.kind(case.type, of_run=case.of_run).label,
        severity=Severity(case.severity),
        state=CaseState(case.state),
        title=case.title,
        run_id=case.run_id,
        workflow_id=case.workflow_id,
        step=case.step,
        business_key=case.business_key,
        value_minor=case.value_minor,
        currency=case.currency,
        fingerprint=case.fingerprint,
        due_at=case.due_at,
        late=case.closed_at is None and case.due_at < now,
        snoozed_until=case.snoozed_until,
        assignee_id=case.assignee_id,
        assignee=case.assignee,
        opened_at=case.opened_at,
        reopened=case.reopened,
        closed_at=case.closed_at,
        closed_how=case.closed_how,
        closed_by=case.closed_by,
        outcome=case.outcome,
        version=case.version,
    )


def counts(*, now: datetime, mine: UUID | None = None) -> Counts:
    """The numbers on the chips, in one statement; no money where it is in several currencies."""
    waiting = Q(leaving=True)
    awake = Q(state=CaseState.OPEN, leaving=False) & (
        Q(snoozed_until__isnull=True) | Q(snoozed_until__lte=now)
    )
    marked = Case.objects.open().annotate(
        leaving=decided(IntentState.WAITING), asked=decided(IntentState.ASKED)
    )
    found = marked.aggregate(
        open=Count("id", filter=awake),
        mine=Count("id", filter=awake & Q(assignee_id=mine)) if mine else Count("id", filter=Q(pk__in=[])),
        past_due=Count("id", filter=awake & Q(due_at__lt=now)),
        snoozed=Count("id", filter=Q(snoozed_until__gt=now)),
        resolving=Count("id", filter=Q(state=CaseState.RESOLVING) | waiting),
        second=Count("id", filter=Q(asked=True)),
        **{one: Count("id", filter=awake & Q(severity=one)) for one in Severity.values},
        **money(awake),
    )
    return Counts(**one_currency(found))


def money(which: Q | None = None) -> dict[str, Any]:
    """What to ask for about money: the sum, and whether it is in one currency."""
    valued = Q(value_minor__isnull=False) & which if which is not None else Q(value_minor__isnull=False)
    return {
        "money": Sum("value_minor", filter=valued),
        "first": Min("currency", filter=valued),
        "other": Max("currency", filter=valued),
    }


def one_currency(found: dict[str, Any]) -> dict[str, Any]:
    """`found` with its money, or without where amounts in several currencies would have been added up."""
    money, first, other = found.pop("money"), found.pop("first"), found.pop("other")
    if first != other:
        return found | {"value_minor": None, "currency": ""}
    return found | {"value_minor": money or 0, "currency": first or ""}


def kinds_seen() -> Sequence[tuple[str, Words]]:
    """(code, label) of every kind of which there is a case, for a menu."""
    found = (
        Case.objects.order_by("kind", "error_class").values_list("kind", "error_class", "of_run").distinct()
    )
    codes = {(f"{kind}.{error}" if error else kind): of_run for kind, error, of_run in found}
    return [(code, registry.kind(code, of_run=of_run).label) for code, of_run in codes.items()]


# pages

_ORDERS: Final[dict[str, tuple[Any, ...]]] = {
    "due": ("due_at", "id"),
    "money": (F("value_minor").desc(nulls_last=True), "-id"),
    "newest": ("-opened_at", "-id"),
    "closed": ("-closed_at", "-id"),
}
_FIELDS: Final = {"due": "due_at", "money": "value_minor", "newest": "opened_at", "closed": "closed_at"}


def _behind(found: Any, sort: str, after: str) -> Any:
    """The rows behind a cursor; written so that the index of the sort serves it."""
    if not after:
        return found
    value, key = _read_cursor(after, sort)
    name = _FIELDS[sort]
    if sort == "due":
        return found.filter(due_at__gte=value).filter(Q(due_at__gt=value) | Q(id__gt=key))
    if value is None:  # among those without money
        return found.filter(value_minor__isnull=True, id__lt=key)
    behind = found.filter(
        Q(**{f"{name}__lt": value}) | Q(**{name: value}, id__lt=key) | Q(**{f"{name}__isnull": True})
    )
    return behind if sort == "money" else behind.filter(**{f"{name}__lte": value})


def _cursor(case: Case, sort: str) -> str:
    value = getattr(case, _FIELDS[sort])
    text = jsonx.dumps([sort, value, case.id])
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def _read_cursor(text: str, sort: str) -> tuple[Any, UUID]:
    try:
        made_for, value, key = jsonx.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if made_for != sort:
            raise ValueError(made_for)
        at = value if sort == "money" else datetime.fromisoformat(value)
        return at, UUID(key)
    except (ValueError, TypeError, binascii.Error) as error:
        raise Invalid(fields={"after": ["This is no place in the list."]}) from error
