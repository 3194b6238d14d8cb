"""Decision tables: what rules say, who asks them, trying one out, and publishing the next version."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from automations.engine import queries
from automations.engine.actions import decisions
from automations.engine.dsl import document as documents
from automations.engine.errors import DefinitionRefused, TableRefused
from automations.engine.models import DecisionTable, DecisionVersion
from automations.engine.queries.clockwork import TableView, Verdict
from kernel import jsonx
from kernel.errors import NotFound, PortalError
from portal.permissions import door
from portal.request import TenantRequest
from portal.ui.kit.acts import ACTS
from portal.ui.kit.forms import refuse, ui
from portal.ui.kit.pages import go, key_of, page
from tenants.tenancy import context

Json = Any
_EXAMPLE: Final = """inputs: [total, channel]
outputs: [approve]
rules:
  - {when: ["<= 50", "-"], then: [true]}
otherwise: {approve: false}
tests:
  - {input: {total: 20, channel: web}, expect: {approve: true}}
  - {input: {total: 90, channel: web}, expect: {approve: false}}
"""

ACTS.update(
    {
        "engine.publish_table": gettext_lazy("Published a decision table"),
        "engine.withdraw_table": gettext_lazy("Took a version of a decision table back"),
    }
)


class TableForm(forms.Form):
    """The next version of a table; a new table has a name as well."""

    name = forms.SlugField(
        label=gettext_lazy("Name"),
        max_length=80,
        help_text=gettext_lazy("Workflows ask for it by this name: small letters, digits, hyphens."),
    )
    title = forms.CharField(label=gettext_lazy("Title"), max_length=120, required=False)
    document = forms.CharField(
        label=gettext_lazy("Rules and tests"),
        help_text=gettext_lazy("YAML or JSON. It is published only if its own tests pass."),
        widget=forms.Textarea(attrs={"class": "code", "rows": 18, "spellcheck": "false"}),
    )
    effective_from = ui(
        forms.DateTimeField(
            label=gettext_lazy("In force from"),
            required=False,
            widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
            help_text=gettext_lazy("Empty: from now on. A time to come can be taken back until then."),
        ),
        optional=True,
    )
    reason = ui(forms.CharField(label=gettext_lazy("Reason"), max_length=500, required=False), optional=True)

    def __init__(self, *args: Any, fresh: bool, **more: Any) -> None:
        """`fresh`: a table that there is not yet."""
        super().__init__(*args, **more)
        if not fresh:
            del self.fields["name"]

    def clean_document(self) -> Mapping[str, Json]:
        """The document in the text. Raises ValidationError with every finding."""
        try:
            return documents.read(self.cleaned_data["document"])
        except DefinitionRefused as error:
            raise forms.ValidationError([str(finding) for finding in error.findings]) from error


@dataclass(frozen=True, slots=True)
class Line:
    """A rule as a row: its number, its cells, whether it gave the answer that was asked for."""

    number: int
    when: Sequence[str]
    then: Sequence[str]
    note: str
    fits: bool


@door("engine.read")
def tables(request: TenantRequest) -> HttpResponse:
    """Every decision table, with the version in force and those that come."""
    shown = {
        "tables": queries.decision_tables(context.now()),
        "may_publish": request.actor.may("engine.operate"),
        "crumbs": [(request.tenant.name, "/"), (_("Decision tables"), "")],
    }
    return page(request, "tables/list.html", shown)


@door("engine.read")
def table(request: TenantRequest, table: str) -> HttpResponse:
    """One table: its rules, its versions, and what it gives for an input that one tries. Raises NotFound."""
    view = _view(key_of("tbl", table))
    version = view.in_force or next(iter(view.coming), None)
    document = version.document if version else {}
    asked = request.GET.get("given", "")
    verdict, wrong = _tried(document, asked)
    fitting = verdict.rules if verdict else ()
    shown = {
        "view": view,
        "version": version,
        "inputs": [_name(one) for one in document.get("inputs", [])],
        "outputs": [_name(one) for one in document.get("outputs", [])],
        "lines": _lines(document, fitting),
        "otherwise": [_cell(document["otherwise"].get(_name(one))) for one in document.get("outputs", [])]
        if document.get("otherwise")
        else [],
        "by_default": bool(verdict and not verdict.error and not fitting),
        "tests": len(document.get("tests", [])),
        "versions": queries.table_versions(view.table.name),
        "given": asked or _first_input(document),
        "verdict": verdict,
        "wrong": wrong,
        "now": context.now(),
        "may_publish": request.actor.may("engine.operate"),
        "crumbs": _crumbs(request, (view.table.title, "")),
    }
    return page(request, "tables/one.html", shown, status=422 if wrong else 200)


def _crumbs(request: TenantRequest, *more: tuple[str, str]) -> list[tuple[str, str]]:
    return [(request.tenant.name, "/"), (_("Decision tables"), reverse("tables:list")), *more]


def _view(key: UUID) -> TableView:
    found = next((one for one in queries.decision_tables(context.now()) if one.table.id == key), None)
    if found is None:
        raise NotFound
    return found


def _tried(document: Mapping[str, Json], asked: str) -> tuple[Verdict | None, str]:
    """What the table gives for a typed input, and what is wrong with the input."""
    if not asked or not document:
        return None, ""
    try:
        return queries.try_table(document, jsonx.loads_strict(asked[:20_000].encode())), ""
    except TableRefused as error:
        return None, error.message
    except PortalError as error:
        return None, _("This cannot be read as JSON: %(why)s.") % {"why": error.message}


def _first_input(document: Mapping[str, Json]) -> str:
    """What the first of a table's tests asks, as something to begin with."""
    found = document.get("tests") or [{}]
    return jsonx.text(found[0].get("input", {}))


