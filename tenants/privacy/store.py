"""Walking through a tenant's tables: which columns are looked through, in what order, and what is written back."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from django.apps import apps
from django.conf import settings
from django.db import models

from kernel.persons import Person
from kernel.privacy import LOOKED_THROUGH, Holds
from tenants.privacy.registry import CODECS, GUARDS, Codec

PROOF: Final = "audit.AuditEvent"
FOREIGN: Final[dict[str, dict[str, Holds]]] = {
    "guardian.GroupObjectPermission": {"object_pk": Holds.KEY},
    "guardian.UserObjectPermission": {"object_pk": Holds.KEY},
}
"""Models of others, which cannot say it themselves."""
BUSINESS: Final = ("subject", "business_key", "order_id")
"""Columns that say which order (return, item) a row is about."""


@dataclass(frozen=True)
class Place:
    """A table and the columns of it in which a person may stand."""

    model: Any
    columns: dict[str, Codec]

    @property
    def label(self) -> str:
        """`<app>.<Model>`."""
        return str(self.model._meta.label)

    def rows(self, after: Any, most: int) -> list[Any]:
        """Up to `most` rows behind a key."""
        found = self.model._meta.base_manager.order_by("pk")
        if after is not None:
            found = found.filter(pk__gt=tuple(after) if isinstance(after, list) else after)
        return list(found[:most])

    def hits(self, row: Any, person: Person) -> dict[str, Any]:
        """The columns of a row in which somebody stands, with what they say."""
        found = {}
        for name, how in self.columns.items():
            value = how.read(row)
            if isinstance(value, str):
                if value and person.stands_in(value):
                    found[name] = value
            elif value is not None and person.stands_in_json(value):
                found[name] = value
        return found

    def busy(self, rows: Sequence[Any]) -> set[Any]:
        """Keys of rows that must wait; the others are locked until the transaction ends."""
        run = GUARDS.get(self.label)
        if run is not None:
            return run(rows)
        keys = [row.pk for row in rows]
        list(self.model._meta.base_manager.select_for_update().filter(pk__in=keys).values_list("pk"))
        return set()

    def write(self, row: Any, hits: dict[str, Any], person: Person) -> None:
        """Take somebody out of columns of a row."""
        changed: dict[str, Any] = {}
        for name, value in hits.items():
            clean = person.without(value) if isinstance(value, str) else person.without_json(value)
            changed |= self.columns[name].write(row, clean)
        self.model._meta.base_manager.filter(pk=row.pk).update(**changed)


def holds_of(model: Any) -> dict[str, Holds]:
    """What each column of a model holds, by its own word."""
    own: dict[str, Holds] = getattr(model, "holds", None) or FOREIGN.get(model._meta.label, {})
    return own


def tenant_models() -> Iterator[Any]:
    """Every model that a tenant's schema has a table of."""
    labels = {name.rsplit(".", 1)[-1] for name in settings.TENANT_APPS}
    for config in apps.get_app_configs():
        if config.label in labels:
            yield from config.get_models(include_auto_created=True)


def places() -> list[Place]:
    """Every table with a column to look through, in a fixed order; the sealed log is the last."""
    found = []
    for model in tenant_models():
        looked = [name for name, holds in holds_of(model).items() if _looked(model, holds)]
        if looked:
            found.append(Place(model, {name: _codec(model, name) for name in looked}))
    return sorted(found, key=lambda place: (place.label == PROOF, place.label))


def _looked(model: Any, holds: Holds) -> bool:
    return holds in LOOKED_THROUGH or (holds is Holds.PROOF and model._meta.label == PROOF)


def _codec(model: Any, name: str) -> Codec:
    known = CODECS.get((model._meta.label, name))
    if known is not None:
        return known
    column = model._meta.get_field(name)
    if isinstance(column, models.BinaryField):
        raise LookupError(f"{model._meta.label}.{name} is packed, and no room says how it is read")
    return Codec(read=partial(_plain, name), write=partial(_written, name, column.max_length))


def _plain(name: str, row: Any) -> Any:
    return getattr(row, name)


def _written(name: str, longest: int | None, row: Any, value: Any) -> dict[str, Any]:
    return {name: value[:longest] if isinstance(value, str) and longest else value}


def business_key(row: Any) -> str:
    """Which order (return, item) a row is about; empty where it does not say."""
    return next((str(found) for name in BUSINESS if (found := getattr(row, name, ""))), "")


def plain_key(row: Any) -> Any:
    """A row's key as JSON has it."""
    return (
        [str(one) if not isinstance(one, int) else one for one in row.pk]
        if isinstance(row.pk, tuple)
        else str(row.pk)
    )


def unclassified() -> list[str]:
    """Columns that may hold text and have no class, and classes of columns that are not there."""
    found = []
    for model in tenant_models():
        said = holds_of(model)
        for column in model._meta.local_concrete_fields:
            wordy = isinstance(
                column, (models.CharField, models.TextField, models.JSONField, models.BinaryField)
            )
            if wordy and column.name not in said:
                found.append(f"{model._meta.label}.{column.name} has no class")
        names = {column.name for column in model._meta.local_concrete_fields}
        found += [f"{model._meta.label}.{name} is no column" for name in said if name not in names]
    return found
