"""One act on many runs: what fits the filter is counted first, then begun; its page follows it and stops it."""

from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from automations.engine import queries
from automations.engine.actions import redriving
from automations.engine.enums import BulkAct, BulkState, ItemState
from automations.engine.models import Bulk, BulkItem
from automations.engine.queries.bulks import BulkView, RunFilter
from automations.inbox import queries as inbox
from kernel.errors import NotFound, PortalError
from kernel.ids import public_id
from portal.permissions import door
from portal.request import TenantRequest
from portal.ui.kit import csv
from portal.ui.kit.acts import ACTS
from portal.ui.kit.forms import refuse, ui
from portal.ui.kit.pages import go, key_of, page, slice_by
from portal.ui.kit.query import instant, moved, typed
from portal.ui.steps_shown import title_at
from tenants.access import policy
from tenants.tenancy import context
from tenants.tenancy.queries import TenantRef

PAGE: Final = 50
_FIELDS: Final = ("workflow", "step", "error", "code", "order", "since", "until", "alike")
_ACTS: Final = (BulkAct.RETRY, BulkAct.SKIP, BulkAct.CANCEL)
_EFFECTS: Final = {
    BulkAct.RETRY: gettext_lazy(
        "Each run does its failed step again, on the same data, and goes on from there."
    ),
    BulkAct.SKIP: gettext_lazy("Each run goes on behind its failed step, as if that had done nothing."),
    BulkAct.CANCEL: gettext_lazy(
        "Each run ends where it is. What it did so far stays. This cannot be undone."
    ),
    BulkAct.MIGRATE: gettext_lazy("Each run goes on by the version that its workflow works by now."),
}
_LOOKS: Final = {
    ItemState.WAITING: "pending",
    ItemState.SENT: "running",
    ItemState.DONE: "succeeded",
    ItemState.FAILED: "failed",
    ItemState.REFUSED: "not_taken",
    ItemState.HELD: "not_reached",
}
_TROUBLE: Final = (ItemState.FAILED, ItemState.REFUSED, ItemState.HELD)

ACTS.update(
    {
        "engine.start_bulk": gettext_lazy("Began to act on many runs"),
        "engine.stop_bulk": gettext_lazy("Stopped an act on many runs"),
        "engine.cancel_bulk": gettext_lazy("Called an act on many runs off"),
        "engine.continue_bulk": gettext_lazy("Let an act on many runs go on"),
    }
)


class BeginForm(forms.Form):
    """Why, and at which pace; with the number that was seen."""

    rate = forms.FloatField(
        label=gettext_lazy("Runs a second at most"),
        min_value=0.01,
        max_value=redriving.RATE_MOST,
        initial=redriving.RATE,
        help_text=gettext_lazy("The other systems are not asked faster than this lets through."),
    )
    reason = ui(
        forms.CharField(
            label=gettext_lazy("Reason"),
            max_length=500,
            required=False,
            widget=forms.Textarea(attrs={"rows": 3}),
            help_text=gettext_lazy(
                "It stands in the history of each run and in the audit log beside your name."
            ),
        ),
        optional=True,
    )
    expected = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, act: str, **more: Any) -> None:
        """An act that cannot be taken back asks why."""
        super().__init__(*args, **more)
        if act in (BulkAct.CANCEL, BulkAct.SKIP):
            self.fields["reason"].required = True
            ui(self.fields["reason"], optional=False)

    def counted(self, number: int) -> None:
        """So many fit now; sent again, that is the number that was seen."""
        self.fields["expected"].initial = number
        if self.is_bound:
            self.data = {**dict(self.data.items()), "expected": str(number)}


def _given(request: TenantRequest) -> dict[str, str]:
    return {name: typed(request.GET, name) for name in _FIELDS}


def filter_of(given: dict[str, str]) -> RunFilter:
    """The filter that an address asks for."""
    code = given["code"]
    return RunFilter(
        workflow=key_of("wfl", given["workflow"]) if given["workflow"] else None,
        step=given["step"],
        error=given["error"],
        code=int(code) if code.isdigit() and len(code) < 6 else 0,
        business_key=given["order"],
        since=instant(given["since"]),
        until=instant(given["until"], end=True),
        alike=given["alike"],
        among=inbox.runs_alike(given["alike"]) if given["alike"] else (),
    )


def _act_of(request: TenantRequest) -> BulkAct:
    asked = request.GET.get("act", "")
    return BulkAct(asked) if asked in _ACTS else BulkAct.RETRY


