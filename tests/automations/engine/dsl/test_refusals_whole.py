"""No refusal without a sample: every place of the compiler that finds something wrong is reached by one."""

import ast
import sys
from pathlib import Path

import pytest

from automations.engine.dsl.builder import Builder
from automations.engine.errors import DefinitionRefused
from tests.automations.engine.dsl import test_openapi, test_refusals, test_timing
from tests.automations.engine.dsl.test_refusals import DO, HEAD
from tests.conformance import profile
from tests.support.driving import program

FOLDER = Path(sys.modules[Builder.__module__].__file__ or "").parent
FORK = ", ".join(f"{{b{number}: {{set: {{x: 1}}}}}}" for number in range(65))
BY_E = "do: [{a: {call: http, with: {method: get, endpoint: {uri: /x, authentication: {use: e}}}}}]"
GET = "call: http, with: {method: get, endpoint: 'https://a.b'"

MORE_TASKS = [
    ("[]", "structure", ""),
    ("{set: 7}", "structure", "/set"),
    ("{set: {x: 1}, metadata: [1]}", "structure", "/metadata"),
    ("{set: {x: 1}, if: 7}", "expression", "/if"),
    ("{set: {x: 1}, then: 7}", "then-target", "/then"),
    ("{call: 7}", "structure", "/call"),
    ("{call: http, with: []}", "structure", "/with"),
    (f"{{{GET}, output: loud}}}}", "structure", "/with/output"),
    (f"{{{GET}}}, metadata: {{effect: maybe}}}}", "structure", "/metadata/effect"),
    ("{for: {in: .x, each: 'my item'}, do: [{b: {set: {c: 1}}}]}", "structure", "/for/each"),
    ("{for: {in: .x, at: input}, do: [{b: {set: {c: 1}}}]}", "structure", "/for/at"),
    ("{try: [{b: {set: {c: 1}}}], catch: {as: 7}}", "structure", "/catch/as"),
    ("{try: [{b: {set: {c: 1}}}], catch: {do: [], errors: {with: {type: '${ .x }'}}}}", "static-filter", "/catch/errors/with/type"),
    (
        "{try: [{b: {set: {c: 1}}}], catch: {retry: {limit: {attempt: {count: -1}}}}}",
        "structure",
        "/catch/retry/limit/attempt/count",
    ),
    (
        "{try: [{b: {set: {c: 1}}}], catch: {retry: {limit: {attempt: {count: 1}}, backoff: {cubic: {}}}}}",
        "structure",
        "/catch/retry/backoff",
    ),
    ("{switch: [{a: {when: .x}, b: {}}]}", "structure", "/switch/0"),
    (f"{{fork: {{branches: [{FORK}]}}}}", "limit", "/fork/branches"),
    ("{emit: {event: {with: {type: '${ .x }'}}}}", "structure", "/emit/event/with/type"),
    ("{listen: {to: {one: {with: {type: a}}, until: .x}}}", "structure", "/listen/to/until"),
    ("{listen: {to: {one: {with: {type: a}}, any: []}}}", "structure", "/listen/to"),
    ("{listen: {to: {any: {with: {type: a}}}}}", "structure", "/listen/to/any"),
    ("{run: {workflow: {name: b, version: 1.0.0}, return: stdout}}", "structure", "/run/return"),
    ("{run: {workflow: {name: t, version: 1.0.0}}}", "recursion", "/run/workflow"),
    ("{call: 'decide:1@default', with: {table: '${ .t }', input: {}}}", "structure", "/with/table"),
    ("{call: 'map:1@default', with: {do: [{b: {set: {c: 1}}}]}}", "structure", "/with/in"),
    ("{call: 'map:1@default', with: {in: .x, concurrency: 0, do: [{b: {set: {c: 1}}}]}}", "limit", "/with/concurrency"),
    ("{call: 'map:1@default', with: {in: .x, failures: drop, do: [{b: {set: {c: 1}}}]}}", "structure", "/with/failures"),
    ("{call: 'map:1@default', with: {in: .x, enough: 0, do: [{b: {set: {c: 1}}}]}}", "structure", "/with/enough"),
    (
        "{call: http, with: {method: get, endpoint: {uri: 'https://a.b', authentication: {certificate: {use: c}}}}}",
        "structure",
        "/with/endpoint/authentication",
    ),
    ("{set: {x: 1}, input: {schema: {resource: {endpoint: '/order.json'}}}}", "structure", "/input/schema/resource/endpoint"),
]  # fmt: skip

