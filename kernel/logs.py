"""Logs are fields, the message is constant: `log.info("step recorded", run=…, step=…)`."""

import itertools
import logging
import logging.config
import re
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import Any, Final

import structlog

from kernel.secrets import redact

_CONTROL: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]"
)
_LONGEST: Final = 4_000
_WHOLE: Final = 100_000
"""What is longer is cut before it is looked through for secrets, far behind what is kept of it."""
_DEEPEST, _MOST = 3, 50


@contextmanager
def bound(**fields: object) -> Iterator[None]:
    """Put `fields` into every line that is logged inside the block."""
    with structlog.contextvars.bound_contextvars(**fields):
        yield


def plain(text: str) -> str:
    """`text` on one line, without letters that steer whatever shows it."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text).replace("\n", "\N{REPLACEMENT CHARACTER}")


def field(name: str) -> str:
    """The value of a bound field, or an empty text."""
    return str(structlog.contextvars.get_contextvars().get(name, ""))


def _defused(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """No secret, no line break that forges a second line, no endless value, however deep it stands."""
    for key, value in event.items():
        if key == "exception":
            event[key] = _clean(str(value)[-_WHOLE:])[
                -_LONGEST:
            ]  # what went wrong stands last; its lines are ours
        else:
            event[key] = _plain(value, 0)
    return event


def _plain(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return _clean(value[:_WHOLE]).replace("\n", "\N{REPLACEMENT CHARACTER}")[:_LONGEST]
    if depth > _DEEPEST:
        return "…"
    if isinstance(value, Mapping):
        parts = itertools.islice(value.items(), _MOST)
        return {_plain(str(name), depth): _plain(part, depth + 1) for name, part in parts}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(part, depth + 1) for part in itertools.islice(value, _MOST)]
    if value is None or isinstance(value, bool | int | float):
        return value
    return _plain(str(value), depth)


def _clean(text: str) -> str:
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", redact(text))


def configure(level: str, *, json: bool) -> None:
    """Set up logging for this process; `json` gives one JSON object a line, else lines for a terminal."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,  # to text here, so that what it says is defused as well
        _defused,
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if json
        else structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0)
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,  # first: a line that nobody will see costs nothing
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "portal": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
                    "foreign_pre_chain": shared,
                }
            },
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "portal"}},
            "root": {"handlers": ["stderr"], "level": level},
            "loggers": {
                "django.server": {"level": "WARNING"},
                "django.request": {"level": "ERROR"},  # it logs addresses, and an address may hold a token
                "celery.app.trace": {"level": "WARNING"},
                "celery.worker.strategy": {"level": "WARNING"},
            },
        }
    )
