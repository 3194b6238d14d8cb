"""Taking a run that stands still over to another version of its workflow: every place that it is in must be there, too.

Places are found by the names on the way to them, so that a step that was put in before does not matter. A step has to
be of the same kind, and must not wait for anything else than what the run waits for.
"""

import copy
from collections.abc import Mapping
from typing import Any, Final

from automations.engine.dsl.program import For, Fork, Listen, Map, Program, Task, TaskList, Try
from automations.engine.errors import CannotMigrate, gettext_noop

Json = Any
Names = tuple[str, ...]
_OTHER_KIND: Final = gettext_noop("In the new version the step “%(name)s” is of another kind.")
_OTHER_EVENTS: Final = gettext_noop("In the new version the step “%(name)s” listens for other events.")
_OTHER_BRANCHES: Final = gettext_noop("In the new version the step “%(name)s” has other branches.")
_OTHER_NAMES: Final = gettext_noop(
    "In the new version the variables of the step “%(name)s” have other names."
)
_NO_STEP: Final = gettext_noop("The new version has no step “%(name)s” there.")


def moved(snapshot: Mapping[str, Json], old: Program, new: Program) -> dict[str, Json]:
    """The snapshot of a run of `old` as one of `new`. Raises CannotMigrate with the reason."""
    move = _Move(old, new)
    found = {**snapshot, "r": []}
    found["s"] = [move.strand(strand) for strand in snapshot["s"]]
    return found


def place(old: Program, new: Program, ref: str) -> str:
    """Where a step of `old` is in `new`. Raises CannotMigrate."""
    return _Move(old, new).ref(ref)


class _Move:
    """From the places of one program to those of another."""

    def __init__(self, old: Program, new: Program) -> None:
        self.old, self.new = old, new
        self._names = {ref: _names(old, ref) for ref in old.lists}
        self._lists = {_names(new, ref): tasks for ref, tasks in new.lists.items()}

    def strand(self, strand: list[Json]) -> list[Json]:
        """A strand of the snapshot, with its frames and what it waits for."""
        key, parent, data, context, count, pending, frames = strand
        placed = [self._frame(frame, inner) for frame, inner in zip(frames, [*frames[1:], None], strict=True)]
        waits = copy.deepcopy(pending)
        if frames and pending is not None:
            self._waiting(frames[-1], waits)
        return [key, parent, data, context, count, waits, placed]

    def ref(self, ref: str) -> str:
        """The reference of the same step in the other version."""
        holder, _, name = ref.rpartition("/")
        holder, _, place_ = holder.rpartition("/")
        tasks = self.old.lists.get(holder)
        if tasks is None or not place_.isdigit() or name not in tasks.index:
            raise CannotMigrate(gettext_noop("The place %(place)s is unknown."), place=ref)
        return self._task(holder, tasks.index[name])[1].ref

    def _frame(self, frame: list[Json], inner: list[Json] | None) -> list[Json]:
        kind, ref, index, given, raw, local, deadline, *more = frame
        over = self._list(ref)
        if index >= len(self.old.lists[ref].tasks):
            at = len(over.tasks)
        else:
            before, after = self._task(ref, index)
            at = over.index[after.name]
            if inner is not None:
                _require_same_way(before, after)
        return [kind, over.ref, at, given, raw, local, deadline, *more]

    def _list(self, ref: str) -> TaskList:
        found = self._lists.get(self._names[ref]) if ref in self._names else None
        if found is None:
            raise CannotMigrate(
                gettext_noop("The new version has no list of steps at “%(place)s”."),
                place="/".join(self._names.get(ref, (ref,))),
            )
        return found

    def _task(self, ref: str, index: int) -> tuple[Task, Task]:
        """The step at a place of a list of the old version, and the one that stands for it in the new one."""
        before, over = self.old.lists[ref].tasks[index], self._list(ref)
        if before.name not in over.index:
            raise CannotMigrate(_NO_STEP, name=before.name)
        after = over.tasks[over.index[before.name]]
        if type(before) is not type(after) or before.kind != after.kind:
            raise CannotMigrate(_OTHER_KIND, name=before.name)
        return before, after

    def _waiting(self, frame: list[Json], pending: dict[str, Json]) -> None:
        """What the strand waits for must be what the step of the new version waits for."""
        kind, (_, ref, index, *_rest) = pending["k"], frame
        if index >= len(self.old.lists[ref].tasks):
            return
        before, after = self._task(ref, index)
        if kind == "call":
            raise CannotMigrate(gettext_noop("It has asked another system and waits for the answer."))
        if kind in ("listen", "brood", "fork"):
            _require_same_way(before, after)
        if kind == "fault" and "instance" in pending["e"]:
            pending["e"]["instance"] = self.ref(pending["e"]["instance"])


def _require_same_way(before: Task, after: Task) -> None:
    """A step that the run is inside of, or that has begun, must go on as it began. Raises CannotMigrate."""
    if isinstance(before, Listen) and before.source.get("listen") != after.source.get("listen"):
        raise CannotMigrate(_OTHER_EVENTS, name=before.name)
    if isinstance(before, Fork) and _shape(before) != _shape(after):
        raise CannotMigrate(_OTHER_BRANCHES, name=before.name)
    for kind, names in ((For, ("each", "at")), (Try, ("error_as",)), (Map, ("each", "at", "collect"))):
        if isinstance(before, kind) and any(getattr(before, one) != getattr(after, one) for one in names):
            raise CannotMigrate(
                _OTHER_NAMES,
                name=before.name,
            )


def _shape(fork: Any) -> tuple[int, bool]:
    return len(fork.branches), fork.compete


def _names(program: Program, ref: str) -> Names:
    """The way to a list by names, without the places that change when a step is put in before."""
    parts, way, at = ref.split("/")[1:], [], ""
    for part, following in zip(parts, [*parts[1:], ""], strict=True):
        at += f"/{part}"
        if f"{at}/{following}" not in program.tasks:
            way.append(part)
    return tuple(way)
