"""What is refused when a workflow is published: a rule, the place, and a sentence that says what to do instead."""

import pytest

from automations.engine.dsl.document import read
from automations.engine.errors import DefinitionRefused
from tests.support.driving import program

DO = "do: [{a: {set: {x: 1}}}]"
HEAD = "document: {dsl: 1.0.3, namespace: t, name: t, version: 1.0.0}"


def findings(text: str) -> list[tuple[str, str]]:
    """Rule and pointer of everything that is wrong."""
    with pytest.raises(DefinitionRefused) as refused:
        program(text)
    for finding in refused.value.findings:
        assert len(finding.message) > 15, finding
    return [(finding.rule, finding.pointer) for finding in refused.value.findings]


TASKS = [
    ("{run: {script: {language: js, code: '1'}}}", "refused-run-script", "/run/script"),
    ("{run: {shell: {command: ls}}}", "refused-run-shell", "/run/shell"),
    ("{run: {container: {image: x}}}", "refused-run-container", "/run/container"),
    (
        "{run: {workflow: {namespace: a, name: b, version: latest}}}",
        "unpinned-version",
        "/run/workflow/version",
    ),
    ("{call: grpc, with: {}}", "refused-call-grpc", "/call"),
    ("{call: asyncapi, with: {}}", "refused-call-asyncapi", "/call"),
    ("{call: mcp, with: {}}", "refused-call-mcp", "/call"),
    ("{call: a2a, with: {}}", "refused-call-a2a", "/call"),
    ("{call: htp, with: {}}", "unknown-function", "/call"),
    ("{call: 'https://example.com/f.yaml', with: {}}", "refused-function-url", "/call"),
    (
        "{call: openapi, with: {document: {endpoint: 'file:///a.json'}, operationId: x}}",
        "refused-file",
        "/with/document/endpoint",
    ),
    ("{call: openapi, with: {document: {endpoint: 'https://a.b/c'}}}", "structure", "/with/operationId"),
    ("{call: 'case.open:9@default', with: {}}", "unknown-function", "/call"),
    ("{call: 'case.open:1@default', with: {}}", "structure", "/with"),
    (
        "{call: http, with: {method: get, endpoint: 'file:///etc/passwd'}}",
        "refused-file",
        "/with/endpoint",
    ),
    ("{call: http, with: {method: get, endpoint: /orders}}", "relative-address", "/with/endpoint"),
    ("{call: http, with: {method: brew, endpoint: 'https://a.b'}}", "structure", "/with/method"),
    (
        "{call: http, with: {method: get, endpoint: 'https://a.b', headerz: {}}}",
        "unknown-key",
        "/with/headerz",
    ),
    (
        "{call: http, with: {method: get, endpoint: {uri: 'https://a.b', authentication: {basic: {username: a, password: b}}}}}",
        "inline-credentials",
        "/with/endpoint/authentication/basic",
    ),
    (
        "{call: http, with: {method: get, endpoint: {uri: 'https://a.b', authentication: {use: nobody}}}}",
        "unknown-reference",
        "/with/endpoint/authentication/use",
    ),
    ("{set: '${ .a ..b }'}", "expression", "/set"),
    ("{set: {a: 'Hello ${ .x }!'}}", "expression", "/set/a"),
    ("{set: {a: '${ $nothing }'}}", "expression", "/set/a"),
    ("{set: {}}", "structure", "/set"),
    ("{set: {a: 1}, if: '.a >'}", "expression", "/if"),
    ("{set: {a: 1}, then: nowhere}", "then-target", "/then"),
    ("{set: {a: 1}, sett: {}}", "unknown-key", "/sett"),
    ("{wait: {years: 1}}", "duration", "/wait"),
    ("{wait: P1M}", "duration", "/wait"),
    ("{set: {a: 1}, timeout: {after: soon}}", "duration", "/timeout/after"),
    ("{set: {a: 1}, timeout: nobody}", "unknown-reference", "/timeout"),
    (
        "{set: {a: 1}, input: {schema: {resource: {endpoint: 'file:///etc/s.json'}}}}",
        "refused-file",
        "/input/schema/resource/endpoint",
    ),
    (
        "{set: {a: 1}, input: {schema: {document: {$ref: 'https://a.b/s.json'}}}}",
        "refused-fetch",
        "/input/schema/document",
    ),
    ("{set: {a: 1}, input: {schema: {format: avro, document: {}}}}", "structure", "/input/schema/format"),
    (
        "{set: {a: 1}, input: {schema: {document: {type: nonsense}}}}",
        "structure",
        "/input/schema/document",
    ),
    ("{switch: [{a: {then: end}}, {b: {then: end}}]}", "structure", "/switch"),
    ("{switch: []}", "structure", "/switch"),
    ("{for: {each: x}, do: [{b: {set: {c: 1}}}]}", "structure", "/for/in"),
    ("{raise: {error: {type: t}}}", "structure", "/raise/error/status"),
    ("{raise: {error: nobody}}", "unknown-reference", "/raise/error"),
    ("{emit: {event: {with: {type: portal.run.faulted}}}}", "reserved", "/emit/event/with/type"),
    ("{emit: {event: {with: {type: a.b, 'Bad-Name': 1}}}}", "structure", "/emit/event/with/Bad-Name"),
    ("{listen: {to: {any: []}}}", "listen-to-all", "/listen/to/any"),
    ("{listen: {to: {one: {with: {source: a}}}}}", "structure", "/listen/to/one/with/type"),
    ("{listen: {to: {one: {with: {type: '${ .a }'}}}}}", "listen-to-all", "/listen/to/one/with/type"),
    ("{listen: {to: {one: {with: {type: a}}}, read: loudly}}", "structure", "/listen/read"),
    (
        "{try: [{b: {set: {c: 1}}}], catch: {retry: {delay: {seconds: 1}}}}",
        "unbounded-retry",
        "/catch/retry",
    ),
    ("{try: [{b: {set: {c: 1}}}], catch: {retry: nobody}}", "unknown-reference", "/catch/retry"),
    ("{fork: {branches: []}}", "structure", "/fork/branches"),
    (
        "{fork: {branches: [{b: {set: {c: 1}, then: d}}, {d: {set: {c: 1}}}]}}",
        "then-target",
        "/fork/branches/0",
    ),
    ("{do: []}", "structure", "/do"),
    ("{}", "structure", ""),
]


