"""Making cases: what a fact says, what is known of its run, and the plain words that follow from both."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from automations.connectors.models import Connection
from automations.engine import queries as engine
from automations.engine.models import Definition, Workflow
from automations.events.models import Event
from automations.inbox import registry
from automations.inbox.catalog import words
from automations.inbox.contract import Trouble, failures
from automations.inbox.contract.steps import step_title
from automations.inbox.enums import FAILED, GENERIC, Severity
from automations.inbox.models import Case
from kernel.clock import rfc3339

Json = Any
_DIGITS = re.compile(r"\d+")


@dataclass(slots=True)
class Background:
    """What is known of the runs that facts are about: read once for a batch."""

    runs: dict[UUID, Any] = field(default_factory=dict)
    workflows: dict[UUID, Workflow] = field(default_factory=dict)
    connections: dict[str, str] = field(default_factory=dict)
    documents: dict[UUID, Json] = field(default_factory=dict)
    event_types: dict[UUID, str] = field(default_factory=dict)

    @classmethod
    def of(cls, runs: Iterable[UUID], failed: Iterable[UUID]) -> "Background":
        """About `runs`; of those among them that failed also what their words need."""
        wanted = list(runs)
        if not wanted:
            return cls()
        columns = (
            "id",
            "workflow_id",
            "definition_id",
            "event_id",
            "business_key",
            "value_minor",
            "currency",
        )
        rows = engine.runs().filter(id__in=wanted).values(*columns)
        found = cls(runs={row["id"]: row for row in rows})
        keys = {row["workflow_id"] for row in found.runs.values()}
        found.workflows = Workflow.objects.in_bulk(keys)
        broken = [found.runs[run] for run in failed if run in found.runs]
        if broken:
            found._read_more(broken)
        return found

    def _read_more(self, broken: list[Any]) -> None:
        chosen = {
            key
            for row in broken
            if row["workflow_id"] in self.workflows
            for key in self.workflows[row["workflow_id"]].connections.values()
            if key
        }
        names = Connection.objects.filter(id__in=chosen).values_list("id", "name")
        self.connections = {str(key): name for key, name in names}
        documents = Definition.objects.filter(id__in={row["definition_id"] for row in broken})
        self.documents = dict(documents.values_list("id", "document"))
        events = Event.objects.filter(id__in={row["event_id"] for row in broken if row["event_id"]})
        self.event_types = dict(events.values_list("id", "type"))

    def systems(self, run: UUID | None) -> dict[str, str]:
        """Alias in the definition to the name of the connection that is chosen for it."""
        row = self.runs.get(run) if run else None
        workflow = self.workflows.get(row["workflow_id"]) if row else None
        chosen = workflow.connections if workflow else {}
        return {alias: self.connections.get(str(key), "") for alias, key in chosen.items()}

    def step_title(self, run: UUID | None, ref: str) -> str:
        """What the definition calls a step, else its name: the last part of its pointer."""
        row = self.runs.get(run) if run else None
        return step_title(self.documents.get(row["definition_id"]) if row else None, ref)


def describe_failure(case: Case, data: Mapping[str, Json], known: Background) -> None:
    """Write into `case` what its run failed on, in plain words of the language that is switched on."""
    error: Mapping[str, Json] = data.get("error") or {}
    problems = failures.problems_of(error)
    case.kind = failures.own_kind(error)
    case.error_class = failures.classify(error, problems) if case.kind == FAILED else ""
    case.step = str(data.get("task") or error.get("instance") or "")[:200]
    case.error = dict(error)
    row = known.runs.get(case.run_id) if case.run_id else None
    system = words.system_name(error, known.systems(case.run_id))
    said = failures.said(error) or ("" if system else str(error.get("title") or ""))
    trouble = Trouble(
        system=system,
        thing=words.thing(known.event_types.get(row["event_id"], "") if row else "", case.business_key),
        step=known.step_title(case.run_id, case.step),
        status=failures.status_answered(error),
        detail=said,
        problems=problems,
        retry_after=_number(error.get("retryAfter")),
        own_title=str(error.get("title") or "") if case.kind != FAILED else "",
        own_cause=said,
    )
    kind = registry.kind(case.type, of_run=True)
    case.title = _title(trouble, str(kind.title))
    case.cause = kind.cause(trouble)
    if error.get("limit") == "hops" and case.run_id:
        case.cause = f"{case.cause} {_began(case.run_id)}".rstrip()
    case.severity = kind.severity
    places = sorted({_DIGITS.sub("#", one.pointer) for one in problems})
    case.fingerprint = _fingerprint(
        case.type,
        case.workflow_id,
        case.step,
        str(error.get("limit") or error.get("type") or ""),
        error.get("status"),
        *places,
    )


def _began(run_id: UUID) -> str:
    """What the chain of runs and events began with that led to a run."""
    first = engine.first_event_of_run(run_id)
    if first is None:
        return ""
    return _("It began with the event %(type)s %(subject)s of %(time)s (%(id)s).") % {
        "type": first.type,
        "subject": first.subject,
        "time": rfc3339(first.received_at.replace(microsecond=0)),
        "id": first.public_id,
    }


def describe_request(case: Case, data: Mapping[str, Json]) -> None:
    """Write into `case` what a workflow asked for; its own words come first."""
    case.kind = str(data.get("kind") or GENERIC)[:60]
    case.error_class = ""
    case.step = str(data.get("task") or "")[:200]
    case.facts = data.get("facts")
    kind = registry.kind(case.kind)
    trouble = Trouble(
        thing=words.thing("", case.business_key),
        own_title=str(data.get("title") or ""),
        own_cause=str(data.get("cause") or ""),
    )
    case.title = _title(trouble, str(kind.title))
    case.cause = kind.cause(trouble)
    asked = str(data.get("severity") or "")
    case.severity = asked if asked in Severity.values else kind.severity
    case.fingerprint = _fingerprint(case.kind, case.workflow_id, case.step)


def due(case: Case, data: Mapping[str, Json], at: datetime) -> datetime:
    """When a case that opens at `at` has to be settled: as the workflow says, else as its kind has it."""
    hours = data.get("dueInHours")
    if isinstance(hours, bool) or not isinstance(hours, (int, float)) or hours < 0:
        hours = registry.kind(case.type, of_run=case.of_run).sla_hours
    return at + timedelta(hours=min(float(hours), 24 * 366))


def set_money(case: Case, data: Mapping[str, Json], known: Background) -> None:
    """The money at risk: what the fact says, else what the run is about."""
    amount, row = _number(data.get("amountMinor")), known.runs.get(case.run_id) if case.run_id else None
    if amount is not None:
        case.value_minor, case.currency = amount, str(data.get("currency") or "")[:3]
    elif row:
        case.value_minor, case.currency = row["value_minor"], row["currency"]


def _title(trouble: Trouble, pattern: str) -> str:
    text = trouble.own_title or pattern.format(
        system=trouble.system or _("The workflow"),
        thing=trouble.thing,
        what=words.what(trouble),
        step=trouble.step,
    )
    text = f"{text[:1].upper()}{text[1:]}"
    return text if len(text) <= 200 else f"{text[:199]}…"


def _number(value: Json) -> int | None:
    return int(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _fingerprint(*parts: object) -> str:
    return hashlib.blake2b("\x1f".join(str(part) for part in parts).encode(), digest_size=16).hexdigest()
