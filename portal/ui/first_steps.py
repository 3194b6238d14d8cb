"""First steps of a role at a place: what is still to do until it works, told by what there is, not by clicks.

Each step names the permission that it takes, so everybody sees the steps that are theirs. They go away when all are
done, or when a person puts them away for a place.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from automations.connectors import queries as connectors
from automations.engine import queries as engine
from automations.inbox import policy as deciding
from automations.inbox import queries as inbox
from kernel import clock
from portal.permissions import door
from portal.request import SignedIn
from portal.ui.entering import relative
from portal.ui.kit.pages import go
from templates_lib import queries as templates
from tenants.access import actions
from tenants.access import queries as access
from tenants.branding import queries as branding
from tenants.tenancy import queries as tenancy


@dataclass(frozen=True, slots=True)
class Step:
    """Something to do: who may, its words, where it is done (a name of an address), and whether it is done."""

    permission: str
    title: str | Promise
    text: str | Promise
    where: str
    done: Callable[[SignedIn], bool]


@dataclass(frozen=True, slots=True)
class Stand:
    """A step as it stands, and where it is done."""

    step: Step
    done: bool
    url: str


@dataclass(frozen=True, slots=True)
class FirstSteps:
    """The steps of somebody at a place."""

    steps: tuple[Stand, ...]

    @property
    def done(self) -> int:
        """How many are done."""
        return sum(one.done for one in self.steps)


def _has_client(request: SignedIn) -> bool:
    return bool(tenancy.tenants_of(_partner(request)).exists())


def _is_branded(request: SignedIn) -> bool:
    return branding.row_of(_partner(request)) is not None


def _has_colleague(request: SignedIn) -> bool:
    people = access.people_of(partner_id=_partner(request))
    return bool(people.exclude(user_id=request.user.pk).exists())


def _is_connected(_request: SignedIn) -> bool:
    return connectors.any_connected()


def _is_installed(request: SignedIn) -> bool:
    return bool(templates.installations_of(_tenant(request)).exists())


def _has_run(_request: SignedIn) -> bool:
    return bool(engine.runs().exists())


def _has_reviewer(request: SignedIn) -> bool:
    return any(one.id != request.user.pk for one in deciding.assignable())


def _has_decided(request: SignedIn) -> bool:
    return inbox.has_decided(request.user.pk)


AT_PARTNER: Final = (
    Step(
        "tenancy.provision",
        _("Set up your first client"),
        _("Its own portal with its own data, ready in a minute."),
        "tenancy:new-start",
        _has_client,
    ),
    Step(
        "branding.edit",
        _("Wear your brand"),
        _("Name, colour and support contact on every page, mail and document."),
        "branding:editor",
        _is_branded,
    ),
    Step(
        "access.people",
        _("Invite your people"),
        _("A second administrator is a second way in."),
        "access:people",
        _has_colleague,
    ),
)
IN_TENANT: Final = (
    Step(
        "connectors.edit",
        _("Connect your shop"),
        _("Orders, returns and deliveries come in by it."),
        "connections:list",
        _is_connected,
    ),
    Step(
        "templates.install",
        _("Install a template"),
        _("It says what happens to an order, a return, a delivery by itself."),
        "templates:installed",
        _is_installed,
    ),
    Step(
        "engine.start",
        _("See a first run"),
        _("Start one by hand, or let the first event do it."),
        "workflows:list",
        _has_run,
    ),
    Step(
        "access.people",
        _("Invite a reviewer"),
        _("Somebody who decides what the workflows ask."),
        "access:people",
        _has_reviewer,
    ),
    Step(
        "inbox.decide",
        _("Decide a first case"),
        _("Each says what is wrong, what usually helps, and how to decline."),
        "inbox:list",
        _has_decided,
    ),
)


def _partner(request: SignedIn) -> Any:
    assert request.portal.partner is not None
    return request.portal.partner.id


def _tenant(request: SignedIn) -> Any:
    assert request.portal.tenant is not None
    return request.portal.tenant.id


def _place(request: SignedIn) -> str:
    """Where one is, as a word without spaces."""
    place = request.portal.tenant or request.portal.partner
    return place.id.hex if place else ""


def first_steps(request: SignedIn) -> FirstSteps | None:
    """What is still to do here for whoever looks; None where nothing is, or it was put away."""
    if _place(request) in request.user.steps_away.split():
        return None
    ours = IN_TENANT if request.portal.tenant else AT_PARTNER
    mine = [one for one in ours if request.actor.may(one.permission)]
    found = FirstSteps(tuple(Stand(one, one.done(request), reverse(one.where)) for one in mine))
    return found if found.done < len(found.steps) else None


@door(signed_in=True, read_only_exempt=True)
def put_away(request: SignedIn) -> HttpResponse:
    """Do not show the first steps of this place any more; to oneself alone."""
    if request.method == "POST":
        away = list(dict.fromkeys([*request.user.steps_away.split(), _place(request)]))
        values = {"steps_away": " ".join(filter(None, away))}
        actions.set_preferences(user=request.user, values=values, actor=request.actor, now=clock.now())
    return go(request, relative("/"))
