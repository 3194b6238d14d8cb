"""Long work of a place: what there is, how far, what became of each part, and how to steer it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from automations.events.queries import Page
from kernel import clock, work
from kernel.errors import Conflict, Invalid, NotFound
from kernel.ids import parse_public_id
from kernel.work import Item, Place, Source, Steer, Work
from portal.api import fields
from portal.api.desk import Call, Desk, operation, rule
from portal.api.fields import Shape
from portal.api.pages import Listing


class WorkShape(Shape):
    """A piece of long work."""

    id = fields.text("Its id; what stands before the underscore says of which kind it is.")
    title = fields.text("What it is.")
    who = fields.text("Who began it.")
    state = fields.one_of([(one, one) for one in work.STATES], "How it stands.")
    began_at = fields.at("When it was begun.")
    over_at = fields.perhaps_at("When it was over.")
    total = fields.number("Its parts.")
    done = fields.number("Parts of which it is known what became of them.")
    trouble = fields.number("Parts with which it did not work out.")
    said = fields.text("The reason that was given, or what went wrong last.", allow_blank=True)
    takes = fields.anything("The words by which it can be steered now: pause, continue, cancel.")


class WorkItemShape(Shape):
    """A part of it."""

    place = fields.number("Its place in the order, from 1.")
    name = fields.text("What it is.")
    state = fields.text("What became of it.")
    why = fields.text("Why, where that needs a word.", allow_blank=True)
    at = fields.perhaps_at("When that was.")


class WorkReason(Shape):
    """Why."""

    reason = fields.text("Why; it stands in the audit log.", max_length=500, required=False, default="")


def _where(call: Call) -> tuple[Place, UUID]:
    return ("tenant", call.tenant_id) if call.tenant_id else ("partner", call.partner_id)


def _found(call: Call, text: str) -> tuple[Source, UUID, UUID, Work]:
    place, where = _where(call)
    source = work.source_of(text, place)
    try:
        key = parse_public_id(source.prefix, text)
    except ValueError as error:
        raise NotFound from error
    found = source.one(where, key) if call.actor.may(source.reads) else None
    if found is None:
        raise NotFound
    return source, where, key, found


class Works(Desk):
    """All long work."""

    rule = rule(get="work.read")

    @operation("list_work", returns=WorkShape, many=True, paged=True)
    def get(self, call: Call) -> Listing:
        """Long work of this place, the last begun first."""
        place, where = _where(call)

        def fetch(after: str, limit: int) -> Page[Work]:
            before = _instant(after) if after else None
            found, more = work.newest(place, where, actor=call.actor, before=before, limit=limit)
            return Page(tuple(found), found[-1].began_at.isoformat() if more else "")

        return call.paging.behind(fetch)


def _instant(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid(fields={"after": []}) from None
    if found.tzinfo is None:
        raise Invalid(fields={"after": []})
    return found


class OneWork(Desk):
    """One piece."""

    rule = rule(get="work.read")

    @operation("get_work", returns=WorkShape)
    def get(self, call: Call, work_id: str) -> Work:
        """How far it is."""
        return _found(call, work_id)[3]


class WorkItems(Desk):
    """Its parts."""

    rule = rule(get="work.read")

    @operation("list_work_items", returns=WorkItemShape, many=True, paged=True)
    def get(self, call: Call, work_id: str) -> Listing:
        """What became of each part."""
        source, where, key, _ = _found(call, work_id)

        def fetch(after: str, limit: int) -> Page[Item]:
            if after and not (after.isdigit() and len(after) < 9):
                raise Invalid(fields={"after": []})
            found = list(source.items(where, key, after=int(after or 0), limit=limit + 1))
            return Page(tuple(found[:limit]), str(found[limit - 1].place) if len(found) > limit else "")

        return call.paging.behind(fetch)


def _steer(call: Call, text: str, how: Steer) -> Work:
    source, where, key, _ = _found(call, text)
    source.steer(where, key, how=how, actor=call.actor, now=clock.now(), **call.body)
    return _found(call, text)[3]


_SAID: dict[str, Any] = {"takes": WorkReason, "returns": WorkShape, "once": True, "raises": (Conflict,)}


class PauseWork(Desk):
    """Pausing."""

    rule = rule(post="work.steer")

    @operation("pause_work", **_SAID)
    def post(self, call: Call, work_id: str) -> Work:
        """Let it stand still; what was begun is finished."""
        return _steer(call, work_id, "pause")


class ContinueWork(Desk):
    """Going on."""

    rule = rule(post="work.steer")

    @operation("continue_work", **_SAID)
    def post(self, call: Call, work_id: str) -> Work:
        """Let it go on, or try it again."""
        return _steer(call, work_id, "continue")


class CancelWork(Desk):
    """Calling off."""

    rule = rule(post="work.steer")

    @operation("cancel_work", **_SAID)
    def post(self, call: Call, work_id: str) -> Work:
        """Call it off; what is done stays done."""
        return _steer(call, work_id, "cancel")
