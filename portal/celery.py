"""The Celery app: it carries jobs, and rings the engine. It keeps no truth."""

import os
import warnings

from celery import Celery
from celery.exceptions import CPendingDeprecationWarning
from celery.signals import celeryd_after_setup, setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
# `manage.py upgrade` and `make check` run the checks; in a worker they would load every page and door of the portal
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

app = Celery("portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.set_default()


@setup_logging.connect
def keep_our_logging(**_: object) -> None:
    """Celery asks whether somebody else sets up logging: settings did."""


@celeryd_after_setup.connect
def go_on_without_broker(**_: object) -> None:
    """Leave out Celery's advice to end running jobs when the broker goes away.

    It comes with each lost connection as long as the setting is off, and on it would stop a drain between sending an
    effect and writing it down. What such a job does is fenced by its rows, so that it may go on and need not be known
    to the broker. Celery shows its warnings whatever was filtered before, so this comes after.
    """
    warnings.filterwarnings(
        "ignore", message="(?s).*on connection loss cancels", category=CPendingDeprecationWarning
    )
