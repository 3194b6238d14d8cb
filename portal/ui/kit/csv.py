"""Tables as files: CSV with a byte order mark, sent as it is made, and with nothing in it that a sheet would run."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any, Final

from django.http import StreamingHttpResponse

from kernel.money import Money

_RISKY: Final = re.compile("(?:^|(?<=[;\t\r\n]))(?=\\s*[=+\\-@\uff1d\uff0b\uff0d\uff20]|^[\t\r\n])")
"""Where a sheet would begin to read a formula: first in a cell, or first after what parts cells in another country."""


def stream(name: str, head: Sequence[str], lines: Iterable[Sequence[Any]]) -> StreamingHttpResponse:
    """A file called `name`; its lines are asked for while it is sent."""
    response = StreamingHttpResponse(_texts(head, lines), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response


def _texts(head: Sequence[str], lines: Iterable[Sequence[Any]]) -> Iterator[str]:
    out = io.StringIO()
    writer = csv.writer(out)
    out.write("\N{ZERO WIDTH NO-BREAK SPACE}")  # so that a sheet reads it as UTF-8
    writer.writerow(head)
    for number, line in enumerate(lines, 1):
        writer.writerow([_cell(value) for value in line])
        if number % 200 == 0:
            yield out.getvalue()
            out.seek(0)
            out.truncate()
    yield out.getvalue()


def _cell(value: Any) -> Any:
    """A value for a cell; text that a sheet would take for a formula gets a mark before it."""
    if value is None:
        return ""
    return _RISKY.sub("'", value) if isinstance(value, str) else value


def amount(minor: int | None, currency: str) -> Decimal | str:
    """Money in major units; the currency stands in a column of its own."""
    return Money(minor, currency).major if minor is not None and currency else ""
