"""One person's data: looked for, shown, given out as a file, erased. The work is a job's, in turns."""

import json
import secrets as random
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import IO, Any, Final
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction

from kernel import clock, jobs, jsonx
from kernel.actor import Actor, system
from kernel.errors import Invalid
from kernel.persons import MOST_TERMS, Person, usable
from tenants.audit import actions as audit
from tenants.privacy import policy, store
from tenants.privacy.actions.walking import Walk, count, erase_rows, in_turns
from tenants.privacy.enums import SubjectState
from tenants.privacy.errors import NotReady, OnHold
from tenants.privacy.models import Erasure, SubjectRequest
from tenants.privacy.store import Place
from tenants.tenancy import context
from tenants.tenancy.models import Tenant

log = structlog.get_logger(__name__)
JOB: Final = "privacy.subject"
MOST_KEYS: Final = 20_000
"""Rows of one table that a request remembers by their keys."""
MOST_PASSES: Final = 8
_BY: Final = system("privacy")


def open_request(*, terms: Sequence[str], reference: str, actor: Actor, now: datetime) -> SubjectRequest:
    """Look for a person in everything that the present tenant has. Raises Invalid."""
    actor.require("privacy.subjects")
    known = _checked(terms)
    _nameless(known, reference=reference)
    with transaction.atomic():
        made = SubjectRequest(
            tenant_id=context.current().id,
            reference=reference.strip()[:80],
            asked_by=actor.label[:200],
            asked_at=now,
        )
        made.terms = policy.sealed(known, row=made, purpose=policy.SUBJECT)
        made.mark = f"erased-{random.token_hex(4)}"
        if not made.reference:
            made.reference = made.public_id
        made.save(force_insert=True)
        audit.record(
            actor=actor,
            action="privacy.open_request",
            obj=made,
            now=now,
            after={"terms": len(known)},
        )
        jobs.enqueue(JOB, key=made.id)
    return made


def _checked(terms: Sequence[str]) -> list[str]:
    found = list(dict.fromkeys(" ".join(one.split()) for one in terms if one.strip()))
    if not found:
        raise Invalid(fields={"terms": ["Give at least one thing that the person is known by."]})
    if len(found) > MOST_TERMS:
        raise Invalid(fields={"terms": [f"Give at most {MOST_TERMS}."]})
    short = [one for one in found if not usable(one) or len(one) > 200]
    if short:
        raise Invalid(
            fields={
                "terms": [f"“{short[0][:40]}” cannot tell one person from another: too short or too long."]
            }
        )
    return found


def _nameless(terms: Sequence[str], **texts: str) -> None:
    """What is kept of a request for years names nobody. Raises Invalid."""
    person = Person(terms)
    for name, text in texts.items():
        if person.stands_in(text):
            raise Invalid(fields={name: ["This stays when the person is erased: do not name them here."]})


def carry_on(*, key: UUID, now: datetime, seconds: float = 8.0) -> bool:
    """Work on a request of the present tenant for a turn; whether nothing is left to do for it."""
    return in_turns(lambda: _turn(key, now), seconds=seconds)


def _turn(key: UUID, now: datetime) -> bool:
    row = SubjectRequest.objects.select_for_update(skip_locked=True).filter(pk=key).first()
    if row is None or row.state not in (SubjectState.FINDING, SubjectState.ERASING):
        return True  # somebody else is at it, or it is done
    person = Person(policy.opened(row, purpose=policy.SUBJECT), row.mark)
    done = _find(row, person, now) if row.state == SubjectState.FINDING else _erase(row, person, now)
    row.save()
    return done


def _find(row: SubjectRequest, person: Person, now: datetime) -> bool:
    walk, found = Walk(row.progress), row.found

    def note(place: Place, hits: list[tuple[Any, dict[str, Any]]]) -> None:
        said = found.setdefault("places", {}).setdefault(place.label, {"rows": 0, "keys": []})
        said["rows"] += len(hits)
        said["keys"] += [store.plain_key(one) for one, _ in hits][: MOST_KEYS - len(said["keys"])]
        keys = set(found.get("business", ())) | {store.business_key(one) for one, _ in hits}
        found["business"] = sorted(keys - {""})[:MOST_KEYS]
        told = {one for _, values in hits for value in values.values() for one in person.told(value)}
        known = policy.opened(row, purpose=policy.SUBJECT)
        also = [*found.get("also", ()), *sorted(told)]
        row.found["also"] = list(dict.fromkeys(also))[: MOST_TERMS - len(known)]

    walk.batch(person, note)
    row.progress = walk.progress
    if walk.over:
        row.state, row.found_at, row.progress = SubjectState.FOUND, now, {}
        _seal_also(row)
    return walk.over


