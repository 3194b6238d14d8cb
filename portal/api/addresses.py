"""Addresses of the API, below `/api/v1/`: of a partner's console and of a client's portal."""

from typing import Final

from django.urls import URLPattern, URLResolver, path

from portal.api import (
    access,
    audit,
    billing,
    bulks,
    connectors,
    engine,
    events,
    inbox,
    insights,
    standing,
    templates,
    tenancy,
)

_Addresses = list[URLPattern | URLResolver]

_BOTH: Final[_Addresses] = [
    path("me", access.Myself.as_view(), name="me"),
    path("people", access.People.as_view(), name="people"),
    path("people/<str:member>", access.Person.as_view(), name="person"),
    path("tokens", access.Tokens.as_view(), name="tokens"),
    path("tokens/<str:token>", access.OneToken.as_view(), name="token"),
    path("audit", audit.Audit.as_view(), name="audit"),
    path("audit/<str:entry>", audit.AuditOne.as_view(), name="audit-entry"),
    path("audit-proof", audit.AuditProof.as_view(), name="audit-proof"),
    path("audit-streams", audit.Streams.as_view(), name="audit-streams"),
    path("audit-streams/<str:stream>", audit.OneStream.as_view(), name="audit-stream"),
    path("templates", templates.Library.as_view(), name="templates"),
    path("templates/<slug:slug>/versions", templates.Versions.as_view(), name="template-versions"),
    path(
        "templates/<slug:slug>/versions/<str:version>",
        templates.OneVersion.as_view(),
        name="template-version",
    ),
]

PARTNER: Final[_Addresses] = [
    *_BOTH,
    path("tenants", tenancy.Clients.as_view(), name="tenants"),
    path("tenants/<str:tenant>", tenancy.OneClient.as_view(), name="tenant"),
    path("tenants/<str:tenant>/provisioning", tenancy.ClientSetup.as_view(), name="provisioning"),
    path("tenants/<str:tenant>/suspend", tenancy.Suspend.as_view(), name="tenant-suspend"),
    path("tenants/<str:tenant>/resume", tenancy.Resume.as_view(), name="tenant-resume"),
    path("tenants/<str:tenant>/archive", tenancy.Archive.as_view(), name="tenant-archive"),
    path("tenants/<str:tenant>/pause", standing.ClientPause.as_view(), name="tenant-pause"),
    path("pause", standing.EverybodysPause.as_view(), name="pause-all"),
    path(
        "tenants/<str:tenant>/installations",
        templates.ClientInstallations.as_view(),
        name="tenant-installations",
    ),
]
"""On a partner's host."""

