"""The profile of the language, feature by feature: a sample of each, and whether publishing takes it."""

from dataclasses import dataclass
from typing import Final

from automations.engine.catalog import FUNCTIONS
from automations.engine.dsl.compile import compile_document
from automations.engine.dsl.document import read
from automations.engine.errors import DefinitionRefused

HEAD: Final = "document: {dsl: 1.0.3, namespace: profile, name: sample, version: 1.0.0}\n"
NOOP: Final = "do: [{a: {set: {x: 1}}}]\n"
ERP: Final = "use: {authentications: {erp: {%s: {use: erp}}}}\n"
CALL: Final = "{call: http, with: {method: get, endpoint: {uri: /orders, authentication: {use: erp}}}}"


def _task(text: str) -> str:
    return f"do: [{{a: {text}}}]\n"


def _listen(to: str, more: str = "") -> str:
    return _task(f"{{listen: {{to: {to}}}{more}}}")


_ONE: Final = "{with: {type: order.paid}}"
_KEYED: Final = "{with: {type: order.paid}, correlate: {order: {from: .subject, expect: .id}}}"

TAKEN: Final[dict[str, str]] = {
    "set": _task("{set: {x: '${ .y }'}}"),
    "set by expression": _task("{set: '${ .y }'}"),
    "switch": _task("{switch: [{b: {when: .x, then: end}}, {c: {then: exit}}]}"),
    "do": _task("{do: [{b: {set: {x: 1}}}]}"),
    "for": _task("{for: {each: line, in: .lines, at: n}, while: .go, do: [{b: {set: {x: 1}}}]}"),
    "fork": _task("{fork: {branches: [{b: {set: {x: 1}}}, {c: {set: {x: 2}}}]}}"),
    "fork compete": _task("{fork: {compete: true, branches: [{b: {set: {x: 1}}}, {c: {set: {x: 2}}}]}}"),
    "try, catch, retry": _task(
        "{try: [{b: {set: {x: 1}}}], catch: {errors: {with: {status: 503}}, as: e, when: '$e.status > 1',"
        " exceptWhen: .no, retry: {delay: PT1S, backoff: {exponential: {}}, jitter: {from: PT0S, to: PT1S},"
        " limit: {attempt: {count: 3, duration: PT5S}, duration: PT1M}}, do: [{c: {set: {x: 2}}}], then: end}}"
    ),
    "raise": _task("{raise: {error: {type: 'https://shop.example/late', status: 409, title: Late}}}"),
    "wait": _task("{wait: {minutes: 5}}"),
    "emit": _task("{emit: {event: {with: {type: order.seen, data: '${ . }'}}}}"),
    "listen to one": _listen(f"{{one: {_KEYED}}}", ", timeout: {after: PT1H}"),
    "listen to any": _listen(f"{{any: [{_ONE}]}}"),
    "listen to any until a condition": _listen(f"{{any: [{_ONE}], until: '(. | length) > 2'}}"),
    "listen to any until an event": _listen(f"{{any: [{_ONE}], until: {{one: {{with: {{type: x.y}}}}}}}}"),
    "listen to all": _listen(f"{{all: [{_ONE}, {_KEYED}]}}"),
    "listen, foreach": _listen(f"{{any: [{_ONE}]}}", ", foreach: {item: e, do: [{b: {set: {x: 1}}}]}"),
    "call http": ERP % "bearer" + _task(CALL),
    "call openapi": _task(
        "{call: openapi, with: {document: {endpoint: 'https://a.example/api.json'}, operationId: find}}"
    ),
    "call a function of the document": "use: {functions: {f: {set: {x: 1}}}}\n" + _task("{call: f}"),
    "call a function of the catalog": _task("{call: 'case.open:1@default', with: {kind: late, title: Late}}"),
    "call map (catalog)": _task(
        "{call: 'map:1@default', with: {in: .lines, each: line, concurrency: 20, failures: hold, enough: 3, do: [{b: {set: {x: 1}}}]}}"
    ),
    "call humanTask (catalog)": _task(
        "{call: 'humanTask:1@default', with: {title: Refund?, form: {type: object}}, timeout: {after: PT24H}}"
    ),
    "call decide (catalog)": _task(
        "{call: 'decide:1@default', with: {table: refund-limit, input: '${ . }'}}"
    ),
    "run workflow": _task(
        "{run: {workflow: {namespace: profile, name: other, version: 1.0.0, input: {x: 1}}}}"
    ),
    "if, input, output, export, timeout, then": _task(
        "{if: .x, input: {from: .x, schema: {document: {type: object}}}, set: {x: 1}, timeout: {after: PT1S},"
        " output: {as: .x, schema: {document: {type: number}}}, export: {as: '{x: .}', schema: {document: {}}}, then: end}"
    ),
    "schema from an address": _task(
        "{set: {x: 1}, output: {schema: {resource: {endpoint: 'https://a.example/schema.json'}}}}"
    ),
    "workflow input, output, timeout": "input: {from: .x}\noutput: {as: .x}\ntimeout: {after: PT1H}\n" + NOOP,
    "use errors, retries, timeouts": (
        "use: {errors: {e: {type: 'https://a.example/e', status: 400}}, retries: {r: {limit: {attempt: {count: 1}}}},"
        " timeouts: {t: {after: PT1S}}}\n"
        "do: [{a: {try: [{b: {raise: {error: e}}}], catch: {retry: r}, timeout: t}}]\n"
    ),
    "schedule every": "schedule: {every: {minutes: 15}}\n" + NOOP,
    "schedule cron": "schedule: {cron: '0 6 * * 1-5'}\n" + NOOP,
    "schedule after": "schedule: {after: {minutes: 15}}\n" + NOOP,
    "schedule on": f"schedule: {{on: {{any: [{_ONE}]}}}}\n" + NOOP,
    "schedule on all": f"schedule: {{on: {{all: [{_ONE}, {{with: {{type: order.packed}}}}]}}}}\n" + NOOP,
    **{
        f"authentication {scheme} by connection": ERP % scheme + _task(CALL)
        for scheme in ("basic", "bearer", "digest", "oauth2", "oidc")
    },
}
"""What the engine runs, each with a sample."""

