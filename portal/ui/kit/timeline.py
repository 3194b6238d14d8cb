"""Time as length: the bars of a run's steps, and swim lanes of events; SVG in percent, with words that say the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe

from portal.ui.kit import words
from portal.ui.kit.status import Look, look


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch in seconds from the start; `kind` is work, try (a failed one) or wait."""

    start: float
    end: float
    kind: str = "work"


@dataclass(frozen=True, slots=True)
class Step:
    """A row of the timeline: a step with its stretches, each failed try and each wait by itself."""

    id: str
    title: str
    state: str
    bars: Sequence[Bar]
    tries: int = 1
    chosen: bool = False

    @property
    def look(self) -> Look:
        """Colour, icon and word of its state."""
        return look(self.state)

    @property
    def start(self) -> float:
        """Seconds from the start of the run."""
        return min((bar.start for bar in self.bars), default=0.0)

    @property
    def took(self) -> float:
        """Seconds from its first stretch to the end of its last."""
        return max((bar.end for bar in self.bars), default=0.0) - self.start


@dataclass(frozen=True, slots=True)
class Drawn:
    """A row with its picture."""

    step: Step
    picture: SafeString


def gantt(steps: Sequence[Step], total: float) -> dict[str, Any]:
    """For `components/gantt.html`: rows with their pictures, and the axis; `total` is the run's length in seconds."""
    whole = total or 1.0
    return {
        "rows": [Drawn(step, _bars(step, whole)) for step in steps],
        "axis": [(f"{part * 20}%", words.duration(whole * part / 5)) for part in range(5)],
    }


def _bars(step: Step, whole: float) -> SafeString:
    grid = "".join(f'<line class="gl" x1="{at}%" x2="{at}%" y1="0" y2="22"/>' for at in range(0, 101, 20))
    drawn = "".join(_bar(bar, whole) for bar in sorted(step.bars, key=lambda bar: bar.kind != "wait"))
    label = f"{step.title}: {step.look.word}, +{words.duration(step.start)}, {words.duration(step.took)}"
    return mark_safe(  # noqa: S308 - numbers and class names; the label is escaped here
        f'<svg class="tr t-{step.look.tone}" role="img" aria-label="{conditional_escape(label)}">{grid}{drawn}</svg>'
    )


def _bar(bar: Bar, whole: float) -> str:
    start, width = bar.start / whole * 100, max((bar.end - bar.start) / whole * 100, 0.5)
    top, tall = (9, 4) if bar.kind == "wait" else (5, 12)
    return f'<rect class="{bar.kind}" x="{start:.2f}%" width="{width:.2f}%" y="{top}" height="{tall}" rx="{tall / 4}"/>'


@dataclass(frozen=True, slots=True)
class Mark:
    """An event on a lane, in seconds from the start; `tone` colours it."""

    at: float
    title: str
    tone: str = "info"


@dataclass(frozen=True, slots=True)
class Lane:
    """A system with its events; `gaps` are stretches in which something was expected and did not come."""

    title: str
    marks: Sequence[Mark]
    gaps: Sequence[tuple[float, float]] = ()


def lanes(rows: Sequence[Lane], total: float) -> list[tuple[Lane, SafeString]]:
    """For `components/lanes.html`: each lane with its picture on the shared axis."""
    whole = total or 1.0
    return [(lane, _lane(lane, whole)) for lane in rows]


def _lane(lane: Lane, whole: float) -> SafeString:
    gaps = "".join(
        f'<rect class="gap" x="{start / whole * 100:.2f}%" width="{(end - start) / whole * 100:.2f}%"'
        ' y="4" height="18" rx="4"/>'
        for start, end in lane.gaps
    )
    marks = "".join(
        f'<circle class="ev t-{mark.tone}" cx="{min(mark.at / whole * 98 + 1, 99):.2f}%" cy="13" r="5">'
        f"<title>{conditional_escape(mark.title)}</title></circle>"
        for mark in lane.marks
    )
    told = f"{lane.title}: " + ", ".join(f"{mark.title} +{words.duration(mark.at)}" for mark in lane.marks)
    axis = '<line class="ax" x1="0" x2="100%" y1="13" y2="13"/>'
    return mark_safe(  # noqa: S308 - numbers and class names; texts are escaped here
        f'<svg role="img" aria-label="{conditional_escape(told)}">{axis}{gaps}{marks}</svg>'
    )
