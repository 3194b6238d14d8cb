"""The boiler room: is it alive, is it ready, what do the gauges say. Plain, fast, without secrets."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, generate_latest

from automations.ledger import queries as ledger
from kernel import bell, clock, metrics
from kernel.errors import NotFound
from portal.permissions import door
from tenants.tenancy import queries as tenancy
from tenants.tenancy import store as schemas
from tenants.tenancy.errors import UnknownHost

LAG_SECONDS = 60.0
"""Due work that waits longer than that means: not ready."""


@door(public=True)
def health(request: HttpRequest) -> HttpResponse:
    """200 as long as this process answers."""
    return JsonResponse({"status": "ok"})


@door(public=True)
def ready(request: HttpRequest) -> HttpResponse:
    """200 when requests can be served and work is worked on, else 503; says which part is not."""
    found = checks()
    good = all(check["ok"] for check in found.values())
    return JsonResponse(
        {"status": "ready" if good else "not ready", "checks": found}, status=200 if good else 503
    )


def checks() -> dict[str, dict[str, Any]]:
    """Database, broker, queue lag, workers, tenants behind on migrations."""
    try:
        connection.ensure_connection()
        load = ledger.load()
        behind = tenancy.tenants_behind(schemas.revision()).count()
        workers = len(ledger.workers(clock.now() - timedelta(seconds=30)))
    except Error as error:
        return {"database": {"ok": False, "detail": str(error).strip().splitlines()[0][:200]}}
    return {
        "database": {"ok": True},
        # the portal works without it, only later
        "broker": {"ok": True, "reachable": bell.reachable()},
        "queue": {"ok": load.oldest <= LAG_SECONDS, "lag_seconds": round(load.oldest, 1), "due": load.due},
        "workers": {"ok": True, "alive": workers},
        "migrations": {"ok": behind == 0, "tenants_behind": behind},
    }


@door(public=True)
def tls_ask(request: HttpRequest) -> HttpResponse:
    """200 where `?domain=` is a host that is served, so that a proxy gets certificates for those and no others."""
    name = request.GET.get("domain", "").lower().rstrip(".")
    try:
        tenancy.host(name, settings.BASE_DOMAIN)
    except UnknownHost:
        return HttpResponse("unknown\n", status=404, content_type="text/plain")
    return HttpResponse("served\n", content_type="text/plain")


@door(public=True)
def gauges(request: HttpRequest) -> HttpResponse:
    """Prometheus' format: this process's counters, and what the database knows. For loopback and operators only."""
    if request.META.get("REMOTE_ADDR") not in ("127.0.0.1", "::1", "") and not settings.DEBUG:
        raise NotFound
    registry = CollectorRegistry()
    load = ledger.load()
    for name, text, value in (
        ("portal_runs_due", "Runs that are due", load.due),
        ("portal_runs_held", "Runs that a worker holds", load.held),
        ("portal_leases_expired", "Runs whose worker went silent", load.expired),
        ("portal_events_waiting", "Events that are not dispatched", load.intake),
        ("portal_queue_lag_seconds", "Age of the oldest due run", load.oldest),
        (
            "portal_tenants_behind",
            "Tenants behind on migrations",
            tenancy.tenants_behind(schemas.revision()).count(),
        ),
        (
            "portal_workers",
            "Workers heard of within 30 s",
            len(ledger.workers(clock.now() - timedelta(seconds=30))),
        ),
    ):
        Gauge(name, text, registry=registry).set(value)
    tenants = Gauge("portal_tenants", "Tenants by partner and state", ["partner", "state"], registry=registry)
    for partner, state, number in tenancy.tenant_counts():
        tenants.labels(partner=partner, state=state).set(number)
    ended = Counter(
        "portal_workers_ended", "Workers ended because they had stopped to work", ["why"], registry=registry
    )
    for why, count in ledger.tallies("workers_ended_").items():
        ended.labels(why=why).inc(count)
    body = generate_latest(registry) + generate_latest(metrics.registry)
    return HttpResponse(body, content_type=CONTENT_TYPE_LATEST)
