"""jq 1.8 on data, in pure Python: one input, the variables that are given, nothing of the host, a budget for it all.

    total = compile(".items | map(.qty * .price) | add", set())
    total.one(order, {})

An expression is read (`reading/`) to a tree (`syntax.py`), which is written (`generating/`) as Python functions that
call the built-in ones (`builtins/`).
"""

from automations.engine.dsl.jq.compile import Expression, compile  # noqa: A004 - as `re.compile`
from automations.engine.dsl.jq.errors import ExpressionError, ExpressionSyntaxError
from automations.engine.dsl.jq.fuel import Fuel

__all__ = ["Expression", "ExpressionError", "ExpressionSyntaxError", "Fuel", "compile"]
