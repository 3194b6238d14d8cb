"""Misbehaviour on demand: rules that say which requests go wrong, how, and how often.

A rule: `{"match": {"method": "POST", "path": "/erp/orders*"}, "times": 2, "after": 0, "probability": 1.0}` with one
of these added: `"status": 503` (and `"body"`, `"headers"` if wanted) · `"rate_limit": {"retry_after": 30}` ·
`"drop": true` (closes the line without acting) · `"drop_after_acting": true` · `"bad_json": true` (acts, then answers
half a document) · `"slow": 1.5` (seconds, then as usual). The first rule that applies wins. `after` lets that many
matches pass first, `times` is how often it applies (without it: always).
"""

import random
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Final

_KINDS: Final = ("status", "rate_limit", "drop", "drop_after_acting", "bad_json", "slow")
_KNOWN: Final = frozenset({*_KINDS, "match", "times", "after", "probability", "body", "headers"})


class BadRule(ValueError):
    """A rule that says nothing, or something unknown."""


@dataclass
class Rule:
    """One rule and how often it met a request and applied."""

    kind: str
    value: Any
    method: str
    path: str
    times: int | None
    after: int
    probability: float
    body: Any
    headers: dict[str, str]
    met: int = 0
    applied: int = 0

    @classmethod
    def read(cls, given: Any) -> "Rule":
        """A rule from JSON. Raises BadRule in words."""
        if not isinstance(given, dict):
            raise BadRule("a rule is an object")
        if unknown := sorted(given.keys() - _KNOWN):
            raise BadRule(f"{unknown[0]!r} is no part of a rule")
        kinds = [kind for kind in _KINDS if given.get(kind)]
        if len(kinds) != 1:
            raise BadRule(f"a rule says one of {', '.join(_KINDS)}")
        match = given.get("match") or {}
        return cls(
            kind=kinds[0],
            value=given[kinds[0]],
            method=str(match.get("method", "*")).upper(),
            path=str(match.get("path", "*")),
            times=given.get("times"),
            after=int(given.get("after", 0)),
            probability=float(given.get("probability", 1)),
            body=given.get("body"),
            headers={str(name): str(value) for name, value in (given.get("headers") or {}).items()},
        )

    def applies(self, method: str, path: str, dice: random.Random) -> bool:
        """Whether this request goes wrong by this rule; counts it."""
        if self.method not in ("*", method) or not fnmatchcase(path, self.path):
            return False
        if self.times is not None and self.applied >= self.times:
            return False
        self.met += 1
        if self.met <= self.after or (self.probability < 1 and dice.random() >= self.probability):
            return False
        self.applied += 1
        return True

    def told(self) -> dict[str, Any]:
        """The rule and its counts."""
        match = {"method": self.method, "path": self.path}
        return {"match": match, self.kind: self.value, "met": self.met, "applied": self.applied}


@dataclass
class Faults:
    """The rules in force."""

    seed: int = 0
    rules: list[Rule] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._dice = random.Random(self.seed)

    def replace(self, given: Any) -> None:
        """Put the rules of a JSON list in force. Raises BadRule and changes nothing."""
        if not isinstance(given, list):
            raise BadRule("the rules are a list")
        self.rules = [Rule.read(one) for one in given]

    def for_request(self, method: str, path: str) -> Rule | None:
        """The rule by which this request goes wrong, if any."""
        for rule in self.rules:
            if rule.applies(method, path, self._dice):
                return rule
        return None
