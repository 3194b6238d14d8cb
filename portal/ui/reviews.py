"""Who has access and why: the page that explains it, and reviews in which every right is kept or taken away."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kernel import clock
from kernel.clock import rfc3339
from kernel.errors import NotFound, PortalError
from portal.permissions import door
from portal.request import SignedIn
from portal.ui.access import crumbs, place, rows
from portal.ui.kit import csv
from portal.ui.kit.forms import refuse
from portal.ui.kit.pages import go, key_of, page
from portal.ui.roles import choices
from tenants.access import catalog, queries
from tenants.access.actions import reviewing as actions
from tenants.access.enums import Verdict
from tenants.access.models import AccessReview, ReviewItem, User
from tenants.access.queries import reviews as review_queries
from tenants.access.queries import rights

_SAID: dict[str, Any] = {
    "deactivated": gettext_lazy("This person is kept out of every portal."),
    "no_role": gettext_lazy("This person has no role here."),
    "role": gettext_lazy("Role here"),
    "partner_role": gettext_lazy("Role with the partner"),
    "grant": gettext_lazy("Right on single objects"),
}


def _trail(request: SignedIn, *more: tuple[str, str]) -> list[tuple[str, str]]:
    people = reverse("access:people") if request.actor.may("access.people") else ""
    return crumbs(request, (_("People"), people), *more)


@door("access.review")
def why(request: SignedIn) -> HttpResponse:
    """Why somebody may, or may not, do something here."""
    partner_id, tenant_id = place(request)
    members = list(queries.people_of(partner_id=partner_id, tenant_id=tenant_id))
    people = [(one.user.public_id, str(one.user)) for one in members]
    asked = request.GET.get("person", ""), request.GET.get("right", "")
    found = None
    if asked[0] in dict(people) and asked[1] in catalog.PERMISSIONS:
        user = User.objects.get(pk=key_of(User.prefix, asked[0]))
        found = rights.why(user=user, permission=asked[1], partner_id=partner_id, tenant_id=tenant_id)
    context = {
        "people": people,
        "rights": choices(catalog.PERMISSIONS),
        "person": asked[0],
        "right": asked[1],
        "words": _(catalog.PERMISSIONS.get(asked[1], "")) if asked[1] else "",
        "found": found,
        "reasons": [(one, _SAID[one.what]) for one in found.reasons] if found else [],
        "givers": _givers(request, asked[1]) if asked[1] in catalog.PERMISSIONS else [],
        "crumbs": _trail(request, (_("Why somebody may"), "")),
    }
    return page(request, "access/why.html", context)


def _givers(request: SignedIn, permission: str) -> list[str]:
    """The roles of this place that allow something."""
    partner_id, tenant_id = place(request)
    shipped = catalog.TENANT_ROLES if tenant_id else catalog.PARTNER_ROLES
    inside = tenant_id is not None
    given = [str(one.label) for one in shipped if permission in catalog.shipped(one, in_tenant=inside)]
    own = rights.roles_of(partner_id=partner_id, tenant_id=tenant_id)
    return given + [one.name for one in own if permission in one.permissions]


@door("access.review")
def reviews(request: SignedIn) -> HttpResponse:
    """All reviews of this place; sending begins one."""
    partner_id, tenant_id = place(request)
    if request.method == "POST":
        partner, tenant = rows(request)
        try:
            made = actions.start_review(partner=partner, tenant=tenant, actor=request.actor, now=clock.now())
        except PortalError as error:
            messages.error(request, _(error.message))
            return go(request, reverse("access:reviews"))
        return go(request, reverse("access:review", args=[made.public_id]))
    found = review_queries.reviews_of(partner_id=partner_id, tenant_id=tenant_id)
    context = {
        "reviews": found,
        "open": any(one.signed_at is None for one in found),
        "crumbs": _trail(request, (_("Reviews"), "")),
    }
    return page(request, "access/reviews.html", context)


def _review(request: SignedIn, public_id: str) -> AccessReview:
    """The review of the URL, if it is one of this place. Raises NotFound."""
    partner_id, tenant_id = place(request)
    rows_ = review_queries.reviews_of(partner_id=partner_id, tenant_id=tenant_id)
    found: AccessReview | None = rows_.filter(pk=key_of(AccessReview.prefix, public_id)).first()
    if found is None:
        raise NotFound
    return found


class SignForm(forms.Form):
    """What whoever signs says."""

    statement = forms.CharField(
        label=gettext_lazy("What you sign for"),
        max_length=2_000,
        help_text=gettext_lazy("It stands in the audit log under your name, and in the export."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )


def _shown(request: SignedIn, found: AccessReview, form: SignForm | None = None) -> HttpResponse:
    items = list(found.items.all())
    context = {
        "review": found,
        "items": items,
        "left": sum(one.verdict == Verdict.OPEN for one in items),
        "removed": sum(one.verdict == Verdict.REMOVED for one in items),
        "stale": review_queries.stale(items, found.started_at),
        "form": form or SignForm(),
        "crumbs": _trail(request, (_("Reviews"), reverse("access:reviews")), (_("Review"), "")),
    }
    return page(request, "access/review.html", context, status=422 if form and form.errors else 200)


@door("access.review")
def review(request: SignedIn, review: str) -> HttpResponse:
    """Every right of the review, what was said of it, and the place to sign."""
    return _shown(request, _review(request, review))


@door("access.review")
def decide(request: SignedIn, review: str, item: str, verdict: str) -> HttpResponse:
    """Keep a right or take it away."""
    found = _review(request, review)
    row = found.items.filter(pk=key_of(ReviewItem.prefix, item)).first()
    if row is None or verdict not in (Verdict.KEPT, Verdict.REMOVED):
        raise NotFound
    if request.method == "POST":
        try:
            actions.decide_item(item=row, verdict=Verdict(verdict), actor=request.actor, now=clock.now())
        except PortalError as error:
            messages.error(request, _(error.message))
    return go(request, reverse("access:review", args=[found.public_id]))


@door("access.review")
def sign(request: SignedIn, review: str) -> HttpResponse:
    """Sign for a review."""
    found = _review(request, review)
    form = SignForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.sign_review(review=found, **form.cleaned_data, actor=request.actor, now=clock.now())
        except PortalError as error:
            refuse(form, error)
        else:
            messages.success(request, _("The review is signed."))
            return go(request, reverse("access:review", args=[found.public_id]))
    return _shown(request, found, form if request.method == "POST" else None)


@door("access.review")
def rows_csv(request: SignedIn, review: str) -> StreamingHttpResponse:
    """The review as a file: who had what, what was said of it, by whom and when."""
    found = _review(request, review)
    head = [
        "kind",
        "holder",
        "held",
        "permissions",
        "last_used",
        "verdict",
        "by",
        "at",
        "signed_by",
        "signed_at",
    ]
    lines = (
        [
            one.kind,
            one.holder,
            one.held,
            " ".join(one.permissions),
            rfc3339(one.used_at) if one.used_at else "",
            one.verdict,
            one.decided_by,
            rfc3339(one.decided_at) if one.decided_at else "",
            found.signed_by,
            rfc3339(found.signed_at) if found.signed_at else "",
        ]
        for one in found.items.all()
    )
    return csv.stream(f"access-review-{found.started_at:%Y-%m-%d}.csv", head, lines)
