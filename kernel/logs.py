"""Logs are fields, the message is constant: `log.info("step recorded", run=…, step=…)`."""

import logging
import logging.config
import re
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any, Final

import structlog

from kernel.secrets import redact

_CONTROL: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]"
)
_LONGEST: Final = 4_000


@contextmanager
def bound(**fields: object) -> Iterator[None]:
    """Put `fields` into every line that is logged inside the block."""
    with structlog.contextvars.bound_contextvars(**fields):
        yield


def field(name: str) -> str:
    """The value of a bound field, or an empty text."""
    return str(structlog.contextvars.get_contextvars().get(name, ""))


def _defused(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """No secret, no line break that forges a second line, no endless value."""
    for key, value in event.items():
        if isinstance(value, str):
            clean = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", redact(value))
            event[key] = (
                clean[-_LONGEST:] if key == "exception" else clean[:_LONGEST]
            )  # what went wrong stands last
    return event


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
