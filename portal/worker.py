"""A Celery worker, started by itself: `python -m portal.worker engine --children 2`.

Celery's own command line loads every other command that it has, an interactive shell among them, and each child keeps
those ten megabytes. What it does for a worker beyond that is set up here.
"""

import argparse
import os
import socket
import sys


def main() -> int:
    """Work on a queue until a signal ends it; the process's exit code."""
    parser = argparse.ArgumentParser(description="Work on a queue of the portal.")
    parser.add_argument("queue", choices=["engine", "work"])
    parser.add_argument("--children", type=int, default=1)
    parser.add_argument("--log-level", default="info")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

    from portal.celery import app  # reads the settings, whose complaints come after those about the options

    worker = app.Worker(
        hostname=f"{options.queue}@{socket.gethostname()}",
        queues=[options.queue],
        concurrency=options.children,
        loglevel=options.log_level.upper(),
        pool_cls="prefork",
        optimization="default",
        quiet=True,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )
    worker.start()
    return int(worker.exitcode or 0)


if __name__ == "__main__":
    sys.exit(main())
