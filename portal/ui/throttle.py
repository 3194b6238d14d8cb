"""Brakes on guessing: failures are counted per address and per name, in the cache; without a cache nothing brakes."""

import hashlib
from typing import Final

import redis
import structlog
from django.core.cache import cache

from kernel.errors import TooMany
from portal.request import PortalRequest, address

log = structlog.get_logger(__name__)
WINDOW: Final = 600  # seconds
PER_NAME: Final = 8
PER_ADDRESS: Final = 40


def _keys(request: PortalRequest, what: str, name: str) -> tuple[tuple[str, int], ...]:
    """(key, limit): somebody who guesses one name, and an address that guesses many."""
    named = hashlib.sha256(f"{name.strip().lower()}".encode()).hexdigest()[:32]
    return (
        (f"public:throttle:{what}:name:{named}:{address(request)}", PER_NAME),
        (f"public:throttle:{what}:address:{address(request)}", PER_ADDRESS),
    )


def check(request: PortalRequest, what: str, name: str) -> None:
    """Go on only below the limits. Raises TooMany."""
    try:
        full = any((cache.get(key) or 0) >= limit for key, limit in _keys(request, what, name))
    except redis.RedisError:
        log.warning("throttle has no cache")
        return
    if full:
        raise TooMany(retry_after=WINDOW)


def count(request: PortalRequest, what: str, name: str) -> None:
    """One more failure."""
    try:
        for key, _limit in _keys(request, what, name):
            cache.add(key, 0, WINDOW)
            cache.incr(key)
    except (redis.RedisError, ValueError):
        log.warning("throttle could not count")


def forget(request: PortalRequest, what: str, name: str) -> None:
    """It was right this time: the failures of this name from this address count no more."""
    try:
        cache.delete(_keys(request, what, name)[0][0])
    except redis.RedisError:
        log.warning("throttle has no cache")
