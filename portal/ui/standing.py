"""What stands still: pausing a run, a connection, a client or all clients, and letting them go on; and saying so."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from automations.connectors import queries as connectors
from automations.engine.actions import pausing
from automations.ledger import actions as ledger
from automations.ledger import queries as standing
from automations.ledger.enums import Level
from kernel import clock
from kernel.errors import Forbidden, NotFound, PortalError
from portal.permissions import door
from portal.request import PartnerRequest, PortalRequest, SignedIn, TenantRequest
from portal.ui import holds
from portal.ui.kit.acts import ACTS
from portal.ui.kit.forms import refuse
from portal.ui.kit.pages import go, key_of, page
from portal.ui.runs import view_or_404
from portal.ui.runs_acts import WhyForm
from portal.ui.runs_shown import title
from portal.ui.shell import Banner, banners
from tenants.access import policy
from tenants.tenancy import context, queries
from tenants.tenancy.models import Partner, Tenant

ACTS.update(
    {
        "engine.pause_run": gettext_lazy("Paused a run, or let it go on"),
        "engine.pause_connection": gettext_lazy("Paused a connection, or let it go on"),
        "engine.limit_workflow": gettext_lazy("Changed how many runs go at a time"),
        "engine.limit_connection": gettext_lazy("Changed how many calls go at a time"),
        "ledger.pause_tenant": gettext_lazy("Paused the client, or let it go on"),
        "ledger.pause_partner": gettext_lazy("Paused all clients, or let them go on"),
        "ledger.limit_tenant": gettext_lazy("Changed how many runs of the client go at a time"),
    }
)


@dataclass(frozen=True, slots=True)
class _Turn:
    """Something that can stand still: what it is called, what that means, where its page is."""

    what: str
    stops: str
    goes: str
    home: str
    crumbs: list[tuple[str, str]]


def _turned(request: SignedIn, state: str, turn: _Turn, does: Callable[[bool, str], object]) -> HttpResponse:
    """Ask why, and do it. Raises NotFound for a state that nothing of this kind has."""
    if state not in ("paused", "active"):
        raise NotFound
    paused = state == "paused"
    form = WhyForm(request.POST if request.method == "POST" else None, needed=paused)
    status = 422 if form.errors else 200
    if request.method == "POST" and form.is_valid():
        try:
            does(paused, form.cleaned_data["reason"])
        except PortalError as error:
            if not error.benign or isinstance(error, (NotFound, Forbidden)):
                raise
            refuse(form, error)
            status = error.status
        else:
            said = _("%(what)s is paused.") if paused else _("%(what)s goes on.")
            messages.success(request, said % {"what": turn.what})
            return go(request, turn.home)
    verb = _("Pause") if paused else _("Let it go on")
    shown = {
        "form": form,
        "what": turn.what,
        "verb": verb,
        "effect": turn.stops if paused else turn.goes,
        "stops": paused,
        "back": turn.home,
        "crumbs": [*turn.crumbs, (verb, "")],
    }
    return page(request, "standing/turn.html", shown, part="dialog", status=status)


@door("engine.operate", by_grant=True)
def run(request: TenantRequest, run: str, state: str) -> HttpResponse:
    """Pause one run, or let it go on."""
    view = view_or_404(key_of("run", run))
    if not policy.may(request.actor, "engine.operate", view.workflow):
        raise Forbidden(permission="engine.operate") if request.actor.permissions else NotFound
    home = reverse("runs:run", args=[view.public_id])
    turn = _Turn(
        what=title(view),
        stops=_(
            "It ends the call that it is in and makes no further one. Its timers stand, events for it wait."
        ),
        goes=_("It goes on where it stood; timers that passed meanwhile fire at once."),
        home=home,
        crumbs=[(request.tenant.name, "/"), (_("Runs"), reverse("runs:list")), (title(view), home)],
    )

    def does(paused: bool, reason: str) -> object:
        return pausing.pause_run(
            run_id=view.id, paused=paused, reason=reason, actor=request.actor, now=context.now()
        )

    return _turned(request, state, turn, does)


@door("engine.pause")
def connection(request: TenantRequest, connection: str, state: str) -> HttpResponse:
    """Pause a connection, or let calls through it go on."""
    row = connectors.connection_row(connection)
    home = reverse("connections:one", args=[row.public_id])
    turn = _Turn(
        what=row.name,
        stops=_(
            "No run calls through it any more; each is held when it is about to. Whatever does not need it goes on."
        ),
        goes=_("Runs that waited for it make their calls now, oldest first."),
        home=home,
        crumbs=[
            (request.tenant.name, "/"),
            (_("Connections"), reverse("connections:list")),
            (row.name, home),
        ],
    )

    def does(paused: bool, reason: str) -> object:
        return pausing.pause_connection(
            connection=row, paused=paused, reason=reason, actor=request.actor, now=context.now()
        )

    return _turned(request, state, turn, does)


def _stops_all() -> str:
    return _(
        "Within a second nothing is called any more; each run ends the call that it is in. Events are taken in and"
        " kept. Pages, cases and settings work as before."
    )


@door("engine.pause")
def tenant(request: TenantRequest, state: str) -> HttpResponse:
    """Pause all work of this client, or let it go on."""
    turn = _Turn(
        what=request.tenant.name,
        stops=_stops_all(),
        goes=_("Everything goes on where it stood, in the order in which it came."),
        home=reverse("workflows:list"),
        crumbs=[(request.tenant.name, "/")],
    )
    return _turned(request, state, turn, _of_client(request, request.tenant.id))


@door("engine.pause")
def client(request: PartnerRequest, tenant: str, state: str) -> HttpResponse:
    """Pause all work of a client from the partner's console, or let it go on."""
    found = queries.tenant_of(request.partner.id, key_of("tnt", tenant))
    if found is None or found.ready_at is None:
        raise NotFound
    home = f"/clients/{found.public_id}/"
    turn = _Turn(
        what=found.name,
        stops=_stops_all(),
        goes=_("Everything goes on where it stood, in the order in which it came."),
        home=home,
        crumbs=[(request.partner.name, "/"), (_("Clients"), "/clients/"), (found.name, home)],
    )
    return _turned(request, state, turn, _of_client(request, found.id))


