"""Installing a template, step by step: settings, connections, a dry run on real events, a last look, then it works."""

from dataclasses import dataclass
from typing import Final

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from automations.connectors import queries as connectors
from automations.engine.catalog import FUNCTIONS
from automations.engine.dsl.compile import compile_document
from kernel import clock
from kernel.errors import Invalid, NotFound, PortalError
from portal.permissions import door
from portal.request import SignedIn
from portal.ui import install_connections, templates
from portal.ui.kit.flow import title_of
from portal.ui.kit.pages import go, page
from portal.ui.kit.schemaform import SchemaForm
from portal.ui.place import place_of
from portal.ui.wizard import TITLES, Wizard, draft_of, names_of, trail
from templates_lib import queries
from templates_lib.actions import installing, trying
from templates_lib.errors import AlreadyInstalled
from templates_lib.models import Installation, TemplateVersion
from tenants.tenancy import context
from tenants.tenancy import queries as tenancy
from tenants.tenancy.enums import CLOSED, TenantState


@dataclass(frozen=True, slots=True)
class Candidate:
    """A client in the first step: whether the template can go there, or why not."""

    public_id: str
    name: str
    note: str
    free: bool
    sandbox: bool
    url: str


@door("templates.install")
def choose(request: SignedIn, slug: str) -> HttpResponse:
    """The console's first step: for which client. On a client's own host there is nothing to choose."""
    version = templates.version_of(request, slug)
    if request.portal.tenant is not None:
        return go(request, place_of(request).url("templates:install", slug=slug, step="settings"))
    candidates = _candidates(request, version)
    text = request.GET.get("q", "").strip()
    shown = {
        "version": version,
        "steps": [(name, TITLES[name], False, False, False) for name in names_of(version)],
        "candidates": [one for one in candidates if text.lower() in one.name.lower()],
        "total": len(candidates),
        "q": text,
        "crumbs": trail(request, version),
    }
    return page(request, "templates/install_client.html", shown, part="clients")


def _candidates(request: SignedIn, version: TemplateVersion) -> list[Candidate]:
    assert request.portal.partner is not None
    partner_id = request.portal.partner.id
    there = {one.tenant_id: one for one in queries.installations_at(partner_id).filter(slug=version.slug)}
    found = []
    for tenant in tenancy.tenants_of(partner_id):
        if tenant.state in CLOSED:
            continue
        present = there.get(tenant.id)
        ids = {"slug": version.slug, "tenant": tenant.public_id, "step": "settings"}
        url = reverse("templates:install", kwargs=ids)
        note, free = "", True
        if present is not None:
            note, free = _("installed, version %(version)s") % {"version": present.version.version}, False
            url = reverse(
                "templates:one", kwargs={"tenant": tenant.public_id, "installation": present.public_id}
            )
        elif tenant.ready_at is None:
            note, free, url = (
                _("is being set up"),
                False,
                reverse("tenancy:progress", args=[tenant.public_id]),
            )
        elif tenant.state == TenantState.SUSPENDED:
            note, free, url = _("is suspended"), False, reverse("tenancy:detail", args=[tenant.public_id])
        found.append(Candidate(tenant.public_id, tenant.name, note, free, tenant.sandbox, url))
    return sorted(found, key=lambda one: (not one.free, one.name.lower()))


@door("templates.install")
def install(request: SignedIn, slug: str, step: str, tenant: str = "") -> HttpResponse:
    """A step of the wizard: shown, or taken with what was typed and on to the next."""
    place = place_of(request, tenant)
    place.actor.require("templates.install")
    draft = draft_of(request, slug, place)
    version = templates.version_of(request, slug, draft.get("version", ""))
    wizard = Wizard(request, place, version, {**draft, "version": version.version})
    if step not in wizard.names:
        raise NotFound
    present = queries.installations_of(place.tenant.id).filter(slug=slug).first()
    if present is not None:
        return _is_there(wizard, present)
    missing = wizard.first_open(step)
    if missing:
        return go(request, wizard.url(missing))
    with context.enter(place.tenant):
        return _STEPS[step](wizard)


def _is_there(wizard: Wizard, present: Installation) -> HttpResponse:
    """It is installed: by this very draft, sent twice, or by somebody else meanwhile, which is said."""
    draft = wizard.draft
    same = (present.version.version, present.config, present.connections) == (
        draft.get("version"), draft.get("config"), draft.get("connections", {})
    )  # fmt: skip
    words = {"name": present.version.title, "client": wizard.place.tenant.name, "who": present.installed_by}
    if "config" in draft and not same:
        messages.warning(
            wizard.request,
            _("%(name)s was installed at %(client)s by %(who)s meanwhile, with other settings. These work.")
            % words,
        )
    else:
        messages.info(wizard.request, _("%(name)s is installed at %(client)s.") % words)
    wizard.forget()
    return go(wizard.request, wizard.place.url("templates:one", installation=present.public_id))