REFUSED: Final[dict[str, tuple[str, str]]] = {
    "call grpc": ("refused-call-grpc", _task("{call: grpc, with: {}}")),
    "call asyncapi": ("refused-call-asyncapi", _task("{call: asyncapi, with: {}}")),
    "call a2a": ("refused-call-a2a", _task("{call: a2a, with: {}}")),
    "call mcp": ("refused-call-mcp", _task("{call: mcp, with: {}}")),
    "function by address": ("refused-function-url", _task("{call: 'https://a.example/f.yaml'}")),
    "catalogs of one's own": (
        "refused-catalog",
        "use: {catalogs: {c: {endpoint: 'https://a.example'}}}\n" + NOOP,
    ),
    "extensions": ("refused-extension", "use: {extensions: [{e: {extend: all}}]}\n" + NOOP),
    "run container": ("refused-run-container", _task("{run: {container: {image: x}}}")),
    "run shell": ("refused-run-shell", _task("{run: {shell: {command: ls}}}")),
    "run script": ("refused-run-script", _task("{run: {script: {language: js, code: '1'}}}")),
    "inline credentials": (
        "inline-credentials",
        _task(
            "{call: http, with: {method: get, endpoint: {uri: 'https://a.example',"
            " authentication: {bearer: {token: x}}}}}"
        ),
    ),
    "secrets in expressions": ("secret-in-expression", _task("{set: {x: '${ $secrets.erp }'}}")),
    "files": ("refused-file", _task("{call: http, with: {method: get, endpoint: 'file:///etc/passwd'}}")),
    "loose mode": ("refused-loose", "evaluate: {mode: loose}\n" + NOOP),
    "another expression language": ("refused-language", "evaluate: {language: js}\n" + NOOP),
    "listening to everything": ("listen-to-all", _listen("{any: []}")),
    "an expression inside a text": ("expression", _task("{set: {x: 'Hello ${ .x }!'}}")),
    "durations in years or months": ("duration", _task("{wait: P1M}")),
}
"""What publishing refuses, each with its rule and a sample."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What publishing says about a sample: nothing, or the rules it breaks with their sentences."""

    rules: tuple[str, ...] = ()
    sentences: tuple[str, ...] = ()


def judge(sample: str) -> Verdict:
    """Whether publishing takes a sample."""
    try:
        compile_document(read(HEAD + sample), FUNCTIONS)
    except DefinitionRefused as refused:
        found = refused.findings
        return Verdict(tuple(one.rule for one in found), tuple(one.message for one in found))
    return Verdict()
