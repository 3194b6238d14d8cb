"""`manage.py dispatch`: sees to it that what is due is worked on, whoever forgot to ring."""

import signal
import threading
from typing import Any

import structlog
from django.core.management.base import BaseCommand
from django.db import Error, connection

from automations.ledger.tasks import Rounds

log = structlog.get_logger(__name__)


class Command(BaseCommand):
    """Any number of these may run; one is active at a time, by an advisory lock."""

    help = "Ring for due work, free what dead workers held, send jobs that were lost."

    def handle(self, *_: Any, **__: Any) -> None:
        """Go round until told to stop."""
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        rounds = Rounds()
        while not stop.is_set():
            try:
                pause = rounds.go()
            except Error as error:
                log.warning("dispatcher waits for the database", error=str(error).strip())
                connection.close()
                pause = 0.5
            stop.wait(pause)
