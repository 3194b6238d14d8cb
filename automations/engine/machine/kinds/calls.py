"""Calls: what is sent, under which key, and what its answer means."""

import hashlib
from typing import Any, Final
from urllib.parse import urlencode

from automations.engine.dsl.program import CallFunction, CallHttp, CallTask, Task, Unfetched
from automations.engine.errors import WorkflowError
from automations.engine.machine.core import CLOSERS, finish, push
from automations.engine.machine.kinds import people
from automations.engine.machine.moves import Effect, Fact, Outcome
from automations.engine.machine.state import Frame, Run, Strand
from kernel import jsonx

Json = Any
DECIDE: Final = "decide:1"
_LONG: Final = 32_000
FACTS: Final = {"case.open:1": "portal.case.requested", "case.close:1": "portal.case.settled"}
"""Functions of the catalog that tell a room above something; they are done when the checkpoint is."""


def effect_key(run: Run, strand: Strand, ref: str) -> str:
    """The key of the call that `strand` makes at `ref`.

    It is derived from the last durable state alone. It stays the same until the other side has given a definitive
    answer, since that is what `count` counts: a try that ended in silence is repeated under the same key.
    """
    place = hashlib.blake2b(ref.encode(), digest_size=4).hexdigest()
    return f"{run.tenant.hex}:{run.id.hex}:{strand.id}:{place}:{strand.count}"


def http(run: Run, strand: Strand, task: CallHttp, given: Json, arguments: dict[str, Json]) -> None:
    """Ask for an HTTP call, and wait for its outcome."""
    uri = task.uri(given, arguments)
    if not isinstance(uri, str) or not uri:
        raise WorkflowError("expression", "the address is no text")
    if task.query is not None:
        query = task.query(given, arguments)
        if not isinstance(query, dict):
            raise WorkflowError("expression", "`query` gives no object")
        pairs = [
            (key, _text(one))
            for key, value in query.items()
            for one in (value if isinstance(value, list) else [value])
            if one is not None
        ]
        if pairs:
            uri = f"{uri}{'&' if '?' in uri else '?'}{urlencode(pairs)}"
    headers = task.headers(given, arguments) if task.headers is not None else {}
    if not isinstance(headers, dict):
        raise WorkflowError("expression", "`headers` gives no object")
    request: dict[str, Json] = {
        "method": task.method,
        "uri": uri,
        "headers": {str(name): _text(value) for name, value in headers.items()},
        "redirect": task.redirect,
    }
    if task.output == "raw":
        request["raw"] = True
    if task.body is not None:
        request["body"] = task.body(given, arguments)
    if task.authentication is not None:
        request["connection"] = task.authentication.connection
        if task.authentication.values is not None:
            request["scheme"] = task.authentication.scheme
            request["credentials"] = task.authentication.values(given, arguments)
    ask(run, strand, task, given, "http", request, task.effect)


def unfetched(_run: Run, _strand: Strand, task: Unfetched, _given: Json, _arguments: dict[str, Json]) -> None:
    """A document that nobody fetched cannot be called by."""
    raise WorkflowError("configuration", f"{task.address} was not fetched when this was published")


def ask(
    run: Run, strand: Strand, task: Task, given: Json, kind: str, request: dict[str, Json], effect: str
) -> None:
    """Hand an effect out and wait for its outcome."""
    key = effect_key(run, strand, task.ref)
    strand.pending = {"k": "call", "b": run.now, "i": given, "key": key, "q": request}
    run.effects.append(Effect(strand.id, key, task.ref, kind, request, effect))


def _text(value: Json) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def answered(run: Run, strand: Strand, task: CallHttp, outcome: Outcome) -> None:
    """What an HTTP outcome means for the task. Raises WorkflowError for everything but success."""
    state = strand.pending
    assert state is not None
    strand.pending = None
    request = state["q"]
    if outcome.refused:
        raise WorkflowError("authorization", outcome.refused, request=_told(request))
    if outcome.error:
        if outcome.unknown and task.effect == "unsafe":
            raise WorkflowError(
                "communication",
                f"{outcome.error}; whether it was done is unknown, and sending again could do it twice",
                status=504,
                title="Unknown outcome",
                request=_told(request),
                unknown=True,
            )
        raise WorkflowError(
            "communication",
            outcome.error,
            status=504,
            title="No answer",
            request=_told(request),
            key=state["key"],
        )
    if not 200 <= outcome.status < 300:
        strand.count += 1  # a definitive answer: the next try has a key of its own
        raise _refusal(outcome, request, state["key"])
    output: Json = outcome.content
    if task.output == "response":
        output = {
            "request": {
                "method": request["method"].lower(),
                "uri": request["uri"],
                "headers": request["headers"],
            },
            "headers": outcome.headers,
            "statusCode": outcome.status,
            "content": outcome.content,
        }
    finish(
        run,
        strand,
        task,
        state["i"],
        output,
        begin=state["b"],
        q=_shown(request),
        k=state["key"],
        h=outcome.status,
    )
    strand.count += (
        1  # not before: if the output cannot be used, a repeat gets the saved answer by the same key
    )


