"""Compiling tasks about events: emit and listen."""

import re
from typing import Any

from automations.engine.dsl.builder import Builder
from automations.engine.dsl.expressions import WHOLE, Compiler, Test, source_of
from automations.engine.dsl.kinds.flow import Lists
from automations.engine.dsl.program import Correlate, Emit, EventFilter, ForEach, Listen

_ATTRIBUTE = re.compile(r"^[a-z0-9]{1,20}$")
READS = ("data", "envelope", "raw")


def emit(build: Builder, task: dict[str, Any], pointer: str, names: Compiler, common: dict[str, Any]) -> Emit:
    """`emit`: an event whose `type` is fixed, so that readers of a definition know what comes out of it."""
    inner = build.mapping(task["emit"], f"{pointer}/emit", "`emit`")
    build.only(inner, {"event"}, f"{pointer}/emit")
    event = build.mapping(inner.get("event"), f"{pointer}/emit/event", "`event`")
    build.only(event, {"with"}, f"{pointer}/emit/event")
    at = f"{pointer}/emit/event/with"
    given = build.mapping(event.get("with"), at, "`with`")
    kind = build.text(given.get("type"), f"{at}/type", "An event's `type`")
    if WHOLE.match(kind):
        build.find("structure", f"{at}/type", "An event's `type` is fixed, not computed.")
    elif kind.startswith("portal."):
        build.find("reserved", f"{at}/type", "Types that start with `portal.` belong to the portal itself.")
    for name in given:
        if not _ATTRIBUTE.match(name):
            build.find(
                "structure", f"{at}/{name}", "CloudEvents attributes have 1 to 20 letters a-z and digits."
            )
    build.emits.add(kind)
    return Emit(**common, event=build.template(names, given, at))


def listen(
    build: Builder, task: dict[str, Any], pointer: str, names: Compiler, common: dict[str, Any], lists: Lists
) -> Listen:
    """`listen`: for one event, for any of some, or for all of some."""
    inner = build.mapping(task["listen"], f"{pointer}/listen", "`listen`")
    build.only(inner, {"to", "read"}, f"{pointer}/listen")
    at = f"{pointer}/listen/to"
    to = build.mapping(inner.get("to"), at, "`to`")
    build.only(to, {"one", "any", "all", "until"}, at)
    mode, filters = strategy(build, to, at, names)
    until: Test | None = None
    until_filters: tuple[EventFilter, ...] = ()
    until_mode: Any = ""
    if "until" in to:
        if mode != "any":
            build.find("structure", f"{at}/until", "`until` goes with `any`.")
        elif isinstance(to["until"], str):
            until = build.test(names, to["until"], f"{at}/until")
        else:
            ending = build.mapping(to["until"], f"{at}/until", "`until`")
            until_mode, until_filters = strategy(build, ending, f"{at}/until", names)
    read = inner.get("read", "data")
    if read not in READS:
        build.find("structure", f"{pointer}/listen/read", "`read` is one of data, envelope, raw.")
    return Listen(
        **common,
        mode=mode,
        filters=filters,
        until=until,
        until_filters=until_filters,
        until_mode=until_mode,
        read=read,
        foreach=_foreach(build, task["foreach"], f"{pointer}/foreach", names, lists)
        if "foreach" in task
        else None,
    )


def _foreach(build: Builder, value: Any, pointer: str, names: Compiler, lists: Lists) -> ForEach:
    value = build.mapping(value, pointer, "`foreach`")
    build.only(value, {"item", "at", "do", "output", "export"}, pointer)
    item = build.variable(value.get("item", "item"), f"{pointer}/item")
    at = build.variable(value.get("at", "index"), f"{pointer}/at")
    inside = names.with_names(item, at)
    compiled: dict[str, Any] = {}
    for part in ("output", "export"):
        entry = build.mapping(value.get(part, {}), f"{pointer}/{part}", f"`{part}`")
        seen = inside.with_names("output") if part == "export" else inside
        compiled[part] = build.either(seen, entry["as"], f"{pointer}/{part}/as") if "as" in entry else None
    return ForEach(
        item=item,
        at=at,
        body=lists(value.get("do", []), f"{pointer}/do", inside),
        output_as=compiled["output"],
        export_as=compiled["export"],
    )


