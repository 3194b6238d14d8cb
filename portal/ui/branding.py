"""The branding editor: name, colour, sidebar, contact and logo, with previews and the list of what can be read."""

from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kernel import clock
from kernel.errors import NotFound, PortalError
from portal.permissions import door
from portal.request import PartnerRequest
from portal.ui.brand_files import variables
from portal.ui.kit.forms import refuse, ui
from portal.ui.kit.pages import go, page
from tenants.branding import actions, queries
from tenants.branding.palette import Check, checks, contrast, is_colour, palette
from tenants.tenancy.models import Partner
from tenants.tenancy.queries import primary_host

_SHOWN: Final = 5
"""Of the eleven pairings the editor lists those that a partner would ask about."""


class BrandForm(forms.Form):
    """How the portal is called and looks."""

    name = forms.CharField(
        label=gettext_lazy("Portal name"),
        max_length=60,
        widget=forms.TextInput(attrs={"data-preview": "name", "autocomplete": "off"}),
    )
    colour = ui(
        forms.RegexField(
            r"^#[0-9a-fA-F]{6}$",
            label=gettext_lazy("Brand colour"),
            error_messages={"invalid": gettext_lazy("Use a colour such as #5b5bd6.")},
            help_text=gettext_lazy("One is enough: everything else is worked out so that it can be read."),
            widget=forms.TextInput(
                attrs={
                    "data-colour": "",
                    "spellcheck": "false",
                    "autocomplete": "off",
                    "hx-get": "/branding/readability",
                    "hx-trigger": "input changed delay:150ms",
                    "hx-target": "#readability",
                    "hx-swap": "outerHTML",
                }
            ),
        ),
        colour=True,
    )
    sidebar = forms.ChoiceField(
        label=gettext_lazy("Sidebar"),
        choices=[("light", gettext_lazy("Light")), ("dark", gettext_lazy("Dark, tinted with your colour"))],
        widget=forms.Select(attrs={"data-preview-side": ""}),
    )
    support_email = ui(
        forms.EmailField(
            label=gettext_lazy("Support e-mail"),
            required=False,
            help_text=gettext_lazy("Stands on the sign-in page and on every error page."),
        ),
        optional=True,
    )
    support_url = ui(
        forms.URLField(label=gettext_lazy("Help page"), required=False, assume_scheme="https"), optional=True
    )


class LogoForm(forms.Form):
    """A picture instead of the letter."""

    logo = forms.FileField(
        label=gettext_lazy("Logo"),
        help_text=gettext_lazy("PNG, WebP or JPEG, at most 1 MB. It is drawn anew, 160 pixels high at most."),
        widget=forms.FileInput(attrs={"accept": "image/png,image/webp,image/jpeg"}),
    )


@door("branding.edit")
def editor(request: PartnerRequest) -> HttpResponse:
    """See, try and save the brand; `?colour=` shows another colour without saving it."""
    brand = queries.brand_of(request.partner)
    initial = {
        name: getattr(brand, name) for name in ("name", "colour", "sidebar", "support_email", "support_url")
    }
    tried = request.GET.get("colour", "").lower()
    if is_colour(tried):
        initial["colour"] = tried
    form = BrandForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            actions.set_brand(
                partner=Partner.objects.get(pk=request.partner.id),
                actor=request.actor,
                now=clock.now(),
                **form.cleaned_data,
            )
        except PortalError as error:
            refuse(form, error)
        else:
            messages.success(request, _("Your brand is published on every page."))
            return go(request, request.path)
    return _show(request, form, LogoForm(), tried=tried)


def _show(request: PartnerRequest, form: BrandForm, logo: LogoForm, *, tried: str = "") -> HttpResponse:
    brand = queries.brand_of(request.partner)
    typed = str(form["colour"].value() or "").lower()
    context = {
        "form": form,
        "logo_form": logo,
        "host": primary_host(partner_id=request.partner.id),
        "tried": tried if is_colour(tried) else "",
        "crumbs": [(request.partner.name, "/"), (_("Branding"), "")],
        **readable(typed if is_colour(typed) else brand.colour),
    }
    status = 422 if form.errors or logo.errors else 200
    return page(request, "branding/editor.html", context, status=status)


@door("branding.edit")
def logo(request: PartnerRequest) -> HttpResponse:
    """Put a logo in place of the letter, or take it away."""
    if request.method != "POST":
        return go(request, "/branding/")
    partner = Partner.objects.get(pk=request.partner.id)
    if "remove" in request.POST:
        actions.set_logo(partner=partner, picture=None, actor=request.actor, now=clock.now())
        messages.success(request, _("The logo is gone; the letter stands for you."))
        return go(request, "/branding/")
    form = LogoForm(request.POST, request.FILES)
    if form.is_valid():
        picture = form.cleaned_data["logo"].read(actions.LOGO_BYTES + 1)
        try:
            actions.set_logo(partner=partner, picture=picture, actor=request.actor, now=clock.now())
        except PortalError as error:
            refuse(form, error)
        else:
            messages.success(request, _("Your logo is on every page."))
            return go(request, "/branding/")
    brand = queries.brand_of(request.partner)
    shown = BrandForm(initial={name: getattr(brand, name) for name in BrandForm.base_fields})
    return _show(request, shown, form)


@door("branding.edit")
def readability(request: PartnerRequest) -> HttpResponse:
    """The list of what can be read, for a colour that is being typed."""
    colour = request.GET.get("colour", "").strip().lower()
    if not is_colour(colour):
        return HttpResponse(status=204)  # not a colour yet: what stands there stays
    return page(request, "branding/editor.html", readable(colour), part="readability")


@door("branding.edit")
def preview_css(request: PartnerRequest, colour: str) -> HttpResponse:
    """The palette of a colour that is only tried, for the previews alone; used where scripts are off."""
    if not is_colour(f"#{colour}"):
        raise NotFound
    return HttpResponse(variables(palette(f"#{colour}"), ".pv"), content_type="text/css")


def readable(colour: str) -> dict[str, Any]:
    """The palette of `colour` with its pairings, and what the colour alone would have given."""
    found = palette(colour)
    rows = []
    for check in _asked_about(checks(found)):
        shown = check.background if check.name.startswith("Button") else check.colour
        raw = contrast(colour, check.colour if check.name.startswith("Button") else check.background)
        rows.append(
            {
                "name": check.name,
                "colour": shown,
                "ratio": f"{check.ratio:.1f}",
                "passes": check.passes,
                "changed": shown != colour,
                "raw": f"{raw:.1f}",
            }
        )
    return {
        "roles": found.roles(),
        "rows": rows,
        "all_pass": all(check.passes for check in checks(found)),
        "colour": colour,
    }


def _asked_about(found: list[Check]) -> list[Check]:
    wanted = (
        "Button, light",
        "Links and active items, light",
        "Selected item, light",
        "Button, dark",
        "Links, dark",
    )
    return [check for check in found if check.name in wanted][:_SHOWN]
