"""A39: patterns of authors that take exponential time on texts of strangers."""

import contextlib
from functools import partial
from typing import Any

import jsonschema_rs
import pytest

from automations.engine.dsl import jq
from automations.engine.dsl.document import read
from automations.engine.errors import DefinitionRefused
from tests.support.cost import cpu_seconds
from tests.support.driving import drive

PATTERNS = (
    r"^(a+)+$", r"^(a*)*$", r"^(a|a)*$", r"^(a|aa)+$", r"^(a|a?)+$", r"(.*a){20}$", r"^(.*)*x$", r"^([a-zA-Z]+)*$", r"^(a+){10,}$",
    r"^(a?){25}a{25}$", r"(a+)+b", r"^(\w+\s?)*$", r"^((a+)+)+$", r"(x+x+)+y", r"^(aa+)+$", r"^(a|ab|b)*c$", r"^(.+)+@(.+)+$",
    r"^([a-z]+)+[A-Z]$", r"^(([a-z])+.)+[A-Z]([a-z])+$", r"^(\d+)*$", r"^(a*a*)*b$", r"(\s+)+$", r"^(?:a+)+$", r"^(a{1,50}){1,50}$",
    r"(a|b|ab)*c", r"^([^@]+)*@", r"(.*)*,(.*)*,", r"(?i)^(A+)+$", r"^(a+a+a+)+$", r"^(0|[1-9]\d*)*\.$",
)  # fmt: skip
TEXTS = ("a" * 5_000 + "!", "x" * 5_000, " " * 5_000 + "!", "ab" * 2_500 + "!", "1" * 5_000 + "!")
SECONDS = 0.5


def test_there_are_enough_of_them() -> None:
    assert len(set(PATTERNS)) >= 30


@pytest.mark.parametrize("pattern", PATTERNS)
def test_in_an_expression_it_ends_soon(pattern: str) -> None:
    written = pattern.replace("\\", "\\\\")
    for act in (
        f'test("{written}")',
        f'gsub("{written}"; "x")',
        f'[match("{written}"; "g").offset]',
        f'[splits("{written}")]',
    ):
        for text in TEXTS:
            assert cpu_seconds(partial(_evaluate, act, text), enough=SECONDS) < SECONDS, (act, text[:10])


def _evaluate(act: str, text: str) -> None:
    with contextlib.suppress(
        jq.ExpressionError, jq.ExpressionSyntaxError
    ):  # its budget, or a pattern that is refused
        jq.compile(act, set()).all(text, {})


@pytest.mark.parametrize("pattern", PATTERNS)
def test_in_a_schema_it_ends_soon(pattern: str) -> None:
    check = jsonschema_rs.validator_for({"type": "string", "pattern": pattern})
    for text in TEXTS:
        assert cpu_seconds(partial(check.is_valid, text), enough=SECONDS) < SECONDS, text[:10]


LOOKING = (r"^(?=(a+))\1+$", r"^(a+)\1+b$", r"(?<!b)(a+)+$", r"^(?:(?=(a+))a*b)+$", r"(?!x)(a|a?)+$")


@pytest.mark.parametrize("pattern", LOOKING)
def test_what_needs_to_look_around_or_back_ends_too(pattern: str) -> None:
    """Of a step's input schema: where a pattern cannot be matched in a straight line, it is given up or refused."""
    schema = f"input: {{schema: {{document: {{type: object, properties: {{x: {{type: string, pattern: {pattern!r}}}}}}}}}}}"
    text = f"document: {{dsl: 1.0.3, namespace: t, name: t, version: 1.0.0}}\n{schema}\ndo: [{{a: {{set: {{y: 1}}}}}}]"
    assert read(text)
    for given in TEXTS:
        status = _status(text, {"x": given})
        assert status in ("completed", "faulted", "suspended", "refused"), status
        assert cpu_seconds(partial(_status, text, {"x": given}), enough=SECONDS) < SECONDS, given[:10]


def _status(text: str, given: Any) -> str:
    try:
        return drive(text, given).status
    except DefinitionRefused:
        return "refused"
