"""Assignments, `setpath`, `del` and their like."""

from tests.automations.engine.dsl.jq.evaluating import every, failure, one


def test_assigning_makes_what_is_missing_on_the_way():
    assert one(".a.b[1].c = 1", None) == {"a": {"b": [None, {"c": 1}]}}
    assert one(".[2] = 1", [0]) == [0, None, 1]
    assert one(".[-1] = 9", [1, 2]) == [1, 9]


def test_the_right_side_sees_the_whole_input():
    assert one(".a = .b", {"a": {"b": 1}, "b": 2}) == {"a": 2, "b": 2}
    assert one(".a |= .b", {"a": {"b": 1}, "b": 2}) == {"a": 1, "b": 2}
    assert one(".a += .b", {"a": 1, "b": 2}) == {"a": 3, "b": 2}


def test_several_values_on_the_right_give_several_results():
    assert every(".a = (1, 2)", {}) == [{"a": 1}, {"a": 2}]
    assert every("(.a, .b) = (1, 2)", {}) == [{"a": 1, "b": 1}, {"a": 2, "b": 2}]
    assert every(".a += (1, 2)", {"a": 1}) == [{"a": 2}, {"a": 3}]
    assert every(".a = empty, .a += empty", {}) == []


def test_an_update_takes_the_first_value_only():
    assert every(".a |= (1, 2)", {}) == [{"a": 1}]
    assert every("(.a, .b) |= range(3)", {}) == [{"a": 0, "b": 0}]


def test_an_update_without_a_value_deletes():
    assert one(".a |= empty", {"a": 1, "b": 2}) == {"b": 2}
    assert one(".[] |= empty", [1, 2, 3]) == []
    assert one("(.[] | select(. % 2 == 0)) |= empty", [1, 2, 3, 4]) == [1, 3]
    assert one("map_values(select(. > 1))", {"a": 1, "b": 2}) == {"b": 2}


def test_all_arithmetic_updates_in_place():
    assert one(
        ".a += 2 | .a -= 1 | .a *= 6 | .a /= 4 | .a %= 4 | .b //= 5 | .c //= 6", {"a": 1, "b": None, "c": 7}
    ) == {
        "a": 3,
        "b": 5,
        "c": 7,
    }


def test_paths_of_any_kind_can_be_updated():
    value = {"items": [{"qty": 1, "price": 2}, {"qty": 3, "price": 4}]}
    assert one(".items[] |= (.total = .qty * .price) | [.items[].total]", value) == [2, 12]
    assert one("(.items[] | select(.qty > 1) | .price) = 0 | [.items[].price]", value) == [2, 0]
    assert one("(.items | first, last).seen = true | [.items[].seen]", value) == [True, True]
    assert one("(.. | numbers) |= . + 1 | .items[0]", value) == {"qty": 2, "price": 3}
    assert one(".items[1:] |= map(.qty) | .items[1]", value) == 3
    assert one('.["items"][0]["qty", "price"] = 7 | .items[0]', value) == {"qty": 7, "price": 7}
    assert one('getpath(["items", 0, "new"]) = 1 | .items[0].new', value) == 1


def test_slices_are_replaced_as_a_whole():
    assert one('.[1:3] = ["x"]', [1, 2, 3, 4]) == [1, "x", 4]
    assert one(".[10:] = [1]", [0]) == [0, 1]
    assert one(".[1:][0] = 9", [1, 2, 3]) == [1, 9, 3]
    assert one(".[:2] = []", None) == []
    assert failure(".[1:] = 1", [1, 2]) == "A slice of an array can only be assigned another array"
    assert failure('.[1:] = "x"', "abc") == "Cannot update string slices"


def test_one_value_in_two_places_is_two_values():
    assert one("{} as $o | {} | .a = $o | .b = $o | .a.x = 1") == {"a": {"x": 1}, "b": {}}
    assert one("(.a, .b) = {} | .a.x = 1") == {"a": {"x": 1}, "b": {}}
    assert one("(.a, .a.b) |= {x: .}", {"a": {"b": 1}}) == {"a": {"x": {"b": 1}, "b": {"x": None}}}


