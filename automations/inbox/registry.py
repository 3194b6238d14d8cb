"""The kinds of cases that are known. The catalogue registers the shipped ones; rooms above may add theirs."""

from automations.inbox.contract import Kind
from automations.inbox.enums import FAILED, GENERIC

_kinds: dict[str, Kind] = {}


def register(*kinds: Kind) -> None:
    """Make kinds known, by their code."""
    for one in kinds:
        _kinds[one.code] = one


def kinds() -> list[Kind]:
    """Every kind, in the order of their registration."""
    return list(_kinds.values())


def kind(code: str, *, of_run: bool = False) -> Kind:
    """The kind of this code (`run_failed.connection`); for an unknown one what stands in for it."""
    return _kinds.get(code) or _kinds[FAILED if of_run else GENERIC]
