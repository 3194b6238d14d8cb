"""Runbooks and changelogs as HTML: headings, paragraphs, lists, bold, emphasis, code. Everything else stays text."""

import re
from collections.abc import Iterator
from typing import Final

from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe

_HEADING: Final = re.compile(r"^(#{1,4})\s+(.+)$")
_ITEM: Final = re.compile(r"^\s*[-*]\s+(.+)$")
_NUMBERED: Final = re.compile(r"^\s*\d+[.)]\s+(.+)$")
_SPANS: Final = (
    (re.compile(r"`([^`]+)`"), "code"),
    (re.compile(r"\*\*([^*]+)\*\*"), "b"),
    (re.compile(r"\*([^*]+)\*"), "em"),
)


def prose(text: str, *, below: int = 2) -> SafeString:
    """`text` as HTML; its headings begin one level under `h{below}`, its own first title is left out."""
    lines = text.strip().splitlines()
    if lines and lines[0].startswith("# "):
        lines = lines[1:]
    return mark_safe("".join(_blocks(lines, below)))  # noqa: S308 - every text is escaped in _spans


def _blocks(lines: list[str], below: int) -> Iterator[str]:
    """The blocks between empty lines, each as an element."""
    for block in re.split(r"\n\s*\n", "\n".join(lines)):
        rows = [row for row in block.splitlines() if row.strip()]
        while rows and (heading := _HEADING.match(rows[0])):
            level = min(below + max(len(heading[1]) - 1, 1), 6)
            yield f"<h{level}>{_spans(heading[2])}</h{level}>"
            rows = rows[1:]
        if not rows:
            continue
        for pattern, tag in ((_ITEM, "ul"), (_NUMBERED, "ol")):
            if pattern.match(rows[0]):
                items = "".join(f"<li>{_spans(item)}</li>" for item in _items(rows, pattern))
                yield f"<{tag}>{items}</{tag}>"
                break
        else:
            yield f"<p>{_spans(' '.join(row.strip() for row in rows))}</p>"


def _items(rows: list[str], pattern: re.Pattern[str]) -> list[str]:
    """List items; a row without a mark goes on with the item before it."""
    found: list[str] = []
    for row in rows:
        item = pattern.match(row)
        if item:
            found.append(item[1])
        else:
            found[-1] += f" {row.strip()}"
    return found


def _spans(text: str) -> str:
    """One line's text, escaped, with its bold, emphasis and code."""
    shown = str(conditional_escape(text))
    for pattern, tag in _SPANS:
        shown = pattern.sub(rf"<{tag}>\1</{tag}>", shown)
    return shown
