"""The house stands as it was drawn: who may know whom, how long a file may be, what a module may be called."""

import ast
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from importlinter.cli import lint_imports

from portal.env import ROOT

OURS = ("kernel", "tenants", "automations", "templates_lib", "billing", "portal", "deploy", "bench")
LONGEST = 420
BANNED = {
    "utils",
    "util",
    "helpers",
    "helper",
    "misc",
    "common",
    "manager",
    "managers",
    "shared",
    "base_utils",
}
LONG_FOR_A_REASON: dict[str, str] = {
    "kernel/proof.py": "auditors take this one file away and run it where nothing else of ours is",
}
"""Files that are longer, each with its reason."""


def modules() -> Iterator[Path]:
    for folder in OURS:
        yield from sorted((ROOT / folder).rglob("*.py"))


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_every_import_goes_the_way_that_the_plan_allows(capsys: pytest.CaptureFixture[str]) -> None:
    """All contracts of .importlinter; what is broken is said."""
    logging.getLogger("importlinter").setLevel(logging.ERROR)
    broken = lint_imports(config_filename=str(ROOT / ".importlinter"), no_cache=True)
    assert broken == 0, capsys.readouterr().out


def test_no_file_is_too_long_to_be_read() -> None:
    long = {
        name_of(path): len(path.read_text().splitlines())
        for path in modules()
        if "migrations" not in path.parts
    }
    assert {
        name: lines for name, lines in long.items() if lines > LONGEST and name not in LONG_FOR_A_REASON
    } == {}
    assert [name for name in LONG_FOR_A_REASON if long.get(name, 0) <= LONGEST] == []


def test_no_module_is_called_by_a_name_that_says_nothing() -> None:
    assert [name_of(path) for path in modules() if path.stem in BANNED or path.parent.name in BANNED] == []


def test_every_room_and_every_module_says_what_it_is_for() -> None:
    silent = [
        name_of(path)
        for path in modules()
        if "migrations" not in path.parts
        and path.read_text().strip()
        and not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert silent == []
    rooms = [
        config for config in apps.get_app_configs() if Path(config.path).is_relative_to(ROOT / "tenants")
    ]
    rooms += [
        config for config in apps.get_app_configs() if Path(config.path).is_relative_to(ROOT / "automations")
    ]
    assert len(rooms) >= 9
    for config in rooms:
        assert ast.get_docstring(ast.parse((Path(config.path) / "__init__.py").read_text())), config.name


def test_every_room_is_one_level_below_its_house() -> None:
    for config in apps.get_app_configs():
        path = Path(config.path)
        if path.is_relative_to(ROOT) and ".venv" not in path.parts:
            assert len(path.relative_to(ROOT).parts) <= 2, config.name
