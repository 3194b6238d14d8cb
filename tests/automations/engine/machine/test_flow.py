"""Tasks that steer, and the rulings about them (F1 to F9, D5 to D12)."""

import pytest

from automations.engine.errors import DefinitionRefused
from tests.support.driving import drive, program

pytestmark = pytest.mark.parametrize("crash", [False, True], ids=["straight", "crashing"])


def test_tasks_run_in_order_and_set_replaces_the_data(crash):
    run = drive("- a: {set: {x: 1, y: 2}}\n- b: {set: {z: '${ .x + .y }'}}", crash=crash)
    assert (run.status, run.output, run.order) == ("completed", {"z": 3}, ["a", "b"])


def test_a_skipped_task_passes_its_input_on_and_its_then_does_not_count(crash):
    run = drive(
        "- a: {if: .no, set: {x: 1}, then: end}\n- b: {set: '${ . + {b: true} }'}", {"no": False}, crash=crash
    )
    assert run.output == {"no": False, "b": True}
    assert [step["s"] for step in run.steps] == ["skipped", "completed"]


def test_then_may_go_back_and_end_ends_the_run(crash):
    run = drive(
        """
- count: {set: '${ {n: ((.n // 0) + 1)} }'}
- again:
    switch:
      - more: {when: .n < 3, then: count}
      - enough: {then: end}
- never: {set: {n: -1}}
""",
        crash=crash,
    )
    assert run.output == {"n": 3}


def test_switch_without_a_match_goes_where_the_task_says(crash):
    run = drive(
        "- s: {switch: [{x: {when: .no, then: end}}], then: last}\n- a: {set: {a: 1}}\n- last: {set: {l: 1}}",
        crash=crash,
    )
    assert run.order == ["s", "last"]


def test_the_default_case_counts_only_when_no_other_holds(crash):
    text = "- s: {switch: [{d: {then: a}}, {x: {when: .yes, then: b}}]}\n- a: {set: {v: a}, then: end}\n- b: {set: {v: b}}"
    assert drive(text, {"yes": True}, crash=crash).output == {"v": "b"}
    assert drive(text, {}, crash=crash).output == {"v": "a"}


def test_exit_leaves_the_list_and_end_the_run(crash):
    inner = "- outer: {{do: [{{a: {{set: {{v: 1}}, then: {then}}}}}, {{b: {{set: {{v: 2}}}}}}]}}\n- after: {{set: '${{ .v + 10 }}'}}"
    assert drive(inner.format(then="exit"), crash=crash).output == 11
    assert drive(inner.format(then="end"), crash=crash).output == {"v": 1}
    assert drive(inner.format(then="continue"), crash=crash).output == 12


def test_for_passes_what_one_iteration_gives_to_the_next(crash):
    run = drive(
        "- l: {for: {in: .items}, do: [{add: {set: '${ {sum: ((.sum // 0) + $item), last: $index} }'}}]}",
        {"items": [1, 2, 3]},
        crash=crash,
    )
    assert run.output == {"sum": 6, "last": 2}


def test_for_over_nothing_gives_its_input(crash):
    assert drive("- l: {for: {in: .items}, do: [{a: {set: {x: 1}}}]}", {"items": []}, crash=crash).output == {
        "items": []
    }
    assert drive("- l: {for: {in: .none}, do: [{a: {set: {x: 1}}}]}", {"a": 1}, crash=crash).output == {
        "a": 1
    }


def test_for_evaluates_its_items_once(crash):
    run = drive(
        "- l: {for: {each: n, in: .items}, do: [{a: {set: '${ {items: (.items + [$n * 10])} }'}}]}",
        {"items": [1, 2]},
        crash=crash,
    )
    assert run.output == {"items": [1, 2, 10, 20]}


def test_while_is_looked_at_before_each_iteration(crash):
    run = drive(
        "- l: {for: {in: '[1,2,3,4]'}, while: '(.n // 0) < 2', do: [{a: {set: '${ {n: ((.n // 0) + 1)} }'}}]}",
        crash=crash,
    )
    assert run.output == {"n": 2}


def test_exit_inside_a_for_ends_the_iteration(crash):
    run = drive(
        "- l: {for: {in: '[1,2,3]'}, do: [{s: {switch: [{odd: {when: $item % 2 == 1, then: exit}}]}}, {a: {set: '${ {even: $item} }'}}]}",
        crash=crash,
    )
    assert run.output == {"even": 2}


