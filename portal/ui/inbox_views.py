"""Named lists of cases: an address with a name, one's own or everybody's."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from automations.inbox import actions, queries
from kernel.errors import NotFound, PortalError
from portal.permissions import door
from portal.request import TenantRequest
from portal.ui.kit.acts import ACTS
from portal.ui.kit.forms import refuse
from portal.ui.kit.pages import go, page
from portal.ui.kit.query import moved
from portal.ui.search import Hit, finds
from tenants.tenancy import context

ACTS.update(
    {
        "inbox.save_view": gettext_lazy("Named a list of cases"),
        "inbox.remove_view": gettext_lazy("Removed a named list of cases"),
    }
)


class ViewForm(forms.Form):
    """What the list is called, and whose it is."""

    name = forms.CharField(label=gettext_lazy("Name of the view"), max_length=60)
    shared = forms.BooleanField(label=gettext_lazy("For everybody here"), required=False)

    def __init__(self, *args: Any, may_share: bool, **more: Any) -> None:
        """Who decides cases here may name lists for everybody."""
        super().__init__(*args, **more)
        if not may_share:
            del self.fields["shared"]


@door("inbox.read")
def named(request: TenantRequest, named: str) -> HttpResponse:
    """The list of this name. Raises NotFound."""
    found = queries.view(named, request.actor.user_id)
    if found is None:
        raise NotFound
    address = reverse("inbox:list")
    joined = "&".join(part for part in (found.query, f"view={found.slug}") if part)
    return go(request, f"{address}?{joined}")


@door("inbox.read")
def save(request: TenantRequest) -> HttpResponse:
    """Name the list that the parameters of this address show."""
    may_share = request.actor.may("inbox.decide")
    form = ViewForm(request.POST if request.method == "POST" else None, may_share=may_share)
    if request.method == "POST" and form.is_valid():
        try:
            made = actions.save_view(
                name=form.cleaned_data["name"],
                query=request.GET.urlencode(),
                shared=form.cleaned_data.get("shared", False),
                actor=request.actor,
                now=context.now(),
            )
        except PortalError as error:
            if not error.benign:
                raise
            refuse(form, error)
        else:
            messages.success(request, _("The view stands above the list"))
            return go(request, reverse("inbox:named", args=[made.slug]))
    shown = {
        "form": form,
        "query": request.GET.urlencode(),
        "back": moved(reverse("inbox:list"), request.GET),
        "views": queries.views(request.actor.user_id),
        "may_remove_all": request.actor.may("settings.edit"),
        "crumbs": [
            (request.tenant.name, "/"),
            (_("Exceptions"), moved(reverse("inbox:list"), request.GET)),
            (_("Views"), ""),
        ],
    }
    return page(request, "inbox/views.html", shown, status=422 if form.errors else 200)


@door(post="inbox.read")
def remove(request: TenantRequest, named: str) -> HttpResponse:
    """Forget a named list. Raises NotFound."""
    found = queries.view(named, request.actor.user_id)
    if found is None:
        raise NotFound
    actions.remove_view(view_id=found.id, actor=request.actor, now=context.now())
    messages.success(request, _("The view %(name)s is gone") % {"name": found.name})
    return go(request, reverse("inbox:views"))


@finds
def views(request: Any, text: str) -> Iterable[Hit]:
    """Named lists by their names."""
    if not text or request.portal.tenant is None or not request.actor.may("inbox.read"):
        return
    for one in queries.views(request.actor.user_id):
        if text.lower() in one.name.lower():
            address = reverse("inbox:named", args=[one.slug])
            yield Hit(
                gettext_lazy("Views"), one.name, address, icon="bookmark", note=gettext_lazy("Exceptions")
            )
