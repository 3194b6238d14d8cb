"""A JSON Schema as a Django form: typed inputs, conditions, secrets, rows; jsonschema-rs has the last word.

Understood of Draft 2020-12: type, enum, oneOf with const and title, minimum and maximum, minLength and maxLength,
pattern, format (email, uri, date, date-time, password), items, properties, required, default, title, description.
Hints: `x-order`, `x-labels` (words for an enum), `x-unit` (`minor units` is money, asked in major ones), `x-show-if`
({field: value}), `x-secret`, `x-ui` ({widget: radio, select, textarea, code, cards; placeholder}). What a form cannot
ask for is left to the schema check.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

import jsonschema_rs
from django import forms
from django.utils.translation import gettext as _

from kernel.money import Money
from portal.ui.kit.forms import ui
from tenants.tenancy import context

Schema = Mapping[str, Any]
Choices = Sequence[tuple[str, str]]
_FEW: Final = 4
_MOST_ROWS: Final = 200
_ROW: Final = "__row__"


@dataclass(frozen=True)
class Entry:
    """One property for the template: a `field`, a `group` (an object) or `rows` (an array of objects)."""

    kind: str
    name: str
    title: str
    help: str
    field: Any = None
    form: Any = None
    rows: Sequence[Any] = ()
    blank: Any = None
    show_if: Mapping[str, Any] | None = None


class AmountField(forms.DecimalField):
    """An amount as people write it; the value is in minor units of the currency, as everything behind it counts."""

    def __init__(self, *, currency: str, least: int | None, most: int | None, **more: Any) -> None:
        """`least` and `most` are in minor units."""
        self.currency = currency
        super().__init__(min_value=self._major(least), max_value=self._major(most), **more)
        self.widget.attrs["step"] = str(Money(1, currency).major)

    def _major(self, minor: int | None) -> Decimal | None:
        return None if minor is None else Money(minor, self.currency).major

    def prepare_value(self, value: Any) -> Any:
        """A stored value in major units; what somebody typed as it was typed."""
        return self._major(value) if isinstance(value, int) else value

    def clean(self, value: Any) -> Any:
        """Minor units. Raises ValidationError for more places than the currency has."""
        found = super().clean(value)
        if found is None:
            return None
        amount = Money.of(found, self.currency)
        if amount.major != found:
            raise forms.ValidationError(_("The currency has no such small part."))
        return amount.minor


class SchemaForm(forms.Form):
    """`SchemaForm(schema, data, initial=…)`; `value` is the JSON value once the form is valid.

    `choices` gives a field its options by name (a connection picker); `kept` names secrets that are stored already,
    with what may be shown of each: such a field may stay empty, and is then left out of `value`.
    """

    def __init__(
        self,
        schema: Schema,
        data: Any = None,
        *,
        initial: Mapping[str, Any] | None = None,
        choices: Mapping[str, Choices] | None = None,
        kept: Mapping[str, str] | None = None,
        prefix: str | None = None,
        check: bool = True,
        currency: str = "",
        **more: Any,
    ) -> None:
        """Build the fields; `check` is off for the parts of a larger form, which is checked as a whole.

        Amounts are asked in `currency`, or else in that of the client whose page this is.
        """
        super().__init__(data, initial=dict(initial or {}), prefix=prefix, **more)
        here = context.current_or_none()
        self.currency = currency or (here.currency if here else "")
        self.schema, self.check = schema, check
        self.choices, self.kept = choices or {}, kept or {}
        self.groups: dict[str, SchemaForm] = {}
        self.rows: dict[str, list[SchemaForm]] = {}
        self.value: dict[str, Any] = {}
        required = set(schema.get("required", ()))
        for name, part in properties(schema):
            if part.get("type") == "object" and part.get("properties"):
                self.groups[name] = self._part(part, name, self.initial.get(name))
            elif part.get("type") == "array" and part.get("items", {}).get("type") == "object":
                self.rows[name] = self._rows(part, name)
            else:
                self.fields[name] = self._field(name, part, required=name in required)

    # building
    def _part(self, schema: Schema, name: str, initial: Any) -> "SchemaForm":
        prefix = self.add_prefix(name)
        data = self.data if self.is_bound else None
        return SchemaForm(
            schema,
            data,
            initial=initial or {},
            prefix=prefix,
            check=False,
            choices=self.choices,
            currency=self.currency,
        )

    def _rows(self, schema: Schema, name: str) -> list["SchemaForm"]:
        """A form a row: those that were sent or are stored, and an empty one more for whoever has no JavaScript."""
        stored = self.initial.get(name) or []
        count = len(stored) + 1
        if self.is_bound:
            sent = str(self.data.get(f"{self.add_prefix(name)}-count", ""))
            count = min(int(sent), _MOST_ROWS) if sent.isdigit() else 0
        found = []
        for index in range(count):
            # what was sent is compared with an empty row: one that only repeats what is stored is no empty row
            initial = stored[index] if index < len(stored) and not self.is_bound else None
            row = self._part(schema["items"], f"{name}-{index}", initial)
            row.empty_permitted = True
            row.use_required_attribute = False
            found.append(row)
        return found

    def _field(self, name: str, schema: Schema, *, required: bool) -> forms.Field:
        secret = bool(schema.get("x-secret")) or schema.get("format") == "password"
        kept = secret and name in self.kept
        common: dict[str, Any] = {
            "label": schema.get("title", name.replace("_", " ").capitalize()),
            "help_text": schema.get("description", ""),
            "required": required and not kept and "x-show-if" not in schema,
            "initial": schema.get("default"),
        }
        field = _secret(schema, common) if secret else self._plain(name, schema, common)
        hints = schema.get("x-ui", {})
        if hints.get("placeholder"):
            field.widget.attrs["placeholder"] = hints["placeholder"]
        return ui(
            field,
            after=self.currency if self._is_amount(schema) else schema.get("x-unit", ""),
            short=_kind(schema) in ("integer", "number"),
            cards=hints.get("widget") == "cards",
            optional=not required,
            show_if=schema.get("x-show-if"),
            prefix=f"{self.prefix}-" if self.prefix else "",
            kept=self.kept.get(name, "") if kept else "",
        )

    def _plain(self, name: str, schema: Schema, common: dict[str, Any]) -> forms.Field:
        kind = _kind(schema)
        options = self._options(name, schema)
        if kind == "boolean":
            return forms.BooleanField(**{**common, "required": False})
        if kind == "array":
            return self._list(common, options)
        if options is not None:
            return _choice(schema, common, options)
        if self._is_amount(schema):
            least, most = schema.get("minimum"), schema.get("maximum")
            return AmountField(currency=self.currency, least=least, most=most, **common)
        if kind in ("integer", "number"):
            number = forms.IntegerField if kind == "integer" else forms.DecimalField
            return number(min_value=schema.get("minimum"), max_value=schema.get("maximum"), **common)
        return _text(schema, common)

    def _is_amount(self, schema: Schema) -> bool:
        """Whether this is money, which is kept in minor units and asked in major ones."""
        return schema.get("x-unit") == "minor units" and bool(self.currency)

    def _options(self, name: str, schema: Schema) -> Choices | None:
        if name in self.choices:
            return self.choices[name]
        holder = schema.get("items", {}) if schema.get("type") == "array" else schema
        labels = schema.get("x-labels") or holder.get("x-labels") or {}
        if "enum" in holder:
            return [(str(value), str(labels.get(str(value), value))) for value in holder["enum"]]
        if "oneOf" in holder and all("const" in one for one in holder["oneOf"]):
            return [(str(one["const"]), str(one.get("title", one["const"]))) for one in holder["oneOf"]]
        return None

    @staticmethod
    def _list(common: dict[str, Any], options: Choices | None) -> forms.Field:
        if options is not None:
            return forms.MultipleChoiceField(
                choices=list(options), widget=forms.CheckboxSelectMultiple, **common
            )
        common["help_text"] = common["help_text"] or _("One a line.")
        if isinstance(common["initial"], list):
            common["initial"] = "\n".join(map(str, common["initial"]))
        return forms.CharField(widget=forms.Textarea(attrs={"rows": 4, "data-lines": ""}), **common)

    # showing
    def entries(self) -> Iterator[Entry]:
        """The properties in the order of the schema, for `forms/schema.html`."""
        for name, part in properties(self.schema):
            title = part.get("title", name.replace("_", " ").capitalize())
            told, shown = part.get("description", ""), part.get("x-show-if")
            if name in self.fields:
                yield Entry("field", name, title, told, field=self[name], show_if=shown)
            elif name in self.groups:
                yield Entry("group", name, title, told, form=self.groups[name], show_if=shown)
            elif name in self.rows:
                blank = SchemaForm(
                    part["items"],
                    prefix=self.add_prefix(f"{name}-{_ROW}"),
                    check=False,
                    choices=self.choices,
                    currency=self.currency,
                )
                blank.use_required_attribute = False
                yield Entry(
                    "rows",
                    self.add_prefix(name),
                    title,
                    told,
                    rows=self.rows[name],
                    blank=blank,
                    show_if=shown,
                )

    # checking
    def clean(self) -> dict[str, Any]:
        """Collect the JSON value, drop what is not shown, and let the schema judge the whole."""
        given = super().clean() or self.cleaned_data
        found = {name: self._json(name, value) for name, value in given.items()}
        value = {name: item for name, item in found.items() if item not in (None, "", [])}
        for name, group in self.groups.items():
            if group.is_valid() and group.value:
                value[name] = group.value
        for name, rows in self.rows.items():
            value[name] = [row.value for row in rows if row.is_valid() and row.has_changed() and row.value]
        for name, part in self.schema.get("properties", {}).items():
            if not _shown(part.get("x-show-if"), value):
                value.pop(name, None)
                self.errors.pop(name, None)
        self.value = value
        if self.check:
            self._judge()
        return given

    def is_valid(self) -> bool:
        """Whether this form and every part of it is valid."""
        parts = [*self.groups.values(), *(row for rows in self.rows.values() for row in rows)]
        return super().is_valid() and all(part.is_valid() for part in parts)

    def _json(self, name: str, value: Any) -> Any:
        """What Django cleaned as JSON has it."""
        schema = self.schema["properties"][name]
        if isinstance(value, Decimal):
            return int(value) if value == value.to_integral_value() else float(value)
        if isinstance(value, (datetime, date)):
            return value.isoformat()
        if "data-lines" in self.fields[name].widget.attrs:
            return [line.strip() for line in str(value).splitlines() if line.strip()]
        if schema.get("enum") and not isinstance(value, list):
            return next((option for option in schema["enum"] if str(option) == str(value)), value)
        return value

    def _judge(self) -> None:
        """The schema's own verdict, except on fields that the form has refused already."""
        whole = dict(self.value)
        whole.update({name: "kept-secret" * 8 for name in self.kept if name not in whole})
        for error in jsonschema_rs.validator_for(dict(self.schema)).iter_errors(whole):
            path = [str(step) for step in error.instance_path]
            if not path:
                missing = re.match(r'"([^"]+)" is a required property', error.message)
                if missing:
                    path = [missing.group(1)]
            self.place(path, error.message)

    def place(self, path: list[str], message: str) -> None:
        """Put a message of the schema where its path leads: to a field of this form or of a part of it."""
        name = path[0] if path else ""
        if name in self.groups and len(path) > 1:
            self.groups[name].place(path[1:], message)
        elif name in self.rows and len(path) > 2:
            self.rows[name][int(path[1])].place(path[2:], message)
        elif name in self.fields:
            schema = self.schema["properties"][name]
            if not _shown(schema.get("x-show-if"), self.value) or name in self.errors:
                return
            self.add_error(name, _("This field is required.") if "required" in message else message)
        elif not self.errors:
            self.add_error(None, message)