def test_nested_loops_see_their_own_variables_again(crash):
    run = drive(
        """
- outer:
    for: {each: a, in: '[1,2]'}
    do:
      - inner: {for: {each: b, in: '["x","y"]'}, do: [{n: {set: '${ {seen: ((.seen // []) + ["\\($a)\\($b)"])} }'}}]}
      - after: {set: '${ {seen: (.seen + ["\\($a)."])} }'}
""",
        crash=crash,
    )
    assert run.output == {"seen": ["1x", "1y", "1.", "2x", "2y", "2."]}


def test_input_from_is_what_the_body_sees_and_export_replaces_the_context(crash):
    run = drive(
        """
- a: {input: {from: .deep}, set: '${ {got: ., same: ($input == .)} }', export: {as: '{kept: .got.v}'}}
- b: {set: '${ {was: $context} }'}
""",
        {"deep": {"v": 1}},
        crash=crash,
    )
    assert run.output == {"was": {"kept": 1}}


def test_output_as_may_be_a_template(crash):
    run = drive("- a: {set: {v: 2}, output: {as: {twice: '${ .v * 2 }', text: plain}}}", crash=crash)
    assert run.output == {"twice": 4, "text": "plain"}


def test_data_that_comes_in_is_never_evaluated(crash):
    run = drive("- a: {set: '${ . }'}", {"note": "${ 1 + 1 }"}, crash=crash)
    assert run.output == {"note": "${ 1 + 1 }"}


def test_big_integers_survive(crash):
    run = drive("- a: {set: {n: '${ .n }'}}", {"n": 12345678901234567890123}, crash=False)
    assert run.output == {"n": 12345678901234567890123}


def test_no_result_and_two_results_are_errors(crash):
    for source in ("empty", "1, 2"):
        run = drive(f"- a: {{set: {{x: '${{ {source} }}'}}}}", crash=crash)
        assert (run.status, run.error["type"].rsplit("/", 1)[-1]) == ("suspended", "expression")


def test_only_null_and_false_are_false(crash):
    for value, taken in ((0, True), ("", True), ([], True), (None, False), (False, False)):
        run = drive("- a: {if: .v, set: {ran: true}}", {"v": value}, crash=crash)
        assert (run.output == {"ran": True}) is taken


def test_an_input_that_breaks_the_schema_fails_with_its_place(crash):
    text = """
document: {dsl: 1.0.3, namespace: t, name: t, version: 1.0.0}
input: {schema: {document: {type: object, required: [id], properties: {id: {type: string}}}}}
do: [{a: {set: {x: 1}}}]
"""
    run = drive(text, {"id": 7}, crash=crash)
    assert (run.status, run.error["status"], run.error["instance"]) == ("faulted", 400, "/input")


def test_a_task_with_a_broken_output_schema_waits_for_a_person(crash):
    run = drive(
        "- a: {set: {n: x}, output: {schema: {document: {properties: {n: {type: integer}}}}}}", crash=crash
    )
    assert (run.status, run.error["type"].rsplit("/", 1)[-1]) == ("suspended", "validation")


def test_raise_gives_the_error_and_where_it_was_raised(crash):
    run = drive(
        "- a: {raise: {error: {type: 'https://x/e', status: 418, title: T, detail: '${ \"no \\(.what)\" }'}}}",
        {"what": "tea"},
        crash=crash,
    )
    assert run.error == {
        "type": "https://x/e",
        "status": 418,
        "title": "T",
        "detail": "no tea",
        "instance": "/do/0/a",
    }


def test_functions_of_the_document_see_their_arguments_alone(crash):
    text = """
document: {dsl: 1.0.3, namespace: t, name: t, version: 1.0.0}
use: {functions: {double: {set: '${ {n: (.n * 2)} }'}}}
do:
  - a: {call: double, with: {n: '${ .start }'}}
  - b: {call: double}
"""
    assert drive(text, {"start": 3}, crash=crash).output == {"n": 12}


def test_a_function_that_calls_itself_is_refused(crash):
    text = """
document: {dsl: 1.0.3, namespace: t, name: t, version: 1.0.0}
use: {functions: {again: {call: again}}}
do: [{a: {call: again}}]
"""
    with pytest.raises(DefinitionRefused, match="calls itself"):
        program(text)
