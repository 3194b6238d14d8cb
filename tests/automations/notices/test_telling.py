"""Who is told what: lines under bells, counted by cause, as people wish."""

from typing import Any

from automations.inbox import actions as inbox
from automations.inbox.models import Case
from automations.notices import actions, policy, queries
from automations.notices.actions import sending
from automations.notices.actions.telling import next_morning
from automations.notices.enums import About, Mail
from automations.notices.models import Message, Notice
from automations.notices.policy import Wish
from kernel import clock
from tests.automations.inbox.conftest import dispatch
from tests.support.cast import NOW


def _bell(user: Any) -> list[tuple[str, int]]:
    return [(line.about, line.count) for line in queries.newest(user.id)]


def test_a_case_is_told_to_those_who_decide_and_to_nobody_else(bench: Any, cast: Any, now: Any) -> None:
    bench.fail()
    case = Case.objects.get()
    line = queries.newest(cast.reviewer.id)[0]
    assert (line.code, line.severity, line.read) == (case.code, case.severity, False)
    assert line.title.startswith(f"{case.code}: ")
    for who in (cast.owner, cast.manager, cast.reviewer, cast.colleague):
        assert _bell(who) == [("opened", 1)], who
    for who in (cast.staff, cast.analyst, cast.auditor, cast.partner_admin, cast.stranger):
        assert _bell(who) == [], who


def test_cases_of_one_cause_are_one_line_until_it_is_read(bench: Any, cast: Any, now: Any) -> None:
    for number in range(5):
        bench.fail(order_id=str(number))
    assert _bell(cast.reviewer) == [("opened", 5)]
    assert actions.mark_read(user_id=cast.reviewer.id, keys=None, now=NOW) == 1
    assert queries.unread(cast.reviewer.id) == 0
    assert queries.unread(cast.colleague.id) == 1
    bench.fail(order_id="6")
    assert _bell(cast.reviewer) == [("opened", 1)]
    assert Notice.objects.filter(user_id=cast.reviewer.id).count() == 2


def test_a_batch_told_twice_is_counted_once(bench: Any, cast: Any, now: Any) -> None:
    bench.fail()
    dispatch()
    assert _bell(cast.reviewer) == [("opened", 1)]


def test_a_rule_says_what_one_is_told(bench: Any, cast: Any, now: Any) -> None:
    def wish(user: Any, about: About, *, bell: bool, least: str) -> None:
        actions.set_rules(
            wishes={about: Wish(about, bell, Mail.OFF, least)}, actor=cast.actor(user), now=clock.now()
        )

    wish(cast.reviewer, About.OPENED, bell=False, least="normal")
    wish(cast.manager, About.OPENED, bell=True, least="critical")
    wish(cast.analyst, About.OPENED, bell=True, least="normal")
    bench.fail()
    assert Case.objects.get().severity != "critical"
    assert [_bell(who) for who in (cast.reviewer, cast.manager)] == [[], []]
    assert [_bell(who) for who in (cast.colleague, cast.analyst)] == [[("opened", 1)], [("opened", 1)]]


def test_whoever_is_given_a_case_is_told_unless_they_took_it(bench: Any, cast: Any, now: Any) -> None:
    bench.fail()
    case, manager = Case.objects.get(), cast.actor(cast.manager)
    actions.mark_read(user_id=cast.reviewer.id, keys=None, now=NOW)
    inbox.assign_case(case_id=case.id, to=cast.reviewer.id, actor=manager, now=NOW)
    dispatch()
    assert _bell(cast.reviewer) == [("assigned", 1)]
    inbox.comment_on_case(case_id=case.id, text="Have a look", actor=manager, now=NOW)
    inbox.comment_on_case(case_id=case.id, text="I do", actor=cast.actor(cast.reviewer), now=NOW)
    dispatch()
    assert sorted(_bell(cast.reviewer)) == [("assigned", 1), ("commented", 1)]
    inbox.assign_case(case_id=case.id, to=cast.manager.id, actor=manager, now=NOW)
    dispatch()
    assert ("assigned", 1) not in _bell(cast.manager)


def test_mails_collect_what_comes_within_a_minute_and_overnight(bench: Any, cast: Any, now: Any) -> None:
    for number in range(3):
        bench.fail(order_id=str(number))
    digests = Message.objects.filter(user_id=cast.reviewer.id)
    assert [(one.mail, one.send_at) for one in digests] == [("daily", next_morning(NOW, "UTC"))]
    case = Case.objects.first()
    inbox.assign_case(case_id=case.id, to=cast.reviewer.id, actor=cast.actor(cast.manager), now=NOW)
    dispatch()
    soon = digests.get(mail="soon")
    assert (soon.send_at - NOW).total_seconds() == 60


def test_the_morning_is_where_the_reader_is() -> None:
    assert next_morning(NOW, "Asia/Tokyo").isoformat() == "2026-03-03T07:00:00+09:00"
    assert next_morning(NOW, "America/Los_Angeles").isoformat() == "2026-03-02T07:00:00-08:00"


def test_nothing_leaves_a_sandbox(bench: Any, cast: Any, now: Any, monkeypatch: Any) -> None:
    actions.create_channel(
        name="Room",
        kind="slack",
        address="https://hooks.example.com/1",
        actor=cast.actor(cast.owner),
        now=NOW,
    )
    from dataclasses import replace

    from tenants.tenancy import context

    with context.enter(replace(context.current(), sandbox=True)):
        bench.fail()
    assert _bell(cast.reviewer) == [("opened", 1)]
    assert not Message.objects.exists()


def test_a_reader_who_has_left_is_told_nothing(bench: Any, cast: Any, now: Any) -> None:
    from tenants.access.models import Membership

    Membership.objects.filter(user=cast.colleague).delete()
    bench.fail()
    assert _bell(cast.colleague) == []
    assert _bell(cast.reviewer) == [("opened", 1)]


def test_old_lines_and_messages_are_forgotten(bench: Any, cast: Any, now: Any) -> None:
    from datetime import timedelta

    bench.fail()
    actions.mark_read(user_id=cast.reviewer.id, keys=None, now=NOW)
    assert actions.forget_old(now=NOW + timedelta(days=1)) == 0
    assert actions.forget_old(now=NOW + timedelta(days=100)) > 0
    assert queries.unread(cast.colleague.id) == 1
    assert not Message.objects.exists()
    assert tuple(sorted(sending.PAUSES)) == sending.PAUSES
    assert policy.default(About.OPENED, decides=False).bell is False
