"""A new connection as one form: its name, the settings that its connector asks for, and its secret."""

from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from automations.connectors import actions
from automations.connectors.contract import Connector
from automations.connectors.models import Connection
from automations.connectors.queries import ConnectionView
from kernel import clock
from kernel.actor import Actor
from kernel.errors import PortalError
from portal.ui.kit.forms import refuse
from portal.ui.kit.schemaform import SchemaForm

_OWN: Final = ("name", "auth", "secret")


def form_of(kind: Connector, data: Any = None) -> SchemaForm:
    """The form for a new connection of this kind."""
    return SchemaForm(_schema(kind), data, prefix="new")


def edit_form_of(kind: Connector, view: ConnectionView, data: Any = None) -> SchemaForm:
    """The form for an existing connection; its secret has a form of its own."""
    schema = _schema(kind)
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


def _schema(kind: Connector) -> dict[str, Any]:
    asked = kind.settings.document
    signed = [way for way in kind.auth if way.needs_secret]
    parts: dict[str, Any] = {
        "name": {
            "type": "string",
            "title": _("Name"),
            "description": _("How your people know it, as in “ERP, Leeds”."),
            "maxLength": 120,
            "default": kind.title,
        },
        **asked.get("properties", {}),
    }
    required = ["name", *asked.get("required", [])]
    if len(kind.auth) > 1:
        parts["auth"] = {
            "type": "string",
            "title": _("How it is signed in"),
            "enum": [way.kind.value for way in kind.auth],
            "x-labels": {way.kind.value: str(way.kind.label) for way in kind.auth},
            "default": kind.auth[0].kind.value,
        }
        required.append("auth")
    if signed:
        parts["secret"] = {
            "type": "string",
            "title": signed[0].secret_label or _("Secret"),
            "description": _("It is kept encrypted and never shown again."),
            "format": "password",
            "maxLength": 8_000,
        }
        if len(signed) == len(kind.auth):
            required.append("secret")
    return {"type": "object", "properties": parts, "required": required}


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
