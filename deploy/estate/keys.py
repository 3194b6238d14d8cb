"""Idempotency keys as a careful provider keeps them, and the count of what each key did."""

from dataclasses import dataclass, field
from typing import Any, Final

from deploy.estate.memory import Bounded

_MOST_KEYS: Final = 200_000
SavedAnswer = tuple[bytes, int, bytes]
"""What was asked, the status, the body answered."""


@dataclass
class Keys:
    """`recall` before acting, `keep` after; with `honoured` off it forgets the answers and only counts."""

    honoured: bool = True
    effects: Bounded[str, int] = field(default_factory=lambda: Bounded(_MOST_KEYS))
    rejected: Bounded[str, int] = field(default_factory=lambda: Bounded(_MOST_KEYS))
    without_key: int = 0
    repeats: int = 0
    _saved: Bounded[str, SavedAnswer] = field(default_factory=lambda: Bounded(_MOST_KEYS))
    _seen: Bounded[str, None] = field(default_factory=lambda: Bounded(_MOST_KEYS))

    def recall(self, key: str, asked: bytes) -> SavedAnswer | None:
        """The saved answer if `key` was used before; its body differs from `asked` where the key is misused."""
        if key in self._seen:
            self.repeats += 1
        self._seen[key] = None
        saved = self._saved.get(key) if self.honoured else None
        if saved is not None and saved[0] != asked:
            self.rejected[key] = self.rejected.get(key, 0) + 1
        return saved

    def keep(self, key: str, asked: bytes, status: int, answer: bytes) -> None:
        """Remember the answer; a success is an effect."""
        if 200 <= status < 300:
            if key:
                self.effects[key] = self.effects.get(key, 0) + 1
            else:
                self.without_key += 1
        if key:
            self._saved[key] = (asked, status, answer)

    def kept(self) -> list[list[Any]]:
        """The saved answers, for a file."""
        return [
            [key, asked.hex(), status, answer.decode()]
            for key, (asked, status, answer) in self._saved.items()
        ]

    def restore(self, kept: list[list[Any]]) -> None:
        """Know again what a file kept."""
        for key, asked, status, answer in kept:
            self._saved[key] = (bytes.fromhex(asked), status, answer.encode())

    def told(self, *, by_key: bool) -> dict[str, Any]:
        """The counts; with `by_key` every key's own."""
        twice = [key for key, count in self.effects.items() if count > 1]
        counts: dict[str, Any] = {
            "total": sum(self.effects.values()) + self.without_key,
            "keys": len(self.effects),
            "without_key": self.without_key,
            "applied_twice": twice,
        }
        if by_key:
            counts["by_key"] = dict(self.effects)
        return {"effects": counts, "repeats": self.repeats, "rejected_keys": dict(self.rejected)}
