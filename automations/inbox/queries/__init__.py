"""Reads of the inbox: lists, groups and counts; one case with all that is needed to decide it; figures."""

from automations.inbox.queries.causes import Group, groups, heaps, runs_alike
from automations.inbox.queries.detail import (
    Act,
    Answer,
    CaseDetail,
    CaseHistory,
    Note,
    Suggestion,
    case,
    case_of_run,
    cases_of,
    find,
    similar,
)
from automations.inbox.queries.figures import (
    KindCount,
    TenantFigures,
    by_day,
    counts_by_kind,
    decided_runs,
    kind_counts,
    open_count,
    tenant_figures,
)
from automations.inbox.queries.listing import (
    CaseFilter,
    CaseRow,
    Counts,
    case_ids,
    cases,
    counts,
    kinds_seen,
    rows_of,
)
<<<<<<< HEAD
from automations.inbox.queries.tasks import StoreTask, done_by, store_task, store_tasks
=======
from automations.inbox.queries.papers import PaperView, paper, papers
from automations.inbox.queries.pending import Pending, asked_among, limit, pending_of
>>>>>>> e43e987 (Decisions that can be undone and outlive the browser, two people above an amount, one row for failures of one cause, named lists, files on cases; pages of decision tables; amounts in major units; events without anybody's data in passing)
from automations.inbox.queries.telling import Told, opened_by, told_of
from automations.inbox.queries.views import Named, view, views

__all__ = [
    "Act",
    "Answer",
    "CaseDetail",
    "CaseFilter",
    "CaseHistory",
    "CaseRow",
    "Counts",
    "Group",
    "KindCount",
    "Named",
    "Note",
<<<<<<< HEAD
    "StoreTask",
=======
    "PaperView",
    "Pending",
>>>>>>> e43e987 (Decisions that can be undone and outlive the browser, two people above an amount, one row for failures of one cause, named lists, files on cases; pages of decision tables; amounts in major units; events without anybody's data in passing)
    "Suggestion",
    "TenantFigures",
    "Told",
    "asked_among",
    "by_day",
    "case",
    "case_ids",
    "case_of_run",
    "cases",
    "cases_of",
    "counts",
    "counts_by_kind",
    "decided_runs",
    "done_by",
    "find",
    "groups",
    "heaps",
    "kind_counts",
    "kinds_seen",
    "limit",
    "open_count",
    "opened_by",
    "paper",
    "papers",
    "pending_of",
    "rows_of",
    "runs_alike",
    "similar",
    "store_task",
    "store_tasks",
    "tenant_figures",
    "told_of",
    "view",
    "views",
]
