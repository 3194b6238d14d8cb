"""The one way to start work elsewhere: `enqueue` captures the tenant now and sends after the commit.

A message is a hint. It names a job and ids; the row behind the ids says what is to be done and whether it still
is. Lost messages cost latency only: the dispatcher asks every `source` for what is due and sends again.
Messages are JSON, signed, and run nothing but the jobs registered here.
"""

import math
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Final, Protocol, Self, TypeVar
from uuid import UUID

import structlog
from celery import current_app, shared_task
from django.conf import settings
from django.db import transaction
from kombu.exceptions import KombuError, OperationalError

from kernel import jsonx, logs, secrets

log = structlog.get_logger(__name__)
_PURPOSE: Final = "job"
_Body = TypeVar("_Body", bound=Callable[..., Any])


class TenantDoor(Protocol):
    """How a worker enters a tenant; the tenancy room provides it."""

    def current_id(self) -> UUID | None: ...
    def enter(self, tenant_id: UUID) -> AbstractContextManager[Any]: ...


@dataclass(frozen=True)
class Job:
    """A registered job: its name, its queue, its body, and the query that finds what it should be doing."""

    name: str
    queue: str
    body: Callable[..., Any]
    due: Callable[[], Iterable[Mapping[str, object]]] | None


registry: dict[str, Job] = {}
_door: TenantDoor | None = None
_recording = threading.local()


def use_tenant_door(door: TenantDoor) -> None:
    """Tell the kernel how to enter a tenant; called once, when the tenancy room is ready."""
    global _door  # noqa: PLW0603
    _door = door


def job(
    name: str, *, queue: str = "work", due: Callable[[], Iterable[Mapping[str, object]]] | None = None
) -> Callable[[_Body], _Body]:
    """Register the decorated function as job `<room>.<verb>`.

    It takes ids by keyword and a tail `**_`. `due` lists the keyword arguments of every job of this name that
    should be running now, `tenant` among them where the job belongs to one.
    """

    def register(body: _Body) -> _Body:
        registry[name] = Job(name, queue, body, due)

        @shared_task(name=name, queue=queue, bind=False, ignore_result=True, acks_late=True)
        def run(*, message: str, signature: str) -> None:
            execute(name, message, signature)

        return body

    return register


def every(seconds: float) -> Callable[[], Iterable[Mapping[str, object]]]:
    """A `due` for a job that takes nothing and is to run once in so many seconds; first when the dispatcher starts."""
    last = [-math.inf]

    def due() -> Iterable[Mapping[str, object]]:
        if time.monotonic() - last[0] < seconds:
            return []
        last[0] = time.monotonic()
        return [{}]

    return due


def enqueue(name: str, *, tenant: UUID | None = None, **ids: object) -> None:
    """Send job `name` after the commit, into `tenant` or else the tenant of the caller."""
    if name not in registry:
        raise LookupError(f"no job is called {name!r}")
    where = tenant or (_door.current_id() if _door else None)
    transaction.on_commit(lambda: send(name, tenant=where, **ids))


def send(name: str, *, tenant: UUID | None = None, **ids: object) -> bool:
    """Send job `name` now; False (and a log line) if the broker does not take it."""
    recorded: list[tuple[str, UUID | None, dict[str, object]]] | None = getattr(_recording, "calls", None)
    if recorded is not None:
        recorded.append((name, tenant, ids))
        return True
    message = jsonx.text({"tenant": tenant and str(tenant), "ids": {k: _plain(v) for k, v in ids.items()}})
    signature = secrets.sign(settings.JOB_KEY, _PURPOSE, f"{name}\n{message}".encode())
    try:
        current_app.send_task(
            name,
            kwargs={"message": message, "signature": signature},
            queue=registry[name].queue,
            retry=False,
        )
    except (OperationalError, KombuError, OSError) as error:
        log.warning("job not sent; the dispatcher will", job=name, error=str(error))
        return False
    return True


def execute(name: str, message: str, signature: str) -> None:
    """Run job `name` as a worker does, if the message is ours."""
    if not secrets.verify(settings.JOB_KEY, _PURPOSE, f"{name}\n{message}".encode(), signature):
        log.error("job refused: its signature is not ours", job=name)
        return
    content = jsonx.loads(message)
    run_now(name, tenant=UUID(content["tenant"]) if content["tenant"] else None, **content["ids"])


def run_now(name: str, *, tenant: UUID | None = None, **ids: object) -> None:
    """Run job `name` here, inside its tenant."""
    inside = _door.enter(tenant) if tenant and _door else nullcontext()
    with inside, logs.bound(job=name):
        registry[name].body(**ids)


class recorded:  # noqa: N801 - reads as a word: `with jobs.recorded() as calls`
    """Within the block jobs are kept in a list instead of sent; `run_all` runs them until none is left."""

    def __enter__(self) -> Self:
        self.calls: list[tuple[str, UUID | None, dict[str, object]]] = []
        self._before = getattr(_recording, "calls", None)
        _recording.calls = self.calls
        return self

    def __exit__(self, *_: object) -> None:
        _recording.calls = self._before

    def run_all(self) -> int:
        """Run what was recorded, and what that records in turn; the number of jobs run."""
        count = 0
        while self.calls:
            name, tenant, ids = self.calls.pop(0)
            run_now(name, tenant=tenant, **{key: _plain(value) for key, value in ids.items()})
            count += 1
        return count


def _plain(value: object) -> object:
    return str(value) if isinstance(value, UUID) else value
