"""How the audit log is proved: its state, downloads that verify themselves, and erasing what names a person."""

import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Final

from django.contrib import messages
from django.http import FileResponse, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from kernel import clock, jobs
from kernel import proof as prove
from kernel.errors import NotFound, PortalError
from kernel.notes import NoAuditKey
from portal.permissions import door
from portal.request import SignedIn
from portal.ui.audit import asked, event_of, filters_of, scope
from portal.ui.kit.pages import go, page
from tenants.audit import actions, queries

_KINDS: Final = {"jsonl": "application/x-ndjson", "zip": "application/zip"}
_LATE: Final = timedelta(minutes=2)


def _crumbs(request: SignedIn, *more: tuple[str, str]) -> list[tuple[str, str]]:
    place = request.portal.tenant or request.portal.partner
    assert place is not None
    return [(place.name, "/"), (_("Audit log"), reverse("audit:trail")), *more]


@door("audit.read")
def export(request: SignedIn) -> HttpResponse | FileResponse:
    """A download of what the URL's filters find: `as=jsonl`, or `as=zip` with a table, keys and verifier."""
    kind = request.GET.get("as", "zip")
    if kind not in _KINDS:
        raise NotFound
    filters = filters_of(request)
    out = tempfile.SpooledTemporaryFile(max_size=4_000_000)  # noqa: SIM115 - the response closes it
    try:
        actions.export(
            kind=kind,
            out=out,
            filters=asked(filters),
            partner_id=scope(request),
            actor=request.actor,
            now=clock.now(),
        )
    except PortalError as error:
        out.close()
        if not error.benign:
            raise
        messages.error(request, _(error.message))
        return go(request, reverse("audit:trail"))
    out.seek(0)
    name = f"audit-{clock.now():%Y%m%d-%H%M%S}.{kind}"
    return FileResponse(out, as_attachment=True, filename=name, content_type=_KINDS[kind])


@door("audit.read")
def proof(request: SignedIn) -> HttpResponse:
    """How far the log is sealed, when it was verified last and with what result; sent to, it is verified now."""
    if request.method == "POST":
        jobs.enqueue("audit.verify", asked_by=request.actor.label)
        messages.success(request, _("The log is being verified. The result will stand here in a moment."))
        return go(request, reverse("audit:proof"))
    state, now = queries.proof_state(), clock.now()
    try:
        known = [str(key) for key in actions.keys_here()]
    except NoAuditKey:
        known = []
    context = {
        "state": state,
        "checks": queries.checks(),
        "keys": known,
        "late": bool(state.waiting_since and state.waiting_since < now - _LATE),
        "shared": request.portal.tenant is None,
        "crumbs": _crumbs(request, (_("Proof"), "")),
    }
    return page(request, "audit/proof.html", context)


def _text(text: str | bytes, name: str) -> HttpResponse:
    response = HttpResponse(text, content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@door("audit.read")
def verifier(request: SignedIn) -> HttpResponse:
    """The program that verifies an export, to be kept and read by whoever does not trust us."""
    return _text(Path(prove.__file__).read_bytes(), "verify.py")


@door("audit.read")
def keys(request: SignedIn) -> HttpResponse:
    """The public halves of the keys that sign checkpoints."""
    return _text("".join(f"{key}\n" for key in actions.keys_here()), "keys.txt")


@door("audit.read")
def checkpoint(request: SignedIn) -> HttpResponse:
    """The newest checkpoint, to be kept and held against later exports."""
    point = queries.proof_state().point
    if point is None:
        raise NotFound
    return _text(point.note, "checkpoint.txt")


@door("audit.erase")
def erase(request: SignedIn, entry: str) -> HttpResponse:
    """Empty the personal data of one event, once asked and given a reason; what was done stays, and its proof."""
    event = event_of(request, entry)
    if event is None:
        raise NotFound
    refusal, reason = "", request.POST.get("reason", "")
    if request.method == "POST":
        try:
            actions.erase_event(event=event, reason=reason, actor=request.actor, now=clock.now())
        except PortalError as error:
            refusal = _(next(iter(error.fields.values()))[0] if error.fields else error.message)
        else:
            messages.success(request, _("The personal data of this event are erased."))
            return go(request, f"{reverse('audit:trail')}?event={event.public_id}")
    context = {
        "event": event,
        "refusal": refusal,
        "reason": reason,
        "crumbs": _crumbs(request, (_("Erase personal data"), "")),
    }
    return page(request, "audit/erase.html", context, part="dialog", status=422 if refusal else 200)
