"""Compiling `schedule`: what starts a workflow by itself; days, windows and catching up stand in the metadata."""

import hashlib
import json
from datetime import UTC, date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from automations.engine.dsl.builder import Builder
from automations.engine.dsl.expressions import Compiler
from automations.engine.dsl.kinds.happenings import READS, strategy
from automations.engine.dsl.program import Start
from automations.engine.dsl.timing import Timing

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_KINDS: Final = ("every", "cron", "after", "on")
SHORTEST: Final = 1.0


def start(build: Builder, value: Any, pointer: str) -> Start:
    """`schedule`: events, an interval, a cron line, or a pause after the last run; one of them."""
    value = build.mapping(value, pointer, "`schedule`")
    build.only(value, {*_KINDS, "read"} if "on" in value else _KINDS, pointer)
    if sum(kind in value for kind in _KINDS) != 1:
        build.find("structure", pointer, "Say one of `every`, `cron`, `after`, `on`.")
        return Start()
    if "on" in value:
        return _start_on(build, value, pointer)
    zone, options = _options(build)
    if "cron" in value:
        return Start(timing=Timing(cron=_cron(build, value["cron"], f"{pointer}/cron", zone), **options))
    kind = "every" if "every" in value else "after"
    length = build.duration(value[kind], f"{pointer}/{kind}")
    if length < SHORTEST:
        build.find("limit", f"{pointer}/{kind}", "A schedule leaves at least one second between its runs.")
        length = SHORTEST
    return Start(
        timing=Timing(
            every=length if kind == "every" else None, after=length if kind == "after" else None, **options
        )
    )


def _start_on(build: Builder, value: dict[str, Any], pointer: str) -> Start:
    at = f"{pointer}/on"
    on = build.mapping(value["on"], at, "`on`")
    build.only(on, {"one", "any", "all"}, at)
    mode, filters = strategy(build, on, at, Compiler(frozenset()))  # before a run there is only the event
    gathers = ""
    if mode == "all" and len(filters) > 1:
        gathers = hashlib.sha256(json.dumps(on, sort_keys=True, default=str).encode()).hexdigest()
        if len({tuple(part.name for part in one.correlate) for one in filters}) > 1:
            build.find(
                "structure",
                f"{at}/all",
                "Give each of these filters the same names under `correlate`, or none: by these values they belong"
                " together.",
            )
    # documents written before `read` existed expect the envelope
    read = value.get("read", "envelope")
    if read not in READS:
        build.find("structure", f"{pointer}/read", "`read` is one of data, envelope, raw.")
        read = "envelope"
    return Start(filters=filters, read=read, gathers=gathers)


def _cron(build: Builder, value: Any, pointer: str, zone: str) -> str:
    text = build.text(value, pointer, "`cron`")
    try:
        next(CronSim(text, datetime(2000, 1, 1, tzinfo=ZoneInfo(zone))))
    except (CronSimError, StopIteration) as error:
        why = str(error) or "it names a day that never comes"
        build.find("structure", pointer, f"{text!r} is no cron line: {why}.")
    return text


def _options(build: Builder) -> tuple[str, dict[str, Any]]:
    """Time zone and `metadata.schedule`, as fields of Timing."""
    head = build.document.get("document")
    metadata = head.get("metadata") if isinstance(head, dict) else None
    metadata = metadata if isinstance(metadata, dict) else {}  # what it is instead, is told where it is read
    at = "/document/metadata/schedule"
    given = build.mapping(metadata.get("schedule") or {}, at, "`schedule`")
    build.only(given, {"timezone", "calendar", "blackout", "outside", "jitter", "catchUp"}, at)
    zone = _zone(build, given, metadata, at)
    calendar = build.mapping(given.get("calendar") or {}, f"{at}/calendar", "`calendar`")
    build.only(calendar, {"days", "holidays"}, f"{at}/calendar")
    jitter = build.duration(given["jitter"], f"{at}/jitter") if "jitter" in given else 0.0
    return zone, {
        "timezone": zone,
        "days": _weekdays(build, calendar.get("days", []), f"{at}/calendar/days"),
        "holidays": _holidays(build, calendar.get("holidays", []), f"{at}/calendar/holidays"),
        "blackout": _windows(build, given.get("blackout", []), f"{at}/blackout", zone),
        "defer": _word(build, given, "outside", ("skip", "defer"), at) == "defer",
        "jitter": jitter,
        "catch_up": _word(build, given, "catchUp", ("none", "once", "all"), at),
    }


def _zone(build: Builder, given: dict[str, Any], metadata: dict[str, Any], at: str) -> str:
    name = given.get("timezone", metadata.get("timezone", "UTC"))
    try:
        return ZoneInfo(str(name)).key
    except (KeyError, ValueError, OSError):
        build.find("structure", f"{at}/timezone", f"{name!r} is no time zone such as Europe/Berlin.")
        return "UTC"


def _word(build: Builder, given: dict[str, Any], field: str, words: tuple[str, ...], at: str) -> str:
    value = given.get(field, words[0])
    if value in words:
        return str(value)
    build.find("structure", f"{at}/{field}", f"`{field}` is one of {', '.join(words)}.")
    return words[0]


def _weekdays(build: Builder, value: Any, pointer: str) -> frozenset[int]:
    entries = value if isinstance(value, list) else [value]
    found = frozenset(_DAYS.index(day) for day in entries if day in _DAYS)
    if len(found) != len(entries):
        build.find("structure", pointer, f"`days` is a list of {', '.join(_DAYS)}, each once.")
    return found


def _holidays(build: Builder, value: Any, pointer: str) -> frozenset[date]:
    found = set()
    for number, entry in enumerate(value if isinstance(value, list) else [value]):
        try:
            found.add(date.fromisoformat(str(entry)))
        except ValueError:
            build.find("structure", f"{pointer}/{number}", f"{entry!r} is no date such as 2026-12-25.")
    return frozenset(found)


def _windows(build: Builder, value: Any, pointer: str, zone: str) -> tuple[tuple[datetime, datetime], ...]:
    found = []
    for number, entry in enumerate(value if isinstance(value, list) else [value]):
        at = f"{pointer}/{number}"
        window = build.mapping(entry, at, "A window")
        build.only(window, {"from", "to", "reason"}, at)
        begin, end = (_moment(build, window.get(side), f"{at}/{side}", zone) for side in ("from", "to"))
        if begin >= end:
            build.find("structure", at, "A window ends after it begins.")
        found.append((begin, end))
    return tuple(sorted(found))


def _moment(build: Builder, value: Any, pointer: str, zone: str) -> datetime:
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        build.find("structure", pointer, f"{value!r} is no time such as 2026-11-27T00:00.")
        return datetime(2000, 1, 1, tzinfo=UTC)
    return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)
