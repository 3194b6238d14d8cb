"""A8: a value that one client's work put into the cache, found by another's."""

import ast
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import CacheHandler

from portal import settings as ours
from portal.env import ROOT
from tenants.tenancy import context
from tenants.tenancy.errors import NoTenant
from tests.support.cast import Cast

CACHES = CacheHandler(ours.CACHES)
# what these remember is the same for every tenant: it is made of code, of files in the repository, or of arguments
# that are themselves the whole of what the value is made of
_MEMORY = {"lru_cache", "cache", "cache_page", "memoize"}


def test_one_key_has_a_value_for_each_tenant(cast: Cast) -> None:
    cache = CACHES["default"]
    for number in range(50):
        for ref in (cast.tenant, cast.other_tenant):
            with context.enter(ref):
                cache.set(f"attack-{number}", ref.slug, 30)
    for number in range(50):
        for ref in (cast.tenant, cast.other_tenant):
            with context.enter(ref):
                assert cache.get(f"attack-{number}") == ref.slug


def test_without_a_tenant_there_is_no_key(cast: Cast) -> None:
    with context.leave():
        for act in (CACHES["default"].get, CACHES["default"].delete):
            with pytest.raises(NoTenant):
                act("attack")
        CACHES["default"].set("public:attack", 1, 5)
        assert CACHES["default"].get("public:attack") == 1


def _remembering(tree: ast.AST) -> list[Any]:
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        and any(
            (isinstance(part, ast.Name) and part.id in _MEMORY)
            or (isinstance(part, ast.Attribute) and part.attr in _MEMORY)
            for mark in node.decorator_list
            for part in ast.walk(mark)
        )
    ]


def test_nothing_that_reads_the_database_remembers_it_for_the_process() -> None:
    """A remembered function asks no table, no tenant and no request: what it gives cannot be somebody's.

    Properties that an object remembers go with the object, which is a request's or a job's.
    """
    asked = {"objects", "current", "current_or_none", "cursor", "request", "tenant"}
    found = []
    for house in ("kernel", "tenants", "automations", "templates_lib", "billing", "portal"):
        for path in sorted((ROOT / house).rglob("*.py")):
            for node in _remembering(ast.parse(path.read_text())):
                names = {part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)}
                names |= {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
                if names & asked:
                    found.append(f"{Path(path).relative_to(ROOT)}:{node.lineno} {node.name}")
    assert found == []
