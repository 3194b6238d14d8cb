"""Errors in words: each code that the portal answers with, what it says, and what to do about it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kernel.errors import PortalError
from portal.permissions import door
from portal.request import SignedIn
from portal.ui.help_pages import show

_BY_STATUS: Final = {
    400: gettext_lazy(
        "Correct what is named beside the field, or in `fields` of the answer, and send it again."
    ),
    401: gettext_lazy(
        "Sign in again. A program needs a token that is valid here: make a new one under API tokens."
    ),
    403: gettext_lazy(
        "Ask an admin of your portal for the right, or use a token with that scope. While a client is suspended or a"
        " second factor is owed, everything can be read and nothing changed."
    ),
    404: gettext_lazy(
        "Look at the address or the id again. What is gone and what you may not see are answered alike."
    ),
    405: gettext_lazy("Use one of the methods that the API's reference names for this address."),
    409: gettext_lazy(
        "Load the page or the object again and look at how it stands now; then decide anew. Nothing was changed."
    ),
    410: gettext_lazy("This was good for once, or for a time. Ask for a new one."),
    413: gettext_lazy("Send less: a smaller file, or fewer rows at a time."),
    415: gettext_lazy("Send JSON, and say so in the header Content-Type."),
    422: gettext_lazy("Read the sentence: it names what does not fit. Change that and send it again."),
    429: gettext_lazy("Wait for as long as Retry-After says, then go on more slowly."),
}
_OURS: Final = gettext_lazy(
    "It was not your doing, and nothing was changed. Try again in a moment, with the same Idempotency-Key where you"
    " sent one. If it stays, name the request id to your support."
)
_ELSEWHERE: Final = gettext_lazy(
    "Another system did not answer as it should. Look at the connection's page, test it, and try again."
)


@dataclass(frozen=True, slots=True)
class Entry:
    """An error: its code, status, sentence, and what to do."""

    code: str
    status: int
    says: str
    do: Any


def codes() -> list[Entry]:
    """Every error there is, one of each code, by status and code."""
    found: dict[str, Entry] = {}
    for one in sorted(_classes(), key=lambda error: (error.code, error.__module__, error.__name__)):
        says = _((one.__doc__ or "").strip().splitlines()[0])
        found.setdefault(one.code, Entry(one.code, one.status, says, _advice(one.status)))
    return sorted(found.values(), key=lambda entry: (entry.status, entry.code))


def _classes() -> Iterator[type[PortalError]]:
    waiting: list[type[PortalError]] = [PortalError]
    while waiting:
        one = waiting.pop()
        yield one
        waiting.extend(one.__subclasses__())


def _advice(status: int) -> Any:
    if status in (502, 504):
        return _ELSEWHERE
    return _BY_STATUS.get(status, _OURS if status >= 500 else _BY_STATUS[422])


@door(signed_in=True)
def errors(request: SignedIn) -> HttpResponse:
    """Each error by its code, as pages and the API name it."""
    return show(request, "errors", _("Errors, code by code"), entries=codes())
