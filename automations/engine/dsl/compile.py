"""From a document to a program, or to the list of everything that is wrong with it."""

from collections.abc import Mapping
from typing import Any, Final

from automations.engine.dsl.builder import COMMON, MAX_DEPTH, Builder
from automations.engine.dsl.expressions import AT_START, Compiler
from automations.engine.dsl.kinds import calls, data, flow, happenings, schedules
from automations.engine.dsl.program import CONTINUE, Function, Program, Start, Task, TaskList
from automations.engine.errors import DefinitionRefused

_TOP: Final = frozenset({"document", "input", "use", "do", "timeout", "output", "schedule", "evaluate"})
_DOCUMENT: Final = frozenset({"dsl", "namespace", "name", "version", "title", "summary", "tags", "metadata"})
_USE: Final = frozenset(
    {"authentications", "errors", "extensions", "functions", "retries", "secrets", "timeouts", "catalogs"}
)
_KINDS: Final = (
    "call",
    "emit",
    "for",
    "fork",
    "listen",
    "raise",
    "run",
    "set",
    "switch",
    "try",
    "wait",
    "do",
)
_BUSINESS: Final = frozenset({"key", "amountMinor", "currency"})


def compile_document(
    document: Mapping[str, Any],
    functions: Mapping[str, Function],
    *,
    inline_credentials: bool = False,
    resources: Mapping[str, Any] | None = None,
) -> Program:
    """The program that `document` describes, with the entries of the default catalog in `functions`.

    `resources` are the documents that publishing fetched, by address; without them a definition that needs some can
    be looked at, but not run.

    Raises DefinitionRefused with every finding: what is no workflow, what is outside the profile, what cannot work.
    """
    build = Builder(document, functions, inline_credentials=inline_credentials, resources=resources)
    program = _Walker(build).program()
    if build.findings:
        raise DefinitionRefused(build.findings)
    return program


