"""What an expression may use up: steps for time, bytes for memory, a number of results."""

from typing import Any, Final

from automations.engine.dsl.jq.errors import OutOfFuel

STEPS: Final = 100_000
OUTPUTS: Final = 10_000
SIZE: Final = 16_000_000
MAX_CALLS: Final = 400
"""How many Python frames a program may stack: functions that call themselves, and what runs inside them."""


class Fuel:
    """A budget for one evaluation, drawn on by every loop, call and growing value.

    A step stands for at most a microsecond or two of work; size counts bytes made, whether kept or not.
    """

    __slots__ = ("outputs", "patterns", "searched", "size", "steps", "wild")

    def __init__(self, steps: int = STEPS, outputs: int = OUTPUTS, size: int = SIZE) -> None:
        self.steps = steps
        self.outputs = outputs
        self.size = size
        self.wild = False
        """Whether an infinity or a NaN came up, which JSON does not have."""
        self.searched = 0
        """Nanoseconds of processor time spent on regular expressions."""
        self.patterns: dict[tuple[str, str], Any] = {}
        """Regular expressions that were compiled on the way."""

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

    def spent(self) -> OutOfFuel:
        """The error that says which part of the budget is used up."""
        what = "makes too much data" if self.size < 0 else "takes too many steps"
        return OutOfFuel(f"the expression {what}")
