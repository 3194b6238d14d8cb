"""How much goes at a time: runs of a workflow or of an order, calls through a connection, runs of a client."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from automations.connectors import queries as connectors
from automations.engine.actions import pausing, turns
from automations.ledger import actions as ledger
from automations.ledger.models import Slot
from kernel import clock
from kernel.errors import PortalError
from portal.permissions import door
from portal.request import SignedIn, TenantRequest
from portal.ui import holds
from portal.ui.kit.forms import refuse, ui
from portal.ui.kit.pages import go, page
from portal.ui.workflows import allowed, crumbs
from tenants.tenancy import context
from tenants.tenancy.models import Tenant


class MostForm(forms.Form):
    """A number, or none."""

    most = ui(
        forms.IntegerField(
            label=gettext_lazy("At a time"),
            min_value=1,
            max_value=turns.MOST,
            required=False,
            help_text=gettext_lazy("Empty: as many as there are."),
        ),
        short=True,
        optional=True,
    )


class TurnsForm(forms.Form):
    """Of what so many go at a time."""

    per = forms.ChoiceField(label=gettext_lazy("Limit the runs of"), choices=holds.PER, required=False)
    key = ui(
        forms.CharField(
            label=gettext_lazy("Expression"),
            max_length=1_000,
            required=False,
            help_text=gettext_lazy(
                "jq on the input of the workflow, as .[0].data.customer.id; $business is the business key."
                " Runs for which it gives nothing wait for nobody."
            ),
        ),
        optional=True,
    )
    limit = ui(
        forms.IntegerField(
            label=gettext_lazy("Runs at a time"), min_value=1, max_value=turns.MOST, required=False, initial=1
        ),
        short=True,
    )

    def clean(self) -> dict[str, Any]:
        """What is chosen needs what belongs to it."""
        given = super().clean() or {}
        if given.get("per") == "key" and not given.get("key"):
            self.add_error("key", _("Give an expression."))
        if given.get("per") and given.get("limit") is None and "limit" not in self.errors:
            self.add_error("limit", _("Give a number."))
        return given

    @property
    def rule(self) -> dict[str, Any] | None:
        """The rule as workflows keep it."""
        given = self.cleaned_data
        if not given["per"]:
            return None
        key = {"business": holds.BUSINESS, "key": given["key"]}.get(given["per"], "")
        return {"limit": given["limit"], **({"key": key} if key else {})}


@door("engine.operate", by_grant=True)
def workflow(request: TenantRequest, workflow: str) -> HttpResponse:
    """How many runs of a workflow go at a time."""
    found = allowed(request, workflow, "engine.operate")
    home = reverse("workflows:detail", args=[found.public_id])
    form = TurnsForm(
        request.POST if request.method == "POST" else None, initial=holds.initial(found.concurrency)
    )
    if request.method == "POST" and form.is_valid():
        try:
            pausing.limit_workflow(
                workflow=found, concurrency=form.rule, actor=request.actor, now=context.now()
            )
        except PortalError as error:
            _refuse(form, error)
        else:
            return _saved(request, home)
    shown_ = {
        "form": form,
        "title": _("Runs at a time: %(name)s") % {"name": found.title},
        "effect": _("Others wait, and go in the order in which they came. Other values wait for nobody."),
        "back": home,
        "crumbs": crumbs(request, found, _("Runs at a time")),
    }
    return page(request, "standing/limit.html", shown_, status=422 if form.errors else 200)


def _refuse(form: forms.Form, error: PortalError) -> None:
    if not error.benign:
        raise error
    plain = {name.rsplit(".", 1)[-1]: said for name, said in error.fields.items()}
    refuse(form, type(error)(error.message, fields=plain))


def _saved(request: SignedIn, home: str) -> HttpResponse:
    messages.success(request, _("The limit holds from now on."))
    return go(request, home)


@door("connectors.edit")
def connection(request: TenantRequest, connection: str) -> HttpResponse:
    """How many calls go through a connection at a time."""
    row = connectors.connection_row(connection)
    home = reverse("connections:one", args=[row.public_id])
    form = MostForm(request.POST if request.method == "POST" else None, initial={"most": row.calls_at_once})
    if request.method == "POST" and form.is_valid():
        pausing.limit_connection(
            connection=row,
            calls_at_once=form.cleaned_data["most"],
            actor=request.actor,
            now=clock.now(),
        )
        return _saved(request, home)
    shown_ = {
        "form": form,
        "title": _("Calls at a time: %(name)s") % {"name": row.name},
        "effect": _("Of all workflows and workers together. Runs beyond that wait, the oldest goes first."),
        "back": home,
        "crumbs": [
            (request.tenant.name, "/"),
            (_("Connections"), reverse("connections:list")),
            (row.name, home),
            (_("Calls at a time"), ""),
        ],
    }
    return page(request, "standing/limit.html", shown_, status=422 if form.errors else 200)


@door("engine.pause")
def tenant(request: TenantRequest) -> HttpResponse:
    """How many runs of this client workers hold at a time."""
    row = Tenant.objects.get(pk=request.tenant.id)
    slot = Slot.objects.get(tenant_id=row.id)
    home = reverse("workflows:list")
    form = MostForm(request.POST if request.method == "POST" else None, initial={"most": slot.max_running})
    if request.method == "POST" and form.is_valid():
        ledger.limit_tenant(tenant=row, most=form.cleaned_data["most"], actor=request.actor, now=clock.now())
        return _saved(request, home)
    shown_ = {
        "form": form,
        "title": _("Runs at a time: %(name)s") % {"name": row.name},
        "effect": _(
            "So many runs of this client are worked on at a time; those that wait for something do not count."
        ),
        "back": home,
        "crumbs": [(request.tenant.name, "/"), (_("Runs at a time"), "")],
    }
    return page(request, "standing/limit.html", shown_, status=422 if form.errors else 200)
