"""The document is served to whoever may be here, and as a page that the content policy allows."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from portal.management.commands import openapi
from tests.portal.api.conftest import Machine
from tests.support.cast import Cast


def test_the_document_says_whose_it_is(cast: Cast, api: Machine, console: Machine) -> None:
    here, there = (json.loads(desk.get("openapi.json").content) for desk in (api, console))
    assert here["openapi"].startswith("3.1")
    assert here["info"]["title"] == "Meridian Retail Systems Client API"
    assert there["info"]["title"] == "Meridian Retail Systems Partner API"
    assert here["servers"] == [{"url": f"http://{cast.host}"}]
    assert "/api/v1/tenants" in there["paths"]
    assert "/api/v1/tenants" not in here["paths"]


def test_the_page_shows_every_operation(cast: Cast, client_for: Callable[..., Client]) -> None:
    answer = client_for(cast.owner, cast.host).get("/api/v1/docs")
    text = answer.content.decode()
    assert answer.status_code == 200
    for name in ("list_runs", "decide_case", "publish_events"):
        assert f'id="{name}"' in text
    assert "Idempotency-Key" in text
    assert "style=" not in text
    assert "&lt;" not in text.split("publish_events")[0]


def test_the_command_says_what_differs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr(openapi, "FOLDER", tmp_path)
    monkeypatch.setattr(openapi, "ROOT", tmp_path)
    call_command("openapi")
    call_command("openapi", check=True)
    path = tmp_path / "tenant.yaml"
    path.write_text(path.read_text().replace("operationId: list_runs", "operationId: all_runs"))
    with pytest.raises(CommandError, match=r"(?s)-.*all_runs.*\+.*list_runs.*manage.py openapi"):
        call_command("openapi", check=True)
