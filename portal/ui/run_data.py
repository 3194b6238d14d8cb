"""The data of a run: shown shortened where they are long, and whole as a file."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpResponse
from django.urls import reverse

from automations.engine import queries
from automations.engine.models import Run
from automations.engine.queries import Kept, RunView, Step
from kernel import jsonx
from kernel.errors import NotFound
from portal.permissions import door
from portal.request import TenantRequest
from portal.ui.kit import words
from portal.ui.kit.pages import key_of

Json = Any
LONGEST: Final = 20_000
"""Characters of a value on a page."""
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_LINE: Final = re.compile(r"line-(\d{1,9})")


@dataclass(frozen=True, slots=True)
class Apart:
    """A part that the page does not show: its place in the value, its bytes, and where it is to be had."""

    place: str
    size: int
    url: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A value for `runs/value.html`: its text, whether that is the beginning alone, and what it leaves out."""

    text: str
    cut: bool
    url: str
    apart: Sequence[Apart] = ()


def of_run(view: RunView, what: str) -> Shown:
    """The input or the output of a run."""
    value, kept = (view.input, view.input_kept) if what == "input" else (view.output, view.output_kept)
    return shown(value, kept, view.public_id, what)


def of_step(step: Step, value: Json, members: frozenset[str], run: str) -> Shown:
    """A value of a journal's line; `members` are those of the line that it is made of."""
    kept = [Kept(part.path[1:], part.digest, part.size) for part in step.kept if part.path[0] in members]
    return shown(value, kept, run, f"line-{step.no}")


def shown(value: Json, kept: Sequence[Kept], run: str, what: str) -> Shown:
    """`value` as a page shows it; `what` names it in the address of the file."""
    text = jsonx.text(value, indent=True)
    return Shown(
        text=text[:LONGEST],
        cut=len(text) > LONGEST,
        url=reverse("runs:data", args=[run, what]),
        apart=[
            Apart(
                ".".join(str(part) for part in one.path) or words.NONE,
                one.size,
                reverse("runs:data", args=[run, one.digest]),
            )
            for one in kept
        ],
    )


@door("engine.read")
def data(request: TenantRequest, run: str, what: str) -> HttpResponse:
    """A value of a run as a file: its input or output, a line of its journal, or what is kept apart under a hash."""
    key = key_of("run", run)
    view = Run.objects.filter(pk=key).first()
    if view is None:
        raise NotFound
    value = _value(view, what)
    response = HttpResponse(jsonx.text(value, indent=True), content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="{view.public_id}-{what[:20]}.json"'
    return response


def _value(run: Run, what: str) -> Json:
    if what == "input":
        return queries.whole(run.id, run.input)
    if what == "output" and run.output:
        return queries.whole(run.id, run.output)
    if _DIGEST.fullmatch(what):
        found = queries.kept_value(run.id, what)
        if found is not None:
            return found
    line = _LINE.fullmatch(what)
    if line is not None:
        number = int(line[1])
        steps = queries.journal(run.id, after=number - 1, most=1, complete=True)
        if steps and steps[0].no == number:
            return _told(steps[0])
    raise NotFound


def _told(step: Step) -> Mapping[str, Json]:
    """A line with its data, under the names that the API gives them."""
    found = {
        "number": step.no,
        "step": step.ref,
        "status": step.status,
        "begin": step.begin.isoformat(),
        "end": step.end.isoformat(),
        "input": step.input,
        "output": step.output,
        "error": step.error,
        "request": step.request,
        "key": step.key or None,
        "before": step.before,
        "after": step.after,
    }
    return {name: value for name, value in found.items() if value is not None}
