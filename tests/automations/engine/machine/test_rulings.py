"""Where the standard is ambiguous: what this engine does, one test a ruling that has none elsewhere."""

from typing import Any

import pytest

from automations.engine.errors import DefinitionRefused
from automations.engine.machine import core, interpreter, operating
from automations.engine.machine.moves import Outcome
from tests.support.driving import World, drive, program

HEAD = "document: {dsl: 1.0.3, namespace: t, name: t, version: 1.0.0}\n"


def refused(text: str) -> list[tuple[str, str]]:
    with pytest.raises(DefinitionRefused) as found:
        program(text)
    return [(one.rule, one.pointer) for one in found.value.findings]


# errors


def test_e2_the_instance_is_where_it_was_raised_whatever_the_workflow_says():
    run = drive("- a: {do: [{b: {raise: {error: {type: x, status: 400, instance: /elsewhere}}}}]}")
    assert run.error["instance"] == "/do/0/a/do/0/b"


@pytest.mark.parametrize("field", ["detail", "details"])
def test_e3_detail_and_details_are_one_filter(field):
    text = (
        "- t: {try: [{a: {raise: {error: {type: x, status: 400, detail: late}}}}],"
        f" catch: {{errors: {{with: {{{field}: late}}}}, do: [{{h: {{set: {{caught: true}}}}}}]}}}}"
    )
    assert drive(text).output == {"caught": True}


def test_e4_an_error_filter_is_static():
    text = "- t: {try: [{a: {set: {x: 1}}}], catch: {errors: {with: {type: '${ .kind }'}}}}"
    assert refused(text) == [("static-filter", "/do/0/t/catch/errors/with/type")]


# data


def test_d1_the_context_begins_as_an_empty_object():
    assert drive("- a: {set: {c: '${ $context }'}}", {"x": 1}).output == {"c": {}}


def test_d3_no_expression_reads_a_secret():
    text = f"{HEAD}use: {{secrets: [erp]}}\ndo: [{{a: {{set: {{x: '${{ $secrets.erp }}'}}}}}}]"
    assert refused(text) == [("secret-in-expression", "/do/0/a/set/x")]


def test_d3_a_policy_refers_to_a_declared_secret():
    text = (
        f"{HEAD}use: {{secrets: [shop], authentications: {{erp: {{bearer: {{use: erp}}}}}}}}\n"
        "do: [{a: {call: http, with: {method: get, endpoint: {uri: /x, authentication: {use: erp}}}}}]"
    )
    assert refused(text) == [("unknown-reference", "/use/authentications/erp/bearer/use")]
    assert program(text.replace("[shop]", "[shop, erp]")).connections == {"erp"}


def test_d7_fields_that_are_expressions_by_type_may_be_bare_and_data_may_not():
    bare = drive("- a: {if: .go, set: {x: .go}}", {"go": True})
    wrapped = drive("- a: {if: '${ .go }', set: {x: '${ .go }'}}", {"go": True})
    assert (bare.output, wrapped.output) == ({"x": ".go"}, {"x": True})


def test_the_workflows_own_input_filter_knows_no_context_and_no_input():
    for name in ("context", "input", "output", "task"):
        assert refused(f"{HEAD}input: {{from: ${name}}}\ndo: [{{a: {{set: {{x: 1}}}}}}]") == [
            ("expression", "/input/from")
        ]
    assert drive(
        f"{HEAD}input: {{from: '{{id: $workflow.input.x}}'}}\ndo: [{{a: {{set: '${{ . }}'}}}}]", {"x": 1}
    ).output == {"id": 1}


def test_the_output_is_known_to_export_alone():
    assert refused("- a: {set: {x: 1}, output: {as: $output}}") == [("expression", "/do/0/a/output/as")]
    text = "- a: {set: {x: 1}, output: {as: .x}, export: {as: '{o: $output, raw: .}'}}\n- b: {set: '${ $context }'}"
    assert drive(text).output == {"o": 1, "raw": 1}


