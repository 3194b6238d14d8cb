"""Prometheus counters and histograms of this process; what Postgres knows is read when /metrics is asked."""

from prometheus_client import CollectorRegistry, Counter, Histogram

registry = CollectorRegistry()

webhooks = Counter("portal_webhooks_total", "Webhook deliveries by outcome", ["outcome"], registry=registry)
cards_masked = Counter(
    "portal_cards_masked_total", "Events in which card numbers were masked", registry=registry
)
requests = Histogram(
    "portal_request_seconds",
    "Server time of a request",
    ["room", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5),
    registry=registry,
)
