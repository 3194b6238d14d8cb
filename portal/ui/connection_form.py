"""A new connection as one form: its name, the settings that its connector asks for, and its secret."""

from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from automations.connectors import actions
from automations.connectors.contract import Auth, Connector
from automations.connectors.enums import AuthKind
from automations.connectors.models import Connection
from automations.connectors.queries import ConnectionView
from kernel import clock
from kernel.actor import Actor
from kernel.errors import PortalError
from portal.ui.kit.forms import refuse
from portal.ui.kit.schemaform import SchemaForm

_OWN: Final = ("name", "auth", "secret")
_NOT_YET: Final = frozenset({AuthKind.OAUTH2})
"""Ways that the catalogue knows and calls cannot take yet: nobody is offered them."""


def form_of(kind: Connector, data: Any = None) -> SchemaForm:
    """The form for a new connection of this kind."""
    return SchemaForm(_schema(kind), data, prefix="new")


def edit_form_of(kind: Connector, view: ConnectionView, data: Any = None) -> SchemaForm:
    """The form for an existing connection; its secret has a form of its own."""
    schema = _schema(kind, view.auth)
    schema["properties"].pop("secret", None)
    schema["required"] = [name for name in schema["required"] if name != "secret"]
    return SchemaForm(
        schema, data, initial={**view.settings, "name": view.name, "auth": view.auth}, prefix="edit"
    )


def change(row: Connection, form: SchemaForm, actor: Actor) -> Connection | None:
    """Change a connection as a valid form says; None, with the reason in the form, where it is refused."""
    value = form.value
    try:
        return actions.update_connection(
            connection=row,
            name=value["name"],
            settings={name: given for name, given in value.items() if name not in _OWN},
            auth=value.get("auth"),
            actor=actor,
            now=clock.now(),
        )
    except PortalError as error:
        refuse(form, error)
        return None


def _schema(kind: Connector, auth: str = "") -> dict[str, Any]:
    """What is asked: a name, how one signs in (`auth`: at present), the settings of the connector, the secret."""
    ways = [way for way in kind.auth if way.kind not in _NOT_YET or way.kind == auth]
    signed = [way for way in ways if way.needs_secret]
    parts: dict[str, Any] = {
        "name": {
            "type": "string",
            "title": _("Name"),
            "description": _("How your people know it, as in “ERP, Leeds”."),
            "maxLength": 120,
            "default": kind.title,
        },
    }
    required = ["name", *kind.settings.document.get("required", [])]
    if len(ways) > 1:
        parts["auth"] = {
            "type": "string",
            "title": _("How it is signed in"),
            "enum": [way.kind.value for way in ways],
            "x-labels": {way.kind.value: str(way.kind.label) for way in ways},
            "default": ways[0].kind.value,
        }
        required.append("auth")
    parts |= kind.settings.document.get("properties", {})
    if signed:
        parts["secret"] = _secret(signed, some=len(signed) < len(ways))
        if len(signed) == len(ways):
            required.append("secret")
    return {"type": "object", "properties": parts, "required": required}


def _secret(signed: list[Auth], *, some: bool) -> dict[str, Any]:
    """The field of the secret; asked for only by the ways that need one, where `some` do not."""
    labels = {way.secret_label for way in signed}
    asked: dict[str, Any] = {
        "type": "string",
        "title": labels.pop() if len(labels) == 1 else _("Key, token or password"),
        "description": _("It is kept encrypted and never shown again."),
        "format": "password",
        "maxLength": 8_000,
    }
    return asked | ({"x-show-if": {"auth": [way.kind.value for way in signed]}} if some else {})


def add(kind: Connector, form: SchemaForm, actor: Actor) -> Connection | None:
    """Make the connection that a valid form describes; None, with the reason in the form, where it is refused."""
    value = form.value
    settings = {name: given for name, given in value.items() if name not in _OWN}
    try:
        with transaction.atomic():
            made = actions.create_connection(
                name=value["name"],
                connector=kind.name,
                settings=settings,
                auth=value.get("auth", ""),
                actor=actor,
                now=clock.now(),
            )
            if value.get("secret"):
                made = actions.set_secret(
                    connection=made, secret=value["secret"], actor=actor, now=clock.now()
                )
    except PortalError as error:
        refuse(form, error)
        return None
    return made
