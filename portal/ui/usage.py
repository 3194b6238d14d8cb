"""What a client used, month by month and day by day, against its plan; for a partner, of all its clients."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from billing import actions, queries
from billing.models import Plan
from kernel import clock
from kernel.errors import NotFound, PortalError
from portal.permissions import door
from portal.request import PartnerRequest, TenantRequest
from portal.ui.kit import charts, csv, words
from portal.ui.kit.forms import refuse
from portal.ui.kit.pages import go, key_of, page
from portal.ui.kit.paper import Paper
from portal.ui.kit.query import moved
from portal.ui.links import address
from portal.ui.usage_forms import PlanForm
from tenants.branding import queries as branding
from tenants.tenancy import context
from tenants.tenancy import queries as tenancy
from tenants.tenancy.models import Tenant

_MONTHS: Final = 12


@dataclass(frozen=True, slots=True)
class Used:
    """A client's line in its partner's table."""

    tenant: Tenant
    plan: Plan | None
    runs: int
    events: int
    cases: int
    share: float


def _asked_month(text: str, today: date) -> date:
    """The first day of the month that the address names; of the present one for what is no month."""
    try:
        found = date.fromisoformat(f"{text}-01")
    except ValueError:
        return today.replace(day=1)
    return min(found, today.replace(day=1))


def _months(today: date) -> list[tuple[str, str]]:
    """The last twelve months, newest first, as (2026-11, November 2026)."""
    firsts = [today.replace(day=1)]
    while len(firsts) < _MONTHS:
        firsts.append((firsts[-1] - timedelta(days=1)).replace(day=1))
    return [(f"{first:%Y-%m}", words.month_label(first)) for first in firsts]


def _month(request: TenantRequest, first: date) -> queries.Month | None:
    """A month's use, of today as it is now: so that the figure is what its rows are."""
    ref = request.tenant
    return queries.month(ref.id, first, present=queries.today([ref], clock.now()).get(ref.id))


@door("billing.read")
def plan(request: TenantRequest) -> HttpResponse:
    """A client's plan and a month of its use."""
    today = context.now().date()
    first = _asked_month(request.GET.get("month", ""), today)
    month = _month(request, first)
    given = {
        "month": month,
        "chosen": f"{first:%Y-%m}",
        "months": _months(today),
        "cards": _cards(month) if month else [],
        "chart": _chart(month) if month and len(month.days) > 1 else None,
        "crumbs": [(request.tenant.name, "/"), (_("Plan and usage"), "")],
    }
    return page(request, "billing/plan.html", given)


def _cards(month: queries.Month) -> list[dict[str, Any]]:
    """What is due, and what was used: each opens its rows where they have a page."""
    ends = month.first_date.replace(day=monthrange(month.first_date.year, month.first_date.month)[1])
    period = {"since": month.first_date.isoformat(), "until": ends.isoformat()}
    included = _("%(n)s included")
    plan = month.plan
    return [
        {"label": _("Due so far"), "value": words.amount(month.due), "sub": plan.name, "url": ""},
        {
            "label": _("Runs"),
            "value": month.runs,
            "sub": included % {"n": words.number(plan.included_runs)},
            "url": moved(address("runs:list"), period),
        },
        {
            "label": _("Events"),
            "value": month.events,
            "sub": included % {"n": words.number(plan.included_events)},
            "url": moved(address("events:explorer"), period),
        },
        {
            "label": _("Cases"),
            "value": month.cases,
            "sub": _("opened in the month"),
            "url": moved(address("inbox:list"), {"state": "all", **period}),
        },
    ]


def _chart(month: queries.Month) -> Any:
    days = [words.day_label(each.day_date) for each in month.days]
    runs = charts.Series(_("Runs"), [each.runs for each in month.days], "c0")
    return charts.stacked(days, [runs], title=_("Runs per day"))


@door("billing.read")
def plan_csv(request: TenantRequest) -> StreamingHttpResponse:
    """The days of a month as a file. Raises NotFound for a client without a plan."""
    first = _asked_month(request.GET.get("month", ""), context.now().date())
    month = _month(request, first)
    if month is None:
        raise NotFound
    lines = [
        (each.day_date.isoformat(), each.runs, each.events, each.cases, each.final) for each in month.days
    ]
    return csv.stream(f"usage-{first:%Y-%m}.csv", ("date", "runs", "events", "cases", "final"), lines)


