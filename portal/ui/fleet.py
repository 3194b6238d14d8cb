"""The partner's clients as one table: what is wrong first."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from django.http import HttpResponse
from django.utils.translation import gettext as _

from automations.ledger import queries as standing
from automations.ledger.enums import Level
from portal.permissions import door
from portal.request import PartnerRequest
from portal.ui import figures, fleet_figures  # noqa: F401 - registers its figures
from portal.ui.first_steps import first_steps
from portal.ui.kit.pages import page, wants_part
from tenants.tenancy import queries
from tenants.tenancy.enums import CLOSED, JobState, TenantState
from tenants.tenancy.models import Tenant

PER_PAGE: Final = 60
_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)
_UNWELL: Final = frozenset({"degraded", "disconnected", "failed"})


@dataclass(frozen=True, slots=True)
class Client:
    """A row of the fleet."""

    tenant: Tenant
    host: str
    state: str
    figures: figures.Figures
    problem: str
    weight: int
    paused: bool = False


def client_of(tenant: Tenant, known: figures.Figures, *, paused: bool = False) -> Client:
    """A tenant as the fleet sees it: its state, and what is wrong with it in words."""
    job = getattr(tenant, "provisioning", None)
    state = str(tenant.state)
    if job is not None and job.state in (JobState.PENDING, JobState.RUNNING):
        state = "setting_up"
    elif job is not None and job.state in (JobState.FAILED, JobState.ROLLED_BACK):
        state = "rolled_back"
    weight, problem = _problem(state, known, bool(job and job.error and state == "setting_up"))
    if paused and not weight:
        weight, problem = 1, _("Its work is paused")
    host = next((domain.host for domain in tenant.domains.all() if domain.is_primary), "")
    return Client(tenant, host, state, known, problem, weight, paused)


def _problem(state: str, known: figures.Figures, stuck: bool) -> tuple[int, str]:
    """(how bad, in words); 0 where all is well."""
    if state == "rolled_back":
        return 5, _("Setting it up failed")
    if stuck:
        return 4, _("Setting it up meets trouble")
    if known.health in _UNWELL:
        return 4, _("A workflow or connection fails")
    if known.overdue_cases:
        return 3, _("%(count)s exceptions are past due") % {"count": known.overdue_cases}
    if state == TenantState.SUSPENDED:
        return 2, _("Nothing runs until it is resumed")
    return 0, ""


_SORTS: Final[dict[str, Callable[[Client], Any]]] = {
    "name": lambda one: one.tenant.name.lower(),
    "state": lambda one: one.state,
    "open": lambda one: one.figures.open_cases or 0,
    "runs": lambda one: one.figures.runs_today or 0,
    "success": lambda one: one.figures.success if one.figures.success is not None else 2,
    "last": lambda one: one.figures.last_run_at or _LONG_AGO,
}
_SHOWS: Final[dict[str, Callable[[Client], bool]]] = {
    "all": lambda one: one.tenant.state not in CLOSED,
    "problems": lambda one: one.weight > 0 and one.tenant.state not in CLOSED,
    "trial": lambda one: one.tenant.state == TenantState.TRIAL and not one.tenant.sandbox,
    "sandbox": lambda one: one.tenant.sandbox and one.tenant.state not in CLOSED,
    "archived": lambda one: one.tenant.state in CLOSED,
}


def _sorted(clients: Sequence[Client], sort: str) -> list[Client]:
    key = _SORTS.get(sort.lstrip("-"))
    if key is None:
        return sorted(clients, key=lambda one: (-one.weight, one.tenant.name.lower()))
    return sorted(clients, key=key, reverse=sort.startswith("-"))


@door("tenancy.read")
def fleet(request: PartnerRequest) -> HttpResponse:
    """The table, its chips, and four figures on top."""
    clients = clients_of(request)
    text = request.GET.get("q", "").strip().lower()
    show = request.GET.get("show", "all") if request.GET.get("show") in _SHOWS else "all"
    fitting = [
        one
        for one in clients
        if _SHOWS[show](one) and text in f"{one.tenant.name} {one.tenant.slug} {one.host}".lower()
    ]
    fitting = _sorted(fitting, request.GET.get("sort", ""))
    first = max(0, _whole(request.GET.get("from", "0")))
    context = {
        "clients": fitting[first : first + PER_PAGE],
        "found": len(fitting),
        "first": first,
        "next": first + PER_PAGE if first + PER_PAGE < len(fitting) else None,
        "before": max(0, first - PER_PAGE) if first else None,
        "chips": _chips(clients, show),
        "kpis": _kpis(clients),
        "words": {"cases": _("open exceptions"), "runs": _("runs today")},
        "may_pause": request.actor.may("engine.pause") and bool(clients),
        "paused_here": standing.pause_of(Level.PARTNER, request.partner.id) is not None,
        "first_steps": None if wants_part(request) else first_steps(request),
        "q": request.GET.get("q", ""),
        "show": show,
        "total": len(clients),
        "crumbs": [(request.partner.name, "/"), (_("Clients"), "")],
    }
    return page(request, "tenancy/fleet.html", context, part="rows")


def clients_of(request: PartnerRequest) -> list[Client]:
    """Every client of the partner with its figures: as many queries as providers make, and three."""
    tenants = list(queries.tenants_of(request.partner.id))
    known = figures.of([queries.ref_of(tenant) for tenant in tenants])
    paused = standing.shut_tenants([tenant.id for tenant in tenants])
    return [client_of(tenant, known[tenant.id], paused=tenant.id in paused) for tenant in tenants]


def _whole(text: str) -> int:
    return int(text) if text.isdigit() and len(text) < 7 else 0


def _chips(clients: Sequence[Client], show: str) -> list[tuple[str, str, int, bool]]:
    names = {
        "all": _("All"),
        "problems": _("Problems"),
        "trial": _("Trial"),
        "sandbox": _("Sandbox"),
        "archived": _("Archived"),
    }
    counted = [(key, names[key], sum(map(_SHOWS[key], clients)), key == show) for key in names]
    return [chip for chip in counted if chip[0] in ("all", "problems") or chip[2] or chip[3]]


def _kpis(clients: Sequence[Client]) -> list[dict[str, Any]]:
    """Four figures; a sandbox holds nothing real, so it never counts."""
    real = [one for one in clients if _SHOWS["all"](one) and not one.tenant.sandbox]
    return [
        {
            "label": _("Clients"),
            "value": len(real),
            "sub": _("%(count)s on trial") % {"count": sum(map(_SHOWS["trial"], clients))},
        },
        {
            "label": _("Need attention"),
            "value": sum(one.weight > 0 for one in real),
            "sub": _("problems stand first in the table"),
            "url": "?show=problems",
        },
        {
            "label": _("Open exceptions"),
            "value": _sum(real, "open_cases"),
            "sub": _overdue(real),
            "url": "?sort=-open",
        },
        {
            "label": _("Runs today"),
            "value": _sum(real, "runs_today"),
            "sub": _failed(real),
            "url": "?sort=-runs",
        },
    ]


def _sum(clients: Sequence[Client], name: str) -> int | None:
    """The sum over clients; None where no room provides the figure."""
    if not figures.provided(name):
        return None
    return sum(getattr(one.figures, name) or 0 for one in clients)


def _overdue(clients: Sequence[Client]) -> str:
    late = _sum(clients, "overdue_cases")
    return "" if late is None else _("%(count)s past their due time") % {"count": late}


def _failed(clients: Sequence[Client]) -> str:
    wrong = _sum(clients, "failed_today")
    return "" if wrong is None else _("%(count)s failed") % {"count": wrong}
