"""What is about to become of a case: taken back in time, agreed to or declined by a second person."""

from collections.abc import Callable
from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from automations.inbox import actions
from automations.inbox.enums import PENDING
from automations.inbox.errors import IntentOver
from automations.inbox.queries import CaseDetail, Pending
from kernel.errors import PortalError
from portal.permissions import door
from portal.request import TenantRequest
from portal.ui.inbox_acts import case_or_404, not_done, told
from portal.ui.kit.acts import ACTS
from portal.ui.kit.pages import key_of
from tenants.tenancy import context

ACTS.update(
    {
        "inbox.put_decision": gettext_lazy("Decided a case; it could be undone"),
        "inbox.undo_decision": gettext_lazy("Took a decision back"),
        "inbox.ask_second": gettext_lazy("Asked a second person to agree"),
        "inbox.agree": gettext_lazy("Agreed as the second person"),
        "inbox.decline": gettext_lazy("Declined as the second person"),
        "inbox.set_limit": gettext_lazy("Changed from which amount on two people decide"),
    }
)


@door(post="inbox.decide")
def undo(request: TenantRequest, case: str) -> HttpResponse:
    """Take back what was decided, before it is carried out."""
    return _do(
        request,
        case,
        lambda one: actions.undo_decision(intent_id=one.id, actor=request.actor, now=context.now()),
        _("The decision is taken back"),
    )


@door(post="inbox.decide")
def agree(request: TenantRequest, case: str) -> HttpResponse:
    """Agree, as the second person, to what was shown."""
    digest = request.POST.get("digest", "")
    return _do(
        request,
        case,
        lambda one: actions.agree(intent_id=one.id, digest=digest, actor=request.actor, now=context.now()),
        _("You agreed; it is carried out in a moment"),
    )


@door(post="inbox.decide")
def decline(request: TenantRequest, case: str) -> HttpResponse:
    """Say no, as the second person."""
    reason = request.POST.get("reason", "")[:500]
    return _do(
        request,
        case,
        lambda one: actions.decline(intent_id=one.id, actor=request.actor, now=context.now(), reason=reason),
        _("You declined; the case is open as before"),
    )


def _do(request: TenantRequest, case: str, act: Callable[[Pending], Any], words: str) -> HttpResponse:
    """Do it to what is pending on the case; a refusal is told, with the case as it is now."""
    found = case_or_404(request, key_of("case", case))
    one = pending_on(found)
    try:
        if one is None:
            raise IntentOver
        act(one)
    except PortalError as error:
        if not error.benign or error.status == 404:
            raise
        return not_done(request, case, error)
    return told(request, case, words)


def pending_on(found: CaseDetail) -> Pending | None:
    """What is about to become of a case."""
    one = found.pending
    return one if one is not None and one.state in PENDING else None
