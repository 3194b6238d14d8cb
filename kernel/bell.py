"""The doorbell: Redis tells workers that something is due. It may lose, repeat or reorder; Postgres knows the truth."""

import threading
from typing import Final

import redis
import structlog
from django.conf import settings

CHANNEL: Final = "bell"
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


def ring() -> int | None:
    """Tell listening drains that work is due; the number that heard it, None when Redis is away."""
    try:
        return int(client().publish(CHANNEL, b""))
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
