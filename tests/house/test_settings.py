"""Every setting is in .env.example with the default that the code has, and nothing else is."""

import re
from pathlib import Path

import pytest

from portal import env
from portal.env import ROOT, BadSetting, Env

EXAMPLE = ROOT / ".env.example"
_LINE = re.compile(r"^#?(PORTAL_[A-Z_]+)=(.*)$", re.MULTILINE)
KEYS = {"PORTAL_SECRET_KEY": "s" * 32, "PORTAL_MASTER_KEY": "m" * 32}
ELSEWHERE = {"PORTAL_HOME"}
"""Read before the others, since it says where they may be."""


def documented() -> dict[str, str]:
    return dict(_LINE.findall(EXAMPLE.read_text()))


def in_code() -> set[str]:
    text = Path(env.__file__).read_text()
    plain = set(re.findall(r"reader\.get\(\s*\"([A-Z_]+)\"", text))
    secret = set(re.findall(r"reader\.secret\(\s*\"([A-Z_]+)\"", text))
    names = plain | secret | {f"{name}_FILE" for name in secret}
    return {f"PORTAL_{name}" for name in names} | ELSEWHERE


def test_what_the_code_reads_is_documented_and_nothing_else() -> None:
    assert set(documented()) == in_code()


def test_the_documented_defaults_are_those_of_the_code(tmp_path: Path) -> None:
    home = {"PORTAL_HOME": str(tmp_path)}
    bare = Env.load({**KEYS, **home})
    shown = {name: value for name, value in documented().items() if value and name not in (*ELSEWHERE, *KEYS)}
    spelled = Env.load({**KEYS, **home, **shown})
    assert spelled == bare


def test_each_setting_is_explained_above_it() -> None:
    before = ""
    for line in EXAMPLE.read_text().splitlines():
        if _LINE.match(line):
            assert before.startswith("# ") or _LINE.match(before), line
        before = line


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORTAL_PORT", "http"),
        ("PORTAL_HTTPS", "perhaps"),
        ("PORTAL_LOG_LEVEL", "LOUD"),
        ("PORTAL_DATABASE_URL", "mysql://x/y"),
        ("PORTAL_REDIS_URL", "http://x"),
        ("PORTAL_SECRET_KEY", "short"),
        ("PORTAL_EGRESS_ALLOW", "example.com"),
        ("PORTAL_WEB_WORKERS", "0"),
        ("PORTAL_DATABSE_URL", "postgresql:///portal"),
    ],
)
def test_a_bad_value_stops_the_start_and_names_the_setting(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(BadSetting, match=f"^{name}: "):
        Env.load({**KEYS, "PORTAL_HOME": str(tmp_path), name: value})
