"""A58: a sealed secret is moved to another row or tenant, an old version is put back: it does not open, ever."""

import random
from typing import Any

from kernel import secrets
from kernel.secrets import SecretUnreadable
from tenants.tenancy import context
from tenants.tenancy.queries import TenantRef

Place = tuple[TenantRef, int, int, str]


def test_a_thousand_swaps_open_nothing(tenant: TenantRef, other_tenant: TenantRef) -> None:
    rng = random.Random(58)
    places: list[Place] = [
        (where, row, version, purpose)
        for where in (tenant, other_tenant)
        for row in range(4)
        for version in (1, 2)
        for purpose in ("connection", "endpoint")
    ]
    sealed: dict[Place, bytes] = {}
    for place in places:
        with context.enter(place[0]):
            sealed[place] = secrets.keep(b"value", row=place[1], version=place[2], purpose=place[3])
    opened = 0
    for _ in range(1_000):
        source, target = rng.sample(places, 2)
        opened += opens(sealed[source], target)
    assert opened == 0
    assert all(opens(value, place) for place, value in sealed.items())


def test_no_nonce_is_used_twice(tenant: TenantRef) -> None:
    made = [secrets.keep(b"value", row=1, version=1, purpose="connection") for _ in range(2_000)]
    assert len({value[6:18] for value in made}) == 2_000


def test_every_bit_counts(tenant: TenantRef) -> None:
    sealed = secrets.keep(b"value", row=1, version=1, purpose="connection")
    for at in range(len(sealed) * 8):
        broken = bytearray(sealed)
        broken[at // 8] ^= 1 << at % 8
        assert not opens(bytes(broken), (tenant, 1, 1, "connection")), at


def opens(sealed: bytes, place: Any) -> bool:
    where, row, version, purpose = place
    try:
        with context.enter(where):
            secrets.opened(sealed, row=row, version=version, purpose=purpose)
    except SecretUnreadable:
        return False
    return True
