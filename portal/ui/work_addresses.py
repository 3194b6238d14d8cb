"""Addresses of the work of a client: what needs a person, what ran, what runs."""

from typing import Final

from django.urls import URLPattern, URLResolver, include, path

from portal.ui import (
    bulk,
    dry_run,
    inbox,
    inbox_acts,
    inbox_bulk,
    inbox_correct,
    inbox_files,
    inbox_pending,
    inbox_views,
    limits,
    migrate,
    rewind,
    run_data,
    runs,
    runs_acts,
    standing,
    tables,
    workflows,
    workflows_acts,
)

_INBOX: Final = [
    path("", inbox.inbox, name="list"),
    path("bulk", inbox_bulk.bulk, name="bulk"),
    path("views/", inbox_views.save, name="views"),
    path("views/<slug:named>/", inbox_views.named, name="named"),
    path("views/<slug:named>/remove", inbox_views.remove, name="view-remove"),
    path("<str:case>/", inbox.case, name="case"),
    path("<str:case>/correct", inbox_correct.correct, name="correct"),
    path("<str:case>/decide/<slug:decision>", inbox_acts.decide, name="decide"),
    path("<str:case>/undo", inbox_pending.undo, name="undo"),
    path("<str:case>/agree", inbox_pending.agree, name="agree"),
    path("<str:case>/decline", inbox_pending.decline, name="decline"),
    path("<str:case>/assign", inbox_acts.assign, name="assign"),
    path("<str:case>/snooze", inbox_acts.snooze, name="snooze"),
    path("<str:case>/wake", inbox_acts.wake, name="wake"),
    path("<str:case>/reopen", inbox_acts.reopen, name="reopen"),
    path("<str:case>/files", inbox_files.attach, name="attach"),
    path("<str:case>/files/<str:file>", inbox_files.file, name="file"),
    path("<str:case>/comment", inbox_acts.comment, name="comment"),
]
_RUNS: Final = [
    path("", runs.runs, name="list"),
    path("bulk/", bulk.bulks, name="bulks"),
    path("bulk/start", bulk.start, name="bulk_start"),
    path("bulk/<str:bulk>/", bulk.bulk, name="bulk"),
    path("bulk/<str:bulk>/stop", bulk.stop, name="bulk_stop"),
    path("bulk/<str:bulk>/continue", bulk.go_on, name="bulk_continue"),
    path("bulk/<str:bulk>/results.csv", bulk.results, name="bulk_results"),
    path("<str:run>/", runs.run, name="run"),
    path("<str:run>/cancel", runs_acts.cancel, name="cancel"),
    path("<str:run>/pause/<slug:state>", standing.run, name="pause"),
    path("<str:run>/retry", runs_acts.retry, name="retry"),
    path("<str:run>/skip", runs_acts.skip, name="skip"),
    path("<str:run>/complete", runs_acts.complete, name="complete"),
    path("<str:run>/data/<slug:what>", run_data.data, name="data"),
    path("<str:run>/from/<int:line>", rewind.rewind, name="rewind"),
]
_WORKFLOWS: Final = [
    path("", workflows.workflows, name="list"),
    path("<str:workflow>/", workflows.detail, name="detail"),
    path("<str:workflow>/settings", workflows_acts.settings, name="settings"),
    path("<str:workflow>/turns", limits.workflow, name="turns"),
    path("<str:workflow>/start", workflows_acts.start, name="start"),
    path("<str:workflow>/dry-run", dry_run.dry_run, name="dry_run"),
    path("<str:workflow>/move", migrate.move, name="move"),
    path("<str:workflow>/state/<slug:state>", workflows_acts.set_state, name="state"),
]

_TABLES: Final = [
    path("", tables.tables, name="list"),
    path("new/", tables.new, name="new"),
    path("<str:table>/", tables.table, name="one"),
    path("<str:table>/publish", tables.publish, name="publish"),
    path("<str:table>/withdraw", tables.withdraw, name="withdraw"),
]

WORK: Final[list[URLPattern | URLResolver]] = [
    path("inbox/", include((_INBOX, "inbox"))),
    path("runs/", include((_RUNS, "runs"))),
    path("workflows/", include((_WORKFLOWS, "workflows"))),
    path("tables/", include((_TABLES, "tables"))),
]
