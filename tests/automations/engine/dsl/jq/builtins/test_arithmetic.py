"""`+ - * / %`, and numbers: exact integers (D12), floats as jq writes them, booleans that are none."""

import pytest

from tests.automations.engine.dsl.jq.evaluating import every, failure, one

BIG = 12345678901234567890


def test_integers_stay_exact_at_any_size():
    assert one(".", BIG) == BIG
    assert one(". + 1", BIG) == BIG + 1
    assert one(". - 1", BIG) == BIG - 1
    assert one(". * .", BIG) == BIG * BIG
    assert one(". / 10", BIG) == BIG // 10
    assert one(". % 1000", BIG) == 890
    assert one("-.", BIG) == -BIG
    assert every("[., 1] | add, max", BIG) == [BIG + 1, BIG]
    assert one("12345678901234567890 * 10") == BIG * 10


def test_integers_are_written_and_read_exactly():
    assert one("tojson", BIG) == str(BIG)
    assert one("tostring | tonumber", BIG) == BIG
    assert one("[.] | tojson | fromjson", BIG) == [BIG]
    assert one('"id \\(.)"', BIG) == f"id {BIG}"


def test_integers_compare_exactly_also_with_floats():
    assert one(". == 9007199254740993", 9007199254740992) is False
    assert one(". < 9007199254740993", 9007199254740992) is True
    assert one("sort", [9007199254740993, 9007199254740992.0, 9007199254740994]) == [
        9007199254740992.0,
        9007199254740993,
        9007199254740994,
    ]


def test_dividing_integers_gives_an_integer_where_nothing_is_left():
    assert repr(one("6 / 3")) == "2"
    assert repr(one("7 / 2")) == "3.5"
    assert repr(one("6.0 / 3")) == "2.0"


def test_an_integer_too_big_to_print_is_refused():
    assert (
        failure("reduce range(100) as $i (10; . * .)")
        == "the expression makes a number of more than 3,900 digits"
    )


def test_true_is_not_1():
    assert (
        every("true == 1, 1 == true, [true] == [1], {a: false} == {a: 0}, (true | IN(1, 0))") == [False] * 5
    )
    assert one("unique", [True, 1, 1.0, False, 0]) == [False, True, 0, 1]
    assert one("index(1)", [True, 1]) == 1
    assert one(". - [1]", [True, 1]) == [True]
    assert one("contains([1])", [True]) is False
    assert one("type", True) == "boolean"


def test_booleans_are_not_calculated_with_and_index_nothing():
    assert failure("true + 1") == "boolean (true) and number (1) cannot be added"
    assert failure("-true") == "boolean (true) cannot be negated"
    assert failure(".[true]", [1, 2]) == "Cannot index array with boolean (true)"
    assert failure(".[true] = 1", [1, 2]) == "Cannot index array with boolean (true)"
    assert failure("range(true)") == "Range bounds must be numeric"
    assert failure('"a" * true') == 'string ("a") and boolean (true) cannot be multiplied'
    assert failure("true | floor") == "boolean (true) number required"


def test_adding_goes_by_type():
    assert every('1 + 2, "a" + "b", [1] + [2], {a: 1, b: 1} + {b: 2}, null + 1, [] + null') == [
        3,
        "ab",
        [1, 2],
        {"a": 1, "b": 2},
        1,
        [],
    ]
    assert failure('1 + "a"') == 'number (1) and string ("a") cannot be added'
    assert failure("{} + []") == "object ({}) and array ([]) cannot be added"


def test_subtracting_arrays_takes_items_out():
    assert one(". - [1, {a: 2}]", [1, 2, 1, {"a": 2}, "1"]) == [2, "1"]
    assert failure('"a" - "a"') == 'string ("a") and string ("a") cannot be subtracted'


