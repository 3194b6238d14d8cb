"""What can be said of a part of an expression before it runs: how many results, how big, which names it needs."""

from collections.abc import Iterable, Iterator
from math import inf
from typing import Final

from automations.engine.dsl.jq.syntax import (
    Access,
    Array,
    ArrayPattern,
    Assign,
    Bind,
    Binding,
    Call,
    CallNative,
    CallParameter,
    Chain,
    Comma,
    Compare,
    Default,
    Descend,
    Each,
    Empty,
    Foreach,
    Form,
    Function,
    Identity,
    If,
    Key,
    Label,
    Leave,
    Literal,
    Logic,
    Negate,
    Node,
    Object,
    ObjectPattern,
    Pattern,
    Pipe,
    Reduce,
    Step,
    Text,
    Try,
    Use,
    pattern_variables,
)

_KEYED: Final = frozenset({"sort_by", "group_by", "unique_by", "min_by", "max_by"})
_SCALAR_FORMS: Final = frozenset({"not", "isempty", "any", "all"})


def step_parts(step: Step) -> tuple[Node, ...]:
    """The expressions inside a step."""
    if isinstance(step, Key):
        return (step.key,)
    return () if isinstance(step, Each) else (step.start, step.end)


def pattern_parts(pattern: Pattern) -> Iterator[Node]:
    """The expressions inside a pattern: the keys of its objects."""
    if isinstance(pattern, ArrayPattern):
        for item in pattern.items:
            yield from pattern_parts(item)
    elif isinstance(pattern, ObjectPattern):
        for _, key, inner in pattern.entries:
            yield key
            if inner:
                yield from pattern_parts(inner)


def parts(node: Node) -> list[Node]:  # noqa: C901, PLR0912 - one line for each kind of node
    """The expressions directly inside `node`, without those of its patterns."""
    match node:
        case Text():
            return [part for part in node.parts if not isinstance(part, str)]
        case Access():
            return [node.base, *(part for step in node.steps for part in step_parts(step))]
        case Array():
            return [node.body] if node.body else []
        case Object():
            return [part for entry in node.entries for part in entry]
        case Negate():
            return [node.operand]
        case Pipe():
            return node.stages
        case Comma() | Logic() | Default():
            return node.items
        case Chain():
            return [node.first, *(item for _, item in node.rest)]
        case Compare():
            return [node.left, node.right]
        case If():
            return [node.test, node.yes, node.no]
        case Try():
            return [node.body, node.handler] if node.handler else [node.body]
        case Bind():
            return [node.source, node.body]
        case Reduce():
            return [node.source, node.start, node.update]
        case Foreach():
            return [node.source, node.start, node.update, node.extract]
        case Label():
            return [node.body]
        case Call() | CallNative() | Form():
            return node.arguments
        case Assign():
            return [node.target, node.value]
        case _:
            return []


