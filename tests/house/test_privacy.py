"""Every column that may hold text says what it holds, so that nobody is overlooked when somebody asks for their data."""

from kernel.privacy import LOOKED_THROUGH, Holds
from tenants.privacy import store


def test_every_column_of_a_client_has_its_class() -> None:
    assert store.unclassified() == []


def test_what_may_hold_people_can_be_read() -> None:
    """A packed column that no room says how to read fails here."""
    looked = {(place.label, name) for place in store.places() for name in place.columns}
    wanted = {
        (model._meta.label, name)
        for model in store.tenant_models()
        for name, holds in store.holds_of(model).items()
        if holds in LOOKED_THROUGH
    }
    assert wanted <= looked
    assert len(wanted) >= 60


def test_the_sealed_log_is_looked_through_last() -> None:
    assert store.places()[-1].label == store.PROOF
    assert set(store.places()[-1].columns) == {
        name for name, holds in store.holds_of(store.places()[-1].model).items() if holds is Holds.PROOF
    }
