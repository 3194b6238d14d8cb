"""Addresses of a client's own pages about its orders, events, systems and use."""

from typing import Final

from django.urls import URLPattern, URLResolver, include, path

from portal.ui import kpis, overview

INSIGHTS: Final = [
    path("overview/", overview.overview, name="overview"),
    path("figures/", kpis.catalogue, name="catalogue"),
    path("figures/<slug:code>/", kpis.figure, name="figure"),
    path("figures/<slug:code>/rows.csv", kpis.rows_csv, name="csv"),
]

PAGES: Final[list[URLPattern | URLResolver]] = [
    path("", include((INSIGHTS, "insights"))),
]
