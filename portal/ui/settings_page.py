"""A client's settings: what it is called, its zone, currency and language; and the clock of a sandbox."""

from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from automations.inbox import actions as inbox
from automations.inbox import queries as cases
from billing import queries as billing
from kernel import clock
from kernel.errors import NotFound, PortalError
from kernel.money import Money
from portal.permissions import door
from portal.request import TenantRequest
from portal.ui import holds
from portal.ui.inbox_forms import LimitForm
from portal.ui.kit.acts import ACTS
from portal.ui.kit.forms import refuse
from portal.ui.kit.pages import go, page
from portal.ui.new_client import BusinessForm
from tenants.tenancy import actions, context, queries
from tenants.tenancy.models import Tenant

ACTS.update({"tenancy.settings": gettext_lazy("Changed the client's settings")})
_FIELDS: Final = ("name", "timezone", "currency", "language")


class SettingsForm(BusinessForm):
    """What a client may say about itself; what it is a sandbox of is decided when it is made."""

    sandbox = None  # type: ignore[assignment] # how Django takes a field away

    def __init__(self, data: Any = None, *, initial: dict[str, str]) -> None:
        """A value that no menu offers any more stays on offer here: nobody changes it by saving another field."""
        super().__init__(data, initial=initial)
        for name in ("timezone", "currency"):
            field: Any = self.fields[name]
            if not any(initial[name] == code for code in _codes(field.choices)):
                field.choices = [(initial[name], initial[name]), *field.choices]
        self.fields["name"].widget.attrs.pop("autofocus", None)


def _codes(choices: Any) -> list[str]:
    """Every value of a menu, those in groups included."""
    found: list[str] = []
    for code, words in choices:
        found += _codes(words) if isinstance(words, (list, tuple)) else [str(code)]
    return found


class ClockForm(forms.Form):
    """The present of a sandbox."""

    to = forms.DateTimeField(
        label=gettext_lazy("Set it to"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local", "step": "1"}),
        help_text=gettext_lazy("It only runs forward. What falls due until then is worked on at once."),
    )


@door("settings.edit")
def settings(request: TenantRequest) -> HttpResponse:
    """See and change a client's settings."""
    row = Tenant.objects.get(pk=request.tenant.id)
    initial = {name: str(getattr(row, name)) for name in _FIELDS}
    form = SettingsForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            actions.change_settings(tenant=row, actor=request.actor, now=clock.now(), **form.cleaned_data)
        except PortalError as error:
            refuse(form, error)
        else:
            messages.success(request, _("The settings are saved."))
            return go(request, request.path)
    return _show(request, row, form)


def _show(
    request: TenantRequest,
    row: Tenant,
    form: forms.Form,
    clock_form: ClockForm | None = None,
    limit_form: LimitForm | None = None,
) -> HttpResponse:
    wrong = any(one is not None and one.errors for one in (form, clock_form, limit_form))
    stands = holds.of_client(row.id, row.partner_id)
    month = billing.month(row.id, context.now().date().replace(day=1))
    shown = {
        "form": form,
        "clock_form": clock_form
        or ClockForm(initial={"to": timezone.localtime(context.now()).replace(tzinfo=None)}),
        "limit_form": limit_form or _limit_form(row),
        "tenant": row,
        "host": queries.primary_host(partner_id=row.partner_id, tenant_id=row.id),
        "plan": month.plan if month else None,
        "stands": stands,
        "paused_here": any(one["own"] for one in stands),
        "may_clock": row.sandbox and request.actor.may("tenancy.clock"),
        "crumbs": [(request.tenant.name, "/"), (_("Settings"), "")],
    }
    return page(request, "tenancy/settings.html", shown, status=422 if wrong else 200)


def _limit_form(row: Tenant) -> LimitForm:
    """The form with what holds now, in the currency in which it was said."""
    found = cases.limit()
    if found is None:
        return LimitForm(currency=row.currency)
    return LimitForm(initial={"two_from": Money(*found).major}, currency=found[1])


@door(post="settings.edit")
def set_limit(request: TenantRequest) -> HttpResponse:
    """Say from which amount on a decision takes a second person."""
    row = Tenant.objects.get(pk=request.tenant.id)
    found = cases.limit()
    currency = found[1] if found else row.currency
    form = LimitForm(request.POST, currency=currency)
    if form.is_valid():
        amount = form.cleaned_data["two_from"]
        minor = Money.of(amount, currency).minor if amount is not None else None
        try:
            inbox.set_limit(minor=minor, currency=currency, actor=request.actor, now=context.now())
        except PortalError as error:
            refuse(form, error)
        else:
            messages.success(request, _("The settings are saved."))
            return go(request, "/settings/")
    initial = {name: str(getattr(row, name)) for name in _FIELDS}
    return _show(request, row, SettingsForm(initial=initial), limit_form=form)


@door(post="tenancy.clock")
def set_clock(request: TenantRequest) -> HttpResponse:
    """Set the clock of a sandbox forward. Raises NotFound for a client that is none."""
    row = Tenant.objects.get(pk=request.tenant.id)
    if not row.sandbox:
        raise NotFound
    form = ClockForm(request.POST)
    if form.is_valid():
        try:
            to = actions.advance_clock(
                tenant_id=row.id, to=form.cleaned_data["to"], actor=request.actor, now=clock.now()
            )
        except PortalError as error:
            refuse(form, error)
        else:
            queries.forget_hosts()
            messages.success(request, _("It is %(when)s here now.") % {"when": clock.rfc3339(to)})
            return go(request, "/settings/")
    initial = {name: str(getattr(row, name)) for name in _FIELDS}
    return _show(request, row, SettingsForm(initial=initial), form)
