"""The end of a client in the partner's console: asked for, taken back while it waits, certified."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.utils.translation import gettext as _

from kernel import clock
from kernel.errors import NotFound, PortalError
from portal.permissions import door
from portal.request import PartnerRequest
from portal.ui.kit.forms import refuse
from portal.ui.kit.pages import go, key_of, page
from portal.ui.tenancy import client_at
from portal.ui.tenancy_forms import ReasonForm
from tenants.tenancy import queries
from tenants.tenancy.actions import deleting
from tenants.tenancy.enums import CLOSED


@door("tenancy.delete")
def delete(request: PartnerRequest, tenant: str) -> HttpResponse:
    """Have an archived client deleted when the hold is over."""
    found = client_at(request, tenant)
    if found.state not in CLOSED or queries.held_deletion(found.id):
        raise NotFound
    form = ReasonForm(request.POST if request.method == "POST" else None, name=found.name, typed=True)
    if request.method == "POST" and form.is_valid():
        given = {"typed": form.cleaned_data["typed"], "reason": form.cleaned_data["reason"]}
        try:
            asked = deleting.request_deletion(tenant=found, actor=request.actor, now=clock.now(), **given)
        except PortalError as error:
            refuse(form, error)
        else:
            messages.success(request, _("%(name)s will be deleted.") % {"name": asked.name})
            return go(request, f"/clients/{tenant}/")
    return _asked(request, found, form, keep=False)


@door("tenancy.delete")
def keep(request: PartnerRequest, tenant: str) -> HttpResponse:
    """Keep a client after all."""
    found = client_at(request, tenant)
    if queries.held_deletion(found.id) is None:
        raise NotFound
    form = ReasonForm(request.POST if request.method == "POST" else None, name=found.name, typed=False)
    if request.method == "POST" and form.is_valid():
        deleting.cancel_deletion(
            tenant=found, reason=form.cleaned_data["reason"], actor=request.actor, now=clock.now()
        )
        messages.success(request, _("%(name)s is kept.") % {"name": found.name})
        return go(request, f"/clients/{tenant}/")
    return _asked(request, found, form, keep=True)


def _asked(request: PartnerRequest, found: Any, form: ReasonForm, *, keep: bool) -> HttpResponse:
    verb = _("Keep it after all") if keep else _("Delete for good")
    crumbs = [(request.partner.name, "/"), (_("Clients"), "/clients/"), (found.name, "../"), (verb, "")]
    context = {"form": form, "tenant": found, "keep": keep, "verb": verb, "crumbs": crumbs}
    return page(request, "tenancy/delete.html", context, part="dialog", status=422 if form.errors else 200)


@door("tenancy.read")
def deleted(request: PartnerRequest) -> HttpResponse:
    """Clients that are gone or wait to go, with the certificates."""
    crumbs = [(request.partner.name, "/"), (_("Clients"), "/clients/"), (_("Deleted"), "")]
    rows = queries.deletions_of(request.partner.id)[:500]
    return page(request, "tenancy/deleted.html", {"rows": rows, "crumbs": crumbs})


@door("tenancy.read")
def certificate(request: PartnerRequest, deletion: str) -> HttpResponse:
    """The signed certificate of one, as a file that verifies by itself."""
    row = queries.deletions_of(request.partner.id).filter(pk=key_of("del", deletion), state="done").first()
    if row is None:
        raise NotFound
    response = HttpResponse(row.certificate, content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="deletion-{row.slug}.txt"'
    return response
