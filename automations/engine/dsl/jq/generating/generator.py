"""The heart of the generator: it goes through the tree and hands each result on to what follows.

Code for `a | b` is the code for `a` with the code for `b` written where a result of `a` is known; so loops nest
where the expression nests, and no Python function is called where none is needed. Parts that would nest too far,
or whose results are used in more than one place, become Python generators of their own (`spill`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from automations.engine.dsl.jq.generating.shape import Shapes
from automations.engine.dsl.jq.generating.writer import Cursor, Routine, Then
from automations.engine.dsl.jq.syntax import Binding, Literal, Node
from automations.engine.dsl.jq.values import Json

_MAX_BLOCKS: Final = 10
_MAX_INDENT: Final = 60
CAUGHT: Final = "fuel.step(5)"
"""What is written where an error is caught: raising one takes its time."""
N = TypeVar("N", bound=Node)
Handler = Callable[["Generator", N, Cursor, Then], None]
HANDLERS: Final[dict[type[Node], tuple[Handler[Any], bool]]] = {}


def generates(kind: type[N], *, paths: bool = False) -> Callable[[Handler[N]], Handler[N]]:
    """Declares the function that writes the code for one kind of node.

    `paths`: it also knows how to go on in a path expression; the results of all others are no paths.
    """

    def declare(handler: Handler[N]) -> Handler[N]:
        HANDLERS[kind] = (handler, paths)
        return handler

    return declare


def captured(bindings: frozenset[Binding]) -> list[str]:
    """The names of `bindings` in generated code, in a fixed order."""
    return sorted((binding.slot for binding in bindings), key=lambda slot: (len(slot), slot))


@dataclass(frozen=True, slots=True)
class Plan:
    """A Python function to be written for `node`: `many` and `paths` are generators, `one` gives a value."""

    header: str
    node: Node
    mode: str
    prologue: tuple[str, ...] = ()


class Generator:
    """Writes the functions of one program."""

    def __init__(self) -> None:
        self.shapes = Shapes()
        self.constants: dict[str, Any] = {}
        self.functions: dict[Any, str] = {}
        """The names of functions of the program that are written or being written."""
        self.booleans: set[str] = set()
        """The names that hold true or false and nothing else."""
        self.out = Routine("")
        self._planned: list[Plan] = []
        self._spilled: dict[tuple[Node, str], str] = {}
        self._count = 0

    # names and values

    def name(self, letter: str = "t") -> str:
        """A name that is not used yet."""
        self._count += 1
        return f"{letter}{self._count}"

    def constant(self, value: Json) -> str:
        """What stands for `value` in generated code: small ones themselves, others by name."""
        if (
            value is None
            or value is True
            or value is False
            or (value.__class__ is int and abs(value) < 2**62)
        ):
            return repr(value)
        if value.__class__ is str and len(value) < 200:
            return repr(value)
        name = self.name("k")
        self.constants[name] = value
        return name

    def assign(self, expression: str, *, boolean: bool = False) -> str:
        """Writes `name = expression` with a new name, and gives it."""
        name = self.name()
        self.out.line(f"{name} = {expression}")
        if boolean:
            self.booleans.add(name)
        return name

    def truth(self, name: str) -> str:
        """A Python condition: whether the value is neither false nor null."""
        if name in self.booleans or name in ("True", "False"):
            return name
        return f"({name} is not None and {name} is not False)"

    # going through the tree

    def run(self, node: Node, cursor: Cursor, then: Then) -> None:
        """Writes the code for `node`; `then` writes what follows for each of its results."""
        weight = self.shapes.nesting(node)
        deep = self.out.blocks + weight > _MAX_BLOCKS or self.out.indent > _MAX_INDENT
        if weight and deep:
            self.spill(node, cursor, then)
        else:
            self.inline(node, cursor, then)

    def inline(self, node: Node, cursor: Cursor, then: Then) -> None:
        """`run`, without leaving the current function."""
        handler, paths = HANDLERS[type(node)]
        if cursor.path is None or paths:
            handler(self, node, cursor, then)
        else:
            self.apart(lambda inner, following: handler(self, node, inner, following), cursor, then)

    @staticmethod
    def apart(write: Callable[[Cursor, Then], None], cursor: Cursor, then: Then) -> None:
        """Writes what computes a value; in a path expression the path stays where it was."""
        write(
            Cursor(cursor.value),
            Then(lambda found: then(cursor._replace(value=found.value)), brief=then.brief),
        )

    def value(self, node: Node, cursor: Cursor) -> str:
        """Writes the code for a single node; gives the name of its result."""
        found: list[str] = []
        self.run(node, Cursor(cursor.value), Then(lambda result: found.append(result.value)))
        return found[0]

    def operand(self, node: Node, cursor: Cursor) -> str:
        """`value`, or a constant: what can be handed to a function, but not be indexed in generated code."""
        return self.constant(node.value) if isinstance(node, Literal) else self.value(node, cursor)

    def values(self, nodes: Sequence[Node], cursor: Cursor, write: Callable[[list[str]], None]) -> None:
        """Writes the code for several nodes on the same input, `write` what follows for all their combinations.

        The first node moves slowest.
        """
        streams = [node for node in nodes if not self.shapes.single(node)]
        if len(streams) > 3:
            self._combined(nodes, streams, cursor, write)
        else:
            self._nested(nodes, cursor, [], write)

    def _nested(
        self, nodes: Sequence[Node], cursor: Cursor, found: list[str], write: Callable[[list[str]], None]
    ) -> None:
        names = list(found)
        rest = list(nodes)
        while rest and self.shapes.single(rest[0]):
            names.append(self.operand(rest.pop(0), cursor))
        if not rest:
            write(names)
            return

        def go_on(result: Cursor) -> None:
            self._nested(rest[1:], cursor, [*names, result.value], write)

        self.run(rest[0], Cursor(cursor.value), Then(go_on))

    def _combined(
        self, nodes: Sequence[Node], streams: list[Node], cursor: Cursor, write: Callable[[list[str]], None]
    ) -> None:
        sources = ", ".join(f"lambda: {self.call(self.routine(node), cursor, node)}" for node in streams)
        together = self.name()
        names = iter(f"{together}[{number}]" for number in range(len(streams)))
        with self.out.loop(f"for {together} in product(fuel, [{sources}]):"):
            write([self.operand(node, cursor) if self.shapes.single(node) else next(names) for node in nodes])

    # functions of their own

    def routine(self, node: Node, mode: str = "many") -> str:
        """The name of a function for `node`: `many` and `paths` give iterators, `one` a value."""
        found = self._spilled.get((node, mode))
        if found is None:
            found = self._spilled[node, mode] = self.name("g")
            given = [
                "fuel",
                "d",
                "v",
                *(["p"] if mode == "paths" else []),
                *captured(self.shapes.needs(node)),
            ]
            self.plan(Plan(f"def {found}({', '.join(given)}):", node, mode))
        return found

    def plan(self, routine: Plan) -> None:
        """Sees to it that a function is written, later: so what nests deep in the tree does not nest here."""
        self._planned.append(routine)

    def finish(self) -> list[str]:
        """Writes all functions that are planned, and those they need; gives their texts."""
        texts: list[str] = []
        while self._planned:
            texts.append(self._write(self._planned.pop()))
        return texts

    def _write(self, plan: Plan) -> str:
        self.out = Routine(plan.header)
        for line in plan.prologue:
            self.out.line(line)
        self.out.draw()
        node, mode = plan.node, plan.mode
        if mode == "one":
            self.inline(node, Cursor("v"), Then(lambda found: self.out.line(f"return {found.value}")))
            return self.out.text()
        give = Then(
            lambda found: self.out.line(f"yield {found.value if mode == 'many' else self.pair(found)}"),
            brief=True,
        )
        self.inline(node, Cursor("v") if mode == "many" else Cursor("v", "p", "v", loose=True), give)
        self.out.line("return")
        self.out.line("yield")  # makes it a generator, whatever was written before
        return self.out.text()

    def pair(self, cursor: Cursor) -> str:
        """The value, in a path expression also its path, None if it has none any more."""
        if cursor.path is None:
            return cursor.value
        path = cursor.path
        if cursor.value != cursor.anchor:
            path = f"kept({cursor.path}, {cursor.value}, {cursor.anchor})"
        return f"{cursor.value}, {path}"

    def call(self, routine: str, cursor: Cursor, node: Node) -> str:
        """The text that calls a function made for `node`."""
        arguments = ["fuel", self.out.depth, self.pair(cursor)]
        return f"{routine}({', '.join([*arguments, *captured(self.shapes.needs(node))])})"

    def spill(self, node: Node, cursor: Cursor, then: Then) -> None:
        """Writes `node` as a function of its own, and `then` for what that gives."""
        if cursor.path is None and self.shapes.single(node):
            then(Cursor(self.assign(self.call(self.routine(node, "one"), cursor, node))))
            return
        mode = "many" if cursor.path is None else "paths"
        self.each_of(self.call(self.routine(node, mode), cursor, node), cursor, then)

    def each_of(self, call: str, cursor: Cursor, then: Then) -> None:
        """A loop through an iterator of results: of values, or in a path expression of values with paths."""
        value = self.name()
        if cursor.path is None:
            with self.out.loop(f"for {value} in {call}:"):
                then(Cursor(value))
            return
        path = self.name("p")
        with self.out.loop(f"for {value}, {path} in {call}:"):
            then(Cursor(value, path, value, loose=True))

    def once(self, node: Node, cursor: Cursor, then: Then, write: Callable[[Then], None]) -> None:
        """`write(then)` if `then` may be written more than once, else `node` as a function of its own."""
        if then.brief:
            write(then)
        else:
            self.spill(node, cursor, then)

    def filter(self, node: Node, mode: str = "many") -> str:
        """A Python function of one value for `node`, to be run by a built-in function."""
        return f"(lambda v: {self.call(self.routine(node, mode), Cursor('v'), node)})"

    def path_filter(self, node: Node) -> str:
        """A Python function of a value with its path for `node`, to be run by a built-in function."""
        captures = "".join(f", {slot}" for slot in captured(self.shapes.needs(node)))
        return f"(lambda vp: {self.routine(node, 'paths')}(fuel, {self.out.depth}, *vp{captures}))"