def _refusal(outcome: Outcome, request: dict[str, Json], key: str) -> WorkflowError:
    kinds = {401: "authentication", 403: "authorization", 408: "timeout"}
    more: dict[str, Json] = {"request": _told(request), "key": key}
    wait = outcome.headers.get("retry-after", "")
    if wait.isdigit():
        more["retryAfter"] = int(wait)
    content = outcome.content
    detail = f"HTTP {outcome.status}"
    if isinstance(content, dict):
        said = content.get("detail") or content.get("message") or content.get("title") or content.get("error")
        if isinstance(said, str):
            detail = f"{detail}: {said}"
        more["response"] = _brief(content)
    elif isinstance(content, str) and content:
        more["response"] = content[:2_000]
    return WorkflowError(kinds.get(outcome.status, "communication"), detail, status=outcome.status, **more)


def _shown(request: dict[str, Json]) -> dict[str, Json]:
    """The request as the journal keeps it: without credentials."""
    return {
        name: value
        for name, value in request.items()
        if name not in ("credentials", "scheme", "redirect", "raw")
    }


def _told(request: dict[str, Json]) -> dict[str, Json]:
    """The request as an error tells it, which goes from hand to hand: a long body is cut."""
    shown = _shown(request)
    return {**shown, "body": _brief(shown["body"])} if "body" in shown else shown


def _brief(value: Json) -> Json:
    """`value`, or the beginning of its JSON where it is long."""
    text = jsonx.text(value)
    return value if len(text) <= _LONG else {"cut": text[:2_000], "characters": len(text)}


def function(run: Run, strand: Strand, task: CallFunction, given: Json, arguments: dict[str, Json]) -> None:
    """Call a function of the catalog: tell a room above, or ask an executor."""
    values = task.arguments(given, arguments)
    if task.function.name == people.NAME:
        people.ask(run, strand, task, given, values)
        return
    if task.function.name == DECIDE:
        # the table is the one in force now, also if a worker stops before it has looked
        ask(run, strand, task, given, DECIDE, {**values, "at": run.now}, "safe")
        return
    kind = FACTS.get(task.function.name)
    if kind is None:
        ask(run, strand, task, given, task.function.name, {"with": values}, "idempotent")
        return
    key = f"{run.id}:{values.get('key') or task.name}"
    data = {**values, "key": key, "runId": str(run.id), "task": task.ref}
    run.facts.append(
        Fact(f"{run.id}-{run.seq}", kind, str(values.get("subject") or ""), data, run.now, source="/engine")
    )
    finish(run, strand, task, given, {"case": key}, begin=run.now)


def own(run: Run, strand: Strand, task: CallTask, given: Json, arguments: dict[str, Json]) -> None:
    """Call a function of the document; its `with` is its input."""
    value = task.arguments(given, arguments) if task.arguments is not None else given
    push(strand, "function", task.body, value, {"b": run.now, "i": given})


def _close_own(run: Run, strand: Strand, frame: Frame, task: Task) -> None:
    assert frame.local is not None
    finish(run, strand, task, frame.local["i"], strand.data, begin=frame.local["b"])


CLOSERS["function"] = _close_own


def function_answered(run: Run, strand: Strand, task: Task, outcome: Outcome) -> None:
    """What the outcome of a catalog function means."""
    state = strand.pending
    assert state is not None
    strand.pending = None
    if outcome.error:
        strand.count += 1
        raise WorkflowError("runtime", outcome.error, status=outcome.status or 500)
    more: dict[str, Json] = {"d": outcome.headers} if outcome.headers else {}
    finish(run, strand, task, state["i"], outcome.content, begin=state["b"], k=state["key"], **more)
    strand.count += 1