def test_multiplying_repeats_texts_and_merges_objects():
    assert every('"ab" * 2, 2 * "ab", "a" * 0, "a" * 1.7, "a" * -1') == ["abab", "abab", "", "a", None]
    assert one("{a: {b: 1, c: 2}, d: 1} * {a: {b: 3}, d: {e: 4}}") == {"a": {"b": 3, "c": 2}, "d": {"e": 4}}


def test_dividing_texts_splits_them():
    assert every('"a,b" / ",", "abc" / "", "" / ","') == [["a", "b"], ["a", "b", "c"], []]
    assert failure("1 / 0") == "number (1) and number (0) cannot be divided because the divisor is zero"


@pytest.mark.parametrize(
    ("source", "result"), [("5 % 3", 2), ("-5 % 3", -2), ("5 % -3", 2), ("5.9 % 2.9", 1), ("5 % infinite", 5)]
)
def test_the_remainder_has_the_sign_of_the_dividend(source, result):
    assert one(source) == result


def test_a_remainder_by_nothing_is_an_error():
    message = "number (5) and number (0.5) cannot be divided (remainder) because the divisor is zero"
    assert failure("5 % 0.5") == message


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1.0, "1"),
        (1.5, "1.5"),
        (-0.0, "-0"),
        (0.1 + 0.2, "0.30000000000000004"),
        (1e15, "1000000000000000"),
        (1e17, "1e+17"),
        (123456789012345680.0, "123456789012345680"),
        (1.5e300, "1.5e+300"),
        (1e-5, "1e-05"),
        (0.0001, "0.0001"),
        (float("inf"), "1.7976931348623157e+308"),
        (float("nan"), "null"),
    ],
)
def test_floats_are_written_as_jq_writes_what_it_calculated(number, text):
    assert one("tojson", number) == text


def test_functions_of_numbers_say_what_they_need():
    assert failure("floor", "a") == 'string ("a") number required'
    assert failure("pow(1; null)") == "null (null) number required"


def test_roundings_give_integers():
    assert repr(every("floor, ceil, round, trunc", -2.5)) == "[-3, -2, -3, -2]"
    assert repr(every("floor, ceil, round", BIG)) == f"[{BIG}, {BIG}, {BIG}]"
    assert every("[0.5, 1.5, 2.5][] | round, rint") == [1, 0, 2, 2, 3, 2]


def test_powers_of_integers_are_exact_as_far_as_floats_reach():
    assert repr(one("pow(3; 50)")) == repr(3**50)
    assert one("pow(2; 0.5)") == 2**0.5
    assert one("pow(10; 1e6)") == 1.7976931348623157e308
    assert every("pow(0; -1), pow(-8; 1/3)") == [1.7976931348623157e308, None]


def test_what_c_calls_nan_and_infinity_comes_out_as_json():
    assert every("(-1 | sqrt), (0 | log), (-1 | log), (1e3 | exp), (0 | logb)") == [
        None,
        -1.7976931348623157e308,
        None,
        1.7976931348623157e308,
        -1.7976931348623157e308,
    ]


def test_numbers_can_be_asked_what_they_are():
    assert every("infinite, nan, 1, 0, 5e-324 | [isinfinite, isnan, isfinite, isnormal]") == [
        [True, False, False, False],
        [False, True, True, False],
        [False, False, True, True],
        [False, False, True, False],
        [False, False, True, False],
    ]


def test_numbers_come_apart():
    assert every("frexp, modf, significand, logb", 10) == [[0.625, 4], [0.0, 10.0], 1.25, 3]
    assert every("ldexp(1; 3), scalb(1; 3), fma(2; 3; 4), hypot(3; 4), copysign(1; -2), fmod(7; 3)") == [
        8,
        8,
        10,
        5,
        -1,
        1,
    ]


def test_abs_leaves_what_comes_after_all_numbers():
    assert every('-5, 5, -1.5, "a" | abs') == [5, 5, 1.5, "a"]
    assert failure("null | abs") == "null (null) cannot be negated"
