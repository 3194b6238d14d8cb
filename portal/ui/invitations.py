"""Invitations: the mail in the partner's brand, and the page behind its link where somebody chooses a password."""

import zoneinfo
from collections.abc import Iterable, Mapping
from email.utils import formataddr, parseaddr
from typing import Any, Final
from uuid import UUID

import css_inline
import structlog
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.password_validation import validate_password
from django.core.mail import EmailMultiAlternatives
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from kernel import clock, jobs
from kernel.errors import PortalError
from portal.permissions import door
from portal.request import PortalRequest, SignedIn, address
from portal.ui.access import member_of
from portal.ui.entering import come_in
from portal.ui.kit.forms import refuse, ui, zones
from portal.ui.kit.pages import go, page
from tenants.access import queries
from tenants.access.actions import inviting
from tenants.access.errors import InvitationSpent
from tenants.access.models import Invitation, User
from tenants.accounts.actions import factors
from tenants.accounts.enums import Via
from tenants.branding import queries as branding
from tenants.branding.palette import palette
from tenants.tenancy.queries import partner_ref, primary_host

log = structlog.get_logger(__name__)
_NO_ZONE: Final = "UTC"


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
    tenant, user = member.tenant, member.user
    brand = branding.brand_of(partner_ref(member.partner))
    language = user.language or (tenant.language if tenant else "") or settings.LANGUAGE_CODE
    base = _base(host)
    new = not user.has_usable_password()
    path = reverse("invitation", urlconf=settings.URLCONFS["partner"], args=[queries.invitation_text(row)])
    shown: dict[str, Any] = {
        "brand": brand,
        "colours": palette(brand.colour),
        "place": tenant.name if tenant else brand.name,
        "who": row.invited_by or brand.name,
        "name": user.name,
        "new": new,
        "until": row.expires_at,
        "link": f"{base}{path}" if new else f"{base}/sign-in",
    }
    zone = zoneinfo.ZoneInfo(user.timezone or (tenant.timezone if tenant else _NO_ZONE))
    with translation.override(language), timezone.override(zone):
        shown["role"] = str(member.get_role_display())
        subject = _("Your access to %(place)s") % {"place": shown["place"]}
        text = render_to_string("mail/invitation.txt", shown)
        html = css_inline.inline(render_to_string("mail/invitation.html", shown))
    sender = formataddr((brand.sender, parseaddr(settings.DEFAULT_FROM_EMAIL)[1]))
    answers = [brand.support_email] if brand.support_email else []
    made = EmailMultiAlternatives(subject, text, sender, [user.email], reply_to=answers)
    made.attach_alternative(html, "text/html")
    return made


def _base(host: str) -> str:
    """Where a host is reached from outside."""
    if settings.PORTAL_HTTPS:
        return f"https://{host}"
    port = "" if settings.PORTAL_PORT == 80 else f":{settings.PORTAL_PORT}"
    return f"http://{host}{port}"


class WelcomeForm(forms.Form):
    """Who somebody is, and the password they choose."""

    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    password = forms.CharField(
        label=gettext_lazy("Choose a password"),
        strip=False,
        help_text=gettext_lazy(
            "At least ten characters. A short sentence is easy to keep and hard to guess."
        ),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    timezone = ui(forms.ChoiceField(label=gettext_lazy("Time zone"), choices=zones))

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        """`user` is who was invited."""
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_password(self) -> str:
        """It must be good."""
        password = str(self.cleaned_data["password"])
        validate_password(password, self.user)
        return password


@never_cache
@sensitive_post_parameters("password")
@door(public=True, read_only_exempt=True)
def accept(request: PortalRequest, link: str) -> HttpResponse:
    """The page behind the link: once a password is chosen, one is in. A link that is spent leads to the sign-in."""
    try:
        row = queries.invitation_of(link, request.portal, clock.now())
    except InvitationSpent as error:
        messages.error(request, _(error.message))
        return go(request, reverse("sign-in"))
    user, tenant = row.membership.user, row.membership.tenant
    if user.has_usable_password():
        return go(request, reverse("sign-in"))
    start = {"name": user.name, "timezone": user.timezone or (tenant.timezone if tenant else _NO_ZONE)}
    form = WelcomeForm(request.POST if request.method == "POST" else None, initial=start, user=user)
    if request.method == "POST" and form.is_valid():
        try:
            found = inviting.accept(
                text=link,
                host=request.portal,
                name=form.cleaned_data["name"],
                timezone=form.cleaned_data["timezone"],
                password=form.cleaned_data["password"],
                address=address(request),
                now=clock.now(),
            )
        except PortalError as error:
            refuse(form, error)
        else:
            factors.start_afresh(user=found, now=clock.now())
            return come_in(request, found, Via.INVITATION, "/")
    place = tenant.name if tenant else row.membership.partner.name
    shown = {"form": form, "invitation": row, "member": row.membership, "place": place}
    return page(request, "access/invitation.html", shown, status=422 if form.errors else 200)


@door(post="access.people")
def invite_again(request: SignedIn, member: str) -> HttpResponse:
    """Send a new link to a member; the earlier ones stop working."""
    found = member_of(request, member)
    inviting.invite(membership=found, actor=request.actor, now=clock.now())
    messages.success(request, _("A new link is on its way to %(email)s.") % {"email": found.user.email})
    return go(request, "/people/")
