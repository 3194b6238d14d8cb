"""Exports: events as lines that prove themselves offline, whole logs and parts of them, alone or with a table.

What an export leaves out is there as hashes of subtrees, so that the root still comes out: a search result of three
events of a million is proved by some sixty hashes.
"""

import csv
import io
import itertools
import zipfile
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Final
from uuid import UUID

from django.db import transaction

from kernel import proof
from kernel.actor import Actor
from kernel.clock import rfc3339
from kernel.errors import PortalError
from tenants.audit import contract, queries, store
from tenants.audit.actions.recording import record
from tenants.audit.actions.sealing import verifying_keys
from tenants.audit.models import AuditCheckpoint, AuditLeaf

_CHECKPOINTS: Final = 2_000
"""More than that are thinned out: each costs whoever verifies a signature."""
MOST: Final = 100_000
"""Events in a download; `manage.py audit_export` knows no such bound."""
README: Final = """How to verify this export, without network and without us

  python3 verify.py events.jsonl --csv events.csv --key keys.txt

verify.py is one file that needs Python 3.11 and nothing else. Compare the line in keys.txt with one that you kept
from before, and add `--head FILE` with the last checkpoint that you saw: then also a log that was rolled back or
rewritten and signed again is found.
"""


class NothingSealed(PortalError):
    """Nothing has been sealed here yet. Try again in a few seconds."""

    code = "nothing_sealed"
    status = 409
    benign = True


class TooManyEvents(PortalError):
    """That is more than one download holds. Choose a shorter time, or let an operator run `audit_export`."""

    code = "too_many_events"
    status = 422
    benign = True


def whole(point: AuditCheckpoint) -> Iterator[bytes]:
    """The lines of a complete export up to `point`, each checkpoint behind the events that it covers."""
    yield _header(point, complete=True)
    sizes = _sizes(point.size)
    for row in store.all_rows(point.size):
        yield _line(row)
        if row.leaf.seq + 1 in sizes:
            yield _note(AuditCheckpoint.objects.get(size=row.leaf.seq + 1))


def part(point: AuditCheckpoint, rows: Any, filters: Mapping[str, str], head: int = 0) -> Iterator[bytes]:
    """The lines of the events of queryset `rows` that `point` covers, and hashes of what stands between them.

    With `head`, the size of a checkpoint that the reader has, the hashes leave a joint there for comparing.
    """
    yield _header(point, complete=False, filters=dict(filters))
    levels, at = store.Levels(point.size), 0
    joints = [head] if 0 < head < point.size else []
    for row in _wanted(point.size, rows):
        for start, level in _between(at, row.leaf.seq, joints):
            yield contract.other_line(skip=[start, level, levels.hash(start, level).hex()])
        yield _line(row)
        at = row.leaf.seq + 1
    for start, level in _between(at, point.size, joints):
        yield contract.other_line(skip=[start, level, levels.hash(start, level).hex()])
    yield _note(point)


def lines_from(start: int, limit: int) -> list[tuple[int, str]]:
    """(number, line) of sealed events from `start` on, up to the last checkpoint."""
    point = store.last_checkpoint()
    end = min(start + limit, point.size if point else 0)
    rows = store.sealed_rows(AuditLeaf.objects.filter(seq__gte=start, seq__lt=end).order_by("seq"))
    return [(row.leaf.seq, _line(row).decode().rstrip("\n")) for row in rows]


def _wanted(size: int, rows: Any) -> Iterator[store.Sealed]:
    """The leaves of `rows`, in order, and those of the acts that erased personal data of some of them."""
    keys = list(rows.order_by().values_list("id", flat=True))
    leaves = list(AuditLeaf.objects.filter(event_id__in=keys, seq__lt=size).order_by("seq"))
    erased = [leaf.event_id for leaf in leaves if not leaf.salt]
    if erased:
        acts = queries.erasures_of(erased).exclude(pk__in=keys).values_list("id", flat=True)
        leaves += AuditLeaf.objects.filter(event_id__in=list(acts), seq__lt=size)
        leaves.sort(key=lambda leaf: leaf.seq)
    for start in range(0, len(leaves), 2_000):
        yield from store.sealed_rows(leaves[start : start + 2_000])