def properties(schema: Schema) -> list[tuple[str, Schema]]:
    """The properties as their author ordered them: by `x-order` where it is, since JSON in a database has no order."""
    parts: Mapping[str, Schema] = schema.get("properties", {})
    names = [name for name in schema.get("x-order", ()) if name in parts]
    return [(name, parts[name]) for name in dict.fromkeys((*names, *parts))]


def _kind(schema: Schema) -> str:
    """The type of a value; of several the first that is not null, which an empty field stands for."""
    given = schema.get("type", "string")
    kinds = [given] if isinstance(given, str) else [one for one in given if one != "null"]
    return str(kinds[0]) if kinds else "string"


def _shown(condition: Mapping[str, Any] | None, value: Mapping[str, Any]) -> bool:
    """Whether a field with this `x-show-if` matters, given the rest."""
    return all(
        value.get(name, False) in (wanted if isinstance(wanted, list) else [wanted])
        for name, wanted in (condition or {}).items()
    )


def _choice(schema: Schema, common: dict[str, Any], options: Choices) -> forms.Field:
    wish = schema.get("x-ui", {}).get("widget")
    radio = wish in ("radio", "cards") or (wish is None and 1 < len(options) < _FEW)
    blank: list[tuple[str, str]] = [] if common["required"] or radio else [("", _("None"))]
    return forms.ChoiceField(
        choices=[*blank, *options], widget=forms.RadioSelect if radio else forms.Select, **common
    )


