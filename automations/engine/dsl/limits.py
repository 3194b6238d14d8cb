"""What one run, one step and one event may use up. Each limit has a code in the error that names it: `limit_<name>`."""

from typing import Final

MEGABYTE: Final = 1024 * 1024

MAX_STEPS: Final = 100_000
"""`steps`: lines of a run's journal."""
MAX_JUMPS: Final = 10_000
"""`jumps`: times that one list goes back."""
MAX_ITEMS: Final = 10_000
"""`items`: what `for` and `map` take at once."""
MAX_BRANCHES: Final = 1_000
"""`branches`: of all forks of a run that are open at a time."""
MAX_DEPTH: Final = 32
"""`depth`: lists that a run is inside of, one in another."""
MAX_HOPS: Final = 16
"""`hops`: runs and events in a chain; a flow that starts itself ends here."""
MAX_STARTS: Final = 100
"""`starts`: runs that one event starts."""
MAX_RATE: Final = 1_000
"""`rate`: runs of one workflow a minute that other runs caused, some hops from any outside cause."""
MAX_JOURNAL: Final = 20 * MEGABYTE
"""`journal`: what a run writes down, packed; large values, which are kept apart, not counted."""
MAX_UNWRITTEN: Final = 256 * MEGABYTE
"""`journal`, too: what a run makes between two checkpoints, by estimate, so that no worker runs out of memory."""
MAX_VALUE: Final = 32 * MEGABYTE
"""`value`: one value as JSON."""
MAX_EVENT: Final = MEGABYTE
"""`event`: the data of one event that a run emits."""
MAX_AGE: Final = 366 * 86_400.0
"""`age`: seconds from a run's start."""
