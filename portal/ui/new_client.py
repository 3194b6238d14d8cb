"""Setting up a new client in five steps, each with its own address; the draft is kept in the session.

Going back, or to another step, keeps what was typed, valid or not; only going on asks for a valid step.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kernel import clock
from kernel.errors import NotFound, PortalError
from portal.permissions import door
from portal.request import PartnerRequest
from portal.ui.kit.forms import languages, ui, zones
from portal.ui.kit.pages import go, page
from portal.ui.kit.schemaform import SchemaForm
from templates_lib import queries as templates
from tenants.access import catalog
from tenants.access.enums import Role
from tenants.tenancy import actions, queries
from tenants.tenancy.models import Partner, slug_rule

_DRAFT: Final = "new_client"
STEPS: Final = (
    ("business", gettext_lazy("Business")),
    ("address", gettext_lazy("Address")),
    ("people", gettext_lazy("People")),
    ("blueprint", gettext_lazy("Blueprint")),
    ("review", gettext_lazy("Review")),
)
_NAMES: Final = tuple(name for name, _title in STEPS)
_STEP_OF: Final = {
    "name": "business",
    "timezone": "business",
    "currency": "business",
    "language": "business",
    "slug": "address",
    "people": "people",
    "blueprint": "blueprint",
}
_CURRENCIES: Final = (
    "EUR",
    "GBP",
    "USD",
    "CHF",
    "SEK",
    "NOK",
    "DKK",
    "PLN",
    "CZK",
    "BRL",
    "CAD",
    "AUD",
    "JPY",
)


@dataclass(frozen=True, slots=True)
class Blueprint:
    """A set of templates that a new client starts with."""

    key: str
    title: str | Promise
    text: str | Promise


BLUEPRINTS: Final[list[Blueprint]] = [
    Blueprint(
        "", gettext_lazy("Empty"), gettext_lazy("No template yet. Choose from the library once it stands.")
    ),
    *(
        Blueprint(
            key, title, gettext_lazy("Installed and active from the start; its settings can be changed.")
        )
        for key, (title, _slugs) in templates.BLUEPRINTS.items()
    ),
]


class BusinessForm(forms.Form):
    """Who the client is."""

    name = forms.CharField(
        label=gettext_lazy("Name of the business"),
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autofocus": True}),
    )
    timezone = forms.ChoiceField(
        label=gettext_lazy("Time zone"),
        choices=zones,
        help_text=gettext_lazy("Business hours and due times follow it."),
    )
    currency = forms.ChoiceField(
        label=gettext_lazy("Currency"), choices=[(code, code) for code in _CURRENCIES]
    )
    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=languages)
    sandbox = forms.BooleanField(
        label=gettext_lazy("This is a sandbox"),
        required=False,
        help_text=gettext_lazy(
            "For trying things out: striped, never counted in totals, may live on its own clock."
        ),
    )


class AddressForm(forms.Form):
    """Where the client's portal lives."""

    slug = ui(
        forms.CharField(
            label=gettext_lazy("Web address"),
            max_length=40,
            validators=[slug_rule],
            help_text=gettext_lazy(
                "Small letters, digits and hyphens. A domain of the client's own can follow."
            ),
            widget=forms.TextInput(attrs={"data-slug": "", "spellcheck": "false", "autocomplete": "off"}),
        )
    )

    def __init__(self, *args: Any, partner: Any, **kwargs: Any) -> None:
        """`partner` owns the rest of the address."""
        super().__init__(*args, **kwargs)
        self.partner = partner
        ui(self.fields["slug"], after=f".{partner.slug}.{settings.BASE_DOMAIN}")

    def clean_slug(self) -> str:
        """It must be free."""
        slug = str(self.cleaned_data["slug"]).lower()
        if queries.slug_taken(self.partner.id, slug):
            raise forms.ValidationError(_("%(slug)s is taken.") % {"slug": slug})
        return slug


