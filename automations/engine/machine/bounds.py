"""Looking at what a run has used up: now and then, so that it costs a comparison a step."""

from typing import Final

from automations.engine.dsl.limits import MAX_JOURNAL, MAX_STEPS, MAX_UNWRITTEN, MEGABYTE
from automations.engine.errors import LimitReached
from automations.engine.machine.state import Run
from kernel import jsonx

_SELDOM: Final = 256
_BETWEEN: Final = 16 * MEGABYTE


def look(run: Run) -> None:
    """See whether the run is within its limits, and when to look again. Raises LimitReached.

    Of what it has made since its last checkpoint one line is weighed and taken for all since the last look: a loop's
    are alike. The heavier they are, the sooner is the next look.
    """
    if run.seq >= MAX_STEPS:
        raise LimitReached("steps", f"the run has {MAX_STEPS} steps")
    if run.journal > MAX_JOURNAL:
        raise LimitReached("journal", f"the run has written {MAX_JOURNAL // MEGABYTE} MB of steps")
    weight = len(jsonx.dumps(run.steps[-1])) if run.steps else 0
    run.unwritten += weight * min(len(run.steps), run.looked)
    if run.unwritten > MAX_UNWRITTEN:
        raise LimitReached(
            "journal", f"the run made more than {MAX_UNWRITTEN // MEGABYTE} MB without a pause"
        )
    run.looked = max(1, min(_SELDOM, _BETWEEN // (weight or 1)))
    run.look_at = min(run.seq + run.looked, MAX_STEPS)