def _name(one: Json) -> str:
    return str(one.get("name", "")) if isinstance(one, Mapping) else str(one)


def _cell(value: Json) -> str:
    return value if isinstance(value, str) else jsonx.text(value)


def _lines(document: Mapping[str, Json], fitting: Sequence[int]) -> list[Line]:
    return [
        Line(
            number + 1,
            [_cell(one) for one in rule["when"]],
            [_cell(one) for one in rule["then"]],
            str(rule.get("note", "")),
            number in fitting,
        )
        for number, rule in enumerate(document.get("rules", []))
    ]


@door("engine.operate")
def new(request: TenantRequest) -> HttpResponse:
    """Publish the first version of a table."""
    form = TableForm(
        request.POST if request.method == "POST" else None, fresh=True, initial={"document": _EXAMPLE}
    )
    return _published(request, form) or _form_page(request, form, _("New decision table"), "")


@door("engine.operate")
def publish(request: TenantRequest, table: str) -> HttpResponse:
    """Publish the next version of a table. Raises NotFound."""
    view = _view(key_of("tbl", table))
    latest = next(iter(view.coming), None) or view.in_force
    initial = {
        "title": view.table.title,
        "document": jsonx.text(latest.document, indent=True) if latest else _EXAMPLE,
    }
    form = TableForm(request.POST if request.method == "POST" else None, fresh=False, initial=initial)
    return _published(request, form, view.table) or _form_page(
        request, form, _("Next version"), view.table.title
    )


def _published(
    request: TenantRequest, form: TableForm, table: DecisionTable | None = None
) -> HttpResponse | None:
    """Publish what was sent, if it can be; else the form says why not."""
    if request.method != "POST" or not form.is_valid():
        return None
    given = form.cleaned_data
    if table is None and DecisionTable.objects.filter(name=given["name"]).exists():
        form.add_error("name", _("There is a table of this name already."))
        return None
    try:
        made = decisions.publish_table(
            name=table.name if table else given["name"],
            document=dict(given["document"]),
            title=given["title"],
            effective_from=given["effective_from"],
            reason=given["reason"],
            actor=request.actor,
            now=context.now(),
        )
    except TableRefused as error:
        form.add_error("document", [str(finding) for finding in error.findings])
        return None
    except PortalError as error:
        refuse(form, error)
        return None
    messages.success(request, _("Version %(number)d is published.") % {"number": made.number})
    return go(request, reverse("tables:one", args=[made.table.public_id]))


def _form_page(request: TenantRequest, form: TableForm, title: str, of: str) -> HttpResponse:
    shown = {
        "form": form,
        "title": title,
        "of": of,
        "zone": timezone.get_current_timezone_name(),
        "crumbs": _crumbs(request, (title, "")),
    }
    return page(request, "tables/publish.html", shown, status=422 if form.errors else 200)


@door(post="engine.operate")
def withdraw(request: TenantRequest, table: str) -> HttpResponse:
    """Take a version back that is not in force yet. Raises NotFound."""
    key = key_of("tbl", table)
    number = request.POST.get("number", "")
    version = (
        DecisionVersion.objects.filter(table_id=key, number=int(number)).first()
        if number.isdigit() and len(number) < 9
        else None
    )
    if version is None:
        raise NotFound
    try:
        decisions.withdraw_table(version=version, actor=request.actor, now=context.now())
    except PortalError as error:
        messages.error(request, _(error.message))
    else:
        messages.success(request, _("Version %(number)d is taken back.") % {"number": version.number})
    return go(request, reverse("tables:one", args=[table]))
