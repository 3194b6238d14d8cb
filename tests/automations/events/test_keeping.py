"""Quarantined events go once somebody has decided, and not before; none that a hold covers."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from automations.events.actions import Receipt, discard_rejection
from automations.events.actions.keeping import purge_set_aside
from automations.events.models import Rejection
from kernel.actor import system
from tests.support import make
from tests.support.cast import NOW

DAY = timedelta(days=1)


@pytest.mark.django_db
def test_what_was_set_aside_goes_once_it_is_decided(deliver: Callable[..., Receipt]) -> None:
    for subject in ("1", "2", "3"):
        deliver(make.cloudevent(subject=subject, data={"order_id": 7}), key=subject)
    assert Rejection.objects.count() == 3
    assert purge_set_aside(NOW + 9 * DAY, [], 9).keys == []
    for row in Rejection.objects.exclude(subject="3"):
        discard_rejection(rejection=row, reason="a test", actor=system("test"), now=NOW)
    assert purge_set_aside(NOW, [], 9).keys == []
    gone = purge_set_aside(NOW + DAY, ["2"], 9)
    assert (len(gone.keys), gone.held, gone.more) == (1, 1, False)
    assert sorted(Rejection.objects.values_list("subject", flat=True)) == ["2", "3"]
