"""Decision tables: rules over named inputs, the first that fits (or all that fit) gives the outputs. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from automations.engine.dsl.cells import BadCell, Cell, condition, result
from automations.engine.dsl.expressions import BadExpression, Compiler, Evaluate
from automations.engine.errors import Finding, WorkflowError

Json = Any
HITS: Final = ("first", "unique", "collect")
MAX_RULES: Final = 2_000
_TOP: Final = frozenset({"inputs", "outputs", "hit", "rules", "tests", "otherwise"})


@dataclass(frozen=True, slots=True)
class Rule:
    """A row: one condition for each input, one value for each output."""

    conditions: Sequence[Cell]
    outputs: Sequence[Any]


@dataclass(frozen=True, slots=True)
class Table:
    """A compiled table."""

    inputs: Sequence[tuple[str, Evaluate]]
    outputs: Sequence[str]
    hit: str
    rules: Sequence[Rule]
    otherwise: Mapping[str, Json] | None
    tests: Sequence[Mapping[str, Json]]

    def decide(self, given: Json) -> tuple[Json, list[int]]:
        """What the table gives, and the numbers of the rules that did. Raises WorkflowError where none, or two, fit."""
        values = [value(given, {"input": given}) for _, value in self.inputs]
        fitting: list[int] = []
        for number, rule in enumerate(self.rules):
            if all(fits(value, given) for fits, value in zip(rule.conditions, values, strict=True)):
                fitting.append(number)
                if self.hit == "first":
                    break
        if self.hit == "collect":
            return [self._outputs(number, given) for number in fitting], fitting
        if len(fitting) > 1:
            lines = ", ".join(str(number + 1) for number in fitting)
            raise WorkflowError("runtime", f"the rules {lines} of the table fit at once", title="Undecided")
        if fitting:
            return self._outputs(fitting[0], given), fitting
        if self.otherwise is None:
            raise WorkflowError("runtime", "no rule of the table fits", title="Undecided")
        return dict(self.otherwise), []

    def _outputs(self, number: int, given: Json) -> dict[str, Json]:
        return {
            name: value(given) for name, value in zip(self.outputs, self.rules[number].outputs, strict=True)
        }


class _Reader:
    def __init__(self) -> None:
        self.findings: list[Finding] = []

    def find(self, pointer: str, message: str, rule: str = "structure") -> None:
        self.findings.append(Finding(rule, pointer, message))

    def names(self, value: Json, pointer: str) -> list[str]:
        entries = value if isinstance(value, list) else []
        names = [entry.get("name") if isinstance(entry, dict) else entry for entry in entries]
        if not names or not all(isinstance(name, str) and name for name in names):
            self.find(pointer, "Here stands a list with at least one name.")
            return []
        if len(set(names)) != len(names):
            self.find(pointer, "A name stands here twice.")
        return [str(name) for name in names]

    def inputs(self, value: Json) -> list[tuple[str, Evaluate]]:
        """Each input is a field of what is asked (`total`), or a name with an expression (`{name, from}`)."""
        found = []
        for number, name in enumerate(self.names(value, "/inputs")):
            entry = value[number]
            source = str(entry.get("from", f".{name}")) if isinstance(entry, dict) else f".{name}"
            try:
                found.append((name, Compiler(frozenset({"input"})).expression(source)))
            except BadExpression as error:
                self.find(f"/inputs/{number}", str(error), "expression")
        return found

    def rule(self, value: Json, number: int, inputs: int, outputs: int) -> Rule | None:
        at = f"/rules/{number}"
        if not isinstance(value, dict) or set(value) - {"when", "then", "note"}:
            self.find(at, "A rule has `when` and `then`, and perhaps a `note`.")
            return None
        rows = []
        for part, count, compile_ in (("when", inputs, condition), ("then", outputs, result)):
            cells = value.get(part)
            if not isinstance(cells, list) or len(cells) != count:
                self.find(f"{at}/{part}", f"`{part}` has {count} cells, one for each column.")
                return None
            rows.append([self.cell(compile_, cell, f"{at}/{part}/{n}") for n, cell in enumerate(cells)])
        return Rule(*rows)

    def cell(self, compile_: Any, value: Json, pointer: str) -> Any:
        try:
            return compile_(value)
        except BadCell as error:
            self.find(pointer, f"{error}.", "cell")
            return None


def read(document: Mapping[str, Json]) -> tuple[Table | None, list[Finding]]:
    """The table that `document` describes, or everything that is wrong with it; its tests have to pass, too."""
    reader = _Reader()
    for key in sorted(set(document) - _TOP):
        reader.find(
            f"/{key}", f"{key!r} means nothing here; known: {', '.join(sorted(_TOP))}.", "unknown-key"
        )
    inputs = reader.inputs(document.get("inputs"))
    outputs = reader.names(document.get("outputs"), "/outputs")
    hit = document.get("hit", "first")
    if hit not in HITS:
        reader.find("/hit", f"`hit` is one of {', '.join(HITS)}.")
    rows = document.get("rules")
    if not isinstance(rows, list) or not rows or len(rows) > MAX_RULES:
        reader.find("/rules", f"`rules` is a list of 1 to {MAX_RULES} rules.")
        rows = []
    rules = [reader.rule(row, number, len(inputs), len(outputs)) for number, row in enumerate(rows)]
    otherwise = document.get("otherwise")
    if otherwise is not None and (not isinstance(otherwise, dict) or set(otherwise) != set(outputs)):
        reader.find("/otherwise", "`otherwise` has a value for each output.")
    tests = document.get("tests")
    if not isinstance(tests, list) or not tests:
        reader.find("/tests", "A table has at least one test: an `input` and what it should give (`expect`).")
        tests = []
    if reader.findings:
        return None, reader.findings
    found = Table(inputs, outputs, str(hit), [rule for rule in rules if rule], otherwise, tests)
    failures = [
        finding for number, test in enumerate(tests) if (finding := _try(found, test, number)) is not None
    ]
    return (None, failures) if failures else (found, [])


def _try(table: Table, test: Json, number: int) -> Finding | None:
    at = f"/tests/{number}"
    if not isinstance(test, dict) or set(test) != {"input", "expect"}:
        return Finding("structure", at, "A test has `input` and `expect`.")
    try:
        given, _ = table.decide(test["input"])
    except WorkflowError as error:
        return Finding("test", at, f"The test gives an error: {error.body.get('detail')}.")
    if given != test["expect"]:
        return Finding("test", at, f"The test gives {given!r} and should give {test['expect']!r}.")
    return None
