"""Secrets of a client by name: where they may go, what uses them, when they end. No value is ever shown."""

from django.http import HttpResponse
from django.utils.translation import gettext as _

from kernel import clock
from portal.permissions import door
from portal.request import TenantRequest
from portal.ui.kit.pages import page
from tenants.vault import queries


@door("connectors.edit")
def secrets(request: TenantRequest) -> HttpResponse:
    """Every secret that people gave this portal, what ends first on top."""
    rows = queries.secrets_here(clock.now())
    context = {
        "secrets": [(one, _(one.title)) for one in rows],
        "ending": sum(one.state != "active" for one in rows),
        "crumbs": [(request.tenant.name, "/"), (_("Secrets"), "")],
    }
    return page(request, "vault/secrets.html", context)
