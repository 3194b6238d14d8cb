"""Card numbers that come in are proved and known as they were sent, and kept nowhere."""

from collections.abc import Callable
from datetime import datetime

import pytest

from automations.events import actions
from automations.events.actions import Receipt
from automations.events.models import Event, Rejection
from kernel import jsonx
from kernel.actor import system
from tenants.tenancy.queries import TenantRef
from tests.support import make

Deliver = Callable[..., Receipt]
CARD, DOTS = "4111 1111 1111 1111", "••••••••••••1111"


def kept() -> str:
    """All that is kept of what came in."""
    rows = [
        *Event.objects.values_list("data", "extensions"),
        *Rejection.objects.values_list("body", "reason"),
    ]
    return jsonx.text([list(row) for row in rows])


@pytest.mark.django_db
def test_a_delivery_with_a_card_number_is_kept_without_it(deliver: Deliver) -> None:
    sent = make.cloudevent(type="shop.note", data={"note": f"card {CARD}", "id": 7}, memo=CARD)
    assert deliver(sent).status == 202
    event = Event.objects.get()
    assert (event.data, event.extensions) == ({"note": f"card {DOTS}", "id": 7}, {"memo": DOTS})


@pytest.mark.django_db
def test_a_repeat_changes_nothing_and_another_body_is_still_a_conflict(deliver: Deliver) -> None:
    sent = make.cloudevent(type="shop.note", data={"note": f"card {CARD}", "a": 1})
    deliver(sent)
    turned = {**dict(reversed(sent.items())), "data": {"a": 1, "note": f"card {CARD}"}}
    assert deliver(turned, key="msg_2") == Receipt(status=200, duplicates=1)
    assert deliver({**sent, "data": {"note": f"card {CARD}", "a": 2}}, key="msg_3").status == 409
    assert "4111" not in kept()


@pytest.mark.django_db
def test_nothing_that_is_kept_is_made_of_the_number(deliver: Deliver) -> None:
    """A hash over a body with a number in it is the number, to whoever tries all that end in the same four digits."""
    hashes = []
    for card in (CARD, "4012888800021111"):
        sent = make.cloudevent(id="e-1", type="shop.note", data={"note": card})
        Event.objects.all().delete()
        deliver(sent, key=card)
        hashes.append(bytes(Event.objects.get().body_digest or b""))
        assert Event.objects.get().data["note"].startswith("••••")
    assert hashes[0] == hashes[1]


@pytest.mark.django_db
def test_what_is_set_aside_is_kept_without_it(deliver: Deliver) -> None:
    broken = make.cloudevent(data={"order_id": 7, "note": CARD})
    flawed = {**make.cloudevent(), "type": "", "data": {"note": CARD}}
    assert deliver([broken, flawed]).status == 202
    assert Rejection.objects.count() == 2
    assert CARD not in kept()
    assert kept().count(DOTS) == 2


@pytest.mark.django_db
def test_events_by_call_are_kept_without_it(tenant: TenantRef, now: datetime) -> None:
    for _ in range(2):
        made = actions.publish(
            type="shop.note",
            subject="7",
            data={"n": int(CARD.replace(" ", ""))},
            source="/a",
            time=now,
            event_id="1",
        )
        assert made.data == {"n": DOTS}
    batch = actions.Draft(type="shop.note", subject="8", data={"n": CARD}, source="/a", time=now)
    actions.publish_batch(drafts=[batch], actor=system("test"), now=now)
    assert Event.objects.count() == 2
    assert "4111" not in kept()
