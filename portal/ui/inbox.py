"""The inbox: what needs a person, most urgent first, with one case beside the list."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from automations.engine import queries as engine
from automations.inbox import policy, queries
from automations.inbox.enums import ClosedHow, Severity
from automations.inbox.queries import CaseFilter, CaseRow, Counts
from automations.inbox.queries.listing import SORTS
from automations.insights import queries as insights
from automations.insights.errors import UnknownOrder
from kernel.errors import Invalid
from kernel.ids import public_id
from portal.permissions import door
from portal.request import TenantRequest
from portal.ui import inbox_papers as files
from portal.ui import inbox_shown as shown
from portal.ui.inbox_forms import CommentForm
from portal.ui.kit.acts import ACTS
from portal.ui.kit.pages import key_of, page
from portal.ui.kit.query import instant, moved
from portal.ui.links import order_address, run_address
from portal.ui.orders_shown import lanes
from portal.ui.search import Hit, finds
from portal.ui.shell import count
from portal.ui.steps_shown import line
from tenants.tenancy import context

PAGE: Final = 40
_STATES: Final = ("open", "snoozed", "resolving", "second", "closed", "all")
_SORTS: Final = {
    "due": gettext_lazy("Most urgent first"),
    "money": gettext_lazy("Most money first"),
    "newest": gettext_lazy("Newest first"),
    "closed": gettext_lazy("Last closed first"),
}
assert set(_SORTS) == set(SORTS)

ACTS.update(
    {
        "inbox.decide": gettext_lazy("Decided a case"),
        "inbox.assign": gettext_lazy("Gave a case to somebody"),
        "inbox.snooze": gettext_lazy("Put a case off"),
        "inbox.comment": gettext_lazy("Commented on a case"),
    }
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which cases the address asks for, in which order, from which place on."""

    filter: CaseFilter
    sort: str
    after: str
    who: str
    each: bool = False

    @property
    def heaped(self) -> bool:
        """Whether many failures of one cause are one row: while one works off what is open, unless one wants each."""
        return self.filter.state == "open" and not self.filter.fingerprint and not self.each

    @property
    def narrowed(self) -> bool:
        """Whether anything beyond the state is asked for."""
        return self.filter != CaseFilter(state=self.filter.state)


def wanted(request: TenantRequest) -> Wanted:
    """What the parameters say; a word that is none says nothing, an id that is none leads nowhere."""
    given = {name: str(value).strip() for name, value in request.GET.items()}
    who, state = given.get("who", ""), given.get("state", "")
    found = CaseFilter(
        state=state if state in _STATES else "open",
        assignee=_person(request, who),
        unassigned=who == "nobody",
        past_due=bool(given.get("late")),
        kind=given.get("kind", "")[:80],
        severity=given.get("severity", "") if given.get("severity") in Severity.values else "",
        workflow=key_of("wfl", given["workflow"]) if given.get("workflow") else None,
        business_key=given.get("order", "")[:200],
        fingerprint=given.get("alike", "")[:32],
        closed_how=given.get("closed", "") if given.get("closed") in ClosedHow.values else "",
        text=given.get("q", "")[:200],
        since=instant(given.get("since", "")),
        until=instant(given.get("until", ""), end=True),
        open_at=instant(given.get("open_at", "")),
    )
    return Wanted(found, given.get("sort", ""), given.get("after", ""), who, bool(given.get("each")))


def _person(request: TenantRequest, who: str) -> UUID | None:
    if who == "me":
        return request.actor.user_id
    return key_of("usr", who) if who and who != "nobody" else None


@door("inbox.read")
def inbox(request: TenantRequest) -> HttpResponse:
    """The list and its first case; `#list` alone where htmx asks for it."""
    listed = _listed(request)
    first = listed["rows"][0] if listed["rows"] else None
    detail = case_context(request, first.id) if first and not _asks_for(request, "list") else {}
    return _page(request, {**listed, **detail, "part": "list"})


@door("inbox.read")
def case(request: TenantRequest, case: str) -> HttpResponse:
    """One case beside the list; the case alone where htmx asks for it."""
    key = key_of("case", case)
    if _asks_for(request, "detail"):
        return _page(request, {**case_context(request, key), "part": "detail"})
    return show_case(request, key)


def show_case(
    request: TenantRequest, key: UUID, *, comment: CommentForm | None = None, status: int = 200
) -> HttpResponse:
    """A case opened: on its own where htmx asks for it, else beside the list."""
    context_ = {**case_context(request, key, comment=comment), "opened": True, "part": "detail"}
    if not _asks_for(request, "detail"):
        context_ = {**_listed(request), **context_}
    return _page(request, context_, status=status)


