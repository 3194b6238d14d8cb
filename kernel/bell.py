"""The doorbell: Redis tells workers that something is due. It may lose, repeat or reorder; Postgres knows the truth."""

import threading
from typing import Final

import redis
import structlog
from django.conf import settings

CHANNEL: Final = "bell"
WORK: Final = b"work"
"""Something is due."""
EVENTS: Final = b"events"
"""Events came in; what they make due is known when they are dispatched."""
log = structlog.get_logger(__name__)
_local = threading.local()


def client() -> "redis.Redis":
    """This thread's Redis client, with short timeouts: a bell that does not answer is not waited for."""
    found: redis.Redis | None = getattr(_local, "client", None)
    if found is None:
        found = redis.Redis.from_url(
            settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=1, health_check_interval=30
        )
        _local.client = found
    return found


class _Coalesced:
    """Publishes for all threads that ask at the same time: whoever asks while one is at it is told of by the next."""

    def __init__(self) -> None:
        self._one = threading.Lock()
        self._again = False
        self._heard: int | None = 0

    def __call__(self, what: bytes) -> int | None:
        self._again = True
        while self._again and self._one.acquire(blocking=False):
            try:
                self._again = False
                self._heard = _published(what)
            finally:
                self._one.release()
        return self._heard


_rings: Final = {what: _Coalesced() for what in (WORK, EVENTS)}


def ring(what: bytes = WORK) -> int | None:
    """Tell listening drains `what` there is; the number that heard it, None when Redis is away."""
    return _rings[what](what)


def _published(what: bytes) -> int | None:
    try:
        return int(client().publish(CHANNEL, what))
    except redis.RedisError as error:
        log.warning("bell not rung", error=str(error))
        return None


def waiting(queue: str) -> int:
    """How many messages wait in a queue of the broker; 0 when Redis is away."""
    try:
        return int(client().llen(queue))
    except redis.RedisError:
        return 0


def reachable() -> bool:
    """Whether Redis answers."""
    try:
        return bool(client().ping())
    except redis.RedisError:
        return False
