"""The Celery app: it carries jobs, and rings the engine. It keeps no truth."""

import os

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

app = Celery("portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.set_default()


@setup_logging.connect
def keep_our_logging(**_: object) -> None:
    """Celery asks whether somebody else sets up logging: settings did."""
