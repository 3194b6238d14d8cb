"""The kinds of cases that ship. Each: what people read, how urgent it is, what may be decided, what usually helps."""

from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from automations.inbox.catalog.words import answered, what
from automations.inbox.contract import Kind, Trouble
from automations.inbox.enums import FAILED, GENERIC, Decide, Severity
from automations.inbox.registry import register

_RUN: Final = (Decide.RETRY, Decide.EDIT, Decide.SKIP, Decide.COMPLETE, Decide.CANCEL)
_PLAIN: Final = (Decide.RESOLVE, Decide.DISMISS)


def _first(decision: Decide) -> tuple[Decide, ...]:
    """Every decision about a run, `decision` first."""
    return (decision, *(one for one in _RUN if one != decision))


def _system(trouble: Trouble) -> str:
    return trouble.system or _("The other system")


def _connection(trouble: Trouble) -> str:
    if trouble.status:
        return _("%(system)s answered %(status)s, also when it was tried again.") % {
            "system": _system(trouble),
            "status": answered(trouble),
        }
    return _("%(system)s did not answer: %(detail)s.") % {
        "system": _system(trouble),
        "detail": trouble.detail.rstrip("."),
    }


def _rate_limit(trouble: Trouble) -> str:
    text = _("%(system)s takes no more requests for now (429).") % {"system": _system(trouble)}
    if trouble.retry_after:
        text += " " + ngettext(
            "It asks to wait %(n)d second.", "It asks to wait %(n)d seconds.", trouble.retry_after
        ) % {"n": trouble.retry_after}
    return text


def _permission(trouble: Trouble) -> str:
    if trouble.status == 401:
        text = _("%(system)s does not accept the credentials of its connection (401).")
    else:
        text = _("%(system)s does not allow this with the credentials of its connection.")
    text %= {"system": _system(trouble)}
    return f"{text} {trouble.detail}".strip()


def _missing(trouble: Trouble) -> str:
    if trouble.status in (404, 410) and not trouble.problems:
        return _("%(system)s does not know %(thing)s (404). %(detail)s") % {
            "system": _system(trouble),
            "thing": trouble.thing,
            "detail": trouble.detail,
        }
    return _refused(trouble)


def _refused(trouble: Trouble) -> str:
    if not trouble.system:
        return _("The data do not fit what the workflow takes: %(what)s.") % {"what": what(trouble)}
    text = _("%(system)s refused %(thing)s: %(what)s.") % {
        "system": trouble.system,
        "thing": trouble.thing,
        "what": what(trouble) or answered(trouble),
    }
    more = [one.message for one in trouble.problems if one.missing and one.message and one.field]
    return f"{text} {' '.join(more)}".strip()


def _duplicate(trouble: Trouble) -> str:
    return _("%(system)s says it has %(thing)s already: %(what)s.") % {
        "system": _system(trouble),
        "thing": trouble.thing,
        "what": what(trouble),
    }


def _too_large(trouble: Trouble) -> str:
    return _("%(system)s does not take requests of this size (%(status)s).") % {
        "system": _system(trouble),
        "status": answered(trouble),
    }


def _unknown(trouble: Trouble) -> str:
    return _(
        "The connection to %(system)s broke after the request was sent, so it may have acted or not. Sending it again"
        " could do it twice, so nothing was sent again."
    ) % {"system": _system(trouble)}


def _engine(trouble: Trouble) -> str:
    return _("The workflow could not go on at the step “%(step)s”: %(detail)s") % {
        "step": trouble.step,
        "detail": trouble.detail,
    }


def _own(trouble: Trouble) -> str:
    return trouble.own_cause or trouble.detail