def strategy(
    build: Builder, to: dict[str, Any], pointer: str, names: Compiler
) -> tuple[Any, tuple[EventFilter, ...]]:
    """Which events: `one`, `any` or `all`, and their filters."""
    modes = [mode for mode in ("one", "any", "all") if mode in to]
    if len(modes) != 1:
        build.find("structure", pointer, "Say one of `one`, `any`, `all`.")
        return "one", ()
    mode = modes[0]
    entries = [to["one"]] if mode == "one" else to[mode]
    if not isinstance(entries, list):
        build.find("structure", f"{pointer}/{mode}", f"`{mode}` takes a list of filters.")
        return mode, ()
    if not entries:
        build.find(
            "listen-to-all", f"{pointer}/{mode}", "Name the events; listening to everything is not allowed."
        )
    where = [f"{pointer}/{mode}" if mode == "one" else f"{pointer}/{mode}/{n}" for n in range(len(entries))]
    return mode, tuple(
        event_filter(build, entry, at, names) for entry, at in zip(entries, where, strict=True)
    )


def event_filter(build: Builder, value: Any, pointer: str, names: Compiler) -> EventFilter:
    """One filter: attributes, data, correlation."""
    value = build.mapping(value, pointer, "An event filter")
    build.only(value, {"with", "correlate"}, pointer)
    given = build.mapping(value.get("with"), f"{pointer}/with", "`with`")
    kind = build.text(given.get("type"), f"{pointer}/with/type", "The `type` of an event to listen for")
    if WHOLE.match(kind) or kind.startswith("^"):
        build.find(
            "listen-to-all",
            f"{pointer}/with/type",
            "The `type` is one fixed text, so that it can be indexed.",
        )
    attributes = []
    for name, wanted in given.items():
        if name in ("type", "data"):
            continue
        attributes.append((name, _attribute(build, wanted, f"{pointer}/with/{name}", names)))
    data = _data_test(build, given["data"], f"{pointer}/with/data", names) if "data" in given else None
    correlate = build.mapping(value.get("correlate", {}), f"{pointer}/correlate", "`correlate`")
    return EventFilter(
        type=kind,
        attributes=tuple(attributes),
        data=data,
        correlate=tuple(
            _correlate(build, name, part, f"{pointer}/correlate/{name}", names)
            for name, part in sorted(correlate.items())
        ),
    )


def _attribute(build: Builder, wanted: Any, pointer: str, names: Compiler) -> Any:
    """Equality, or a predicate: `^pattern$` on the attribute, `${ … }` on the envelope."""
    if isinstance(wanted, str) and WHOLE.match(wanted):
        return build.test(names, wanted, pointer)
    if isinstance(wanted, str) and wanted.startswith("^") and wanted.endswith("$"):
        return build.test(names, f". | tostring | test({_quoted(wanted)})", pointer)
    return wanted


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _data_test(build: Builder, wanted: Any, pointer: str, names: Compiler) -> Test:
    """An expression is a predicate on the data if it gives a boolean, else the value that the data must equal."""
    template = build.template(names, wanted, pointer)

    def test(data: Any, arguments: Any) -> bool:
        result = template(data, arguments)
        return result if isinstance(result, bool) else bool(result == data)

    return test


def _correlate(build: Builder, name: str, value: Any, pointer: str, names: Compiler) -> Correlate:
    value = build.mapping(value, pointer, "A correlation")
    build.only(value, {"from", "expect"}, pointer)
    source = source_of(build.text(value.get("from"), f"{pointer}/from", "`from`"))
    # `from` looks at the event alone: it is evaluated once an event, for all runs that listen
    return Correlate(
        name=name,
        from_source=source,
        from_=build.expression(Compiler(frozenset()), source, f"{pointer}/from"),
        expect=build.either(names, value["expect"], f"{pointer}/expect") if "expect" in value else None,
    )