TENANT: Final[_Addresses] = [
    *_BOTH,
    path("audit-lines", audit.AuditLines.as_view(), name="audit-lines"),
    path("events", events.Events.as_view(), name="events"),
    path("events/<str:event>", events.OneEvent.as_view(), name="event"),
    path("endpoints", events.Endpoints.as_view(), name="endpoints"),
    path("endpoints/<str:endpoint>", events.OneEndpoint.as_view(), name="endpoint"),
    path("endpoints/<str:endpoint>/secret", events.EndpointSecret.as_view(), name="endpoint-secret"),
    path("rejections", events.Rejections.as_view(), name="rejections"),
    path("rejections/<str:rejection>", events.OneRejection.as_view(), name="rejection"),
    path("rejections/<str:rejection>/accept", events.Accept.as_view(), name="rejection-accept"),
    path("rejections/<str:rejection>/discard", events.Discard.as_view(), name="rejection-discard"),
    path("connectors", connectors.Connectors.as_view(), name="connectors"),
    path("connections", connectors.Connections.as_view(), name="connections"),
    path("connections/<str:connection>", connectors.OneConnection.as_view(), name="connection"),
    path(
        "connections/<str:connection>/secret", connectors.ConnectionSecret.as_view(), name="connection-secret"
    ),
    path("connections/<str:connection>/pause", standing.ConnectionPause.as_view(), name="connection-pause"),
    path("connections/<str:connection>/limit", standing.ConnectionLimit.as_view(), name="connection-limit"),
    path("connections/<str:connection>/test", connectors.ConnectionTest.as_view(), name="connection-test"),
    path("workflows", engine.Workflows.as_view(), name="workflows"),
    path("workflows/<str:workflow>", engine.OneWorkflow.as_view(), name="workflow"),
    path("workflows/<str:workflow>/pause", engine.Pause.as_view(), name="workflow-pause"),
    path("workflows/<str:workflow>/activate", engine.Activate.as_view(), name="workflow-activate"),
    path("workflows/<str:workflow>/switch-off", standing.SwitchOff.as_view(), name="workflow-switch-off"),
    path(
        "workflows/<str:workflow>/concurrency",
        standing.WorkflowConcurrency.as_view(),
        name="workflow-concurrency",
    ),
    path("workflows/<str:workflow>/settings", engine.WorkflowSettings.as_view(), name="workflow-settings"),
    path("workflows/<str:workflow>/dry-run", bulks.DryRuns.as_view(), name="workflow-dry-run"),
    path("workflows/<str:workflow>/migration", bulks.Migration.as_view(), name="workflow-migration"),
    path("workflows/<str:workflow>/runs", engine.WorkflowRuns.as_view(), name="workflow-runs"),
    path("runs", engine.Runs.as_view(), name="runs"),
    path("runs/<str:run>", engine.OneRun.as_view(), name="run"),
    path("runs/<str:run>/journal", engine.Journal.as_view(), name="run-journal"),
    path("runs/<str:run>/resume", engine.ResumeOne.as_view(), name="run-resume"),
    path("runs/<str:run>/pause", standing.RunPause.as_view(), name="run-pause"),
    path("runs/<str:run>/cancel", engine.CancelOne.as_view(), name="run-cancel"),
    path("runs/<str:run>/outlook", bulks.RewindOutlook.as_view(), name="run-outlook"),
    path("runs/<str:run>/rewind", bulks.RewindOne.as_view(), name="run-rewind"),
    path("runs/<str:run>/migrate", bulks.MigrateOne.as_view(), name="run-migrate"),
    path("bulks", bulks.Bulks.as_view(), name="bulks"),
    path("bulks/preview", bulks.BulkPreview.as_view(), name="bulks-preview"),
    path("bulks/<str:bulk>", bulks.OneBulk.as_view(), name="bulk"),
    path("bulks/<str:bulk>/items", bulks.BulkItems.as_view(), name="bulk-items"),
    path("bulks/<str:bulk>/stop", bulks.StopBulk.as_view(), name="bulk-stop"),
    path("bulks/<str:bulk>/continue", bulks.ContinueBulk.as_view(), name="bulk-continue"),
    path("cases", inbox.Cases.as_view(), name="cases"),
    path("cases/<str:case>", inbox.OneCase.as_view(), name="case"),
    path("cases/<str:case>/decide", inbox.DecideOne.as_view(), name="case-decide"),
    path("cases/<str:case>/reopen", inbox.ReopenOne.as_view(), name="case-reopen"),
    path("cases/<str:case>/assign", inbox.AssignOne.as_view(), name="case-assign"),
    path("cases/<str:case>/snooze", inbox.SnoozeOne.as_view(), name="case-snooze"),
    path("cases/<str:case>/comments", inbox.Comments.as_view(), name="case-comments"),
    path("orders/<path:order>/timeline", insights.OrderTimeline.as_view(), name="order-timeline"),
    path("kpis", insights.Kpis.as_view(), name="kpis"),
    path("kpis/<slug:code>", insights.OneKpi.as_view(), name="kpi"),
    path("kpis/<slug:code>/rows", insights.KpiRows.as_view(), name="kpi-rows"),
    path("installations", templates.Installations.as_view(), name="installations"),
    path("installations/preview", templates.Preview.as_view(), name="installation-preview"),
    path("installations/<str:installation>", templates.OneInstallation.as_view(), name="installation"),
    path("usage", billing.UsageOfMonth.as_view(), name="usage"),
    path("clock", tenancy.TenantClock.as_view(), name="clock"),
    path("pause", standing.OwnPause.as_view(), name="pause"),
    path("limit", standing.OwnLimit.as_view(), name="limit"),
]
"""On a client's host."""
