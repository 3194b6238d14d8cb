"""Addresses on a tenant host."""

from django.urls import URLPattern, URLResolver, include, path

from portal import hooks
from portal.api.addresses import TENANT
from portal.api.reference import REFERENCE
from portal.ui import inbox, inbox_acts, inbox_bulk, inbox_correct
from portal.ui.addresses import CONSOLE_AND_TENANT, EVERYWHERE

INBOX = [
    path("", inbox.inbox, name="list"),
    path("bulk", inbox_bulk.bulk, name="bulk"),
    path("<str:case>/", inbox.case, name="case"),
    path("<str:case>/correct", inbox_correct.correct, name="correct"),
    path("<str:case>/decide/<slug:decision>", inbox_acts.decide, name="decide"),
    path("<str:case>/assign", inbox_acts.assign, name="assign"),
    path("<str:case>/snooze", inbox_acts.snooze, name="snooze"),
    path("<str:case>/wake", inbox_acts.wake, name="wake"),
    path("<str:case>/reopen", inbox_acts.reopen, name="reopen"),
    path("<str:case>/comment", inbox_acts.comment, name="comment"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("hooks/<str:token>", hooks.receive, name="hooks"),
    path("api/v1/", include(([*TENANT, *REFERENCE], "api"))),
    *EVERYWHERE,
    *CONSOLE_AND_TENANT,
    path("inbox/", include((INBOX, "inbox"))),
]
handler404 = "portal.ui.errors.not_found"
handler500 = "portal.ui.errors.failed"
