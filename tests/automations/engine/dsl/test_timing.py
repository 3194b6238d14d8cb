"""When schedules fire: zones, calendars, windows, jitter, and what is made of instants that nobody was there for."""

from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

import pytest

from automations.engine.dsl.timing import MOST, Timing, plan
from automations.engine.errors import DefinitionRefused
from tests.support.driving import program

KEY = UUID(int=7)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def timing(schedule: str, options: str = "{}") -> Timing:
    made = program(
        f"document: {{dsl: 1.0.3, namespace: t, name: t, version: 1.0.0, metadata: {{schedule: {options}}}}}\n"
        f"schedule: {schedule}\ndo: [{{a: {{set: {{x: 1}}}}}}]"
    )
    assert made.start.timing is not None
    return made.start.timing


def instants(made: Timing, since: str, count: int, anchor: str = "2026-01-01") -> list[str]:
    found = islice(made.instants(at(since), at(anchor)), count)
    return [one.isoformat()[:16] for one in found]


def test_an_interval_counts_from_its_anchor_and_does_not_drift():
    made = timing("{every: {minutes: 20}}")
    assert instants(made, "2026-01-01T10:07", 3, "2026-01-01T10:05") == [
        "2026-01-01T10:25",
        "2026-01-01T10:45",
        "2026-01-01T11:05",
    ]


def test_cron_is_utc_unless_a_zone_is_named():
    assert instants(timing("{cron: '0 6 * * *'}"), "2026-06-01", 1) == ["2026-06-01T06:00"]
    berlin = timing("{cron: '0 6 * * *'}", "{timezone: Europe/Berlin}")
    assert instants(berlin, "2026-06-01", 1) == ["2026-06-01T04:00"]
    assert instants(berlin, "2026-12-01", 1) == ["2026-12-01T05:00"]


def test_the_zone_of_the_document_counts_where_the_schedule_names_none():
    made = program(
        "document: {dsl: 1.0.3, namespace: t, name: t, version: 1.0.0, metadata: {timezone: Asia/Tokyo}}\n"
        "schedule: {cron: '0 9 * * *'}\ndo: [{a: {set: {x: 1}}}]"
    )
    assert made.start.timing is not None
    assert instants(made.start.timing, "2026-06-01", 1) == ["2026-06-02T00:00"]


def test_when_the_clock_changes_a_daily_line_fires_once_a_day():
    made = timing("{cron: '30 2 * * *'}", "{timezone: Europe/Berlin}")
    days = [text[:10] for text in instants(made, "2026-03-27T12:00", 4)]
    assert days == ["2026-03-28", "2026-03-29", "2026-03-30", "2026-03-31"]
    days = [text[:10] for text in instants(made, "2026-10-23T12:00", 4)]
    assert days == ["2026-10-24", "2026-10-25", "2026-10-26", "2026-10-27"]


WORKDAYS = "calendar: {days: [mon, tue, wed, thu, fri], holidays: [2026-12-25]}"


def test_days_outside_the_calendar_are_left_out():
    made = timing("{cron: '0 6 * * *'}", f"{{{WORKDAYS}}}")
    assert instants(made, "2026-12-24T00:00", 3) == [
        "2026-12-24T06:00",
        "2026-12-28T06:00",
        "2026-12-29T06:00",
    ]


def test_or_moved_to_the_first_day_inside_and_several_of_them_become_one():
    made = timing("{cron: '0 6 * * *'}", f"{{{WORKDAYS}, outside: defer}}")
    assert instants(made, "2026-12-24T00:00", 4) == [
        "2026-12-24T06:00",
        "2026-12-28T00:00",
        "2026-12-28T06:00",
        "2026-12-29T06:00",
    ]
    assert instants(made, "2026-12-28T00:00", 1) == ["2026-12-28T06:00"]


FREEZE = "blackout: [{from: 2026-11-27T00:00, to: 2026-12-01T00:00, reason: Black Friday}], timezone: America/New_York"


def test_nothing_fires_in_a_trading_freeze():
    made = timing("{every: {seconds: 10}}", f"{{{FREEZE}}}")
    assert instants(made, "2026-11-27T04:59:45", 2) == ["2026-11-27T04:59", "2026-12-01T05:00"]
    deferred = timing("{cron: '0 12 * * *'}", f"{{{FREEZE}, outside: defer}}")
    assert instants(deferred, "2026-11-27T00:00", 2) == ["2026-12-01T05:00", "2026-12-01T17:00"]


def test_a_calendar_without_a_day_left_never_fires():
    window = "{blackout: [{from: 1990-01-01T00:00, to: 9998-01-01T00:00}]}"
    made = timing("{cron: '0 6 * * *'}", window)
    assert instants(made, "2026-01-01", 1) in ([], ["9998-01-01T06:00"])


