"""What somebody was told: the list behind the bell, how they want to be told, and answering by a link in a mail."""

from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache

from automations.inbox import queries as inbox
from automations.inbox.enums import Decide
from automations.inbox.policy import is_partner_staff
from automations.notices import actions, policy, queries
from automations.notices.enums import About, Mail
from automations.notices.policy import Wish
from kernel import clock
from kernel.errors import PortalError
from portal.permissions import door
from portal.request import PortalRequest, TenantRequest
from portal.ui import shell
from portal.ui.inbox_acts import effect
from portal.ui.kit.forms import refuse
from portal.ui.kit.pages import go, key_of, page, slice_by
from portal.ui.kit.status import look
from tenants.tenancy import context

_SEVERITIES: Final = (
    ("normal", gettext_lazy("All cases")),
    ("high", gettext_lazy("High and critical ones")),
    ("critical", gettext_lazy("Critical ones alone")),
)


@shell.notices
def under_the_bell(request: PortalRequest) -> list[shell.Notice]:
    """The newest unread lines of whoever looks, where the place is a client's."""
    actor = request.actor
    if request.portal.tenant is None or actor is None or actor.user_id is None or not actor.may("inbox.read"):
        return []
    return [
        shell.Notice(
            text=_counted(line.title, line.count),
            url=reverse("inbox:case", args=[line.case]) if line.case else reverse("notices:list"),
            at=line.at,
            tone=look(line.severity).tone,
            icon=look(line.severity).icon,
        )
        for line in queries.newest(actor.user_id)
    ]


def _counted(title: str, count: int) -> str:
    more = count - 1
    if not more:
        return title
    return f"{title} " + ngettext("(and %(n)d more like it)", "(and %(n)d more like it)", more) % {"n": more}


@door("inbox.read")
def notices(request: TenantRequest) -> HttpResponse:
    """Everything that one was told here, newest first."""
    found = slice_by(queries.notices_of(request.user.id), request.GET.get("after", ""))
    shown = {
        "slice": found,
        "lines": queries.lines(found.rows),
        "unread": queries.unread(request.user.id),
        "crumbs": [(request.tenant.name, "/"), (_("Notifications"), "")],
    }
    return page(request, "notices/list.html", shown)


@door("inbox.read", read_only_exempt=True)
def read(request: TenantRequest) -> HttpResponse:
    """One has seen everything."""
    if request.method == "POST":
        actions.mark_read(user_id=request.user.id, keys=None, now=clock.now())
    return go(request, reverse("notices:list"))


@door("inbox.read", read_only_exempt=True)
def open_one(request: TenantRequest, notice: str) -> HttpResponse:
    """Go to what a line is about; by its button the line counts as read. Raises NotFound."""
    row = queries.notice_of(key_of("ntc", notice), request.user.id)
    if request.method == "POST":
        actions.mark_read(user_id=request.user.id, keys=[row.pk], now=clock.now())
    line = queries.lines([row])[0]
    return go(request, reverse("inbox:case", args=[line.case]) if line.case else reverse("notices:list"))


class RulesForm(forms.Form):
    """How one is told about each thing."""

    def __init__(self, *args: Any, wishes: dict[About, Wish], **kwargs: Any) -> None:
        """`wishes` is what holds now."""
        super().__init__(*args, **kwargs)
        for about, one in wishes.items():
            self.fields[f"{about}_bell"] = forms.BooleanField(
                label=gettext_lazy("Tell me here, under the bell"), required=False, initial=one.bell
            )
            self.fields[f"{about}_mail"] = forms.ChoiceField(
                label=gettext_lazy("And by mail"), choices=Mail.choices, initial=one.mail
            )
            self.fields[f"{about}_least"] = forms.ChoiceField(
                label=gettext_lazy("About"), choices=_SEVERITIES, initial=one.least
            )

    def groups(self) -> list[tuple[Any, list[Any]]]:
        """The fields of each thing, under its words."""
        return [
            (about.label, [self[f"{about}_{name}"] for name in ("bell", "mail", "least")]) for about in About
        ]

    def wishes(self) -> dict[About, Wish]:
        """What was asked for."""
        data = self.cleaned_data
        return {
            about: Wish(about, data[f"{about}_bell"], Mail(data[f"{about}_mail"]), data[f"{about}_least"])
            for about in About
        }


@door("inbox.read")
def rules(request: TenantRequest) -> HttpResponse:
    """How one wants to be told."""
    given, decides = queries.rules_of(request.user.id), "inbox.decide" in request.actor.permissions
    staff = is_partner_staff(request.actor)
    now = {about: policy.wish(given.get(about), about, decides=decides and not staff) for about in About}
    form = RulesForm(request.POST if request.method == "POST" else None, wishes=now)
    if request.method == "POST" and form.is_valid():
        actions.set_rules(wishes=form.wishes(), actor=request.actor, now=clock.now())
        messages.success(request, _("From now on you are told as you said."))
        return go(request, reverse("notices:list"))
    crumbs = [(request.tenant.name, "/"), (_("Notifications"), reverse("notices:list")), (_("How"), "")]
    shown = {"form": form, "crumbs": crumbs, "sandbox": request.tenant.sandbox}
    return page(request, "notices/rules.html", shown, status=422 if form.errors else 200)


class ReasonForm(forms.Form):
    """Why, if one likes to say it."""

    reason = forms.CharField(label=gettext_lazy("Reason"), required=False, max_length=500)


@never_cache
@door("inbox.decide")
def answer(request: TenantRequest, link: str) -> HttpResponse:
    """Decide a case by the link of a mail: the page shows the case, its button decides. Raises PassSpent."""
    found = queries.pass_of(link, request.user.id, clock.now())
    case = inbox.case(found.case_id, now=context.now(), internal=False)
    form, status = ReasonForm(request.POST if request.method == "POST" else None), 200
    if request.method == "POST" and form.is_valid():
        try:
            actions.redeem_pass(
                text=link,
                reason=form.cleaned_data["reason"],
                actor=request.actor,
                now=clock.now(),
                present=context.now(),
            )
        except PortalError as error:
            if not error.benign:
                raise
            refuse(form, error)
            status = error.status
        else:
            messages.success(request, _("%(case)s is decided.") % {"case": case.row.code})
            return go(request, reverse("inbox:case", args=[case.row.public_id]))
    chosen = Decide(found.decision)
    label = next((one.label for one in case.answers if one.decision == chosen), chosen.label)
    shown = {
        "case": case,
        "form": form,
        "label": str(label),
        "effect": effect(chosen, approving=str(label) != str(chosen.label)),
        "changed": case.row.version != found.seen,
        "crumbs": [
            (request.tenant.name, "/"),
            (_("Notifications"), reverse("notices:list")),
            (case.row.code, ""),
        ],
    }
    return page(
        request, "notices/answer.html", shown, status=422 if form.errors and status == 200 else status
    )


def unread_of(request: HttpRequest) -> int:
    """How many unread lines the signed-in person has in the client's portal that is asked for."""
    user, portal = getattr(request, "user", None), getattr(request, "portal", None)
    if user is None or not user.is_authenticated or portal is None or portal.tenant is None:
        return 0
    return queries.unread(user.id)
