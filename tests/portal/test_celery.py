"""What the broker going away means to a worker: nothing that anybody has to read."""

import warnings

import pytest
from celery.exceptions import CPendingDeprecationWarning
from celery.signals import celeryd_after_setup
from celery.worker.consumer.consumer import CANCEL_TASKS_BY_DEFAULT
from django.conf import settings

from portal.celery import app


def lose_the_connection() -> list[str]:
    """The warnings that a consumer gives then."""
    with warnings.catch_warnings(record=True) as given:
        app.log.setup(loglevel="WARNING")
        celeryd_after_setup.send(sender="worker@here", instance=None, conf=app.conf)
        warnings.warn(CANCEL_TASKS_BY_DEFAULT, CPendingDeprecationWarning, stacklevel=1)
        warnings.warn("Something else is going to change.", CPendingDeprecationWarning, stacklevel=1)
    return [str(one.message) for one in given]


def test_a_running_job_goes_on_and_nobody_is_advised_against_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logging.captureWarnings", lambda _: None)
    assert settings.CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS is False
    assert lose_the_connection() == ["Something else is going to change."]


def test_celery_itself_would_say_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the filter goes when it is needed no more."""
    monkeypatch.setattr("logging.captureWarnings", lambda _: None)
    with warnings.catch_warnings(record=True) as given:
        app.log.setup(loglevel="WARNING")
        warnings.warn(CANCEL_TASKS_BY_DEFAULT, CPendingDeprecationWarning, stacklevel=1)
    assert len(given) == 1
