"""A partner's own host names: claim one, prove it, make it the first, give it back."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kernel import clock
from kernel.errors import NotFound, PortalError
from portal.permissions import door
from portal.request import PartnerRequest
from portal.ui.kit.forms import refuse
from portal.ui.kit.pages import go, key_of, page
from tenants.branding import actions, queries
from tenants.branding.models import DomainClaim
from tenants.tenancy.models import Partner
from tenants.tenancy.queries import tenants_of


class DomainForm(forms.Form):
    """A name, and what it leads to."""

    host = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=253,
        help_text=gettext_lazy("As in portal.example.com, of a zone that you can write into."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "inputmode": "url"}),
    )
    leads_to = forms.ChoiceField(label=gettext_lazy("It leads to"))

    def __init__(self, *args: Any, partner_id: Any, **kwargs: Any) -> None:
        """`partner_id` says whose clients are on offer."""
        super().__init__(*args, **kwargs)
        self.tenants = {one.public_id: one for one in tenants_of(partner_id)}
        field = self.fields["leads_to"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("Your console")), *((key, one.name) for key, one in self.tenants.items())]
        field.required = False


def _crumbs(request: PartnerRequest, *more: tuple[str, str]) -> list[tuple[str, str]]:
    here = reverse("branding:domains") if more else ""
    return [(request.partner.name, "/"), (_("Branding"), "/branding/"), (_("Domains"), here), *more]


@door("branding.edit")
def domains(request: PartnerRequest) -> HttpResponse:
    """Every own name with its proof; a new one by the form below."""
    form = DomainForm(request.POST if request.method == "POST" else None, partner_id=request.partner.id)
    if request.method == "POST" and form.is_valid():
        try:
            claim = actions.claim_domain(
                partner=Partner.objects.get(pk=request.partner.id),
                tenant=form.tenants.get(form.cleaned_data["leads_to"]),
                host=form.cleaned_data["host"],
                actor=request.actor,
                now=clock.now(),
            )
        except PortalError as error:
            refuse(form, error)
        else:
            messages.success(request, _("Now prove that %(host)s is yours.") % {"host": claim.host})
            return go(request, request.path)
    first = queries.primary_hosts(request.partner.id)
    rows = [
        {
            "claim": one,
            "state": _state(one),
            "name": queries.proof_name(one.host),
            "value": queries.proof_value(one),
            "first": one.host == first.get(one.tenant_id),
            "target": first.get(one.tenant_id, ""),
        }
        for one in queries.claims_of(request.partner.id)
    ]
    shown = {"form": form, "rows": rows, "crumbs": _crumbs(request)}
    return page(request, "branding/domains.html", shown, status=422 if form.errors else 200)


def _state(claim: DomainClaim) -> str:
    if claim.verified_at is None:
        return "unverified"
    return "degraded" if claim.failing_since else "verified"


def _claim(request: PartnerRequest, public_id: str) -> DomainClaim:
    """The claim of the URL, if it is this partner's. Raises NotFound."""
    found: DomainClaim | None = (
        queries.claims_of(request.partner.id).filter(pk=key_of("dcl", public_id)).first()
    )
    if found is None:
        raise NotFound
    return found


@door("branding.edit")
def check(request: PartnerRequest, domain: str) -> HttpResponse:
    """Look for the proof now. Raises NotFound."""
    claim = _claim(request, domain)
    if request.method == "POST":
        try:
            actions.verify_domain(claim=claim, actor=request.actor, now=clock.now())
        except PortalError as error:
            if not error.benign:
                raise
            messages.error(request, _("Not yet: %(why)s") % {"why": _(error.message)})
        else:
            messages.success(request, _("%(host)s is yours and is served.") % {"host": claim.host})
    return go(request, reverse("branding:domains"))


@door("branding.edit")
def first(request: PartnerRequest, domain: str) -> HttpResponse:
    """Let this be the name that links use. Raises NotFound."""
    claim = _claim(request, domain)
    if request.method == "POST":
        try:
            actions.make_primary(
                partner=claim.partner,
                tenant=claim.tenant,
                host=claim.host,
                actor=request.actor,
                now=clock.now(),
            )
        except PortalError as error:
            messages.error(request, _(error.message))
        else:
            messages.success(request, _("Links use %(host)s from now on.") % {"host": claim.host})
    return go(request, reverse("branding:domains"))


@door("branding.edit")
def release(request: PartnerRequest, domain: str) -> HttpResponse:
    """Give a name back, once asked and confirmed. Raises NotFound."""
    claim = _claim(request, domain)
    if request.method == "POST":
        actions.release_domain(claim=claim, actor=request.actor, now=clock.now())
        messages.success(request, _("%(host)s is given back.") % {"host": claim.host})
        return go(request, reverse("branding:domains"))
    shown = {"claim": claim, "crumbs": _crumbs(request, (claim.host, ""))}
    return page(request, "branding/domain_release.html", shown, part="dialog")