@pytest.mark.parametrize(("task", "rule", "pointer"), TASKS)
def test_a_task_that_is_refused(task, rule, pointer):
    found = findings(f"{HEAD}\ndo: [{{a: {task}}}]")
    assert (rule, f"/do/0/a{pointer}") in found, found


DOCUMENTS = [
    (
        f"document: {{dsl: 2.0.0, namespace: t, name: t, version: 1.0.0}}\n{DO}",
        "dsl-version",
        "/document/dsl",
    ),
    (f"document: {{dsl: 1.0.3, namespace: t, version: 1.0.0}}\n{DO}", "structure", "/document/name"),
    (f"{HEAD}\n{DO}\nevaluate: {{language: js}}", "refused-language", "/evaluate/language"),
    (f"{HEAD}\n{DO}\nevaluate: {{mode: loose}}", "refused-loose", "/evaluate/mode"),
    (
        f"{HEAD}\n{DO}\nuse: {{catalogs: {{c: {{endpoint: 'https://a.b'}}}}}}",
        "refused-catalog",
        "/use/catalogs",
    ),
    (
        f"{HEAD}\n{DO}\nuse: {{extensions: [{{e: {{extend: all}}}}]}}",
        "refused-extension",
        "/use/extensions",
    ),
    (f"{HEAD}\n{DO}\nusage: {{}}", "unknown-key", "/usage"),
    (f"{HEAD}", "structure", "/do"),
    (f"{HEAD}\ndo: [{{a: {{set: {{x: 1}}}}}}, {{a: {{set: {{x: 1}}}}}}]", "duplicate-name", "/do/1/a"),
    (f"{HEAD}\n{DO}\nschedule: {{cron: 'every day'}}", "structure", "/schedule/cron"),
    (f"{HEAD}\n{DO}\nschedule: {{}}", "structure", "/schedule"),
    (
        f"{HEAD}\n{DO}\nschedule: {{on: {{all: [{{with: {{type: a}}, correlate: {{k: {{from: .id}}}}}}, {{with: {{type: b}}}}]}}}}",
        "structure",
        "/schedule/on/all",
    ),
    (
        f"{HEAD}\ndo: [{{a: {{call: f}}}}]\nuse: {{functions: {{f: {{call: f}}}}}}",
        "recursion",
        "/do/0/a/function/0/f/call",
    ),
]


@pytest.mark.parametrize(("text", "rule", "pointer"), DOCUMENTS)
def test_a_document_that_is_refused(text, rule, pointer):
    assert (rule, pointer) in findings(text)


def test_every_mistake_is_told_at_once():
    found = findings(
        f"{HEAD}\ndo: [{{a: {{set: {{x: '${{ ( }}'}}, then: b}}}}, {{c: {{wait: x}}}}, {{c: {{call: nix}}}}]"
    )
    assert {rule for rule, _ in found} == {
        "expression",
        "then-target",
        "duration",
        "duplicate-name",
        "unknown-function",
    }


def test_nesting_has_an_end():
    inner = "{set: {x: 1}}"
    for _ in range(33):
        inner = f"{{do: [{{a: {inner}}}]}}"
    assert "limit" in {rule for rule, _ in findings(f"{HEAD}\ndo: [{{a: {inner}}}]")}


def test_a_program_knows_what_it_needs():
    made = program(
        """
document: {dsl: 1.0.3, namespace: t, name: needs, version: 1.2.3, title: Needs, metadata: {business: {key: .id}}}
use: {authentications: {erp: {bearer: {use: erp}}}}
do:
  - a: {call: http, with: {method: get, endpoint: {uri: '/a/{id}', authentication: {use: erp}}}}
  - b: {emit: {event: {with: {type: order.seen, data: '${ . }'}}}}
"""
    )
    assert (made.name, made.version, made.title) == ("needs", "1.2.3", "Needs")
    assert made.connections == {"erp"}
    assert made.emits == {"order.seen"}
    assert set(made.tasks) == {"/do/0/a", "/do/1/b"}


def test_a_document_is_kept_as_it_was_written():
    text = f"{HEAD}\n{DO}"
    assert program(text).document == read(text)
