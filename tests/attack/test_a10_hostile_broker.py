"""A10: somebody writes into the broker: pickles, tasks of any name, jobs that nobody signed."""

import inspect
import json
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
from kombu import Connection, Exchange, Queue
from kombu.exceptions import ContentDisallowed, DecodeError

from kernel import jobs
from portal.celery import app
from portal.env import ROOT
from tests.support.cast import Cast


class _Boom:
    """What runs a command when it is read as a pickle."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return (os.system, (f"touch {self.mark}",))


def pushed(body: bytes, content_type: str) -> Any:
    """The message as a consumer of ours gets it out of a broker."""
    with Connection("memory://") as broker:
        queue = Queue("work", Exchange("work"), routing_key="work")
        broker.Producer().publish(
            body,
            exchange=queue.exchange,
            routing_key="work",
            declare=[queue],
            content_type=content_type,
            content_encoding="binary",
        )
        taken: list[Any] = []
        with broker.Consumer([queue], accept=app.conf.accept_content, on_message=taken.append):
            broker.drain_events(timeout=2)
    return taken[0]


@pytest.mark.parametrize(
    "content_type",
    ["application/x-python-serialize", "application/x-yaml", "application/x-msgpack"],
)
def test_a_pickle_and_whatever_is_no_json_is_refused_unread(tmp_path: Path, content_type: str) -> None:
    mark = tmp_path / "it ran"
    body = pickle.dumps(_Boom(mark))
    message = pushed(body, content_type)
    with pytest.raises(ContentDisallowed):
        message.decode()
    assert not mark.exists()


def test_a_pickle_that_says_it_is_json_is_no_json(tmp_path: Path) -> None:
    mark = tmp_path / "it ran"
    message = pushed(pickle.dumps(_Boom(mark)), "application/json")
    with pytest.raises(DecodeError):
        message.decode()
    assert not mark.exists()


def test_only_jobs_become_tasks_and_each_of_them_asks_for_our_signature() -> None:
    """One place makes tasks, and what it makes takes a message with its signature, and nothing else."""
    makers = {
        str(path.relative_to(ROOT))
        for folder in ("kernel", "tenants", "automations", "templates_lib", "billing", "portal")
        for path in (ROOT / folder).rglob("*.py")
        if "shared_task" in path.read_text() or "app.task" in path.read_text()
    }
    assert makers == {"kernel/jobs.py"}
    assert (ROOT / "kernel/jobs.py").read_text().count("@shared_task(") == 1
    assert list(inspect.signature(jobs.execute).parameters) == ["name", "message", "signature"]
    assert not {"os.system", "subprocess.run", "builtins.eval"} & set(jobs.registry)


def test_a_task_of_ours_with_made_up_arguments_runs_no_job(cast: Cast) -> None:
    ran: list[str] = []
    jobs.registry["test.hostile"] = jobs.Job("test.hostile", "work", lambda **_: ran.append("it ran"), None)
    try:
        for message in (
            json.dumps({"tenant": str(cast.tenant.id), "ids": {}}),
            json.dumps({"tenant": None, "ids": {"x": "__import__('os')"}}),
            "",
            "null",
            "[" * 10_000,
        ):
            for signature in ("", "x", "0" * 64, message[:64]):
                jobs.execute("test.hostile", message, signature)
    finally:
        del jobs.registry["test.hostile"]
    assert ran == []
