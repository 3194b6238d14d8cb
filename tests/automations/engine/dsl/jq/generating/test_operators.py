"""Operators, conditions and errors, with one result and with many."""

from tests.automations.engine.dsl.jq.evaluating import every, failure, one


def test_pipes_and_commas_pass_on_every_result():
    assert every("(1, 2) | (., . * 10)") == [1, 10, 2, 20]
    assert every("[.[] | ., empty]", [1, 2]) == [[1, 2]]


def test_of_two_operands_with_many_results_the_right_moves_slowest():
    assert every("(1, 2) + (10, 20)") == [11, 12, 21, 22]
    assert every("(1, 2) < (0, 3)") == [False, False, True, True]
    assert every('"\\(1, 2)-\\(3, 4)"') == ["1-3", "2-3", "1-4", "2-4"]


def test_of_the_parts_of_an_object_the_first_moves_slowest():
    assert every('{a: (1, 2), ("b", "c"): (3, 4)}') == [
        {"a": 1, "b": 3},
        {"a": 1, "b": 4},
        {"a": 1, "c": 3},
        {"a": 1, "c": 4},
        {"a": 2, "b": 3},
        {"a": 2, "b": 4},
        {"a": 2, "c": 3},
        {"a": 2, "c": 4},
    ]
    assert every("{a: 1, a: 2}") == [{"a": 2}]
    assert failure("{(1): 2}") == "Cannot use number (1) as object key"


def test_many_operands_with_many_results_are_all_combined():
    assert one("[(1, 2) + (1, 2) + (1, 2) + (1, 2) + (1, 2)] | length") == 32
    assert one("[{a: (1, 2), b: (1, 2), c: (1, 2), d: (1, 2), e: (1, 2)} | add] | unique") == [
        5,
        6,
        7,
        8,
        9,
        10,
    ]


def test_only_false_and_null_are_false():
    assert every('false, null, 0, "", [], {} | if . then "yes" else "no" end') == ["no", "no"] + ["yes"] * 4
    assert every("false, null, 0 | not") == [True, True, False]


def test_and_and_or_look_right_only_where_they_must():
    assert every("false and error(1), true or error(1), (null and 1), (0 or false), (1 and 2)") == [
        False,
        True,
        False,
        True,
        True,
    ]
    assert every("(true, false) and (true, false)") == [True, False, False]
    assert every("(true, false) or (true, false)") == [True, True, False]
    assert every("[empty and true], [true and empty], [false and empty]") == [[], [], [False]]


def test_if_asks_for_every_result_of_its_condition():
    assert every("if (true, false, null) then 1 else 2 end") == [1, 2, 2]
    assert every("if . then 1 elif . == false then 2 end", False) == [2]
    assert every("if . then 1 elif 7 then . end", None) == [None]
    assert every("if empty then 1 else 2 end") == []
    assert every("if true then (1, 2) else 3 end | . * 10") == [10, 20]


def test_a_default_stands_in_for_false_null_and_nothing():
    assert every(
        "(null, 1, false, 2) // 9, (null, false) // (8, 9), empty // 7, .a // .b // 5", {"b": 4}
    ) == [
        1,
        2,
        8,
        9,
        7,
        4,
    ]
    assert every('[.[] // "x"]', [None, False]) == [["x"]]
    assert every("first(1 // error(2)), (false // false)") == [1, False]


def test_a_default_does_not_hide_errors():
    assert failure('error("x") // 1') == "x"
    assert failure('(null, error("x")) // 1') == "x"


def test_try_catches_what_its_body_raises():
    assert every('try error("x") catch ., try error({a: 1}) catch .a, try error(null) catch .') == [
        "x",
        1,
        None,
    ]
    assert every("[.[] | tonumber?]", ["1", "x", 3]) == [[1, 3]]
    assert every("try (1, error(2), 3) catch 9") == [1, 9]
    assert every("[(1, error(2), 3)?]") == [[1]]
    assert one(".a.b.c? // 1", {"a": {"b": 2}}) == 1
    assert one("try .a catch .", 1) == 'Cannot index number with string ("a")'


def test_try_does_not_catch_what_comes_after_it():
    assert failure('try 1 | error("later")') == "later"
    assert failure('(.a? | error("later"))', {"a": 1}) == "later"
    assert failure('try error("x") catch error("y")') == "y"
    assert every('[.[] | try (if . > 1 then error("big") else . end) catch "c"]', [1, 2, 3]) == [
        [1, "c", "c"]
    ]


def test_errors_can_be_raised_again():
    assert one('try (try error("a") catch error(. + "b")) catch . + "c"') == "abc"
    assert failure("error", "x") == "x"
    assert failure("error(null)") == "null (not a string)"