register(
    Kind(
        code="run_failed.connection",
        label=gettext_lazy("No connection"),
        title=gettext_lazy("{system} could not be reached for {thing}"),
        cause=_connection,
        severity=Severity.HIGH,
        sla_hours=4,
        decisions=_first(Decide.RETRY),
        suggestion=gettext_lazy("Try again once the system is back. Steps before this one are not repeated."),
        decline=gettext_lazy("If it was done by hand meanwhile, enter the result; else cancel the run."),
        runbook="connection-down",
    ),
    Kind(
        code="run_failed.rate_limit",
        label=gettext_lazy("Rate limit"),
        title=gettext_lazy("{system} takes no more requests for now ({thing})"),
        cause=_rate_limit,
        severity=Severity.NORMAL,
        sla_hours=8,
        decisions=_first(Decide.RETRY),
        suggestion=gettext_lazy("Try again after the pause that the system asks for."),
        decline=gettext_lazy("If it need not be done any more, skip the step or cancel the run."),
        runbook="rate-limited",
    ),
    Kind(
        code="run_failed.permission",
        label=gettext_lazy("Permission"),
        title=gettext_lazy("{system} does not let us in ({thing})"),
        cause=_permission,
        severity=Severity.CRITICAL,
        sla_hours=2,
        decisions=_first(Decide.RETRY),
        suggestion=gettext_lazy(
            "Renew the credentials of the connection, then try again; cases alike go with it."
        ),
        decline=gettext_lazy("If the connection is gone for good, cancel the run and pause the workflow."),
        runbook="access-denied",
    ),
    Kind(
        code="run_failed.missing_data",
        label=gettext_lazy("Missing data"),
        title=gettext_lazy("{system} refused {thing}: {what}"),
        cause=_missing,
        severity=Severity.HIGH,
        sla_hours=8,
        decisions=_first(Decide.EDIT),
        suggestion=gettext_lazy("Fill in what is missing and try again: {what}."),
        decline=gettext_lazy("If it cannot be found out, skip the step or cancel the run, with the reason."),
        runbook="missing-data",
    ),
    Kind(
        code="run_failed.invalid_value",
        label=gettext_lazy("Invalid value"),
        title=gettext_lazy("{system} refused {thing}: {what}"),
        cause=_refused,
        severity=Severity.HIGH,
        sla_hours=8,
        decisions=_first(Decide.EDIT),
        suggestion=gettext_lazy("Correct the value and try again: {what}."),
        decline=gettext_lazy(
            "If the value is right, settle it with the owner of the system, or cancel the run."
        ),
        runbook="invalid-value",
    ),
    Kind(
        code="run_failed.duplicate",
        label=gettext_lazy("Duplicate"),
        title=gettext_lazy("{system} has {thing} already"),
        cause=_duplicate,
        severity=Severity.NORMAL,
        sla_hours=24,
        decisions=_first(Decide.COMPLETE),
        suggestion=gettext_lazy("Look it up there, enter its reference as the result, and the run goes on."),
        decline=gettext_lazy("If it is another one by chance, correct its number and try again."),
        runbook="duplicate",
    ),
    Kind(
        code="run_failed.too_large",
        label=gettext_lazy("Too large"),
        title=gettext_lazy("{system} does not take {thing}: it is too large"),
        cause=_too_large,
        severity=Severity.NORMAL,
        sla_hours=24,
        decisions=_first(Decide.EDIT),
        suggestion=gettext_lazy("Shorten what is sent and try again."),
        decline=gettext_lazy("If nothing can be left out, do it by hand there and enter the result."),
        runbook="too-large",
    ),
    Kind(
        code="run_failed.unknown_outcome",
        label=gettext_lazy("Unknown outcome"),
        title=gettext_lazy("It is not known whether {system} took {thing}"),
        cause=_unknown,
        severity=Severity.CRITICAL,
        sla_hours=2,
        decisions=_first(Decide.COMPLETE),
        suggestion=gettext_lazy("Look there: if it was done, enter the result; if not, try again."),
        decline=gettext_lazy("If it must not happen any more, undo it there and cancel the run."),
        runbook="unknown-outcome",
        answers={Decide.RETRY: gettext_lazy("It was not done: send it again")},
    ),
    Kind(
        code="run_failed.engine",
        label=gettext_lazy("Workflow error"),
        title=gettext_lazy("The workflow stopped at “{step}” ({thing})"),
        cause=_engine,
        severity=Severity.HIGH,
        sla_hours=8,
        decisions=_first(Decide.RETRY),
        suggestion=gettext_lazy("Correct the data or the settings of the workflow, then try again."),
        decline=gettext_lazy("If the step is not needed here, skip it; else cancel the run."),
        runbook="workflow-error",
    ),
    Kind(
        code=FAILED,
        label=gettext_lazy("Run failed"),
        title=gettext_lazy("The workflow stopped at “{step}” ({thing})"),
        cause=_own,
        severity=Severity.HIGH,
        sla_hours=8,
        decisions=_first(Decide.RETRY),
        suggestion=gettext_lazy("See what the workflow says, put it right, and try again."),
        decline=gettext_lazy("If it is right as it is, skip the step; else cancel the run."),
        runbook="workflow-error",
    ),
    Kind(
        code="needs_approval",
        label=gettext_lazy("Needs approval"),
        title=gettext_lazy("{thing} needs approval"),
        cause=_own,
        severity=Severity.HIGH,
        sla_hours=4,
        decisions=(Decide.SKIP, Decide.CANCEL, Decide.EDIT),
        suggestion=gettext_lazy("Approve, and the run goes on behind this check."),
        decline=gettext_lazy("Reject with the reason: the run is cancelled."),
        runbook="needs-approval",
        answers={Decide.SKIP: gettext_lazy("Approve"), Decide.CANCEL: gettext_lazy("Reject")},
    ),
)

