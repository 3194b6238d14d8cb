"""A client's files in the partner's console: made, taken along, removed; a copy to try things in; going back to one."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kernel import clock
from kernel.errors import NotFound, PortalError
from portal.permissions import door
from portal.request import PartnerRequest
from portal.ui.kit.forms import refuse
from portal.ui.kit.pages import go, key_of, page
from portal.ui.tenancy import client_at
from portal.ui.tenancy_forms import ReasonForm
from tenants.tenancy import queries
from tenants.tenancy.actions import exporting, restoring, sandboxing
from tenants.tenancy.enums import CLOSED, JobState, RestoreState
from tenants.tenancy.models import Restore, Tenant, TenantFile, slug_rule

_MOVING = (JobState.PENDING, JobState.RUNNING)


class SandboxForm(ReasonForm):
    """What the copy is called and where it is, and why it is made."""

    called = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    slug = forms.CharField(
        label=gettext_lazy("First part of the address"), max_length=40, validators=[slug_rule]
    )
    field_order = ("called", "slug", "reason")


def _crumbs(request: PartnerRequest, found: Tenant, *more: tuple[str, str]) -> list[tuple[str, str]]:
    place = f"/clients/{found.public_id}/"
    crumbs = [(request.partner.name, "/"), (_("Clients"), "/clients/"), (found.name, place)]
    return [*crumbs, (_("Files and copies"), f"{place}files/" if more else ""), *more]


def _file(found: Tenant, name: str) -> TenantFile:
    row: TenantFile | None = queries.files_of(found.id).filter(pk=key_of("tfl", name)).first()
    if row is None:
        raise NotFound
    return row


def _restore(found: Tenant, name: str) -> Restore:
    row: Restore | None = queries.restores_of(found.id).filter(pk=key_of("rst", name)).first()
    if row is None:
        raise NotFound
    return row


@door("tenancy.carry")
def files(request: PartnerRequest, tenant: str) -> HttpResponse:
    """The files of a client, and what is open beside it."""
    found = client_at(request, tenant)
    rows = list(queries.files_of(found.id)[:100])
    restores = list(queries.restores_of(found.id)[:20])
    context = {
        "tenant": found,
        "rows": rows,
        "restores": restores,
        "moving": any(one.state in _MOVING for one in [*rows, *restores]),
        "may_copy": found.ready_at is not None and found.state not in CLOSED,
        "open": any(one.state in (*_MOVING, RestoreState.READY) for one in restores),
        "crumbs": _crumbs(request, found),
    }
    return page(request, "tenancy/files.html", context, part="rows")


@door("tenancy.carry")
def make(request: PartnerRequest, tenant: str) -> HttpResponse:
    """Have a file made of a client."""
    found = client_at(request, tenant)
    if found.ready_at is None:
        raise NotFound
    form = ReasonForm(_posted(request), name=found.name, typed=False)
    if form.is_valid():
        try:
            exporting.request_file(
                tenant=found, reason=form.cleaned_data["reason"], actor=request.actor, now=clock.now()
            )
        except PortalError as error:
            refuse(form, error)
        else:
            messages.success(request, _("The file is being made; you need not wait here."))
            return go(request, f"/clients/{tenant}/files/")
    words = _(
        "One signed file with everything of this client as it is now: workflows, runs, cases, orders and the audit log."
        " No secret is in it and no right; it holds personal data, so keep it as you keep those."
    )
    return _asked(request, found, form, _("Export"), words)


@door("tenancy.carry")
def download(request: PartnerRequest, tenant: str, tenant_file: str) -> HttpResponseBase:
    """A finished file; that it was taken along is written down."""
    found = client_at(request, tenant)
    row = _file(found, tenant_file)
    if request.method != "POST":
        return go(request, f"/clients/{tenant}/files/")
    path = exporting.note_download(file=row, actor=request.actor, now=clock.now())
    name = f"{found.slug}-{row.asked_at:%Y-%m-%d}.zip"
    return FileResponse(path.open("rb"), as_attachment=True, filename=name, content_type="application/zip")


@door("tenancy.carry")
def remove(request: PartnerRequest, tenant: str, tenant_file: str) -> HttpResponse:
    """Take a file away."""
    found = client_at(request, tenant)
    row = _file(found, tenant_file)
    form = ReasonForm(_posted(request), name=found.name, typed=False)
    if form.is_valid():
        try:
            exporting.remove_file(
                file=row, reason=form.cleaned_data["reason"], actor=request.actor, now=clock.now()
            )
        except PortalError as error:
            refuse(form, error)
        else:
            messages.success(request, _("The file is removed."))
            return go(request, f"/clients/{tenant}/files/")
    words = _("Nobody can go back to what it holds unless there is a copy elsewhere.")
    return _asked(request, found, form, _("Remove the file"), words, danger=True)


@door("tenancy.carry")
def sandbox(request: PartnerRequest, tenant: str) -> HttpResponse:
    """A copy of a client behind masks."""
    found = client_at(request, tenant)
    if found.ready_at is None or found.state in CLOSED:
        raise NotFound
    start = {"called": _("%(name)s sandbox") % {"name": found.name}, "slug": f"{found.slug}-sandbox"[:40]}
    form = SandboxForm(_posted(request), initial=start, name=found.name, typed=False)
    if form.is_valid():
        said = form.cleaned_data
        try:
            job = sandboxing.request_sandbox(
                tenant=found,
                slug=said["slug"],
                name=said["called"],
                reason=said["reason"],
                actor=request.actor,
                now=clock.now(),
            )
        except PortalError as error:
            refuse(form, error)
        else:
            return go(request, f"/clients/{job.tenant.public_id}/setup/")
    words = _(
        "A sandbox with the rows of this client, in which every person is another: names, mails, telephone numbers,"
        " addresses and free text are replaced. Secrets stay here, nothing is under way in it, workflows are off."
    )
    return _asked(request, found, form, _("Copy to a sandbox"), words)


@door("tenancy.carry")
def restore(request: PartnerRequest, tenant: str, tenant_file: str) -> HttpResponse:
    """Lay a file out beside the live client."""
    found = client_at(request, tenant)
    row = _file(found, tenant_file)
    form = ReasonForm(_posted(request), name=found.name, typed=False)
    if form.is_valid():
        try:
            made = restoring.request_restore(
                file=row, reason=form.cleaned_data["reason"], actor=request.actor, now=clock.now()
            )
        except PortalError as error:
            refuse(form, error)
        else:
            return go(request, f"/clients/{tenant}/restores/{made.public_id}/")
    words = _(
        "It is laid out beside the live client and compared. Nothing changes until you put it in place."
    )
    return _asked(request, found, form, _("Go back to this file"), words)


@door("tenancy.carry")
def compared(request: PartnerRequest, tenant: str, restore: str) -> HttpResponse:
    """What is laid out beside a client, table by table."""
    found = client_at(request, tenant)
    row = _restore(found, restore)
    context = {
        "tenant": found,
        "restore": row,
        "moving": row.state in _MOVING,
        "ready": row.state == RestoreState.READY,
        "crumbs": _crumbs(request, found, (_("Restore"), "")),
    }
    return page(request, "tenancy/restore.html", context, part="rows")


@door("tenancy.carry")
def settle(request: PartnerRequest, tenant: str, restore: str, how: str) -> HttpResponse:
    """Put what is laid out in the live client's place, or throw it away."""
    found = client_at(request, tenant)
    row = _restore(found, restore)
    swap = how == "swap"
    if how not in ("swap", "drop") or (swap and row.state != RestoreState.READY):
        raise NotFound
    form = ReasonForm(_posted(request), name=found.name, typed=swap)
    if form.is_valid():
        given: dict[str, Any] = {"restore": row, "reason": form.cleaned_data["reason"]}
        try:
            if swap:
                typed = form.cleaned_data["typed"]
                restoring.swap_in(typed=typed, actor=request.actor, now=clock.now(), **given)
            else:
                restoring.drop_restore(actor=request.actor, now=clock.now(), **given)
        except PortalError as error:
            refuse(form, error)
        else:
            said = _("%(name)s is as it was then, and suspended until you resume it.")
            messages.success(request, said % {"name": found.name} if swap else _("It is thrown away."))
            return go(request, f"/clients/{tenant}/files/")
    words = (
        _(
            "The client becomes as it was; what came since is gone. Its audit log, people and secrets stay as they are"
            " now. Tokens and sessions end, and it is suspended until you have looked."
        )
        if swap
        else _("The live client stays as it is.")
    )
    verb = _("Put it in place") if swap else _("Throw it away")
    return _asked(request, found, form, verb, words, danger=swap, typed=swap)


def _posted(request: HttpRequest) -> Any:
    return request.POST if request.method == "POST" else None


def _asked(
    request: PartnerRequest, found: Tenant, form: ReasonForm, verb: str, words: str, **look: bool
) -> HttpResponse:
    context = {
        "form": form,
        "tenant": found,
        "verb": verb,
        "words": words,
        "crumbs": _crumbs(request, found, (verb, "")),
        **look,
    }
    return page(request, "tenancy/files_ask.html", context, part="dialog", status=422 if form.errors else 200)