def _seal_also(row: SubjectRequest) -> None:
    """What else the person is known by is sealed with the rest; the request says only how many came with it."""
    also = row.found.pop("also", [])
    known = policy.opened(row, purpose=policy.SUBJECT)
    row.terms = policy.sealed([*known, *also], row=row, purpose=policy.SUBJECT)
    row.found["given"] = len(known)


def look_again(*, row: SubjectRequest, terms: Sequence[str], actor: Actor, now: datetime) -> SubjectRequest:
    """Look for the same person by other terms, or again. Raises Invalid and NotReady."""
    actor.require("privacy.subjects")
    known = _checked(terms)
    with transaction.atomic():
        row = _locked(row, SubjectState.FOUND)
        row.state, row.found, row.progress = SubjectState.FINDING, {}, {}
        row.terms = policy.sealed(known, row=row, purpose=policy.SUBJECT)
        row.save()
        audit.record(actor=actor, action="privacy.look_again", obj=row, now=now, after={"terms": len(known)})
        jobs.enqueue(JOB, key=row.id)
    return row


def _locked(row: SubjectRequest, state: SubjectState) -> SubjectRequest:
    found = (
        SubjectRequest.objects.select_for_update().filter(pk=row.pk, tenant_id=context.current().id).first()
    )
    if found is None or found.state != state:
        raise NotReady
    return found


def export_subject(*, row: SubjectRequest, out: IO[bytes], actor: Actor, now: datetime) -> int:
    """Write everything that was found of a person as JSON lines; how many rows. Raises NotReady."""
    actor.require("privacy.subjects")
    with transaction.atomic():
        row = _locked(row, SubjectState.FOUND)
        head = {"request": row.public_id, "reference": row.reference, "found_at": row.found_at, "at": now}
        out.write(jsonx.dumps({"data_subject_export": 1, **head}) + b"\n")
        number = 0
        for line in _lines(row):
            out.write(line)
            number += 1
        audit.record(actor=actor, action="privacy.export_subject", obj=row, now=now, after={"rows": number})
    return number


def export_page(
    *, row: SubjectRequest, start: int, most: int, actor: Actor, now: datetime
) -> tuple[list[dict[str, Any]], int]:
    """Of what was found, the rows from key number `start` on, and with which number to go on (0: that was all).

    Raises NotReady.
    """
    actor.require("privacy.subjects")
    with transaction.atomic():
        row = _locked(row, SubjectState.FOUND)
        found = list(_rows(row, start, start + most))
        end = sum(len(said["keys"]) for said in row.found.get("places", {}).values())
        audit.record(
            actor=actor,
            action="privacy.export_subject",
            obj=row,
            now=now,
            after={"rows": len(found), "from": start},
        )
    return jsonx.loads(json.dumps(found, default=_text)), start + most if start + most < end else 0


def _lines(row: SubjectRequest) -> Iterator[bytes]:
    for said in _rows(row, 0, sys.maxsize):
        yield json.dumps(said, default=_text, ensure_ascii=False).encode() + b"\n"


def _rows(row: SubjectRequest, first: int, last: int) -> Iterator[dict[str, Any]]:
    """The rows of keys number `first` to `last` of all that were found, table by table."""
    person = Person(policy.opened(row, purpose=policy.SUBJECT), row.mark)
    before = 0
    for place in store.places():
        keys = row.found.get("places", {}).get(place.label, {}).get("keys", [])
        here = keys[max(0, first - before) : max(0, last - before)]
        before += len(keys)
        for start in range(0, len(here), 200):
            wanted = [tuple(key) if isinstance(key, list) else key for key in here[start : start + 200]]
            for one in place.model._meta.base_manager.filter(pk__in=wanted):
                said = {"table": place.label, "key": store.plain_key(one), "about": store.business_key(one)}
                yield {**said, "content": place.hits(one, person)}


