"""Webhook endpoints: where systems deliver to, how they sign, another secret, off and on. A secret is shown once."""

from datetime import timedelta
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache

from automations.connectors import registry
from automations.events import actions, queries
from automations.events.enums import CLOUDEVENTS
from automations.events.queries import EndpointView
from kernel import clock
from kernel.errors import PortalError
from portal.permissions import door
from portal.request import TenantRequest
from portal.ui.kit.forms import refuse, ui
from portal.ui.kit.pages import go, page
from tenants.tenancy import context

_OVERLAPS: Final = (
    (0, gettext_lazy("At once")),
    (1, gettext_lazy("After an hour")),
    (24, gettext_lazy("After a day")),
    (168, gettext_lazy("After a week")),
)


class _SecretForm(forms.Form):
    """A secret that the sender dictates, if it does."""

    secret = ui(
        forms.CharField(
            label=gettext_lazy("Secret of the sender"),
            required=False,
            max_length=500,
            help_text=gettext_lazy("Only where the sender gives you one. Leave it empty and one is made."),
            widget=forms.PasswordInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        ),
        optional=True,
    )


class EndpointForm(_SecretForm):
    """A new endpoint."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=120,
        help_text=gettext_lazy("So that you know it again, as in “Web shop”."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    kind = forms.ChoiceField(
        label=gettext_lazy("How the sender signs"), widget=forms.RadioSelect, choices=queries.endpoint_kinds
    )
    source = ui(
        forms.CharField(
            label=gettext_lazy("Source"),
            required=False,
            max_length=200,
            help_text=gettext_lazy("Stands on its events where the sender names none, as in /shops/leeds."),
        ),
        optional=True,
    )
    field_order = ("name", "kind", "source", "secret")


class RotateForm(_SecretForm):
    """Another secret for an endpoint."""

    overlap = forms.TypedChoiceField(
        label=gettext_lazy("The old one stops"),
        choices=_OVERLAPS,
        initial=24,
        coerce=int,
        help_text=gettext_lazy("Until then deliveries signed with either are taken."),
    )
    field_order = ("overlap", "secret")


def _crumbs(request: TenantRequest, *more: tuple[str, str]) -> list[tuple[str, str]]:
    here = reverse("events:endpoints") if more else ""
    return [(request.tenant.name, "/"), (_("Webhooks"), here), *more]


def _url(request: TenantRequest, found: EndpointView) -> str:
    """The whole address that a sender is given."""
    return request.build_absolute_uri(found.path)


@door("events.endpoints")
def endpoints(request: TenantRequest) -> HttpResponse:
    """Every endpoint with what came in lately."""
    found = queries.endpoints(now=context.now())
    shown = {"rows": [(one, _url(request, one)) for one in found], "crumbs": _crumbs(request)}
    return page(request, "events/endpoints.html", shown)


@never_cache
@door("events.endpoints")
def add(request: TenantRequest) -> HttpResponse:
    """A new endpoint; its secret is in the answer to this very request and nowhere else, ever."""
    form = EndpointForm(request.POST if request.method == "POST" else None, initial={"kind": CLOUDEVENTS})
    if request.method == "POST" and form.is_valid():
        try:
            row, secret = actions.create_endpoint(actor=request.actor, now=clock.now(), **form.cleaned_data)
        except PortalError as error:
            refuse(form, error)
        else:
            return _show_secret(request, row.public_id, secret, dictated=bool(form.cleaned_data["secret"]))
    shown = {"form": form, "crumbs": _crumbs(request, (_("New endpoint"), ""))}
    return page(request, "events/endpoint_add.html", shown, status=422 if form.errors else 200)


def _show_secret(request: TenantRequest, public_id: str, secret: str, *, dictated: bool) -> HttpResponse:
    """The endpoint with its new secret, this once; one that the sender gave is known there already."""
    return _show(request, public_id, {"secret": "" if dictated else secret, "made": True})


@door("events.endpoints")
def endpoint(request: TenantRequest, endpoint: str) -> HttpResponse:
    """One endpoint: its address, how to sign, and what came in. Raises NotFound."""
    return _show(request, endpoint, {})


def _show(request: TenantRequest, public_id: str, more: dict[str, Any]) -> HttpResponse:
    found = queries.endpoint(public_id, now=context.now())
    inbound = None if found.kind == CLOUDEVENTS else registry.connector(found.kind).inbound
    shown = {
        "endpoint": found,
        "url": _url(request, found),
        "cloudevents": found.kind == CLOUDEVENTS,
        "topics": sorted(inbound.topics.items()) if inbound else [],
        "overlapping": found.previous_until is not None and found.previous_until > clock.now(),
        "crumbs": _crumbs(request, (found.name, "")),
        **more,
    }
    return page(request, "events/endpoint.html", shown)


@never_cache
@door("events.endpoints")
def rotate(request: TenantRequest, endpoint: str) -> HttpResponse:
    """Another secret, in the answer to this very request alone. Raises NotFound."""
    row = queries.endpoint_row(endpoint)
    form = RotateForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            _row, secret = actions.rotate_endpoint_secret(
                endpoint=row,
                secret=form.cleaned_data["secret"],
                overlap=timedelta(hours=form.cleaned_data["overlap"]),
                actor=request.actor,
                now=clock.now(),
            )
        except PortalError as error:
            refuse(form, error)
        else:
            return _show_secret(request, endpoint, secret, dictated=bool(form.cleaned_data["secret"]))
    crumbs = _crumbs(request, (row.name, reverse("events:endpoint", args=[endpoint])), (_("New secret"), ""))
    shown = {"form": form, "row": row, "crumbs": crumbs}
    return page(request, "events/endpoint_rotate.html", shown, status=422 if form.errors else 200)


@door("events.endpoints")
def switch(request: TenantRequest, endpoint: str) -> HttpResponse:
    """Switch an endpoint off or on again, once asked and confirmed. Raises NotFound."""
    row = queries.endpoint_row(endpoint)
    if request.method == "POST":
        active = request.POST.get("active") == "1"
        actions.set_endpoint_active(endpoint=row, active=active, actor=request.actor, now=clock.now())
        words = _("%(name)s takes deliveries again.") if active else _("%(name)s is off.")
        messages.success(request, words % {"name": row.name})
        return go(request, reverse("events:endpoint", args=[endpoint]))
    crumbs = _crumbs(request, (row.name, reverse("events:endpoint", args=[endpoint])), (_("Switch"), ""))
    return page(request, "events/endpoint_switch.html", {"row": row, "crumbs": crumbs}, part="dialog")
