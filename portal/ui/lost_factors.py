"""A member has lost what they prove themselves by: an admin of their place takes it away, and they set up another."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache

from kernel import clock
from kernel.errors import PortalError
from portal.permissions import door
from portal.request import SignedIn
from portal.ui.access import crumbs, member_of
from portal.ui.kit.forms import refuse
from portal.ui.kit.pages import go, page
from portal.ui.protection import proven
from tenants.access.models import Membership
from tenants.accounts import queries
from tenants.accounts.actions import factors


class LostForm(forms.Form):
    """How the admin knows whom they deal with."""

    reason = forms.CharField(
        label=gettext_lazy("How you know that it is them"),
        max_length=500,
        min_length=factors.SHORTEST_REASON,
        help_text=gettext_lazy("“Called back on the number in the staff file”. It stands in the audit log."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )


@never_cache
@door("access.people")
def reset(request: SignedIn, member: str) -> HttpResponse:
    """Take all second factors of a member away, once the admin has proved anew who they are themselves."""
    found = member_of(request, member)  # nobody is asked to prove anything for somebody who is not here
    return _reset(request, found)


@proven
def _reset(request: SignedIn, found: Membership) -> HttpResponse:
    form = LostForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            count = factors.reset_member(
                membership=found,
                reason=form.cleaned_data["reason"],
                actor=request.actor,
                now=clock.now(),
            )
        except PortalError as error:
            refuse(form, error)
        else:
            said = ngettext("%(n)s second factor is gone.", "%(n)s second factors are gone.", count)
            messages.success(request, said % {"n": count})
            return go(request, reverse("access:people"))
    shown: dict[str, Any] = {
        "form": form,
        "title": _("Reset the second factors of %(name)s") % {"name": found.user},
        "lead": _(
            "They have %(n)s. All are taken away, recovery codes too, and every session of theirs ends; they sign in by"
            " password or link and set up another."
        )
        % {"n": len(queries.factors_of(found.user))},
        "submit": _("Reset"),
        "back": reverse("access:people"),
        "crumbs": crumbs(request, (_("People"), reverse("access:people")), (str(found.user), "")),
    }
    return page(request, "access/role_form.html", shown, status=422 if form.errors else 200)
