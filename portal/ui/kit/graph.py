"""A workflow as a picture: layers from left to right, drawn as SVG whose nodes are links.

Layered drawing after Sugiyama: longest path for the layers, barycentres for the order, dummy nodes where an edge
passes a layer. A loop is found first and its closing edge drawn as an arc below, so no cycle can hang the layout.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from django.templatetags.static import static
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from portal.ui.kit.status import look

_WIDE: Final = 156
_TALL: Final = 52
_GAP_X: Final = 36
_GAP_Y: Final = 20
_LABELLED: Final = 30  # more room between two layers that a labelled edge joins
_DUMMY: Final = 14
_EDGE: Final = 12
_WIDEST: Final = 1600
CURRENT: Final = ' aria-current="true"'
_OFF: Final = frozenset({"not_taken", "not_reached", "pending", "skipped"})


@dataclass(frozen=True, slots=True)
class Node:
    """A step: its id (for the link), title, icon, state, and words such as how long it took; `tries` from 2 on show."""

    id: str
    title: str
    icon: str = "circle-dot"
    state: str = "not_reached"
    note: str = ""
    tries: int = 1
    count: str = ""


@dataclass(frozen=True, slots=True)
class Edge:
    """From one step to another, with a word (`yes`, `timeout`) where there is a choice."""

    source: str
    target: str
    label: str = ""


@dataclass(slots=True)
class Layout:
    """Where things stand: x (left) and y (middle) of each node and dummy, the way of each edge, the size."""

    x: dict[str, float] = field(default_factory=dict)
    y: dict[str, float] = field(default_factory=dict)
    ways: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    back: list[tuple[str, str]] = field(default_factory=list)
    width: float = 0
    height: float = 0


def lay_out(
    nodes: Sequence[str],
    edges: Sequence[tuple[str, str]],
    labelled: Iterable[tuple[str, str]] = (),
) -> Layout:
    """Place `nodes`; an edge that closes a loop is in `back` and has no way."""
    known = set(nodes)
    wanted = [edge for edge in dict.fromkeys(edges) if edge[0] in known and edge[1] in known]
    forward, back = _without_loops(nodes, wanted)
    rank = _ranks(nodes, forward)
    layers, ways, above, below = _with_dummies(nodes, forward, rank)
    for turn in range(8):
        _reorder(layers, above if turn % 2 == 0 else below, downwards=turn % 2 == 0)
    found = Layout(ways=ways, back=back)
    found.y = _heights(layers, above, below)
    wide = {rank[source] for source, target in labelled if (source, target) in ways}
    at = float(_EDGE)
    for index, layer in enumerate(layers):
        found.x |= dict.fromkeys(layer, at)
        at += _WIDE + _GAP_X + (_LABELLED if index in wide else 0)
    found.width = max((x for x in found.x.values()), default=0) + _WIDE + _EDGE
    found.height = max((y + _size(name) / 2 for name, y in found.y.items()), default=0) + _EDGE
    if back:
        found.height += 12 + 12 * len(back)
    return found


def _size(name: str) -> int:
    return _DUMMY if name.startswith("~") else _TALL


def _without_loops(
    nodes: Sequence[str], edges: Sequence[tuple[str, str]]
) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """The edges that make no loop, and those that close one; a depth-first walk without recursion."""
    following: dict[str, list[str]] = {name: [] for name in nodes}
    for source, target in edges:
        following[source].append(target)
    seen: dict[str, int] = {}  # 1: on the way, 2: done
    back: list[tuple[str, str]] = []
    for start in nodes:
        if start in seen:
            continue
        seen[start] = 1
        walk = [(start, iter(following[start]))]
        while walk:
            name, rest = walk[-1]
            upcoming = next(rest, None)
            if upcoming is None:
                seen[name] = 2
                walk.pop()
            elif seen.get(upcoming) == 1:
                back.append((name, upcoming))
            elif upcoming not in seen:
                seen[upcoming] = 1
                walk.append((upcoming, iter(following[upcoming])))
    closed = set(back)
    return [edge for edge in edges if edge not in closed], back


def _ranks(nodes: Sequence[str], edges: Sequence[tuple[str, str]]) -> dict[str, int]:
    """The layer of each node: one more than the last of those before it."""
    waiting = dict.fromkeys(nodes, 0)
    following: dict[str, list[str]] = {name: [] for name in nodes}
    for source, target in edges:
        waiting[target] += 1
        following[source].append(target)
    rank = dict.fromkeys(nodes, 0)
    ready = [name for name in nodes if not waiting[name]]
    while ready:
        name = ready.pop()
        for target in following[name]:
            rank[target] = max(rank[target], rank[name] + 1)
            waiting[target] -= 1
            if not waiting[target]:
                ready.append(target)
    return rank


def _with_dummies(
    nodes: Sequence[str], edges: Sequence[tuple[str, str]], rank: Mapping[str, int]
) -> tuple[list[list[str]], dict[tuple[str, str], list[str]], dict[str, list[str]], dict[str, list[str]]]:
    """Layers in which an edge that passes a layer has a dummy there, its way, and the neighbours on both sides."""
    layers: list[list[str]] = [[] for _level in range(max(rank.values(), default=-1) + 1)]
    for name in nodes:
        layers[rank[name]].append(name)
    ways: dict[tuple[str, str], list[str]] = {}
    above: dict[str, list[str]] = {}
    below: dict[str, list[str]] = {}
    for source, target in edges:
        way = [source]
        for level in range(rank[source] + 1, rank[target]):
            dummy = f"~{source}~{target}~{level}"
            layers[level].append(dummy)
            way.append(dummy)
        way.append(target)
        ways[source, target] = way
        for one, other in pairwise(way):
            below.setdefault(one, []).append(other)
            above.setdefault(other, []).append(one)
    return layers, ways, above, below


def _reorder(layers: list[list[str]], neighbours: Mapping[str, list[str]], *, downwards: bool) -> None:
    """Sort each layer by where the neighbours of its nodes stand, to cross fewer edges."""
    place = {name: index for layer in layers for index, name in enumerate(layer)}

    def centre(name: str) -> float:
        near = neighbours.get(name)
        return sum(place[other] for other in near) / len(near) if near else place[name]

    for layer in layers if downwards else reversed(layers):
        layer.sort(key=centre)
        place.update({name: index for index, name in enumerate(layer)})


def _heights(
    layers: list[list[str]], above: Mapping[str, list[str]], below: Mapping[str, list[str]]
) -> dict[str, float]:
    """The middle of each node: near its neighbours, none over another."""
    y: dict[str, float] = {}
    for layer in layers:
        at = 0.0
        for name in layer:
            y[name] = at + _size(name) / 2
            at += _size(name) + _GAP_Y
    both = {name: [*above.get(name, ()), *below.get(name, ())] for name in y}
    for neighbours in (*(above, below) * 6, both):
        _relax(layers, neighbours, y)
    lowest = min((y[name] - _size(name) / 2 for name in y), default=0)
    return {name: place - lowest + _EDGE for name, place in y.items()}


def _relax(layers: list[list[str]], neighbours: Mapping[str, list[str]], y: dict[str, float]) -> None:
    for layer in layers:
        wanted = [
            sum(y[other] for other in near) / len(near) if (near := neighbours.get(name)) else y[name]
            for name in layer
        ]
        floor: float | None = None
        placed: list[float] = []
        for name, want in zip(layer, wanted, strict=True):
            half = _size(name) / 2
            at = want if floor is None else max(want, floor + half + _GAP_Y)
            placed.append(at)
            floor = at + half
        shift = sum(at - want for at, want in zip(placed, wanted, strict=True)) / max(len(layer), 1)
        y.update({name: at - shift for name, at in zip(layer, placed, strict=True)})


def draw(
    nodes: Sequence[Node],
    edges: Sequence[Edge],
    *,
    title: str = "",
    chosen: str = "",
    href: Callable[[str], str] | str = "?step=",
) -> SafeString:
    """The graph as SVG: each node a link (`href` and its id), states in words, edges not taken dashed."""
    state = {node.id: node.state for node in nodes}
    labels = {(edge.source, edge.target): edge.label for edge in edges}
    found = lay_out(
        [node.id for node in nodes],
        [(edge.source, edge.target) for edge in edges],
        [pair for pair, label in labels.items() if label],
    )
    parts: list[str] = []
    plates: list[str] = []
    for pair, way in found.ways.items():
        taken = not _OFF & {state[pair[0]], state[pair[1]]}
        path, middle = _curve(found, way)
        parts.append(_edge(path, taken=taken))
        if labels.get(pair):
            plates.append(_plate(middle, labels[pair]))
    for number, pair in enumerate(found.back):
        path, middle = _arc(found, pair, number)
        parts.append(_edge(path, taken=not _OFF & {state[pair[0]], state[pair[1]]}, loop=True))
        plates.append(_plate(middle, labels.get(pair) or _("again")))
    link = href if callable(href) else lambda name: f"{href}{name}"
    drawn = "".join(
        _node(node, found.x[node.id], found.y[node.id], link(node.id), node.id == chosen) for node in nodes
    )
    width, height = f"{found.width:.0f}", f"{found.height:.0f}"
    label = conditional_escape(title or _("Graph of the steps"))
    fits = 920 < found.width <= _WIDEST  # a wider one keeps its size and is scrolled, so that one can read it
    whole = (
        f'<svg class="dag{" wide" if fits else ""}" viewBox="0 0 {width} {height}"'
        f' width="{width}" height="{height}" role="group" aria-label="{label}">'
        f"<defs>{_arrow('taken')}{_arrow('off')}</defs>{''.join(parts)}{''.join(plates)}{drawn}</svg>"
    )
    return mark_safe(whole)  # noqa: S308 - numbers and class names; every text is escaped where it is put in


def _arrow(name: str) -> str:
    return (
        f'<marker id="arrow-{name}" viewBox="0 0 8 8" refX="6" refY="4"'
        ' markerWidth="5" markerHeight="5" orient="auto">'
        f'<path class="tipmk {name}" d="M0 0L8 4L0 8Z"/></marker>'
    )


def _edge(path: str, *, taken: bool, loop: bool = False) -> str:
    css = f"edge{' taken' if taken else ''}{' loop' if loop else ''}"
    return f'<path class="{css}" d="{path}" marker-end="url(#arrow-{"taken" if taken else "off"})"/>'


def _curve(found: Layout, way: Sequence[str]) -> tuple[str, tuple[float, float]]:
    """The path along a way, and the middle of its first stretch."""
    points = [(found.x[way[0]] + _WIDE, found.y[way[0]])]
    for dummy in way[1:-1]:
        points += [(found.x[dummy], found.y[dummy]), (found.x[dummy] + _WIDE, found.y[dummy])]
    points.append((found.x[way[-1]] - 5, found.y[way[-1]]))
    path = f"M{points[0][0]:.0f} {points[0][1]:.1f}"
    for (x1, y1), (x2, y2) in pairwise(points):
        if abs(y1 - y2) < 0.5:
            path += f"L{x2:.0f} {y2:.1f}"
        else:
            bend = (x2 - x1) * 0.55
            path += f"C{x1 + bend:.0f} {y1:.1f} {x2 - bend:.0f} {y2:.1f} {x2:.0f} {y2:.1f}"
    (x1, y1), (x2, y2) = points[0], points[1]
    return path, (x1 + (x2 - x1) * 0.52, (y1 + y2) / 2)


def _arc(found: Layout, pair: tuple[str, str], number: int) -> tuple[str, tuple[float, float]]:
    """The path of an edge that goes back: down, along the foot of the picture, and up into its target."""
    source, target = pair
    start = (found.x[source] + _WIDE * 0.6, found.y[source] + _TALL / 2)
    end = (found.x[target] + _WIDE * 0.4, found.y[target] + _TALL / 2 + 5)
    foot = found.height - 10 - 12 * number
    path = (
        f"M{start[0]:.0f} {start[1]:.1f}V{foot - 8:.0f}Q{start[0]:.0f} {foot:.0f} {start[0] - 8:.0f} {foot:.0f}"
        f"H{end[0] + 8:.0f}Q{end[0]:.0f} {foot:.0f} {end[0]:.0f} {foot - 8:.0f}V{end[1]:.1f}"
    )
    return path, ((start[0] + end[0]) / 2, foot)


def _plate(middle: tuple[float, float], text: str, css: str = "lab") -> str:
    shown = _cut(text, 16)
    width = len(shown) * 6.3 + 12
    x, y = middle
    return (
        f'<g class="{css}"><rect x="{x - width / 2:.1f}" y="{y - 9:.1f}" width="{width:.1f}" height="18" rx="9"/>'
        f'<text x="{x:.1f}" y="{y + 4:.1f}" text-anchor="middle">{conditional_escape(shown)}</text></g>'
    )


def _node(node: Node, x: float, middle: float, href: str, chosen: bool) -> str:
    seen = look(node.state)
    y = middle - _TALL / 2
    words = f"{seen.word} · {node.note}" if node.note else str(seen.word)
    css = f"node t-{seen.tone}{' off' if node.state in _OFF else ''}{' sel' if chosen else ''}"
    sprite = static("icons.svg")
    drawn = (
        f'<a class="{css}" href="{conditional_escape(href)}" data-step="{conditional_escape(node.id)}"'
        f"{' aria-current=' + chr(34) + 'true' + chr(34) if chosen else ''}>"
        f"<title>{conditional_escape(node.title)}</title>"
        f'<rect class="box" x="{x:.0f}" y="{y:.1f}" width="{_WIDE}" height="{_TALL}" rx="9"/>'
        f'<rect class="mk" x="{x + 6:.0f}" y="{y + 10:.1f}" width="3.5" height="{_TALL - 20}" rx="1.75"/>'
        f'<svg class="i" x="{x + 16:.0f}" y="{y + 10:.1f}" width="15" height="15">'
        f'<use href="{sprite}#{node.icon}"/></svg>'
        f'<text class="nt" x="{x + 36:.0f}" y="{y + 22:.1f}">{conditional_escape(_cut(node.title, 17))}</text>'
        f'<svg class="i st" x="{x + 17:.0f}" y="{y + 31:.1f}" width="13" height="13">'
        f'<use href="{sprite}#{seen.icon}"/></svg>'
        f'<text class="ns" x="{x + 36:.0f}" y="{y + 41:.1f}">{conditional_escape(_cut(words, 20))}</text>'
    )
    if node.tries > 1:
        text = _("%(count)s tries") % {"count": node.tries}
        drawn += _plate((x + _WIDE - 30, y), text, "tries")
    if node.count:
        drawn += _plate((x + _WIDE / 2, y + _TALL), node.count, "count")
    return f"{drawn}</a>"


def _cut(text: object, length: int) -> str:
    shown = str(text)
    return shown if len(shown) <= length else f"{shown[: length - 1]}…"