register(
    Kind(
        code="approval_late",
        label=gettext_lazy("Approval late"),
        title=gettext_lazy("{thing} is not approved in time"),
        cause=lambda trouble: (
            trouble.own_cause
            or _("The payment of %(thing)s has not been approved in the time set for it.")
            % {"thing": trouble.thing}
        ),
        severity=Severity.HIGH,
        sla_hours=24,
        decisions=_PLAIN,
        suggestion=gettext_lazy(
            "Ask the payment provider or the customer; the case closes by itself when it comes."
        ),
        decline=gettext_lazy("If nobody is going to pay, cancel the order in the shop."),
        runbook="approval-late",
    ),
    Kind(
        code="handover_late",
        label=gettext_lazy("Hand-over late"),
        title=gettext_lazy("{thing} is not with the carrier"),
        cause=lambda trouble: (
            trouble.own_cause
            or _("The shipping limit has passed and %(thing)s is not with the carrier.")
            % {"thing": trouble.thing}
        ),
        severity=Severity.HIGH,
        sla_hours=24,
        decisions=_PLAIN,
        suggestion=gettext_lazy(
            "Ask the warehouse or the seller; the case closes by itself at the hand-over."
        ),
        decline=gettext_lazy("If it cannot be shipped, cancel the order in the shop and tell the customer."),
        runbook="handover-late",
    ),
    Kind(
        code="delivery_late",
        label=gettext_lazy("Delivery late"),
        title=gettext_lazy("{thing} is not delivered in time"),
        cause=lambda trouble: (
            trouble.own_cause
            or _("The promised day has passed and %(thing)s is not delivered.") % {"thing": trouble.thing}
        ),
        severity=Severity.HIGH,
        sla_hours=24,
        decisions=_PLAIN,
        suggestion=gettext_lazy("Ask the carrier where it is, and tell the customer before they ask."),
        decline=gettext_lazy("If the parcel is lost, send it again or refund it, and dismiss this case."),
        runbook="delivery-late",
    ),
    Kind(
        code="approval",
        label=gettext_lazy("Approval"),
        title=gettext_lazy("{thing} waits for a decision"),
        cause=_own,
        severity=Severity.NORMAL,
        sla_hours=24,
        decisions=_PLAIN,
        suggestion=gettext_lazy("Look at what the case says, then approve it; the workflow goes on."),
        decline=gettext_lazy("If it should not be done, decline it with the reason; the workflow is told."),
        runbook="approval",
        answers={Decide.RESOLVE: gettext_lazy("Approve"), Decide.DISMISS: gettext_lazy("Decline")},
    ),
    *(
        Kind(
            code=code,
            label=label,
            title=title,
            cause=_own,
            severity=Severity.NORMAL,
            sla_hours=8,
            decisions=_PLAIN,
            suggestion=gettext_lazy("Somebody in the store does it under “Store tasks”, on a phone."),
            decline=gettext_lazy("If it need not be done any more, dismiss it with the reason."),
            runbook="exception",
            answers={Decide.RESOLVE: gettext_lazy("Done")},
        )
        for code, label, title in (
            ("store_count", gettext_lazy("Count"), gettext_lazy("Count {thing}")),
            ("store_delivery", gettext_lazy("Delivery"), gettext_lazy("Confirm the delivery of {thing}")),
            ("store_return", gettext_lazy("Return"), gettext_lazy("Photograph the return {thing}")),
        )
    ),
    Kind(
        code=GENERIC,
        label=gettext_lazy("Exception"),
        title=gettext_lazy("{thing} needs a person"),
        cause=_own,
        severity=Severity.NORMAL,
        sla_hours=24,
        decisions=_PLAIN,
        suggestion=gettext_lazy("Put right what the case says, then resolve it."),
        decline=gettext_lazy("If there is nothing to do, dismiss it with the reason."),
        runbook="exception",
    ),
)
