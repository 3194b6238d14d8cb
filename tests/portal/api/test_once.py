"""Idempotency-Key: the same request is done once, whatever happens on the way."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections

from kernel import clock
from tenants.access.models import ApiToken, IdempotentRequest, Membership
from tests.portal.api.conftest import Machine
from tests.support.cast import NOW, Cast

PERSON = {"email": "new@cast.test", "role": "analyst"}


def test_the_same_request_is_answered_as_before_and_does_nothing_again(api: Machine, now: object) -> None:
    first = api.post("people", PERSON, Idempotency_Key="k1")
    again = api.post("people", PERSON, Idempotency_Key="k1")
    assert first.status_code == again.status_code == 201
    assert first.content == again.content
    assert "Idempotent-Replayed" not in first
    assert again["Idempotent-Replayed"] == "true"
    assert Membership.objects.filter(user__email="new@cast.test").count() == 1


def test_the_same_key_with_another_request_is_refused(api: Machine, now: object) -> None:
    assert api.post("people", PERSON, Idempotency_Key="k1").status_code == 201
    other = api.post("people", {**PERSON, "email": "other@cast.test"}, Idempotency_Key="k1")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    elsewhere = api.post("tokens", {"name": "x", "scopes": ["events.read"]}, Idempotency_Key="k1")
    assert elsewhere.status_code == 422
    assert not Membership.objects.filter(user__email="other@cast.test").exists()


def test_what_was_refused_may_be_put_right_under_the_same_key(api: Machine, now: object) -> None:
    assert api.post("people", {**PERSON, "role": "king"}, Idempotency_Key="k1").status_code == 400
    assert api.post("people", {**PERSON, "role": "partner_admin"}, Idempotency_Key="k1").status_code == 400
    assert api.post("people", PERSON, Idempotency_Key="k1").status_code == 201


def test_keys_of_others_are_others(
    cast: Cast, api: Machine, machine: Callable[..., Machine], now: object
) -> None:
    assert api.post("people", PERSON, Idempotency_Key="k1").status_code == 201
    assert (
        machine().post("people", {**PERSON, "email": "b@cast.test"}, Idempotency_Key="k1").status_code == 201
    )
    there = machine(cast.partner_host)
    body = {"email": "c@cast.test", "role": "partner_engineer"}
    assert there.post("people", body, Idempotency_Key="k1").status_code == 201


def test_after_a_day_the_key_is_forgotten(api: Machine) -> None:
    with clock.hold(NOW):
        api.post("tokens", {"name": "x", "scopes": ["events.read"]}, Idempotency_Key="k1")
    with clock.hold(NOW + timedelta(hours=25)):
        made = api.post("tokens", {"name": "x", "scopes": ["events.read"]}, Idempotency_Key="k1")
        assert "Idempotent-Replayed" not in made
    assert ApiToken.objects.filter(name="x").count() == 2
    assert IdempotentRequest.objects.count() == 1


def test_a_secret_in_an_answer_is_kept_sealed(api: Machine, now: object) -> None:
    made = api.post("tokens", {"name": "x", "scopes": ["events.read"]}, Idempotency_Key="a secret key")
    row = IdempotentRequest.objects.get()
    text = made.json()["token"].encode()
    assert text not in bytes(row.answer)
    assert "a secret key" not in "".join(map(str, vars(row).values()))


def test_a_key_that_is_none_is_refused(api: Machine) -> None:
    answer = api.post("people", PERSON, Idempotency_Key="x" * 256)
    assert set(answer.json()["fields"]) == {"Idempotency-Key"}


@pytest.mark.timeout(60)
def test_of_two_at_the_same_time_one_is_told_to_wait(
    committed: Any, cast: Cast, api: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside, go_on = threading.Event(), threading.Event()
    from portal.api import access

    real = access.actions.add_member

    def slow(**given: Any) -> Any:
        inside.set()
        assert go_on.wait(20)
        return real(**given)

    monkeypatch.setattr(access.actions, "add_member", slow)
    answers: list[Any] = []

    def send() -> None:
        try:
            answers.append(api.post("people", PERSON, Idempotency_Key="k1"))
        finally:
            connections.close_all()

    first = threading.Thread(target=send)
    first.start()
    assert inside.wait(20)
    second = api.post("people", PERSON, Idempotency_Key="k1")
    go_on.set()
    first.join(20)
    assert (second.status_code, second.json()["code"]) == (409, "idempotency_key_busy")
    assert second["Retry-After"] == "1"
    assert answers[0].status_code == 201
    assert api.post("people", PERSON, Idempotency_Key="k1").content == answers[0].content
