"""What requests and answers are made of: shapes, public ids, instants, any JSON, and looking ids up."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from kernel import clock, ids
from kernel.errors import NotFound


class Shape(serializers.Serializer[Any]):
    """The members of a request or an answer; members that it does not name are refused by name."""

    def to_internal_value(self, data: Any) -> Any:
        """The checked values. Raises ValidationError, naming each member that is wrong or unknown."""
        unknown = [name for name in data if name not in self.fields] if isinstance(data, Mapping) else []
        if unknown:
            raise serializers.ValidationError({name: ["There is no such member."] for name in unknown})
        return super().to_internal_value(data)


class PublicId(serializers.CharField):
    """A public id outside, a UUID inside."""

    def __init__(self, prefix: str, **more: Any) -> None:
        """`prefix` is that of the ids, `run` for `run_…`."""
        self.prefix = prefix
        super().__init__(**more)

    def to_internal_value(self, data: Any) -> Any:
        """The key. Raises ValidationError for what is no such id."""
        try:
            return ids.parse_public_id(self.prefix, str(data))
        except ValueError:
            raise serializers.ValidationError(f"This is no id that starts with {self.prefix}_.") from None

    def to_representation(self, value: Any) -> str:
        """The public id of a key; what is one already stays."""
        return ids.public_id(self.prefix, value) if isinstance(value, UUID) else str(value)


@extend_schema_field({"type": "string", "format": "date-time", "examples": ["2026-03-02T09:30:00Z"]})
class Instant(serializers.Field[Any, Any, Any, Any]):
    """An instant: RFC 3339, always with its zone, always UTC when it goes out."""

    def to_internal_value(self, data: Any) -> datetime:
        """An aware instant. Raises ValidationError for a time without a zone."""
        try:
            return clock.parse_rfc3339(str(data))
        except (ValueError, OverflowError):
            raise serializers.ValidationError(
                "Use RFC 3339 with a zone, as in 2026-03-02T09:30:00Z."
            ) from None

    def to_representation(self, value: datetime) -> str:
        """RFC 3339 in UTC."""
        return clock.rfc3339(value)


@extend_schema_field({})
class AnyJson(serializers.Field[Any, Any, Any, Any]):
    """Any JSON value: data of workflows and events, whose shape is theirs."""

    def to_internal_value(self, data: Any) -> Any:
        """As it came: the parser was strict already. Raises ValidationError for NUL, which no database keeps."""
        if any("\x00" in text for text in _texts(data)):
            raise serializers.ValidationError("U+0000 cannot be kept.")
        return data

    def to_representation(self, value: Any) -> Any:
        """As it is."""
        return value


class Members(AnyJson):
    """A JSON object whose members are somebody else's to name."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """As it came. Raises ValidationError for what is no object."""
        if not isinstance(data, dict):
            raise serializers.ValidationError("Send a JSON object.")
        found: dict[str, Any] = super().to_internal_value(data)
        return found


def _texts(value: Any) -> Iterator[str]:
    """All texts inside a JSON value, names of members too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, part in value.items():
            yield name
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)


def text(words: str, **more: Any) -> Any:
    """A text; `words` say what it is. (Any: a member may be called as something that every field has.)"""
    return serializers.CharField(help_text=words, **more)


def anything(words: str, **more: Any) -> Any:
    """Any JSON value; `words` say whose."""
    return AnyJson(help_text=words, **more)


def number(words: str, **more: Any) -> serializers.IntegerField:
    """A whole number; `words` say what it counts."""
    return serializers.IntegerField(help_text=words, **more)


def at(words: str, **more: Any) -> Instant:
    """An instant; `words` say of what."""
    return Instant(help_text=words, **more)


def perhaps_at(words: str, **more: Any) -> Instant:
    """An instant, or null where there is none."""
    return Instant(help_text=words, allow_null=True, **more)


def yes_or_no(words: str, **more: Any) -> serializers.BooleanField:
    """A truth; `words` say of what."""
    return serializers.BooleanField(help_text=words, **more)


def one_of(choices: Any, words: str, **more: Any) -> serializers.ChoiceField:
    """One of some words."""
    return serializers.ChoiceField(choices=choices, help_text=words, **more)


def money(words: str, **more: Any) -> serializers.IntegerField:
    """An amount in minor units of the currency beside it, or null where there is none."""
    return serializers.IntegerField(help_text=f"{words}, in minor units.", allow_null=True, **more)


def reason(words: str = "Why; it stands in the audit log.", **more: Any) -> serializers.CharField:
    """Why something is done."""
    given = {"required": False, "default": "", "allow_blank": True, "max_length": 2_000, **more}
    if given["required"]:
        del given["default"]
        given["allow_blank"] = False
    return serializers.CharField(help_text=words, **given)


def key_of(prefix: str, public_id: str) -> UUID:
    """The key inside a public id of an address. Raises NotFound: a wrong id is an address that does not exist."""
    try:
        return ids.parse_public_id(prefix, public_id)
    except ValueError as error:
        raise NotFound from error
