"""One client in the partner's console: its page, its setting up, and the steps of its life."""

from typing import Any, Final

from django.contrib import messages
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kernel import clock
from kernel.errors import NotFound, PortalError
from portal.permissions import door
from portal.request import PartnerRequest
from portal.ui import figures, fleet, holds, installations, setup
from portal.ui.kit.forms import refuse
from portal.ui.kit.pages import go, key_of, page
from portal.ui.tenancy_forms import ReasonForm
from tenants.access import queries as access
from tenants.audit import queries as audit
from tenants.tenancy import actions, queries
from tenants.tenancy.enums import CLOSED, JobState, TenantState
from tenants.tenancy.models import ProvisioningJob, Tenant
from tenants.tenancy.registry import steps

_TABS: Final = (
    ("overview", gettext_lazy("Overview")),
    ("templates", gettext_lazy("Templates")),
    ("people", gettext_lazy("People")),
    ("domains", gettext_lazy("Addresses")),
    ("log", gettext_lazy("Setup log")),
)
_MOVES: Final = {
    TenantState.TRIAL: (TenantState.ACTIVE, TenantState.SUSPENDED, TenantState.ARCHIVED),
    TenantState.ACTIVE: (TenantState.SUSPENDED, TenantState.ARCHIVED),
    TenantState.SUSPENDED: (TenantState.ACTIVE, TenantState.ARCHIVED),
    TenantState.ARCHIVED: (TenantState.SUSPENDED, TenantState.EXPORTED),
    TenantState.EXPORTED: (TenantState.SUSPENDED,),
}
_VERBS: Final = {
    (TenantState.TRIAL, TenantState.ACTIVE): gettext_lazy("Activate"),
    (TenantState.SUSPENDED, TenantState.ACTIVE): gettext_lazy("Resume"),
    (TenantState.ARCHIVED, TenantState.SUSPENDED): gettext_lazy("Bring back"),
    (TenantState.EXPORTED, TenantState.SUSPENDED): gettext_lazy("Bring back"),
}
_PLAIN_VERBS: Final = {
    TenantState.ACTIVE: gettext_lazy("Activate"),
    TenantState.SUSPENDED: gettext_lazy("Suspend"),
    TenantState.ARCHIVED: gettext_lazy("Archive"),
    TenantState.EXPORTED: gettext_lazy("It lives elsewhere now"),
}


def client_at(request: PartnerRequest, tenant: str) -> Tenant:
    """The tenant of the URL, if it is this partner's. Raises NotFound."""
    found = queries.tenant_of(request.partner.id, key_of("tnt", tenant))
    if found is None:
        raise NotFound
    return found


def _crumbs(request: PartnerRequest, *more: tuple[str, str]) -> list[tuple[str, str]]:
    return [(request.partner.name, "/"), (_("Clients"), "/clients/"), *more]


@door("tenancy.read")
def detail(request: PartnerRequest, tenant: str) -> HttpResponse:
    """A client: state, figures, checklist; its people, addresses, and how it was set up."""
    found = client_at(request, tenant)
    tab = request.GET.get("tab", "overview")
    client = fleet.client_of(found, figures.of([queries.ref_of(found)])[found.id])
    context: dict[str, Any] = {
        "client": client,
        "tenant": found,
        "tab": tab,
        "tabs": _TABS,
        "stands": holds.of_client(found.id, found.partner_id) if found.ready_at else [],
        "may_pause": found.ready_at is not None and request.actor.may("engine.pause"),
        "moves": moves(found) if client.state != "setting_up" else [],
        "crumbs": _crumbs(request, (found.name, "")),
    }
    context["leaving"] = queries.held_deletion(found.id)
    context["may_delete"] = found.state in CLOSED and request.actor.may("tenancy.delete")
    context["paused_here"] = any(one["own"] for one in context["stands"])
    if tab == "people":
        context["members"] = access.people_of(partner_id=request.partner.id, tenant_id=found.id)
    elif tab == "templates":
        ready = found.ready_at is not None and found.state not in CLOSED
        context["rows"] = installations.rows_of(queries.ref_of(found)) if ready else []
    elif tab == "log":
        context["progress"] = progress_of(found.provisioning)
    elif tab == "overview":
        context["checklist"] = setup.stand(found)
        context["done"] = sum(one.done for one in context["checklist"])
        context["trail"] = audit.trail(partner_id=request.partner.id, object_id=found.public_id)[:6]
    return page(request, "tenancy/detail.html", context)


def moves(tenant: Tenant) -> list[tuple[str, str]]:
    """(state, verb) for each step that this tenant's life has now."""
    state = TenantState(tenant.state)
    return [(to.value, str(_VERBS.get((state, to), _PLAIN_VERBS[to]))) for to in _MOVES[state]]


@door("tenancy.lifecycle")
def set_state(request: PartnerRequest, tenant: str, state: str) -> HttpResponse:
    """Suspend, resume or archive a client, with a reason."""
    found = client_at(request, tenant)
    verb = dict(moves(found)).get(state)
    if verb is None:
        raise NotFound
    stops = state in (TenantState.SUSPENDED, TenantState.ARCHIVED, TenantState.EXPORTED)
    form = ReasonForm(request.POST if request.method == "POST" else None, name=found.name, typed=stops)
    if request.method == "POST" and form.is_valid():
        try:
            actions.set_state(
                tenant=found,
                state=TenantState(state),
                reason=form.cleaned_data["reason"],
                actor=request.actor,
                now=clock.now(),
            )
        except PortalError as error:
            refuse(form, error)
        else:
            words = {"name": found.name, "state": TenantState(state).label}
            messages.success(request, _("%(name)s is now: %(state)s.") % words)
            return go(request, f"/clients/{tenant}/")
    context = {
        "form": form,
        "tenant": found,
        "state": state,
        "verb": verb,
        "stops": stops,
        "crumbs": _crumbs(request, (found.name, f"/clients/{tenant}/"), (verb, "")),
    }
    return page(request, "tenancy/state.html", context, part="dialog", status=422 if form.errors else 200)


def progress_of(job: ProvisioningJob) -> dict[str, Any]:
    """A provisioning job for the progress view: each step with state, words and time, and how far it all is."""
    rows = []
    for step in steps():
        noted = job.step(step.name) or {}
        at = clock.parse_rfc3339(noted["at"]) if noted.get("at") else None
        state = noted.get("state", "pending")
        if state == "running" and job.state not in (JobState.PENDING, JobState.RUNNING):
            state = "pending"
        rows.append({"title": step.title, "state": state, "detail": noted.get("detail", ""), "at": at})
    done = sum(row["state"] == "done" for row in rows)
    return {
        "job": job,
        "rows": rows,
        "done": done,
        "total": len(rows),
        "moving": job.state in (JobState.PENDING, JobState.RUNNING),
        "finished": job.state == JobState.DONE,
        "failed": job.state in (JobState.FAILED, JobState.ROLLED_BACK),
        "slow": (clock.now() - job.created_at).total_seconds() > 30,
    }


@door("tenancy.read")
def progress(request: PartnerRequest, tenant: str) -> HttpResponse:
    """The setting up of a client, live; one may leave and come back. The polling stops when the answer says so."""
    found = client_at(request, tenant)
    context = {
        "tenant": found,
        "progress": progress_of(found.provisioning),
        "host": queries.primary_host(partner_id=found.partner_id, tenant_id=found.id),
        "crumbs": _crumbs(request, (found.name, f"/clients/{tenant}/"), (_("Setup"), "")),
    }
    return page(request, "tenancy/progress.html", context, part="steps")
