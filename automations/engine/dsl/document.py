"""Reading a workflow document: YAML or JSON text to plain values, with nothing that could surprise or exhaust us."""

from collections.abc import Iterable
from typing import Any, Final

from automations.engine.errors import DefinitionRefused, Finding

MAX_BYTES: Final = 512 * 1024
MAX_DEPTH: Final = 128


def read(text: str) -> dict[str, Any]:
    """The document in `text`.

    Raises DefinitionRefused for more than 512 KB or 128 levels, aliases, tags, a key twice in one mapping, text that
    is no YAML, and a document that is no mapping.
    """
    # the parser comes with the first document: a worker that only carries runs has no use for its megabyte
    from ruamel.yaml import YAML
    from ruamel.yaml.constructor import DuplicateKeyError
    from ruamel.yaml.error import YAMLError

    if len(text.encode(errors="replace")) > MAX_BYTES:
        raise DefinitionRefused([Finding("size", "", f"The document is larger than {MAX_BYTES // 1024} KB.")])
    try:
        _check_events(YAML(typ="safe", pure=True).parse(text))
        value = YAML(typ="safe", pure=True).load(text)
    except DuplicateKeyError as error:
        raise DefinitionRefused(
            [Finding("duplicate-key", "", f"A key stands twice: {error.problem}.")]
        ) from None
    except (YAMLError, ValueError, RecursionError) as error:
        raise DefinitionRefused([Finding("yaml", "", f"This is no YAML: {_short(error)}")]) from None
    if not isinstance(value, dict):
        raise DefinitionRefused(
            [Finding("yaml", "", "A workflow document is a mapping with `document` and `do`.")]
        )
    found: dict[str, Any] = _plain(value)
    return found


def _check_events(events: Iterable[Any]) -> None:
    """Look at the stream of events before anything is built from it."""
    from ruamel.yaml.events import (
        AliasEvent,
        MappingEndEvent,
        MappingStartEvent,
        NodeEvent,
        ScalarEvent,
        SequenceEndEvent,
        SequenceStartEvent,
    )

    depth = 0
    for event in events:
        if isinstance(event, AliasEvent):
            raise ValueError("aliases (*name) are not taken; write the value out")
        if isinstance(event, NodeEvent) and getattr(event, "anchor", None):
            raise ValueError("anchors (&name) are not taken; write the value out")
        if isinstance(event, (ScalarEvent, MappingStartEvent, SequenceStartEvent)) and getattr(
            event, "tag", None
        ):
            raise ValueError("tags (!name) are not taken")
        if isinstance(event, (MappingStartEvent, SequenceStartEvent)):
            depth += 1
            if depth > MAX_DEPTH:
                raise ValueError(f"it nests deeper than {MAX_DEPTH} levels")
        elif isinstance(event, (MappingEndEvent, SequenceEndEvent)):
            depth -= 1


def _plain(value: Any) -> Any:
    """`value` with text keys only and dates as the text they were written as."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
