"""Data subjects: somebody's data are looked for, shown by table, given out as a file, and erased."""

import tempfile
from typing import Any

from django import forms
from django.contrib import messages
from django.http import FileResponse, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache

from kernel import clock
from kernel.errors import NotFound, PortalError
from portal.permissions import door
from portal.request import TenantRequest
from portal.ui.kit.acts import ACTS
from portal.ui.kit.forms import refuse
from portal.ui.kit.pages import go, key_of, page
from portal.ui.privacy_shown import counted
from portal.ui.tenancy_forms import ReasonForm
from tenants.privacy import policy, queries
from tenants.privacy.actions import subjects
from tenants.privacy.enums import SubjectState
from tenants.privacy.models import SubjectRequest

ACTS.update(
    {
        "privacy.open_request": gettext_lazy("Looked for a person's data"),
        "privacy.look_again": gettext_lazy("Looked for a person's data again"),
        "privacy.export_subject": gettext_lazy("Exported a person's data"),
        "privacy.erase_subject": gettext_lazy("Had a person erased"),
        "privacy.subject_erased": gettext_lazy("Erased a person"),
        "privacy.replay_erasure": gettext_lazy("Erased a person again after a backup came back"),
    }
)
_MOVING = (SubjectState.FINDING, SubjectState.ERASING)


class TermsForm(forms.Form):
    """What somebody is known by, a line each."""

    terms = forms.CharField(
        label=gettext_lazy("Known by"),
        max_length=9_000,
        widget=forms.Textarea(attrs={"rows": 5, "autocomplete": "off", "spellcheck": "false"}),
        help_text=gettext_lazy(
            "An e-mail address, a telephone number, a customer's id, a full name: one a line."
        ),
    )

    def clean_terms(self) -> list[str]:
        """The lines that say something."""
        return [line.strip() for line in str(self.cleaned_data["terms"]).splitlines() if line.strip()]


class AskForm(TermsForm):
    """A new request."""

    reference = forms.CharField(
        label=gettext_lazy("Reference"),
        max_length=80,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy(
            "What you call the request, as in “DSR 12”. It stays for good, so it names nobody."
        ),
    )


class EraseForm(TermsForm, ReasonForm):
    """Erasing: by what, why, and the reference, typed."""


def _crumbs(request: TenantRequest, *more: tuple[str, str]) -> list[tuple[str, str]]:
    return [(request.tenant.name, "/"), (_("Data subjects"), reverse("privacy:subjects")), *more]


@never_cache
@door("privacy.subjects")
def listed(request: TenantRequest) -> HttpResponse:
    """Requests about people, and a form that looks for one."""
    form = AskForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            made = subjects.open_request(actor=request.actor, now=clock.now(), **form.cleaned_data)
        except PortalError as error:
            refuse(form, error)
        else:
            return go(request, reverse("privacy:subject", args=[made.public_id]))
    shown = {
        "form": form,
        "rows": queries.requests()[:200],
        "crumbs": [*_crumbs(request)[:-1], (_("Data subjects"), "")],
    }
    return page(request, "privacy/subjects.html", shown, status=422 if form.errors else 200)


def _row(request: TenantRequest, public_id: str) -> SubjectRequest:
    """The request of the URL. Raises NotFound."""
    found: SubjectRequest | None = queries.requests().filter(pk=key_of("dsr", public_id)).first()
    if found is None:
        raise NotFound
    return found


@never_cache
@door("privacy.subjects")
def one(request: TenantRequest, subject: str) -> HttpResponse:
    """What was found of a person, by table; sent to, they are looked for again by other terms."""
    row = _row(request, subject)
    known = policy.opened(row, purpose=policy.SUBJECT)
    form = TermsForm(request.POST if request.method == "POST" else None, initial={"terms": "\n".join(known)})
    if request.method == "POST" and form.is_valid():
        try:
            subjects.look_again(row=row, actor=request.actor, now=clock.now(), **form.cleaned_data)
        except PortalError as error:
            refuse(form, error)
        else:
            return go(request, request.path)
    shown = {
        "subject": row,
        "form": form,
        "given": int(row.found.get("given", len(known))),
        "more": known[int(row.found.get("given", len(known))) :],
        "found": counted({name: said["rows"] for name, said in row.found.get("places", {}).items()}),
        "erased": counted(row.erased),
        "orders": row.found.get("business", [])[:20],
        "hold": policy.hold_over(known, row.found.get("business", [])) if row.state == "found" else None,
        "moving": row.state in _MOVING,
        "crumbs": _crumbs(request, (row.reference, "")),
    }
    return page(request, "privacy/subject.html", shown, part="state", status=422 if form.errors else 200)


@door(post="privacy.subjects")
def export(request: TenantRequest, subject: str) -> HttpResponse | FileResponse:
    """Everything that was found of a person, as a file of JSON lines."""
    row = _row(request, subject)
    out = tempfile.SpooledTemporaryFile(max_size=4_000_000)  # noqa: SIM115 - the response closes it
    try:
        subjects.export_subject(row=row, out=out, actor=request.actor, now=clock.now())
    except PortalError as error:
        out.close()
        messages.error(request, _(error.message))
        return go(request, reverse("privacy:subject", args=[subject]))
    out.seek(0)
    return FileResponse(
        out, as_attachment=True, filename=f"{row.public_id}.jsonl", content_type="application/x-ndjson"
    )


@never_cache
@door("privacy.subjects")
def erase(request: TenantRequest, subject: str) -> HttpResponse:
    """Erase a person, once asked by reference and given a reason."""
    row = _row(request, subject)
    if row.state != SubjectState.FOUND:
        raise NotFound
    known = policy.opened(row, purpose=policy.SUBJECT)
    given: Any = request.POST if request.method == "POST" else None
    form = EraseForm(given, initial={"terms": "\n".join(known)}, name=row.reference, typed=True)
    if request.method == "POST" and form.is_valid():
        try:
            subjects.erase_subject(row=row, actor=request.actor, now=clock.now(), **form.cleaned_data)
        except PortalError as error:
            refuse(form, error)
        else:
            messages.success(request, _("The person is being erased."))
            return go(request, reverse("privacy:subject", args=[subject]))
    back = reverse("privacy:subject", args=[subject])
    shown = {
        "form": form,
        "subject": row,
        "crumbs": _crumbs(request, (row.reference, back), (_("Erase"), "")),
    }
    return page(request, "privacy/erase.html", shown, status=422 if form.errors else 200)
