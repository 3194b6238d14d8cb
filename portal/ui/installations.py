"""What is installed: the list, one installation, and what can be done with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from automations.connectors import queries as connectors
from automations.engine.actions import workflows
from automations.engine.enums import WorkflowState
from automations.engine.models import Workflow
from kernel import clock
from kernel.errors import NotFound, PortalError
from portal.permissions import door
from portal.request import SignedIn
from portal.ui import templates
from portal.ui.kit import words
from portal.ui.kit.forms import refuse
from portal.ui.kit.pages import go, key_of, page
from portal.ui.kit.prose import prose
from portal.ui.kit.schemaform import SchemaForm
from portal.ui.place import Place, crumbs, place_of, there
from portal.ui.tenancy_forms import ReasonForm
from templates_lib import queries
from templates_lib.actions import installing
from templates_lib.models import Installation, TemplateVersion
from tenants.access import policy
from tenants.audit import queries as audit
from tenants.tenancy import context
from tenants.tenancy.queries import TenantRef


@dataclass(frozen=True, slots=True)
class Row:
    """An installation in a list, and the version that it could have."""

    installation: Installation
    icon: str
    newer: TemplateVersion | None
    state: str = ""


@door("templates.read")
def installed(request: SignedIn) -> HttpResponse:
    """What works in this client; in the console, what works where, and what is behind."""
    assert request.portal.partner is not None
    newest = {row.slug: row for row in queries.library(request.portal.partner.id)}
    rows = [_row(one, newest) for one in templates.installed_here(request)]
    states = _states(rows) if request.portal.tenant else {}
    behind = request.GET.get("show") == "behind"
    shown = [row for row in rows if row.newer or not behind]
    context = {
        "rows": [(row, states.get(row.installation.workflow_id, "")) for row in shown],
        "total": len(rows),
        "behind": sum(row.newer is not None for row in rows),
        "show": "behind" if behind else "",
        "crumbs": _trail(request),
    }
    return page(request, "templates/installed.html", context)


def _row(one: Installation, newest: Mapping[str, TemplateVersion]) -> Row:
    best = newest.get(one.slug)
    newer = best if best is not None and best.published_at > one.version.published_at else None
    return Row(one, one.version.manifest.get("icon", "blocks"), newer)


def _states(rows: list[Row]) -> dict[Any, str]:
    keys = [row.installation.workflow_id for row in rows]
    return dict(Workflow.objects.filter(pk__in=keys).values_list("id", "state"))


def rows_of(tenant: TenantRef) -> list[tuple[Row, str]]:
    """(installation, state of its workflow) of one client, for its page in the console."""
    newest = {row.slug: row for row in queries.library(tenant.partner_id)}
    rows = [_row(one, newest) for one in queries.installations_of(tenant.id).select_related("tenant")]
    with context.enter(tenant):
        states = _states(rows)
    return [(row, states.get(row.installation.workflow_id, "")) for row in rows]


def _trail(request: SignedIn, *more: tuple[str, str]) -> list[tuple[str, str]]:
    """The way to a page about installations."""
    first = (_("Templates"), reverse("templates:installed") if more or not request.portal.tenant else "")
    if request.portal.tenant is None:
        first = (_("Templates"), reverse("templates:library"))
        more = ((_("Installed"), reverse("templates:installed") if more else ""), *more)
    return crumbs(request, first, *more)


def found(place: Place, installation: str) -> Installation:
    """The installation of the address. Raises NotFound, also for somebody who has no role here."""
    one = queries.installation_of(place.tenant.id, key_of("ins", installation))
    if one is None or not place.actor.permissions:
        raise NotFound
    return one


def _operated(place: Place, row: Installation) -> Workflow:
    """Its workflow, for somebody who may operate it by role or by a grant. Raises Forbidden and NotFound."""
    workflow = Workflow.objects.filter(pk=row.workflow_id).first()
    if workflow is None:
        raise NotFound
    policy.require(place.actor, "engine.operate", workflow)
    return workflow


def _of(request: SignedIn, place: Place, one: Installation, *more: tuple[str, str]) -> list[tuple[str, str]]:
    """The way to a page of one installation."""
    name = one.version.title if not place.console else f"{one.version.title}, {place.tenant.name}"
    address = place.url("templates:one", installation=one.public_id) if more else ""
    return _trail(request, (name, address), *more)


@door("templates.read")
def one(request: SignedIn, installation: str, tenant: str = "") -> HttpResponse:
    """An installation: what works, by which version and settings, where its cases land, what has happened to it."""
    place = place_of(request, tenant)
    row = found(place, installation)
    version = row.version
    with context.enter(place.tenant):
        workflow = Workflow.objects.filter(pk=row.workflow_id).first()
        known = {str(view.id): view for view in connectors.connections()} if row.connections else {}
        trail = list(audit.trail(object_id=row.public_id)[:8])
    context_ = {
        "place": place,
        "one": row,
        "version": version,
        "card": templates.card_of(version, 0),
        "workflow": workflow,
        "needs": [
            (need, known.get(row.connections.get(need.alias, ""))) for need in templates.needs_of(version)
        ],
        "values": templates.values_of(version, row.config),
        "newer": queries.newer_than(row, place.partner_id),
        "trail": trail,
        "may": place.actor.may("templates.install"),
        "operates": place.actor.may("engine.operate"),
        "links": {
            "workflow": there("workflows:detail", workflow.public_id) if workflow else "",
            "runs": there("runs:list"),
            "inbox": there("inbox:list"),
        },
        "crumbs": _of(request, place, row),
    }
    return page(request, "templates/one.html", context_)


@door("engine.operate", by_grant=True)
def set_state(request: SignedIn, installation: str, state: str, tenant: str = "") -> HttpResponse:
    """Pause or activate the workflow of an installation, with a reason."""
    place = place_of(request, tenant)
    row = found(place, installation)
    with context.enter(place.tenant):
        workflow = _operated(place, row)
    if state not in (WorkflowState.ACTIVE, WorkflowState.PAUSED):
        raise NotFound
    pauses = state == WorkflowState.PAUSED
    form = ReasonForm(request.POST if request.method == "POST" else None, name=row.version.title, typed=False)
    if request.method == "POST" and form.is_valid():
        with context.enter(place.tenant):
            workflows.set_state(
                workflow=workflow,
                state=WorkflowState(state),
                reason=form.cleaned_data["reason"],
                actor=place.actor,
                now=clock.now(),
            )
        said = _("%(name)s is paused.") if pauses else _("%(name)s is active.")
        messages.success(request, said % {"name": row.version.title})
        return go(request, place.url("templates:one", installation=row.public_id))
    verb = _("Pause") if pauses else _("Activate")
    shown = {
        "form": form,
        "one": row,
        "pauses": pauses,
        "verb": verb,
        "back": place.url("templates:one", installation=row.public_id),
        "crumbs": _of(request, place, row, (verb, "")),
    }
    return page(request, "templates/state.html", shown, part="dialog", status=422 if form.errors else 200)


@door("templates.install")
def uninstall(request: SignedIn, installation: str, tenant: str = "") -> HttpResponse:
    """Take a template away, with a reason and its name typed."""
    place = place_of(request, tenant)
    row = found(place, installation)
    form = ReasonForm(request.POST if request.method == "POST" else None, name=row.version.title, typed=True)
    if request.method == "POST" and form.is_valid():
        try:
            installing.uninstall(
                installation=row, reason=form.cleaned_data["reason"], actor=place.actor, now=clock.now()
            )
        except PortalError as error:
            refuse(form, error)
        else:
            messages.success(request, _("%(name)s is no longer installed.") % {"name": row.version.title})
            return go(request, reverse("templates:installed"))
    shown = {
        "form": form,
        "one": row,
        "place": place,
        "back": place.url("templates:one", installation=row.public_id),
        "crumbs": _of(request, place, row, (_("Uninstall"), "")),
    }
    return page(request, "templates/uninstall.html", shown, part="dialog", status=422 if form.errors else 200)


def connection_schema(version: TemplateVersion) -> dict[str, Any]:
    """The connections that a version needs as a part of a form."""
    needs = templates.needs_of(version)
    return {
        "type": "object",
        "required": [need.alias for need in needs],
        "properties": {
            need.alias: {
                "type": "string",
                "title": need.kind,
                "description": need.title,
                "x-ui": {"widget": "select"},
            }
            for need in needs
        },
    }


def connection_form(
    version: TemplateVersion, data: Any = None, initial: Mapping[str, str] | None = None
) -> SchemaForm:
    """A menu of the current tenant's connections for each that the version needs."""
    options = {need["alias"]: _connections(need["connector"]) for need in version.needs}
    return SchemaForm(
        connection_schema(version), data, initial=initial, choices=options, prefix="connections", check=False
    )