def _settings(wizard: Wizard) -> HttpResponse:
    """Inputs made from the template's schema."""
    schema, kept = wizard.version.input_schema, wizard.draft.get("typed")
    if wizard.request.method != "POST":
        form = SchemaForm(schema, QueryDict(kept) if kept is not None else None)
        for name, said in wizard.draft.pop("refused", {}).items():
            form.add_error(name if name in form.fields else None, said)
        return wizard.show("settings", form=form)
    form = SchemaForm(schema, wizard.request.POST)
    typed = wizard.request.POST.copy()
    for name in ("csrfmiddlewaretoken", "to"):
        typed.pop(name, None)
    valid = form.is_valid()
    wizard.draft["typed"] = typed.urlencode()
    if valid:
        wizard.draft["config"] = form.value
    wizard.done("settings", yes=valid)
    return wizard.onwards("settings", valid=valid) or wizard.show("settings", form=form, status=422)


def _try(wizard: Wizard) -> HttpResponse:
    """What the template would have done with the client's last events; nothing is sent, nothing is kept."""
    if wizard.request.method == "POST":
        wizard.done("try")
        answer = wizard.onwards("try", valid=True)
        assert answer is not None
        return answer
    try:
        seen = trying.preview(wizard.version, wizard.draft["config"], until=context.now().timestamp())
    except Invalid as error:
        return _back_to_settings(wizard, error)
    program = compile_document(wizard.version.document, FUNCTIONS)
    titles = {ref: title_of(task) for ref, task in program.tasks.items()}
    wizard.draft["seen"] = {"events": seen.looked_at, "calls": seen.calls, "cases": seen.cases}
    wizard.keep()
    starts = templates.event_words(part.type for part in program.start.filters)
    runs = [
        {
            "run": run,
            "at": clock.parse_rfc3339(run.time),
            "steps": [titles[ref] for ref, _state in run.steps if ref in titles],
            "state": "waiting" if run.status == "running" else run.status,
            "waits": ", ".join(templates.event_words(run.waits_for)),
        }
        for run in seen.runs
    ]
    return wizard.show("try", seen=seen, runs=runs, starts=starts)


def _back_to_settings(wizard: Wizard, error: PortalError) -> HttpResponse:
    """Back to the step whose field was refused, with the reason."""
    wizard.draft["refused"] = {name.split(".")[0]: " ".join(said) for name, said in error.fields.items()}
    wizard.done("settings", yes=False)
    return go(wizard.request, wizard.url("settings"))


def _review(wizard: Wizard) -> HttpResponse:
    """Everything once more; then the one call that puts the template to work."""
    if wizard.request.method == "POST" and "to" not in wizard.request.POST:
        return _install(wizard)
    if wizard.request.POST.get("to") in wizard.names[:-1]:
        return go(wizard.request, wizard.url(wizard.request.POST["to"]))
    known = {str(one.id): one for one in connectors.connections()}
    chosen = wizard.draft.get("connections", {})
    return wizard.show(
        "review",
        values=templates.values_of(wizard.version, wizard.draft["config"]),
        needs=[(need, known.get(chosen.get(need.alias, ""))) for need in templates.needs_of(wizard.version)],
        seen=wizard.draft.get("seen"),
        card=templates.card_of(wizard.version, 0),
    )


def _install(wizard: Wizard) -> HttpResponse:
    place, draft = wizard.place, wizard.draft
    activate = bool(wizard.request.POST.get("activate"))
    try:
        made = installing.install(
            version=wizard.version,
            tenant=place.tenant,
            config=draft["config"],
            connections=draft.get("connections", {}),
            activate=activate,
            actor=place.actor,
            now=clock.now(),
        )
    except AlreadyInstalled:  # two hands at once
        return _is_there(wizard, queries.installations_of(place.tenant.id).get(slug=wizard.version.slug))
    except PortalError as error:
        return _refused(wizard, error)
    wizard.forget()
    said = (
        _("%(name)s works at %(client)s.")
        if activate
        else _("%(name)s is installed at %(client)s, and switched off.")
    )
    messages.success(wizard.request, said % {"name": wizard.version.title, "client": place.tenant.name})
    return go(wizard.request, place.url("templates:one", installation=made.public_id))


def _refused(wizard: Wizard, error: PortalError) -> HttpResponse:
    """Back to the step that the refusal is about."""
    if any(name.startswith("connections.") for name in error.fields):
        messages.error(wizard.request, _("A connection was changed or removed meanwhile. Choose again."))
        wizard.done("connections", yes=False)
        return go(wizard.request, wizard.url("connections"))
    if error.fields:
        return _back_to_settings(wizard, error)
    messages.error(wizard.request, _(error.message))
    return go(wizard.request, wizard.url("review"))


_STEPS: Final = {
    "settings": _settings,
    "connections": install_connections.step,
    "try": _try,
    "review": _review,
}
