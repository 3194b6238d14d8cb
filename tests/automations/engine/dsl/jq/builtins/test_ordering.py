"""Comparing, sorting, grouping."""

from tests.automations.engine.dsl.jq.evaluating import every, failure, one


def test_values_of_all_types_have_one_order():
    values = [{}, [], "a", 1, True, False, None]
    assert one("sort", values) == values[::-1]


def test_texts_compare_by_code_points():
    assert one("sort", ["😀", "\uffff", "é", "z", "Z", ""]) == ["", "Z", "z", "é", "\uffff", "😀"]


def test_arrays_compare_item_by_item_and_objects_by_their_keys_first():
    assert one("sort", [[2], [1, 2], [1], []]) == [[], [1], [1, 2], [2]]
    assert one("sort", [{"b": 1}, {"a": 2}, {"a": 1, "b": 0}, {"a": 1}]) == [
        {"a": 1},
        {"a": 2},
        {"a": 1, "b": 0},
        {"b": 1},
    ]


def test_nan_comes_before_all_numbers_and_equals_nothing():
    assert every("nan < nan, nan < 1, nan > nan, nan == nan, [nan] == [nan], 1 > nan") == [
        True,
        True,
        False,
        False,
        False,
        True,
    ]
    assert one("[nan, 1, nan, null] | sort | map(isnan)") == [False, True, True, False]
    assert one("[nan, nan] | unique | length") == 2


def test_equality_looks_into_arrays_and_objects():
    assert every("{a: [1, {b: null}]} == {a: [1.0, {b: null}]}, {a: 1} == {a: 1, b: 2}, [1] != [1]") == [
        True,
        False,
        False,
    ]


def test_sorting_by_keeps_the_order_of_equals():
    rows = [{"n": 1, "k": 2}, {"n": 2, "k": 1}, {"n": 3, "k": 2}]
    assert one("sort_by(.k) | map(.n)", rows) == [2, 1, 3]
    assert one("sort_by(.k, -.n) | map(.n)", rows) == [2, 3, 1]
    assert one("sort_by(empty) | map(.n)", rows) == [1, 2, 3]


def test_groups_come_in_the_order_of_their_keys():
    rows = [{"k": "b", "n": 1}, {"k": "a", "n": 2}, {"k": "b", "n": 3}]
    assert one("group_by(.k) | map(map(.n))", rows) == [[2], [1, 3]]
    assert one("unique_by(.k) | map(.n)", rows) == [2, 1]
    assert one("unique_by(.k, .n) | length", rows) == 3


def test_the_first_of_the_smallest_and_the_last_of_the_biggest_count():
    rows = [{"k": 1, "n": 1}, {"k": 2, "n": 2}, {"k": 1, "n": 3}, {"k": 2, "n": 4}]
    assert every("min_by(.k), max_by(.k) | .n", rows) == [1, 4]
    assert every("min, max", [3, None, "a"]) == [None, "a"]
    assert every("min, max, min_by(.a), max_by(.a)", []) == [None] * 4


def test_searching_a_sorted_array_gives_the_place():
    assert every('bsearch(2), bsearch(0), bsearch(9), bsearch("a")', [1, 2, 3]) == [1, -1, -4, -4]


def test_only_arrays_are_sorted():
    assert failure("sort", {"a": 1}) == 'object ({"a":1}) cannot be sorted, as it is not an array'
    assert failure("sort_by(.)", {"a": 1}) == (
        'object ({"a":1}) and array ([1]) cannot be sorted, as they are not both arrays'
    )
    assert failure("min", 1) == "number (1) and number (1) cannot be iterated over"
    assert failure("bsearch(1)", "a") == 'string ("a") cannot be searched from'


def test_comparing_a_literal_is_the_same_from_both_sides():
    values = [None, False, True, 0, 1, 2, 1.0, 1.5, "", "a", "b", [], [1], {}, {"a": 1}]
    for operator in ("<", "<=", ">", ">=", "==", "!="):
        for literal in ("1", '"a"', "null", "true", "1.5", "0"):
            general = one(f"[.[] | . as $x | ({literal} | [.][0]) as $y | $x {operator} $y]", values)
            assert one(f"[.[] | . {operator} {literal}]", values) == general
            mirrored = one(f"[.[] | . as $x | ({literal} | [.][0]) as $y | $y {operator} $x]", values)
            assert one(f"[.[] | {literal} {operator} .]", values) == mirrored