@door("engine.read", post="engine.operate")
def start(request: TenantRequest) -> HttpResponse:
    """What fits the filter, counted and by its causes; sent, the act begins."""
    given, act = _given(request), _act_of(request)
    wanted = filter_of(given)
    form = BeginForm(request.POST if request.method == "POST" else None, act=act)
    if request.method == "POST" and form.is_valid():
        try:
            begun = redriving.start_bulk(
                act=act,
                wanted=wanted,
                actor=request.actor,
                now=context.now(),
                reason=form.cleaned_data["reason"],
                rate=form.cleaned_data["rate"],
                expected=form.cleaned_data["expected"],
            )
        except PortalError as error:
            if not error.benign:
                raise
            refuse(form, error)
        else:
            return go(request, reverse("runs:bulk", args=[begun.public_id]))
    return _start_page(request, form, given, wanted, act)


def _start_page(
    request: TenantRequest, form: BeginForm, given: dict[str, str], wanted: RunFilter, act: BulkAct
) -> HttpResponse:
    here, titles = reverse("runs:bulk_start"), queries.titles()
    preview = queries.preview(wanted, act)
    form.counted(preview.number)
    context_ = {
        "form": form,
        "given": given,
        "act": act,
        "verb": str(act.label),
        "effect": str(_EFFECTS[act]),
        "ends": act != BulkAct.RETRY,
        "chips": [(moved(here, request.GET, act=one), str(one.label), None, one == act) for one in _ACTS],
        "preview": preview,
        "causes": [_cause(request, one, titles) for one in preview.causes],
        "too_many": preview.number > redriving.MOST,
        "most": redriving.MOST,
        "may": policy.may(request.actor, "engine.operate", wanted.narrowed_to()),
        "filtered": any(given.values()),
        "workflows": sorted(
            ((public_id("wfl", key), name) for key, name in titles.items()), key=lambda one: one[1]
        ),
        "query": request.GET.urlencode(),
        "crumbs": _crumbs(request, _("Act on many runs")),
    }
    return page(request, "runs/bulk_start.html", context_, status=422 if form.errors else 200)


def _cause(request: TenantRequest, cause: queries.Cause, titles: dict[UUID, str]) -> dict[str, Any]:
    narrowed = {
        "workflow": public_id("wfl", cause.workflow_id),
        "step": cause.step,
        "error": cause.error,
        "code": cause.code or "",
    }
    return {
        "url": moved(reverse("runs:bulk_start"), request.GET, **narrowed),
        "workflow": titles.get(cause.workflow_id, ""),
        "step": title_at({}, cause.step) if cause.step else "",
        "error": " ".join(str(part) for part in (cause.code or "", cause.error) if part),
        "number": cause.number,
    }


def _crumbs(request: TenantRequest, *last: str) -> list[tuple[str, str]]:
    found = [(request.tenant.name, "/"), (_("Runs"), reverse("runs:list"))]
    if len(last) > 1:
        found.append((last[0], reverse("runs:bulks")))
    return [*found, (last[-1], "")]


@door("engine.read")
def bulks(request: TenantRequest) -> HttpResponse:
    """Acts on many runs, newest first."""
    slice_ = slice_by(queries.bulks(), request.GET.get("after", ""), field="created_at")
    context_ = {
        "slice": slice_,
        "rows": [_row(one) for one in queries.bulk_views(slice_.rows)],
        "crumbs": _crumbs(request, _("Acts on many runs")),
    }
    return page(request, "runs/bulks.html", context_)


def _row(view: BulkView) -> dict[str, Any]:
    return {
        "url": reverse("runs:bulk", args=[view.row.public_id]),
        "view": view,
        "verb": str(BulkAct(view.row.act).label),
        "state": {"running": "running", "stopped": "paused", "done": "done"}[view.row.state],
        "who": view.row.actor["label"],
    }


def _view_or_404(bulk: str) -> BulkView:
    try:
        return queries.bulk_view(key_of("blk", bulk))
    except Bulk.DoesNotExist as error:
        raise NotFound from error


@door("engine.read")
def bulk(request: TenantRequest, bulk: str) -> HttpResponse:
    """One act on many runs: how far it is, and what became of each; it looks again by itself while it moves."""
    view = _view_or_404(bulk)
    show = request.GET.get("show", "") if request.GET.get("show") in ("trouble", *ItemState.values) else ""
    states = _TROUBLE if show == "trouble" else (show,) if show else ()
    text = request.GET.get("after", "")
    after = int(text) if text.isdigit() and len(text) < 8 else -1
    items = list(queries.bulk_items(view.row.id, states=states, after=after)[: PAGE + 1])
    wanted = RunFilter.read(view.row.wanted)
    context_ = {
        **_row(view),
        "effect": str(_EFFECTS[BulkAct(view.row.act)]),
        "items": [_item(one) for one in items[:PAGE]],
        "more": moved("", request.GET, after=items[PAGE - 1].position) if len(items) > PAGE else "",
        "counts": [
            (_LOOKS[ItemState(one)], str(ItemState(one).label), n) for one, n in view.counts.items() if n
        ],
        "chips": _chips(request, view, show),
        "filter": _filter_words(view, wanted),
        "may_stop": _may(request, wanted) and view.row.state == BulkState.RUNNING,
        "may_continue": _may(request, wanted) and view.row.state == BulkState.STOPPED,
        "width": f"{view.share * 100:.1f}",
        "every": "1s" if view.moving else "",
        "left": (view.row.total - view.through) / view.row.rate
        if view.row.state == BulkState.RUNNING
        else None,
        "crumbs": _crumbs(request, _("Acts on many runs"), str(BulkAct(view.row.act).label)),
    }
    return page(request, "runs/bulk.html", context_, part="whole")