def _of_client(request: SignedIn, key: UUID) -> Callable[[bool, str], object]:
    def does(paused: bool, reason: str) -> object:
        row = Tenant.objects.get(pk=key)
        return ledger.pause_tenant(
            tenant=row, paused=paused, reason=reason, actor=request.actor, now=clock.now()
        )

    return does


@door("engine.pause")
def everybody(request: PartnerRequest, state: str) -> HttpResponse:
    """Pause all work of all clients of a partner, or let it go on."""
    turn = _Turn(
        what=_("All clients"),
        stops=_stops_all(),
        goes=_("Everything goes on where it stood. A client that was paused by itself stays so."),
        home=reverse("tenancy:fleet"),
        crumbs=[(request.partner.name, "/"), (_("Clients"), "/clients/")],
    )

    def does(paused: bool, reason: str) -> object:
        row = Partner.objects.get(pk=request.partner.id)
        return ledger.pause_partner(
            partner=row, paused=paused, reason=reason, actor=request.actor, now=clock.now()
        )

    return _turned(request, state, turn, does)


@banners
def _standing_still(request: PortalRequest) -> Iterable[Banner]:
    """On each page of a client, or of the console, that stands still: since when, who, why."""
    if request.actor is None:
        return
    tenant, partner = request.portal.tenant, request.portal.partner
    if tenant is not None:
        found = standing.pauses_over(tenant.id, tenant.partner_id)
        place = "tenancy:pause"
    elif partner is not None:
        own = standing.pause_of(Level.PARTNER, partner.id)
        found, place = [own] if own else [], "tenancy:pause-all"
    else:
        return
    for one in found:
        ours = one.level == (Level.TENANT if tenant is not None else Level.PARTNER)
        may = ours and request.actor.may("engine.pause")
        yield Banner(
            _("All work stands still; events are kept. %(told)s") % {"told": holds.told(one)},
            tone="warn",
            icon="circle-pause",
            url=reverse(place, args=["active"]) if may else "",
            action=_("Let it go on"),
        )
