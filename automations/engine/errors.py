"""What can go wrong with definitions and runs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from kernel.errors import Conflict, Invalid, NotFound


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a definition: the rule, where (a JSON pointer), and what to do instead."""

    rule: str
    pointer: str
    message: str

    def __str__(self) -> str:
        return f"{self.pointer or '/'}: {self.message} [{self.rule}]"


class DefinitionRefused(Invalid):
    """This workflow cannot be published."""

    code = "definition_refused"

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = list(findings)
        fields: dict[str, list[str]] = {}
        for finding in findings:
            fields.setdefault(finding.pointer or "/", []).append(f"{finding.message} [{finding.rule}]")
        super().__init__("; ".join(str(finding) for finding in findings[:5]), fields=fields)


class VersionTaken(Conflict):
    """This version is published already, with other content; give it a new number."""

    code = "version_taken"


class TableRefused(Invalid):
    """This decision table cannot be published."""

    code = "table_refused"

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = list(findings)
        fields: dict[str, list[str]] = {}
        for finding in findings:
            fields.setdefault(finding.pointer or "/", []).append(finding.message)
        super().__init__("; ".join(str(finding) for finding in findings[:5]), fields=fields)


class TableInForce(Conflict):
    """This version is in force already; publish another one instead."""

    code = "table_in_force"


class RunOver(Conflict):
    """This run is over."""

    code = "run_over"


class RunNotSuspended(Conflict):
    """This run does not wait for a person."""

    code = "run_not_suspended"


class UnknownStep(NotFound):
    """This run has no such step."""

    code = "unknown_step"


class RunMoves(Conflict):
    """This run is moving right now; wait until it stands still."""

    code = "run_moves"


def gettext_noop(text: str) -> str:
    """Marks a text that is translated where it is shown."""
    return text


class Because(Conflict):
    """This cannot be done with this run."""

    code = "run_refuses"

    def __init__(self, reason: str = "", **words: object) -> None:
        """`reason` is a text to be translated, with places for `words`."""
        self.reason, self.words = reason, words
        super().__init__(reason % words if words else reason)

    def told(self, translate: Callable[[str], str]) -> str:
        """The reason in the words of whoever reads it."""
        said = translate(self.reason or self.message)
        return said % self.words if self.words else said


class CannotRewind(Because):
    """This run cannot go on from that step."""

    code = "cannot_rewind"


class CannotMigrate(Because):
    """This run cannot go on by that version."""

    code = "cannot_migrate"


class NothingMatches(Invalid):
    """No run fits."""

    code = "nothing_matches"


class OthersMatch(Conflict):
    """Other runs fit by now than you saw; look again."""

    code = "others_match"


class BulkOver(Conflict):
    """This is done already."""

    code = "bulk_over"


_KINDS = "https://open-workflow-specification.org/dsl/errors/types/"


class WorkflowError(Exception):
    """An error inside a run, as the workflow standard shapes it (RFC 9457): it can be caught by the workflow."""

    STATUS: ClassVar[dict[str, int]] = {
        "configuration": 400,
        "validation": 400,
        "expression": 400,
        "authentication": 401,
        "authorization": 403,
        "timeout": 408,
        "communication": 500,
        "runtime": 500,
    }

    def __init__(
        self, kind: str, detail: str = "", *, status: int | None = None, title: str = "", **more: Any
    ) -> None:
        """`kind` is one of the standard's kinds, or a URI of one's own; `more` are extension members."""
        self.body: dict[str, Any] = {
            "type": kind if ":" in kind else _KINDS + kind,
            "status": status if status is not None else self.STATUS.get(kind, 500),
            "title": title or _TITLES.get(kind, "Error"),
        }
        if detail:
            self.body["detail"] = detail[:2_000]
        self.body.update(more)
        self.begin: float | None = None  # when the failed call began, where it did not fail at once
        super().__init__(f"{self.body['title']}: {detail}")

    @classmethod
    def of(cls, body: dict[str, Any]) -> "WorkflowError":
        """The error that `body` describes."""
        error = cls("runtime")
        error.body = body
        return error


class LimitReached(WorkflowError):
    """A run has used up what one run is given. No `try` of the workflow catches it: it waits for a person."""

    def __init__(self, limit: str, detail: str, **more: Any) -> None:
        """`limit` is the name that `dsl/limits.py` gives it; `detail` is a sentence with the figure."""
        super().__init__(
            "runtime", detail, title="A limit was reached", code=f"limit_{limit}", limit=limit, **more
        )


_TITLES = {
    "configuration": "The workflow is not set up right",
    "validation": "The data is not valid",
    "expression": "An expression failed",
    "authentication": "The other system did not accept our credentials",
    "authorization": "The other system does not allow this",
    "timeout": "It took too long",
    "communication": "The other system could not do it",
    "runtime": "The workflow failed",
}