def _text(schema: Schema, common: dict[str, Any]) -> forms.Field:
    form, wish = schema.get("format"), schema.get("x-ui", {}).get("widget")
    limits: dict[str, Any] = {"min_length": schema.get("minLength"), "max_length": schema.get("maxLength")}
    if form == "email":
        return forms.EmailField(**limits, **common)
    if form == "uri":
        return forms.URLField(assume_scheme="https", **limits, **common)
    if form == "date":
        return forms.DateField(widget=forms.DateInput(attrs={"type": "date"}), **common)
    if form == "date-time":
        return forms.DateTimeField(widget=forms.DateTimeInput(attrs={"type": "datetime-local"}), **common)
    if wish in ("textarea", "code"):
        css = {"class": "code", "spellcheck": "false"} if wish == "code" else {}
        return forms.CharField(widget=forms.Textarea(attrs=css), **limits, **common)
    if "pattern" in schema:
        message = schema.get("x-pattern-message") or _("Use the form %(pattern)s.") % {
            "pattern": schema["pattern"]
        }
        return forms.RegexField(schema["pattern"], error_messages={"invalid": message}, **limits, **common)
    return forms.CharField(**limits, **common)


def _secret(schema: Schema, common: dict[str, Any]) -> forms.Field:
    """Write-only: what is stored is never sent back."""
    widget = forms.PasswordInput(render_value=False, attrs={"autocomplete": "off", "spellcheck": "false"})
    return forms.CharField(
        widget=widget, min_length=schema.get("minLength"), strip=True, **{**common, "initial": None}
    )
