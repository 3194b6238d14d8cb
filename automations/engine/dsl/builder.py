"""What compiling shares: findings instead of exceptions, the reusable parts of the document, the common fields."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import jsonschema_rs

from automations.engine.dsl import durations
from automations.engine.dsl.expressions import STANDARD, WHOLE, BadExpression, Compiler, Evaluate, Test
from automations.engine.dsl.program import CONTINUE, END, EXIT, Check, Effects, Function, Task, TaskList
from automations.engine.errors import Finding, WorkflowError

MAX_DEPTH: Final = 32
COMMON: Final = frozenset({"if", "input", "output", "export", "timeout", "then", "metadata"})
SAFE: Final = ("GET", "HEAD", "OPTIONS")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
DIRECTIVES: Final = {"continue": CONTINUE, "exit": EXIT, "end": END}


def _nothing(_input: Any, _arguments: Any) -> None:
    """Stands where an expression could not be compiled; the finding keeps the program from being used."""


class Builder:
    """Collects what is wrong with a document while it is compiled."""

    def __init__(
        self,
        document: Mapping[str, Any],
        functions: Mapping[str, Function],
        *,
        inline_credentials: bool = False,
        resources: Mapping[str, Any] | None = None,
    ) -> None:
        self.document = document
        self.resources = resources
        self.fetches: set[str] = set()
        self.catalog = functions
        self.inline_credentials = inline_credentials
        self.findings: list[Finding] = []
        self.lists: dict[str, TaskList] = {}
        self.tasks: dict[str, Task] = {}
        self.connections: set[str] = set()
        self.emits: set[str] = set()
        self.expressions = Compiler()
        self.calling: list[str] = []
        self.use: Mapping[str, Any] = self.mapping(document.get("use") or {}, "/use", "`use`")

    # findings

    def find(self, rule: str, pointer: str, message: str) -> None:
        """Note something that is wrong."""
        self.findings.append(Finding(rule, pointer, message))

    def mapping(self, value: Any, pointer: str, what: str) -> dict[str, Any]:
        """`value` if it is a mapping, else an empty one and a finding."""
        if isinstance(value, dict):
            return value
        self.find("structure", pointer, f"{what} must be a mapping.")
        return {}

    def only(self, value: Mapping[str, Any], allowed: Iterable[str], pointer: str) -> None:
        """Note every key that has no meaning here: a typing error would else pass in silence."""
        known = sorted(allowed)
        for key in value:
            if key not in known:
                self.find(
                    "unknown-key",
                    f"{pointer}/{key}",
                    f"{key!r} means nothing here; known: {', '.join(known)}.",
                )

    def text(self, value: Any, pointer: str, what: str) -> str:
        """`value` if it is a text with something in it, else an empty one and a finding."""
        if isinstance(value, str) and value.strip():
            return value
        self.find("structure", pointer, f"{what} must be a text.")
        return ""

    def reusable(self, kind: str, name: str, pointer: str) -> Any:
        """The entry `name` of `use.<kind>`, or None and a finding."""
        entries = self.use.get(kind)
        if isinstance(entries, dict) and name in entries:
            return entries[name]
        self.find("unknown-reference", pointer, f"use.{kind} has no {name!r}.")
        return None

    # documents from outside

    def resource(self, value: Any, pointer: str) -> str:
        """The address of an external resource that publishing fetches; empty and a finding if it is none."""
        value = self.mapping(value, pointer, "A resource")
        self.only(value, {"name", "endpoint"}, pointer)
        endpoint = value.get("endpoint")
        if isinstance(endpoint, dict):
            self.only(endpoint, {"uri"}, f"{pointer}/endpoint")
            endpoint = endpoint.get("uri")
        address = self.text(endpoint, f"{pointer}/endpoint", "`endpoint`")
        if address and not address.startswith(("https://", "http://")):
            rule = "refused-file" if address.startswith("file:") else "structure"
            self.find(
                rule,
                f"{pointer}/endpoint",
                "A document is fetched from an http or https address, written out.",
            )
            return ""
        if address:
            self.fetches.add(address)
        return address

    def fetched(self, address: str, pointer: str) -> Any:
        """The document from `address`; None where nothing was fetched yet, with a finding where it should have been."""
        if self.resources is None or not address:
            return None
        if address not in self.resources:
            self.find(
                "unfetched", f"{pointer}/endpoint", f"{address} was not fetched when this was published."
            )
        return self.resources.get(address)

    # expressions

    def _compiled(self, compile_: Callable[[Any], Any], value: Any, pointer: str) -> Any:
        try:
            return compile_(value)
        except BadExpression as error:
            self.find(error.rule, pointer + error.pointer, str(error))
            return _nothing

    def expression(self, names: Compiler, value: str, pointer: str) -> Evaluate:
        """A compiled expression; a finding if it is none."""
        found: Evaluate = self._compiled(names.expression, value, pointer)
        return found

    def test(self, names: Compiler, value: Any, pointer: str) -> Test:
        """A compiled condition; a finding if it is none."""
        if not isinstance(value, str):
            self.find("expression", pointer, "Here stands a condition, which is a text.")
            return lambda _input, _arguments: False
        found: Test = self._compiled(names.test, value, pointer)
        return found

    def template(self, names: Compiler, value: Any, pointer: str) -> Evaluate:
        """Compiled data; a finding for a bad `${ … }` in it."""
        found: Evaluate = self._compiled(names.template, value, pointer)
        return found

    def either(self, names: Compiler, value: Any, pointer: str) -> Evaluate:
        """A text as expression, anything else as data."""
        found: Evaluate = self._compiled(names.expression_or_template, value, pointer)
        return found

    def variable(self, value: Any, pointer: str) -> str:
        """`value` if an expression can say `$value` and means nothing else by it; a finding if it cannot."""
        if isinstance(value, str) and _VARIABLE.match(value) and value not in STANDARD | {"output"}:
            return value
        self.find(
            "structure",
            pointer,
            f"{value!r} cannot be the name of a variable; take letters, digits and _, and none of"
            f" {', '.join(sorted(STANDARD | {'output'}))}.",
        )
        return "_"

    def effect(self, common: Mapping[str, Any], method: str) -> Effects:
        """What repeating a call does, as `metadata.effect` says, or else its method."""
        value: Effects = common["metadata"].get("effect", "safe" if method in SAFE else "idempotent")
        if value not in ("safe", "idempotent", "unsafe"):
            at = f"{common['ref']}/metadata/effect"
            self.find("structure", at, "`effect` is one of safe, idempotent, unsafe.")
        return value

    def duration(self, value: Any, pointer: str) -> float:
        """A fixed duration in seconds; 0 and a finding if it is none."""
        try:
            return durations.seconds(value)
        except ValueError as error:
            self.find("duration", pointer, f"{error}.")
            return 0.0

    # common fields

    def schema(self, value: Any, pointer: str) -> Check | None:
        """A compiled schema, given inline or fetched when the definition is published; nothing is at run time."""
        value = self.mapping(value, pointer, "A schema")
        self.only(value, {"format", "document", "resource"}, pointer)
        if str(value.get("format", "json")).split(":")[0] != "json":
            self.find("structure", f"{pointer}/format", "Only JSON Schema is understood.")
            return None
        document, place = value.get("document"), f"{pointer}/document"
        if "resource" in value:
            place = f"{pointer}/resource"
            address = self.resource(value["resource"], place)
            document = self.fetched(address, place)
            if document is None:
                return None
        if _refers_outside(document):
            self.find("refused-fetch", place, "A $ref must stay inside the schema (start with #).")
            return None
        try:
            return jsonschema_rs.validator_for(document)
        except (ValueError, TypeError) as error:
            self.find("structure", place, f"This is no JSON Schema: {str(error).splitlines()[0]}")
            return None

    def length(self, names: Compiler, value: Any, pointer: str) -> Evaluate:
        """A duration, fixed or computed, as a function that gives seconds."""
        if isinstance(value, str) and WHOLE.match(value):
            evaluate = self.expression(names, value, pointer)

            def computed(given: Any, arguments: Any) -> float:
                try:
                    return durations.seconds(evaluate(given, arguments))
                except ValueError as error:
                    raise WorkflowError("expression", str(error)) from None

            return computed
        fixed = self.duration(value, pointer)
        return lambda _input, _arguments: fixed

    def timeout(self, names: Compiler, value: Any, pointer: str) -> Evaluate | None:
        """A timeout, given inline or by name, as a function that gives seconds."""
        if isinstance(value, str):
            value = self.reusable("timeouts", value, pointer)
            if value is None:
                return None
        value = self.mapping(value, pointer, "A timeout")
        self.only(value, {"after"}, pointer)
        return self.length(names, value.get("after"), f"{pointer}/after")

    def common(self, task: dict[str, Any], pointer: str, names: Compiler) -> dict[str, Any]:
        """The fields that every task has, compiled."""
        metadata = self.mapping(task.get("metadata") or {}, f"{pointer}/metadata", "`metadata`")
        found: dict[str, Any] = {"metadata": metadata}
        if "if" in task:
            found["test"] = self.test(names, task["if"], f"{pointer}/if")
        for part, source, target in (("input", "from", "input_from"), ("output", "as", "output_as")):
            if part in task:
                inner = self.mapping(task[part], f"{pointer}/{part}", f"`{part}`")
                self.only(inner, {"schema", source}, f"{pointer}/{part}")
                if source in inner:
                    found[target] = self.either(names, inner[source], f"{pointer}/{part}/{source}")
                if "schema" in inner:
                    found[f"{part}_check"] = self.schema(inner["schema"], f"{pointer}/{part}/schema")
        if "export" in task:
            inner = self.mapping(task["export"], f"{pointer}/export", "`export`")
            self.only(inner, {"schema", "as"}, f"{pointer}/export")
            if "as" in inner:
                seen = names.with_names("output")  # nowhere else is there an output already
                found["export_as"] = self.either(seen, inner["as"], f"{pointer}/export/as")
            if "schema" in inner:
                found["export_check"] = self.schema(inner["schema"], f"{pointer}/export/schema")
        if "timeout" in task:
            found["timeout"] = self.timeout(names, task["timeout"], f"{pointer}/timeout")
        return found

    def go(self, value: Any, index: Mapping[str, int], pointer: str) -> int:
        """A flow directive as a number; a finding for a name that is no task of this list."""
        if isinstance(value, str):
            if value in DIRECTIVES:
                return DIRECTIVES[value]
            if value in index:
                return index[value]
        self.find(
            "then-target", pointer, f"{value!r} is neither continue, exit, end nor a task of this list."
        )
        return CONTINUE


def _refers_outside(value: Any) -> bool:
    if isinstance(value, dict):
        reference = value.get("$ref")
        if isinstance(reference, str) and not reference.startswith("#"):
            return True
        return any(_refers_outside(item) for item in value.values())
    if isinstance(value, list):
        return any(_refers_outside(item) for item in value)
    return False
