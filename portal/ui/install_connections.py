"""The wizard's step for connections: which one stands behind each name; one can be tested or added right there."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _

from automations.connectors import actions as connections
from automations.connectors import queries as connectors
from automations.connectors import registry
from automations.connectors.models import Connection
from kernel import clock
from kernel.errors import NotFound
from portal.ui import connection_form, templates
from portal.ui.wizard import Wizard


@dataclass(frozen=True, slots=True)
class Choice:
    """A connection that the template needs, and what it can be."""

    need: templates.Need
    options: list[connectors.ConnectionView]
    chosen: str
    error: str


def step(wizard: Wizard) -> HttpResponse:
    """Which connection stands behind each name; one can be tested or added right here."""
    request, chosen = wizard.request, dict(wizard.draft.get("connections", {}))
    adding = request.POST.get("add") or request.GET.get("add", "")
    if request.method != "POST":
        return _show_connections(wizard, chosen, adding=adding)
    for need in templates.needs_of(wizard.version):
        chosen[need.alias] = request.POST.get(f"use-{need.alias}", chosen.get(need.alias, ""))
    wizard.draft["connections"] = chosen
    if "test" in request.POST:
        return _test(wizard, chosen)
    if "add" in request.POST:
        return _add(wizard, chosen, adding)
    choices = _choices(wizard, chosen)
    valid = all(any(str(one.id) == choice.chosen for one in choice.options) for choice in choices)
    wizard.done("connections", yes=valid)
    return wizard.onwards("connections", valid=valid) or _show_connections(
        wizard, chosen, status=422, wrong=_("Choose a connection.")
    )


def _choices(wizard: Wizard, chosen: dict[str, str], wrong: str = "") -> list[Choice]:
    found = []
    for need in templates.needs_of(wizard.version):
        options = connectors.connections(connector=need.connector)
        value = chosen.get(need.alias, "")
        if not value and len(options) == 1 and not wrong:
            value = str(options[0].id)
        fits = any(str(one.id) == value for one in options)
        found.append(Choice(need, options, value, "" if fits else wrong))
    return found


def _show_connections(
    wizard: Wizard,
    chosen: dict[str, str],
    *,
    adding: str = "",
    wrong: str = "",
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    choices = _choices(wizard, chosen, wrong)
    may = wizard.place.actor.may("connectors.edit")
    if not adding and may:
        adding = next((choice.need.alias for choice in choices if not choice.options), "")
    need = next((choice.need for choice in choices if choice.need.alias == adding), None)
    if need is not None and may and "form" not in more:
        more["form"] = connection_form.form_of(registry.connector(need.connector))
    return wizard.show(
        "connections", status=status, choices=choices, adding=need if may else None, may=may, **more
    )


def _test(wizard: Wizard, chosen: dict[str, str]) -> HttpResponse:
    """Ask a system whether it answers, and say what it said."""
    wizard.keep()
    row = next((one for one in Connection.objects.all() if str(one.id) == wizard.request.POST["test"]), None)
    if row is None:
        raise NotFound
    seen = connections.test_connection(connection=row, actor=wizard.place.actor, now=clock.now())
    return _show_connections(wizard, chosen, tested=str(row.id), said=seen)


def _add(wizard: Wizard, chosen: dict[str, str], alias: str) -> HttpResponse:
    """Make a connection for one of the names, choose it and test it."""
    need = next((one for one in templates.needs_of(wizard.version) if one.alias == alias), None)
    if need is None:
        raise NotFound
    kind = registry.connector(need.connector)
    form = connection_form.form_of(kind, wizard.request.POST)
    made = connection_form.add(kind, form, wizard.place.actor) if form.is_valid() else None
    if made is None:
        return _show_connections(wizard, chosen, adding=alias, form=form, status=422)
    seen = connections.test_connection(connection=made, actor=wizard.place.actor, now=clock.now())
    wizard.draft["connections"] = {**chosen, alias: str(made.id)}
    wizard.keep()
    return _show_connections(wizard, wizard.draft["connections"], tested=str(made.id), said=seen)
