"""The template library: what can be installed, and all that is known of one template before it is."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from automations.connectors import registry as connectors
from automations.connectors.errors import UnknownConnector
from automations.engine.catalog import FUNCTIONS
from automations.engine.dsl.compile import compile_document
from automations.events import registry as events
from automations.insights.catalog.kpis import KPIS
from kernel.errors import NotFound
from kernel.money import Money
from portal.permissions import door
from portal.request import SignedIn
from portal.ui.kit import graph, words
from portal.ui.kit.acts import ACTS
from portal.ui.kit.flow import flow, title_of
from portal.ui.kit.pages import page
from portal.ui.kit.prose import prose
from portal.ui.kit.schemaform import properties
from portal.ui.place import crumbs
from templates_lib import queries
from templates_lib.actions import trying
from templates_lib.models import Installation, TemplateVersion
from tenants.tenancy.context import current_or_none

ACTS.update(
    {
        "templates.install": gettext_lazy("Installed a template"),
        "templates.upgrade": gettext_lazy("Changed the version of a template"),
        "templates.uninstall": gettext_lazy("Took a template away"),
        "templates.publish": gettext_lazy("Published a template"),
        "templates.recall": gettext_lazy("Recalled a template"),
    }
)
TABS: Final = (
    ("overview", gettext_lazy("Overview")),
    ("settings", gettext_lazy("Settings")),
    ("tests", gettext_lazy("Tests")),
    ("runbook", gettext_lazy("Runbook")),
    ("versions", gettext_lazy("Versions")),
)
_TYPES: Final[Mapping[str, str | Promise]] = {
    "boolean": gettext_lazy("Yes or no"),
    "integer": gettext_lazy("Whole number"),
    "number": gettext_lazy("Number"),
    "array": gettext_lazy("List"),
    "object": gettext_lazy("Group"),
}


@dataclass(frozen=True, slots=True)
class Need:
    """A connection that a template needs, and the kind of system in words."""

    alias: str
    connector: str
    title: str
    kind: str
    icon: str


@dataclass(frozen=True, slots=True)
class Card:
    """A template in the library."""

    version: TemplateVersion
    icon: str
    needs: Sequence[Need]
    starts: Sequence[str]
    tells: Sequence[str]
    kpis: Sequence[tuple[str, str]]
    installs: int
    own: bool

    @property
    def words(self) -> str:
        """What the search looks through."""
        manifest = self.version.manifest
        systems = " ".join(manifest.get("systems", []))
        parts = [
            self.version.title,
            self.version.summary,
            self.version.slug,
            systems,
            manifest.get("process", ""),
        ]
        return " ".join(parts).lower()


def needs_of(version: TemplateVersion) -> list[Need]:
    """The connections that a template needs."""
    found = []
    for need in version.needs:
        try:
            kind = connectors.connector(need["connector"])
            found.append(Need(**need, kind=kind.title, icon=kind.icon))
        except UnknownConnector:
            found.append(Need(**need, kind=need["connector"], icon="plug"))
    return found


def event_words(types: Iterable[str]) -> list[str]:
    """Event types as people call them; one without a contract by its name."""
    return [contract.title if (contract := events.contract(kind)) else kind for kind in types]


def card_of(version: TemplateVersion, installs: int) -> Card:
    """A template as the library shows it."""
    manifest = version.manifest
    return Card(
        version=version,
        icon=manifest.get("icon", "blocks"),
        needs=needs_of(version),
        starts=event_words(manifest["events"]["in"]),
        tells=event_words(manifest["events"]["out"]),
        kpis=[(code, str(KPIS[code].title)) for code in manifest["kpis"] if code in KPIS],
        installs=installs,
        own=version.partner_id is not None,
    )


def version_of(request: SignedIn, slug: str, wanted: str = "") -> TemplateVersion:
    """A version of the template that this partner may see, the newest if none is named. Raises NotFound."""
    assert request.portal.partner is not None
    rows = queries.versions_of(slug, request.portal.partner.id)
    found = rows.filter(version=wanted).first() if wanted else rows.filter(recalled_at__isnull=True).first()
    if found is None:
        raise NotFound
    return found


def installed_here(request: SignedIn) -> list[Installation]:
    """What is installed in this client, or in all clients of this partner."""
    assert request.portal.partner is not None
    if request.portal.tenant is not None:
        return list(queries.installations_of(request.portal.tenant.id))
    return list(queries.installations_at(request.portal.partner.id))


@door("templates.read")
def library(request: SignedIn) -> HttpResponse:
    """Cards of everything that can be installed, narrowed by words and by system."""
    assert request.portal.partner is not None
    counts = queries.installs(request.portal.partner.id)
    cards = [
        card_of(version, counts.get(version.slug, 0))
        for version in queries.library(request.portal.partner.id)
    ]
    text, system = request.GET.get("q", "").strip(), request.GET.get("system", "")
    systems = sorted({name for card in cards for name in card.version.manifest.get("systems", [])})
    shown = [
        card
        for card in cards
        if text.lower() in card.words and (not system or system in card.version.manifest.get("systems", []))
    ]
    here = {one.slug: one for one in installed_here(request)} if request.portal.tenant else {}
    context = {
        "cards": shown,
        "total": len(cards),
        "here": here,
        "systems": [(name, name == system) for name in systems],
        "system": system,
        "q": text,
        "crumbs": crumbs(request, (_("Templates"), "")),
    }
    return page(request, "templates/library.html", context, part="cards")


@door("templates.read")
def detail(request: SignedIn, slug: str) -> HttpResponse:
    """One template: its picture, settings, tests, runbook and versions; `?version=` shows an older one."""
    assert request.portal.partner is not None
    version = version_of(request, slug, request.GET.get("version", ""))
    rows = list(queries.versions_of(slug, request.portal.partner.id))
    tab = request.GET.get("tab", "overview")
    tab = tab if tab in dict(TABS) else "overview"
    places = [one for one in installed_here(request) if one.slug == slug]
    context: dict[str, Any] = {
        "version": version,
        "card": card_of(version, len(places)),
        "tab": tab,
        "tabs": _tabs(version, rows, tab),
        "newest": next((row for row in rows if row.recalled_at is None), None),
        "places": places,
        "crumbs": crumbs(request, (_("Templates"), reverse("templates:library")), (version.title, "")),
        **_part(tab, version, rows, request.GET.get("step", "")),
    }
    return page(request, "templates/detail.html", context)


def _tabs(
    version: TemplateVersion, rows: Sequence[TemplateVersion], tab: str
) -> list[tuple[str, Any, int | None, bool]]:
    counts = {
        "settings": len(version.input_schema.get("properties", {})),
        "tests": len(version.tests),
        "versions": len(rows),
    }
    chosen = f"&version={version.version}" if version != rows[0] else ""
    return [(f"?tab={key}{chosen}", word, counts.get(key), key == tab) for key, word in TABS]


def _part(tab: str, version: TemplateVersion, rows: Sequence[TemplateVersion], step: str) -> dict[str, Any]:
    """What a tab shows beyond the head."""
    if tab == "settings":
        return {"settings": settings_of(version.input_schema)}
    if tab == "tests":
        return {"tests": trying.tested(version)}
    if tab == "runbook":
        return {"runbook": prose(version.runbook)}
    if tab == "versions":
        return {"versions": rows, "changelog": prose(version.changelog)}
    return picture_of(version, step)


def picture_of(version: TemplateVersion, step: str = "") -> dict[str, Any]:
    """The graph of a template and the step that was chosen in it."""
    program = compile_document(version.document, FUNCTIONS)
    drawn = flow(program, starts=event_words(part.type for part in program.start.filters))
    task = program.tasks.get(step)
    return {
        "graph": graph.draw(
            drawn.nodes,
            drawn.edges,
            title=_("Steps of %(name)s") % {"name": version.title},
            chosen=step,
            href=lambda key: f"?step={key}#steps",
        ),
        "steps": len(program.tasks),
        "step": {"title": title_of(task), "ref": task.ref, "source": task.source} if task else None,
    }


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting of a template in words."""

    name: str
    title: str
    text: str
    kind: str
    limits: str
    default: str
    required: bool


