"""Reading tokens one by one, and saying in plain words what is missing."""

from typing import Final

from automations.engine.dsl.jq.errors import ExpressionSyntaxError
from automations.engine.dsl.jq.reading.lexer import Token, tokens
from automations.engine.dsl.jq.reading.scope import Scope
from automations.engine.dsl.jq.syntax import Node

MAX_NESTING: Final = 64


class Reader:
    """The place in the source where a parser stands; parsers derive from it."""

    def __init__(self, source: str, scope: Scope) -> None:
        self.source = source
        self.scope = scope
        self.tokens = tokens(source)
        self.index = 0
        self.depth = 0
        self.here = self.tokens[0]

    # reading tokens

    def fail(self, message: str, position: int | None = None) -> ExpressionSyntaxError:
        return ExpressionSyntaxError(
            message, self.source, self.here.position if position is None else position
        )

    def unexpected(self, wanted: str) -> ExpressionSyntaxError:
        if self.here.kind == "end":
            return self.fail(f"the expression ends too early: {wanted} is missing")
        shown = self.source[self.here.position : self.here.position + max(len(self.here.text), 1)]
        return self.fail(f"{shown!r} does not belong here; {wanted} is expected")

    def advance(self) -> Token:
        token = self.here
        self.index += 1
        self.here = self.tokens[self.index]
        return token

    def sees(self, text: str) -> bool:
        return self.here.text == text and self.here.kind in ("symbol", "name")

    def accept(self, text: str) -> bool:
        if self.sees(text):
            self.advance()
            return True
        return False

    def expect(self, text: str, where: str = "") -> Token:
        if not self.sees(text):
            raise self.unexpected(f"{text!r}{where}")
        return self.advance()

    def expect_kind(self, kind: str, wanted: str) -> Token:
        if self.here.kind != kind:
            raise self.unexpected(wanted)
        return self.advance()

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > MAX_NESTING:
            raise self.fail(f"the expression nests deeper than {MAX_NESTING} levels")

    def pipeline(self) -> Node:
        """The grammar's start: all that may stand in brackets."""
        raise NotImplementedError

    def binary(self, lowest: int) -> Node:
        """Operands joined by operators of at least the rank `lowest`."""
        raise NotImplementedError
