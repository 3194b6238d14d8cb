"""What an expression may use up: steps for time, bytes for memory, a number of results."""

from typing import Any, Final

from automations.engine.dsl.jq.errors import OutOfFuel

MAX_CALLS: Final = 400
"""How many Python frames a program may stack: functions that call themselves, and what runs inside them."""
MAX_SEARCHED: Final = 50_000_000


class Fuel:
    """A budget for one evaluation, drawn on by every loop, call and growing value.

    A step stands for at most a microsecond or two of work; size counts bytes made, whether kept or not.
    """

    steps: int = 100_000
    outputs: int = 10_000
    size: int = 24_000_000
    wild: bool = False
    """Whether an infinity or a NaN came up, which JSON does not have."""
    searched: int = 0
    """Nanoseconds of processor time spent on regular expressions."""
    patterns: dict[tuple[str, str], Any] | None = None
    """Regular expressions that were compiled on the way."""

    def __init__(self, steps: int = steps, outputs: int = outputs, size: int = size) -> None:
        self.steps = steps
        self.outputs = outputs
        self.size = size

    def step(self, count: int) -> None:
        """Draws `count` steps. Raises OutOfFuel."""
        self.steps -= count
        if self.steps < 0:
            raise self.spent()

    def grow(self, size: int) -> None:
        """Draws `size` bytes, and the steps it takes to write them. Raises OutOfFuel before they are made."""
        self.size -= size
        self.steps -= size >> 12
        if self.size < 0 or self.steps < 0:
            raise self.spent()

    def search(self, nanoseconds: int) -> None:
        """Draws on the time for regular expressions, of which 50 ms are given. Raises OutOfFuel."""
        self.searched += nanoseconds
        if self.searched > MAX_SEARCHED:
            raise OutOfFuel("the expression takes too long to search texts")

    def spent(self) -> OutOfFuel:
        """The error that says which part of the budget is used up."""
        what = "makes too much data" if self.size < 0 else "takes too many steps"
        return OutOfFuel(f"the expression {what}")


def full() -> Fuel:
    """A full budget; what every evaluation starts with, so it costs as little as can be."""
    return _new(Fuel)


_new: Final = object.__new__
