"""A57: a text that a sheet would run as a formula, in a file that somebody opens there."""

import csv as reader
import io
import re

import pytest

from portal.env import ROOT
from portal.ui.kit import csv

HOSTILE = (
    "=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(1)", "\t=1", "\r=1", "\n=1", " =1", "  @x", "\uff1d1+1", "\uff0b1", "\uff0d1", "\uff20x",
    "x;=1+1", "x;  =1", "x\t=1", "x\n=1", "x\r\n@y", ";=1", '";=1', "a;+b;-c;@d",
)  # fmt: skip
_FORMULA = re.compile("^\\s*[=+\\-@\uff1d\uff0b\uff0d\uff20]")


def _file(*cells: str) -> str:
    answer = csv.stream("x.csv", ("a",) * len(cells), [cells])
    return b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[arg-type] # not an async one


@pytest.mark.parametrize("text", HOSTILE)
def test_it_begins_no_cell_in_any_country(text: str) -> None:
    """However a sheet parts the cells: by commas, by semicolons, by tabs."""
    written = _file("before", text, "after")
    cells = [cell for row in reader.reader(io.StringIO(written, newline="")) for cell in row]
    parts = [part for cell in cells for part in re.split("[;\t\r\n]", cell)]
    assert [part for part in parts if _FORMULA.match(part)] == []
    assert not cells[4].startswith(("\t", "\r", "\n"))


def test_honest_texts_and_numbers_stay_as_they_are() -> None:
    assert _file("Ann O'Neil", "a-b", "x=1", "a@b.example", "10;20").splitlines()[1] == (
        "Ann O'Neil,a-b,x=1,a@b.example,10;20"
    )
    answer = csv.stream("x.csv", ("a",), [(-5,)])
    assert b"\r\n-5\r\n" in b"".join(answer.streaming_content)  # type: ignore[arg-type]


def test_no_page_writes_such_a_file_by_itself() -> None:
    """Whoever says text/csv is the one module that defuses."""
    found = {
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / "portal").rglob("*.py"))
        if "text/csv" in path.read_text()
    }
    assert found == {"portal/ui/kit/csv.py"}
