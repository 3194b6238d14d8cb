"""The operators' first page on the platform's own host."""

from django.http import HttpResponse
from django.utils.translation import gettext as _

from portal.permissions import door
from portal.request import SignedIn
from portal.ui.kit.pages import page
from tenants.tenancy import queries


@door("platform.read")
def start(request: SignedIn) -> HttpResponse:
    """How many tenants there are of whom, and where to go from here."""
    counts: dict[str, dict[str, int]] = {}
    for partner, state, number in queries.tenant_counts():
        counts.setdefault(partner, {})[state] = number
    return page(request, "platform/start.html", {"counts": counts, "crumbs": [(_("Platform"), "")]})
