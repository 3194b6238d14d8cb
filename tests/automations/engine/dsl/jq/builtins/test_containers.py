"""Functions of arrays and objects."""

from tests.automations.engine.dsl.jq.evaluating import every, failure, one


def test_length_goes_by_type():
    assert every(".[] | length", [[1, 2], "aé😀", {"a": 1}, None, -5, 1.5]) == [2, 3, 1, 0, 5, 1.5]
    assert failure("true | length") == "boolean (true) has no length"
    assert one("utf8bytelength", "aé😀") == 7


def test_keys_are_sorted_unless_asked_otherwise():
    assert every("keys, keys_unsorted", {"b": 1, "a": 2}) == [["a", "b"], ["b", "a"]]
    assert one("keys", ["x", "y"]) == [0, 1]
    assert failure("keys", None) == "null (null) has no keys"


def test_has_and_in_ask_for_keys_and_indices():
    assert every('has("a", "b")', {"a": None}) == [True, False]
    assert every("has(0, 1, -1)", ["x"]) == [True, False, False]
    assert every('"a" | in({a: 1}, {b: 1})') == [True, False]
    assert failure("has(0)", {}) == "Cannot check whether object has a number key"


def test_entries_go_there_and_back():
    assert one("to_entries", {"a": 1}) == [{"key": "a", "value": 1}]
    assert one("from_entries", [{"name": "a", "Value": 1}, {"Key": "b"}]) == {"a": 1, "b": None}
    assert one("with_entries(.value += 1 | .key |= ascii_upcase)", {"a": 1}) == {"A": 2}
    assert failure("from_entries", [{"key": 1}]) == "Cannot use number (1) as object key"
    assert failure("from_entries", [{}]) == "Cannot use null (null) as object key"


def test_maps_go_through_items():
    assert one("map(., . * 10)", [1, 2]) == [1, 10, 2, 20]
    assert one("map(. + 1)", {"a": 1, "b": 2}) == [2, 3]
    assert one("map_values(. + 1, 0)", {"a": 1, "b": 2}) == {"a": 2, "b": 3}


def test_add_sums_up_what_can_be_added():
    assert every('[1, 2.5], ["a", "b"], [[1], [2]], [{a: 1}, {b: 2}], [null, 1], [], {x: 1, y: 2} | add') == [
        3.5,
        "ab",
        [1, 2],
        {"a": 1, "b": 2},
        1,
        None,
        3,
    ]
    assert one("add(.[].a)", [{"a": 1}, {"a": 2}]) == 3
    assert failure("add", [1, "a"]) == 'number (1) and string ("a") cannot be added'


def test_containment_goes_by_parts():
    assert one('contains({a: "b", l: ["x"]})', {"a": "abc", "l": ["xyz", 1], "z": 0}) is True
    assert one('contains(["baz"])', ["foobar"]) is False
    assert one("contains({a: null})", {"b": 1}) is False
    assert one('inside({a: ["abc", 1]})', {"a": ["b"]}) is True
    assert one("contains([[1, {a: 1}]])", [[1, {"a": None}], [1, {"a": 1, "b": 2}]]) is True
    assert failure("contains(1)", "1") == 'string ("1") and number (1) cannot have their containment checked'


def test_indices_tell_where_something_stands():
    assert every('indices("b"), index("b"), rindex("b"), index("z")', "abcb") == [[1, 3], 1, 3, None]
    assert every('indices("aa"), indices("")', "aaaa") == [[0, 1, 2], []]
    assert one('indices("é")', "😀éé") == [1, 2]
    assert every("indices(1), indices([1, 2]), index(9)", [0, 1, 2, 1, 2]) == [[1, 3], [1, 3], None]
    assert one('index(",")', None) is None


def test_arrays_are_flattened_reversed_and_turned():
    assert every("flatten, flatten(1), flatten(0)", [1, [2, [3]], []]) == [
        [1, 2, 3],
        [1, 2, [3]],
        [1, [2, [3]], []],
    ]
    assert every("reverse", [1, 2]) == [[2, 1]]
    assert every('null, [], {}, "" | reverse') == [[]] * 4
    assert one("transpose", [[1], [2, 3], None]) == [[1, 2, None], [None, 3, None]]
    assert failure("flatten(-1)", []) == "flatten depth must not be negative"
    assert failure("reverse", "abc") == "Cannot index string with number (2)"


def test_combinations_take_one_item_of_each():
    assert every("combinations", [[1, 2], ["a", "b"]]) == [[1, "a"], [1, "b"], [2, "a"], [2, "b"]]
    assert every("combinations(2)", [0, 1]) == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert every("combinations", [[], [1]]) == []
    assert every("combinations", []) == [[]]


def test_types_can_be_asked_for_and_selected():
    values = [None, True, 1, "a", [], {}]
    assert one("map(type)", values) == ["null", "boolean", "number", "string", "array", "object"]
    assert every(
        "[.[] | nulls], [.[] | booleans], [.[] | numbers], [.[] | strings], [.[] | arrays], [.[] | objects]",
        values,
    ) == [[None], [True], [1], ["a"], [[]], [{}]]
    assert every("[.[] | values], [.[] | iterables], [.[] | scalars]", values) == [
        [True, 1, "a", [], {}],
        [[], {}],
        [None, True, 1, "a"],
    ]
    assert every("toarray", 1) == [[1]]
    assert every("toarray", [1]) == [[1]]


def test_walk_changes_the_parts_first():
    assert one('walk(if type == "array" then sort else . end)', [[3, 1], [2]]) == [[1, 3], [2]]
    assert one('walk(if type == "object" then del(.x) else . end)', {"x": 1, "a": {"x": 2, "y": 3}}) == {
        "a": {"y": 3}
    }
    assert one("walk(numbers |= . + 1)", {"a": [1, "b"]}) == {"a": [2, "b"]}
    assert every("walk(1, 2)", [0]) == [1, 2]
    assert one("walk(select(. != 1))", [1, 2, {"a": 1}]) == [2, {}]


def test_tables_are_indexed_and_joined():
    people = [{"id": 1, "name": "Ann"}, {"id": 2, "name": "Bob"}]
    assert one("INDEX(.id) | map_values(.name)", people) == {"1": "Ann", "2": "Bob"}
    assert one("INDEX(.[]; .name) | keys", people) == ["Ann", "Bob"]
    assert one('[JOIN({"1": "x"}; .[]; .id | tostring; .[1])]', people) == ["x", None]
    assert one('JOIN({"1": "x"}; .id | tostring) | map(.[1])', people) == ["x", None]
    assert every("IN(1, 2), IN(3), IN(.; 2)", 2) == [True, False, True]


def test_rows_of_strange_lengths_do_not_upset_transpose():
    assert one("[[nan], [1]] | transpose | length") == 1
    assert one("[nan] | transpose") == []
    assert failure("[infinite] | transpose") == "the expression takes too many steps"
    assert failure("[1] | transpose") == "Cannot index number with number (0)"
