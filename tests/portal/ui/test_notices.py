"""The bell, its pages, and answering by a link: signed in, once, by a button."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from automations.inbox.models import Case
from automations.notices import actions, queries
from automations.notices.models import Channel, Message, Notice, Pass
from portal.ui import notice_mails
from tests.support.cast import NOW, Cast

CHANNEL = {"name": "Room", "kind": "webhook", "address": "https://room.example.com/in", "least": "high"}


@pytest.fixture
def reader(cast: Cast, client_for: Callable[..., Client]) -> Client:
    return client_for(cast.reviewer, cast.host)


def test_the_bell_counts_and_the_page_lists_until_it_is_read(bench: Any, cast: Cast, reader: Client) -> None:
    bench.fail()
    page = reader.get("/notifications/").content.decode()
    case = Case.objects.get()
    assert case.code in page
    assert "Notifications: 1 new" in page
    notice = Notice.objects.get(user_id=cast.reviewer.id)
    answer = reader.post(f"/notifications/{notice.public_id}/open")
    assert answer["Location"] == f"/inbox/{case.public_id}/"
    assert "Notifications: 1 new" not in reader.get("/notifications/").content.decode()
    assert queries.unread(cast.colleague.id) == 1


def test_a_look_changes_nothing(bench: Any, cast: Cast, reader: Client) -> None:
    bench.fail()
    notice = Notice.objects.get(user_id=cast.reviewer.id)
    reader.get(f"/notifications/{notice.public_id}/open")
    reader.get("/notifications/read")
    assert queries.unread(cast.reviewer.id) == 1
    reader.post("/notifications/read")
    assert queries.unread(cast.reviewer.id) == 0


def test_a_line_of_somebody_else_is_nothing_here(bench: Any, cast: Cast, reader: Client) -> None:
    bench.fail()
    theirs = Notice.objects.get(user_id=cast.colleague.id)
    assert reader.post(f"/notifications/{theirs.public_id}/open").status_code == 404


def test_rules_are_shown_as_they_hold_and_kept(cast: Cast, reader: Client, tenant: Any) -> None:
    page = reader.get("/notifications/rules").content.decode()
    assert 'name="opened_bell"' in page
    given = {f"{about}_{name}": value for about in ("opened", "assigned", "commented") for name, value in
             (("mail", "off"), ("least", "critical"))}  # fmt: skip
    assert reader.post("/notifications/rules", given).status_code == 302
    assert {rule.least for rule in queries.rules_of(cast.reviewer.id).values()} == {"critical"}
    assert reader.post("/notifications/rules", {**given, "opened_mail": "hourly"}).status_code == 422


def _link(cast: Cast, user: Any, decision: str = "resolve") -> tuple[Case, str]:
    case = Case.objects.get()
    text = actions.issue_pass(user_id=user.id, case_id=case.id, decision=decision, seen=case.version, now=NOW)
    return case, f"/notifications/answer/{text}"


@pytest.fixture
def plain(make_case: Callable[..., Case]) -> Case:
    return make_case()


def test_a_link_asks_for_a_sign_in_and_nothing_happens_by_looking(
    plain: Case, cast: Cast, now: Any, reader: Client
) -> None:
    case, path = _link(cast, cast.reviewer)
    asked = Client(HTTP_HOST=cast.host).get(path)
    assert asked["Location"].startswith("/sign-in?next=")
    for _turn in range(3):
        page = reader.get(path)
        assert (page.status_code, case.code in page.content.decode()) == (200, True)
    assert Client(HTTP_HOST=cast.host).post(path).status_code in (302, 403)
    case.refresh_from_db()
    assert (case.closed, Pass.objects.get().used_at) == (False, None)


def test_a_link_decides_once(plain: Case, cast: Cast, now: Any, reader: Client) -> None:
    case, path = _link(cast, cast.reviewer)
    answer = reader.post(path, {"reason": "checked"})
    assert answer["Location"] == f"/inbox/{case.public_id}/"
    case.refresh_from_db()
    assert (case.closed, case.decided_by) == (True, str(cast.reviewer))
    assert reader.post(path).status_code == 410
    assert reader.get(path).status_code == 410


def test_a_link_is_its_readers_alone(
    plain: Case, cast: Cast, now: Any, client_for: Callable[..., Client]
) -> None:
    _case, path = _link(cast, cast.reviewer)
    for who in (cast.colleague, cast.owner, cast.partner_admin):
        assert client_for(who, cast.host).post(path).status_code == 410, who
    assert client_for(cast.staff, cast.host).post(path).status_code == 403
    assert not Case.objects.get().closed


def test_a_link_to_a_case_that_has_changed_decides_nothing(
    plain: Case, cast: Cast, now: Any, reader: Client
) -> None:
    case, path = _link(cast, cast.reviewer)
    Case.objects.filter(pk=case.pk).update(version=case.version + 1)
    assert "changed since the mail" in reader.get(path).content.decode()
    assert reader.post(path).status_code == 409
    assert Pass.objects.get().used_at is None
    assert not Case.objects.get().closed


def test_a_link_is_over_after_three_days(plain: Case, cast: Cast, now: Any, reader: Client) -> None:
    _case, path = _link(cast, cast.reviewer)
    Pass.objects.update(expires_at=NOW - timedelta(seconds=1))
    assert reader.get(path).status_code == 410


def test_a_mail_about_one_case_offers_what_usually_helps(bench: Any, cast: Cast, now: Any) -> None:
    bench.fail()
    found = list(queries.notices_of(cast.reviewer.id))
    made = notice_mails.mail(cast.reviewer, found, cast.host, daily=False)
    assert "/notifications/answer/" in str(made.body) or not Pass.objects.exists()
    theirs = Notice.objects.create(
        user_id=cast.analyst.id, about="opened", alike="x", title="T", severity="high",
        case_id=Case.objects.get().id, at=NOW,
    )  # fmt: skip
    made = notice_mails.mail(cast.analyst, [theirs], cast.host, daily=False)
    assert "/notifications/answer/" not in str(made.body)


def test_a_channel_is_made_tried_stopped_and_removed(tenant: Any, portal: Client) -> None:
    assert "Nobody else is told" in portal.get("/notifications/channels/").content.decode()
    made = portal.post("/notifications/channels/new/", CHANNEL).content.decode()
    assert "whsec_" in made
    row = Channel.objects.get()
    here = f"/notifications/channels/{row.public_id}/"
    assert portal.post(f"{here}trial").status_code == 302
    assert Message.objects.get(channel=row).body["trial"] is True
    page = portal.get(here).content.decode()
    assert "Trial" in page
    assert "whsec_" not in page
    assert "room.example.com/in" not in page
    portal.post(f"{here}switch")
    assert Channel.objects.get().active is False
    assert portal.post(f"{here}remove").status_code == 302
    assert not Channel.objects.exists()


def test_a_wrong_channel_names_its_field_and_loses_nothing(tenant: Any, portal: Client) -> None:
    answer = portal.post("/notifications/channels/new/", {**CHANNEL, "address": "http://10.0.0.1/"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert 'value="Room"' in page
    assert "private address" in page
