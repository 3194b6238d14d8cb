"""Plain words for what is wrong, who said so, and what it is about."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from automations.inbox.contract import Trouble, Words

Json = Any
THINGS: Final[Mapping[str, Words]] = {
    "order": gettext_lazy("order"),
    "return": gettext_lazy("return"),
    "refund": gettext_lazy("refund"),
    "shipment": gettext_lazy("shipment"),
    "stock": gettext_lazy("article"),
}


def what(trouble: Trouble) -> str:
    """What is wrong in one breath: `postcode is missing; quantity (2): must be at least 1 and 3 more`."""
    words = []
    for one in trouble.problems[:2]:
        if one.missing and one.field:
            words.append(_("%(field)s is missing") % {"field": one.field})
        elif one.field:
            words.append(f"{one.field}: {one.message.rstrip('.')}")
        else:
            words.append(one.message.rstrip("."))
    text = "; ".join(words) or trouble.detail.rstrip(".")
    more = len(trouble.problems) - 2
    if more > 0:
        text = _("%(problems)s and %(more)d more") % {"problems": text, "more": more}
    return text


def answered(trouble: Trouble) -> str:
    """How the other system answered: `503 (Service Unavailable)`; empty if it did not."""
    try:
        return f"{trouble.status} ({HTTPStatus(trouble.status).phrase})"
    except ValueError:
        return str(trouble.status) if trouble.status else ""


def system_name(error: Mapping[str, Json], names: Mapping[str, str]) -> str:
    """What people call the other system: its connection's name, else the alias, else the host; empty if none."""
    request = error.get("request")
    if not isinstance(request, Mapping):
        return ""
    alias = str(request.get("connection") or "")
    if names.get(alias):
        return names[alias]
    if alias:
        return _("The %(alias)s") % {"alias": alias.upper() if len(alias) <= 4 else alias.replace("_", " ")}
    return urlsplit(str(request.get("uri") or "")).hostname or ""


def thing(event_type: str, key: str) -> str:
    """What the run is about, for people: `order 10045`, or `the order` where its id is no name to say."""
    noun = str(THINGS.get(event_type.partition(".")[0], THINGS["order"]))
    if not key or len(key) > 20:
        return _("the %(thing)s") % {"thing": noun}
    return f"{noun} {key}"
