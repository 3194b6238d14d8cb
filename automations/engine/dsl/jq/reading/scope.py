"""Which names are known where: variables, labels, functions and the filters they take."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, TypeVar

from automations.engine.dsl.jq.syntax import Binding, Formal, Function, Parameter, Tag, Variable

NOW: Final = "__now__"
"""The key of the environment that carries the present, in seconds since 1970."""

Known = Variable | Tag | Function | Parameter
B = TypeVar("B", bound=Binding)


class Scope:
    """The names known at one place of the source, and what each function needs from around it."""

    def __init__(self, variables: Iterable[str]) -> None:
        self.names: Mapping[str, Known] = {}
        """What is declared here: `$x` a variable, `*x` a label, `f/1` a function. Kept and put back by the parser."""
        self.used: dict[str, Variable] = {}
        """The variables of the environment that the program reads, by name."""
        self._offered = frozenset(variables)
        self._open: list[Function] = []
        self._functions: list[Function] = []
        self._count = 0

    def _slot(self) -> str:
        self._count += 1
        return f"x{self._count}"

    def variable(self, name: str) -> Variable:
        """Declares `$name` and hides what had that name before."""
        made = Variable(name, self._slot(), len(self._open))
        self.names = {**self.names, "$" + name: made}
        return made

    def hidden_variable(self) -> Variable:
        """A variable that no source can name."""
        return Variable("", self._slot(), len(self._open))

    def tag(self, name: str) -> Tag:
        """Declares the label `$name`."""
        made = Tag(name, self._slot(), len(self._open))
        self.names = {**self.names, "*" + name: made}
        return made

    def find_variable(self, name: str) -> Variable | None:
        """What `$name` means here, None if nothing."""
        found = self.names.get("$" + name)
        if isinstance(found, Variable):
            return self._reached(found)
        return self.environment(name) if name in self._offered else None

    def environment(self, name: str) -> Variable:
        """The variable of the environment called `name`."""
        if name not in self.used:
            self.used[name] = Variable(name, self._slot(), 0)
        return self._reached(self.used[name])

    def find_tag(self, name: str) -> Tag | None:
        """What the label `$name` means here, None if nothing."""
        found = self.names.get("*" + name)
        return self._reached(found) if isinstance(found, Tag) else None

    def find_call(self, name: str, arity: int) -> Function | Parameter | None:
        """The function or filter that a call means here, None if the program defines none."""
        found = self.names.get(f"{name}/{arity}")
        if isinstance(found, Parameter):
            return self._reached(found)
        if isinstance(found, Function):
            for around in self._open[found.level :]:
                around.calls.add(found)
            found.recursive = found.recursive or found in self._open
            return found
        return None

    def _reached(self, binding: B) -> B:
        """Notes that every function between `binding` and this place needs it."""
        for around in self._open[binding.level :]:
            around.captures.add(binding)
        return binding

    def define(self, name: str, formals: list[str], read_body: Callable[[Function], None]) -> None:
        """Declares a function; `formals` are `f` or `$f`. `read_body` reads its body where these are known."""
        function = Function(name, len(self._open))
        self._functions.append(function)
        outer = {**self.names, f"{name}/{len(formals)}": function}
        self.names = outer
        self._open.append(function)
        for formal in formals:
            plain = formal.lstrip("$")
            parameter = Parameter(plain, self._slot(), len(self._open))
            self.names = {**self.names, f"{plain}/0": parameter}
            function.formals.append(Formal(parameter, self.variable(plain) if formal != plain else None))
        read_body(function)
        self._open.pop()
        self.names = outer

    def arities(self, name: str) -> list[int]:
        """With how many arguments the functions called `name` that are known here can be called."""
        return [int(key.partition("/")[2]) for key in self.names if key.startswith(name + "/")]

    def settle(self) -> None:
        """Hands on what called functions need to those that call them, until nothing changes."""
        changed = True
        while changed:
            changed = False
            for function in self._functions:
                for called in function.calls:
                    needed = {one for one in called.captures if one.level <= function.level}
                    if not needed <= function.captures:
                        function.captures |= needed
                        changed = True
