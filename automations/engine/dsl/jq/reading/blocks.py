"""Terms of several words: `if`, `reduce`, `foreach`, and objects."""

from automations.engine.dsl.jq.reading.patterns import Patterns
from automations.engine.dsl.jq.reading.ranks import DEFAULT
from automations.engine.dsl.jq.reading.reader import MAX_NESTING
from automations.engine.dsl.jq.syntax import (
    Access,
    Foreach,
    Identity,
    If,
    Key,
    Literal,
    Node,
    Object,
    Pipe,
    Reduce,
)


class Blocks(Patterns):
    """Parses them."""

    def use(self, position: int) -> Node:
        """`$name`"""
        raise NotImplementedError

    def condition(self, position: int) -> Node:
        """`if` or `elif`, up to and with `end`."""
        branches: list[tuple[int, Node, Node]] = []
        while True:
            here = self.advance().position
            test = self.pipeline()
            self.expect("then", " after the condition of if")
            branches.append((here, test, self.pipeline()))
            if not self.sees("elif"):
                break
        otherwise: Node = self.pipeline() if self.accept("else") else Identity(position)
        self.expect("end", " at the end of if")
        if len(branches) > MAX_NESTING:
            raise self.fail(f"an if has at most {MAX_NESTING} branches", position)
        for here, test, yes in reversed(branches):
            otherwise = If(here, test, yes, otherwise)
        return otherwise

    def loop(self, position: int) -> Node:
        word = self.advance().text
        source = self.binary(DEFAULT)
        self.expect("as", f" after the source of {word}")
        outside = self.scope.names
        patterns = self.patterns()
        inside = self.scope.names
        self.expect("(", f" after the variable of {word}")
        self.scope.names = outside  # the start value does not see the variables of the loop
        start = self.pipeline()
        self.expect(";", " before the update")
        self.scope.names = inside
        update = self.pipeline()
        extract = None
        if word == "foreach":
            extract = self.pipeline() if self.accept(";") else Identity(position)
        self.expect(")", f" at the end of {word}")
        self.scope.names = outside
        if extract is None:
            return Reduce(position, source, patterns, start, update)
        return Foreach(position, source, patterns, start, update, extract)

    def object(self, position: int) -> Node:
        self.advance()
        entries: list[tuple[Node, Node]] = []
        while not self.accept("}"):
            entries.append(self.entry())
            if not self.accept(","):
                self.expect("}", " or ',' after an entry")
                break
        return Object(position, entries)

    def entry(self) -> tuple[Node, Node]:
        token = self.here
        short: Node
        if token.kind == "variable":
            short = self.use(token.position)
            key: Node = Literal(token.position, token.text)
            if self.accept(":"):
                key = short
                return key, self.entry_value()
            return key, short
        if token.kind == "name":
            self.advance()
            key = Literal(token.position, token.text)
        elif token.kind in ("quote", "format"):
            key = self.term()
        elif self.accept("("):
            key = self.pipeline()
            self.expect(")", " after a computed key")
            self.expect(":", " after a computed key")
            return key, self.entry_value()
        else:
            raise self.unexpected("a key: a name, a text, $name, or an expression in round brackets")
        if self.accept(":"):
            return key, self.entry_value()
        return key, Access(token.position, Identity(token.position), [Key(key)])

    def entry_value(self) -> Node:
        position = self.here.position
        stages = [self.binary(DEFAULT)]
        while self.accept("|"):
            stages.append(self.binary(DEFAULT))
        return stages[0] if len(stages) == 1 else Pipe(position, stages)