def _connections(connector: str) -> list[tuple[str, str]]:
    return [
        ("", _("Choose a connection")),
        *((str(one.id), one.name) for one in connectors.connections(connector=connector)),
    ]


@door("engine.operate", by_grant=True)
def settings(request: SignedIn, installation: str, tenant: str = "") -> HttpResponse:
    """Change the settings and connections of an installation."""
    place = place_of(request, tenant)
    row = found(place, installation)
    data = request.POST if request.method == "POST" else None
    with context.enter(place.tenant):
        workflow = _operated(place, row)
        form = SchemaForm(row.version.input_schema, data, initial=row.config)
        chosen = connection_form(row.version, data, row.connections)
        if data is not None and _both(form, chosen):
            try:
                installing.configure(
                    workflow=workflow,
                    tenant=place.tenant,
                    config=form.value,
                    connections=chosen.value,
                    actor=place.actor,
                    now=clock.now(),
                )
            except PortalError as error:
                put_back(form, chosen, error)
            else:
                messages.success(request, _("The settings are changed."))
                return go(request, place.url("templates:one", installation=row.public_id))
        shown = {
            "form": form,
            "chosen": chosen,
            "one": row,
            "back": place.url("templates:one", installation=row.public_id),
            "crumbs": _of(request, place, row, (_("Settings"), "")),
        }
        wrong = bool(form.errors or chosen.errors)
        return page(request, "templates/settings.html", shown, status=422 if wrong else 200)


