"""Decision tables: published with their tests by business people, asked by runs at the instant they come to it."""

from collections import OrderedDict
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _
from psycopg import AsyncConnection

from automations.engine.dsl import tables
from automations.engine.errors import TableInForce, TableRefused, WorkflowError
from automations.engine.machine.moves import Outcome
from automations.engine.models import DecisionTable, DecisionVersion
from automations.engine.store import decisions as store
from kernel.actor import Actor
from kernel.errors import Invalid
from tenants.audit.actions import record

Json = Any
_MOST: Final = 200


def publish_table(
    *,
    name: str,
    document: dict[str, Json],
    actor: Actor,
    now: datetime,
    title: str = "",
    effective_from: datetime | None = None,
    reason: str = "",
) -> DecisionVersion:
    """Publish a state of a table, in force from `effective_from` (by the tenant's clock) or at once.

    The same document for the same time again gives the version that is there. Raises TableRefused with every finding,
    tests that fail among them, and Invalid for a time that is over.
    """
    actor.require("engine.operate")
    compiled, findings = tables.read(document)
    if compiled is None:
        raise TableRefused(findings)
    begin = effective_from or now
    if begin < now:
        words = _("What was decided by then cannot be changed; choose a later time.")
        raise Invalid(fields={"effective_from": [words]})
    with transaction.atomic():
        table, _made = DecisionTable.objects.select_for_update().get_or_create(
            name=name, defaults={"title": title or name, "created_at": now}
        )
        if title and table.title != title:
            table.title = title
            table.save(update_fields=["title"])
        last = table.versions.order_by("-number").first()
        if last is not None and (last.document, last.effective_from) == (document, begin):
            return last
        before = store.in_force(table.id, begin)
        version = DecisionVersion.objects.create(
            table=table,
            number=last.number + 1 if last else 1,
            effective_from=begin,
            document=document,
            published_at=now,
            published_by=actor.label[:200],
        )
        record(
            actor=actor,
            action="engine.publish_table",
            obj=table,
            now=now,
            before={"version": before.number, "document": before.document} if before else None,
            after={"version": version.number, "document": document, "effective_from": begin.isoformat()},
            reason=reason,
        )
    return version


def withdraw_table(
    *, version: DecisionVersion, actor: Actor, now: datetime, reason: str = ""
) -> DecisionVersion:
    """Take a version back that is not in force yet. Raises TableInForce."""
    actor.require("engine.operate")
    with transaction.atomic():
        version = DecisionVersion.objects.select_for_update().select_related("table").get(pk=version.pk)
        if version.effective_from <= now:
            raise TableInForce
        if version.withdrawn_at is None:
            version.withdrawn_at = now
            version.save(update_fields=["withdrawn_at"])
            record(
                actor=actor,
                action="engine.withdraw_table",
                obj=version.table,
                now=now,
                before={"version": version.number, "withdrawn": False},
                after={"version": version.number, "withdrawn": True},
                reason=reason,
            )
    return version


_compiled: OrderedDict[UUID, tables.Table] = OrderedDict()


def _table(version: UUID, document: dict[str, Json]) -> tables.Table:
    """The compiled table of a version, whose document never changes."""
    found = _compiled.get(version)
    if found is None:
        made, findings = tables.read(document)
        if made is None:
            raise TableRefused(findings)
        found = _compiled[version] = made
        while len(_compiled) > _MOST:
            _compiled.popitem(last=False)
    return found


async def answer(connection: AsyncConnection[Any], schema: str, request: dict[str, Json]) -> Outcome:
    """What the table gives that is in force at the instant of the request. Raises psycopg.Error only."""
    name = str(request["table"])
    found = await store.find(connection, schema, name, request["at"])
    if found is None:
        return Outcome(error=f"no version of the decision table {name!r} is in force", status=400)
    key, number, document = found
    try:
        output, rules = _table(key, document).decide(request["input"])
    except (WorkflowError, TableRefused) as error:
        return Outcome(error=f"decision table {name!r}, version {number}: {error}", status=400)
    lines = ",".join(str(rule + 1) for rule in rules) or "otherwise"
    return Outcome(200, {"table": name, "version": str(number), "rule": lines}, output)
