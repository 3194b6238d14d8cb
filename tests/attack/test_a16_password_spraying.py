"""A16: one password tried on a thousand people, and a thousand passwords on one, from one place or from many."""

from typing import Any

import pytest
from django.test import Client

from tests.support.cast import PASSWORD, Cast

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(autouse=True)
def _quick_hashes(settings: Any, cast: Cast) -> None:
    """Hashing takes time on purpose; here only the brakes are looked at. The owner's password fits the other hash."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    cast.owner.set_password(PASSWORD)
    cast.owner.save()


def tried(cast: Cast, number: int, *, email: str = "", address: str = "10.0.0.1", password: str = "x") -> int:
    browser = Client(HTTP_HOST=cast.host, REMOTE_ADDR=address)
    given = {"email": email or f"person{number}@cast.test", "password": password}
    return browser.post("/sign-in", given).status_code


def test_one_address_gets_forty_tries_at_a_thousand_people(cast: Cast, now: Any) -> None:
    statuses = [tried(cast, number) for number in range(1_000)]
    assert statuses.count(422) == 40
    assert statuses.count(429) == 960
    assert tried(cast, 0, email="owner@cast.test", password=PASSWORD) == 429, (
        "the right one does not help either"
    )
    assert tried(cast, 0, email="owner@cast.test", password=PASSWORD, address="10.0.0.2") == 302


def test_one_person_is_guessed_at_thirty_times_from_wherever(cast: Cast, now: Any) -> None:
    statuses = [
        tried(cast, number, email="owner@cast.test", address=f"10.1.{number % 200}.{number // 200}")
        for number in range(300)
    ]
    assert statuses.count(422) == 30
    assert statuses.count(429) == 270


def test_the_brakes_hold_on_every_host_of_the_installation(cast: Cast, now: Any) -> None:
    for _ in range(8):
        tried(cast, 0, email="owner@cast.test")
    elsewhere = Client(HTTP_HOST=cast.partner_host, REMOTE_ADDR="10.0.0.1")
    given = {"email": "owner@cast.test", "password": PASSWORD}
    assert elsewhere.post("/sign-in", given).status_code == 429


def test_a_forwarded_address_of_ones_own_making_changes_nothing(cast: Cast, now: Any) -> None:
    for number in range(8):
        browser = Client(HTTP_HOST=cast.host, REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=f"1.2.3.{number}")
        browser.post("/sign-in", {"email": "owner@cast.test", "password": "x"})
    assert tried(cast, 0, email="owner@cast.test", password=PASSWORD) == 429
