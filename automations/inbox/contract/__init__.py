"""What a kind of case is, and what is known of a trouble when words are made for it. Pure data."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise

from automations.inbox.enums import Decide, Severity

Words = str | Promise


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that a system found wrong: where (a JSON pointer, empty if it did not say), and its words."""

    pointer: str
    message: str
    missing: bool = False

    @property
    def field(self) -> str:
        """The field's name for people: `shipping_address.postcode` is `postcode`, `lines/0/sku` is `sku (line 1)`."""
        parts = [part for part in self.pointer.split("/") if part]
        names = [part for part in parts if not part.isdigit()]
        if not names:
            return ""
        name = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in names[-1])
        name = name.replace("_", " ").replace("-", " ").strip()
        place = next((int(part) + 1 for part in reversed(parts) if part.isdigit()), None)
        return f"{name} ({place})" if place is not None else name


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is known of a trouble. `own_title` and `own_cause` are the workflow's words, where it has any."""

    system: str = ""
    thing: str = ""
    step: str = ""
    status: int = 0
    detail: str = ""
    problems: tuple[Problem, ...] = ()
    retry_after: int | None = None
    own_title: str = ""
    own_cause: str = ""


@dataclass(frozen=True)
class Kind:
    """A kind of case: its words, its urgency, what may be decided, and what usually helps.

    `title` is a pattern over `{system} {thing} {what} {step}`; `cause` gives plain words. `decisions` begin with the
    one that is suggested; `answers` rename decisions where this kind has better words for them.
    """

    code: str
    label: Words
    title: Words
    cause: Callable[[Trouble], str]
    severity: Severity
    sla_hours: float
    decisions: tuple[Decide, ...]
    suggestion: Words
    decline: Words
    runbook: str
    answers: Mapping[Decide, Words] = field(default_factory=dict)

    @property
    def suggested(self) -> Decide:
        """The decision that usually helps."""
        return self.decisions[0]

    def answer(self, decision: Decide) -> Words:
        """What the button of `decision` says."""
        found: Any = self.answers.get(decision) or decision.label
        return found  # type: ignore[no-any-return]
