"""What may stand after `as`: variables, arrays and objects of them, and alternatives."""

from typing import Final

from automations.engine.dsl.jq.reading.reader import Reader
from automations.engine.dsl.jq.syntax import (
    ArrayPattern,
    Literal,
    Node,
    ObjectPattern,
    Pattern,
    Variable,
    VariablePattern,
)

_MAX_ALTERNATIVES: Final = 16


class Patterns(Reader):
    """Parses patterns."""

    def term(self) -> Node:
        """A value without what follows it."""
        raise NotImplementedError

    def patterns(self) -> list[Pattern]:
        """The alternatives of `as`, which share their variables."""
        declared: dict[str, Variable] = {}
        found = [self.pattern(declared)]
        while self.accept("?//"):
            found.append(self.pattern(declared))
            if len(found) > _MAX_ALTERNATIVES:
                raise self.fail(f"a variable has at most {_MAX_ALTERNATIVES} alternatives")
        return found

    def declare(self, name: str, declared: dict[str, Variable]) -> Variable:
        if name not in declared:
            declared[name] = self.scope.variable(name)
        return declared[name]

    def pattern(self, declared: dict[str, Variable]) -> Pattern:
        self.deeper()
        found: Pattern
        if self.here.kind == "variable":
            found = VariablePattern(self.declare(self.advance().text, declared))
        elif self.accept("["):
            items = [self.pattern(declared)]
            while self.accept(","):
                items.append(self.pattern(declared))
            self.expect("]", " after the variables of an array")
            found = ArrayPattern(items)
        elif self.accept("{"):
            entries = [self.pattern_entry(declared)]
            while self.accept(","):
                entries.append(self.pattern_entry(declared))
            self.expect("}", " after the variables of an object")
            found = ObjectPattern(entries)
        else:
            raise self.unexpected("a variable such as $x, [$x, $y] or {a: $x}")
        self.depth -= 1
        return found

    def pattern_entry(self, declared: dict[str, Variable]) -> tuple[Variable | None, Node, Pattern | None]:
        token = self.here
        if token.kind == "variable":
            self.advance()
            variable = self.declare(token.text, declared)
            key: Node = Literal(token.position, token.text)
            return variable, key, self.pattern(declared) if self.accept(":") else None
        if token.kind == "name":
            self.advance()
            key = Literal(token.position, token.text)
        elif token.kind in ("quote", "format"):
            key = self.term()
        elif self.accept("("):
            key = self.pipeline()
            self.expect(")", " after a computed key")
        else:
            raise self.unexpected("a key of the object, or $name")
        self.expect(":", " and a variable after a key")
        return None, key, self.pattern(declared)
