"""The steps that make a tenant. Rooms above add theirs when the portal starts: down by call, up by registry."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias
from uuid import UUID

from tenants.tenancy.models import ProvisioningJob

if TYPE_CHECKING:
    from tenants.tenancy.queries import TenantRef  # a step is given one; nothing is asked here

RunStep: TypeAlias = "Callable[[TenantRef, ProvisioningJob, datetime], str]"


@dataclass(frozen=True)
class Step:
    """A step of provisioning: `run` may run twice and must then change nothing the second time.

    It runs inside the tenant and in one transaction, and returns a few words for the progress view.
    """

    order: int
    name: str
    title: str
    run: RunStep


_steps: dict[str, Step] = {}


def provisioning_step(order: int, name: str, title: str) -> Callable[[RunStep], RunStep]:
    """Register the decorated function as a step of provisioning; steps run by `order`."""

    def register(run: RunStep) -> RunStep:
        _steps[name] = Step(order, name, title, run)
        return run

    return register


def steps() -> list[Step]:
    """Every step, in order."""
    return sorted(_steps.values(), key=lambda step: step.order)


Farewell: TypeAlias = "Callable[[TenantRef], None]"
_farewells: list[Farewell] = []


def farewell(run: Farewell) -> Farewell:
    """Register what a room above takes away of a tenant that is deleted, beside rows that name the tenant."""
    _farewells.append(run)
    return run


Revival: TypeAlias = "Callable[[TenantRef, UUID, datetime], None]"
"""(the tenant, whose rows they were, as of when); raise a PortalError where they must not come back."""
_revivals: list[Revival] = []


def revival(run: Revival) -> Revival:
    """Register what a room above does about rows that came out of a file: restored or imported, before it opens."""
    _revivals.append(run)
    return run


def revive(ref: "TenantRef", origin: UUID, as_of: datetime) -> None:
    """Run what rooms above do about rows out of a file: they are in place, and nobody works with them yet."""
    for run in _revivals:
        run(ref, origin, as_of)


def farewells() -> list[Farewell]:
    """What is run for a tenant that is deleted, outside of it and before its schema goes."""
    return list(_farewells)


@dataclass(frozen=True)
class Along:
    """Rows of a client in a table that all share, which travel with it: columns with what is written of each.

    The table has a `tenant_id`, which is the new one where they arrive. `where` chooses among the client's rows.
    """

    table: str
    columns: Mapping[str, str]
    where: str = "true"


_along: dict[str, Along] = {}


def goes_along(table: str, columns: Mapping[str, str], where: str = "true") -> None:
    """Register a shared table whose rows travel with their client."""
    _along[table] = Along(table, columns, where)


def along() -> list[Along]:
    """Shared tables whose rows travel."""
    return [_along[name] for name in sorted(_along)]


@dataclass(frozen=True)
class Withheld:
    """Sealed columns of a table, which never leave the database, and columns that only have a meaning beside them."""

    table: str
    secrets: tuple[str, ...]
    beside: tuple[str, ...] = ()


_withheld: dict[str, Withheld] = {}


def withhold(table: str, *secrets: str, beside: tuple[str, ...] = ()) -> None:
    """Register sealed columns of a table in tenants' schemas."""
    _withheld[table] = Withheld(table, secrets, beside)


def withheld() -> dict[str, Withheld]:
    """Tables with sealed columns, by name."""
    return dict(_withheld)


_hidden: dict[str, dict[str, str]] = {}
_behind: set[str] = set()


def hides(table: str, **columns: str) -> None:
    """Register columns that hold people: each with its mask, one of name, mail, text, empty; "" for none at all."""
    _hidden.setdefault(table, {}).update(columns)


def hidden() -> dict[str, dict[str, str]]:
    """Tables with columns that hold people."""
    return dict(_hidden)


def stay_behind(*tables: str) -> None:
    """Register tables that are no part of a copy to try things in."""
    _behind.update(tables)


def stays_behind() -> set[str]:
    """Tables that are no part of a copy."""
    return set(_behind)


_done_outside: set[str] = set()


def happened_outside(*tables: str) -> None:
    """Register tables of what was done outside: a restore adds to them what happened since."""
    _done_outside.update(tables)


def done_outside() -> list[str]:
    """Tables whose live rows stay beside those of a restore."""
    return sorted(_done_outside)


class Why(StrEnum):
    """How a client's rows came to where they are."""

    IMPORT = "import"
    SANDBOX = "sandbox"
    RESTORE = "restore"


Arrival: TypeAlias = "Callable[[TenantRef, Why, datetime], None]"
_arrivals: list[Arrival] = []


def arrival(run: Arrival) -> Arrival:
    """Register what a room does about rows that came from elsewhere: inside the tenant, in their transaction."""
    _arrivals.append(run)
    return run


def arrivals() -> list[Arrival]:
    """What is run when rows have come."""
    return list(_arrivals)
