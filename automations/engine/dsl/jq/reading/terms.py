"""Terms: the values that operators join, with the steps (`.a`, `[0]`, `?`) behind them."""

from collections.abc import Callable
from typing import Final

from automations.engine.dsl.jq.builtins.formats import FORMATS
from automations.engine.dsl.jq.reading import library
from automations.engine.dsl.jq.reading.blocks import Blocks
from automations.engine.dsl.jq.syntax import (
    Access,
    Array,
    Call,
    CallParameter,
    Descend,
    Each,
    Format,
    Function,
    Identity,
    Key,
    Leave,
    Literal,
    Node,
    Parameter,
    Slice,
    Step,
    Text,
    Try,
    Use,
)
from automations.engine.dsl.jq.values import MAX_FLOAT

_KEYWORDS: Final = frozenset(
    [
        "def",
        "if",
        "then",
        "elif",
        "else",
        "end",
        "as",
        "reduce",
        "foreach",
        "try",
        "catch",
        "label",
        "import",
        "include",
        "and",
        "or",
        "module",
    ]
)
_REFUSED_VARIABLES: Final = {
    "ENV": "the environment of the server is not readable",
    "__loc__": "an expression does not know where it stands",
    "__prog_args": "there is no command line",
}


class Terms(Blocks):
    """Parses terms."""

    def postfix(self) -> Node:
        position = self.here.position
        dot = self.sees(".")
        node = self.term()
        steps: list[Step] = []
        while True:
            step = self.step(dot=dot)
            dot = False
            if step is not None:
                steps.append(step)
            elif self.accept("?"):
                if steps and not steps[-1].optional:
                    steps[-1].optional = True
                else:
                    node, steps = Try(position, self.access(node, steps), None), []
            else:
                return self.access(node, steps)

    @staticmethod
    def access(node: Node, steps: list[Step]) -> Node:
        return Access(node.position, node, steps) if steps else node

    def step(self, *, dot: bool) -> Step | None:
        """The next `.name`, `."name"`, `[…]`, None if there is none; `dot`: a single `.` was just read."""
        if self.here.kind == "field":
            token = self.advance()
            return Key(Literal(token.position, token.text))
        if self.sees("."):
            following = self.tokens[self.index + 1]
            if following.kind != "quote" and following.text != "[":
                raise self.fail("after . a name, a text or [ must follow directly")
            self.advance()
            dot = True
        if dot and self.here.kind == "quote":
            return Key(self.text("text"))
        return self.bracket() if self.accept("[") else None

    def bracket(self) -> Step:
        """What stands in square brackets after a term: nothing, a key, or a slice."""
        if self.accept("]"):
            return Each()
        nothing = Literal(self.here.position, None)
        start: Node = nothing if self.sees(":") else self.pipeline()
        if not self.accept(":"):
            self.expect("]", " after a key")
            return Key(start)
        if start is nothing and self.sees("]"):
            raise self.unexpected("the start or the end of a slice")
        end = nothing if self.sees("]") else self.pipeline()
        self.expect("]", " after a slice")
        return Slice(start, end)

    def term(self) -> Node:
        position = self.here.position
        if self.here.kind == "field":
            return Identity(position)  # the field itself is a step
        read = self.TERMS.get(self.here.kind) or self.SIGNS.get(self.here.text)
        if read is None:
            raise self.unexpected("a value such as .name, $name, a number or a text")
        return read(self, position)

    def number(self, position: int) -> Node:
        text = self.advance().text
        return Literal(position, int(text) if text.isdigit() else min(float(text), MAX_FLOAT))

    def formatted(self, position: int) -> Node:
        name = self.advance().text
        if name == "sh":
            raise self.fail("@sh is refused: an expression does not build shell commands", position)
        if name not in FORMATS:
            raise self.fail(f"@{name} is not a format; there are @{', @'.join(FORMATS)}", position)
        return self.text(name) if self.here.kind == "quote" else Format(position, name)

    def plain_text(self, _position: int) -> Node:
        return self.text("text")

    def text(self, format_name: str) -> Node:
        position = self.advance().position
        parts: list[str | Node] = []
        while self.here.kind != "quote":
            if self.here.kind == "text":
                parts.append(self.advance().text)
                continue
            self.advance()
            parts.append(self.pipeline())
            if self.here.kind != ")":
                raise self.unexpected("')' after what is put into a text")
            self.advance()
        self.advance()
        if all(isinstance(part, str) for part in parts):
            return Literal(position, "".join(part for part in parts if isinstance(part, str)))
        return Text(position, parts, format_name)

    def use(self, position: int) -> Node:
        name = self.advance().text
        found = self.scope.find_variable(name)
        if found is None:
            reason = _REFUSED_VARIABLES.get(name, "it is not defined here")
            raise self.fail(f"${name} cannot be used: {reason}", position)
        return Use(position, found)

    def dot(self, position: int) -> Node:
        self.advance()
        return Identity(position)

    def descend(self, position: int) -> Node:
        self.advance()
        return Descend(position)

    def group(self, _position: int) -> Node:
        self.advance()
        inner = self.pipeline()
        self.expect(")")
        return inner

    def array(self, position: int) -> Node:
        self.advance()
        body = None if self.sees("]") else self.pipeline()
        self.expect("]", " at the end of an array")
        return Array(position, body)

    def name(self, position: int) -> Node:
        word = self.here.text
        if word == "if":
            return self.condition(position)
        if word in ("reduce", "foreach"):
            return self.loop(position)
        if word in _KEYWORDS:
            hint = "; put it into round brackets" if word in ("def", "label") else ""
            raise self.fail(f"{word!r} does not belong here{hint}")
        self.advance()
        if word == "break":
            name = self.expect_kind("variable", "the name of a label such as $out").text
            tag = self.scope.find_tag(name)
            if tag is None:
                raise self.fail(f"there is no label ${name} around this break", position)
            return Leave(position, tag)
        return self.call(word, position)

    def call(self, name: str, position: int) -> Node:
        arguments: list[Node] = []
        if self.accept("("):
            arguments.append(self.pipeline())
            while self.accept(";"):
                arguments.append(self.pipeline())
            self.expect(")", f" after the arguments of {name}; arguments are separated by ;")
        found = self.scope.find_call(name, len(arguments))
        if isinstance(found, Function):
            return Call(position, found, arguments)
        if isinstance(found, Parameter):
            return CallParameter(position, found)
        built = library.build(name, arguments, position, self.scope)
        if built is None:
            raise self.fail(library.unknown(name, len(arguments), self.scope.arities(name)), position)
        return built

    TERMS: Final[dict[str, Callable[["Terms", int], Node]]] = {
        "number": number,
        "quote": plain_text,
        "format": formatted,
        "variable": use,
        "name": name,
    }
    SIGNS: Final[dict[str, Callable[["Terms", int], Node]]] = {
        ".": dot,
        "..": descend,
        "(": group,
        "[": array,
        "{": Blocks.object,
    }
