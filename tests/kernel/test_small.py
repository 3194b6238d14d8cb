"""Clock, money, errors, actors, locks."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from kernel import clock, errors, locks
from kernel.actor import Actor, system
from kernel.money import Money


def test_the_clock_is_aware_utc_and_can_be_held():
    at = datetime(2026, 3, 2, 9, tzinfo=timezone(timedelta(hours=2)))
    with clock.hold(at):
        assert clock.now() == at
        assert clock.now().tzinfo == UTC
    assert clock.now().tzinfo == UTC
    with pytest.raises(ValueError), clock.hold(datetime(2026, 3, 2)):
        pass


def test_instants_read_back_and_need_a_zone():
    assert clock.rfc3339(clock.parse_rfc3339("2026-03-02T10:00:00+01:00")) == "2026-03-02T09:00:00Z"
    with pytest.raises(ValueError):
        clock.parse_rfc3339("2026-03-02T10:00:00")


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("12.34", "EUR", 1234),
        ("12", "JPY", 12),
        ("1.2345", "KWD", 1234),
        ("0.125", "EUR", 12),
        ("-3.10", "GBP", -310),
    ],
)
def test_money_is_whole_minor_units(amount, currency, minor):
    money = Money.of(amount, currency)
    assert (money.minor, money.currency) == (minor, currency)


def test_money_adds_up_in_one_currency_alone():
    assert Money(100, "EUR") + Money(23, "EUR") == Money(123, "EUR")
    with pytest.raises(ValueError):
        Money(1, "EUR") + Money(1, "GBP")
    with pytest.raises(ValueError):
        Money.of("a lot", "EUR")


def test_money_is_written_as_readers_write_it():
    assert Money(104_500, "GBP").format("en_GB") == "£1,045.00"
    assert Money(104_500, "EUR").format("de_DE") == "1.045,00\u00a0€"


def test_an_error_tells_its_code_status_and_fields():
    problem = errors.Invalid("Two fields are wrong.", fields={"name": ["Too short."]}).problem()
    assert problem == {
        "type": "urn:problem:invalid",
        "title": "What was sent is not valid.",
        "status": 400,
        "code": "invalid",
        "detail": "Two fields are wrong.",
        "fields": {"name": ["Too short."]},
    }
    assert errors.Conflict().message == "This was changed meanwhile, or is in a state that does not allow it."


def test_an_actor_may_what_it_holds_and_the_portal_may_all():
    reader = Actor(kind="user", id=None, label="r", permissions=frozenset({"inbox.read"}))
    reader.require("inbox.read")
    with pytest.raises(errors.Forbidden):
        reader.require("inbox.decide")
    system("engine").require("inbox.decide")


def test_a_lock_has_one_number_everywhere():
    assert locks.lock_number("a", 1) == locks.lock_number("a", 1)
    assert locks.lock_number("a", "b") != locks.lock_number("a\x1f", "b")
    assert -(2**63) <= locks.lock_number("x") < 2**63
