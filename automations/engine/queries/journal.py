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
_FAILED: Final = frozenset({"retrying", "caught", "faulted"})
_MOST_TRIES: Final = 400


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


class _Stretch:
    """A row of a journal: what happened is read at once, the data of a line when they are asked for."""

    def __init__(self, run_id: UUID, packed: bytes | memoryview) -> None:
        self._run_id, self._packed = run_id, packed
        told = apart.happenings(packed)
        self._whole: list[dict[str, Json]] | None = None
        self.lines = self._with_data() if told is None else told

    def line(self, number: int, *, data: bool, complete: bool = False) -> Mapping[str, Json]:
        """A line; with its `data`, and also `complete` with those that are kept apart, instead of a note of them."""
        if complete and apart.parts(self._packed):
            found: Mapping[str, Json] = whole(self._run_id, self._packed)[number]
            return found
        return self._with_data()[number] if data else self.lines[number]

    def _with_data(self) -> list[dict[str, Json]]:
        if self._whole is None:
            kept = apart.parts(self._packed)
            if any(len(part.path) < 2 for part in kept):  # a whole line, not a part of it
                self._whole, kept = whole(self._run_id, self._packed), []
            else:
                self._whole = apart.lines(self._packed)
            for part in kept:
                number, *path = part.path
                self._whole[int(number)].setdefault("kept", []).append(
                    Kept(tuple(path), part.digest, part.size)
                )
        return self._whole


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
        stretch = _Stretch(run_id, packed)
        for number, line in enumerate(stretch.lines):
            if line["n"] <= after or (problems and line["s"] not in PROBLEMS):
                continue
            found.append(step_of(stretch.line(number, data=True, complete=complete)))
            if len(found) >= most:
                return found
    return found


def tail(
    run_id: UUID,
    *,
    before: int | None = None,
    most: int = 50,
    problems: bool = False,
    ref: str = "",
    data: bool = True,
) -> list[Step]:
    """Up to `most` journal lines of a run in front of line `before`, newest first; only problems, or one task's.

    Without `data` only what happened is told, which is much less to read.
    """
    found: list[Step] = []
    for stretch in _backwards(run_id, before):
        for number in range(len(stretch.lines) - 1, -1, -1):
            line = stretch.lines[number]
            if (before is not None and line["n"] >= before) or (problems and line["s"] not in PROBLEMS):
                continue
            if ref and line["r"] != ref:
                continue
            found.append(step_of(stretch.line(number, data=data)))
            if len(found) >= most:
                return found
    return found


def _backwards(run_id: UUID, before: int | None) -> Iterator[_Stretch]:
    """The segments of a journal from the last (or from line `before`) to the first: few at first, then more at once."""
    size = 2
    while size:
        segments = Segment.objects.filter(run_id=run_id).order_by("-seq")
        if before is not None:
            segments = segments.filter(seq__lt=before)
        taken = list(segments.values_list("seq", "steps")[:size])
        for seq, packed in taken:
            stretch = _Stretch(run_id, packed)
            while before is not None and stretch.lines and stretch.lines[-1]["n"] >= before:
                stretch.lines.pop()  # asked for up to here; or rows were folded while we read, and it was told
            yield stretch
            before = seq
        if len(taken) < size:
            return
        size = min(size * 4, 128)


@dataclass(slots=True)
class Passage:
    """How often a run came by a task, how that ended last, and its stretches: (begin, end, what).

    What is a try (a failed one), a wait, or work. Failed tries and waits are all there, up to a number that no eye
    tells apart; work that follows work becomes one stretch where there is very much of it.
    """

    ref: str
    status: str = ""
    times: int = 0
    failed: int = 0
    first: float = 0.0
    last: float = 0.0
    spans: list[list[Any]] = field(default_factory=list)

    @property
    def begin(self) -> datetime:
        """When the run first came by."""
        return at(self.first)

    @property
    def end(self) -> datetime:
        """When it was last done with it."""
        return at(self.last)

    @property
    def stretches(self) -> list[tuple[datetime, datetime, str]]:
        """Each stretch of time."""
        return [(at(begin), at(end), what) for begin, end, what in self.spans]


def passages(run_id: UUID, *, most: int = 20_000, stretches: int = 40) -> dict[str, Passage]:
    """By task what a run did there, from its last `most` journal lines; tasks in the order in which it reached them."""
    back: list[list[dict[str, Json]]] = []
    count = 0
    for part in _backwards(run_id, None):
        back.append(part.lines)
        count += len(part.lines)
        if count >= most:
            break
    found: dict[str, Passage] = {}
    for lines in reversed(back):
        for line in lines:
            passage = found.get(line["r"])
            if passage is None:
                passage = found[line["r"]] = Passage(line["r"], first=line["b"])
            _pass(passage, line, stretches)
    return found


def _pass(passage: Passage, line: Mapping[str, Json], stretches: int) -> None:
    status, begin, end = line["s"], line["b"], line["e"]
    passage.times += 1
    spans = passage.spans
    if status == "completed":
        if len(spans) < stretches or spans[-1][2] != "work":
            spans.append([begin, end, "work"])
        else:
            spans[-1][1] = end
    elif status in _FAILED:
        passage.failed += 1
        if len(spans) < _MOST_TRIES:
            spans.append([begin, end, "try"])
            if status == "retrying" and line.get("w"):
                spans.append([end, end + line["w"], "wait"])
    elif status == "resumed" and passage.status == "faulted":
        spans.append([passage.last, begin, "wait"])  # for a person
    passage.status, passage.last = status, end


def line_count(run_id: UUID) -> int:
    """How many lines the journal of a run has."""
    last = Segment.objects.filter(run_id=run_id).order_by("-seq").values_list("seq", "steps").first()
    return last[0] + len(_Stretch(run_id, last[1]).lines) if last else 0


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
