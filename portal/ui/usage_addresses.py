"""Addresses of plans and usage: a client's own, and its partner's table of all clients."""

from typing import Final

from django.urls import path

from portal.ui import usage

TENANT_USAGE: Final = [
    path("", usage.plan, name="plan"),
    path("days.csv", usage.plan_csv, name="csv"),
    path("statement.pdf", usage.statement, name="statement"),
]
PARTNER_USAGE: Final = [
    path("", usage.partner, name="partner"),
    path("clients.csv", usage.partner_csv, name="partner-csv"),
    path("<str:tenant>/plan", usage.change_plan, name="change"),
]
