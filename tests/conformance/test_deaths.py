"""Every kind of task, in a process that dies at each yield point: what becomes of the run is always the same."""

from typing import Any

import pytest

from automations.engine.machine.moves import Effect, Outcome
from tests.conformance.dying import Happening, Mortal
from tests.support.driving import program

CALL = "{call: http, with: {method: %s, endpoint: 'https://shop.example/%s', body: '${ . }'}}"


class Shop:
    """Answers by path, and keeps what was changed by key: a call that is repeated changes nothing more."""

    def __init__(self) -> None:
        self.changed: dict[str, Any] = {}

    def __call__(self, effect: Effect) -> Outcome:
        path = effect.request["uri"].rsplit("/", 1)[-1]
        if path == "refuse":
            return Outcome(422, {}, {"message": "no"})
        if path == "flaky" and effect.key.endswith(":0"):
            return Outcome(503, {"retry-after": "5"}, None)
        if effect.request["method"] == "POST":
            self.changed.setdefault(effect.key, effect.request.get("body"))
        return Outcome(200, {}, {"path": path, "changes": len(self.changed)})


def decided(facts: list[Any]) -> dict[str, Any]:
    asked = next(fact for fact in facts if fact.type == "portal.case.requested")
    return {"key": asked.data["key"], "decision": "resolve", "by": "Jess", "value": 7}


KINDS: dict[str, tuple[str, Any, list[Happening]]] = {
    "set, switch, do, for, raise, try": (
        """
- count: {set: {n: 0}, export: {as: '{seen: .n}'}}
- loop: {for: {each: x, in: '[1, 2, 3]'}, while: .n < 4, do: [{add: {set: '${ {n: (.n + $x)} }'}}]}
- way: {switch: [{big: {when: .n > 2, then: caught}}, {other: {then: end}}]}
- never: {set: {n: -1}}
- caught:
    try: [{bad: {raise: {error: {type: 'https://shop.example/late', status: 409, title: Late}}}}]
    catch: {as: e, do: [{keep: {do: [{in: {set: {status: '${ $e.status }', seen: '${ $context.seen }'}}}]}}]}
""",
        {},
        [],
    ),
    "wait and calls that change something": (
        (
            f"- first: {CALL % ('post', 'first')}\n- pause: {{wait: PT1H}}\n- second: {CALL % ('post', 'second')}\n"
            f"- last: {CALL % ('get', 'read')}"
        ),
        {"order": 1},
        [],
    ),
    "retry": (
        (
            f"- t: {{try: [{{a: {CALL % ('post', 'flaky')}}}, {{b: {CALL % ('post', 'b')}}}],"
            " catch: {errors: {with: {status: 503}}, retry: {delay: PT1S, limit: {attempt: {count: 3}}}}}"
        ),
        {},
        [],
    ),
    "an error that nobody catches": (
        f"- a: {CALL % ('post', 'a')}\n- b: {CALL % ('post', 'refuse')}",
        {},
        [],
    ),
    "fork": (
        (
            f"- f: {{fork: {{branches: [{{a: {CALL % ('post', 'a')}}}, {{b: {{do: [{{w: {{wait: PT5S}}}},"
            f" {{c: {CALL % ('post', 'c')}}}]}}}}, {{d: {{set: {{x: 1}}}}}}]}}}}"
        ),
        {},
        [],
    ),
    "fork, competing": (
        "- f: {fork: {compete: true, branches: [{a: {wait: PT5S}}, {b: {do: [{w: {wait: PT2S}}, {c: {set: {x: 1}}}]}}]}}",
        {},
        [],
    ),
    "emit and listen": (
        """
- say: {emit: {event: {with: {type: order.seen, data: '${ . }'}}}}
- hear: {listen: {to: {any: [{with: {type: order.paid}}], until: '(. | length) > 1'}}}
- both: {listen: {to: {all: [{with: {type: a.b}}, {with: {type: c.d}}]}, read: envelope}}
""",
        {"id": 1},
        [
            Happening(1.0, "order.paid", 1),
            Happening(2.0, "order.paid", 2),
            Happening(3.0, "c.d", 3),
            Happening(4.0, "a.b", 4),
        ],
    ),
    "listen, foreach": (
        (
            "- hear: {listen: {to: {any: [{with: {type: line}}], until: {one: {with: {type: done}}}}},"
            f" foreach: {{item: line, do: [{{p: {CALL % ('post', 'p')}}}, {{s: {{set: '${{ $line }}'}}}}]}}}}"
        ),
        {},
        [Happening(1.0, "line", 1), Happening(2.0, "line", 2), Happening(3.0, "done")],
    ),
    "a timeout": (
        (
            "- t: {try: [{hear: {listen: {to: {one: {with: {type: never}}}}, timeout: {after: PT1M}}}],"
            " catch: {errors: {with: {status: 408}}, do: [{late: {set: {late: true}}}]}}"
        ),
        {},
        [],
    ),
    "a function and a workflow": (
        (
            "- sub: {run: {workflow: {namespace: t, name: other, version: 1.0.0, input: {x: '${ .x }'}}}}\n"
            f"- then: {CALL % ('post', 'then')}"
        ),
        {"x": 5},
        [],
    ),
    "map": (
        (
            "- lines: {call: 'map:1@default', with: {in: .lines, each: line, do: [{p: "
            f"{CALL % ('post', 'p')}}}, {{s: {{set: {{line: '${{ $line }}', at: '${{ $index }}'}}}}}}]}}}}\n- end: {CALL % ('get', 'end')}"
        ),
        {"lines": ["a", "b", "c"]},
        [],
    ),
    "a person": (
        f"- ask: {{call: 'humanTask:1@default', with: {{title: Refund}}}}\n- pay: {CALL % ('post', 'pay')}",
        {},
        [Happening(60.0, "portal.case.decided", decided)],
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_death_changes_nothing(kind):
    text, given, events = KINDS[kind]
    made = program(text)
    shop = Shop()
    straight = Mortal(made, given, shop, events=events)
    wanted, changed = straight.live(), shop.changed
    assert wanted.status in ("completed", "suspended"), wanted
    for point in range(straight.points):
        shop = Shop()
        mortal = Mortal(made, given, shop, frozenset({point}), events)
        assert (mortal.live(), mortal.died) == (wanted, 1), f"died at yield point {point}"
        assert shop.changed == changed, f"died at yield point {point}"
    shop = Shop()
    often = Mortal(made, given, shop, frozenset(range(0, 4 * straight.points, 3)), events)
    assert (often.live(), shop.changed) == (wanted, changed)
    assert often.died >= 2 or straight.points < 6