class Shapes:
    """Answers about the nodes of one program, each worked out once."""

    def __init__(self) -> None:
        self._single: dict[Node, bool] = {}
        self._bodies: dict[Function, bool] = {}
        self._nesting: dict[Node, int] = {}
        self._needs: dict[Node, frozenset[Binding]] = {}

    def single(self, node: Node) -> bool:
        """Whether `node` gives exactly one result, or fails."""
        found = self._single.get(node)
        if found is None:
            found = self._single[node] = self._is_single(node)
        return found

    def all_single(self, nodes: Iterable[Node]) -> bool:
        """Whether each of `nodes` is single."""
        return all(map(self.single, nodes))

    def _is_single(self, node: Node) -> bool:
        match node:
            case Empty() | Descend() | Comma() | Label() | Leave() | CallParameter() | Foreach():
                return False
            case Array():
                return True
            case Access():
                steps = all(not step.optional and not isinstance(step, Each) for step in node.steps)
                return steps and self.all_single(parts(node))
            case Try():
                return node.handler is not None and self.all_single(parts(node))
            case Default():
                return self.single(node.items[-1]) and self.all_single(node.items)
            case Bind():
                return self._binds_once(node.patterns) and self.all_single(parts(node))
            case Reduce():
                return self.single(node.start)
            case Assign():
                return node.operator == "|=" or self.single(node.value)
            case Call():
                return self._body_is_single(node.function) and self._plain_arguments(node)
            case CallNative():
                return not node.native.many and self.all_single(node.arguments)
            case Form():
                return self._form_is_single(node)
            case _:
                return self.all_single(parts(node))

    def _binds_once(self, patterns: list[Pattern]) -> bool:
        return len(patterns) == 1 and self.all_single(pattern_parts(patterns[0]))

    def _body_is_single(self, function: Function) -> bool:
        if function.recursive:
            return False
        if function not in self._bodies:
            self._bodies[function] = function.body is not None and self.single(function.body)
        return self._bodies[function]

    def _plain_arguments(self, call: Call) -> bool:
        """Whether all arguments that the function takes as values are single."""
        pairs = zip(call.function.formals, call.arguments, strict=True)
        return all(self.single(argument) for formal, argument in pairs if formal.variable)

    def _form_is_single(self, node: Form) -> bool:
        if node.name in ("getpath", "until"):
            return self.all_single(node.arguments)
        if node.name == "walk" and self.single(node.arguments[0]):
            return True
        return node.name in _SCALAR_FORMS or node.name in _KEYED or node.name in ("pick", "del")

    def nesting(self, node: Node) -> int:
        """How many loops and the like generated code nests for `node`, at most."""
        found = self._nesting.get(node)
        if found is None:
            found = self._nesting[node] = self._count_nesting(node)
        return found

    def _count_nesting(self, node: Node) -> int:
        below = [self.nesting(part) for part in parts(node)]
        for pattern in getattr(node, "patterns", ()):
            below += [self.nesting(part) for part in pattern_parts(pattern)]
        if isinstance(node, Access):
            below += [1] * sum(isinstance(step, Each) for step in node.steps)
        own = 0 if isinstance(node, Identity | Literal | Use | Access | Pipe | Compare | Chain) else 1
        if self.single(node):
            return own + max(below, default=0)
        return own + sum(below)

    def needs(self, node: Node) -> frozenset[Binding]:
        """The variables, filters and labels from around `node` that it uses."""
        found = self._needs.get(node)
        if found is None:
            found = self._needs[node] = self._find_needs(node)
        return found

    def _find_needs(self, node: Node) -> frozenset[Binding]:
        found: set[Binding] = set()
        for part in parts(node):
            found |= self.needs(part)
        match node:
            case Use():
                found.add(node.variable)
            case CallParameter():
                found.add(node.parameter)
            case Leave():
                found.add(node.tag)
            case Label():
                found.discard(node.tag)
            case Call():
                found |= node.function.captures
            case Bind() | Reduce() | Foreach():
                for pattern in node.patterns:
                    for part in pattern_parts(pattern):
                        found |= self.needs(part)
                    found.difference_update(pattern_variables(pattern))
        return frozenset(found)


def growth(node: Node, *, looped: bool = False) -> float:
    """How many times its input, at most, the results of `node` together are as big; infinite if unknown.

    `looped`: whether `node` may run more often than once for the input.
    """
    match node:
        case Identity() | Compare() | Logic() | Empty() | Leave() | Negate() | Text():
            return 1
        case Literal():
            return inf if looped and isinstance(node.value, str) and len(node.value) > 100 else 1
        case Use():
            return inf if looped else 1
        case Pipe():
            return _piped(node.stages, looped=looped)
        case CallNative():
            return 1 if node.native.small else inf
        case Form():
            return 1 if node.name in _SCALAR_FORMS else 2 if node.name in _KEYED else inf
        case Access():
            keys = [part for step in node.steps for part in step_parts(step)]
            return inf if any(map(_loops, keys)) else growth(node.base, looped=looped)
        case If():
            return growth(node.yes, looped=looped) + growth(node.no, looped=looped)
        case Object():
            return 1 + sum(growth(part, looped=looped) for _, part in node.entries)
        case Assign():
            return _assigned(node, looped=looped)
        case Array() | Comma() | Default() | Chain() | Try():
            return 1 + sum(growth(part, looped=looped) for part in parts(node))
        case _:
            return inf


def _piped(stages: list[Node], *, looped: bool) -> float:
    times = 1.0
    for stage in stages:
        times *= growth(stage, looped=looped)
        looped = looped or _loops(stage)
    return times


def _assigned(node: Assign, *, looped: bool) -> float:
    if not _is_path(node.target):
        return inf
    if node.operator == "|=":
        return 1 + growth(node.value, looped=True)
    if _loops(node.target) and not isinstance(node.value, Literal | Compare | Logic):
        return inf
    return 1 + growth(node.value, looped=looped)


def _is_path(node: Node) -> bool:
    """Whether `node` is a path of keys and items that leads to no place twice."""
    if isinstance(node, Access):
        return isinstance(node.base, Identity) and not any(
            _loops(part) for step in node.steps for part in step_parts(step)
        )
    if isinstance(node, Pipe):
        return all(map(_is_path, node.stages))
    return isinstance(node, Identity) or (
        isinstance(node, If) and isinstance(node.no, Empty) and _is_path(node.yes)
    )


def _loops(node: Node) -> bool:
    """Whether `node` may give more than one result."""
    if isinstance(node, Access) and any(isinstance(step, Each) for step in node.steps):
        return True
    return isinstance(node, Comma) or (not isinstance(node, Array) and any(map(_loops, parts(node))))
