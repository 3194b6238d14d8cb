"""The same results and errors as jq itself, but for the differences that are meant."""

import copy
import json

import pytest
from hypothesis import HealthCheck, given, settings

from automations.engine.dsl import jq
from tests.automations.engine.dsl.jq.evaluating import pairs
from tests.automations.engine.dsl.jq.programs import CASES
from tests.automations.engine.dsl.jq.reference import Reference, alike


@pytest.fixture(scope="module")
def reference():
    with Reference() as child:
        yield child


def evaluated(program, value):
    """Our answer, in the form of the reference; sees to it that the input stays as it is."""
    before = copy.deepcopy(value)
    fuel = jq.Fuel(1_000_000, 10_000, 100_000_000)
    try:
        answer = ["ok", jq.compile(program, set()).all(value, {"__now__": 0.0}, fuel)]
    except jq.ExpressionSyntaxError:
        answer = ["syntax"]
    except jq.ExpressionError as error:
        answer = ["error", str(error)]
    assert json.dumps(value) == json.dumps(before), f"{program} changed its input"
    return answer


def agree(ours, theirs):
    """Whether two answers are the same; long values in messages are cut off at other places."""
    assert theirs is not None, "jq itself ran away or died"
    if ours[0] != theirs[0]:
        return False
    if ours[0] == "ok":
        return alike(ours[1], theirs[1])
    return ours[0] == "syntax" or ours[1] == theirs[1] or "..." in theirs[1]


def test_the_corpus_gives_what_jq_gives(reference):
    programs = list(pairs("corpus.txt"))
    wrong = [
        (program, value, ours, theirs)
        for program, value in programs
        if not agree(ours := evaluated(program, value), theirs := reference.ask(program, value))
    ]
    assert wrong == []
    assert len(programs) > 1_000


def test_every_function_that_jq_has_is_here_or_refused_with_a_reason(reference):
    state, ((*known,),) = reference.ask("builtins", None)
    assert (state, len(known) > 200) == ("ok", True)
    refused, unknown = set(), set()
    for name, _, arity in (one.partition("/") for one in known):
        call = f"{name}({'; '.join(['.'] * int(arity))})" if int(arity) else name
        try:
            jq.compile(call, set())
        except jq.ExpressionSyntaxError as error:
            (refused if f"{name} is refused: " in str(error) else unknown).add(name)
    assert unknown == set()
    assert refused == {
        *("env", "builtins", "modulemeta", "get_search_list", "get_jq_origin", "get_prog_origin"),
        *("input", "inputs", "input_filename", "input_line_number"),
        *("halt", "halt_error", "debug", "stderr", "j0", "j1", "jn", "y0", "y1", "yn"),
    }


def test_the_differences_that_are_meant_are_still_there(reference):
    programs = list(pairs("differences.txt"))
    same = [
        program
        for program, value in programs
        if agree(evaluated(program, value), reference.ask(program, value))
    ]
    assert same == []


def in_other_words(ours, theirs):
    """Whether two answers differ only in how a failure is said, or in what counts as a path.

    Which of several failures comes first and what they cite is not worth a promise; a program that asks for paths
    sees in jq how its built-in functions are written.
    """
    if "error" in (ours[0], theirs[0]):
        said = ours[1] if ours[0] == "error" else theirs[1]
        return ours[0] == theirs[0] or str(said).startswith("Invalid path expression")
    return False


@settings(
    max_examples=2_000,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(CASES)
def test_programs_made_at_random_give_what_jq_gives(reference, case):
    program, value = case
    theirs = reference.ask(program, value)
    if theirs is not None and theirs != ["syntax"]:
        ours = evaluated(program, value)
        assert agree(ours, theirs) or in_other_words(ours, theirs)
