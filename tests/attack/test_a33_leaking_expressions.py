"""A33: expressions that ask for the environment, for files, for other modules, or that end the program."""

import pytest

from automations.engine.dsl import jq
from automations.engine.dsl.document import read
from automations.engine.errors import DefinitionRefused
from tests.support.driving import program

LEAKS = (
    "env", "$ENV", "$ENV.PATH", "env.PATH", "$__prog_args", "$__loc__", "input", "inputs", "input_filename", "input_line_number",
    "debug", "stderr", "halt", "halt_error", "modulemeta", "get_search_list", "builtins", "@sh", '@sh "x"',
    'include "x"; .', 'import "x" as x; .', 'import "x" as $x; .', "$secrets", "$secret", "$__settings__", "open(1)",
    "system(1)", "__import__", "exec", "eval(1)", "getattr(1)",
)  # fmt: skip
AROUND = (
    "{}", "({})", "[{}]", "{{a: ({})}}", ". | {}", "{} | .", "(.a, {})", ". as $x | {}", "try ({}) catch .", "first({})",
    "if true then {} else 1 end", "def f: {}; f", "def f: {}; .", "reduce . as $x (0; {})", '"\\({})"', "[.[]? | {}]", "({}) // 1", ".a = ({})",
)  # fmt: skip
STATEMENTS = ("include", "import")
FORMS = [
    around.format(leak)
    for leak in LEAKS
    for around in AROUND
    if not leak.startswith(STATEMENTS) or around == "{}"
]


def test_there_are_enough_of_them() -> None:
    assert len(set(FORMS)) >= 500


def test_each_is_refused_before_anything_runs() -> None:
    taken = []
    for source in FORMS:
        try:
            jq.compile(source, set())
        except jq.ExpressionSyntaxError:
            continue
        taken.append(source)
    assert taken == []


@pytest.mark.parametrize("leak", ["env.PATH", "$ENV", "input_filename", "@sh"])
def test_a_workflow_with_one_is_not_published(leak: str) -> None:
    text = f"document: {{dsl: 1.0.3, namespace: t, name: t, version: 1.0.0}}\ndo: [{{a: {{set: {{x: '${{ {leak} }}'}}}}}}]"
    with pytest.raises(DefinitionRefused) as refused:
        program(text)
    assert [finding.rule for finding in refused.value.findings] == ["expression"]
    assert read(text), "the document itself could be read: it is the expression that is refused"


def test_a_path_leads_to_data_alone() -> None:
    """Names that mean something to Python mean nothing here."""
    for name in ("__class__", "__dict__", "__globals__", "format", "..", "constructor", "__proto__"):
        for source in (f'."{name}"', f'getpath(["{name}"])', f'.a."{name}"?'):
            assert jq.compile(source, set()).all({"a": {}}, {}) == [None]
