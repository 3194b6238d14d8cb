"""Connections to the client's systems: list, add, change, check, give a secret, remove. A secret is never shown."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from automations.connectors import actions, queries, registry
from automations.connectors.enums import AuthKind, ConnectionState
from automations.connectors.errors import InUse, UnknownConnector
from automations.connectors.queries import ConnectionView
from automations.ledger import queries as standing
from automations.ledger.enums import Level
from kernel import clock
from kernel.errors import NotFound, PortalError
from portal.permissions import door
from portal.request import SignedIn, TenantRequest
from portal.ui import connection_form, holds
from portal.ui.kit.acts import ACTS
from portal.ui.kit.forms import refuse, ui
from portal.ui.kit.pages import go, page
from portal.ui.kit.query import moved, typed
from portal.ui.links import address
from portal.ui.search import Hit, finds

ACTS.update(
    {
        "connectors.create_connection": gettext_lazy("Added a connection"),
        "connectors.update_connection": gettext_lazy("Changed a connection"),
        "connectors.set_secret": gettext_lazy("Gave a connection a secret"),
        "connectors.test_connection": gettext_lazy("Checked a connection"),
        "connectors.delete_connection": gettext_lazy("Removed a connection"),
    }
)
_USES: Final = {"workflow": "workflows:detail"}
_TONES: Final = {
    ConnectionState.NEW: ("info", "circle-dashed"),
    ConnectionState.HEALTHY: ("ok", "circle-check"),
    ConnectionState.DEGRADED: ("warn", "triangle-alert"),
    ConnectionState.DISCONNECTED: ("bad", "unplug"),
}


class SecretForm(forms.Form):
    """What signs calls in; write-only."""

    secret = forms.CharField(
        max_length=8_000,
        strip=False,
        help_text=gettext_lazy("It is kept encrypted and never shown again. The one before stops at once."),
        widget=forms.PasswordInput(
            render_value=False, attrs={"autocomplete": "off", "spellcheck": "false", "autofocus": True}
        ),
    )
    expires = ui(
        forms.DateField(
            label=gettext_lazy("Valid until"),
            required=False,
            help_text=gettext_lazy("Where its system ends it by itself: you are warned 30 days before."),
            widget=forms.DateInput(attrs={"type": "date"}),
        ),
        optional=True,
    )

    def expires_at(self) -> datetime | None:
        """The end of the day that was given, in the reader's zone."""
        day = self.cleaned_data["expires"]
        return datetime.combine(day, time(23, 59), tzinfo=timezone.get_current_timezone()) if day else None


def _crumbs(request: TenantRequest, *more: tuple[str, str]) -> list[tuple[str, str]]:
    here = reverse("connections:list") if more else ""
    return [(request.tenant.name, "/"), (_("Connections"), here), *more]


def _of(view: ConnectionView) -> tuple[str, str]:
    return view.name, reverse("connections:one", args=[view.public_id])


@door("connectors.read")
def connections(request: TenantRequest) -> HttpResponse:
    """Every connection with how it is."""
    text, chosen = typed(request.GET, "q"), typed(request.GET, "connector", most=40)
    shown = {
        "rows": queries.connections(connector=chosen, text=text),
        "kinds": [(one.name, one.title) for one in registry.connectors()],
        "paused": standing.pauses_in(request.tenant.id, Level.CONNECTION),
        "filters": {"q": text, "connector": chosen},
        "filtered": bool(text or chosen),
        "crumbs": _crumbs(request),
    }
    return page(request, "connections/list.html", shown)


@door("connectors.edit")
def choose(request: TenantRequest) -> HttpResponse:
    """Which system is to be connected."""
    shown = {"kinds": registry.connectors(), "crumbs": _crumbs(request, (_("New connection"), ""))}
    return page(request, "connections/choose.html", shown)


