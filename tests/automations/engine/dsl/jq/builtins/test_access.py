"""Paths into values."""

from tests.automations.engine.dsl.jq.evaluating import every, failure, one

VALUE = {"a": {"b": [10, {"c": "x"}]}, "n": None}


def test_what_is_not_there_is_null():
    assert every(".x, .x.y.z, .n.x, .a.b[7], .a.b[-3], .x[0], .a.b[1].d", VALUE) == [None] * 7


def test_keys_and_indices_lead_to_what_is_there():
    assert every('.a.b[0], .a["b"][1].c, ."a"."b"[-1].c, .["a"].b[0.9], .a.b[-1.5].c', VALUE) == [
        10,
        "x",
        "x",
        10,
        "x",
    ]


def test_keys_may_be_computed_and_see_the_whole_input():
    assert one(".list[.at]", {"list": [1, 2, 3], "at": 1}) == 2
    assert every(".list[.at, 0]", {"list": [1, 2, 3], "at": 2}) == [3, 1]
    assert every("(.a, .b)[0, 1]", {"a": [1, 2], "b": [3, 4]}) == [1, 3, 2, 4]


def test_the_wrong_kind_of_key_is_an_error_that_names_both():
    assert failure(".a", 1) == 'Cannot index number with string ("a")'
    assert failure(".a.b", {"a": "text"}) == 'Cannot index string with string ("b")'
    assert failure(".[0]", {"a": 1}) == "Cannot index object with number (0)"
    assert failure(".[0].a", "text") == "Cannot index string with number (0)"
    assert failure(".a[0]", {"a": "text"}) == "Cannot index string with number (0)"
    assert failure(".[null]", [1]) == "Cannot index array with null (null)"
    assert failure(".[{}]", [1]) == "Array/string slice indices must be integers"


def test_a_question_mark_makes_an_error_no_result():
    assert every(".a?, .[0]?, .[1:]?, .[]?, 7", 1) == [7]
    assert every(".[] | .a?", [{"a": 1}, 2, {"b": 3}]) == [1, None]
    assert one('.a? // "none"', 1) == "none"


def test_slices_count_characters_and_items_from_both_ends():
    assert every(".[1:3], .[:-1], .[-2:], .[2:1], .[1.2:2.8]", [0, 1, 2, 3]) == [
        [1, 2],
        [0, 1, 2],
        [2, 3],
        [],
        [1, 2],
    ]
    assert every(".[1:3], .[-2:], .[10:]", "aé😀d") == ["é😀", "😀d", ""]
    assert every(".[1:], .[:1]", None) == [None, None]
    assert failure(".[1:2]", {}) == 'Cannot index object with object ({"start":1,"end":2})'
    assert failure('.["a":]', [1]) == "Array/string slice indices must be integers"


def test_an_array_in_brackets_looks_for_a_row_of_items():
    assert every(".[[1, 2]], .[[]], .[[3]]", [0, 1, 2, 1, 2]) == [[1, 3], [], []]


def test_all_items_are_gone_through_in_order():
    assert every(".[]", [1, [2]]) == [1, [2]]
    assert every(".[]", {"b": 1, "a": 2}) == [1, 2]
    assert failure(".[]", None) == "Cannot iterate over null (null)"


def test_descending_gives_each_value_before_what_is_in_it():
    assert every("..", [1, {"a": [2]}]) == [[1, {"a": [2]}], 1, {"a": [2]}, [2], 2]
    assert every("[.. | numbers]", [1, {"a": [2]}]) == [[1, 2]]


def test_paths_lead_to_all_values():
    value = {"a": [1, {"b": 2}]}
    assert every("paths", value) == [["a"], ["a", 0], ["a", 1], ["a", 1, "b"]]
    assert every('paths(type == "number")', value) == [["a", 0], ["a", 1, "b"]]
    assert every("leaf_paths", value) == [["a", 0], ["a", 1, "b"]]
    assert every("path(..)", [[1]]) == [[], [0], [0, 0]]
    assert one("[paths] == [path(..)][1:]", value) is True


def test_getpath_follows_a_path_as_far_as_there_is_one():
    assert every('getpath(["a", "b", 0]), getpath(["x", "y"]), getpath([])', {"a": {"b": [5]}}) == [
        5,
        None,
        {"a": {"b": [5]}},
    ]
    assert failure('getpath(["a", "b"])', {"a": 1}) == 'Cannot index number with string ("b")'
    assert failure("getpath(1)") == "Path must be specified as an array"


def test_path_expressions_give_the_way_to_what_they_find():
    value = {"a": [{"b": 1}, {"b": 2}], "k": "a"}
    assert every("path(.a[].b)", value) == [["a", 0, "b"], ["a", 1, "b"]]
    assert every("path(.a[] | select(.b > 1))", value) == [["a", 1]]
    assert every("path(.[.k][1:][0])", value) == [["a", {"start": 1, "end": None}, 0]]
    assert every("path(first(.a[]), last(.a[]), limit(1; .x, .y), nth(1; .a[]))", value) == [
        ["a", 0],
        ["a", 1],
        ["x"],
        ["a", 1],
    ]
    assert every('path(if .k then .a else .b end, (.x // .k), getpath(["p", 0]), (.a | .[0]?))', value) == [
        ["a"],
        ["k"],
        ["p", 0],
        ["a", 0],
    ]
    assert every(
        "path(def f: .a; f | .[0]), path(def g(h): h | h; g(.x)), path(label $l | .a, break $l)", value
    ) == [
        ["a", 0],
        ["x", "x"],
        ["a"],
    ]
    assert every('[path(recurse(if type == "array" then .[] else empty end))]', [[1]]) == [[[], [0], [0, 0]]]
    assert every('path(.a | until(type != "array"; .[0])), path(.a | . as $x | .[1])', value) == [
        ["a", 0],
        ["a", 1],
    ]


def test_what_is_computed_is_no_path():
    assert failure("path(1)") == "Invalid path expression with result 1"
    assert failure("path(.a | tostring)") == 'Invalid path expression with result "null"'
    assert failure("path(1 | .a)") == 'Invalid path expression near attempt to access element "a" of 1'
    assert failure("path([1] | .[])") == "Invalid path expression near attempt to iterate through [1]"
    assert failure("path(.a | map(.b))", {"a": [{}]}) == "Invalid path expression with result [null]"
    assert every("[path(1, 2 | empty)], [path(.a | select(false))]", {}) == [[], []]
