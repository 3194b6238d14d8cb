"""The default catalog: the functions that a workflow may call besides HTTP."""

from collections.abc import Mapping
from typing import Final

from automations.engine.dsl.program import Function

_CASE: Final = frozenset(
    {"key", "cause", "severity", "dueInHours", "subject", "amountMinor", "currency", "facts"}
)

FUNCTIONS: Final[Mapping[str, Function]] = {
    function.name: function
    for function in (
        Function("case.open:1", required=frozenset({"kind", "title"}), optional=_CASE),
        Function("decide:1", required=frozenset({"table", "input"})),
        Function("humanTask:1", required=frozenset({"title"}), optional=_CASE | {"kind", "form"}),
        Function(
            "case.close:1", required=frozenset({"key"}), optional=frozenset({"outcome", "detail", "subject"})
        ),
    )
}
"""By `name:major`. A document writes `case.open:1@default`."""
