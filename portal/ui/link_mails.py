"""The mail with a link that signs in; sent by workers, which need nothing of the pages of signing in."""

from uuid import UUID

import structlog
from django.core.mail import EmailMultiAlternatives
from django.urls import reverse
from django.utils.translation import gettext_lazy

from kernel import clock, jobs
from portal.ui.mails import Letter, made
from tenants.accounts import queries
from tenants.accounts.actions import links
from tenants.accounts.models import MailLink

log = structlog.get_logger(__name__)


@jobs.job(
    links.JOB, queue="work", due=lambda: [{"link": row.id} for row in queries.unsent_links(clock.now())[:100]]
)
def send(*, link: str, **_ids: object) -> None:
    """Send the mail with a link."""
    row = links.claim(link_id=UUID(link), now=clock.now())
    if row is None:
        return
    try:
        mail(row).send()
    except OSError:
        links.not_sent(link=row)
        raise
    log.info("sign-in link sent", link=row.public_id)


def mail(row: MailLink) -> EmailMultiAlternatives:
    """The mail, as text and as HTML."""
    letter = Letter(
        name="sign_in_link",
        user=row.user,
        partner=row.partner,
        tenant=row.tenant,
        host=row.host,
        path=reverse("by-link", urlconf="portal.urls_partner", args=[links.text_of(row)]),
        subject=gettext_lazy("Your link to sign in to %(place)s"),
        more={"until": row.expires_at},
    )
    return made(letter)
