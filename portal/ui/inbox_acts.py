"""What one does at a case: decide it, correct its data, take it, put it off, say something; and the same for many."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from automations.inbox import actions, policy, queries
from automations.inbox.actions import Put
from automations.inbox.enums import CLOSING, ON_THE_RUN, Decide
from automations.inbox.queries import CaseDetail
from kernel.errors import NotFound, PortalError
from portal.permissions import door
from portal.request import TenantRequest
from portal.ui.inbox import show_case
from portal.ui.inbox_forms import CommentForm, DecideForm
from portal.ui.kit.forms import refuse
from portal.ui.kit.pages import acted, go, key_of, page, refused, tell
from portal.ui.kit.query import instant, moved
from portal.ui.kit.schemaform import SchemaForm
from tenants.tenancy import context

_UNDONE_BY_REOPENING: Final = CLOSING


def address(request: TenantRequest, case: str) -> str:
    """The page of a case, in the list that the visitor came from."""
    return moved(reverse("inbox:case", args=[case]), request.GET)


def case_or_404(request: TenantRequest, key: UUID) -> CaseDetail:
    """The case of the address. Raises CaseUnknown."""
    return queries.case(key, now=context.now(), internal=policy.is_partner_staff(request.actor))


@door("inbox.decide")
def decide(request: TenantRequest, case: str, decision: str) -> HttpResponse:
    """Decide a case: at once, or after the reason or the result that the decision asks for."""
    key = key_of("case", case)
    if decision not in ON_THE_RUN | CLOSING or decision == Decide.EDIT:
        raise NotFound
    chosen, found = Decide(decision), case_or_404(request, key)
    form, fields = _forms(request, chosen, found)
    status = 200
    if request.method == "POST":
        if all([form.is_valid(), fields is None or fields.is_valid()]):
            given = _given(form) | ({"value": fields.value} if fields is not None else {})
            try:
                put = actions.put_decision(
                    case_id=key, decision=chosen, actor=request.actor, now=context.now(), undo=True, **given
                )
            except PortalError as error:
                if not error.benign:
                    raise
                if "at_once" in request.POST:
                    return not_done(request, case, error)
                refuse(form, error)
                status = error.status
            else:
                return done(request, found, chosen, put)
        else:
            status = 422
    answer = next((one for one in found.answers if one.decision == chosen), None)
    context_ = {
        "form": form,
        "fields": fields,
        "case": found,
        "decision": chosen.value,
        "verb": str(answer.label if answer else chosen.label),
        "effect": effect(chosen, approving=bool(answer and str(answer.label) != str(chosen.label))),
        "stops": chosen == Decide.CANCEL,
        "on_offer": answer is not None,
        "query": request.GET.urlencode(),
        "crumbs": crumbs(request, found, str(answer.label if answer else chosen.label)),
    }
    return page(request, "inbox/decide.html", context_, part="dialog", status=status)


def _forms(request: TenantRequest, chosen: Decide, found: CaseDetail) -> tuple[DecideForm, SchemaForm | None]:
    """What `chosen` asks for; and the form of the answer, where a workflow waits for one that has fields."""
    data = request.POST if request.method == "POST" else None
    asked = found.form if chosen == Decide.RESOLVE else None
    fields = SchemaForm(asked, data, prefix="answer") if asked and asked.get("properties") else None
    form = DecideForm(
        data,
        decision=chosen,
        valued=asked is not None and fields is None,
        initial={"seen": found.row.version},
    )
    return form, fields


def _given(form: DecideForm) -> dict[str, Any]:
    data = form.cleaned_data
    return {"reason": data["reason"], "seen": data.get("seen"), "value": data.get("value")}


def crumbs(request: TenantRequest, found: CaseDetail, last: str) -> list[tuple[str, str]]:
    """Where one is, at a form of a case."""
    return [
        (request.tenant.name, "/"),
        (_("Exceptions"), moved(reverse("inbox:list"), request.GET)),
        (found.row.code, address(request, found.row.public_id)),
        (last, ""),
    ]


def effect(chosen: Decide, *, approving: bool) -> str:
    """What a decision does, before one takes it."""
    if approving and chosen == Decide.SKIP:
        return _("The run goes on behind this check.")
    return {
        Decide.RETRY: _("The failed step is done again, on the same data. Steps before it are not repeated."),
        Decide.SKIP: _("The run goes on behind the failed step as if there had been nothing to do there."),
        Decide.COMPLETE: _("The failed step counts as done with the result that you enter."),
        Decide.CANCEL: _(
            "The run ends here. What it did so far stays; nothing more is done. This cannot be undone."
        ),
        Decide.RESOLVE: _("The case closes as settled."),
        Decide.DISMISS: _("The case closes: there was nothing to do."),
    }.get(chosen, "")


def done(request: TenantRequest, found: CaseDetail, chosen: Decide, put: Put) -> HttpResponse:
    """The answer to a decision that was taken: it is done, may still be undone, or takes a second person."""
    words = _words(found, chosen) if not put.asked else _asked_words(found)
    case = found.row.public_id
    if request.htmx and "at_once" in request.POST:
        undo = reverse("inbox:undo", args=[case]) if put.intent is not None else ""
        if put.decided is not None and chosen in _UNDONE_BY_REOPENING:
            undo = reverse("inbox:reopen", args=[case])
        return acted(words, undo=undo)
    messages.success(request, words)
    return go(request, address(request, case))


def _asked_words(found: CaseDetail) -> str:
    return _("%(code)s waits for a second person") % {"code": found.row.code}


def _words(found: CaseDetail, chosen: Decide) -> str:
    words: dict[Decide, str] = {
        Decide.RETRY: _("%(code)s is tried again"),
        Decide.EDIT: _("%(code)s goes on with the corrected data"),
        Decide.SKIP: _("%(code)s goes on"),
        Decide.COMPLETE: _("%(code)s goes on with your result"),
        Decide.CANCEL: _("The run of %(code)s is cancelled"),
        Decide.RESOLVE: _("%(code)s is resolved"),
        Decide.DISMISS: _("%(code)s is dismissed"),
    }
    return words[chosen] % {"code": found.row.code}


def not_done(request: TenantRequest, case: str, error: PortalError) -> HttpResponse:
    """The answer to a click that was refused: the words, and the case as it is now."""
    first = next((text for texts in error.fields.values() for text in texts), error.message)
    if request.htmx:
        return refused(_(first), error.status)
    messages.error(request, _(first))
    return go(request, address(request, case))


@door(post="inbox.decide")
def reopen(request: TenantRequest, case: str) -> HttpResponse:
    """Open a closed case again; also the undo of closing it."""
    key = key_of("case", case)
    try:
        actions.reopen_case(case_id=key, actor=request.actor, now=context.now())
    except PortalError as error:
        if not error.benign or error.status == 404:
            raise
        return not_done(request, case, error)
    return told(request, case, _("The case is open again"))


def told(request: TenantRequest, case: str, words: str) -> HttpResponse:
    """The case as it is now, with a word about what was done."""
    if request.htmx:
        return tell(show_case(request, key_of("case", case)), words)
    messages.success(request, words)
    return go(request, address(request, case))


@door(post="inbox.decide")
def assign(request: TenantRequest, case: str) -> HttpResponse:
    """Give a case to somebody: `to` is me (if nobody has it), a person, or nobody."""
    key, to = key_of("case", case), request.POST.get("to", "")
    try:
        if to == "me":
            who = actions.claim_case(case_id=key, actor=request.actor, now=context.now())
        else:
            person = key_of("usr", to) if to else None
            who = actions.assign_case(case_id=key, to=person, actor=request.actor, now=context.now())
    except PortalError as error:
        if not error.benign or error.status == 404:
            raise
        first = next((text for texts in error.fields.values() for text in texts), error.message)
        if request.htmx:
            return tell(show_case(request, key), _(first), tone="bad")
        messages.error(request, _(first))
        return go(request, address(request, case))
    return told(request, case, _("%(who)s has the case") % {"who": who} if who else _("Nobody has the case"))


@door(post="inbox.decide")
def snooze(request: TenantRequest, case: str) -> HttpResponse:
    """Put a case off until a time, or wake it."""
    key, text = key_of("case", case), request.POST.get("until", "").strip()
    until = instant(text) or _local(text)
    try:
        if text and until is None:
            raise forms.ValidationError(_("This is no time."))
        actions.snooze_case(case_id=key, until=until, actor=request.actor, now=context.now())
    except forms.ValidationError as error:
        return _not_put_off(request, case, error.messages[0])
    except PortalError as error:
        if not error.benign or error.status == 404:
            raise
        first = next((one for texts in error.fields.values() for one in texts), error.message)
        return _not_put_off(request, case, _(first), error.status)
    if until is None:
        return told(request, case, _("The case is awake"))
    if request.htmx:
        return acted(_("Put off"), undo=reverse("inbox:wake", args=[case]))
    messages.success(request, _("Put off"))
    return go(request, moved(reverse("inbox:list"), request.GET))


def _local(text: str) -> datetime | None:
    """What a field for date and time sends, in the reader's zone."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return timezone.make_aware(at) if timezone.is_naive(at) else at


