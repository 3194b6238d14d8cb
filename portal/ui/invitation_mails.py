"""The mail of an invitation, in the partner's brand; workers send it, and need nothing of the page behind its link."""

from collections.abc import Iterable, Mapping
from uuid import UUID

import structlog
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.urls import reverse
from django.utils.functional import lazy
from django.utils.translation import gettext_lazy

from kernel import clock, jobs
from portal.ui import mails
from tenants.access import queries
from tenants.access.actions import inviting
from tenants.access.models import Invitation
from tenants.tenancy.queries import primary_host

log = structlog.get_logger(__name__)


def _due() -> Iterable[Mapping[str, object]]:
    return [{"invitation": row.id} for row in queries.unsent_invitations(clock.now())[:100]]


@jobs.job("access.invite", queue="work", due=_due)
def send(*, invitation: str, **_ids: object) -> None:
    """Send the mail of an invitation; what does not go out is tried again, with longer and longer pauses."""
    row = inviting.claim(invitation_id=UUID(invitation), now=clock.now())
    if row is None:
        return
    host = primary_host(partner_id=row.membership.partner_id, tenant_id=row.membership.tenant_id)
    if not host:
        log.info("invitation waits for an address", invitation=row.public_id)
        return
    mail(row, host).send()
    inviting.sent(invitation=row, now=clock.now())
    log.info("invitation sent", invitation=row.public_id)


def mail(row: Invitation, host: str) -> EmailMultiAlternatives:
    """The mail, as text and as HTML, in the language of the person or else of the place."""
    member = row.membership
    new = not member.user.has_usable_password()
    path = reverse("invitation", urlconf=settings.URLCONFS["partner"], args=[queries.invitation_text(row)])
    more = {
        "who": row.invited_by,
        "new": new,
        "until": row.expires_at,
        "role": lazy(member.get_role_display, str)(),
    }
    letter = mails.Letter(
        name="invitation",
        user=member.user,
        partner=member.partner,
        tenant=member.tenant,
        host=host,
        path=path if new else "/sign-in",
        subject=gettext_lazy("Your access to %(place)s"),
        more=more,
    )
    return mails.made(letter)