def _asks_for(request: TenantRequest, part: str) -> bool:
    return request.headers.get("HX-Request-Type") == "partial" and request.headers.get(
        "HX-Target", ""
    ).endswith(f"#{part}")


def _page(request: TenantRequest, found: dict[str, Any], *, status: int = 200) -> HttpResponse:
    given = {
        **found,
        "chosen": found["case"].row.public_id if "case" in found else "",
        "query": request.GET.urlencode(),
        "owners": _owners(request),
        "crumbs": _crumbs(request, found),
    }
    return page(request, "inbox/page.html", given, part=found["part"], status=status)


def _crumbs(request: TenantRequest, found: dict[str, Any]) -> list[tuple[str, str]]:
    here = [(request.tenant.name, "/")]
    if found.get("opened"):
        return [*here, (_("Exceptions"), reverse("inbox:list")), (found["case"].row.code, "")]
    return [*here, (_("Exceptions"), "")]


def _listed(request: TenantRequest) -> dict[str, Any]:
    asked, now = wanted(request), context.now()
    found = _cases(asked, now)
    counted = queries.counts(now=now, mine=request.actor.user_id)
    request.open_cases = counted.open  # the sidebar says it once more
    heaps = queries.heaps(asked.filter, found.items, now=now) if asked.heaped else {}
    second = queries.asked_among(row.id for row in found.items)
    redrive = request.actor.may("engine.operate")
    return {
        "rows": found.items,
        "items": [
            shown.item(row, request.GET, now, second=row.id in second)
            | shown.heap(heaps.get(row.id), redrive=redrive)
            for row in found.items
        ],
        "after": found.after,
        "counts": counted,
        "money": shown.money(counted.value_minor, counted.currency),
        "chips": [*_chips(request, asked, counted), *_named(request)],
        "narrowing": list(_narrowing(request, asked)),
        "asked": asked,
        "kinds": sorted(((code, str(label)) for code, label in queries.kinds_seen()), key=lambda one: one[1]),
        "severities": Severity.choices,
        "kept": _kept(request),
        "sorts": list(_SORTS.items()),
        "may_decide": request.actor.may("inbox.decide"),
        "watching": not request.actor.may("inbox.decide"),
        "me": request.actor.user_id,
    }


def _owners(request: TenantRequest) -> list[tuple[str, str]]:
    """(id, name) of everybody who decides cases here, for those who may give them one."""
    if not request.actor.may("inbox.decide"):
        return []
    return [(public_id("usr", one.id), one.name) for one in policy.assignable()]


def _kept(request: TenantRequest) -> list[tuple[str, str]]:
    """Filters that came by a link and have no field: a search within them stays within them."""
    names = ("workflow", "order", "alike", "closed", "since", "until", "open_at")
    return [(name, request.GET[name]) for name in names if request.GET.get(name)]


def _cases(asked: Wanted, now: Any) -> Any:
    sort = asked.sort if asked.sort in SORTS else ""
    try:
        return queries.cases(
            asked.filter, now=now, sort=sort, after=asked.after, limit=PAGE, heaped=asked.heaped
        )
    except Invalid:  # a place in a list that is sorted otherwise now: start anew
        return queries.cases(asked.filter, now=now, sort=sort, limit=PAGE, heaped=asked.heaped)


def _chips(request: TenantRequest, asked: Wanted, counted: Counts) -> list[tuple[str, str, int | None, bool]]:
    """The views above the list, each an address with its number."""
    state, who, late = asked.filter.state, asked.who, asked.filter.past_due
    plain = state == "open" and not who and not late
    found: list[tuple[dict[str, str], str, int | None, bool]] = [
        ({}, _("Open"), counted.open, plain),
        ({"who": "me"}, _("Mine"), counted.mine, state == "open" and who == "me"),
        ({"late": "1"}, _("Past due"), counted.past_due, state == "open" and late),
    ]
    if counted.resolving or state == "resolving":
        found.append(({"state": "resolving"}, _("Being resolved"), counted.resolving, state == "resolving"))
    if counted.second or state == "second":
        found.append(({"state": "second"}, _("Second person"), counted.second, state == "second"))
    if counted.snoozed or state == "snoozed":
        found.append(({"state": "snoozed"}, _("Snoozed"), counted.snoozed, state == "snoozed"))
    found.append(({"state": "closed"}, _("Closed"), None, state == "closed"))
    kept = {name: value for name, value in request.GET.items() if name in ("kind", "severity", "workflow")}
    return [
        (moved(reverse("inbox:list"), kept | changes), word, number, on)
        for changes, word, number, on in found
    ]


