"""What starts by the clock, and the decision tables that runs ask."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from automations.engine.dsl import tables
from automations.engine.dsl.timing import Timing
from automations.engine.errors import TableRefused, WorkflowError
from automations.engine.models import DecisionTable, DecisionVersion, Schedule, Workflow

Json = Any


@dataclass(frozen=True, slots=True)
class TableView:
    """A decision table: the version in force, and those that come."""

    table: DecisionTable
    in_force: DecisionVersion | None
    coming: Sequence[DecisionVersion]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a table gives for an input: the output and the numbers of the rules behind it, or why there is none."""

    output: Json = None
    rules: tuple[int, ...] = ()
    error: str = ""


def schedule_of(workflow: Workflow) -> Schedule | None:
    """How far the schedule of an active workflow has come; None without one."""
    return Schedule.objects.filter(workflow=workflow).first()


def schedules() -> list[Schedule]:
    """Every schedule, the next one first."""
    return list(Schedule.objects.select_related("workflow").order_by("next_at", "id"))


def upcoming(timing: Timing, since: datetime, anchor: datetime, count: int = 5) -> list[datetime]:
    """The next instants of a schedule after `since`; none for one that counts from the end of its runs."""
    return list(islice(timing.instants(since, anchor), count))


def decision_tables(at: datetime) -> list[TableView]:
    """Every decision table as it stands at `at`."""
    found = []
    for table in DecisionTable.objects.prefetch_related("versions"):
        alive = [version for version in table.versions.all() if version.withdrawn_at is None]
        force = [version for version in alive if version.effective_from <= at]
        found.append(
            TableView(
                table=table,
                in_force=max(force, key=lambda v: (v.effective_from, v.number), default=None),
                coming=sorted((v for v in alive if v.effective_from > at), key=lambda v: v.effective_from),
            )
        )
    return found


def table_versions(name: str) -> list[DecisionVersion]:
    """Every version of a table, the newest first."""
    return list(DecisionVersion.objects.filter(table__name=name).order_by("-number"))


def try_table(document: Mapping[str, Json], given: Json) -> Verdict:
    """What a table would give, whether it is published or not. Raises TableRefused for one that cannot be."""
    table, findings = tables.read(document)
    if table is None:
        raise TableRefused(findings)
    try:
        output, rules = table.decide(given)
    except WorkflowError as error:
        return Verdict(error=str(error.body.get("detail") or error))
    return Verdict(output, tuple(rules))
