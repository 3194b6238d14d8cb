"""Variables, loops, labels and functions."""

from tests.automations.engine.dsl.jq.evaluating import every, failure, one


def test_variables_take_each_result_in_turn():
    assert every("(1, 2) as $x | (10, 20) as $y | $x + $y") == [11, 21, 12, 22]
    assert one(". as $all | map(. / ($all | add))", [1, 3]) == [0.25, 0.75]


def test_the_input_stays_what_it_was():
    assert one(".a as $x | .b + $x", {"a": 1, "b": 2}) == 3


def test_inner_variables_hide_outer_ones():
    assert one("1 as $x | [$x, (2 as $x | $x), $x]") == [1, 2, 1]


def test_arrays_and_objects_are_taken_apart():
    assert one(". as [$a, [$b, {c: $c}], $d] | [$a, $b, $c, $d]", [1, [2, {"c": 3}]]) == [1, 2, 3, None]
    assert one(
        '. as {a: $x, "b c": $y, $d, ("e" + "f"): $z, $g: [$h]} | [$x, $y, $d, $z, $g, $h]',
        {
            "a": 1,
            "b c": 2,
            "d": 3,
            "ef": 4,
            "g": [5],
        },
    ) == [1, 2, 3, 4, [5], 5]
    assert every('. as {("a", "b"): $x, ("c", "d"): $y} | [$x, $y]', {"a": 1, "b": 2, "c": 3, "d": 4}) == [
        [1, 3],
        [1, 4],
        [2, 3],
        [2, 4],
    ]
    assert failure(". as [$a] | 1", {"a": 1}) == "Cannot index object with number (0)"
    assert failure(". as {a: $a} | 1", [1]) == 'Cannot index array with string ("a")'


def test_alternatives_are_tried_until_one_fits():
    assert every(".[] as [$a] ?// {a: $a} ?// $a | [$a]", [[1], {"a": 2}, 3]) == [[1], [2], [3]]
    assert every(".[] as {a: $a} ?// [$b] | [$a, $b]", [{"a": 1}, [2]]) == [[1, None], [None, 2]]


def test_alternatives_are_tried_also_when_the_rest_fails():
    assert one('[[3]] | .[] as [$a] ?// [$b] | if $a != null then error("no") else [$a, $b] end') == [None, 3]
    assert every('. as [$a] ?// $a | 1, (if ($a | type) == "number" then error(0) else 2 end)', [5]) == [
        1,
        1,
        2,
    ]
    assert failure('. as [$a] ?// $a | error("last")', [5]) == "last"


def test_reduce_keeps_the_last_state():
    assert one("reduce .[] as $x (0; . + $x)", [1, 2, 3]) == 6
    assert one("reduce .[] as [$a, $b] (0; . + $a * $b)", [[1, 2], [3, 4]]) == 14
    assert one("reduce empty as $x (7; error)") == 7
    assert every("reduce (1, 2) as $x (0, 10; . + $x)") == [3, 13]
    assert one("reduce range(3) as $x (0; . + $x, . * 2)") == 0
    assert one("reduce range(5) as $x (0; . + $x | select($x != 2))") == 7
    assert one("reduce .[] as [$a] ?// $a (0; . + $a)", [[1], 2]) == 3


def test_foreach_gives_each_state():
    assert every("foreach .[] as $x (0; . + $x)", [1, 2, 3]) == [1, 3, 6]
    assert every("foreach .[] as $x (0; . + $x; [$x, .])", [1, 2]) == [[1, 1], [2, 3]]
    assert every("foreach (1, 2) as $x (0, 1; . + $x)") == [1, 3, 2, 4]
    assert every("foreach range(3) as $x (0; . + $x, . * 10)") == [0, 0, 1, 0, 2, 0]
    assert every("foreach range(5) as $x (0; . + $x | select($x != 2); [$x, .])") == [
        [0, 0],
        [1, 1],
        [3, 3],
        [4, 7],
    ]


def test_break_leaves_its_own_label():
    assert every("label $out | 1, break $out, 2") == [1]
    assert every("[label $a | (label $b | 1, break $a), 2], 3") == [[1], 3]
    assert every(
        "label $out | foreach .[] as $x (0; . + $x; if . > 3 then ., break $out else . end)", [1, 2, 3, 4]
    ) == [
        1,
        3,
        6,
    ]
    assert every("def f(g): label $x | g, 5; [label $x | f(break $x), 6]") == [[]]
    assert every("def f: label $x | 1, break $x, 2; [f, f]") == [[1, 1]]
    assert every('[label $x | try (break $x) catch "not caught"], 1') == [[], 1]


def test_functions_take_filters():
    assert one("def twice(f): f | f; 3 | twice(. * .)") == 81
    assert every("def f(g; h): [g, h]; f(1, 2; .)", 7) == [[1, 2, 7]]
    assert every("def each(f): .[] | f; [each(. + 1)]", [1, 2]) == [[2, 3]]


def test_functions_take_values():
    assert every("def f($a; $b): $a + $b; [f(1, 2; 10, 20)]") == [[11, 21, 12, 22]]
    assert every("def f($a): $a, a; [f(1, 2)]") == [[1, 1, 2, 2, 1, 2]]
    assert one("def f($x): $x | x; 1 | f(. + 1)") == 3


def test_functions_see_what_is_around_their_definition():
    assert one("1 as $x | def f: $x; 2 as $x | [f, $x]") == [1, 2]
    assert one("def f(a): def g(b): a + b; g(10); f(1)") == 11
    assert one("def f(g): 1 as $y | g; 2 as $y | f($y)") == 2
    assert one("def f: 1; def g: f + 1; def f: 10; [f, g]") == [10, 2]
    assert one("def f: 1; def f(a): 2 + a; [f, f(f)]") == [1, 3]
    assert one('def map(f): "own"; [1] | map(.)') == "own"


def test_functions_call_themselves():
    assert (
        one("def fac: if . <= 1 then 1 else . * (. - 1 | fac) end; 30 | fac")
        == 265252859812191058636308480000000
    )
    assert one("def fib: if . < 2 then . else (. - 1 | fib) + (. - 2 | fib) end; 15 | fib") == 610
    assert every("def down: ., (select(. > 0) | . - 1 | down); 3 | down") == [3, 2, 1, 0]
    assert one("def f($n; g): if $n == 0 then g else f($n - 1; g | . + $n) end; 0 | f(4; .)") == 10
    assert (
        one('def depth: if type == "array" then 1 + (map(depth) | max // 0) else 0 end; depth', [[[]], 1])
        == 3
    )
    assert every("def f: def g: if . > 2 then . else . + 1 | f end; g; 0 | f") == [3]


def test_filters_are_paths_where_paths_are_asked_for():
    assert one("def f(g): g |= . + 1; f(.a, .b[])", {"a": 1, "b": [2, 3]}) == {"a": 2, "b": [3, 4]}
    assert every("def both(f; g): f, g; path(both(.a; .b | .c))", {}) == [["a"], ["b", "c"]]
    assert every("def down: .a | select(. != null) | ., down; [path(down)]", {"a": {"a": {}}}) == [
        [["a"], ["a", "a"]]
    ]