def test_jitter_moves_an_instant_by_up_to_its_length_and_always_the_same():
    made = timing("{cron: '0 6 * * *'}", "{jitter: {minutes: 10}}")
    moments = [at("2026-01-01T06:00") + timedelta(days=n) for n in range(200)]
    shifts = [made.spread(KEY, one) - one for one in moments]
    assert all(timedelta() <= shift <= timedelta(minutes=10) for shift in shifts)
    assert len(set(shifts)) > 150
    assert shifts == [made.spread(KEY, one) - one for one in moments]
    assert timing("{cron: '0 6 * * *'}").spread(KEY, moments[0]) == moments[0]


def planned(policy: str, since: str, now: str, **more: Any) -> tuple[list[str], str, int]:
    made = timing("{cron: '0 * * * *'}", f"{{catchUp: {policy}}}")
    found = plan(
        made, KEY, since=at(since), anchor=at(since), now=at(now), on_time=more.get("on_time", False)
    )
    assert found.next is not None
    return [one.isoformat()[11:16] for one in found.fire], found.next.isoformat()[11:16], found.missed


@pytest.mark.parametrize(
    ("policy", "fired", "missed"),
    [("none", [], 3), ("once", ["12:00"], 2), ("all", ["10:00", "11:00", "12:00"], 0)],
)
def test_after_an_outage_of_three_hours(policy, fired, missed):
    assert planned(policy, "2026-01-01T09:30", "2026-01-01T12:30") == (fired, "13:00", missed)


@pytest.mark.parametrize("policy", ["none", "once", "all"])
def test_a_little_late_is_not_missed(policy):
    assert planned(policy, "2026-01-01T09:30", "2026-01-01T10:00:40") == (["10:00"], "11:00", 0)
    assert planned(policy, "2026-01-01T09:30", "2026-01-01T09:45") == ([], "10:00", 0)


def test_the_present_instant_is_enough_for_once():
    assert planned("once", "2026-01-01T08:30", "2026-01-01T10:00:05") == (["10:00"], "11:00", 1)


def test_a_clock_that_leaps_misses_nothing():
    found = planned("none", "2026-01-01T09:30", "2026-01-01T12:30", on_time=True)
    assert found == (["10:00", "11:00", "12:00"], "13:00", 0)


def test_a_long_outage_is_dealt_with_in_parts_and_still_fires_once():
    made = timing("{every: {minutes: 1}}", "{catchUp: once}")
    place, fired, missed, rounds = at("2026-01-01"), [], 0, 0
    anchor, now = at("2026-01-01"), at("2026-01-03T00:03:59")
    while True:
        found = plan(made, KEY, since=place, anchor=anchor, now=now, on_time=False)
        place, fired, missed, rounds = found.done, fired + list(found.fire), missed + found.missed, rounds + 1
        if found.next is None or found.next > now:
            break
    assert rounds == 2883 // MOST + 1
    assert [one.isoformat()[:16] for one in fired] == ["2026-01-03T00:03"]
    assert len(fired) + missed == 2883


REFUSED = [
    ("{cron: '0 0 30 2 *'}", "{}", "/schedule/cron"),
    ("{every: {milliseconds: 5}}", "{}", "/schedule/every"),
    ("{every: PT1M}", "{timezone: Mars/Olympus}", "/document/metadata/schedule/timezone"),
    ("{every: PT1M}", "{calendar: {days: [monday]}}", "/document/metadata/schedule/calendar/days"),
    (
        "{every: PT1M}",
        "{calendar: {holidays: [soon]}}",
        "/document/metadata/schedule/calendar/holidays/0",
    ),
    (
        "{every: PT1M}",
        "{blackout: [{from: soon, to: 2026-01-01}]}",
        "/document/metadata/schedule/blackout/0/from",
    ),
    (
        "{every: PT1M}",
        "{blackout: [{from: 2026-01-02, to: 2026-01-01}]}",
        "/document/metadata/schedule/blackout/0",
    ),
    ("{every: PT1M}", "{outside: maybe}", "/document/metadata/schedule/outside"),
    ("{every: PT1M}", "{catchUp: twice}", "/document/metadata/schedule/catchUp"),
    ("{every: PT1M}", "{jitter: soon}", "/document/metadata/schedule/jitter"),
    ("{every: PT1M}", "{often: true}", "/document/metadata/schedule/often"),
]


@pytest.mark.parametrize(("schedule", "options", "pointer"), REFUSED)
def test_a_schedule_that_cannot_be_kept_is_refused(schedule, options, pointer):
    with pytest.raises(DefinitionRefused) as refused:
        timing(schedule, options)
    assert pointer in [one.pointer for one in refused.value.findings]
