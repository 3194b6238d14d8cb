"""Every ruling on the standard stands in `docs/rulings.md`, and has a test that is there and may fail."""

import ast
import re
from pathlib import Path

from portal.env import ROOT

PAPER = ROOT / "docs" / "rulings.md"
TESTS = ROOT / "tests" / "automations" / "engine"
_ROW = re.compile(r"^\| ([A-Z]\d+) \| (.+?) \| (`.+`) \|$")
EXPECTED = {"T": 17, "E": 4, "D": 12, "F": 15, "L": 10, "M": 10}
"""How many rulings there are of each kind, numbered from 1 on."""


def rows() -> list[tuple[str, str, list[str]]]:
    found = []
    for line in PAPER.read_text(encoding="utf-8").splitlines():
        if line.startswith("| ") and not line.startswith("| Ruling"):
            row = _ROW.match(line)
            assert row is not None, f"this row cannot be read: {line}"
            code, words, tests = row.groups()
            found.append((code, words, re.findall(r"`([^`]+)`", tests)))
    return found


def asserting(path: Path) -> frozenset[str]:
    """The tests of a file that assert something, or expect an error."""
    functions = [
        node for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, ast.FunctionDef)
    ]
    return frozenset(
        one.name
        for one in functions
        if one.name.startswith("test_")
        and any(
            isinstance(part, ast.Assert)
            or (isinstance(part, ast.withitem) and "raises" in ast.unparse(part.context_expr))
            for part in ast.walk(one)
        )
    )


def test_no_ruling_is_missing_and_none_stands_twice() -> None:
    codes = [code for code, _, _ in rows()]
    assert codes == [f"{kind}{number}" for kind, most in EXPECTED.items() for number in range(1, most + 1)]


def test_each_ruling_says_what_is_done_and_has_its_tests() -> None:
    missing = []
    known = {path: asserting(path) for path in TESTS.rglob("test_*.py")}
    for code, words, tests in rows():
        assert words.endswith("."), code
        for test in tests:
            path, _, name = test.partition("::")
            if name not in known.get(TESTS / path, ()):
                missing.append(f"{code}: {test}")
    assert missing == []
