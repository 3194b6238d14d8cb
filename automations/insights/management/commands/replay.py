"""`manage.py replay olist <folder> --tenant <partner/tenant>`: a year of real orders through the HTTP door.

The tenant is a sandbox on a clock of its own. The replayer signs events as a shop would, delivers them in batches to
the tenant's endpoint, and moves the clock to the last instant of each batch; timers fire where they would have fired.
It may be killed and started again: what was delivered is not delivered twice.
"""

import argparse
import http.client
import resource
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, TypeVar

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import InterfaceError, OperationalError, connection
from standardwebhooks import Webhook

from automations.engine import queries as engine
from automations.events.actions import create_endpoint
from automations.events.models import Endpoint
from automations.inbox import queries as inbox
from automations.insights import queries as insights
from automations.insights.vendors import olist
from automations.ledger import queries as ledger
from kernel import clock, jsonx
from kernel.actor import system
from tenants.tenancy import actions as tenancy
from tenants.tenancy import context, queries
from tenants.tenancy.queries import TenantRef

_Answer = TypeVar("_Answer")
_READERS: Final = {"olist": olist.events}
_BATCH: Final = 400
_TRIES: Final = 60
_QUIET: Final = 600.0


class Command(BaseCommand):
    """Replays a data set into a sandbox tenant and waits until everything is worked off."""

    help = "Send a data set of real orders as signed events through the HTTP door of a sandbox tenant."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """What to replay, and into which tenant."""
        parser.add_argument("dataset", choices=sorted(_READERS))
        parser.add_argument("folder", type=Path)
        parser.add_argument(
            "--tenant", required=True, help="<partner>/<tenant>, or the tenant alone where it is unique"
        )
        parser.add_argument("--limit", type=int, default=0, help="only the first N orders")
        parser.add_argument("--batch", type=int, default=_BATCH)

    def handle(self, *_: Any, **options: Any) -> None:
        """Deliver, wait, and print one JSON line."""
        if not options["folder"].is_dir():
            raise CommandError(f"there is no folder {options['folder']}")
        tenant = _patiently(lambda: queries.tenant_by_slug(options["tenant"]))
        if not tenant.sandbox:
            raise CommandError(f"{tenant.slug} is no sandbox; only a sandbox has a clock that can be set")
        events = _READERS[options["dataset"]](options["folder"], limit=options["limit"])
        started, cpu = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_utime
        door = _patiently(lambda: _Door(tenant))
        delivered = 0
        for batch in _batches(events, options["batch"]):
            door.deliver(batch)
            _patiently(lambda: self._move(tenant, batch[-1]["time"]))  # noqa: B023 - called at once
            delivered += len(batch)
            if delivered % (options["batch"] * 10) == 0:
                self.stderr.write(f"{delivered} events, {batch[-1]['time']}")
        self._wait(tenant)
        wall = time.monotonic() - started
        figures = _patiently(lambda: _outcome(tenant))
        orders = figures.pop("orders")
        self.stdout.write(
            jsonx.text(
                {
                    "name": "replay",
                    "events": delivered,
                    "orders": orders,
                    "orders_per_second": round(orders / wall, 1),
                    **figures,
                    "wall_seconds": round(wall, 1),
                    "replayer_cpu_seconds": round(resource.getrusage(resource.RUSAGE_SELF).ru_utime - cpu, 1),
                }
            )
        )

    @staticmethod
    def _move(tenant: TenantRef, to: str) -> None:
        """Set the tenant's clock; a replay that is repeated starts behind it and does not turn it back."""
        at = clock.parse_rfc3339(to)
        now = queries.virtual_now(tenant.id)
        if now is None or at > now:
            tenancy.advance_clock(tenant_id=tenant.id, to=at, actor=system("replay"), now=clock.now())

    @staticmethod
    def _wait(tenant: TenantRef) -> None:
        """Wait until nothing of the tenant is due, held or undispatched."""
        give_up = time.monotonic() + _QUIET
        while _patiently(lambda: ledger.busy(tenant.id)):
            if time.monotonic() > give_up:
                raise CommandError(f"work is left after {_QUIET:.0f} s; is a worker running?")
            time.sleep(0.1)


def _patiently(ask: Callable[[], _Answer]) -> _Answer:
    """Ask the database, again where it was away: a replay goes on while servers are restarted under it."""
    for attempt in range(_TRIES):
        try:
            return ask()
        except (InterfaceError, OperationalError):
            connection.close()
            time.sleep(min(0.2 * (attempt + 1), 3))
    raise CommandError("the database does not come back")


def _outcome(tenant: TenantRef) -> dict[str, Any]:
    """What the tenant holds after the replay."""
    with context.enter(tenant):
        cases, runs, orders = inbox.counts_by_kind(), engine.status_counts(), insights.orders()
    return {
        "orders": orders,
        "runs": sum(runs.values()),
        "runs_by_status": {status: number for status, number in runs.items() if number},
        "cases": sum(number for _, number in cases),
        "cases_by_kind": dict(cases),
    }


def _batches(events: Iterator[dict[str, Any]], size: int) -> Iterator[list[dict[str, Any]]]:
    """Events in batches that never part events of one instant: the clock moves between batches."""
    batch: list[dict[str, Any]] = []
    for event in events:
        if len(batch) >= size and event["time"] != batch[-1]["time"]:
            yield batch
            batch = []
        batch.append(event)
    if batch:
        yield batch


class _Door:
    """The tenant's endpoint, as a shop sees it."""

    def __init__(self, tenant: TenantRef) -> None:
        self._host = queries.primary_host(partner_id=tenant.partner_id, tenant_id=tenant.id)
        with context.enter(tenant):
            Endpoint.objects.filter(
                name="replay"
            ).delete()  # its secret was shown once, to a replayer that is gone
            endpoint, secret = create_endpoint(
                name="replay", kind="cloudevents", source="/replay", actor=system("replay"), now=clock.now()
            )
        self._path = f"/hooks/{endpoint.token}"
        self._signer = Webhook(secret)
        self._connection: http.client.HTTPConnection | None = None
        self._count = 0

    def deliver(self, batch: list[dict[str, Any]]) -> None:
        """Deliver until it is taken: the same batch again after a broken connection, later when asked to wait."""
        self._count += 1
        body = jsonx.dumps(batch)
        for attempt in range(_TRIES):
            try:
                status, retry_after, answer = self._post(body, f"msg_replay_{self._count}")
            except (OSError, http.client.HTTPException):
                self._connection = None
                time.sleep(min(0.2 * (attempt + 1), 3))
                continue
            if status in (200, 202):
                return
            if status not in (429, 500, 502, 503):
                raise CommandError(f"the door answered {status}: {answer[:500].decode(errors='replace')}")
            time.sleep(retry_after or min(0.2 * (attempt + 1), 3))
        raise CommandError(f"a batch was not taken in {_TRIES} tries")

    def _post(self, body: bytes, message_id: str) -> tuple[int, float, bytes]:
        if self._connection is None:
            self._connection = http.client.HTTPConnection(settings.ENV.host, settings.PORTAL_PORT, timeout=60)
        at = clock.now()
        headers = {
            "Host": f"{self._host}:{settings.PORTAL_PORT}",
            "Content-Type": "application/cloudevents-batch+json",
            "webhook-id": message_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": self._signer.sign(message_id, at, body.decode()),
        }
        self._connection.request("POST", self._path, body=body, headers=headers)
        response = self._connection.getresponse()
        answer = response.read()
        return response.status, float(response.headers.get("Retry-After") or 0), answer
