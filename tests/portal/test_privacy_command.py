"""`manage.py privacy`: what a page does, where there is no browser."""

import io
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from automations.events import actions as events
from automations.events.models import Event
from tenants.privacy.models import SubjectRequest
from tenants.tenancy import context
from tests.support import make
from tests.support.cast import Cast

WHOSE = "meridian/hollis"


def said(*words: str) -> str:
    out = io.StringIO()
    call_command("privacy", *words, stdout=out)
    return out.getvalue()


def test_a_person_is_found_exported_held_and_erased(
    committed: Any, cast: Cast, now: datetime, tmp_path: Path
) -> None:
    with context.enter(cast.tenant):
        events.publish(type="order.placed", subject="10045", data=make.order(), source="/shop", time=now)
    terms = tmp_path / "who"
    terms.write_text("ann@example.com\n")
    assert "Found" in said("find", WHOSE, "--terms", str(terms), "--reference", "DSR 12")
    row = SubjectRequest.objects.get().public_id
    file = tmp_path / "ann.jsonl"
    said("export", WHOSE, row, str(file))
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert (lines[0]["reference"], "ann@example.com" in str(lines[1:])) == ("DSR 12", True)
    assert file.stat().st_mode & 0o077 == 0
    asked = ("erase", WHOSE, row, "--reason", "asked", "--reference")
    said("hold", WHOSE, "Case 7", "--reason", "court", "--request", row)
    with pytest.raises(CommandError, match="Case 7"):
        said(*asked, "DSR 12")
    said("lift", WHOSE, "Case 7", "--reason", "over")
    with pytest.raises(CommandError, match="not its reference"):
        said(*asked, "DSR 13")
    assert "Erased" in said(*asked, "DSR 12")
    with context.enter(cast.tenant):
        assert "ann@example.com" not in str(list(Event.objects.values_list("data", flat=True)))


def test_terms_are_shown_and_set(committed: Any, cast: Cast) -> None:
    assert "events      no end system" in said("terms", WHOSE)
    assert "events          30 tenant" in said("terms", WHOSE, "events=30")
    assert "events      no end system" in said("terms", WHOSE, "events=none")
    for wrong in ("mail=3", "events=x", "events"):
        with pytest.raises(CommandError, match="give one of"):
            said("terms", WHOSE, wrong)
    assert "nothing was due" in said("purge", WHOSE)


def test_what_does_not_exist_is_said(committed: Any, cast: Cast, tmp_path: Path) -> None:
    for words in (("export", WHOSE, "dsr_x", str(tmp_path / "a")), ("lift", WHOSE, "None", "--reason", "x")):
        with pytest.raises(CommandError):
            said(*words)
    with pytest.raises(CommandError):
        said("terms", "meridian/nobody")
