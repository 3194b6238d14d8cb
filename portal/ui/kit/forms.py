"""Forms in the design system's look: label, help and error wired together, errors summed up at the top."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.forms.renderers import TemplatesSetting
from django.utils.translation import gettext as _

from kernel.errors import PortalError

_Field = TypeVar("_Field", bound=forms.Field)


class Renderer(TemplatesSetting):
    """Renders forms and fields by `templates/forms/`; widgets by Django's own templates or ours of the same name."""

    form_template_name = "forms/form.html"
    field_template_name = "forms/field.html"


def ui(field: _Field, **options: Any) -> _Field:
    """`field` with hints for `forms/field.html`: before, after, short, cards, optional, show_if, colour, narrow."""
    field.ui = options  # type: ignore[attr-defined] # read by the field's template
    return field


def zones() -> list[tuple[str, list[tuple[str, str]] | str]]:
    """Time zones for a menu, grouped by part of the world."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for name in sorted(available_timezones()):
        part, _slash, city = name.partition("/")
        if city and part not in ("Etc", "SystemV", "US", "posix", "right"):
            groups.setdefault(part, []).append((name, city.replace("_", " ")))
    return [("UTC", "UTC"), *groups.items()]


def languages() -> list[tuple[str, str]]:
    """The languages that the portal speaks, each by its own name."""
    return [(code, name) for code, name in settings.LANGUAGES]


def refuse(form: forms.BaseForm, error: PortalError) -> None:
    """Put what an action refused where it belongs: at the fields it names, else at the top of the form."""
    placed = False
    for name, messages in error.fields.items():
        known = name if name in form.fields else None
        for message in messages:
            form.add_error(known, _(message))
            placed = True
    if not placed:
        form.add_error(None, _(error.message))


def summary(form: forms.BaseForm) -> list[tuple[str, str, Sequence[str]]]:
    """(address of the field, its label, messages) for each field in error, in the order of the form."""
    errors: Mapping[str, Any] = form.errors
    return [
        (form[name].id_for_label or form[name].auto_id, str(form[name].label), list(messages))
        for name, messages in errors.items()
        if name in form.fields
    ]
