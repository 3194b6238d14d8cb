from collections.abc import Iterator

import pytest

from kernel import jobs as kernel_jobs
from kernel import jsonx, secrets
from tenants.tenancy import context


@pytest.fixture
def seen() -> Iterator[list]:
    """A job that writes down where and with what it ran."""
    found: list = []

    @kernel_jobs.job("test.note")
    def note(*, number: int, **_: object) -> None:
        found.append((number, context.current_or_none()))

    yield found
    del kernel_jobs.registry["test.note"]


def test_a_job_runs_in_the_tenant_that_asked_for_it(tenant, seen, jobs, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        kernel_jobs.enqueue("test.note", number=7)
    with context.leave():
        assert jobs.run_all() == 1
    assert seen == [(7, tenant)]


def test_a_job_is_sent_after_the_commit_and_not_before(
    tenant, seen, jobs, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks() as callbacks:
        kernel_jobs.enqueue("test.note", number=1)
        assert jobs.calls == []
    assert len(callbacks) == 1


def test_only_registered_jobs_are_taken(cast):
    with pytest.raises(LookupError):
        kernel_jobs.enqueue("os.system")


@pytest.mark.parametrize("spoil", ["signature", "message", "name"])
def test_a_message_that_is_not_ours_runs_nothing(tenant, other_tenant, seen, settings, spoil):
    message = jsonx.text({"tenant": str(tenant.id), "ids": {"number": 1}})
    signature = secrets.sign(settings.JOB_KEY, "job", f"test.note\n{message}".encode())
    if spoil == "signature":
        signature = signature[:-2] + "AA"
    elif spoil == "message":
        message = message.replace(str(tenant.id), str(other_tenant.id))
    else:
        signature = secrets.sign(settings.JOB_KEY, "job", f"other.job\n{message}".encode())
    kernel_jobs.execute("test.note", message, signature)
    assert seen == []


def test_a_message_of_ours_runs(tenant, seen, settings):
    message = jsonx.text({"tenant": str(tenant.id), "ids": {"number": 1}})
    signature = secrets.sign(settings.JOB_KEY, "job", f"test.note\n{message}".encode())
    with context.leave():
        kernel_jobs.execute("test.note", message, signature)
    assert [number for number, _ in seen] == [1]


def test_a_broker_that_is_away_keeps_nobody_waiting(cast, seen, monkeypatch):
    from kombu.exceptions import OperationalError

    def away(*_: object, **__: object) -> None:
        raise OperationalError("no broker")

    monkeypatch.setattr(kernel_jobs._recording, "calls", None)
    monkeypatch.setattr(kernel_jobs, "current_app", type("App", (), {"send_task": staticmethod(away)}))
    assert kernel_jobs.send("test.note", number=1) is False
