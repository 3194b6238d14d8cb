"""A34, A35: expressions that never end, or that grow. Whatever an author writes, it ends: within 250 ms of processor time and 64 MB, with a result or an error of ours."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from automations.engine.dsl import jq
from tests.automations.engine.dsl.jq.evaluating import failure, one

ROOT = Path(__file__).parents[2]
SECONDS = 0.25
BYTES = 64_000_000


@pytest.fixture(scope="module")
def measured():
    done = subprocess.run(
        [sys.executable, "-m", "tests.automations.engine.dsl.jq.hostile"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_there_are_enough_of_them(measured):
    assert len(measured) > 500


def test_each_ends_in_a_result_or_an_error_of_ours(measured):
    assert [case for case in measured if case["outcome"] not in ("result", "refused", "failed")] == []


def test_each_ends_within_250_ms_of_processor_time(measured):
    assert [case for case in measured if case["seconds"] > SECONDS] == []


def test_each_takes_less_than_64_mb(measured):
    assert [case for case in measured if case["bytes"] > BYTES] == []


@pytest.mark.parametrize(
    "source",
    [
        'try ("x" * 1e9) catch "caught"',
        "(range(1e9) | empty)?",
        "first(try repeat(empty) catch 1)",
        "[range(1e9)] // 1",
    ],
)
def test_a_program_cannot_catch_the_end_of_its_budget(source):
    with pytest.raises(jq.ExpressionError, match=r"takes too many steps|makes too much data"):
        jq.compile(source, set()).all(None, {})


def test_the_budget_is_the_callers_to_set():
    source = jq.compile("[range(100)] | length", set())
    assert source.one(None, {}, jq.Fuel(steps=1_000)) == 100
    with pytest.raises(jq.ExpressionError, match="takes too many steps"):
        source.one(None, {}, jq.Fuel(steps=50))
    with pytest.raises(jq.ExpressionError, match="makes too much data"):
        jq.compile('"x" * 100', set()).one(None, {}, jq.Fuel(size=120))
    with pytest.raises(jq.ExpressionError, match="has too many results"):
        jq.compile("range(11)", set()).all(None, {}, jq.Fuel(outputs=10))


def test_each_evaluation_starts_with_a_full_budget():
    expression = jq.compile("[range(50000)] | length", set())
    assert [expression.one(None, {}) for _ in range(5)] == [50_000] * 5


def test_a_result_that_would_be_too_big_as_text_does_not_leave():
    assert failure('[limit(100; repeat("x" * 1e6))]') == "the expression makes too much data"


def test_a_result_that_nests_too_deeply_does_not_leave():
    assert failure("reduce range(300) as $i (null; [.])") == "the expression recurses or nests too deeply"


def test_recursion_goes_some_hundred_levels_deep_and_no_further():
    count_down = 'def down: if . > 0 then . - 1 | down else "there" end; down'
    assert one(count_down, 150) == "there"
    assert failure(count_down, 5_000) == "the expression recurses or nests too deeply"


def test_loops_of_the_language_go_deeper_than_functions_that_call_themselves():
    assert one("until(. >= 20000; . + 1)", 0) == 20_000
    assert one("[recurse(if . < 3000 then . + 1 else empty end)] | length", 0) == 3_001
    assert one("last(limit(5000; range(1; infinite)))") == 5_000


def test_reduce_that_only_writes_does_not_copy_what_it_builds():
    assert one('reduce range(10000) as $i ({}; ."\\($i)" = $i) | length') == 10_000
    assert one("reduce range(10000) as $i ([]; . + [$i]) | length") == 10_000
    assert (
        one('reduce range(10000) as $i ({}; .sums[$i % 10 | tostring] += $i | .last = $i) | .sums["3"]')
        == 4_998_000
    )


def test_compiling_needs_few_frames_of_the_stack():
    source = "{a:" * 60 + "1" + "}" * 60
    limit = sys.getrecursionlimit()
    depth, frame = 0, sys._getframe()
    while frame:
        depth, frame = depth + 1, frame.f_back
    sys.setrecursionlimit(depth + 500)
    try:
        jq.compile(source, set())
    finally:
        sys.setrecursionlimit(limit)
