"""Bodies that resources take: their own example with ids that there are, or one made of what their shape asks for."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from rest_framework import serializers

from portal.api.fields import Instant, Members, PublicId
from portal.api.schema import IDS
from tests.house.routes import Route

_NAMES: Final = {"usr": "user", **{prefix: name for name, prefix in IDS.items()}}
"""What begins with a prefix, by the name that ids have in `world.py`."""


def of(route: Route, method: str, ids: Mapping[str, str]) -> Any:
    """What to send to `route`: to a page nothing, to a resource a body that it takes, with `ids` in it."""
    said = operation(route, method)
    if said is None or said.takes is None:
        return {}
    shape = said.takes()
    if said.example is None:
        return _filled(shape, ids)
    real = {
        name: ids[_NAMES[part.prefix]] for name, part in shape.fields.items() if isinstance(part, PublicId)
    }
    return {**said.example, **real}


def operation(route: Route, method: str) -> Any:
    """What a resource says of a method; None for pages."""
    return getattr(getattr(getattr(route.view, "cls", None), method.lower(), None), "operation", None)


def id_parameters(route: Route, method: str) -> list[tuple[str, str]]:
    """(parameter, whose id it takes) of a resource's query."""
    said = operation(route, method)
    fields = said.query().fields if said and said.query else {}
    return [
        (name, _NAMES.get(part.prefix, "")) for name, part in fields.items() if isinstance(part, PublicId)
    ]


def with_foreign(
    route: Route, method: str, own: Mapping[str, str], by_prefix: Mapping[str, str]
) -> Iterator[Any]:
    """The body that a resource takes, once for each of its members that takes an id: there with that of another."""
    said = operation(route, method)
    for name, part in (said.takes().fields if said and said.takes else {}).items():
        inner = getattr(part, "child", part)
        if isinstance(inner, PublicId):
            foreign = by_prefix.get(inner.prefix, "")
            value = {"store": foreign} if isinstance(part, serializers.DictField) else foreign
            yield {
                **of(route, method, own),
                name: [foreign] if isinstance(part, serializers.ListField) else value,
            }


def _filled(shape: Any, ids: Mapping[str, str]) -> dict[str, Any]:
    return {name: _value(part, ids) for name, part in shape.fields.items() if part.required}


def _value(part: Any, ids: Mapping[str, str]) -> Any:
    if isinstance(part, PublicId):
        return ids.get(_NAMES.get(part.prefix, ""), f"{part.prefix}_{'0' * 26}")
    if isinstance(part, serializers.ChoiceField):
        return next(iter(part.choices))
    if isinstance(part, Instant):
        return "2026-04-01T09:30:00Z"
    if isinstance(part, serializers.BooleanField):
        return True
    if isinstance(part, serializers.IntegerField):
        return 1
    if isinstance(part, serializers.EmailField):
        return "new@world.test"
    if isinstance(part, serializers.ListField):
        return [_value(part.child, ids)]
    if isinstance(part, (serializers.DictField, Members)):
        return {}
    if isinstance(part, serializers.ListSerializer):
        return [_filled(part.child, ids)]
    if isinstance(part, serializers.BaseSerializer):
        return _filled(part, ids)
    return "something"