def _between(start: int, end: int, joints: list[int]) -> Iterator[tuple[int, int]]:
    cuts = [start, *(joint for joint in joints if start < joint < end), end]
    for low, high in itertools.pairwise(cuts):
        yield from store.blocks(low, high)


def _header(point: AuditCheckpoint, **more: Any) -> bytes:
    origin = point.note.partition("\n")[0]
    return contract.other_line(audit_export=proof.FORMAT, origin=origin, size=point.size, **more)


def _line(row: store.Sealed) -> bytes:
    """An event; where its row is gone, its hash: a complete log has no such line, and whoever verifies finds it."""
    if row.event is None:
        return contract.other_line(skip=[row.leaf.seq, 0, bytes(row.leaf.hash).hex()])
    return contract.line(row.event, row.leaf)


def _note(point: AuditCheckpoint) -> bytes:
    return contract.other_line(checkpoint=point.note)


def _sizes(last: int) -> set[int]:
    found = list(
        AuditCheckpoint.objects.filter(size__lte=last).order_by("size").values_list("size", flat=True)
    )
    return {*found[:: max(1, len(found) // _CHECKPOINTS)], last}


def export(
    *,
    kind: str,
    out: IO[bytes],
    filters: Mapping[str, Any],
    partner_id: UUID | None,
    head: int = 0,
    most: int | None = MOST,
    actor: Actor,
    now: datetime,
) -> int:
    """Write the events that match `filters` into `out`: `jsonl`, or `zip` with a table, the keys and the verifier.

    What is written ends at the last checkpoint. Returns how many events there are. Raises NothingSealed, and
    TooManyEvents beyond `most`.
    """
    actor.require("audit.read")
    point = store.last_checkpoint()
    if point is None:
        raise NothingSealed
    rows = queries.trail(**filters, partner_id=partner_id)
    if most is not None and rows[: most + 1].count() > most:
        raise TooManyEvents
    shown = {name: _said(value) for name, value in filters.items() if value}
    complete = not shown and partner_id is None
    lines = whole(point) if complete else part(point, rows, shown, head)
    count = _write_zip(lines, out, point) if kind == "zip" else _write(lines, out)
    with transaction.atomic():
        record(
            actor=actor,
            action="audit.export",
            obj=("audit", point.note.partition("\n")[0][:80], "Audit log"),
            now=now,
            after={"events": count, "as": kind, "filters": shown, "up_to": point.size},
            partner_id=partner_id,
        )
    return count


def _said(value: Any) -> str:
    return rfc3339(value) if isinstance(value, datetime) else str(value)


def _write(lines: Iterator[bytes], out: IO[bytes]) -> int:
    count = 0
    for line in lines:
        count += line.startswith(b'{"event"')
        out.write(line)
    return count


def _write_zip(lines: Iterator[bytes], out: IO[bytes], point: AuditCheckpoint) -> int:
    """A folder that is understood without this portal."""
    table = io.StringIO(newline="")
    cells = csv.writer(table)
    cells.writerow(proof.COLUMNS)
    count = 0
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as folder:
        with folder.open("events.jsonl", "w", force_zip64=True) as file:
            for line in lines:
                file.write(line)
                if line.startswith(b'{"event"'):
                    cells.writerow(proof.csv_row(line))
                    count += 1
        folder.writestr("events.csv", "\ufeff" + table.getvalue())
        folder.writestr("checkpoint.txt", point.note)
        folder.writestr("keys.txt", "".join(f"{key}\n" for key in verifying_keys(store.schema())))
        folder.writestr("verify.py", Path(proof.__file__).read_bytes())
        folder.writestr("README.txt", README)
    return count