@door("billing.read")
def statement(request: TenantRequest) -> HttpResponse:
    """A month's use and what it comes to, as a document. Raises NotFound for a client without a plan."""
    first = _asked_month(request.GET.get("month", ""), context.now().date())
    month = _month(request, first)
    if month is None:
        raise NotFound
    title = _("Plan and usage, %(month)s") % {"month": words.month_label(first)}
    made = Paper(branding.brand_of(request.partner), title, request.tenant.name, context.now())
    made.grid(
        (_("Plan"), _("Runs"), _("Events"), _("Cases"), _("Due so far")),
        [
            (
                month.plan.name,
                words.number(month.runs),
                words.number(month.events),
                words.number(month.cases),
                words.amount(month.due),
            )
        ],
    )
    made.grid(
        (_("Day"), _("Runs"), _("Events"), _("Cases")),
        [
            (words.day_label(one.day_date), *(words.number(n) for n in (one.runs, one.events, one.cases)))
            for one in month.days
        ],
    )
    response = HttpResponse(made.content(), content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="usage-{first:%Y-%m}.pdf"'
    return response


@door("billing.read")
def partner(request: PartnerRequest) -> HttpResponse:
    """All clients of a partner with what they used in a month; the most used first."""
    today = clock.now().date()
    first = _asked_month(request.GET.get("month", ""), today)
    used = _used(request, first)
    given = {
        "used": used,
        "total": {name: sum(getattr(one, name) for one in used) for name in ("runs", "events", "cases")},
        "chosen": f"{first:%Y-%m}",
        "months": _months(today),
        "may_change": request.actor.may("tenancy.lifecycle"),
        "crumbs": [(request.partner.name, "/"), (_("Plans and usage"), "")],
    }
    return page(request, "billing/partner.html", given)


def _used(request: PartnerRequest, first: date) -> list[Used]:
    tenants = list(tenancy.tenants_of(request.partner.id))
    present = queries.today([tenancy.ref_of(one) for one in tenants], clock.now())
    totals = queries.totals(request.partner.id, first, present=present)
    plans, found = queries.plans_of(request.partner.id), []
    for tenant in tenants:
        runs, events, cases = totals.get(tenant.id, (0, 0, 0))
        plan = plans.get(tenant.id)
        share = runs / plan.included_runs if plan and plan.included_runs else 0.0
        found.append(Used(tenant, plan, runs, events, cases, share))
    return sorted(found, key=lambda one: (-one.runs, one.tenant.name.lower()))


@door("billing.read")
def partner_csv(request: PartnerRequest) -> StreamingHttpResponse:
    """The same as a file."""
    first = _asked_month(request.GET.get("month", ""), clock.now().date())
    lines = [
        (
            one.tenant.public_id,
            one.tenant.name,
            one.plan.code if one.plan else "",
            one.runs,
            one.events,
            one.cases,
        )
        for one in _used(request, first)
    ]
    head = ("id", "client", "plan", "runs", "events", "cases")
    return csv.stream(f"clients-{first:%Y-%m}.csv", head, lines)


@door("tenancy.lifecycle")
def change_plan(request: PartnerRequest, tenant: str) -> HttpResponse:
    """Put a client on another plan, from today on."""
    found = tenancy.tenant_of(request.partner.id, key_of("tnt", tenant))
    if found is None:
        raise NotFound
    now = clock.now()
    present = queries.plans_of(request.partner.id).get(found.id)
    form = PlanForm(
        request.POST if request.method == "POST" else None, initial={"plan": present.code if present else ""}
    )
    if request.method == "POST" and form.is_valid():
        try:
            actions.subscribe(
                tenant=found, plan=form.cleaned_data["plan"], since=now.date(), actor=request.actor, now=now
            )
        except PortalError as error:
            refuse(form, error)
        else:
            messages.success(request, _("%(name)s is on another plan.") % {"name": found.name})
            return go(request, reverse("billing:partner"))
    given = {
        "form": form,
        "tenant": found,
        "crumbs": [
            (request.partner.name, "/"),
            (_("Plans and usage"), reverse("billing:partner")),
            (found.name, ""),
        ],
    }
    return page(request, "billing/change.html", given, part="dialog", status=422 if form.errors else 200)
