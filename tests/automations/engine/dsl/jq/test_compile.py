"""What the engine sees of an expression."""

import pytest

from automations.engine.dsl import jq
from automations.engine.dsl.jq import ExpressionError, ExpressionSyntaxError
from kernel.errors import PortalError
from tests.automations.engine.dsl.jq.evaluating import every, failure, one, refusal


def test_one_gives_the_one_result():
    assert one(".customer.city", {"customer": {"city": "Berlin"}}) == "Berlin"


def test_no_result_is_an_error():
    assert failure_of_one("empty") == "the expression has no result; // gives a value for that case"
    assert failure_of_one(".[] | select(. > 5)", [1, 2]).startswith("the expression has no result")


def test_more_than_one_result_is_an_error_and_never_silently_the_first():
    assert failure_of_one("1, 2") == "the expression has more than one result; put […] or first(…) around it"
    assert failure_of_one(".[]", [1, 2]).startswith("the expression has more than one result")


def failure_of_one(source, value=None):
    with pytest.raises(ExpressionError) as caught:
        one(source, value)
    return str(caught.value)


def test_the_second_result_ends_the_evaluation():
    assert failure_of_one('1, 2, error("not reached")').startswith("the expression has more than one result")


def test_all_gives_a_list_of_any_length():
    assert every("empty") == []
    assert every(".a") == [None]
    assert every("1, 2, 3") == [1, 2, 3]


def test_variables_are_those_that_are_used():
    expression = jq.compile("$context.a + ($item | length) as $own | $own", {"context", "item", "index"})
    assert expression.variables == {"context", "item"}
    assert not expression.volatile


def test_a_variable_that_a_function_needs_counts_as_used():
    assert jq.compile("def f: def g: $context; g; [1, 2] | map(f)", {"context"}).variables == {"context"}


def test_an_own_variable_hides_one_of_the_environment():
    expression = jq.compile("1 as $context | $context", {"context"})
    assert expression.variables == frozenset()
    assert expression.one(None, {}) == 1


def test_variables_reach_every_part_of_a_program():
    source = "def f(g): [.[] | g]; f(. * $n) | map(select(. > $limit)) | sort_by(-. * $n)"
    assert one(source, [1, 2, 3], n=10, limit=10) == [30, 20]
    assert one("reduce .[] as $x (0; . + $x * $n)", [1, 2], n=3) == 9
    assert one("[limit($n; repeat($n))]", n=2) == [2, 2]
    assert one('gsub("(?<c>[a-z])"; $env[.c] // "?")', "ab-", env={"a": "x"}) == "x?-"


def test_a_variable_that_is_not_given_is_an_error_of_the_expression():
    with pytest.raises(ExpressionError, match=r"\$context is not given"):
        jq.compile("$context", {"context"}).one(None, {})


def test_now_is_what_the_caller_says():
    expression = jq.compile("now | todate", set())
    assert expression.volatile
    assert expression.variables == frozenset()
    assert expression.one(None, {"__now__": 1425599621.5}) == "2015-03-05T23:53:41Z"
    with pytest.raises(ExpressionError, match="the present is not given"):
        expression.one(None, {})


def test_the_present_has_no_name_in_expressions():
    assert refusal("$__now__") == ("$__now__ cannot be used: it is not defined here", 1, 1)


def test_inputs_are_never_changed():
    value = {"a": [3, 1, 2], "b": {"c": 1}, "d": None}
    sources = [
        *(
            "del(.a, .b.c)",
            ".a |= sort",
            ".b.c = 5",
            ".. |= (numbers |= . + 1)",
            "to_entries | map(.value = 1)",
        ),
        *(
            ".a += [4]",
            ".b += {x: 1}",
            "reduce .a[] as $x (.; .b.c += $x | .a[0] = 9)",
            ".a[1:] = []",
            "walk(.)",
        ),
        *(
            "reduce .a[] as $x (.a; . + [$x])",
            "reduce .a[] as $x (.b; . + {k: $x})",
            'setpath(["b", "c"]; 2)',
        ),
        *(
            "reduce .a[] as $x (.; .b |= (.c = $x))",
            "foreach .a[] as $x (.b; .c += $x)",
            "with_entries(.value = 0)",
        ),
    ]
    for source in sources:
        every(source, value)
        assert value == {"a": [3, 1, 2], "b": {"c": 1}, "d": None}, source


def test_variables_are_never_changed():
    env = {"total": {"sum": 1, "list": [1]}}
    assert one("$total | .sum += 1 | .list += [2]", None, **env) == {"sum": 2, "list": [1, 2]}
    assert one("reduce (1, 2) as $x ($total; .sum += $x | .list += [$x])", None, **env)["list"] == [1, 1, 2]
    assert one("reduce (1, 2) as $x ({}; .t = $total | .t.list += [$x])", None, **env)["t"]["list"] == [1, 2]
    assert env == {"total": {"sum": 1, "list": [1]}}


def test_an_expression_can_be_used_again():
    expression = jq.compile("[.[] | . * 2]", set())
    assert [expression.one([number], {}) for number in (1, 2)] == [[2], [4]]
    assert repr(expression) == "<Expression '[.[] | . * 2]'>"


def test_errors_are_errors_of_the_portal_that_nobody_is_woken_for():
    for error in (ExpressionError("x"), ExpressionSyntaxError("x")):
        assert isinstance(error, PortalError)
        assert error.benign
    assert ExpressionError("x").problem() == {
        "type": "urn:problem:expression",
        "title": "This expression failed on its input.",
        "status": 422,
        "code": "expression",
        "detail": "x",
    }
    assert ExpressionSyntaxError("x").status == 400


def test_an_error_carries_the_value_it_was_raised_with():
    with pytest.raises(ExpressionError) as caught:
        one("error({code: 7})")
    assert caught.value.value == {"code": 7}
    assert str(caught.value) == '{"code":7} (not a string)'


def test_values_in_messages_are_cut_off():
    assert failure(".a", ["x" * 100]) == 'Cannot index array with string ("a")'
    assert failure("tonumber", "x" * 100) == f'string ("{"x" * 56}...) cannot be parsed as a number'
    assert failure("keys", {"a": 1}["a"]) == "number (1) has no keys"


def test_results_hold_only_what_json_has():
    assert one("nan") is None
    assert one("[infinite, -infinite, nan, {a: nan}]") == [
        1.7976931348623157e308,
        -1.7976931348623157e308,
        None,
        {"a": None},
    ]
    assert one("{a: (.x * 10), b: .x}", {"x": 1e308}) == {"a": 1.7976931348623157e308, "b": 1e308}
    assert one(".x * 10 > 1e308", {"x": 1e308}) is True
