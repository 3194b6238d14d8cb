"""Addresses of people's data and of how long data are kept."""

from typing import Final

from django.urls import path

from portal.ui import privacy, retention

PRIVACY: Final = [
    path("people-data/", privacy.listed, name="subjects"),
    path("people-data/<str:subject>/", privacy.one, name="subject"),
    path("people-data/<str:subject>/export", privacy.export, name="export"),
    path("people-data/<str:subject>/erase", privacy.erase, name="erase"),
    path("retention/", retention.retention, name="retention"),
    path("retention/holds", retention.hold, name="hold"),
    path("retention/holds/<str:hold>/lift", retention.lift, name="lift"),
]
AT_PARTNER: Final = [path("retention/", retention.of_partner, name="retention")]