class BlueprintForm(forms.Form):
    """What the client starts with."""

    blueprint = forms.ChoiceField(label=gettext_lazy("Start with"), required=False, widget=forms.RadioSelect)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """The choices are what rooms have registered."""
        super().__init__(*args, **kwargs)
        self.fields["blueprint"].choices = [  # type: ignore[attr-defined]
            (one.key, f"{one.title}: {one.text}") for one in BLUEPRINTS
        ]


def people_schema() -> dict[str, Any]:
    """The people step as a schema: rows of e-mail, name and role."""
    roles = catalog.TENANT_ROLES
    return {
        "type": "object",
        "properties": {
            "people": {
                "type": "array",
                "title": str(_("Who is to be let in")),
                "description": str(
                    _("At least one client admin, who can let in the others. It can be done later, too.")
                ),
                "items": {
                    "type": "object",
                    "required": ["email", "role"],
                    "properties": {
                        "email": {"type": "string", "format": "email", "title": str(_("E-mail"))},
                        "name": {"type": "string", "title": str(_("Name")), "maxLength": 120},
                        "role": {
                            "type": "string",
                            "title": str(_("Role")),
                            "enum": [role.value for role in roles],
                            "x-labels": {role.value: str(role.label) for role in roles},
                            "default": Role.TENANT_ADMIN.value,
                        },
                    },
                },
            }
        },
    }


def _form(step: str, request: PartnerRequest, draft: Mapping[str, Any], data: Any = None) -> Any:
    kept = draft.get(step, {})
    if step == "people":
        return SchemaForm(people_schema(), data, initial=kept)
    if step == "address":
        suggested = kept or {"slug": _slug(draft.get("business", {}).get("name", ""))}
        return AddressForm(data, initial=suggested, partner=request.partner)
    if step == "business":
        return BusinessForm(
            data, initial=kept or {"timezone": "Europe/Berlin", "currency": "EUR", "language": "en"}
        )
    return BlueprintForm(data, initial=kept)


def _slug(name: str) -> str:
    from django.utils.text import slugify

    return slugify(name.replace("ß", "ss"))[:40].strip("-")


def _typed(step: str, form: Any, data: Any) -> dict[str, Any]:
    """What was typed, valid or not, for the draft."""
    if step == "people":
        return {
            "people": [
                {name: row[name].value() or "" for name in row.fields}
                for row in form.rows["people"]
                if row.has_changed()
            ]
        }
    return {
        name: (name in data) if isinstance(field, forms.BooleanField) else data.get(name, "")
        for name, field in form.fields.items()
    }


@door("tenancy.provision")
def new_client(request: PartnerRequest, step: str = "business") -> HttpResponse:
    """A step: shown, or taken with what was typed and on to the next (or to where one wants)."""
    if step not in _NAMES:
        raise NotFound
    draft: dict[str, Any] = request.session.get(_DRAFT, {})
    if step == "review":
        return _review(request, draft)
    if request.method != "POST":
        form = _form(step, request, draft, draft["refused"].get("data") if _refused(draft, step) else None)
        return _show(request, step, draft, _with_refusal(draft, step, form))
    form = _form(step, request, draft, request.POST)
    wanted = request.POST.get("to", "")
    valid = form.is_valid()
    draft[step] = form.value if step == "people" and valid else _typed(step, form, request.POST)
    draft.pop("refused", None)
    if valid:
        draft["done"] = sorted({*draft.get("done", []), step}, key=_NAMES.index)
    else:
        draft["done"] = [name for name in draft.get("done", []) if name != step]
    request.session[_DRAFT] = draft
    if wanted in _NAMES and (_NAMES.index(wanted) < _NAMES.index(step) or valid):
        return go(request, _address(wanted))
    if not valid:
        return _show(request, step, draft, form, status=422)
    return go(request, _address(_NAMES[_NAMES.index(step) + 1]))


