"""Short ways to evaluate, for the tests of this folder."""

import json
from pathlib import Path

from automations.engine.dsl import jq

HERE = Path(__file__).parent


def one(source, value=None, **env):
    """The one result of `source` on `value`; `env` are its variables."""
    return jq.compile(source, set(env)).one(value, env)


def every(source, value=None, **env):
    """All results of `source` on `value`."""
    return jq.compile(source, set(env)).all(value, env)


def failure(source, value=None, **env):
    """The message of the ExpressionError that `source` ends in."""
    try:
        found = every(source, value, **env)
    except jq.ExpressionError as error:
        return str(error)
    raise AssertionError(f"{source} gave {found!r}")


def refusal(source, variables=()):
    """Reason, line and column of the ExpressionSyntaxError that `source` is refused with."""
    try:
        jq.compile(source, set(variables))
    except jq.ExpressionSyntaxError as error:
        return error.reason, error.line, error.column
    raise AssertionError(f"{source} was compiled")


def pairs(name):
    """Programs and inputs of a file here: `program <<< input` line by line, `#` before remarks; no input is null."""
    for line in (HERE / name).read_text(encoding="utf-8").split("\n"):
        if line.strip() and not line.startswith("# "):
            program, _, value = line.partition(" <<< ")
            yield program, json.loads(value) if value else None
