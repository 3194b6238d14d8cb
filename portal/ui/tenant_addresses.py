"""Addresses of a client's own pages about its orders, events, systems and use."""

from typing import Final

from django.urls import URLPattern, URLResolver, include, path

from portal.ui import (
    connections,
    endpoints,
    events,
    kpis,
    limits,
    orders,
    overview,
    quarantine,
    secrets_page,
    settings_page,
    standing,
    store,
)
from portal.ui.notice_addresses import NOTICES
from portal.ui.privacy_addresses import PRIVACY

INSIGHTS: Final = [
    path("overview/", overview.overview, name="overview"),
    path("figures/", kpis.catalogue, name="catalogue"),
    path("figures/<slug:code>/", kpis.figure, name="figure"),
    path("figures/<slug:code>/target", kpis.set_target, name="target"),
    path("figures/<slug:code>/rows.csv", kpis.rows_csv, name="csv"),
]
ORDERS: Final = [
    path("", orders.orders, name="list"),
    path("<path:order>/", orders.timeline, name="timeline"),
]
EVENTS: Final = [
    path("events/", events.explorer, name="explorer"),
    path("events/<str:event>/", events.event, name="event"),
    path("events/<str:event>/whole", events.reveal, name="whole"),
    path("quarantine/", quarantine.quarantine, name="quarantine"),
    path("quarantine/<str:rejection>/", quarantine.rejection, name="rejection"),
    path("quarantine/<str:rejection>/<slug:decision>", quarantine.decide, name="decide"),
    path("endpoints/", endpoints.endpoints, name="endpoints"),
    path("endpoints/new/", endpoints.add, name="endpoint-add"),
    path("endpoints/<str:endpoint>/", endpoints.endpoint, name="endpoint"),
    path("endpoints/<str:endpoint>/secret", endpoints.rotate, name="endpoint-rotate"),
    path("endpoints/<str:endpoint>/switch", endpoints.switch, name="endpoint-switch"),
]
CONNECTIONS: Final = [
    path("", connections.connections, name="list"),
    path("new/", connections.choose, name="new"),
    path("new/<slug:connector>/", connections.add, name="add"),
    path("<str:connection>/", connections.one, name="one"),
    path("<str:connection>/edit", connections.edit, name="edit"),
    path("<str:connection>/secret", connections.secret, name="secret"),
    path("<str:connection>/check", connections.check, name="check"),
    path("<str:connection>/pause/<slug:state>", standing.connection, name="pause"),
    path("<str:connection>/limit", limits.connection, name="limit"),
    path("<str:connection>/remove", connections.remove, name="remove"),
]
SETTINGS: Final = [
    path("", settings_page.settings, name="settings"),
    path("secrets/", secrets_page.secrets, name="secrets"),
    path("clock", settings_page.set_clock, name="clock"),
    path("two-people", settings_page.set_limit, name="two-people"),
    path("pause/<slug:state>", standing.tenant, name="pause"),
    path("limit", limits.tenant, name="limit"),
]
STORE: Final = [
    path("", store.tasks, name="tasks"),
    path("sw.js", store.worker, name="worker"),
    path("<str:case>/", store.task, name="task"),
    path("<str:case>/done", store.done, name="done"),
]

PAGES: Final[list[URLPattern | URLResolver]] = [
    path("", include((INSIGHTS, "insights"))),
    path("orders/", include((ORDERS, "orders"))),
    path("", include((EVENTS, "events"))),
    path("connections/", include((CONNECTIONS, "connections"))),
    path("settings/", include((SETTINGS, "tenancy"))),
    path("settings/", include((PRIVACY, "privacy"))),
    path("tasks/", include((STORE, "store"))),
    path("notifications/", include((NOTICES, "notices"))),
]
