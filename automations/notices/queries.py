"""Reads of the notices: what stands under somebody's bell, how they want to be told, what goes out."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from automations.inbox import queries as inbox
from automations.notices import store
from automations.notices.enums import About
from automations.notices.errors import PassSpent
from automations.notices.models import Channel, Message, Notice, Pass, Rule
from kernel.errors import NotFound
from tenants.tenancy import queries as tenancy
from tenants.tenancy.models import Tenant

_NOBODY: Final = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Line:
    """A notice as the bell shows it; `code` is empty where its case is gone."""

    public_id: str
    about: About
    title: str
    severity: str
    count: int
    at: datetime
    read: bool
    code: str
    case: str


def unread(user_id: UUID) -> int:
    """How many unread lines somebody has in the current tenant."""
    return Notice.objects.filter(user_id=user_id, read_at__isnull=True).count()


def notices_of(user_id: UUID) -> Any:
    """The notices of somebody in the current tenant, newest first."""
    return Notice.objects.filter(user_id=user_id)


def newest(user_id: UUID, *, limit: int = 20) -> list[Line]:
    """The newest unread lines of somebody."""
    return lines(notices_of(user_id).filter(read_at__isnull=True)[:limit])


def lines(found: Iterable[Notice]) -> list[Line]:
    """Notices with the case that each is about, in two statements."""
    rows = list(found)
    cases = inbox.told_of({row.case_id for row in rows}) if rows else {}
    return [_line(row, cases.get(row.case_id)) for row in rows]


def _line(row: Notice, case: Any) -> Line:
    return Line(
        public_id=row.public_id,
        about=About(row.about),
        title=row.title,
        severity=row.severity,
        count=row.count,
        at=row.at,
        read=row.read_at is not None,
        code=case.code if case else "",
        case=case.public_id if case else "",
    )


def notice_of(key: UUID, user_id: UUID) -> Notice:
    """One notice of somebody. Raises NotFound: another's is nobody's business."""
    found = Notice.objects.filter(pk=key, user_id=user_id).first()
    if found is None:
        raise NotFound
    return found


def rules_of(user_id: UUID) -> dict[str, Rule]:
    """What somebody said about how they want to be told, by subject."""
    return {rule.about: rule for rule in Rule.objects.filter(user_id=user_id)}


def channels() -> Any:
    """Every channel of the current tenant, by name."""
    return Channel.objects.all()


def channel(key: UUID) -> Channel:
    """One channel. Raises NotFound."""
    found = Channel.objects.filter(pk=key).first()
    if found is None:
        raise NotFound
    return found


def last_messages(channel: Channel, *, limit: int = 20) -> list[Message]:
    """What went to a channel lately, newest first."""
    return list(Message.objects.filter(channel=channel)[:limit])


def waiting(now: datetime) -> Iterable[Mapping[str, object]]:
    """Messages of every tenant that should go out now: (tenant, message)."""
    refs = [tenancy.ref_of(row) for row in Tenant.objects.ready().filter(sandbox=False)]
    for tenant_id, (keys,) in tenancy.over_tenants(refs, store.WAITING, lambda _tenant: [now]).items():
        for key in keys:
            yield {"tenant": tenant_id, "message": key}


def digest(text: str) -> str:
    """What is kept of the text of a link."""
    return hashlib.sha256(text.encode()).hexdigest()


def pass_of(text: str, user_id: UUID | None, now: datetime) -> Pass:
    """The link with this text, if it is this person's and may still be used. Raises PassSpent, whatever is wrong."""
    found = Pass.objects.filter(
        digest=digest(text), user_id=user_id or _NOBODY, used_at__isnull=True, expires_at__gt=now
    )
    row = found.first()
    if row is None:
        raise PassSpent
    return row