@door("connectors.edit")
def add(request: TenantRequest, connector: str) -> HttpResponse:
    """A new connection: the form is made from what the connector asks for. Raises NotFound."""
    try:
        kind = registry.connector(connector)
    except UnknownConnector as error:
        raise NotFound from error
    form = connection_form.form_of(kind, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        made = connection_form.add(kind, form, request.actor)
        if made is not None:
            messages.success(
                request, _("“%(name)s” is there. Check whether it answers.") % {"name": made.name}
            )
            return go(request, reverse("connections:one", args=[made.public_id]))
    crumbs = _crumbs(request, (_("New connection"), reverse("connections:new")), (kind.title, ""))
    shown = {"kind": kind, "form": form, "crumbs": crumbs}
    return page(request, "connections/add.html", shown, status=422 if form.errors else 200)


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting as it stands on the page of a connection."""

    title: str
    value: str


@door("connectors.read")
def one(request: TenantRequest, connection: str) -> HttpResponse:
    """One connection: how it is, its settings, and what works through it. Raises NotFound."""
    view = queries.connection(connection)
    tone, symbol = _TONES[view.state]
    shown = {
        "connection": view,
        "tone": tone,
        "icon": symbol,
        "auth": AuthKind(view.auth).label,
        "needs_secret": view.auth != AuthKind.NONE,
        "settings": _settings(view),
        "uses": [
            (use.title, address(_USES[use.kind], use.id) if use.kind in _USES else "") for use in view.uses
        ],
        "may": request.actor.may("connectors.edit"),
        "may_pause": request.actor.may("engine.pause"),
        "stands": holds.of_connection(view.id),
        "trail": moved(address("audit:trail"), {"object": view.public_id})
        if request.actor.may("audit.read")
        else "",
        "crumbs": _crumbs(request, (view.name, "")),
    }
    return page(request, "connections/one.html", shown)


def _settings(view: ConnectionView) -> list[Setting]:
    """What is set, by the titles that the connector gives."""
    known: dict[str, Any] = registry.connector(view.connector).settings.document.get("properties", {})
    return [
        Setting(str(known.get(name, {}).get("title", name)), str(value))
        for name, value in view.settings.items()
    ]


@door("connectors.edit")
def edit(request: TenantRequest, connection: str) -> HttpResponse:
    """Change name, settings or the way to sign in. Raises NotFound."""
    view, row = queries.connection(connection), queries.connection_row(connection)
    kind = registry.connector(view.connector)
    form = connection_form.edit_form_of(kind, view, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        changed = connection_form.change(row, form, request.actor)
        if changed is not None:
            if view.has_secret and changed.secret_set_at is None:
                messages.warning(
                    request, _("It leads elsewhere now, so its secret was forgotten: give it one.")
                )
            else:
                messages.success(request, _("“%(name)s” is changed.") % {"name": changed.name})
            return go(request, reverse("connections:one", args=[connection]))
    shown = {"connection": view, "form": form, "crumbs": _crumbs(request, _of(view), (_("Change"), ""))}
    return page(request, "connections/edit.html", shown, status=422 if form.errors else 200)


@door("connectors.edit")
def secret(request: TenantRequest, connection: str) -> HttpResponse:
    """Another secret. Raises NotFound."""
    view, row = queries.connection(connection), queries.connection_row(connection)
    way = registry.connector(view.connector).auth_of(view.auth)
    if way is None or not way.needs_secret:
        raise NotFound
    form = SecretForm(request.POST if request.method == "POST" else None)
    form.fields["secret"].label = way.secret_label or _("Secret")
    if request.method == "POST" and form.is_valid():
        try:
            actions.set_secret(
                connection=row,
                secret=form.cleaned_data["secret"],
                expires_at=form.expires_at(),
                actor=request.actor,
                now=clock.now(),
            )
        except PortalError as error:
            refuse(form, error)
        else:
            messages.success(request, _("The secret is kept. Check whether it is accepted."))
            return go(request, reverse("connections:one", args=[connection]))
    shown = {"connection": view, "form": form, "crumbs": _crumbs(request, _of(view), (_("Secret"), ""))}
    return page(request, "connections/secret.html", shown, part="dialog", status=422 if form.errors else 200)


@door(post="connectors.edit")
def check(request: TenantRequest, connection: str) -> HttpResponse:
    """Ask the system whether it answers, and say what came back. Raises NotFound."""
    row = queries.connection_row(connection)
    try:
        found = actions.test_connection(connection=row, actor=request.actor, now=clock.now())
    except PortalError as error:
        messages.error(request, error.message)
    else:
        tell = messages.success if found.state == ConnectionState.HEALTHY else messages.warning
        tell(request, f"{found.state.label}: {found.detail}")
    return go(request, reverse("connections:one", args=[connection]))


@door("connectors.edit")
def remove(request: TenantRequest, connection: str) -> HttpResponse:
    """Remove a connection with its secret, once asked; refused while something works through it. Raises NotFound."""
    view, row = queries.connection(connection), queries.connection_row(connection)
    refusal = ""
    if request.method == "POST":
        try:
            actions.delete_connection(connection=row, actor=request.actor, now=clock.now())
        except InUse as error:
            refusal = error.message
        else:
            messages.success(request, _("“%(name)s” is removed.") % {"name": view.name})
            return go(request, reverse("connections:list"))
    shown = {
        "connection": view,
        "refusal": refusal,
        "crumbs": _crumbs(request, _of(view), (_("Remove"), "")),
    }
    return page(request, "connections/remove.html", shown, part="dialog", status=409 if refusal else 200)


@finds
def found(request: SignedIn, text: str) -> Iterable[Hit]:
    """Connections by name."""
    if not text or request.portal.tenant is None or not request.actor.may("connectors.read"):
        return
    for view in queries.connections(text=text.replace("\x00", ""))[:6]:
        name, here = _of(view)
        yield Hit(gettext_lazy("Connections"), name, here, icon=view.icon, note=str(view.state.label))
