"""The ledger follows tenants: a slot when one is made, opened and shut with its state, on its clock."""

from datetime import datetime

from django.db import transaction

from automations.ledger import actions
from automations.ledger.enums import SHUTTING
from automations.ledger.models import Pause, Slot
from tenants.tenancy import context
from tenants.tenancy.actions import state_listeners
from tenants.tenancy.models import ProvisioningJob
from tenants.tenancy.queries import TenantRef
from tenants.tenancy.registry import Why, arrival, goes_along, provisioning_step


@provisioning_step(30, "slot", "Reserve a place in the work queue")
def reserve_slot(ref: TenantRef, _: ProvisioningJob, __: datetime) -> str:
    """A place in the fair order of tenants."""
    with context.leave():
        actions.open_slot(ref)
    return "Place in the work queue reserved"


def follow(ref: TenantRef) -> None:
    """Bring the slot in line with the tenant, and ring when the transaction is through."""
    if ref.ready:
        actions.open_slot(ref)
        transaction.on_commit(actions.ring)


state_listeners.append(follow)

_SHUT = ", ".join(f"'{level}'" for level in sorted(SHUTTING))
_QUEUE = ("run_id", "definition_id", "ready_at", "signal", "wakes", "held")
goes_along("ledger_queue", {**{name: name for name in _QUEUE}, "epoch": "epoch + 1", "claims": "0"})
goes_along("ledger_intake", {name: name for name in ("received_at", "event_id")})
goes_along("ledger_hold", {name: name for name in ("run_id", "target", "kind", "places")})
goes_along("ledger_place", {name: name for name in ("run_id", "lane", "kind")})
goes_along("ledger_schedule_fire", {name: name for name in ("schedule_id", "fire_at")})
goes_along("ledger_errand", {name: name for name in ("id", "job")})
goes_along(
    "ledger_pause",
    {name: name for name in ("target", "level", "label", "actor", "reason", "at")},
    f"level not in ({_SHUT})",
)


@arrival
def count_halts(ref: TenantRef, _: Why, __: datetime) -> None:
    """What stands still in it stands still here, too."""
    halts = Pause.objects.filter(tenant_id=ref.id).exclude(level__in=SHUTTING).count()
    Slot.objects.filter(tenant_id=ref.id).update(halts=halts)
