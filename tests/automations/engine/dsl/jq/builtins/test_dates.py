"""Dates, in UTC."""

import pytest

from tests.automations.engine.dsl.jq.evaluating import every, failure, one

SECONDS = 1425599621


def test_seconds_come_apart_and_together():
    assert one("gmtime", SECONDS) == [2015, 2, 5, 23, 53, 41, 4, 63]
    assert one("gmtime | mktime", SECONDS) == SECONDS
    assert one("gmtime", 1425599621.678) == [2015, 2, 5, 23, 53, pytest.approx(41.678), 4, 63]
    assert one("gmtime | mktime", -86_401) == -86_401
    assert one("gmtime", -0.5) == [1969, 11, 31, 23, 59, 59.5, 3, 364]


def test_parts_beyond_their_range_carry_over():
    assert one("mktime", [2015, 14, 35, 25, 61, 61]) == 1459821721
    assert one("mktime | todate", [2024, 1, 30]) == "2024-03-01T00:00:00Z"
    assert one("mktime", [2015, 2, 5]) == 1425513600


def test_iso_dates_are_read_and_written():
    assert every("todate, todateiso8601, date", SECONDS) == ["2015-03-05T23:53:41Z"] * 3
    assert every("fromdate, fromdateiso8601", "2015-03-05T23:53:41Z") == [SECONDS] * 2
    assert one("todate", 1e12) == "33658-09-27T01:46:40Z"
    assert one("todate", -62_135_596_801) == "0-12-31T23:59:59Z"
    assert failure("fromdate", "2015-03-05") == 'date "2015-03-05" does not match format "%Y-%m-%dT%H:%M:%SZ"'


def test_dates_are_calculated_in_seconds():
    assert one('dateadd("seconds"; 10) | datesub("seconds"; 5)', SECONDS) == SECONDS + 5


def test_formats_know_the_directives_of_c():
    formats = "%a %A %b %B %C %d %D %e %F %g %G %H %I %j %k %l %m %M %p %P %r %R %S %s %T %u %U %V %w %W %x %X %y %Y %z %Z %%"
    assert one(f'strftime("{formats}")', SECONDS) == (
        "Thu Thursday Mar March 20 05 03/05/15  5 2015-03-05 15 2015 23 11 064 23 11 03 53 PM pm 11:53:41 PM 23:53 41 "
        "1425599621 23:53:41 4 09 10 4 09 03/05/15 23:53:41 15 2015 +0000 GMT %"
    )
    assert one('strftime("%c%n%t%h")', SECONDS) == "Thu Mar  5 23:53:41 2015\n\tMar"
    assert one('strftime("%-d %_d %^a %5Y %Q %")', SECONDS) == "5  5 THU 02015 %Q %"


@pytest.mark.parametrize(
    ("date", "week"),
    [
        ("2015-12-31", "2015-53"),
        ("2016-01-03", "2015-53"),
        ("2016-01-04", "2016-01"),
        ("2018-12-31", "2019-01"),
        ("2021-01-01", "2020-53"),
        ("2024-12-30", "2025-01"),
    ],
)
def test_weeks_are_counted_as_iso_does(date, week):
    assert one('"\\(.)T00:00:00Z" | fromdate | strftime("%G-%V")', date) == week


def test_local_time_is_utc():
    assert one("localtime == gmtime", SECONDS) is True
    assert one('strflocaltime("%H:%M %Z")', SECONDS) == "23:53 UTC"


@pytest.mark.parametrize(
    ("text", "form", "parts"),
    [
        ("2015-03-05T23:51:47Z", "%Y-%m-%dT%H:%M:%SZ", [2015, 2, 5, 23, 51, 47, 4, 63]),
        ("5 march 2015", "%d %B %Y", [2015, 2, 5, 0, 0, 0, 4, 63]),
        ("Thu, 05 Mar 15", "%a, %d %b %y", [2015, 2, 5, 0, 0, 0, 4, 63]),
        ("03/05/15 11:30 PM", "%D %I:%M %p", [2015, 2, 5, 23, 30, 0, 4, 63]),
        ("20150305", "%Y%m%d", [2015, 2, 5, 0, 0, 0, 4, 63]),
        ("64 2015", "%j %Y", [2015, 2, 5, 0, 0, 0, 4, 63]),
        ("1425599621", "%s", [2015, 2, 5, 23, 53, 41, 4, 63]),
        ("2015-03-05 23:51:47 +02:00", "%F %T %z", [2015, 2, 5, 23, 51, 47, 4, 63]),
        ("23:51", "%R", [1900, 0, 0, 23, 51, 0, 8, 367]),
        ("2015", "%Y", [2015, 0, 0, 0, 0, 0, 3, -1]),
        ("12 AM", "%I %p", [1900, 0, 0, 0, 0, 0, 8, 367]),
    ],
)
def test_texts_are_read_by_a_format(text, form, parts):
    assert one("strptime($form)", text, form=form) == parts


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("2015-13-05", "%Y-%m-%d"),
        ("2015-03-05x", "%Y-%m-%d"),
        ("24:00", "%H:%M"),
        ("5 Marz 2015", "%d %B %Y"),
        ("x", "%Q"),
        ("", "%Y"),
        ("2015", "%"),
    ],
)
def test_texts_that_do_not_match_are_errors(text, form):
    assert failure("strptime($form)", text, form=form) == f'date "{text}" does not match format "{form}"'


def test_what_is_no_time_is_an_error():
    assert failure("todate", "a") == "strftime/1 requires parsed datetime inputs"
    assert failure("gmtime", "a") == "gmtime() requires numeric inputs"
    assert failure("mktime", 1) == "mktime requires array inputs"
    assert failure("mktime", ["a"]) == "mktime requires parsed datetime inputs"
    assert failure("strftime(1)", 0) == "strftime/1 requires a string format"
    assert failure("strptime(1)", "a") == "strptime/1 requires string inputs and arguments"
    assert failure("todate", 1e18) == "error converting number of seconds since epoch to datetime"
