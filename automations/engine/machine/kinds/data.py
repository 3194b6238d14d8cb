"""Tasks that work on data alone: set, raise, wait."""

from typing import Any

from automations.engine.dsl.program import Raise, Set, Wait
from automations.engine.errors import WorkflowError
from automations.engine.machine.core import finish
from automations.engine.machine.state import Run, Strand

Json = Any


def set_(run: Run, strand: Strand, task: Set, given: Json, arguments: dict[str, Json]) -> None:
    """Replace the data."""
    finish(run, strand, task, given, task.value(given, arguments), begin=run.now)


def raise_(_run: Run, _strand: Strand, task: Raise, given: Json, arguments: dict[str, Json]) -> None:
    """Raise the error that the task describes; `instance` is always where it was raised."""
    body = dict(task.error(given, arguments))
    body.pop("instance", None)
    raise WorkflowError.of(body)


def wait(run: Run, strand: Strand, task: Wait, given: Json, arguments: dict[str, Json]) -> None:
    """Wait; the output is the input."""
    length = task.duration(given, arguments)
    strand.pending = {"k": "wait", "b": run.now, "until": run.now + length, "i": given}
