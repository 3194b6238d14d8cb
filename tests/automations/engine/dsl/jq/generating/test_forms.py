"""Functions that run their arguments themselves."""

import pytest

from tests.automations.engine.dsl.jq.evaluating import every, failure, one


def test_the_first_results_are_taken_and_the_rest_is_not_evaluated():
    assert every('first(1, error("x")), limit(2; 1, 2, error("x")), nth(1; 0, 1, error("x"))') == [1, 1, 2, 1]
    assert every("[limit(0; error(1))], [first(empty)], [limit(1, 2; 5, 6, 7)]") == [[], [], [5, 5, 6]]
    assert every("isempty(empty), isempty(1, error(1)), isempty(.[])", []) == [True, False, True]


def test_results_can_be_skipped():
    assert every(
        "[skip(2; range(5))], [skip(0; 1, 2)], [nth(5; range(3))], last(range(4)), [last(empty)]"
    ) == [
        [2, 3, 4],
        [1, 2],
        [],
        3,
        [],
    ]


@pytest.mark.parametrize("name", ["limit", "skip"])
def test_no_count_is_below_nothing(name):
    assert failure(f"{name}(-1; 1)") == f"{name} doesn't support negative count"


def test_nth_counts_from_nothing():
    assert failure("nth(-1; 1)") == "nth doesn't support negative indices"
    assert failure('limit("a"; 1, 2)') == 'string ("a") and number (1) cannot be subtracted'


def test_first_and_last_of_an_array_are_paths():
    assert every("first, last, nth(1)", [1, 2, 3]) == [1, 3, 2]
    assert one("first = 0 | last |= . + 1", [1, 2]) == [0, 3]


def test_any_and_all_stop_where_it_is_decided():
    assert every('any(true, error("x"); .), all(false, error("x"); .)') == [True, False]
    assert every("any, all", [True, False]) == [True, False]
    assert every("any, all", []) == [False, True]
    assert every("any(. > 1), all(. > 1)", [1, 2]) == [True, False]
    assert every("any(.a; .b), all(.a; .b)", {"a": {"b": None}}) == [False, False]


def test_ranges_go_up_down_and_by_fractions():
    assert every(
        "[range(3)], [range(2; 4)], [range(0; 10; 4)], [range(5; 0; -2)], [range(0; 1; 0.4)], [range(1.5)]"
    ) == [
        [0, 1, 2],
        [2, 3],
        [0, 4, 8],
        [5, 3, 1],
        [0, 0.4, 0.8],
        [0, 1],
    ]
    assert every("[range(0; 3; 0)], [range(3; 0)], [range(0, 1; 2, 3)]") == [[], [], [0, 1, 0, 1, 2, 1, 1, 2]]


def test_loops_run_until_or_while_a_condition_holds():
    assert one("until(. > 100; . * 2)", 1) == 128
    assert every("while(. < 10; . * 2)", 1) == [1, 2, 4, 8]
    assert every("[while(. < 3; . + 1, . + 2)], [until(. > 2; . + 1, . + 2)]", 0) == [
        [0, 1, 2, 2],
        [3, 4, 3, 3, 4],
    ]
    assert every("[limit(4; repeat(1, 2))]") == [[1, 2, 1, 2]]


def test_recursion_is_depth_first():
    assert every("recurse(if . < 2 then . + 1 else empty end)", 0) == [0, 1, 2]
    assert every('[recurse], [recurse(.[]?; type == "array")]', [[1]]) == [[[[1]], [1], 1], [[[1]], [1]]]
    assert every("[recurse(. + 1; . < 3)]", 0) == [[0, 1, 2]]


def test_streams_take_values_apart_and_together():
    value = {"a": [1, {"b": 2}], "c": []}
    events = [
        [["a", 0], 1],
        [["a", 1, "b"], 2],
        [["a", 1, "b"]],
        [["a", 1]],
        [["c"], []],
        [["c"]],
    ]
    assert every("tostream", value) == events
    assert every("fromstream(.[])", events) == [value]
    assert every("fromstream(.[] | tostream)", [1, [2]]) == [1, [2]]
    assert every("[1 | truncate_stream([[0], 1], [[1, 0], 2], [[1, 0]], [[1]])]") == [[[[0], 2], [[0]]]]
