"""Where the audit log is sent on to: webhooks and syslog servers, how far each has come, stop, go on, remove."""

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache

from kernel import clock
from kernel.errors import NotFound, PortalError
from portal.permissions import door
from portal.request import SignedIn
from portal.ui.audit import scope
from portal.ui.kit.forms import refuse
from portal.ui.kit.pages import go, key_of, page
from tenants.audit import actions, queries
from tenants.audit.enums import StreamKind
from tenants.audit.models import AuditStream


class StreamForm(forms.Form):
    """A new stream."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=120,
        help_text=gettext_lazy("So that you know it again, as in “SIEM”."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    kind = forms.ChoiceField(
        label=gettext_lazy("How it is sent"),
        choices=StreamKind.choices,
        initial=StreamKind.WEBHOOK,
        widget=forms.RadioSelect,
    )
    address = forms.CharField(
        label=gettext_lazy("Address"),
        max_length=500,
        help_text=gettext_lazy(
            "https://… for a webhook; tls://host:6514 or tcp://host:514 for a syslog server."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "inputmode": "url"}),
    )
    from_start = forms.BooleanField(
        label=gettext_lazy("Begin with the first event there is"),
        required=False,
        help_text=gettext_lazy("Otherwise it begins with what happens next."),
    )


def _crumbs(request: SignedIn, *more: tuple[str, str]) -> list[tuple[str, str]]:
    place = request.portal.tenant or request.portal.partner
    assert place is not None
    log = (_("Audit log"), reverse("audit:trail"))
    return [(place.name, "/"), log, (_("Streams"), reverse("audit:streams")), *more]


@door("audit.stream")
def streams(request: SignedIn) -> HttpResponse:
    """Every stream and how it does."""
    sealed = queries.proof_state().sealed
    rows = [(row, _state(row), max(0, sealed - row.position)) for row in queries.streams(scope(request))]
    crumbs = [*_crumbs(request)[:-1], (_("Streams"), "")]
    return page(request, "audit/streams.html", {"streams": rows, "crumbs": crumbs})


def _state(row: AuditStream) -> str:
    if not row.active:
        return "paused"
    return "failed" if row.failing_since else "active"


@never_cache
@door("audit.stream")
def add(request: SignedIn) -> HttpResponse:
    """A new stream; the secret of a webhook is in the answer to this very request and nowhere else, ever."""
    form = StreamForm(request.POST if request.method == "POST" else None)
    crumbs = _crumbs(request, (_("New stream"), ""))
    if request.method == "POST" and form.is_valid():
        try:
            stream, secret = actions.create_stream(
                **form.cleaned_data, partner_id=scope(request), actor=request.actor, now=clock.now()
            )
        except PortalError as error:
            refuse(form, error)
        else:
            if not secret:
                messages.success(request, _("Events go to “%(name)s” from now on.") % {"name": stream.name})
                return go(request, reverse("audit:streams"))
            made = {"stream": stream, "secret": secret, "crumbs": crumbs}
            return page(request, "audit/stream_made.html", made)
    context = {"form": form, "crumbs": crumbs}
    return page(request, "audit/stream_add.html", context, status=422 if form.errors else 200)


def _stream(request: SignedIn, public_id: str) -> AuditStream:
    """The stream of the URL, if it is one of this place. Raises NotFound."""
    found: AuditStream | None = queries.streams(scope(request)).filter(pk=key_of("ast", public_id)).first()
    if found is None:
        raise NotFound
    return found


@door("audit.stream")
def switch(request: SignedIn, stream: str) -> HttpResponse:
    """Stop a stream, or let it go on where it stopped."""
    row = _stream(request, stream)
    if request.method == "POST":
        row = actions.set_stream_active(
            stream=row, active=not row.active, actor=request.actor, now=clock.now()
        )
        said = (
            _("“%(name)s” goes on.")
            if row.active
            else _("“%(name)s” is stopped; what happens now is sent later.")
        )
        messages.success(request, said % {"name": row.name})
    return go(request, reverse("audit:streams"))


@door("audit.stream")
def remove(request: SignedIn, stream: str) -> HttpResponse:
    """Take a stream away, once asked and confirmed."""
    row = _stream(request, stream)
    if request.method == "POST":
        actions.delete_stream(stream=row, actor=request.actor, now=clock.now())
        messages.success(request, _("“%(name)s” is removed.") % {"name": row.name})
        return go(request, reverse("audit:streams"))
    context = {"stream": row, "crumbs": _crumbs(request, (row.name, ""))}
    return page(request, "audit/stream_remove.html", context, part="dialog")
