"""A28: one reader checks an address, another dials it. So there is one way out, and nothing else of ours dials."""

import ast

from portal.env import ROOT

DIALS = {"aiohttp", "httpx", "requests", "urllib3", "http.client", "urllib.request", "smtplib", "ftplib", "telnetlib", "pycurl", "websockets", "paramiko"}  # fmt: skip
CALLS = {"create_connection", "open_connection", "urlopen", "sock_connect"}
OF = {"socket", "asyncio", "loop", "request"}
"""Functions that dial, and of which modules."""
ALLOWED = {
    "kernel/http.py": "the way out",
    "kernel/syslog.py": "the same rules for a protocol that is not HTTP",
    "automations/insights/management/commands/replay.py": "an operator's command that feeds orders to their own portal",
}
HOUSES = ("kernel", "tenants", "automations", "templates_lib", "billing", "portal")


def _dialling(tree: ast.AST) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names} & DIALS
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
            found |= {name for name in names if name in DIALS or name.partition(".")[0] in DIALS}
        elif isinstance(node, ast.Attribute) and node.attr in CALLS:
            found |= {node.attr} if isinstance(node.value, ast.Name) and node.value.id in OF else set()
    return found


def test_nothing_but_the_way_out_knows_how_to_dial() -> None:
    found = {}
    for house in HOUSES:
        for path in sorted((ROOT / house).rglob("*.py")):
            name = str(path.relative_to(ROOT))
            if (dials := _dialling(ast.parse(path.read_text()))) and name not in ALLOWED:
                found[name] = dials
    assert found == {}


def test_each_exception_is_still_one() -> None:
    assert all(_dialling(ast.parse((ROOT / name).read_text())) for name in ALLOWED)


def test_the_rule_sees_what_it_looks_for() -> None:
    for text in (
        "import requests",
        "from urllib.request import urlopen",
        "import socket\nsocket.create_connection(('a', 1))",
    ):
        assert _dialling(ast.parse(text)), text
