"""The branding editor: how the portal is called and looks, drafted, previewed, published, taken back."""

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
from portal.ui.kit.forms import languages, refuse, ui
from portal.ui.kit.pages import go, page
from tenants.branding import actions, queries
from tenants.branding.actions import editing
from tenants.branding.enums import WORDS
from tenants.branding.palette import Check, checks, contrast, is_colour, palette
from tenants.tenancy.models import Partner
from tenants.tenancy.queries import primary_host

_SHOWN: Final = 5
"""Of the eleven pairings the editor lists those that a partner would ask about."""
_WORDS: Final = {
    "tenant": gettext_lazy("Word for “client”"),
    "tenants": gettext_lazy("Word for “clients”"),
    "exception": gettext_lazy("Word for “exception”"),
    "exceptions": gettext_lazy("Word for “exceptions”"),
}


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
    sender_name = ui(
        forms.CharField(
            label=gettext_lazy("Sender of mails"),
            required=False,
            max_length=60,
            help_text=gettext_lazy("The name before our address; empty means the portal's name."),
            widget=forms.TextInput(attrs={"data-preview": "sender", "autocomplete": "off"}),
        ),
        optional=True,
    )
    imprint_url = ui(
        forms.URLField(label=gettext_lazy("Legal notice"), required=False, assume_scheme="https"),
        optional=True,
    )
    privacy_url = ui(
        forms.URLField(label=gettext_lazy("Privacy"), required=False, assume_scheme="https"), optional=True
    )
    terms_url = ui(
        forms.URLField(label=gettext_lazy("Terms"), required=False, assume_scheme="https"), optional=True
    )

    def __init__(self, data: Any = None, *, initial: dict[str, Any]) -> None:
        """With a field for each own word in each language; `initial` may hold them as `words`."""
        own = initial.get("words", {})
        for language, _name in languages():
            for key in WORDS:
                initial[f"word_{key}_{language}"] = own.get(language, {}).get(key, "")
        super().__init__(data, initial=initial)
        for language, name in languages():
            for key in WORDS:
                self.fields[f"word_{key}_{language}"] = ui(
                    forms.CharField(
                        label=f"{_WORDS[key]} ({name})",
                        required=False,
                        max_length=40,
                        widget=forms.TextInput(attrs={"autocomplete": "off"}),
                    ),
                    optional=True,
                )

    def words(self) -> list[forms.BoundField]:
        """The fields of own words."""
        return [self[name] for name in self.fields if name.startswith("word_")]

    def values(self) -> dict[str, Any]:
        """What was asked for, the words by language."""
        data = dict(self.cleaned_data)
        words = {
            language: {key: data.pop(f"word_{key}_{language}") for key in WORDS}
            for language, _ in languages()
        }
        return {**data, "words": words}


class LogoForm(forms.Form):
    """A picture instead of the letter."""

    logo = forms.FileField(
        label=gettext_lazy("Logo"),
        help_text=gettext_lazy(
            "PNG, WebP or JPEG, at most 1 MB, drawn anew, 160 pixels high at most; or an SVG, rid of what could act."
        ),
        widget=forms.FileInput(attrs={"accept": "image/png,image/webp,image/jpeg,image/svg+xml"}),
    )


class FaviconForm(forms.Form):
    """The small picture that browsers show beside the title."""

    favicon = forms.FileField(
        label=gettext_lazy("Small picture"),
        help_text=gettext_lazy("Square, for the tabs of browsers: drawn anew with 64 pixels."),
        widget=forms.FileInput(attrs={"accept": "image/png,image/webp,image/jpeg,image/svg+xml"}),
    )


@door("branding.edit")
def editor(request: PartnerRequest) -> HttpResponse:
    """See, try, draft and publish the brand; `?colour=` shows another colour without saving it."""
    tried = request.GET.get("colour", "").lower()
    form = _form(request, request.POST if request.method == "POST" else None, tried)
    if request.method == "POST" and form.is_valid():
        try:
            said = _save(request, form.values(), draft=request.POST.get("act") == "draft")
        except PortalError as error:
            refuse(form, error)
        else:
            messages.success(request, said)
            return go(request, request.path)
    return _show(request, form, tried=tried)


