"""Other systems that are told about cases: webhooks, Slack, Teams; a trial, stop, go on, remove."""

from typing import Final

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from automations.notices import actions, queries
from automations.notices.enums import ChannelKind
from automations.notices.models import Channel
from kernel import clock
from kernel.errors import PortalError
from portal.permissions import door
from portal.request import TenantRequest
from portal.ui.kit.forms import refuse
from portal.ui.kit.pages import go, key_of, page

_LEAST: Final = (
    ("normal", gettext_lazy("All cases")),
    ("high", gettext_lazy("High and critical ones")),
    ("critical", gettext_lazy("Critical ones alone")),
)


class ChannelForm(forms.Form):
    """A new channel."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=120,
        help_text=gettext_lazy("So that you know it again, as in “Store operations”."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    kind = forms.ChoiceField(
        label=gettext_lazy("What it speaks"),
        choices=ChannelKind.choices,
        initial=ChannelKind.WEBHOOK,
        widget=forms.RadioSelect,
    )
    address = forms.CharField(
        label=gettext_lazy("Address"),
        max_length=2_000,
        help_text=gettext_lazy(
            "https://… It is kept sealed and shown to nobody again: whoever knows it can write there."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "inputmode": "url"}),
    )
    least = forms.ChoiceField(label=gettext_lazy("About"), choices=_LEAST, initial="high")


def _crumbs(request: TenantRequest, *more: tuple[str, str]) -> list[tuple[str, str]]:
    here = reverse("notices:channels") if more else ""
    return [(request.tenant.name, "/"), (_("Channels"), here), *more]


@door("settings.edit")
def channels(request: TenantRequest) -> HttpResponse:
    """Every channel and how it does."""
    rows = [(row, _state(row)) for row in queries.channels()]
    shown = {"rows": rows, "crumbs": _crumbs(request), "sandbox": request.tenant.sandbox}
    return page(request, "notices/channels.html", shown)


def _state(row: Channel) -> str:
    if not row.active:
        return "paused"
    return "failed" if row.failing_since else "active"


@never_cache
@sensitive_post_parameters("address")
@door("settings.edit")
def add(request: TenantRequest) -> HttpResponse:
    """A new channel; the secret of a webhook is in the answer to this very request and nowhere else, ever."""
    form = ChannelForm(request.POST if request.method == "POST" else None)
    crumbs = _crumbs(request, (_("New channel"), ""))
    if request.method == "POST" and form.is_valid():
        try:
            row, secret = actions.create_channel(**form.cleaned_data, actor=request.actor, now=clock.now())
        except PortalError as error:
            refuse(form, error)
        else:
            if not secret:
                messages.success(request, _("“%(name)s” is told from now on.") % {"name": row.name})
                return go(request, reverse("notices:channel", args=[row.public_id]))
            return page(
                request, "notices/channel_made.html", {"row": row, "secret": secret, "crumbs": crumbs}
            )
    shown = {"form": form, "crumbs": crumbs}
    return page(request, "notices/channel_add.html", shown, status=422 if form.errors else 200)


@door("settings.edit")
def channel(request: TenantRequest, channel: str) -> HttpResponse:
    """One channel: what went there lately, and how. Raises NotFound."""
    row = queries.channel(key_of("chn", channel))
    shown = {
        "row": row,
        "state": _state(row),
        "sent": queries.last_messages(row),
        "sandbox": request.tenant.sandbox,
        "crumbs": _crumbs(request, (row.name, "")),
    }
    return page(request, "notices/channel.html", shown)


@door("settings.edit")
def trial(request: TenantRequest, channel: str) -> HttpResponse:
    """Send a trial message. Raises NotFound."""
    row = queries.channel(key_of("chn", channel))
    if request.method == "POST":
        actions.try_channel(channel=row, actor=request.actor, now=clock.now())
        messages.success(request, _("A trial message is on its way; how it went stands here in a moment."))
    return go(request, reverse("notices:channel", args=[channel]))


@door("settings.edit")
def switch(request: TenantRequest, channel: str) -> HttpResponse:
    """Stop a channel, or let it go on. Raises NotFound."""
    row = queries.channel(key_of("chn", channel))
    if request.method == "POST":
        row = actions.set_channel_active(
            channel=row, active=not row.active, actor=request.actor, now=clock.now()
        )
        said = _("“%(name)s” is told again.") if row.active else _("“%(name)s” is told nothing for now.")
        messages.success(request, said % {"name": row.name})
    return go(request, reverse("notices:channel", args=[channel]))


@door("settings.edit")
def remove(request: TenantRequest, channel: str) -> HttpResponse:
    """Take a channel away, once asked and confirmed. Raises NotFound."""
    row = queries.channel(key_of("chn", channel))
    if request.method == "POST":
        actions.delete_channel(channel=row, actor=request.actor, now=clock.now())
        messages.success(request, _("“%(name)s” is removed.") % {"name": row.name})
        return go(request, reverse("notices:channels"))
    shown = {"row": row, "crumbs": _crumbs(request, (row.name, ""))}
    return page(request, "notices/channel_remove.html", shown, part="dialog")
