"""jq 1.8 on data, in pure Python: one input, the variables that are given, nothing of the host, a budget for it all.

    total = compile(".items | map(.qty * .price) | add", set())
    total.one(order, {})

An expression is read (`reading/`) to a tree (`syntax.py`), which is written (`generating/`) as Python functions that
call the built-in ones (`builtins/`).

What differs from jq, on purpose:

- Integers are exact up to 3,900 digits. Numbers are written by their value: `1.50` as `1.5`, `10.0` as `10`.
- Refused when it is read: `env $ENV input inputs input_filename input_line_number debug stderr halt halt_error import
  include modulemeta builtins get_search_list $__loc__ @sh`. `now` is what the caller says it is; local time is UTC.
- Regular expressions are those of RE2: no look-around, no back-references, no possessive repeats; `$` is the very end
  of a text, `\\b` and negated classes in brackets know ASCII letters only.
- A budget ends what takes too long or makes too much, and no `try` sees that. Sources have at most 16,384 characters,
  4,000 tokens and 64 levels of nesting; values 200 levels; functions call themselves some hundred levels deep.
- `path(last(f))` and a variable taken apart keep the path; a number or text that was computed is never a path.
- Keys that are no texts, and formats: the first are refused when they are used, the second when they are read.
"""

from automations.engine.dsl.jq.compile import Expression, compile  # noqa: A004 - as `re.compile`
from automations.engine.dsl.jq.errors import ExpressionError, ExpressionSyntaxError, OutOfFuel
from automations.engine.dsl.jq.fuel import Fuel

__all__ = ["Expression", "ExpressionError", "ExpressionSyntaxError", "Fuel", "OutOfFuel", "compile"]
