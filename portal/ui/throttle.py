"""Brakes on guessing: failures are counted per name, per address and per both, in the database."""

from typing import Final

import structlog

from kernel import clock
from kernel.errors import TooMany
from portal.request import PortalRequest, address
from tenants.accounts.actions import braking

log = structlog.get_logger(__name__)
WINDOW: Final = int(braking.WINDOW.total_seconds())
PER_NAME: Final = 8
"""Wrong guesses at one name from one address."""
PER_NAME_ANYWHERE: Final = 30
PER_ADDRESS: Final = 40
"""Wrong guesses from one address, whatever the names: who tries one password on many people is stopped by this."""
_CODES: Final = 5
"""Wrong second factors of one person, from wherever: six digits are few."""


def _limits(request: PortalRequest, what: str, name: str) -> list[tuple[str, int]]:
    """(key, limit) of somebody who guesses one name, of many who guess one name, of one who guesses many."""
    named, where = name.strip().lower(), address(request)
    anywhere = _CODES if what == "factor" else PER_NAME_ANYWHERE
    return [
        (braking.key_of(what, "both", named, where), min(PER_NAME, anywhere)),
        (braking.key_of(what, "name", named), anywhere),
        (braking.key_of(what, "address", where), PER_ADDRESS),
    ]


def check(request: PortalRequest, what: str, name: str) -> None:
    """Go on only below the limits. Raises TooMany."""
    if braking.full(_limits(request, what, name), clock.now()):
        raise TooMany(retry_after=WINDOW)


def count(request: PortalRequest, what: str, name: str) -> None:
    """One more failure."""
    limits = _limits(request, what, name)
    if braking.count([key for key, _ in limits], clock.now()) >= PER_NAME:
        log.warning("somebody guesses", what=what, address=address(request))


def forget(request: PortalRequest, what: str, name: str) -> None:
    """It was right this time: the failures of this name from this address count no more, nor wrong second factors."""
    both, anywhere, _ = _limits(request, what, name)
    braking.forget(both[0])
    if what == "factor":
        braking.forget(anywhere[0])
