"""How far whoever asks can see: some people are let in for a few workflows, stores or regions, and not for the rest.

The door says it for the length of a request; the tables' own managers keep to it, so that no list, count or search
shows more. Where nothing is said (workers, commands, everybody else), everything is within reach.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from django.db import models

from kernel.models import Row


@dataclass(frozen=True)
class Reach:
    """`workflows`: of which workflows; `keys`: a query of the orders that count; None: of all.

    `parts` says by what an order counts: its column, and the values of which it must have one.
    """

    workflows: frozenset[UUID] | None = None
    keys: Any = None
    parts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


_present: ContextVar[Reach | None] = ContextVar("reach", default=None)


def present() -> Reach | None:
    """How far whoever asks now can see; None: everywhere."""
    return _present.get()


def narrow(found: Reach) -> None:
    """See no further than that, until the end of the `whole` around."""
    _present.set(found)


@contextmanager
def whole() -> Iterator[None]:
    """Everything is within reach inside, unless somebody says otherwise there; afterwards it is as before."""
    token = _present.set(None)
    try:
        yield
    finally:
        _present.reset(token)


_Row = TypeVar("_Row", bound=models.Model)


class ReachManager(models.Manager[_Row]):
    """Rows within reach; `columns` says which column of the table decides by what."""

    columns: ClassVar[Mapping[str, str]] = {"workflows": "workflow_id", "keys": "business_key"}

    def get_queryset(self) -> "models.QuerySet[_Row]":
        """What can be seen by whoever asks."""
        rows, found = super().get_queryset(), present()
        if found is None:
            return rows
        for dimension, column in self.columns.items():
            values = getattr(found, dimension)
            if values is not None:
                rows = rows.filter(**{f"{column}__in": values})
        return rows


class ReachOfWorkflows(ReachManager[_Row]):
    """Workflows within reach."""

    columns: ClassVar[Mapping[str, str]] = {"workflows": "pk"}


class WithinReach(Row):
    """A row that names its workflow and its business key, seen by those within whose reach both are."""

    objects = ReachManager()

    class Meta:
        abstract = True


class WorkflowWithinReach(Row):
    """A workflow, seen by those within whose reach it is."""

    objects = ReachOfWorkflows()

    class Meta:
        abstract = True