def test_what_cannot_be_assigned_to_is_an_error():
    assert failure(".a = 1", 5) == 'Cannot index number with string ("a")'
    assert failure(".[0] = 1", {}) == "Cannot index object with number (0)"
    assert failure(".[-3] = 1", [0]) == "Out of bounds negative array index"
    assert failure(".[nan] = 1", [0]) == "Cannot set array element at NaN index"
    assert failure(".[1e18] = 1", [0]) == "Array index too large"
    assert failure("1 = 2") == "Invalid path expression with result 1"


def test_setpath_and_delpaths_take_paths_as_values():
    assert one('setpath(["a", 0]; 1)') == {"a": [1]}
    assert one("setpath([]; 1)", 5) == 1
    assert one('delpaths([["a"], ["b", 0]])', {"a": 1, "b": [1, 2]}) == {"b": [2]}
    assert one("delpaths([[]])", 5) is None
    assert failure("setpath(1; 1)") == "Path must be specified as an array"
    assert failure("delpaths(1)") == "Paths must be specified as an array"
    assert failure("delpaths([1])") == "Path must be specified as array, not number"


def test_deleting_takes_all_at_once():
    assert one("del(.[0], .[1])", [1, 2, 3]) == [3]
    assert one("del(.[1:3], .[4])", [1, 2, 3, 4, 5]) == [1, 4]
    assert one("del(.[-1], .[0], .[7])", [1, 2, 3]) == [2]
    assert one("del(.[] | select(. > 1))", [1, 2, 3]) == [1]
    assert one("del(.a.b, .x.y)", {"a": {"b": 1, "c": 2}}) == {"a": {"c": 2}}
    assert one("del(.., .a)", {"a": 1}) is None
    assert failure("del(.a.b)", {"a": 1}) == 'Cannot index number with string ("b")'
    assert failure('delpaths([["a"]])', [1]) == "Cannot delete string element of array"
    assert failure("delpaths([[0]])", {}) == "Cannot delete number field of object"


def test_pick_keeps_the_shape():
    assert one("pick(.a, .b.c, .x)", {"a": 1, "b": {"c": 2, "d": 3}}) == {"a": 1, "b": {"c": 2}, "x": None}
    assert one("pick(.[2], .[0])", [1, 2, 3]) == [1, None, 3]
    assert one("pick(first)", [1, 2]) == [1]


def test_reduce_may_write_in_any_of_these_ways():
    rows = [{"k": "a", "n": 1}, {"k": "b", "n": 2}, {"k": "a", "n": 3}]
    assert one("reduce .[] as $r ({}; .[$r.k] += $r.n)", rows) == {"a": 4, "b": 2}
    assert one("reduce .[] as $r ({}; .[$r.k] += [$r.n])", rows) == {"a": [1, 3], "b": [2]}
    assert one("reduce .[] as $r ({}; .[$r.k].n += 1 | .total += $r.n)", rows) == {
        "a": {"n": 2},
        "total": 6,
        "b": {"n": 1},
    }
    assert one("reduce .[] as $r ([]; . + [$r.k])", rows) == ["a", "b", "a"]
    assert one("reduce .[] as {$k, $n} ({}; . + {($k): $n})", rows) == {"a": 3, "b": 2}
    assert one(
        "reduce .[] as $r ({}; if has($r.k) then .[$r.k] |= . * 10 else .[$r.k] = $r.n end)", rows
    ) == {
        "a": 10,
        "b": 2,
    }
    assert one("reduce .[] as $r (.; .[0].n += $r.n) | .[0].n", rows) == 7
    assert one("reduce .[] as $r ({}; .list += [$r] | .list[0].n += 1) | .list[0]", rows) == {
        "k": "a",
        "n": 4,
    }
    assert one("reduce .[] as $r ({last: null}; .prev = .last | .last = $r.k)", rows) == {
        "last": "a",
        "prev": "b",
    }
    assert one("reduce .[] as $r ({n: [0]}; .seen += [.n] | .n += [1]) | .seen | map(length)", rows) == [
        1,
        2,
        3,
    ]
    assert rows[0] == {"k": "a", "n": 1}


def test_a_place_that_is_not_selected_is_not_made():
    assert one("(.a | select(.b)) = 1", {}) == {}
    assert one("(.a.b | select(. != null)) |= 7", None) is None
    assert one("(.list[] | select(.n) | .n.m) += 1", {"list": [{}, {"n": {}}]}) == {
        "list": [{}, {"n": {"m": 1}}]
    }