def _form(request: PartnerRequest, data: Any = None, tried: str = "") -> BrandForm:
    """The form, with the draft where there is one, else with what is published."""
    draft, brand = queries.draft_of(request.partner.id), queries.brand_of(request.partner)
    initial = dict(draft.values) if draft else {name: getattr(brand, name) for name in editing.TEXTS}
    if is_colour(tried):
        initial["colour"] = tried
    return BrandForm(data, initial=initial)


def _save(request: PartnerRequest, values: dict[str, Any], *, draft: bool) -> str:
    """Keep or publish what was typed; what to say about it."""
    partner, now = Partner.objects.get(pk=request.partner.id), clock.now()
    if draft:
        actions.save_draft(partner=partner, values=values, actor=request.actor, now=now)
        return _("Your draft is kept; nobody else sees it yet.")
    if queries.draft_of(partner.id):  # its pictures are to come along
        actions.save_draft(partner=partner, values=values, actor=request.actor, now=now)
        actions.publish_draft(partner=partner, actor=request.actor, now=now)
    else:
        actions.set_brand(partner=partner, actor=request.actor, now=now, **values)
    return _("Your brand is published on every page.")


def _show(
    request: PartnerRequest,
    form: BrandForm,
    logo: LogoForm | None = None,
    favicon: FaviconForm | None = None,
    *,
    tried: str = "",
) -> HttpResponse:
    brand = queries.brand_of(request.partner)
    typed = str(form["colour"].value() or "").lower()
    shown = typed if is_colour(typed) else brand.colour
    context = {
        "form": form,
        "logo_form": logo or LogoForm(),
        "favicon_form": favicon or FaviconForm(),
        "draft": queries.draft_of(request.partner.id),
        "versions": queries.versions_of(request.partner.id),
        "host": primary_host(partner_id=request.partner.id),
        "tried": tried if is_colour(tried) else "",
        "crumbs": [(request.partner.name, "/"), (_("Branding"), "")],
        **readable(shown),
    }
    wrong = form.errors or any(one is not None and one.errors for one in (logo, favicon))
    return page(request, "branding/editor.html", context, status=422 if wrong else 200)


@door("branding.edit")
def logo(request: PartnerRequest) -> HttpResponse:
    """Put a logo in place of the letter, or take it away."""
    return _picture(request, "logo")


@door("branding.edit")
def favicon(request: PartnerRequest) -> HttpResponse:
    """Set the small picture that browsers show, or take it away."""
    return _picture(request, "favicon")


def _picture(request: PartnerRequest, which: str) -> HttpResponse:
    if request.method != "POST":
        return go(request, "/branding/")
    partner = Partner.objects.get(pk=request.partner.id)
    act = actions.set_logo if which == "logo" else actions.set_favicon
    if "remove" in request.POST:
        act(partner=partner, picture=None, actor=request.actor, now=clock.now())
        messages.success(request, _("The picture is gone; the letter stands for you."))
        return go(request, "/branding/")
    form = (LogoForm if which == "logo" else FaviconForm)(request.POST, request.FILES)
    if form.is_valid():
        picture = form.cleaned_data[which].read(actions.LOGO_BYTES + 1)
        try:
            act(partner=partner, picture=picture, actor=request.actor, now=clock.now())
        except PortalError as error:
            refuse(form, error)
        else:
            messages.success(request, _("Your picture is kept."))
            return go(request, "/branding/")
    forms_ = {which: form}
    return _show(request, _form(request), **forms_)  # type: ignore[arg-type] # each under its own name


@door("branding.edit")
def discard(request: PartnerRequest) -> HttpResponse:
    """Throw the draft away. Raises NotFound where there is none."""
    if request.method == "POST":
        partner = Partner.objects.get(pk=request.partner.id)
        actions.discard_draft(partner=partner, actor=request.actor, now=clock.now())
        messages.success(request, _("The draft is gone; what is published stays."))
    return go(request, "/branding/")


@door("branding.edit")
def back(request: PartnerRequest, number: int) -> HttpResponse:
    """Publish an earlier version once more. Raises NotFound."""
    if request.method == "POST":
        partner = Partner.objects.get(pk=request.partner.id)
        actions.roll_back(partner=partner, number=number, actor=request.actor, now=clock.now())
        messages.success(request, _("Version %(number)s is published again.") % {"number": number})
    return go(request, "/branding/")


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