def _named(request: TenantRequest) -> list[tuple[str, str, int | None, bool]]:
    """The lists that have a name here, behind those that come with the house."""
    on = request.GET.get("view", "")
    return [
        (reverse("inbox:named", args=[one.slug]), one.name, None, one.slug == on)
        for one in queries.views(request.actor.user_id)
    ]


def _narrowing(request: TenantRequest, asked: Wanted) -> Iterable[tuple[str, str]]:
    """(words, address without it) of each filter that no menu shows."""
    found = asked.filter
    titles = {
        "order": _("Order %(key)s") % {"key": found.business_key},
        "alike": _("Of one cause"),
        "workflow": _("Of one workflow"),
        "closed": dict(ClosedHow.choices).get(found.closed_how, ""),
        "since": _("Opened since %(day)s") % {"day": request.GET.get("since", "")[:10]},
        "until": _("Opened until %(day)s") % {"day": request.GET.get("until", "")[:10]},
        "each": _("Each by itself"),
        "open_at": _("Open on %(day)s") % {"day": request.GET.get("open_at", "")[:10]},
    }
    for name, title in titles.items():
        if request.GET.get(name):
            yield str(title), moved(reverse("inbox:list"), request.GET, **{name: "", "after": ""})


def case_context(request: TenantRequest, key: UUID, *, comment: CommentForm | None = None) -> dict[str, Any]:
    """What the page of one case shows. Raises CaseUnknown."""
    now, internal = context.now(), policy.is_partner_staff(request.actor)
    found = queries.case(key, now=now, internal=internal)
    may_decide = request.actor.may("inbox.decide")
    return {
        "case": found,
        "may_decide": may_decide,
        "may_comment": request.actor.may("inbox.comment"),
        "all_url": _all_alike(request, found),
        "pending": shown.pending(found, request.actor.user_id),
        **_files(request, found),
        "comment": comment or CommentForm(internal=internal),
        "me": request.actor.user_id,
        "facts": shown.facts(found, now),
        "answers": shown.answers(found),
        "compared": shown.comparison(found.facts),
        **_trace(request, found),
        "tries": _tries(found) if request.actor.may("engine.read") else [],
        "story": shown.story(found),
        "naps": shown.naps(now),
        "links": shown.links(request, found),
        "run_url": run_address(found.run_public_id) if request.actor.may("engine.read") else "",
        "now": now,
    }


def _trace(request: TenantRequest, found: queries.CaseDetail) -> dict[str, Any]:
    """What every system did about the order of a case, on one axis; for whom orders are open."""
    key = found.row.business_key
    if not key or not request.actor.may("insights.read"):
        return {}
    try:
        told = insights.timeline(key, now=context.now())
    except UnknownOrder:
        return {}
    return {"lanes": lanes(told), "lanes_gaps": told.gaps, "lanes_url": order_address(key)}


def _files(request: TenantRequest, found: queries.CaseDetail) -> dict[str, Any]:
    """The files of a case, and the form for one more."""
    return {
        "papers": files.listed(request, found.row.id, found.row.public_id),
        "file_form": files.FileForm(internal=policy.is_partner_staff(request.actor)),
    }


def _all_alike(request: TenantRequest, found: queries.CaseDetail) -> str:
    """Where the runs of all open cases of this cause are sent on; empty where there is one alone, or one may not."""
    if found.row.run_id is None or not found.alike_open or not request.actor.may("engine.operate"):
        return ""
    return moved(reverse("runs:bulk_start"), {"alike": found.row.fingerprint})


def _tries(found: queries.CaseDetail) -> list[dict[str, Any]]:
    """The last lines of the run behind a case, newest first."""
    if found.row.run_id is None:
        return []
    steps = engine.tail(found.row.run_id, most=8)
    document = found.document or (engine.document_of(found.row.run_id) if steps else {})
    return [line(step, document) for step in steps]


@count("inbox:list")
def _open(request: Any) -> int | None:
    """The number beside the sidebar's entry."""
    counted: int | None = getattr(request, "open_cases", None)
    return queries.open_count(context.now()) if counted is None else counted


@finds
def cases(request: Any, text: str) -> Iterable[Hit]:
    """Cases by code, order, or pasted id."""
    if not text or request.portal.tenant is None or not request.actor.may("inbox.read"):
        return
    for row in queries.find(text, now=context.now(), limit=6):
        yield _hit(row)


def _hit(row: CaseRow) -> Hit:
    address = reverse("inbox:case", args=[row.public_id])
    return Hit(gettext_lazy("Exceptions"), row.title, address, icon="inbox", note=row.code)
