"""Telling people: what cases mean for whom becomes lines under their bells and mails that are to go out."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, time, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from automations.inbox.queries import Told
from automations.notices import policy, store
from automations.notices.actions import sending
from automations.notices.enums import About, Mail
from automations.notices.models import Notice
from automations.notices.policy import Reader
from tenants.tenancy import context

SOON: Final = timedelta(minutes=1)
"""A mail waits that long for what belongs into it, and for a slip that is put right at once."""
_MORNING: Final = time(7)
_LONGEST: Final = 200


def tell_opened(cases: Sequence[Told], now: datetime) -> None:
    """Tell everybody who wants to know that cases opened; a cause is one line, however many cases it has."""
    tenant = context.current()
    groups: dict[str, list[Told]] = defaultdict(list)
    for case in cases:
        groups[case.fingerprint].append(case)
    people = policy.readers(tenant)
    for alike, found in groups.items():
        wanted = [one for one in people if one.wishes[About.OPENED].wants(found[-1].severity)]
        _tell(About.OPENED, alike, found, wanted, now)
        sending.to_channels(found, now)


def tell_person(about: About, case: Told, user_id: UUID, now: datetime) -> None:
    """Tell one person something about one case, if they may still see it."""
    people = [one for one in policy.readers(context.current()) if one.user_id == user_id]
    _tell(about, str(case.id), [case], [one for one in people if one.wishes[about].wants(case.severity)], now)


def _tell(about: About, alike: str, cases: Sequence[Told], people: Iterable[Reader], now: datetime) -> None:
    case = cases[-1]
    title = f"{case.code}: {case.title}"[:_LONGEST]
    told = [one for one in people if one.wishes[about].bell]
    store.tell(
        [(one.user_id, about.value, alike, title, case.severity, case.id, len(cases)) for one in told], now
    )
    if not context.current().sandbox:  # nothing leaves a sandbox
        for one in told:
            _owe_mail(one, one.wishes[about].mail, now)


def _owe_mail(reader: Reader, mail: Mail, now: datetime) -> None:
    """A mail that collects what is unread when its time has come; one for what comes until then."""
    if mail == Mail.SOON:
        minute = int(now.timestamp()) // int(SOON.total_seconds())
        sending.owe(
            key=f"soon:{reader.user_id}:{minute}", user_id=reader.user_id, mail=mail, at=now + SOON, now=now
        )
    elif mail == Mail.DAILY:
        at = next_morning(now, reader.zone)
        sending.owe(
            key=f"daily:{reader.user_id}:{at:%Y-%m-%d}", user_id=reader.user_id, mail=mail, at=at, now=now
        )


def next_morning(now: datetime, zone: str) -> datetime:
    """The next seven o'clock in `zone`."""
    here = now.astimezone(ZoneInfo(zone or "UTC"))
    morning = datetime.combine(here.date(), _MORNING, here.tzinfo)
    return (
        morning
        if morning > here
        else datetime.combine(here.date() + timedelta(days=1), _MORNING, here.tzinfo)
    )


def mark_read(*, user_id: UUID, keys: Sequence[UUID] | None, now: datetime) -> int:
    """Somebody has seen these lines of theirs, or (None) all; how many."""
    mine = Notice.objects.filter(user_id=user_id, read_at__isnull=True)
    return (mine if keys is None else mine.filter(pk__in=keys)).update(read_at=now)
