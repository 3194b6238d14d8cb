"""Reads of bulk acts: which runs a filter means, of what causes they are, and what became of each."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Final, Self
from uuid import UUID

from django.db.models import Count, Max, Min, QuerySet

from automations.engine.enums import BulkAct, BulkState, ItemState, RunStatus
from automations.engine.models import Bulk, BulkItem, Run, Workflow
from automations.engine.queries.runs import runs
from kernel import clock

Json = Any
ACTED_ON: Final[Mapping[str, tuple[str, ...]]] = {
    BulkAct.RETRY: (RunStatus.SUSPENDED,),
    BulkAct.SKIP: (RunStatus.SUSPENDED,),
    BulkAct.CANCEL: (RunStatus.SUSPENDED, RunStatus.WAITING),
    BulkAct.MIGRATE: (RunStatus.SUSPENDED, RunStatus.WAITING),
}
"""In which statuses runs may be acted on so."""
_GROUPS: Final = 12


@dataclass(frozen=True)
class RunFilter:
    """Which runs are meant; what is empty does not narrow. `error` is the last word of the error's type.

    `alike` is the fingerprint of their cases; which runs these are, whoever asks says in `among`, since the engine
    knows no cases.
    """

    workflow: UUID | None = None
    status: str = ""
    step: str = ""
    error: str = ""
    code: int = 0
    business_key: str = ""
    since: datetime | None = None
    until: datetime | None = None
    alike: str = ""
    among: Sequence[UUID] = ()

    def stored(self) -> dict[str, Json]:
        """As a bulk act keeps it and the audit shows it: only what narrows."""
        kept = {name: value for name, value in asdict(self).items() if value and name != "among"}
        return {name: _plain(value) for name, value in kept.items()}

    def narrowed_to(self) -> Workflow | None:
        """The one workflow whose runs are meant; None if those of several may be."""
        return Workflow.objects.filter(pk=self.workflow).first() if self.workflow else None

    @classmethod
    def read(cls, stored: Mapping[str, Json]) -> Self:
        """What was stored."""
        found = cls(**{name: value for name, value in stored.items() if name not in _TYPED})
        typed = {name: _TYPED[name](value) for name, value in stored.items() if name in _TYPED}
        return replace(found, **typed)


_TYPED: Final[Mapping[str, Any]] = {
    "workflow": UUID,
    "since": clock.parse_rfc3339,
    "until": clock.parse_rfc3339,
}


def _plain(value: Json) -> Json:
    if isinstance(value, UUID):
        return str(value)
    return clock.rfc3339(value) if isinstance(value, datetime) else value


def matching(wanted: RunFilter, act: str, *, pinned_not_to: UUID | None = None) -> "QuerySet[Run]":
    """The runs that are meant and that `act` can be done to, in the order in which they began.

    `pinned_not_to`: without those that run by this version already.
    """
    allowed = ACTED_ON[act]
    found = runs(
        status=[one for one in allowed if wanted.status in ("", one)] or ["none"],
        workflow_id=wanted.workflow,
        business_key=wanted.business_key,
        since=wanted.since,
        until=wanted.until,
    )
    if wanted.step:
        found = found.filter(step=wanted.step)
    if wanted.error:
        found = found.filter(error__type__endswith=f"/{wanted.error}")
    if wanted.code:
        found = found.filter(error__status=wanted.code)
    if wanted.alike:
        found = found.filter(pk__in=wanted.among)
    if pinned_not_to is not None:
        found = found.exclude(definition_id=pinned_not_to)
    return found.order_by("started_at", "id")


def standing_elsewhere(workflow: Workflow) -> int:
    """How many runs of a workflow stand still on other versions than its present one."""
    wanted = RunFilter(workflow=workflow.id)
    return matching(wanted, BulkAct.MIGRATE, pinned_not_to=workflow.definition_id).count()


@dataclass(frozen=True, slots=True)
class Cause:
    """Matching runs that stand at one step for one reason."""

    workflow_id: UUID
    step: str
    error: str
    code: int
    number: int


@dataclass(frozen=True, slots=True)
class Preview:
    """What a bulk act would be done to: how many runs of how many orders, since when, and for which causes."""

    number: int
    keys: int
    oldest: datetime | None
    newest: datetime | None
    causes: Sequence[Cause]


def preview(wanted: RunFilter, act: str, *, pinned_not_to: UUID | None = None) -> Preview:
    """Count what matches before anything moves."""
    found = matching(wanted, act, pinned_not_to=pinned_not_to).order_by()
    whole = found.aggregate(
        n=Count("id"), keys=Count("business_key", distinct=True), old=Min("started_at"), new=Max("started_at")
    )
    rows = (
        found.values_list("workflow_id", "step", "error__type", "error__status")
        .annotate(n=Count("id"))
        .order_by("-n", "step")[:_GROUPS]
    )
    causes = [
        Cause(workflow, step, str(kind or "").rsplit("/", 1)[-1], int(code or 0), n)
        for workflow, step, kind, code, n in rows
    ]
    return Preview(whole["n"], whole["keys"], whole["old"], whole["new"], causes)


@dataclass(frozen=True, slots=True)
class BulkView:
    """A bulk act and how far it is; `counts` has every state of its runs."""

    row: Bulk
    counts: Mapping[str, int]

    @property
    def through(self) -> int:
        """Runs of which it is known what became of them."""
        return self.row.total - self.counts[ItemState.WAITING] - self.counts[ItemState.SENT]

    @property
    def trouble(self) -> int:
        """Runs with which it did not work out."""
        return sum(self.counts[state] for state in (ItemState.FAILED, ItemState.REFUSED, ItemState.HELD))

    @property
    def share(self) -> float:
        """How much of it is through, from 0 to 1."""
        return self.through / self.row.total if self.row.total else 1.0

    @property
    def moving(self) -> bool:
        """Whether its figures may still change."""
        running = self.row.state == BulkState.RUNNING
        return running or (self.row.state == BulkState.STOPPED and self.counts[ItemState.SENT] > 0)


def bulks() -> "QuerySet[Bulk]":
    """Bulk acts, newest first."""
    return Bulk.objects.order_by("-created_at", "-id")


def bulk_views(rows: Sequence[Bulk]) -> list[BulkView]:
    """These acts with how far they are; one statement for all."""
    keys = [row.id for row in rows]
    counted: dict[UUID, dict[str, int]] = {key: dict.fromkeys(ItemState.values, 0) for key in keys}
    for key, state, n in (
        BulkItem.objects.filter(bulk_id__in=keys)
        .values_list("bulk_id", "state")
        .annotate(n=Count("position"))
        .order_by()
    ):
        counted[key][state] = n
    return [BulkView(row, counted[row.id]) for row in rows]


def bulk_view(key: UUID) -> BulkView:
    """One bulk act. Raises Bulk.DoesNotExist."""
    return bulk_views([Bulk.objects.get(pk=key)])[0]


def bulk_items(key: UUID, *, states: Sequence[str] = (), after: int = -1) -> "QuerySet[BulkItem]":
    """The runs of a bulk act behind place `after`, in order; only those in one of `states`."""
    found = BulkItem.objects.filter(bulk_id=key, position__gt=after)
    if states:
        found = found.filter(state__in=states)
    return found.order_by("position")
