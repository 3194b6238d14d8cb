"""What stands around a case: second persons, heaps of one cause, lists with names, files."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from automations.inbox.enums import CaseState
from automations.inbox.models import Case, Intent, Paper, View
from tests.automations.inbox.conftest import Bench
from tests.portal.ui.conftest import PART
from tests.portal.ui.test_inbox import at, eight_seconds_pass, failed, reviewer, toast, words
from tests.support.cast import Cast

__all__ = ["failed", "reviewer"]


@pytest.fixture
def colleague(cast: Cast, client_for: Callable[..., Client]) -> Client:
    """Another reviewer in Hollis."""
    return client_for(cast.colleague, cast.host)


def test_a_decision_is_taken_back_within_its_seconds_and_only_by_who_took_it(
    reviewer: Client, colleague: Client, failed: Case
) -> None:
    sent = {"at_once": "1", "seen": failed.version}
    reviewer.post(at(failed, "decide/retry"), sent, headers=PART)
    assert colleague.post(at(failed, "undo"), headers=PART).status_code == 403
    told = colleague.post(at(failed, "decide/retry"), sent, headers=PART)
    assert "Rosa Reviewer decided this case already" in toast(told)["text"]
    assert reviewer.post(at(failed, "undo"), headers=PART).status_code == 200
    eight_seconds_pass()
    failed.refresh_from_db()
    assert failed.state == CaseState.OPEN
    assert reviewer.post(at(failed, "undo"), headers=PART).status_code == 409


def test_above_the_limit_a_second_person_is_asked_and_only_a_post_agrees(
    reviewer: Client, colleague: Client, portal: Client, failed: Case
) -> None:
    assert portal.post("/settings/two-people", {"two_from": "-3"}).status_code == 422
    assert portal.post("/settings/two-people", {"two_from": "100"}).status_code == 302
    assert 'value="100' in words(portal.get("/settings/"))
    asked = reviewer.post(
        at(failed, "decide/complete"), {"value": '{"reference": "SO-7"}', "seen": failed.version}
    )
    assert asked.status_code == 302
    assert "You asked for it, so somebody else agrees." in words(reviewer.get(at(failed)))
    digest = Intent.objects.get().digest
    assert reviewer.post(at(failed, "agree"), {"digest": digest}, headers=PART).status_code == 409
    page = words(colleague.get(at(failed)))
    assert "Rosa Reviewer wants" in page
    assert "SO-7" in page
    assert colleague.get(at(failed, "agree")).status_code == 405
    assert failed.code in words(colleague.get("/inbox/?state=second"))
    assert colleague.post(at(failed, "agree"), {"digest": digest}, headers=PART).status_code == 200
    eight_seconds_pass()
    failed.refresh_from_db()
    assert (failed.state, failed.decided_by) == (CaseState.RESOLVING, "Rosa Reviewer")
    assert "Colin Colleague agreed" in words(reviewer.get(at(failed)))


def test_many_failures_of_one_cause_are_one_row_that_sends_them_all_on(
    portal: Client, bench: Bench, now: Any
) -> None:
    for number in range(6):
        bench.fail(order_id=str(30_000 + number))
    page = words(portal.get("/inbox/"))
    cause = Case.objects.latest("id").fingerprint
    assert "6 of one cause" in page
    assert "Redrive 6" in page
    assert f"/runs/bulk/start?alike={cause}" in page
    assert page.count('class="item"') == 1
    assert words(portal.get(f"/inbox/?alike={cause}")).count('class="item"') == 6
    assert words(portal.get("/inbox/?each=1")).count('class="item"') == 6


def test_a_list_gets_a_name_and_an_address_for_oneself_or_for_all(
    reviewer: Client, colleague: Client, make_case: Callable[..., Case], now: Any
) -> None:
    make_case(title="Case A alpha", severity="critical")
    make_case(title="Case B beta")
    query = "severity=critical&after=x&evil=1"
    assert reviewer.post(f"/inbox/views/?{query}", {"name": "  "}).status_code == 422
    assert reviewer.post(f"/inbox/views/?{query}", {"name": "Burning now"}).status_code == 302
    assert View.objects.get().query == "severity=critical"
    listed = words(reviewer.get("/inbox/views/burning-now/", follow=True))
    assert "Case A alpha" in listed
    assert "Case B beta" not in listed
    assert colleague.get("/inbox/views/burning-now/").status_code == 404
    assert reviewer.post("/inbox/views/", {"name": "Burning now"}).status_code == 422
    assert reviewer.post("/inbox/views/", {"name": "All of us", "shared": "on"}).status_code == 302
    assert "All of us" in words(colleague.get("/inbox/"))
    assert colleague.post("/inbox/views/all-of-us/remove").status_code == 403
    assert reviewer.post("/inbox/views/all-of-us/remove").status_code == 302
    assert "All of us" not in words(colleague.get("/inbox/"))
    assert "burning-now" in reviewer.get("/search/?q=burning").content.decode()


def photograph() -> bytes:
    """A picture with a place in it, and something behind it that is no picture."""
    out, exif = BytesIO(), Image.Exif()
    exif[0x010E] = "secret place"
    Image.new("RGB", (40, 30), "red").save(out, "JPEG", exif=exif)
    return out.getvalue() + b"<script>alert(1)</script>"


def sent(client: Client, case: Case, name: str, content: bytes) -> int:
    """The status of putting a file beside a case."""
    file = {"file": SimpleUploadedFile(name, content)}
    return client.post(at(case, "files"), file, headers=PART).status_code


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("page.pdf", b"<html><script>"),
        ("x.png", b"\x89PNG\r\n\x1a\nbroken"),
        ("a.exe", b"MZ\x00\x01"),
        ("v.svg", b"<svg onload='x'/>"),
        ("empty.txt", b""),
        ("big.txt", b"x" * (8 * 1024 * 1024 + 1)),
    ],
)
def test_what_is_no_picture_pdf_or_text_is_not_taken(
    reviewer: Client, failed: Case, name: str, content: bytes
) -> None:
    assert sent(reviewer, failed, name, content) == 400
    assert not Paper.objects.exists()


def test_a_file_is_what_it_says_and_its_link_is_one_persons(
    reviewer: Client, colleague: Client, failed: Case
) -> None:
    assert sent(reviewer, failed, "../../shelf.php", photograph()) == 200
    kept = Paper.objects.get()
    assert (kept.name.endswith("shelf.jpg"), kept.media) == (True, "image/jpeg")
    assert b"script" not in bytes(kept.content)
    assert b"secret place" not in bytes(kept.content)
    link = reviewer.get(at(failed)).context["papers"][0]["url"]
    got = reviewer.get(link)
    assert (got.status_code, got["Content-Type"]) == (200, "image/jpeg")
    assert got["X-Content-Type-Options"] == "nosniff"
    assert got["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert colleague.get(link).status_code == 302
    assert reviewer.get(link.split("?")[0]).status_code == 302
    assert reviewer.get(link.replace("?for=", "?for=x")).status_code == 302


def test_an_internal_file_is_not_there_for_the_clients_people(
    cast: Cast, reviewer: Client, failed: Case, client_for: Callable[..., Client]
) -> None:
    partner = client_for(cast.partner_admin, cast.host)
    file = {"file": SimpleUploadedFile("note.txt", b"Their contract ends"), "visibility": "internal"}
    assert partner.post(at(failed, "files"), file, headers=PART).status_code == 200
    key = Paper.objects.get().public_id
    assert "note.txt" in words(partner.get(at(failed)))
    assert "note.txt" not in words(reviewer.get(at(failed)))
    assert reviewer.get(at(failed, f"files/{key}")).status_code == 404
