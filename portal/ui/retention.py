"""How long data are kept, who said so, what a legal hold keeps against it, and the proof of what went."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from kernel import clock
from kernel.errors import NotFound, PortalError
from portal.permissions import door
from portal.request import PartnerRequest, SignedIn, TenantRequest
from portal.ui.kit.acts import ACTS
from portal.ui.kit.forms import refuse
from portal.ui.kit.pages import go, key_of, page
from portal.ui.tenancy_forms import ReasonForm
from tenants.privacy import queries
from tenants.privacy.actions import keeping
from tenants.privacy.enums import Keeps, Level
from tenants.privacy.models import LegalHold, SubjectRequest
from tenants.tenancy.models import Partner, Tenant

ACTS.update(
    {
        "privacy.set_term": gettext_lazy("Set how long data are kept"),
        "privacy.place_hold": gettext_lazy("Placed a legal hold"),
        "privacy.lift_hold": gettext_lazy("Lifted a legal hold"),
        "privacy.purge": gettext_lazy("Deleted what was kept long enough"),
    }
)


class TermsForm(forms.Form):
    """Days for each class; empty: as the level above says."""

    def __init__(
        self,
        data: Any = None,
        *,
        standing: list[queries.Standing],
        level: Level,
        reach: Mapping[Keeps, queries.Reach] | None = None,
    ) -> None:
        """One field a class, with what holds without it and whom a change of it touches."""
        initial: dict[str, int] = {}
        for one in standing:
            own = dict(one.said).get(level)
            if own is not None:
                initial[one.what] = own
        super().__init__(data, initial=initial)
        for one in standing:
            above = [days for said, days in one.said if said != level][-1]
            self.fields[one.what] = forms.IntegerField(
                label=str(Keeps(one.what).label),
                required=False,
                min_value=0,
                max_value=keeping.LONGEST,
                help_text=_("Empty: as the level above says, %(days)s. 0: without end.")
                % {"days": _days(above)}
                + (_touched(reach[one.what]) if reach else ""),
            )


def _days(number: int) -> str:
    return _("%(n)d days") % {"n": number} if number else _("without end")


def _touched(reach: queries.Reach) -> str:
    """Said before anything is saved."""
    follow = ngettext("A change reaches %(n)d client", "A change reaches %(n)d clients", reach.follow)
    own = ngettext("%(n)d has a term of its own", "%(n)d have terms of their own", reach.own)
    return f" {follow % {'n': reach.follow}}; {own % {'n': reach.own}}."


class HoldForm(forms.Form):
    """A legal hold."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    keys = forms.CharField(
        label=gettext_lazy("Orders"),
        required=False,
        max_length=40_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Business keys (orders, returns), one a line."),
    )
    everything = forms.BooleanField(label=gettext_lazy("Keep everything of this client"), required=False)
    subject = forms.ModelChoiceField(
        label=gettext_lazy("A person"),
        queryset=SubjectRequest.objects.none(),
        required=False,
        empty_label=gettext_lazy("Nobody"),
        help_text=gettext_lazy("By a request that was found; their orders are held as well."),
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=500, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offers people of this client alone."""
        super().__init__(*args, **kwargs)
        field: Any = self.fields["subject"]
        field.queryset = queries.requests().filter(state="found")

    def clean_keys(self) -> list[str]:
        """The lines that say something."""
        return [line.strip() for line in str(self.cleaned_data["keys"]).splitlines() if line.strip()]


def _saved(request: SignedIn, form: TermsForm, place: dict[str, Any]) -> bool:
    """Whether every class could be set; what was refused stands at its field."""
    try:
        days = {what: form.cleaned_data[what] for what in Keeps}
        keeping.set_terms(days=days, actor=request.actor, now=clock.now(), **place)
    except PortalError as error:
        refuse(form, error)
        return False
    return True


@door("audit.read", post="privacy.retention")
def retention(request: TenantRequest) -> HttpResponse:
    """Terms, holds and purges of a client; sent to, its own terms are set."""
    standing = queries.standing(partner_id=request.tenant.partner_id, tenant_id=request.tenant.id)
    form = TermsForm(
        request.POST if request.method == "POST" else None, standing=standing, level=Level.TENANT
    )
    if request.method == "POST" and form.is_valid():
        place = {"tenant": Tenant.objects.get(pk=request.tenant.id)}
        if _saved(request, form, place):
            messages.success(request, _("The terms are saved."))
            return go(request, request.path)
    return _show(request, form, HoldForm())


def _show(request: TenantRequest, form: TermsForm, hold_form: HoldForm) -> HttpResponse:
    shown = {
        "form": form,
        "hold_form": hold_form,
        "standing": queries.standing(partner_id=request.tenant.partner_id, tenant_id=request.tenant.id),
        "holds": queries.holds()[:200],
        "lifted": queries.holds(lifted=True)[:20],
        "purges": queries.purges()[:50],
        "may": request.actor.may("privacy.retention"),
        "partner": request.portal.partner,
        "crumbs": [(request.tenant.name, "/"), (_("Retention"), "")],
    }
    wrong = form.errors or hold_form.errors
    return page(request, "privacy/retention.html", shown, status=422 if wrong else 200)


@door(post="privacy.retention")
def hold(request: TenantRequest) -> HttpResponse:
    """Place a legal hold."""
    form = HoldForm(request.POST)
    if form.is_valid():
        try:
            keeping.place_hold(actor=request.actor, now=clock.now(), **form.cleaned_data)
        except PortalError as error:
            refuse(form, error)
        else:
            messages.success(request, _("The hold is in force."))
            return go(request, reverse("privacy:retention"))
    standing = queries.standing(partner_id=request.tenant.partner_id, tenant_id=request.tenant.id)
    return _show(request, TermsForm(standing=standing, level=Level.TENANT), form)


@door("privacy.retention")
def lift(request: TenantRequest, hold: str) -> HttpResponse:
    """Lift a legal hold, once given a reason."""
    row: LegalHold | None = queries.holds().filter(pk=key_of("hld", hold)).first()
    if row is None:
        raise NotFound
    form = ReasonForm(request.POST if request.method == "POST" else None, name=row.name, typed=True)
    if request.method == "POST" and form.is_valid():
        keeping.lift_hold(hold=row, reason=form.cleaned_data["reason"], actor=request.actor, now=clock.now())
        messages.success(request, _("The hold is lifted."))
        return go(request, reverse("privacy:retention"))
    crumbs = [(request.tenant.name, "/"), (_("Retention"), reverse("privacy:retention")), (_("Lift"), "")]
    shown = {"form": form, "hold": row, "crumbs": crumbs}
    return page(request, "privacy/lift.html", shown, part="dialog", status=422 if form.errors else 200)


@door("privacy.retention")
def of_partner(request: PartnerRequest) -> HttpResponse:
    """Terms for all clients of a partner that have none of their own."""
    standing = queries.standing(partner_id=request.partner.id, tenant_id=None)
    form = TermsForm(
        request.POST if request.method == "POST" else None,
        standing=standing,
        level=Level.PARTNER,
        reach=queries.reach(request.partner.id),
    )
    if request.method == "POST" and form.is_valid():
        place = {"partner": Partner.objects.get(pk=request.partner.id)}
        if _saved(request, form, place):
            messages.success(request, _("The terms are saved."))
            return go(request, request.path)
    crumbs = [(request.partner.name, "/"), (_("Retention"), "")]
    shown = {"form": form, "standing": standing, "may": True, "crumbs": crumbs, "shared": True}
    shown["partner"] = request.partner
    return page(request, "privacy/retention.html", shown, status=422 if form.errors else 200)
