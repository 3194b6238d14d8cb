"""What a column holds, as data protection asks: each model says it of each of its text, JSON and binary columns."""

from enum import StrEnum
from typing import Final


class Holds(StrEnum):
    """The class of a column's content."""

    CODE = "code"
    """Words of our own, hashes, versions: nothing of anybody."""
    KEY = "key"
    """What a business thing is called (an order, an event): it stays, unless a person can be told by it."""
    SETTING = "setting"
    """What people set up: names of workflows and connections, documents, filters."""
    SEALED = "sealed"
    """Sealed under the tenant's data key, or a digest of what opens a door."""
    PERSON = "person"
    """Names of people who work here."""
    CONTENT = "content"
    """What came in, passed through or was written: anybody may stand in it."""
    PROOF = "proof"
    """Personal data of the sealed log, which only its own room may empty."""


LOOKED_THROUGH: Final = frozenset({Holds.KEY, Holds.PERSON, Holds.CONTENT})
"""Classes in which a person is looked for; the sealed log is asked apart."""


def classes(**named: str) -> dict[str, Holds]:
    """`classes(code="kind state", content="text")`: the class of each column, as a model says it."""
    return {column: Holds(kind) for kind, columns in named.items() for column in columns.split()}
