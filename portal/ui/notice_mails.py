"""What goes out about cases: mails that collect what is unread, and messages to channels; sent by workers."""

from collections.abc import Iterable, Mapping
from typing import Any, Final
from uuid import UUID

import structlog
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.urls import reverse
from django.utils.translation import gettext_lazy

from automations.inbox import queries as inbox
from automations.inbox.enums import Decide
from automations.notices import queries
from automations.notices.actions import answering, sending
from automations.notices.enums import Mail
from automations.notices.models import Notice
from kernel import clock, jobs
from portal.ui import mails
from tenants.access import queries as access
from tenants.access.models import User
from tenants.tenancy import context
from tenants.tenancy.models import Partner, Tenant
from tenants.tenancy.queries import HostRef, TenantRef, partner_of

log = structlog.get_logger(__name__)
_LOOK_SECONDS: Final = 5.0
_look_now: Final = jobs.every(_LOOK_SECONDS)
_BY_LINK: Final = frozenset({Decide.RETRY, Decide.SKIP, Decide.RESOLVE})
"""What can be decided by a link: what asks for nothing but a yes."""


def _due() -> Iterable[Mapping[str, object]]:
    return [one for _ in _look_now() for one in queries.waiting(clock.now())]


@jobs.job("notices.send", queue="work", due=_due)
def send(*, message: str, **_ids: object) -> None:
    """Send a message of the tenant that the job is in; what does not go is tried again, with longer pauses."""
    row = sending.claim(message_id=UUID(message), now=clock.now())
    if row is None:
        return
    host = sending.host()
    if row.channel_id:
        sending.deliver(message=row, link=_case_link(host, str(row.body.get("case", ""))), now=clock.now())
        return
    found = sending.collected(row)
    user = User.objects.filter(pk=row.user_id, is_active=True).first() if row.user_id else None
    if user is None or not found or not host:
        sending.sent(message=row, now=clock.now())  # read meanwhile, or nobody there: nothing is to be said
        return
    try:
        mail(user, found, host, daily=row.mail == Mail.DAILY).send()
    except OSError as error:
        sending.failed(message=row, why=f"{type(error).__name__}: {error}", now=clock.now())
    else:
        sending.mailed(message=row, notices=found, now=clock.now())


def _case_link(host: str, case: str) -> str:
    """The page of a case, or the inbox."""
    table = settings.URLCONFS["tenant"]
    path = reverse("inbox:case", urlconf=table, args=[case]) if case else reverse("inbox:list", urlconf=table)
    return f"{mails.base(host)}{path}"


def mail(user: User, found: list[Notice], host: str, *, daily: bool) -> EmailMultiAlternatives:
    """The mail that tells of these lines; of a single case it offers what usually helps."""
    tenant, table = context.current(), settings.URLCONFS["tenant"]
    rows = [(line, _case_link(host, line.case)) for line in queries.lines(found)]
    subject: Any = gettext_lazy("%(place)s: several things need you")
    if len(rows) == 1:
        subject = "%(place)s: " + rows[0][0].title.replace("%", "%%")
    return mails.made(
        mails.Letter(
            name="notices",
            user=user,
            partner=Partner.objects.get(pk=tenant.partner_id),
            tenant=Tenant.objects.get(pk=tenant.id),
            host=host,
            path=reverse("inbox:list", urlconf=table),
            subject=subject,
            more={
                "daily": daily,
                "rows": rows,
                "answer": _answer(user, found[0], tenant, host) if len(found) == 1 else None,
                "rules": f"{mails.base(host)}{reverse('notices:rules', urlconf=table)}",
            },
        )
    )


def _answer(user: User, notice: Notice, tenant: TenantRef, host: str) -> dict[str, Any] | None:
    """What usually helps with the one case of a mail, as a link that works once; for those who may decide it."""
    place = HostRef("tenant", host, partner_of(tenant.partner_id), tenant)
    if not access.actor_for(user, place).may("inbox.decide"):
        return None
    case = inbox.case(notice.case_id, now=context.now(), internal=False)
    offered = case.suggestion.decision if case.suggestion else None
    if case.form is not None and case.form.get("properties"):
        return None
    if offered is None:
        offered = next((one.decision for one in case.answers if one.decision in _BY_LINK), None)
    if offered not in _BY_LINK:
        return None
    label = next((one.label for one in case.answers if one.decision == offered), offered.label)
    text = answering.issue_pass(
        user_id=user.id,
        case_id=notice.case_id,
        decision=offered.value,
        seen=case.row.version,
        now=clock.now(),
    )
    path = reverse("notices:answer", urlconf=settings.URLCONFS["tenant"], args=[text])
    return {"label": label, "link": f"{mails.base(host)}{path}"}
