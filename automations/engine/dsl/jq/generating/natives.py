"""Code for calls of built-in functions that take values."""

from typing import Final

from automations.engine.dsl.jq.builtins.patterns import FLAGS, Pattern
from automations.engine.dsl.jq.generating.generator import Generator, generates
from automations.engine.dsl.jq.generating.writer import Cursor, Then
from automations.engine.dsl.jq.syntax import CallNative, Literal, Node

_WITH_PATTERN: Final = frozenset(
    [
        "test/1",
        "test/2",
        "match/1",
        "match/2",
        "capture/1",
        "capture/2",
        "scan/1",
        "scan/2",
        "splits/1",
        "splits/2",
        "split/2",
    ]
)


@generates(CallNative)
def call_native(to: Generator, node: CallNative, cursor: Cursor, then: Then) -> None:
    native = node.native
    function = f"native_{native.name.replace('/', '_')}"
    to.constants[function] = native.call

    arguments = prepared(native.name, node.arguments)
    step = -1 if native.last_first else 1

    def write(found: list[str]) -> None:
        text = f"{function}({', '.join(['fuel', cursor.value, *found[::step]])})"
        if native.many:
            to.each_of(text, Cursor(cursor.value), then)
        else:
            then(Cursor(to.assign(text)))

    to.values(arguments[::step], cursor, write)


def prepared(name: str, arguments: list[Node]) -> list[Node]:
    """The arguments, with a regular expression that is written out replaced by one that stays compiled."""
    if name not in _WITH_PATTERN or not all(isinstance(argument, Literal) for argument in arguments):
        return arguments
    regex, *flags = [argument.value for argument in arguments if isinstance(argument, Literal)]
    letters = flags[0] or "" if flags else ""
    if not isinstance(regex, str) or not isinstance(letters, str) or not set(letters) <= FLAGS:
        return arguments  # refused when it runs, and may be caught there
    return [Literal(arguments[0].position, Pattern(regex, letters)), *arguments[1:]]
