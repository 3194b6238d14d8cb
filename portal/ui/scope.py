"""What a member of a client is let in for: everything, or a few workflows, stores and regions."""

from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from automations.engine.models import Workflow
from automations.insights import actions as insights
from automations.insights.enums import UnitKind
from automations.insights.models import BusinessUnit
from automations.insights.queries import units
from kernel import clock
from kernel.errors import NotFound, PortalError
from kernel.models import Row
from portal.permissions import door
from portal.request import SignedIn
from portal.ui.access import crumbs, member_of
from portal.ui.kit.forms import refuse, ui
from portal.ui.kit.pages import go, page
from templates_lib import queries as library
from tenants.access.actions.scoping import set_scope
from tenants.access.models import Membership
from tenants.access.queries import rights
from tenants.tenancy import context


def _boxes(label: Any, words: Any) -> forms.MultipleChoiceField:
    field = forms.MultipleChoiceField(
        label=label, help_text=words, required=False, widget=forms.CheckboxSelectMultiple
    )
    return ui(field, optional=True)


class ScopeForm(forms.Form):
    """Workflows (one by one, or all of a template), stores and regions."""

    workflows = _boxes(
        gettext_lazy("Workflows"), gettext_lazy("Their runs and their cases. None chosen: of all workflows.")
    )
    templates = _boxes(
        gettext_lazy("Templates"), gettext_lazy("All workflows that are installed from these now.")
    )
    units = _boxes(
        gettext_lazy("Stores and regions"),
        gettext_lazy("Their orders, and runs and cases about these. None chosen: of all."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.known = {one.public_id: one for one in Workflow.objects.order_by("title")}
        slugs = sorted({_slug(one) for one in self.known.values()} - {""})
        here = library.installations_of(context.current().id)
        titles = {one.slug: one.version.title for one in here}
        choices = {
            "workflows": [(key, one.title) for key, one in self.known.items()],
            "templates": [(slug, titles.get(slug, slug)) for slug in slugs],
            "units": [(f"{kind}:{code}", f"{UnitKind(kind).label} {code}") for kind, code in units.known()],
        }
        for name, found in choices.items():
            self.fields[name].choices = found  # type: ignore[attr-defined]

    def objects(self) -> list[Row]:
        """What was chosen, as rows."""
        data = self.cleaned_data
        chosen = {key: self.known[key] for key in data["workflows"]}
        chosen |= {key: one for key, one in self.known.items() if _slug(one) in data["templates"]}
        pairs = (text.split(":", 1) for text in data["units"])
        return [*chosen.values(), *(insights.unit(UnitKind(kind), code) for kind, code in pairs)]


def _slug(workflow: Workflow) -> str:
    return str(workflow.template).partition("@")[0]


def _initial(found: Membership) -> dict[str, list[str]]:
    """What a member is let in for now."""
    seen = rights.seen_by(found.user_id)
    workflows = Workflow.objects.filter(pk__in=seen.get("workflow", ()))
    parts = BusinessUnit.objects.filter(pk__in=seen.get("businessunit", ()))
    return {
        "workflows": [one.public_id for one in workflows],
        "units": [f"{one.kind}:{one.code}" for one in parts],
    }


@door("access.people")
def scope(request: SignedIn, member: str) -> HttpResponse:
    """Let a member in for parts of the client only, or for everything again."""
    found = member_of(request, member)
    if found.tenant_id is None:
        raise NotFound  # the partner's staff are let in for whole clients
    form = ScopeForm(request.POST if request.method == "POST" else None, initial=_initial(found))
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                set_scope(membership=found, objects=form.objects(), actor=request.actor, now=clock.now())
        except PortalError as error:
            refuse(form, error)
        else:
            messages.success(request, _("It counts from the next click of %(name)s.") % {"name": found.user})
            return go(request, reverse("access:people"))
    trail = crumbs(request, (_("People"), reverse("access:people")), (str(found.user), ""))
    context = {
        "form": form,
        "title": _("What %(name)s is let in for") % {"name": found.user},
        "lead": _("Somebody let in for parts sees their runs, cases and orders, and no other page."),
        "submit": _("Save"),
        "back": reverse("access:people"),
        "crumbs": trail,
    }
    return page(request, "access/role_form.html", context, status=422 if form.errors else 200)
