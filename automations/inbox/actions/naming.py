"""Lists of cases that get a name: for oneself, or for everybody here."""

from datetime import datetime
from typing import Final
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from automations.inbox.models import View
from kernel.actor import Actor
from kernel.errors import Forbidden, Invalid, NotFound
from tenants.audit.actions import record

KEPT: Final = (
    "state",
    "who",
    "late",
    "kind",
    "severity",
    "workflow",
    "order",
    "alike",
    "closed",
    "q",
    "sort",
    "each",
)
"""What of an address makes a list; a place in it or a day of it does not."""
MOST: Final = 50


def save_view(*, name: str, query: str, shared: bool, actor: Actor, now: datetime) -> View:
    """Name the list that `query` (an address' parameters) shows. Raises Invalid, naming the field."""
    actor.require("inbox.decide" if shared else "inbox.read")
    if actor.user_id is None:
        raise Forbidden("a view belongs to a person")
    name, slug = name.strip(), slugify(name)
    if not slug or len(name) > 60:
        raise Invalid(fields={"name": [_("Give it a name of at most 60 letters.")]})
    if View.objects.filter(owner_id=actor.user_id).count() >= MOST:
        raise Invalid(fields={"name": [_("These are enough; remove one first.")]})
    try:
        with transaction.atomic():
            view: View = View.objects.create(
                owner_id=actor.user_id,
                owner=actor.label[:200],
                name=name,
                slug=slug,
                query=_kept(query),
                shared=shared,
                created_at=now,
            )
            record(
                actor=actor,
                action="inbox.save_view",
                obj=view,
                now=now,
                after={"name": name, "query": view.query, "shared": shared},
            )
    except IntegrityError as error:
        raise Invalid(fields={"name": [_("There is a view of this name already.")]}) from error
    return view


def remove_view(*, view_id: UUID, actor: Actor, now: datetime) -> None:
    """Forget a named list: one's own, or a shared one as somebody who keeps the settings here. Raises NotFound."""
    actor.require("inbox.read")
    with transaction.atomic():
        view = View.objects.select_for_update().filter(pk=view_id).first()
        if view is None or (view.owner_id != actor.user_id and not view.shared):
            raise NotFound
        if view.owner_id != actor.user_id:
            actor.require("settings.edit")
        record(
            actor=actor,
            action="inbox.remove_view",
            obj=view,
            now=now,
            before={"name": view.name, "query": view.query, "shared": view.shared},
        )
        view.delete()


def _kept(query: str) -> str:
    """The parameters that make a list, in one order; `who=me` stays whoever looks."""
    given = dict(parse_qsl(query))
    kept = urlencode({name: given[name][:200] for name in KEPT if given.get(name)})
    if len(kept) > 1_000:
        raise Invalid(fields={"name": [_("This address is too long to be kept.")]})
    return kept
