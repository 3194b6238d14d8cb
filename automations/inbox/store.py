"""The SQL of the inbox's hot path: cases of a whole batch read, written and numbered in one statement each."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.db.models import Max, Q

from automations.inbox.models import Case, Closing, Decision
from kernel import jsonx, locks
from tenants.tenancy import context

FIRST_NUMBER: Final = 1_001
REMEMBER: Final = timedelta(days=30)
"""How long a closing waits for its opening."""

_FIELDS: Final = tuple((str(field.column), field.attname) for field in Case._meta.concrete_fields)
_COLUMNS: Final = ", ".join(column for column, _ in _FIELDS)
_FIXED: Final = frozenset({"id", "key", "number"})
_CHANGED: Final = ", ".join(f"{column} = rows.{column}" for column, _ in _FIELDS if column not in _FIXED)
_INSERT: Final = f"""
insert into inbox_case ({_COLUMNS}) select {_COLUMNS} from jsonb_populate_recordset(null::inbox_case, %s::jsonb)
"""
_UPDATE: Final = f"""
update inbox_case as old set {_CHANGED}
from jsonb_populate_recordset(null::inbox_case, %s::jsonb) as rows where old.id = rows.id
"""
_SETTLE: Final = """
update inbox_decision as d set outcome = rows.outcome, outcome_at = rows.at
from jsonb_to_recordset(%s::jsonb) as rows(case_id uuid, outcome text, at timestamptz)
where d.case_id = rows.case_id and d.outcome = 'pending'
"""
_KEEP: Final = """
insert into inbox_closing (key, seq, at, how, by, outcome)
select key, seq, at, how, by, outcome from jsonb_populate_recordset(null::inbox_closing, %s::jsonb)
on conflict (key) do update set seq = excluded.seq, at = excluded.at, how = excluded.how, by = excluded.by,
  outcome = excluded.outcome
where inbox_closing.seq < excluded.seq
"""


def hold(keys: Iterable[str], runs: Iterable[UUID]) -> list[Case]:
    """The cases of these keys and the failures of these runs, locked to the end of the transaction."""
    wanted = Q(key__in=list(keys)) | Q(run_id__in=list(runs), of_run=True)
    return list(Case.objects.select_for_update().filter(wanted).order_by("id"))


def closings(keys: Iterable[str]) -> dict[str, Closing]:
    """Closings that came before their openings, by key."""
    return {row.key: row for row in Closing.objects.filter(key__in=list(keys))}


def insert(cases: Sequence[Case]) -> None:
    """Store new cases and number them, in their order, without a gap."""
    if not cases:
        return
    locks.lock_until_commit("inbox.number", context.current().id)
    last = Case.objects.aggregate(last=Max("number"))["last"] or FIRST_NUMBER - 1
    for number, case in enumerate(cases, last + 1):
        case.number = number
    _run(_INSERT, [_row(case) for case in cases])


def update(cases: Sequence[Case]) -> None:
    """Write cases that `hold` gave."""
    if cases:
        _run(_UPDATE, [_row(case) for case in cases])


def settle_decisions(outcomes: Mapping[UUID, tuple[str, datetime]]) -> None:
    """Say of the decisions on these cases, by case, whether they worked and when that was known."""
    if outcomes:
        _run(
            _SETTLE,
            [{"case_id": key, "outcome": outcome, "at": at} for key, (outcome, at) in outcomes.items()],
        )


def keep_closings(found: Sequence[Closing]) -> None:
    """Remember closings until their openings come; those that waited too long are forgotten."""
    if not found:
        return
    now = max(row.at for row in found)
    names = ("key", "seq", "at", "how", "by", "outcome")
    _run(_KEEP, [{name: getattr(row, name) for name in names} for row in found])
    Closing.objects.filter(at__lt=now - REMEMBER).delete()


def add_decisions(decisions: Sequence[Decision]) -> None:
    """Store decisions."""
    if decisions:
        Decision.objects.bulk_create(decisions)


def _row(case: Case) -> dict[str, Any]:
    return {column: getattr(case, attname) for column, attname in _FIELDS}


def _run(statement: str, rows: list[dict[str, Any]]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, [jsonx.dumps(rows).decode()])
