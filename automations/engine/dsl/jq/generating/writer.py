"""Writing Python: lines, blocks, and what each loop draws from the fuel."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple


class Cursor(NamedTuple):
    """Where generated code stands: the name of the variable with the current value.

    In a path expression also the names of its path and of the value that was found there (`anchor`); the path is
    broken once the two values differ. `loose`: the path may have been broken before, and then is None.
    """

    value: str
    path: str | None = None
    anchor: str | None = None
    loose: bool = False


@dataclass(frozen=True, slots=True)
class Then:
    """What to write for each result. `brief`: it is one line that cannot fail, so it may be written twice."""

    write: Callable[[Cursor], None]
    brief: bool = False

    def __call__(self, cursor: Cursor) -> None:
        self.write(cursor)


class Meter:
    """Counts the lines that run each time a loop goes round or a function is called."""

    __slots__ = ("lines",)

    def __init__(self) -> None:
        self.lines = 0

    @property
    def steps(self) -> int:
        """What they cost."""
        return 1 + self.lines // 3


class Routine:
    """A Python function while it is written."""

    def __init__(self, header: str, depth: str = "d + 1", indent: int = 1) -> None:
        self.header = header
        self.depth = depth
        """What a call from here passes as its depth."""
        self.blocks = 0
        """How many loops and `try` are open: Python takes 20."""
        self.indent = indent
        self._meter = Meter()
        self._lines: list[tuple[int, str, Meter | None]] = []

    def line(self, text: str) -> None:
        """Writes one line."""
        self._meter.lines += 1
        self._lines.append((self.indent, text, None))

    def metered(self, text: str, meter: Meter) -> None:
        """Writes a line in which `@@` stands for what `meter` will say."""
        self._lines.append((self.indent, text, meter))

    def draw(self) -> None:
        """Writes what draws the fuel for going round once."""
        self.metered("fuel.steps -= @@", self._meter)
        self._lines.append((self.indent, "if fuel.steps < 0: raise fuel.spent()", None))

    @contextmanager
    def block(self, header: str) -> Iterator[None]:
        """What is written inside belongs to `header`; a `try` counts as a block, an `if` does not."""
        counted = header.startswith(("try", "for ", "while "))
        self.line(header)
        self.indent += 1
        self.blocks += counted
        before = len(self._lines)
        yield
        if len(self._lines) == before:
            self.line("pass")
        self.blocks -= counted
        self.indent -= 1

    @contextmanager
    def loop(self, header: str, *, draws: bool = True) -> Iterator[None]:
        """A loop that draws fuel each time round, or whose header draws it in advance, in the place of `@@`."""
        outer, self._meter = self._meter, Meter()
        self.metered(header, self._meter)
        self.indent += 1
        self.blocks += 1
        before = len(self._lines)
        if draws:
            self.draw()
        yield
        if len(self._lines) == before:
            self.line("pass")
        self.blocks -= 1
        self.indent -= 1
        self._meter = outer
        self._meter.lines += 1

    def text(self) -> str:
        """The finished function."""
        parts = [self.header]
        for indent, text, meter in self._lines:
            parts.append(" " * indent + (text if meter is None else text.replace("@@", str(meter.steps))))
        return "\n".join(parts)