def _address(step: str) -> str:
    return reverse("tenancy:new", args=[step])


def _refused(draft: Mapping[str, Any], step: str) -> bool:
    return bool(draft.get("refused", {}).get("step") == step)


def _with_refusal(draft: Mapping[str, Any], step: str, form: Any) -> Any:
    """The form of the step whose field the action refused, with what it said."""
    if _refused(draft, step):
        form.full_clean()
        for name, said in draft["refused"]["fields"].items():
            form.add_error(name if name in form.fields else None, said)
    return form


def _show(
    request: PartnerRequest, step: str, draft: Mapping[str, Any], form: Any, status: int = 200
) -> HttpResponse:
    done = set(draft.get("done", []))
    context = {
        "step": step,
        "form": form,
        "steps": [(name, title, name in done, name == step, _reachable(name, done)) for name, title in STEPS],
        "before": _NAMES[_NAMES.index(step) - 1] if step != _NAMES[0] else "",
        "draft": draft,
        "crumbs": [(request.partner.name, "/"), (_("Clients"), "/clients/"), (_("New client"), "")],
    }
    template = "tenancy/new_review.html" if step == "review" else "tenancy/new.html"
    return page(request, template, {**context, **_summary(request, draft)}, status=status)


def _reachable(step: str, done: set[str]) -> bool:
    return all(name in done for name in _NAMES[: _NAMES.index(step)])


def _summary(request: PartnerRequest, draft: Mapping[str, Any]) -> dict[str, Any]:
    """The whole draft in words, for the review."""
    slug = draft.get("address", {}).get("slug", "")
    chosen = draft.get("blueprint", {}).get("blueprint", "")
    roles = {role.value: role.label for role in Role}
    return {
        "host": f"{slug}.{request.partner.slug}.{settings.BASE_DOMAIN}" if slug else "",
        "people": [
            (one.get("email", ""), one.get("name", ""), roles.get(one.get("role", ""), ""))
            for one in draft.get("people", {}).get("people", [])
        ],
        "blueprint": next((one for one in BLUEPRINTS if one.key == chosen), BLUEPRINTS[0]),
    }


def _review(request: PartnerRequest, draft: dict[str, Any]) -> HttpResponse:
    """Everything once more; then the one call that makes the client."""
    open_steps = [name for name in _NAMES[:-1] if name not in draft.get("done", [])]
    if open_steps:
        return go(request, _address(open_steps[0]))
    if request.method != "POST":
        return _show(request, "review", draft, None)
    if request.POST.get("to") in _NAMES[:-1]:
        return go(request, _address(str(request.POST["to"])))
    business = draft["business"]
    try:
        job = actions.request_tenant(
            partner=Partner.objects.get(pk=request.partner.id),
            name=business["name"],
            slug=draft["address"]["slug"].lower(),
            timezone=business["timezone"],
            currency=business["currency"],
            language=business["language"],
            sandbox=bool(business.get("sandbox")),
            people=draft["people"].get("people", []),
            blueprint=draft["blueprint"].get("blueprint", ""),
            actor=request.actor,
            now=clock.now(),
        )
    except PortalError as error:
        return _take_back(request, draft, error)
    request.session.pop(_DRAFT, None)
    return go(request, reverse("tenancy:progress", args=[job.tenant.public_id]))


def _take_back(request: PartnerRequest, draft: dict[str, Any], error: PortalError) -> HttpResponse:
    """Back to the step whose field was refused, with the reason."""
    step = next((_STEP_OF[name] for name in error.fields if name in _STEP_OF), "")
    if not step:
        messages.error(request, error.message)
        return go(request, _address("review"))
    draft["refused"] = {
        "step": step,
        "fields": {name: " ".join(said) for name, said in error.fields.items()},
        "data": draft[step],
    }
    draft["done"] = [name for name in draft["done"] if name != step]
    request.session[_DRAFT] = draft
    return go(request, _address(step))
