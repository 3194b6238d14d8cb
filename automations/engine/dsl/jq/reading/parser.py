"""From source text to a tree: the grammar of jq 1.8, without modules, inputs and the host."""

from automations.engine.dsl.jq.reading.ranks import AND, ASSIGN, COMPARE, DEFAULT, MULTIPLY, OR, RANKS
from automations.engine.dsl.jq.reading.scope import Scope
from automations.engine.dsl.jq.reading.terms import Terms
from automations.engine.dsl.jq.syntax import (
    Assign,
    Bind,
    Chain,
    Comma,
    Compare,
    Default,
    Function,
    Label,
    Logic,
    Negate,
    Node,
    Pipe,
    Try,
)


class _Parser(Terms):
    def program(self) -> Node:
        if self.here.kind == "end":
            raise self.fail("the expression is empty; the whole input is written .")
        tree = self.pipeline()
        if self.here.kind != "end":
            raise self.unexpected("the end, or an operator such as | or +,")
        return tree

    def pipeline(self) -> Node:
        position = self.here.position
        names = self.scope.names
        self.deeper()
        stages = [self.commas()]
        while self.accept("|"):
            stages.append(self.commas())
        self.depth -= 1
        self.scope.names = names
        return stages[0] if len(stages) == 1 else Pipe(position, stages)

    def commas(self) -> Node:
        position = self.here.position
        items = [self.statement()]
        while self.accept(","):
            items.append(self.statement())
        return items[0] if len(items) == 1 else Comma(position, items)

    def statement(self) -> Node:
        """One operand of `|` and `,`; a definition, a label or a variable takes in all that follows."""
        position = self.here.position
        if self.accept("def"):
            self.definition(position)
            return self.pipeline()
        if self.accept("label"):
            name = self.expect_kind("variable", "a name such as $out").text
            self.expect("|", " after a label")
            return Label(position, self.scope.tag(name), self.pipeline())
        left = self.binary(DEFAULT)
        if not self.accept("as"):
            return left
        patterns = self.patterns()
        self.expect("|", " after a variable")
        return Bind(position, left, patterns, self.pipeline())

    def definition(self, position: int) -> None:
        name = self.expect_kind("name", "a name for the function").text
        formals: list[str] = []
        if self.accept("("):
            while True:
                if self.here.kind not in ("name", "variable"):
                    raise self.unexpected("a parameter such as f or $x")
                formals.append(("$" if self.here.kind == "variable" else "") + self.advance().text)
                if not self.accept(";"):
                    break
            self.expect(")", " after the parameters")
        self.expect(":", " before the body of the function")

        def read_body(function: Function) -> None:
            function.body = self.pipeline()

        self.scope.define(name, formals, read_body)
        if not self.accept(";"):
            raise self.unexpected(f"';' after the function {name!r}")
        if self.here.kind == "end":
            raise self.fail("after the functions an expression is missing that uses them", position)

    def binary(self, lowest: int) -> Node:
        left = self.unary()
        while True:
            rank = RANKS.get(self.here.text, 0) if self.here.kind in ("symbol", "name") else 0
            if rank < lowest or rank == 0:
                return left
            left = self.operators(left, rank)

    def operators(self, left: Node, rank: int) -> Node:
        """`left` with all operators of `rank` that follow it directly."""
        position = self.here.position
        if rank in (COMPARE, ASSIGN):
            operator = self.advance().text
            right = self.binary(rank + 1)
            if RANKS.get(self.here.text) == rank and self.here.kind == "symbol":
                raise self.fail(
                    f"{operator} and {self.here.text} do not chain; put round brackets around one"
                )
            if rank == COMPARE:
                return Compare(position, operator, left, right)
            return Assign(position, operator, left, right)
        rest: list[tuple[str, Node]] = []
        while self.here.kind in ("symbol", "name") and RANKS.get(self.here.text) == rank:
            rest.append((self.advance().text, self.binary(rank + 1)))
        items = [left, *(item for _, item in rest)]
        if rank == DEFAULT:
            return Default(position, items)
        if rank in (AND, OR):
            return Logic(position, rest[0][0], items)
        return Chain(position, left, rest)

    def unary(self, *, tight: bool = False) -> Node:
        """A term with the signs before it; with `tight`, a minus takes one term only, as after `try`."""
        position = self.here.position
        self.deeper()
        if self.accept("-"):
            node: Node = Negate(position, self.unary(tight=True) if tight else self.binary(MULTIPLY))
        elif self.accept("try"):
            body = self.unary(tight=True)
            node = Try(position, body, self.unary(tight=True) if self.accept("catch") else None)
        else:
            node = self.postfix()
        self.depth -= 1
        return node


def parse(source: str, scope: Scope) -> Node:
    """The tree of `source`, whose free variables `scope` must know. Raises ExpressionSyntaxError."""
    tree = _Parser(source, scope).program()
    scope.settle()
    return tree
