"""What the estate remembers over a restart: its books, the answers under keys, and the feeds without end."""

import asyncio
import contextlib
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import orjson

from deploy.estate.feed import Wish

if TYPE_CHECKING:
    from deploy.estate.server import Estate

_EVERY_SECONDS: Final = 3.0
_NUMBERS_LEFT_OUT: Final = 1_000  # more than a feed places between two savings, so that no number comes twice


def restore(estate: "Estate", path: Path) -> None:
    """Take up what `path` keeps; the feeds start."""
    kept = orjson.loads(path.read_bytes())
    estate.erp.restore(kept["erp"])
    estate.keys.restore(kept["keys"])
    estate.feeds.customers.next_number = kept["next_number"] + _NUMBERS_LEFT_OUT
    for wish in kept["feeds"]:
        estate.feeds.start(Wish(**wish))


def save(estate: "Estate", path: Path) -> None:
    """Write all of it, readable by ourselves alone: it holds the secrets of the feeds."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    fresh.write_bytes(orjson.dumps(_kept(estate)))
    fresh.replace(path)


async def keep_saving(estate: "Estate", path: Path) -> None:
    """Save every three seconds in which something happened."""
    before = None
    while True:
        with contextlib.suppress(OSError):  # a full disk is no reason to stop serving; the next time may do
            if (mark := _mark(estate)) != before:
                save(estate, path)
                before = mark
        await asyncio.sleep(_EVERY_SECONDS)


def _mark(estate: "Estate") -> tuple[object, ...]:
    return (
        estate.requests.total(),
        estate.feeds.customers.next_number,
        tuple(estate.feeds.feeds),
        id(estate.erp),
    )


def _kept(estate: "Estate") -> dict[str, Any]:
    return {
        "erp": estate.erp.kept(),
        "keys": estate.keys.kept(),
        "next_number": estate.feeds.customers.next_number,
        "feeds": [asdict(feed.wish) for feed in estate.feeds.feeds.values() if feed.wish.count == 0],
    }
