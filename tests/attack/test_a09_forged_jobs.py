"""A9, A10: job messages that are changed, made up, or sent where they do not belong."""

import json
import random
from collections.abc import Iterator

import pytest
from django.conf import settings

from kernel import jobs, secrets
from portal.celery import app
from tenants.tenancy import context
from tests.support.cast import Cast

JOB = "test.heard"


@pytest.fixture
def heard() -> Iterator[list[str]]:
    """What the job of this test was run with."""
    found: list[str] = []

    def hear(*, mark: str = "", **_: object) -> None:
        found.append(f"{context.current().slug}:{mark}")

    jobs.registry[JOB] = jobs.Job(JOB, "work", hear, None)
    yield found
    del jobs.registry[JOB]


def _signed(message: str, name: str = JOB) -> str:
    return secrets.sign(settings.JOB_KEY, "job", f"{name}\n{message}".encode())


def test_a_message_of_ours_runs_in_the_tenant_that_it_names(cast: Cast, heard: list[str]) -> None:
    message = json.dumps({"tenant": str(cast.tenant.id), "ids": {"mark": "ours"}})
    jobs.execute(JOB, message, _signed(message))
    assert heard == ["hollis:ours"]


def test_of_a_hundred_forged_ones_none_is_run(cast: Cast, heard: list[str]) -> None:
    good = json.dumps({"tenant": str(cast.tenant.id), "ids": {"mark": "ours"}})
    signature, dice = _signed(good), random.Random(9)
    for number in range(100):
        other = json.dumps({"tenant": str(cast.other_tenant.id), "ids": {"mark": f"m{number}"}})
        forged = dice.choice(
            [
                (JOB, other, signature),
                (JOB, good.replace("ours", f"x{number}"), signature),
                (JOB, good, signature[:-2] + f"{number % 10}0"),
                (JOB, good, ""),
                (JOB, good, _signed(good, "tenancy.provision")),
                ("audit.seal", good, signature),
                (JOB, other, secrets.sign(b"another key of somebody else 0123456789", "job", other.encode())),
            ]
        )
        if forged == (JOB, good, signature):
            continue
        jobs.execute(*forged)
    assert heard == []


def test_workers_read_json_alone() -> None:
    assert list(app.conf.accept_content) == ["json"]
    assert app.conf.task_serializer == "json"


def test_what_is_no_job_is_not_sent(db: None) -> None:
    with pytest.raises(LookupError):
        jobs.enqueue("os.system", argument="true")
