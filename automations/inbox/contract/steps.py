"""Steps of a workflow by name: what a definition calls the task that a pointer leads to."""

from collections.abc import Mapping
from typing import Any

Json = Any


def step_title(document: Json, pointer: str) -> str:
    """The title that a definition gives the task at `/do/1/book`, else the task's name."""
    place = document
    for part in pointer.strip("/").split("/"):
        if isinstance(place, Mapping):
            place = place.get(part)
        elif isinstance(place, list) and part.isdigit() and int(part) < len(place):
            place = place[int(part)]
        else:
            place = None
    metadata = place.get("metadata") if isinstance(place, Mapping) else None
    title = metadata.get("title") if isinstance(metadata, Mapping) else None
    return str(title) if title else pointer.rsplit("/", 1)[-1]
