"""The list of attacks is whole: each has a test that is there, or a reason; each test stands in the list."""

import re

from portal.env import ROOT

LIST = (ROOT / "docs" / "attacks.md").read_text()
ROWS = dict(re.findall(r"^\| A(\d+) \| (.+) \|$", LIST, re.MULTILINE))


def test_each_attack_has_a_test_or_a_reason() -> None:
    assert [int(number) for number in ROWS] == list(range(1, len(ROWS) + 1))
    assert len(ROWS) >= 70
    for number, said in ROWS.items():
        files = re.findall(r"`(tests/[^`]+)`", said)
        assert all((ROOT / name).exists() for name in files), (number, said)
        assert files or len(said) > 20, number


def test_each_test_of_an_attack_stands_in_the_list() -> None:
    missing = [
        path.name
        for path in sorted((ROOT / "tests" / "attack").glob("test_a*.py"))
        if f"`tests/attack/{path.name}`" not in ROWS.get(str(int(path.name[6:8])), "")
    ]
    assert missing == [], "add it to docs/attacks.md"