def test_a_task_is_known_to_its_own_conditions_and_filters():
    text = """
- loop:
    for: {in: '[1, 2]'}
    while: $task.name == "loop"
    do: [{inner: {set: {name: '${ $task.name }', ref: '${ $task.reference }'}}}]
    output: {as: '. + {outer: $task.name}'}
"""
    assert drive(text).output == {"name": "inner", "ref": "/do/0/loop/do/0/inner", "outer": "loop"}


def test_the_order_of_filters_and_checks_around_a_task():
    text = """
- a:
    if: .raw
    input: {schema: {document: {required: [raw]}}, from: '{seen: .raw}'}
    set: {got: '${ .seen }', input: '${ $input.seen }'}
    output: {as: '{out: .got, from: $input.seen}', schema: {document: {required: [out]}}}
    export: {as: '{kept: $output.out}', schema: {document: {required: [kept]}}}
- b: {set: '${ . + $context }'}
"""
    assert drive(text, {"raw": 5}).output == {"out": 5, "from": 5, "kept": 5}
    assert (
        drive(text.replace("required: [kept]", "required: [gone]"), {"raw": 5})
        .error["detail"]
        .startswith("context")
    )


# flow


def test_f3_the_case_that_is_taken_wins_over_then_of_the_task():
    text = "- s: {switch: [{x: {when: .x, then: b}}], then: end}\n- a: {set: {v: a}}\n- b: {set: {v: b}}"
    assert drive(text, {"x": True}).output == {"v": "b"}
    assert drive(text, {"x": False}).output == {"x": False}


def test_f4_going_back_has_an_end(monkeypatch):
    monkeypatch.setattr(core, "MAX_JUMPS", 50)
    run = drive("- a: {set: {x: 1}}\n- b: {set: {x: 1}, then: a}")
    assert (run.status, "went back" in run.error["detail"]) == ("suspended", True)
    assert run.order.count("a") == 51


def test_f4_going_on_is_not_going_back(monkeypatch):
    monkeypatch.setattr(core, "MAX_JUMPS", 0)
    assert drive("- a: {set: {x: 1}, then: c}\n- b: {set: {x: 2}}\n- c: {set: '${ . }'}").output == {"x": 1}


def test_f13_the_delay_never_exceeds_an_hour():
    text = (
        "- t: {try: [{a: {raise: {error: {type: x, status: 503}}}}],"
        " catch: {retry: {delay: PT40M, backoff: {exponential: {}}, limit: {attempt: {count: 5}}}}}"
    )
    run = drive(text)
    for _ in range(5):
        run.at(run.run.strands["0"].pending["until"])
    assert [step["w"] for step in run.steps if step["s"] == "retrying"] == [2400, 3600, 3600, 3600, 3600]


def test_f14_time_spent_waiting_for_a_person_does_not_count():
    text = "- a: {do: [{b: {raise: {error: {type: x, status: 400}}}}, {w: {wait: PT30M}}], timeout: {after: PT1H}}"
    run = drive(text)
    run.run.now += 5 * 3600
    operating.resume(run.run, "skip", None, by="Jess", reason="")
    interpreter.advance(run.run)
    run.at(run.run.now + 1800)
    assert run.status == "completed"


def test_fork_has_at_most_sixty_four_branches():
    branches = ", ".join(f"{{b{n}: {{set: {{x: 1}}}}}}" for n in range(65))
    assert ("limit", "/do/0/f/fork/branches") in refused(f"- f: {{fork: {{branches: [{branches}]}}}}")


def test_for_takes_at_most_ten_thousand_items():
    run = drive("- l: {for: {in: '[range(10001)]'}, do: [{a: {set: {x: 1}}}]}")
    assert "10001 items" in run.error["detail"]


# calls and the rest


def test_m3_places_of_an_address_are_single_values_percent_encoded():
    world = World([Outcome(200, {}, {})])
    drive(
        "- a: {call: http, with: {method: get, endpoint: 'https://x.example/{id}?q={q}&n={none}'}}",
        {"id": "a/b", "q": "ä &"},
        world=world,
    )
    assert world.seen[0].request["uri"] == "https://x.example/a%2Fb?q=%C3%A4%20%26&n="
    run = drive("- a: {call: http, with: {method: get, endpoint: 'https://x.example/{id}'}}", {"id": [1]})
    assert "no single value" in run.error["detail"]