class _Walker:
    """Walks the document once, from the top."""

    def __init__(self, build: Builder) -> None:
        self.build = build
        self.depth = 0

    def program(self) -> Program:
        build, document = self.build, self.build.document
        build.only(document, _TOP, "")
        head = self._head(document)
        self._use()
        names = build.expressions
        parts = build.common({k: v for k, v in document.items() if k in ("output", "timeout")}, "", names)
        if "input" in document:
            parts |= build.common({"input": document["input"]}, "", names.known(AT_START))
        start = (
            schedules.start(build, document["schedule"], "/schedule") if "schedule" in document else Start()
        )
        root = self.tasks_of(document.get("do"), "/do", names)
        return Program(
            name=str(head.get("name", "")),
            version=str(head.get("version", "")),
            title=str(head.get("title") or head.get("name", "")),
            root=root,
            lists=build.lists,
            tasks=build.tasks,
            start=start,
            input_check=parts.get("input_check"),
            input_from=parts.get("input_from"),
            output_as=parts.get("output_as"),
            output_check=parts.get("output_check"),
            timeout=parts.get("timeout"),
            business=self._business(head),
            used=frozenset(names.used),
            connections=frozenset(build.connections),
            emits=frozenset(build.emits),
            fetches=frozenset(build.fetches),
            document=document,
        )

    def _head(self, document: Mapping[str, Any]) -> dict[str, Any]:
        build = self.build
        head = build.mapping(document.get("document"), "/document", "`document`")
        build.only(head, _DOCUMENT, "/document")
        for field in ("dsl", "namespace", "name", "version"):
            build.text(head.get(field), f"/document/{field}", f"`{field}`")
        if not str(head.get("dsl", "1.0.")).startswith("1.0."):
            build.find("dsl-version", "/document/dsl", "This engine reads version 1.0 of the language.")
        evaluate = build.mapping(document.get("evaluate", {}), "/evaluate", "`evaluate`")
        if evaluate.get("language", "jq") != "jq":
            build.find("refused-language", "/evaluate/language", "Expressions are written in jq.")
        if evaluate.get("mode", "strict") != "strict":
            build.find("refused-loose", "/evaluate/mode", "Write expressions as ${ … }; loose mode guesses.")
        return head

    def _use(self) -> None:
        build = self.build
        build.only(build.use, _USE, "/use")
        for name in build.mapping(build.use.get("functions") or {}, "/use/functions", "`functions`"):
            if "@" in name or "://" in name:
                build.find(
                    "refused-catalog",
                    f"/use/functions/{name}",
                    "A name with @ belongs to a catalog, which a workflow cannot change; take the @ out.",
                )
        self._secrets()
        if build.use.get("catalogs"):
            build.find("refused-catalog", "/use/catalogs", "Functions come from the default catalog alone.")
        if build.use.get("extensions"):
            build.find(
                "refused-extension", "/use/extensions", "Extensions are written by the platform alone."
            )

    def _secrets(self) -> None:
        """`use.secrets`: the names of connections that policies may refer to."""
        build = self.build
        names = build.use.get("secrets", [])
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            build.find("structure", "/use/secrets", "`secrets` is a list of names of connections.")

    def _business(self, head: dict[str, Any]) -> dict[str, Any]:
        """What a run is about: `metadata.business` gives its key and its money, from the workflow's input."""
        build, pointer = self.build, "/document/metadata/business"
        metadata = build.mapping(head.get("metadata") or {}, "/document/metadata", "`metadata`")
        given = build.mapping(metadata.get("business") or {}, pointer, "`business`")
        build.only(given, _BUSINESS, pointer)
        return {
            name: build.either(build.expressions, value, f"{pointer}/{name}") for name, value in given.items()
        }

    def tasks_of(self, value: Any, pointer: str, names: Compiler) -> TaskList:
        """A list of named tasks."""
        build = self.build
        found = TaskList(pointer)
        build.lists[pointer] = found
        if not isinstance(value, list) or not value:
            build.find("structure", pointer, "Here stands a list with at least one task.")
            return found
        self.depth += 1
        if self.depth > MAX_DEPTH:
            build.find("limit", pointer, f"Tasks nest deeper than {MAX_DEPTH} levels.")
        else:
            items = self._items(value, pointer, found.index)
            found.tasks = [self._task(name, task, at, names, found.index) for name, task, at in items]
        self.depth -= 1
        return found

    def _items(
        self, value: list[Any], pointer: str, index: dict[str, int]
    ) -> list[tuple[str, dict[str, Any], str]]:
        items: list[tuple[str, dict[str, Any], str]] = []
        for number, item in enumerate(value):
            if not isinstance(item, dict) or len(item) != 1:
                self.build.find(
                    "structure", f"{pointer}/{number}", "A task is a mapping with one key, its name."
                )
                continue
            ((name, task),) = item.items()
            at = f"{pointer}/{number}/{name}"
            if name in index:
                self.build.find("duplicate-name", at, f"Two tasks of this list are called {name!r}.")
            index[name] = len(items)
            items.append((name, self.build.mapping(task, at, "A task"), at))
        return items

    def _task(
        self, name: str, task: dict[str, Any], pointer: str, names: Compiler, index: dict[str, int]
    ) -> Task:
        build = self.build
        kinds = [kind for kind in _KINDS if kind in task]
        kind = kinds[0] if kinds else ""
        if not kind:
            build.find("structure", pointer, f"A task has one of the keys {', '.join(_KINDS)}.")
            build.only(task, COMMON, pointer)
            return Task(name, pointer)
        build.only(task, calls.KEYS[kind], pointer)
        common = build.common(task, pointer, names)
        common |= {
            "name": name,
            "ref": pointer,
            "kind": kind,
            "source": task,
            "then": build.go(task["then"], index, f"{pointer}/then") if "then" in task else CONTINUE,
        }
        found = self._kind(kind, task, pointer, names, common, index)
        build.tasks[pointer] = found
        return found

    def _kind(
        self,
        kind: str,
        task: dict[str, Any],
        pointer: str,
        names: Compiler,
        common: dict[str, Any],
        index: dict[str, int],
    ) -> Task:
        build = self.build
        match kind:
            case "set":
                return data.set_(build, task, pointer, names, common)
            case "raise":
                return data.raise_(build, task, pointer, names, common)
            case "wait":
                return data.wait(build, task, pointer, names, common)
            case "switch":
                return flow.switch(build, task, pointer, names, common, index)
            case "do":
                return flow.do(build, task, pointer, names, common, self.tasks_of)
            case "for":
                return flow.for_(build, task, pointer, names, common, self.tasks_of)
            case "try":
                return flow.try_(build, task, pointer, names, common, self.tasks_of, index)
            case "fork":
                return flow.fork(build, task, pointer, names, common, self.tasks_of)
            case "emit":
                return happenings.emit(build, task, pointer, names, common)
            case "listen":
                return happenings.listen(build, task, pointer, names, common, self.tasks_of)
            case "run":
                return calls.run(build, task, pointer, names, common)
            case _:
                return calls.call(build, task, pointer, names, common, self.tasks_of)
