"""What can go wrong with an expression: it cannot be read, it fails on its input, or it runs out of fuel."""

from typing import Final

from automations.engine.dsl.jq.values import Json, excerpt
from kernel.errors import Invalid, Unprocessable


class ExpressionSyntaxError(Invalid):
    """This expression cannot be read."""

    code = "expression_syntax"

    def __init__(self, message: str, source: str = "", position: int = 0) -> None:
        """`position` counts characters from 0; `line` and `column` count from 1."""
        before = source[:position]
        self.reason = message
        self.position = position
        self.line = before.count("\n") + 1
        self.column = position - (before.rfind("\n") + 1) + 1
        super().__init__(f"{message} (line {self.line}, column {self.column})")


class ExpressionError(Unprocessable):
    """This expression failed on its input."""

    code = "expression"

    def __init__(self, message: str, value: Json = None) -> None:
        """`value` is what jq calls the error value: what `error(value)` was given, else the message."""
        self.value = value
        super().__init__(message)


class Raised(ExpressionError):
    """A failure that the program itself may catch with `try`, `?` or `?//`."""

    def __init__(self, message: str) -> None:
        super().__init__(message, message)


class RaisedValue(Raised):
    """What `error(value)` raises."""

    def __init__(self, value: Json) -> None:
        super().__init__(value if isinstance(value, str) else f"{excerpt(value)} (not a string)")
        self.value = value


class OutOfFuel(ExpressionError):
    """The expression used up its budget; no `try` inside the expression sees this."""

    def __init__(self, message: str) -> None:
        super().__init__(message, message)


class Break(Exception):
    """Unwinds to the `label` that made `tag`."""

    __slots__ = ("tag",)

    def __init__(self, tag: object) -> None:
        self.tag: Final = tag
        super().__init__()


def too_deep() -> OutOfFuel:
    """The error for recursion or data that nests deeper than an expression may go."""
    return OutOfFuel("the expression recurses or nests too deeply")
