"""A compiled workflow as nodes and edges for the graph: what starts it, its steps, its branches, its end.

A node's id is the reference of its task, so that whoever knows a run can say of each step how it went.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from automations.engine.dsl.program import (
    END,
    EXIT,
    CallFunction,
    Do,
    For,
    Fork,
    Program,
    Raise,
    Switch,
    Task,
    TaskList,
    Try,
)
from portal.ui.kit.graph import Edge, Node

START: Final = "start"
FINISH: Final = "end"
_ICONS: Final[Mapping[str, tuple[str, str]]] = {
    "set": ("step_data", "wrench"),
    "switch": ("step_choice", "git-branch"),
    "call": ("step_call", "plug"),
    "listen": ("step_listen", "hourglass"),
    "wait": ("step_wait", "timer"),
    "emit": ("step_tell", "bell"),
    "raise": ("step_case", "octagon-alert"),
    "for": ("step_repeat", "rotate-cw"),
    "fork": ("step_fork", "git-branch"),
    "run": ("step_run", "workflow"),
}
_CASE: Final = ("step_case", "inbox")
_WORDS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[-_]")
Loose = list[tuple[str, str]]
"""Ends that wait for what comes next: (node, word on the edge)."""


@dataclass(frozen=True, slots=True)
class Flow:
    """The picture of a workflow."""

    nodes: list[Node] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)


def flow(program: Program, *, starts: Sequence[str] = (), seen: Mapping[str, Node] | None = None) -> Flow:
    """The flow of `program`; `starts` are words for what starts it, `seen` gives the nodes of steps that a run took."""
    drawing = _Drawing(seen or {})
    drawing.node(START, starts[0] if starts else _("By hand"), "step_start", "webhook")
    if len(starts) > 1:
        more = _("or %(count)s more") % {"count": len(starts) - 1}
        drawing.flow.nodes[0] = replace(drawing.flow.nodes[0], note=more)
    loose = drawing.chain(program.root, [(START, "")])
    drawing.close(loose + drawing.ended)
    return drawing.flow


def title_of(task: Task) -> str:
    """What people call a step: its title, else its name as words."""
    given = task.metadata.get("title")
    return str(given) if given else _WORDS.sub(" ", task.name).strip().capitalize()


class _Drawing:
    """Walks the lists of a program once."""

    def __init__(self, seen: Mapping[str, Node]) -> None:
        self.flow, self._seen = Flow(), seen
        self.ended: Loose = []

    def node(self, key: str, title: str | Promise, state: str, icon: str, note: str = "") -> None:
        self.flow.nodes.append(
            self._seen.get(key) or Node(key, str(title), icon=icon, state=state, note=note)
        )

    def edge(self, source: str, target: str, label: str = "") -> None:
        self.flow.edges.append(Edge(source, target, label))

    def close(self, loose: Loose) -> None:
        """The end, where anything leads to one."""
        if loose:
            self.node(FINISH, _("Done"), "step_end", "circle-check")
            for source, label in loose:
                self.edge(source, FINISH, label)

    def chain(self, tasks: TaskList, entry: Loose, outer: Task | None = None) -> Loose:
        """A list of tasks, entered from `entry`; what leaves it at its end."""
        if not tasks.tasks:
            return entry
        arriving: list[Loose] = [list(entry), *([] for _task in tasks.tasks[1:])]
        heads: dict[int, str] = {}
        leaving: Loose = []
        for index, task in enumerate(tasks.tasks):
            if not arriving[index]:
                continue  # nothing leads here
            heads[index] = ""
            drawn = len(self.flow.nodes)
            ends = self._step(task, arriving[index], outer if len(tasks.tasks) == 1 else None)
            if len(self.flow.nodes) > drawn:
                heads[index] = self.flow.nodes[drawn].id
            for target, loose in ends:
                if target == END:
                    self.ended += loose
                elif target == EXIT or (target < 0 and index + 1 == len(arriving)):
                    leaving += loose
                elif target < 0 or target > index:
                    arriving[target if target >= 0 else index + 1] += loose
                else:  # back to a task that was drawn already
                    for source, label in loose:
                        self.edge(source, heads.get(target, ""), label)
        return leaving

    def _step(self, task: Task, entry: Loose, outer: Task | None) -> list[tuple[int, Loose]]:
        """Draw one task; where its ends go."""
        match task:
            case Switch():
                return self._switch(task, entry)
            case Try():
                return self._try(task, entry)
            case Do():
                return [(task.then, self.chain(task.body, entry, task))]
            case For():
                return [(task.then, self._for(task, entry))]
            case Fork():
                return [(task.then, self._fork(task, entry))]
        self._leaf(task, entry, outer)
        if isinstance(task, Raise):
            return [(task.then, [(task.ref, _("else"))])] if task.test is not None else []
        return [(task.then, [(task.ref, "")])]

    def _leaf(self, task: Task, entry: Loose, outer: Task | None = None, note: str = "") -> None:
        state, icon = _ICONS.get(task.kind, ("step_other", "circle-dot"))
        if isinstance(task, CallFunction) and task.function.name.startswith("case."):
            state, icon = _CASE
        borrows = outer is not None and outer.metadata.get("title") and not task.metadata.get("title")
        named = outer if outer is not None and borrows else task
        self.node(task.ref, title_of(named), state, icon, note)
        for source, label in entry:
            self.edge(source, task.ref, label)

    def _switch(self, task: Switch, entry: Loose) -> list[tuple[int, Loose]]:
        self._leaf(task, entry)
        found = [(target, [(task.ref, _WORDS.sub(" ", name).lower())]) for name, _test, target in task.cases]
        if all(test is not None for _name, test, _target in task.cases):
            found.append((task.then, [(task.ref, _("else"))]))
        return found

    def _try(self, task: Try, entry: Loose) -> list[tuple[int, Loose]]:
        before = len(self.flow.nodes)
        ends = self.chain(task.body, entry, task)
        found = [(task.then, ends)]
        if task.handler is not None and task.handler.tasks and len(self.flow.nodes) > before:
            late = str(task.filter.get("type", "")).endswith("/timeout")
            troubled = [(self.flow.nodes[-1].id, _("too late") if late else _("on an error"))]
            then = task.then if task.handler_then is None else task.handler_then
            found.append((then, self.chain(task.handler, troubled, task)))
        return found

    def _for(self, task: For, entry: Loose) -> Loose:
        """A repeated list; one step alone is drawn as one, and says that it is repeated."""
        inner = task.body.tasks[0] if len(task.body.tasks) == 1 else None
        while isinstance(inner, (Try, Do)) and len(inner.body.tasks) == 1:
            inner = inner.body.tasks[0]
        if inner is not None and not isinstance(inner, (Try, Do, For, Fork, Switch)):
            self._leaf(inner, entry, task, note=_("for each %(thing)s") % {"thing": task.each})
            return [(inner.ref, "")]
        before = len(self.flow.nodes)
        ends = self.chain(task.body, entry, task)
        if len(self.flow.nodes) > before:
            first = self.flow.nodes[before].id
            for source, label in ends:
                self.edge(source, first, label or _("next %(thing)s") % {"thing": task.each})
        return ends

    def _fork(self, task: Fork, entry: Loose) -> Loose:
        found: Loose = []
        for branch in task.branches:
            found += self.chain(branch, entry, task)
        return found
