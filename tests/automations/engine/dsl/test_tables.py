"""Decision tables: what cells mean, which rule decides, and what keeps a table from being published."""

from typing import Any

import pytest

from automations.engine.dsl.cells import BadCell, condition, literal, result
from automations.engine.dsl.tables import Table, read
from automations.engine.errors import WorkflowError


@pytest.mark.parametrize(
    ("cell", "fits", "not_"),
    [
        ("-", [1, None, "x"], []),
        ("", [1, None], []),
        (None, [1, None], []),
        (5, [5, 5.0], [6, "5", None, True]),
        (True, [True], [1, False, "true"]),
        ("true", [True], [1, "true"]),
        ("> 50", [51, 50.5], [50, 49, None]),
        (">= 50", [50], [49]),
        ("< 2026-12-01", ["2026-11-30"], ["2026-12-01"]),
        ("<= 3", [3, -1], [4]),
        ("!= DE", ["AT", None], ["DE"]),
        ('= "a, b"', ["a, b"], ["a"]),
        ("[10..20)", [10, 19.9], [20, 9]),
        ("(10..20]", [20, 11], [10]),
        ("[2026-01-01..2026-01-31]", ["2026-01-15"], ["2026-02-01"]),
        ("DE, AT, CH", ["DE", "CH"], ["FR", None]),
        ('"gold", [a..c]', ["gold", "b"], ["silver"]),
        ("1, > 10", [1, 11], [5]),
        ("not(DE, AT)", ["FR"], ["DE", "AT"]),
        ("Black Friday", ["Black Friday"], ["Black"]),
        ("${ .total > 10 and .vip }", [], []),
    ],
)
def test_a_cell(cell, fits, not_):
    test = condition(cell)
    assert [value for value in fits if not test(value, {"total": 0})] == []
    assert [value for value in not_ if test(value, {"total": 0})] == []


def test_a_cell_may_be_an_expression_of_everything_that_is_asked():
    test = condition("${ .total > 10 and $input.vip }")
    assert test(None, {"total": 11, "vip": True})
    assert not test(None, {"total": 11, "vip": False})


@pytest.mark.parametrize("cell", ["a,,b", '"open', "> true", "[1..b]", "${ ( }", "< {"])
def test_a_cell_that_cannot_be_read(cell):
    with pytest.raises(BadCell):
        condition(cell)


def test_comparing_a_text_with_a_number_is_an_error_not_a_no():
    with pytest.raises(WorkflowError, match="cannot be compared"):
        condition("> 5")("six", {})


def test_output_cells_are_values_or_expressions():
    assert result({"limit": 5})({}) == {"limit": 5}
    assert result("${ .total * 2 }")({"total": 4}) == 8
    assert (literal("1.5"), literal('"x"'), literal("x y")) == (1.5, "x", "x y")
    with pytest.raises(BadCell):
        result("${ ( }")


REFUND: dict[str, Any] = {
    "inputs": ["tier", {"name": "amount", "from": ".order.total"}],
    "outputs": ["auto", "why"],
    "rules": [
        {"when": ["gold", "<= 100"], "then": [True, "gold up to 100"], "note": "agreed in May"},
        {"when": ["-", "<= 50"], "then": [True, "small"]},
    ],
    "otherwise": {"auto": False, "why": "ask"},
    "tests": [{"input": {"tier": "x", "order": {"total": 50}}, "expect": {"auto": True, "why": "small"}}],
}


def table(**changes: Any) -> Table:
    found, findings = read({**REFUND, **changes})
    assert findings == []
    assert found is not None
    return found


def ask(found: Table, tier: str, total: float) -> Any:
    return found.decide({"tier": tier, "order": {"total": total}})


def test_the_first_rule_that_fits_decides():
    made = table()
    assert ask(made, "gold", 40) == ({"auto": True, "why": "gold up to 100"}, [0])
    assert ask(made, "none", 40) == ({"auto": True, "why": "small"}, [1])
    assert ask(made, "none", 60) == ({"auto": False, "why": "ask"}, [])


def test_unique_takes_no_two_and_collect_takes_all():
    with pytest.raises(WorkflowError, match="rules 1, 2"):
        ask(table(hit="unique"), "gold", 40)
    tests = [{"input": {"tier": "x", "order": {"total": 99}}, "expect": []}]
    assert [entry["why"] for entry in ask(table(hit="collect", tests=tests), "gold", 40)[0]] == [
        "gold up to 100",
        "small",
    ]


def test_without_a_rule_that_fits_and_without_otherwise_it_is_an_error():
    with pytest.raises(WorkflowError, match="no rule"):
        ask(table(otherwise=None), "none", 60)


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"inputs": []}, "/inputs"),
        ({"inputs": ["a", "a"]}, "/inputs"),
        ({"inputs": [{"name": "a", "from": "("}, "b"]}, "/inputs/0"),
        ({"outputs": "auto"}, "/outputs"),
        ({"hit": "best"}, "/hit"),
        ({"rules": []}, "/rules"),
        ({"rules": [{"when": ["-"], "then": [1, 2]}]}, "/rules/0/when"),
        ({"rules": [{"when": ["-", "-"], "then": [1]}]}, "/rules/0/then"),
        ({"rules": [{"when": ["-", "a,,b"], "then": [1, 2]}]}, "/rules/0/when/1"),
        ({"rules": [{"if": []}]}, "/rules/0"),
        ({"otherwise": {"auto": 1}}, "/otherwise"),
        ({"tests": []}, "/tests"),
        ({"tests": [{"input": {}}]}, "/tests/0"),
        ({"tests": [{"input": {"order": {"total": "x"}}, "expect": 1}]}, "/tests/0"),
        ({"colour": 1}, "/colour"),
    ],
)
def test_a_table_that_is_refused(changes, pointer):
    found, findings = read({**REFUND, **changes})
    assert found is None
    assert pointer in [one.pointer for one in findings]
    assert all(len(one.message) > 15 for one in findings)


def test_a_table_whose_tests_fail_is_refused_with_what_they_gave():
    tests = [{"input": {"tier": "x", "order": {"total": 51}}, "expect": {"auto": True, "why": "small"}}]
    found, findings = read({**REFUND, "tests": tests})
    assert (found, findings[0].rule, "'why': 'ask'" in findings[0].message) == (None, "test", True)