def _not_put_off(request: TenantRequest, case: str, words: str, status: int = 422) -> HttpResponse:
    if request.htmx:
        return refused(words, status)
    messages.error(request, words)
    return go(request, address(request, case))


@door(post="inbox.decide")
def wake(request: TenantRequest, case: str) -> HttpResponse:
    """Wake a case; also the undo of putting it off."""
    key = key_of("case", case)
    try:
        actions.snooze_case(case_id=key, until=None, actor=request.actor, now=context.now())
    except PortalError as error:
        if not error.benign or error.status == 404:
            raise
        return not_done(request, case, error)
    return told(request, case, _("The case is awake"))


@door(post="inbox.comment")
def comment(request: TenantRequest, case: str) -> HttpResponse:
    """Say something about a case; what was typed comes back where it does not fit."""
    key = key_of("case", case)
    case_or_404(request, key)
    form = CommentForm(request.POST, internal=policy.is_partner_staff(request.actor))
    if not form.is_valid():
        return show_case(request, key, comment=form, status=422)
    given = {name: value for name, value in form.cleaned_data.items() if value}
    try:
        actions.comment_on_case(case_id=key, actor=request.actor, now=context.now(), **given)
    except PortalError as error:
        if not error.benign:
            raise
        refuse(form, error)
        return show_case(request, key, comment=form, status=error.status)
    return told(request, case, _("Your comment stands in the history"))