MORE_DOCUMENTS = [
    (f"{HEAD}\nuse: [x]\n{DO}", "structure", "/use"),
    (f"{HEAD}\nuse: {{secrets: erp}}\n{DO}", "structure", "/use/secrets"),
    (f"{HEAD}\nuse: {{functions: {{'f@default': {{set: {{x: 1}}}}}}}}\n{DO}", "refused-catalog", "/use/functions/f@default"),
    (f"{HEAD}\ndo: [7]", "structure", "/do/0"),
    (f"{HEAD}\nschedule: {{every: PT1M, read: data}}\n{DO}", "unknown-key", "/schedule/read"),
    (f"{HEAD}\nschedule: {{on: {{one: {{with: {{type: a}}}}}}, read: loudly}}\n{DO}", "structure", "/schedule/read"),
    (f"{HEAD}\nschedule: {{on: {{any: [{{with: {{type: a}}}}], until: .x}}}}\n{DO}", "unknown-key", "/schedule/on/until"),
    (f"{HEAD}\nschedule: {{on: {{one: {{with: {{type: a, data: '${{ $input.x }}'}}}}}}}}\n{DO}", "expression", "/schedule/on/one/with/data"),
    (
        f"{HEAD}\nuse: {{secrets: [shop], authentications: {{e: {{bearer: {{use: erp}}}}}}}}\n{BY_E}",
        "unknown-reference",
        "/use/authentications/e/bearer/use",
    ),
]  # fmt: skip


def findings(text: str, **options: object) -> list[tuple[str, str]]:
    with pytest.raises(DefinitionRefused) as refused:
        program(text, **options)
    assert all(len(one.message.split()) > 3 for one in refused.value.findings)
    return [(one.rule, one.pointer) for one in refused.value.findings]


@pytest.mark.parametrize(("task", "rule", "pointer"), MORE_TASKS)
def test_a_task_that_is_refused(task, rule, pointer):
    assert (rule, f"/do/0/a{pointer}") in findings(f"{HEAD}\ndo: [{{a: {task}}}]")


@pytest.mark.parametrize(("text", "rule", "pointer"), MORE_DOCUMENTS)
def test_a_document_that_is_refused(text, rule, pointer):
    assert (rule, pointer) in findings(text)


def samples() -> list[tuple[str, dict[str, object]]]:
    """Everything that the tests of this folder, and those of the profile, know to be refused."""
    tasks = [f"{HEAD}\ndo: [{{a: {task}}}]" for task, _, _ in (*test_refusals.TASKS, *MORE_TASKS)]
    deep = "{set: {x: 1}}"
    for _ in range(33):
        deep = f"{{do: [{{a: {deep}}}]}}"
    timed = [
        f"document: {{dsl: 1.0.3, namespace: t, name: t, version: 1.0.0, metadata: {{schedule: {options}}}}}\n"
        f"schedule: {schedule}\n{DO}"
        for schedule, options, _ in test_timing.REFUSED
    ]
    plain = [
        *tasks,
        *timed,
        *(text for text, _, _ in (*test_refusals.DOCUMENTS, *MORE_DOCUMENTS)),
        *(profile.HEAD + sample for _, sample in profile.REFUSED.values()),
        f"{HEAD}\ndo: [{{a: {deep}}}]",
    ]
    address, document = test_openapi.ADDRESS, test_openapi.DOCUMENT
    calls = [
        f"- a: {{call: openapi, with: {{document: {{endpoint: '{address}'}}, {inner}}}}}"
        for inner in (inner for inner, _, _ in test_openapi.REFUSED)
    ]
    return [
        *((text, {}) for text in plain),
        *((text, {"resources": {address: document}}) for text in calls),
        (calls[0], {"resources": {}}),
    ]


def places() -> set[tuple[str, int]]:
    """File and line of every call of `find` where workflows are compiled; decision tables have a test of their own."""
    found = set()
    for file in FOLDER.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "find"
                and ast.unparse(node.func.value) in ("build", "self", "self.build", "self._build")
                and file.name != "tables.py"
            ):
                found.add((file.name, node.lineno))
    return found


def test_every_place_that_refuses_is_reached_by_a_sample(monkeypatch):
    reached = set()
    find = Builder.find

    def noting(self: Builder, rule: str, pointer: str, message: str) -> None:
        frame = sys._getframe(1)
        reached.add((Path(frame.f_code.co_filename).name, frame.f_lineno))
        find(self, rule, pointer, message)

    monkeypatch.setattr(Builder, "find", noting)
    for text, options in samples():
        with pytest.raises(DefinitionRefused):
            program(text, **options)
    wanted = places()
    assert len(wanted) > 80
    missing = sorted(wanted - reached)
    assert missing == []
