"""The steps that make a tenant. Rooms above add theirs when the portal starts: down by call, up by registry."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

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


def farewells() -> list[Farewell]:
    """What is run for a tenant that is deleted, outside of it and before its schema goes."""
    return list(_farewells)
