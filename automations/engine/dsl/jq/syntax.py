"""The tree of an expression, with names already resolved to what they mean."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from automations.engine.dsl.jq.values import Json


@dataclass(eq=False, slots=True)
class Variable:
    """What `$name` is bound to; `slot` is its name in generated code, `level` how many functions are around it."""

    name: str
    slot: str
    level: int


@dataclass(eq=False, slots=True)
class Parameter:
    """A filter that a function takes."""

    name: str
    slot: str
    level: int


@dataclass(eq=False, slots=True)
class Tag:
    """What `label $name` makes and `break $name` leaves."""

    name: str
    slot: str
    level: int


Binding = Variable | Parameter | Tag


@dataclass(eq=False, slots=True)
class Node:
    """A part of an expression; `position` counts characters from the start of the source."""

    position: int


@dataclass(eq=False, slots=True)
class Formal:
    """A parameter of a function; `$name` is both a value and a filter."""

    parameter: Parameter
    variable: Variable | None


@dataclass(eq=False, slots=True)
class Function:
    """A function that the program defines; `level` is how many functions are around its definition."""

    name: str
    level: int
    formals: list[Formal] = field(default_factory=list)
    body: Node | None = None
    captures: set[Binding] = field(default_factory=set)
    calls: set["Function"] = field(default_factory=set)
    recursive: bool = False


@dataclass(eq=False, slots=True)
class Identity(Node):
    """`.`"""


@dataclass(eq=False, slots=True)
class Descend(Node):
    """`..`"""


@dataclass(eq=False, slots=True)
class Empty(Node):
    """`empty`"""


@dataclass(eq=False, slots=True)
class Literal(Node):
    """A number, a text, null, true or false."""

    value: Json


@dataclass(eq=False, slots=True)
class Use(Node):
    """`$name`"""

    variable: Variable


@dataclass(eq=False, slots=True)
class Text(Node):
    """`"a\\(x)b"`: texts and expressions in turn; what the expressions give is written by `format`."""

    parts: list[str | Node]
    format: str


@dataclass(eq=False, slots=True)
class Format(Node):
    """`@name`"""

    name: str


@dataclass(eq=False, slots=True)
class Key:
    """`.name`, `.[key]`"""

    key: Node
    optional: bool = False


@dataclass(eq=False, slots=True)
class Slice:
    """`.[start:end]`"""

    start: Node
    end: Node
    optional: bool = False


@dataclass(eq=False, slots=True)
class Each:
    """`.[]`"""

    optional: bool = False


Step = Key | Slice | Each


@dataclass(eq=False, slots=True)
class Access(Node):
    """`base` followed by steps; the keys in them see the input of the whole, not of `base`."""

    base: Node
    steps: list[Step]


@dataclass(eq=False, slots=True)
class Array(Node):
    """`[body]`, `[]`"""

    body: Node | None


@dataclass(eq=False, slots=True)
class Object(Node):
    """`{key: value, …}`"""

    entries: list[tuple[Node, Node]]


@dataclass(eq=False, slots=True)
class Negate(Node):
    """`-operand`"""

    operand: Node


@dataclass(eq=False, slots=True)
class Pipe(Node):
    """`a | b | c`"""

    stages: list[Node]


@dataclass(eq=False, slots=True)
class Comma(Node):
    """`a, b, c`"""

    items: list[Node]


@dataclass(eq=False, slots=True)
class Chain(Node):
    """`first + a - b`, or `first * a / b % c`: operators of one rank, from left to right."""

    first: Node
    rest: list[tuple[str, Node]]


@dataclass(eq=False, slots=True)
class Compare(Node):
    """`left < right` and the like."""

    operator: str
    left: Node
    right: Node


@dataclass(eq=False, slots=True)
class Logic(Node):
    """`a and b and c`, or `a or b or c`"""

    operator: str
    items: list[Node]


@dataclass(eq=False, slots=True)
class Default(Node):
    """`a // b // c`"""

    items: list[Node]


@dataclass(eq=False, slots=True)
class If(Node):
    """`if test then yes else no end`; elif nests."""

    test: Node
    yes: Node
    no: Node


@dataclass(eq=False, slots=True)
class Try(Node):
    """`try body catch handler`, `body?`"""

    body: Node
    handler: Node | None


@dataclass(eq=False, slots=True)
class VariablePattern:
    """`$name`"""

    variable: Variable


@dataclass(eq=False, slots=True)
class ArrayPattern:
    """`[a, b]`"""

    items: list["Pattern"]


@dataclass(eq=False, slots=True)
class ObjectPattern:
    """`{$a, b: c}`: for each entry the variable it binds itself, its key, and the pattern of its value."""

    entries: list[tuple[Variable | None, Node, "Pattern | None"]]


Pattern = VariablePattern | ArrayPattern | ObjectPattern


def pattern_variables(pattern: Pattern) -> Iterator[Variable]:
    """The variables that `pattern` binds; one that stands twice comes twice."""
    if isinstance(pattern, VariablePattern):
        yield pattern.variable
    elif isinstance(pattern, ArrayPattern):
        for item in pattern.items:
            yield from pattern_variables(item)
    else:
        for variable, _, inner in pattern.entries:
            if variable:
                yield variable
            if inner:
                yield from pattern_variables(inner)


@dataclass(eq=False, slots=True)
class Bind(Node):
    """`source as pattern ?// pattern | body`"""

    source: Node
    patterns: list[Pattern]
    body: Node


@dataclass(eq=False, slots=True)
class Reduce(Node):
    """`reduce source as pattern (start; update)`"""

    source: Node
    patterns: list[Pattern]
    start: Node
    update: Node


@dataclass(eq=False, slots=True)
class Foreach(Node):
    """`foreach source as pattern (start; update; extract)`"""

    source: Node
    patterns: list[Pattern]
    start: Node
    update: Node
    extract: Node


@dataclass(eq=False, slots=True)
class Label(Node):
    """`label $name | body`"""

    tag: Tag
    body: Node


@dataclass(eq=False, slots=True)
class Leave(Node):
    """`break $name`"""

    tag: Tag


@dataclass(eq=False, slots=True)
class Call(Node):
    """A call of a function of the program."""

    function: Function
    arguments: list[Node]


@dataclass(eq=False, slots=True)
class CallParameter(Node):
    """A call of a filter that the function around takes."""

    parameter: Parameter


@dataclass(eq=False, slots=True)
class Native:
    """A built-in function whose arguments are values: `call(fuel, input, *arguments)`.

    `many`: it gives an iterator of results, not one. `small`: what it gives is no bigger than its input, and finite.
    `last_first`: if arguments have several results, those of the last move slowest, not those of the first.
    """

    name: str
    call: Callable[..., Json]
    many: bool = False
    small: bool = False
    last_first: bool = False


@dataclass(eq=False, slots=True)
class CallNative(Node):
    """A call of a built-in function whose arguments are values."""

    native: Native
    arguments: list[Node]


@dataclass(eq=False, slots=True)
class Form(Node):
    """A call of a built-in function that runs its arguments itself: `first(f)`, `path(f)`, …"""

    name: str
    arguments: list[Node]


@dataclass(eq=False, slots=True)
class Assign(Node):
    """`target = value`, `target |= value`, `target += value`, …"""

    operator: str
    target: Node
    value: Node
