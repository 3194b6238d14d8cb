"""Reads of a run's journal: its lines from either end, what passed where, how long it is."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import Max

from automations.engine.machine import apart
from automations.engine.machine.apart import Kept
from automations.engine.models import Blob, Definition, Run, Segment
from kernel import jsonx

Json = Any
PROBLEMS: Final = frozenset({"faulted", "retrying", "caught", "cancelled"})


@dataclass(frozen=True, slots=True)
class Step:
    """A line of a run's journal.

    `status`: completed, skipped, retrying, caught, faulted, resumed, cancelled, migrated.
    """

    no: int
    ref: str
    status: str
    begin: datetime
    end: datetime
    output: Json = None
    input: Json = None
    error: Mapping[str, Json] | None = None
    attempt: int = 0
    delay: float = 0.0
    request: Mapping[str, Json] | None = None
    key: str = ""
    http_status: int = 0
    case: str = ""
    by: str = ""
    reason: str = ""
    mode: str = ""
    before: Json = None
    after: Json = None
    decided: Mapping[str, str] | None = None
    kept: Sequence[Kept] = ()

    @property
    def name(self) -> str:
        """The task's name: the last part of its reference."""
        return self.ref.rsplit("/", 1)[-1]

    @property
    def problem(self) -> bool:
        """Whether something went wrong here."""
        return self.status in PROBLEMS


def journal(
    run_id: UUID, *, after: int = -1, most: int = 500, problems: bool = False, complete: bool = False
) -> list[Step]:
    """Up to `most` journal lines of a run behind line `after`, oldest first; with `problems`, only those.

    Values that are kept apart are noted; with `complete` they are there.
    """
    found: list[Step] = []
    segments = Segment.objects.filter(run_id=run_id).order_by("seq").values_list("seq", "steps")
    if after >= 0:
        start = Segment.objects.filter(run_id=run_id, seq__lte=after + 1).aggregate(seq=Max("seq"))["seq"]
        segments = segments.filter(seq__gte=start or 0)
    for _, packed in segments.iterator(chunk_size=50):
        for line in _lines(run_id, packed, complete=complete):
            if line["n"] <= after or (problems and line["s"] not in PROBLEMS):
                continue
            found.append(step_of(line))
            if len(found) >= most:
                return found
    return found


def tail(
    run_id: UUID, *, before: int | None = None, most: int = 50, problems: bool = False, ref: str = ""
) -> list[Step]:
    """Up to `most` journal lines of a run in front of line `before`, newest first; only problems, or one task's."""
    found: list[Step] = []
    for lines in _backwards(run_id, before):
        for line in reversed(lines):
            if (before is not None and line["n"] >= before) or (problems and line["s"] not in PROBLEMS):
                continue
            if ref and line["r"] != ref:
                continue
            found.append(step_of(line))
            if len(found) >= most:
                return found
    return found


def _backwards(run_id: UUID, before: int | None) -> Iterator[list[Mapping[str, Json]]]:
    """The segments of a journal from the last (or from line `before`) to the first: few at first, then more at once."""
    size = 2
    while size:
        segments = Segment.objects.filter(run_id=run_id).order_by("-seq")
        if before is not None:
            segments = segments.filter(seq__lt=before)
        taken = list(segments.values_list("seq", "steps")[:size])
        for _seq, packed in taken:
            yield _lines(run_id, packed)
        if len(taken) < size:
            return
        before, size = taken[-1][0], min(size * 4, 128)


def _lines(run_id: UUID, packed: bytes | memoryview, *, complete: bool = False) -> list[Mapping[str, Json]]:
    """The lines of a segment, with notes of what is kept apart (`kept`), or with `complete` as they were written."""
    lines, kept = ([], []) if complete else apart.outline(packed)
    if complete or any(len(part.path) < 2 for part in kept):
        found: list[Mapping[str, Json]] = whole(run_id, packed)
        return found
    for part in kept:
        number, *path = part.path
        lines[int(number)].setdefault("kept", []).append(Kept(tuple(path), part.digest, part.size))
    return list(lines)