def _text(value: Any) -> str:
    return clock.rfc3339(value) if isinstance(value, datetime) else str(value)


def erase_subject(
    *, row: SubjectRequest, terms: Sequence[str], typed: str, reason: str, actor: Actor, now: datetime
) -> SubjectRequest:
    """Take a person out of everything: names give way to a mark, keys and amounts stay. It cannot be undone.

    `typed` is the request's reference. From here on the ledger knows, so that no backup brings the person back. Raises
    Invalid, NotReady, and OnHold where a legal hold covers any of it.
    """
    actor.require("privacy.subjects")
    if typed.strip() != row.reference:
        raise Invalid(fields={"typed": ["This is not its reference."]})
    known = _checked(terms)
    _nameless(known, reason=reason)
    with transaction.atomic():
        # who places a hold locks the tenant's row as well: one of the two is first
        Tenant.objects.select_for_update().filter(pk=context.current().id).first()
        row = _locked(row, SubjectState.FOUND)
        held = policy.hold_over(known, row.found.get("business", []))
        if held is not None:
            raise OnHold(f"The legal hold “{held.name}” covers this person's data; nothing is erased.")
        row.state, row.progress, row.erased = SubjectState.ERASING, {"pass": 1}, {}
        row.erased_by, row.reason = actor.label[:200], reason
        row.terms = policy.sealed(known, row=row, purpose=policy.SUBJECT)
        row.save()
        _enter_ledger(row, known, now)
        audit.record(
            actor=actor,
            action="privacy.erase_subject",
            obj=row,
            now=now,
            after={"terms": len(known), "found": _totals(row)},
            reason=reason,
        )
        jobs.enqueue(JOB, key=row.id)
    return row


def _enter_ledger(row: SubjectRequest, known: Sequence[str], now: datetime) -> None:
    line = Erasure(tenant_id=row.tenant_id, request=row, mark=row.mark, at=now)
    line.forget_at = clock.now() + timedelta(days=settings.ENV.backup_days)
    line.terms = policy.sealed(known, row=line, purpose=policy.ERASURE)
    line.save(force_insert=True)


def _totals(row: SubjectRequest) -> dict[str, int]:
    return {label: int(said["rows"]) for label, said in row.found.get("places", {}).items()}


def _erase(row: SubjectRequest, person: Person, now: datetime) -> bool:
    """A batch of a pass. A person is gone when a whole pass found nothing: what was busy comes with the next one."""
    walk, at = Walk(row.progress), row.progress
    if not at.get("place") and at.get("after") is None:
        audit.seal(now=clock.now())  # what is not sealed yet could not be erased

    def take_out(place: Place, hits: list[tuple[Any, dict[str, Any]]]) -> None:
        done, busy = erase_rows(place, hits, person, proof=lambda event: _erase_proof(event, row, now))
        count(row.erased, place.label, done)
        at["hits"] = at.get("hits", 0) + done
        at["busy"] = at.get("busy", 0) + busy

    walk.batch(person, take_out)
    row.progress = at
    if not walk.over:
        return False
    return _pass_over(row, now)


def _pass_over(row: SubjectRequest, now: datetime) -> bool:
    hits, busy, number = (int(row.progress.get(name, 0)) for name in ("hits", "busy", "pass"))
    if not hits and not busy:
        _finish(row, now)
        return True
    row.progress = {"pass": number + (1 if hits else 0), "waits": busy}
    if number >= MOST_PASSES:
        row.state, row.error = SubjectState.FOUND, "Some of it could not be taken out; look at what is left."
        log.error("a person could not be erased", request=row.public_id, hits=hits)
        return True
    return bool(
        busy and not hits
    )  # the dispatcher sends the job again, when workers may have put the runs down


def _finish(row: SubjectRequest, now: datetime) -> None:
    row.state, row.erased_at, row.error = SubjectState.ERASED, now, ""
    row.terms, row.found, row.progress = None, {"places": {}, "before": _totals(row)}, {}
    audit.record(
        actor=_BY, action="privacy.subject_erased", obj=row, now=now, after={"rows": dict(row.erased)}
    )


def _erase_proof(event: Any, row: SubjectRequest, now: datetime) -> bool:
    """Empty an event of the sealed log; False while it waits for its seal."""
    return audit.erase_sealed(event=event, reason=f"request {row.public_id}", actor=_BY, now=now)