@pytest.mark.parametrize("wait", ["{Minutes: 5}", "{minute: 5}", "P1Y", "P1M", "{seconds: -1}", "{}", "PT"])
def test_m5_durations_are_lower_case_and_have_a_fixed_length(wait):
    assert refused(f"- a: {{wait: {wait}}}") == [("duration", "/do/0/a/wait")]


def test_m6_evaluate_may_name_what_is_done_anyway():
    text = f"{HEAD}evaluate: {{language: jq, mode: strict}}\ndo: [{{a: {{set: {{x: 1}}}}}}]"
    assert drive(text).output == {"x": 1}


def test_m9_with_is_the_functions_input_and_without_it_the_callers():
    text = (
        f"{HEAD}use: {{functions: {{f: {{set: {{got: '${{ . }}'}}, export: {{as: '{{by: \"f\"}}'}}}}}}}}\n"
        "do: [{%s}, {c: {set: '${ . + $context }'}}]"
    )
    assert drive(text % "a: {input: {from: '{i: .x}'}, call: f}", {"x": 1}).output == {
        "got": {"i": 1},
        "by": "f",
    }
    given: Any = {"x": 1}
    assert drive(text % "a: {call: f, with: {w: '${ .x }'}}", given).output == {"got": {"w": 1}, "by": "f"}


def test_m10_the_default_catalog_cannot_be_overridden():
    text = f"{HEAD}use: {{functions: {{'case.open:1@default': {{set: {{x: 1}}}}}}}}\ndo: [{{a: {{set: {{x: 1}}}}}}]"
    assert refused(text) == [("refused-catalog", "/use/functions/case.open:1@default")]


def test_l10_what_starts_a_run_is_read_as_an_envelope_unless_the_document_says():
    on = "{on: {one: {with: {type: order.placed}}}%s}"
    body = "do: [{a: {set: {x: 1}}}]"
    assert program(f"{HEAD}schedule: {on % ''}\n{body}").start.read == "envelope"
    assert program(f"{HEAD}schedule: {on % ', read: data'}\n{body}").start.read == "data"


# what an author cannot do


def test_d4_a_task_is_described_by_its_definition_and_has_no_other_members():
    found = drive(
        "- a: {set: '${ {known: ($task | keys), set: $task.definition.set, call: $task.call} }'}"
    ).output
    assert {"definition", "input", "name", "reference", "startedAt"} <= set(found["known"])
    assert ("with" in found["known"], found["call"]) == (False, None)
    assert found["set"].startswith("${")


def test_d8_an_expression_in_the_middle_of_a_text_is_refused_with_what_to_write_instead():
    with pytest.raises(DefinitionRefused) as found:
        program("- a: {set: {x: 'Hello ${ .x }!'}}")
    (finding,) = found.value.findings
    assert (finding.rule, finding.pointer) == ("expression", "/do/0/a/set/x")
    assert '${ "… \\(.x) …" }' in finding.message
    assert drive("- a: {set: {x: '${ \"Hello \\(.x)!\" }'}}", {"x": "you"}).output == {"x": "Hello you!"}


def test_d9_loose_mode_is_refused():
    text = f"{HEAD}evaluate: {{language: jq, mode: loose}}\ndo: [{{a: {{set: {{x: 1}}}}}}]"
    assert refused(text) == [("refused-loose", "/evaluate/mode")]


def test_f5_a_branch_goes_to_no_sibling():
    text = "- f: {fork: {branches: [{b: {set: {c: 1}, then: d}}, {d: {set: {c: 1}}}]}}"
    assert refused(text) == [("then-target", "/do/0/f/fork/branches/0")]
    assert drive("- f: {fork: {branches: [{b: {set: {c: 1}, then: exit}}, {d: {set: {c: 2}}}]}}").output == [
        {"c": 1},
        {"c": 2},
    ]