def _may(request: TenantRequest, wanted: RunFilter) -> bool:
    return policy.may(request.actor, "engine.operate", wanted.narrowed_to())


def _chips(request: TenantRequest, view: BulkView, show: str) -> list[tuple[str, str, int | None, bool]]:
    wanted = [("", _("All"), view.row.total), ("trouble", _("Problems"), view.trouble)]
    wanted += [
        (one, str(ItemState(one).label), n) for one, n in view.counts.items() if n and one not in _TROUBLE
    ]
    return [(moved("?", request.GET, show=code, after=""), word, n, code == show) for code, word, n in wanted]


def _filter_words(view: BulkView, wanted: RunFilter) -> list[tuple[str, str]]:
    """By what the runs were chosen, in words."""
    titles = queries.titles() if wanted.workflow else {}
    shown = (
        (_("Workflow"), titles.get(wanted.workflow, "") if wanted.workflow else ""),
        (_("Step"), title_at({}, wanted.step) if wanted.step else ""),
        (_("Error"), " ".join(part for part in (str(wanted.code or ""), wanted.error) if part)),
        (_("Order"), wanted.business_key),
        (_("Cause"), _("as one exception") if wanted.alike else ""),
        (_("From"), str(view.row.wanted.get("since", ""))),
        (_("Until"), str(view.row.wanted.get("until", ""))),
    )
    return [(name, value) for name, value in shown if value]


def _item(one: BulkItem) -> dict[str, Any]:
    return {
        "number": one.position + 1,
        "url": reverse("runs:run", args=[public_id("run", one.run_id)]),
        "key": one.business_key or public_id("run", one.run_id),
        "step": title_at({}, one.step) if one.step else "",
        "look": _LOOKS[ItemState(one.state)],
        "word": str(ItemState(one.state).label),
        "why": one.why,
        "at": one.at,
    }


@door(post="engine.operate")
def stop(request: TenantRequest, bulk: str) -> HttpResponse:
    """Do nothing more of it."""
    return _switch(request, bulk, stops=True)


@door(post="engine.operate")
def go_on(request: TenantRequest, bulk: str) -> HttpResponse:
    """Go on with it."""
    return _switch(request, bulk, stops=False)


def _switch(request: TenantRequest, bulk: str, *, stops: bool) -> HttpResponse:
    view = _view_or_404(bulk)
    act = redriving.stop_bulk if stops else redriving.continue_bulk
    try:
        act(bulk_id=view.row.id, actor=request.actor, now=context.now())
    except PortalError as error:
        if not error.benign:
            raise
        messages.error(request, _(error.message))
    else:
        words = _("Stopped. Runs that were sent on go on.") if stops else _("It goes on.")
        messages.success(request, words)
    return go(request, reverse("runs:bulk", args=[view.row.public_id]))


@door("engine.read")
def results(request: TenantRequest, bulk: str) -> StreamingHttpResponse:
    """What became of each run, as a table."""
    view = _view_or_404(bulk)
    head = [_("Number"), _("Run"), _("Order"), _("Step"), _("Result"), _("Why"), _("When")]
    return csv.stream(f"{view.row.public_id}.csv", head, _lines(request.tenant, view.row.id))


def _lines(tenant: TenantRef, key: UUID) -> Iterator[list[Any]]:
    """The lines of the file, read in portions while it is sent, when the client has been left already."""
    after, most = -1, 1_000
    while True:
        with context.enter(tenant):
            items = list(queries.bulk_items(key, after=after)[:most])
        yield from (_line(one) for one in items)
        if len(items) < most:
            return
        after = items[-1].position


def _line(one: BulkItem) -> list[Any]:
    state, at = str(ItemState(one.state).label), one.at.isoformat() if one.at else ""
    return [one.position + 1, public_id("run", one.run_id), one.business_key, one.step, state, one.why, at]
