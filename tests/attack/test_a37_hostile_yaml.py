"""A37: YAML that grows, nests, says a thing twice, or makes objects."""

import time

import pytest

from automations.engine.dsl.document import read
from automations.engine.errors import DefinitionRefused

_LAUGHS = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 30))
HOSTILE = {
    "an alias": "a: &x 1\nb: *x",
    "an anchor": "a: &x 1",
    "a merge": "a: &x {b: 1}\nc: {<<: *x}",
    "a billion laughs": _LAUGHS,
    "an alias of itself": "a: &x [*x]",
    "a tag of Python": "a: !!python/object/apply:os.system ['true']",
    "a module of Python": "a: !!python/module:os",
    "a tag": "a: !thing x",
    "binary": "a: !!binary aGk=",
    "a key twice": "a: 1\na: 2",
    "a key twice in a flow": "a: {b: 1, b: 2}",
    "a key twice in two ways": 'a: 1\n"a": 2',
    "two documents": "a: 1\n---\nb: 2",
    "a directive": "%TAG ! tag:evil,2000:\n---\na: !x 1",
    "5,000 lists": "[" * 5_000 + "]" * 5_000,
    "5,000 objects": "a: " + "{b: " * 5_000 + "1" + "}" * 5_000,
    "5,000 lines deeper": "".join(f"{' ' * n}a:\n" for n in range(700)),
    "50 MB": "a: " + "x" * 50_000_000,
    "50 MB of lines": "a: 1\n" * 10_000_000,
    "NUL": "a: \x00",
    "a lone surrogate": "a: \ud800",
    "nothing": "",
    "a list": "- a",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_it_is_refused_with_a_rule_and_soon(text: str) -> None:
    began = time.thread_time()
    with pytest.raises(DefinitionRefused) as refused:
        read(text)
    assert {finding.rule for finding in refused.value.findings} <= {"yaml", "duplicate-key", "size"}
    assert time.thread_time() - began < 1.0


def test_honest_yaml_is_read() -> None:
    assert read("a: [1, {b: 'x'}]") == {"a": [1, {"b": "x"}]}
