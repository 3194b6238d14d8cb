"""One tree of errors: each has a code of its own, a status that fits, and a sentence that a person understands."""

import importlib
import pkgutil
from collections import Counter
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest

from kernel.errors import PortalError
from portal.api.document import ADDRESSES
from portal.env import ROOT

WITHIN = {
    "automations.engine.dsl.jq.errors.OutOfFuel",
    "automations.engine.dsl.jq.errors.Raised",
    "automations.engine.dsl.jq.errors.RaisedValue",
}
"""Kinds of an expression's failure that only the evaluator tells apart; outside they are all `expression`."""
HOUSES = ("kernel", "tenants", "automations", "templates_lib", "billing", "portal")


def everything() -> Iterator[type[PortalError]]:
    """Every error class of ours, in every module."""
    for house in HOUSES:
        package = importlib.import_module(house)
        for module in pkgutil.walk_packages(package.__path__, f"{house}."):
            if (
                ".migrations" not in module.name
                and ".management" not in module.name
                and "sgi" not in module.name
            ):
                importlib.import_module(module.name)
    found: list[type[PortalError]] = [PortalError]
    while found:
        one = found.pop()
        if one.__module__.split(".")[0] in HOUSES:
            yield one
        found.extend(one.__subclasses__())


ERRORS = sorted(set(everything()), key=lambda error: (error.__module__, error.__name__))


def name_of(error: type[PortalError]) -> str:
    return f"{error.__module__}.{error.__name__}"


def test_no_two_errors_share_a_code() -> None:
    codes = Counter(error.code for error in ERRORS if name_of(error) not in WITHIN)
    twins = {code: number for code, number in codes.items() if number > 1}
    assert {code: [name_of(error) for error in ERRORS if error.code == code] for code in twins} == {}
    assert len(ERRORS) >= 50


@pytest.mark.parametrize("error", ERRORS, ids=name_of)
def test_an_error_says_what_happened(error: type[PortalError]) -> None:
    words = (error.__doc__ or "").strip().splitlines()[0]
    assert error.__dict__.get("__doc__"), "its docstring is its message"
    assert words.endswith((".", "!"))
    assert words[0].isupper()
    assert error.code == error.code.lower()
    assert " " not in error.code
    assert HTTPStatus(error.status)
    assert "code" in error.__dict__ or name_of(error) in WITHIN, "a code of its own"


@pytest.mark.parametrize("error", ERRORS, ids=name_of)
def test_what_is_our_fault_is_reported_and_what_is_not_is_not(error: type[PortalError]) -> None:
    """4xx is part of normal work, and so is another system that does not answer; 500 never is."""
    assert error.benign == (error.status != 500)


def test_every_error_that_an_operation_names_is_one_of_ours() -> None:
    for addresses in ADDRESSES.values():
        for address in addresses:
            view = address.callback.cls  # type: ignore[union-attr]
            for method in ("get", "post", "put", "patch", "delete"):
                said = getattr(getattr(view, method, None), "operation", None)
                for error in said.raises if said else ():
                    assert error in ERRORS


def test_errors_live_where_one_looks_for_them() -> None:
    """In a room's errors.py; in the cellar and at the doors beside what raises them."""
    elsewhere = [
        name_of(error)
        for error in ERRORS
        if error.__module__.startswith(("automations", "templates_lib", "billing"))
        and not error.__module__.endswith(".errors")
    ]
    assert elsewhere == []
    assert Path(ROOT / "kernel" / "errors.py").exists()