def settings_of(schema: Mapping[str, Any]) -> list[Setting]:
    """What a template asks for."""
    required = set(schema.get("required", ()))
    return [
        Setting(
            name=name,
            title=part.get("title", name),
            text=part.get("description", ""),
            kind=_kind(part),
            limits=_limits(part),
            default=value_words(part, part["default"]) if "default" in part else "",
            required=name in required,
        )
        for name, part in properties(schema)
    ]


def _kind(part: Mapping[str, Any]) -> str:
    kinds = part.get("type", "string")
    kind = next((one for one in kinds if one != "null"), "string") if isinstance(kinds, list) else kinds
    if "enum" in part:
        return _("One of a list")
    return str(_TYPES.get(kind, _("Text")))


def _limits(part: Mapping[str, Any]) -> str:
    low, high = part.get("minimum"), part.get("maximum")
    unit = f" {part['x-unit']}" if part.get("x-unit") else ""
    if low is not None and high is not None:
        return _("%(low)s to %(high)s%(unit)s") % {"low": low, "high": high, "unit": unit}
    if low is not None:
        return _("at least %(low)s%(unit)s") % {"low": low, "unit": unit}
    options = part.get("enum") or part.get("items", {}).get("enum")
    return value_words(part, options) if options else unit.strip()


def value_words(part: Mapping[str, Any], value: Any) -> str:
    """A setting's value as its schema words it."""
    labels = part.get("x-labels") or part.get("items", {}).get("x-labels") or {}
    if value is None or value == "":
        return words.NONE
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, list):
        return ", ".join(str(labels.get(str(one), one)) for one in value) or words.NONE
    unit = part.get("x-unit", "")
    here = current_or_none()
    if unit == "minor units" and isinstance(value, int) and here is not None:
        return words.amount(Money(value, here.currency))
    return f"{labels.get(str(value), value)}{f' {unit}' if unit else ''}"


def values_of(version: TemplateVersion, config: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(title, value in words) of each setting."""
    parts = properties(version.input_schema)
    return [(part.get("title", name), value_words(part, config.get(name))) for name, part in parts]
