"""Invitations: the page behind the link of the mail, where somebody chooses a password."""

from typing import Any, Final

from django import forms
from django.contrib import messages
from django.contrib.auth.password_validation import validate_password
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from kernel import clock
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
from tenants.access.models import User
from tenants.accounts.actions import factors
from tenants.accounts.enums import Via

_NO_ZONE: Final = "UTC"


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