def test_f15_every_name_is_there_once_and_every_way_leads_to_one():
    assert refused("- a: {set: {x: 1}, then: nowhere}") == [("then-target", "/do/0/a/then")]
    assert refused("- a: {set: {x: 1}}\n- a: {set: {x: 1}}") == [("duplicate-name", "/do/1/a")]
    inner = "- a: {do: [{b: {set: {x: 1}, then: c}}]}\n- c: {set: {x: 1}}"
    assert refused(inner) == [("then-target", "/do/0/a/do/0/b/then")]


# events


def test_l2_the_key_is_of_the_envelope_and_the_filter_of_the_data():
    text = (
        "- l: {listen: {to: {one: {with: {type: a, data: '${ .subject == \"in data\" }'},"
        " correlate: {k: {from: .subject, expect: '\"in envelope\"'}}}}}}"
    )
    run = drive(text)
    run.event(0, "a", {"subject": "in envelope"}, subject="in data")
    assert run.status == "running"
    run.event(0, "a", {"subject": "in data"}, subject="in envelope", at=1_000_001.0)
    assert run.output == [{"subject": "in data"}]


def test_l3_a_text_is_compared_as_it_stands_unless_it_is_a_whole_pattern():
    run = drive("- l: {listen: {to: {one: {with: {type: a, source: '/shops/.*'}}}}}")
    run.event(0, "a", 1, source="/shops/berlin")
    assert run.status == "running"
    run.event(0, "a", 2, source="/shops/.*", at=1_000_001.0)
    assert run.output == [2]


def test_l4_a_filter_that_gives_no_boolean_is_the_value_that_the_data_must_equal():
    for wanted in ("'${ 2 + 3 }'", "5"):
        run = drive(f"- l: {{listen: {{to: {{one: {{with: {{type: a, data: {wanted}}}}}}}}}}}")
        run.event(0, "a", 4)
        assert run.status == "running"
        run.event(0, "a", 5, at=1_000_001.0)
        assert run.output == [5]


# calls


def test_m1_a_redirect_that_is_not_followed_is_an_error():
    world = World([Outcome(302, {"location": "https://elsewhere.example/"}, "")])
    run = drive("- a: {call: http, with: {method: get, endpoint: 'https://x.example/'}}", world=world)
    assert (run.status, run.error["status"]) == ("suspended", 302)


def test_m7_a_workflow_is_run_in_a_version_that_is_named():
    text = "- a: {run: {workflow: {namespace: t, name: other, version: %s}}}"
    for version in ("latest", "''"):
        assert refused(text % version) == [("unpinned-version", "/do/0/a/run/workflow/version")]


def test_m8_and_t12_protocols_without_a_place_here_are_refused_with_the_way_to_take():
    for kind in ("grpc", "asyncapi", "a2a", "mcp"):
        with pytest.raises(DefinitionRefused) as found:
            program(f"- a: {{call: {kind}, with: {{}}}}")
        (finding,) = found.value.findings
        assert finding.rule == f"refused-call-{kind}"
        assert any(word in finding.message for word in ("by HTTP", "webhooks"))


# tasks


def test_t3_a_list_inside_a_task_has_ways_of_its_own():
    text = "- a: {do: [{b: {set: {x: 1}, then: exit}}, {c: {set: {x: 2}}}]}\n- d: {set: '${ . }'}"
    assert drive(text).output == {"x": 1}


def test_t9_what_a_workflow_says_comes_from_itself_unless_it_names_a_source_and_never_from_the_portal():
    run = drive("- e: {emit: {event: {with: {type: a.b}}}}")
    assert run.output["source"] == "/workflows/test"
    assert run.output["id"] == f"{run.run.id}-0"  # the same whenever it is said again
    given = drive("- e: {emit: {event: {with: {type: a.b, source: /shop}}}}")
    assert given.output["source"] == "/shop"
    assert refused("- e: {emit: {event: {with: {type: portal.run.suspended}}}}") == [
        ("reserved", "/do/0/e/emit/event/with/type")
    ]


def test_t14_nothing_runs_on_the_host():
    for kind, inner in (("shell", "command: ls"), ("script", "language: js"), ("container", "image: x")):
        assert refused(f"- a: {{run: {{{kind}: {{{inner}}}}}}}") == [
            (f"refused-run-{kind}", f"/do/0/a/run/{kind}")
        ]