def _both(form: SchemaForm, chosen: SchemaForm) -> bool:
    """Whether both are valid; both are asked, so that all mistakes are shown at once."""
    return all([form.is_valid(), chosen.is_valid()])


def put_back(form: SchemaForm, chosen: SchemaForm, error: PortalError) -> None:
    """What an action refused, at the fields of the two forms that it names."""
    if not error.fields:
        refuse(form, error)
    for name, said in error.fields.items():
        alias = name.removeprefix("connections.")
        target, field = (chosen, alias) if name.startswith("connections.") else (form, name.split(".")[0])
        target.add_error(field if field in target.fields else None, " ".join(said))


@door("templates.install")
def upgrade(request: SignedIn, installation: str, tenant: str = "") -> HttpResponse:
    """Change over to a newer version: what changed, what it asks anew, then the one call."""
    place = place_of(request, tenant)
    row = found(place, installation)
    newer = queries.newer_than(row, place.partner_id)
    if newer is None:
        messages.info(request, _("This is the newest version."))
        return go(request, place.url("templates:one", installation=row.public_id))
    data = request.POST if request.method == "POST" else None
    with context.enter(place.tenant):
        form = SchemaForm(
            newer.input_schema, data, initial={**queries.defaults(newer.input_schema), **row.config}
        )
        chosen = connection_form(newer, data, row.connections)
        if data is not None and _both(form, chosen):
            try:
                installing.upgrade(
                    installation=row,
                    version=newer,
                    config=form.value,
                    connections=chosen.value,
                    actor=place.actor,
                    now=clock.now(),
                )
            except PortalError as error:
                put_back(form, chosen, error)
            else:
                said = _("%(name)s now works by version %(version)s.")
                messages.success(request, said % {"name": newer.title, "version": newer.version})
                return go(request, place.url("templates:one", installation=row.public_id))
        shown = {
            "form": form,
            "chosen": chosen,
            "one": row,
            "newer": newer,
            "back": place.url("templates:one", installation=row.public_id),
            "changes": changes(row.version, newer),
            "changelog": prose(newer.changelog),
            "crumbs": _of(request, place, row, (_("Upgrade"), "")),
        }
        wrong = bool(form.errors or chosen.errors)
        return page(request, "templates/upgrade.html", shown, status=422 if wrong else 200)


def changes(old: TemplateVersion, new: TemplateVersion) -> list[tuple[str, str, str]]:
    """What differs in what a template asks and does: (what, before, after)."""
    before, after = _asks(old), _asks(new)
    return [
        (name, before.get(name, words.NONE), after.get(name, words.NONE))
        for name in dict.fromkeys((*before, *after))
        if before.get(name) != after.get(name)
    ]


def _asks(version: TemplateVersion) -> dict[str, str]:
    found = {
        one.title: ", ".join(
            part for part in (one.kind, one.limits, one.default and _("at first %s") % one.default) if part
        )
        for one in templates.settings_of(version.input_schema)
    }
    card = templates.card_of(version, 0)
    found |= {_("Connection “%s”") % need.alias: need.kind for need in card.needs}
    found[_("Takes in")] = ", ".join(card.starts)
    found[_("Tells")] = ", ".join(card.tells) or words.NONE
    return found