@dataclass(slots=True)
class Passage:
    """How often a run came by a task, how that ended last, and the first stretches: (begin, end, what)."""

    ref: str
    status: str = ""
    times: int = 0
    failed: int = 0
    begin: datetime | None = None
    end: datetime | None = None
    stretches: list[tuple[datetime, datetime, str]] = field(default_factory=list)


def passages(run_id: UUID, *, most: int = 2_000, stretches: int = 40) -> dict[str, Passage]:
    """By task what a run did there, from its last `most` journal lines; tasks in the order in which it reached them."""
    back: list[list[Mapping[str, Json]]] = []
    for part in _backwards(run_id, None):
        back.append(part)
        if sum(map(len, back)) >= most:
            break
    lines = [line for part in reversed(back) for line in part]
    found: dict[str, Passage] = {}
    for line in lines[-most:]:
        passage = found.setdefault(line["r"], Passage(line["r"]))
        _pass(passage, line, stretches)
    return found


def _pass(passage: Passage, line: Mapping[str, Json], stretches: int) -> None:
    begin, end = at(line["b"]), at(line["e"])
    failed = line["s"] in ("retrying", "caught", "faulted")
    passage.status = line["s"]
    passage.times += 1
    passage.failed += failed
    passage.begin = passage.begin or begin
    passage.end = end
    if len(passage.stretches) < stretches and line["s"] not in ("skipped", "resumed"):
        passage.stretches.append((begin, end, "try" if failed else "work"))
        if line["s"] == "retrying" and line.get("w"):
            passage.stretches.append((end, at(line["e"] + line["w"]), "wait"))


def line_count(run_id: UUID) -> int:
    """How many lines the journal of a run has."""
    last = Segment.objects.filter(run_id=run_id).order_by("-seq").values_list("seq", "steps").first()
    return last[0] + len(_lines(run_id, last[1])) if last else 0


def kept_value(run_id: UUID, digest: str) -> Json:
    """What a run keeps apart under a hash; None if it keeps nothing there."""
    found = Blob.objects.filter(run_id=run_id, digest=digest).values_list("content", flat=True).first()
    return None if found is None else jsonx.unpack(found)


def whole(run_id: UUID, packed: bytes | memoryview) -> Json:
    """A packed value of a run, with what is kept apart of it."""
    wanted = [part.digest for part in apart.parts(packed)]
    found = Blob.objects.filter(run_id=run_id, digest__in=wanted).values_list("digest", "content")
    return apart.whole(packed, {digest: bytes(content) for digest, content in found} if wanted else {})


def document_of(run_id: UUID) -> Mapping[str, Json]:
    """The document that a run is pinned to; an empty one for a run that is not here."""
    pinned = Run.objects.filter(pk=run_id).values("definition_id")
    found: Mapping[str, Json] | None = (
        Definition.objects.filter(pk__in=pinned).values_list("document", flat=True).first()
    )
    return found or {}


def step_of(line: Mapping[str, Json]) -> Step:
    """A journal line as the machine wrote it, with names."""
    return Step(
        no=line["n"],
        ref=line["r"],
        status=line["s"],
        begin=at(line["b"]),
        end=at(line["e"]),
        output=line.get("o"),
        input=line.get("i"),
        error=line.get("x"),
        attempt=line.get("a", 0),
        delay=line.get("w", 0.0),
        request=line.get("q"),
        key=line.get("k", ""),
        http_status=line.get("h", 0),
        case=line.get("c", ""),
        by=line.get("by", ""),
        reason=line.get("why", ""),
        mode=line.get("m", ""),
        before=line.get("was"),
        after=line.get("now"),
        decided=line.get("d"),
        kept=line.get("kept", ()),
    )


def at(seconds: float) -> datetime:
    """An instant of a journal or a snapshot."""
    return datetime.fromtimestamp(seconds, UTC)
