"""Roles that a place makes itself, and pairs of rights that nobody is to hold at once."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kernel import clock
from kernel.errors import NotFound, PortalError
from portal.permissions import door
from portal.request import SignedIn
from portal.ui.access import crumbs, place, rows
from portal.ui.kit.forms import refuse, ui
from portal.ui.kit.pages import go, key_of, page
from tenants.access import catalog
from tenants.access.actions import roles as actions
from tenants.access.models import CustomRole, DutyRule
from tenants.access.queries import rights


def choices(names: Any) -> list[tuple[str, str]]:
    """(permission, what it allows) of those named, in the order of the catalogue."""
    return [(name, _(words)) for name, words in catalog.PERMISSIONS.items() if name in names]


class OwnRoleForm(forms.Form):
    """What a role is called and what it may do."""

    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=60, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    permissions = forms.MultipleChoiceField(
        label=gettext_lazy("What it may do"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose at least one.")},
    )

    def __init__(self, *args: Any, permissions: list[tuple[str, str]], **kwargs: Any) -> None:
        """`permissions` are what the maker may give: no more than they hold."""
        super().__init__(*args, **kwargs)
        self.fields["permissions"].choices = permissions  # type: ignore[attr-defined]


class PairForm(forms.Form):
    """Two rights, and why nobody is to hold both."""

    first = forms.ChoiceField(label=gettext_lazy("Nobody who may"))
    second = forms.ChoiceField(label=gettext_lazy("may also"))
    reason = ui(
        forms.CharField(
            label=gettext_lazy("Why"),
            max_length=400,
            required=False,
            help_text=gettext_lazy("Whoever is refused a role reads it."),
        ),
        optional=True,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("first", "second"):
            self.fields[name].choices = choices(catalog.PERMISSIONS)  # type: ignore[attr-defined]


def _trail(request: SignedIn, *more: tuple[str, str]) -> list[tuple[str, str]]:
    own = (_("Roles"), reverse("access:roles") if more else "")
    return crumbs(request, (_("People"), reverse("access:people")), own, *more)


def _words(name: str) -> str:
    return _(catalog.PERMISSIONS.get(name, name))


@door("access.people")
def roles(request: SignedIn) -> HttpResponse:
    """The roles of this place, the pairs that nobody is to hold, and who holds one nevertheless."""
    partner_id, tenant_id = place(request)
    own = rights.roles_of(partner_id=partner_id, tenant_id=tenant_id).prefetch_related("memberships")
    rules = rights.duties_of(partner_id=partner_id, tenant_id=tenant_id)
    found = rights.toxic(partner_id=partner_id, tenant_id=tenant_id)
    context = {
        "roles": [
            (one, [_words(name) for name in one.permissions], len(one.memberships.all())) for one in own
        ],
        "rules": [
            (rule, _words(rule.first), _words(rule.second), rule.tenant_id == tenant_id) for rule in rules
        ],
        "toxic": [(one, _words(one.rule.first), _words(one.rule.second)) for one in found],
        "crumbs": _trail(request),
    }
    return page(request, "access/roles.html", context)


def _own_role(request: SignedIn, public_id: str) -> CustomRole:
    """The role of the URL, if it is one of this place. Raises NotFound."""
    partner_id, tenant_id = place(request)
    own = rights.roles_of(partner_id=partner_id, tenant_id=tenant_id)
    found: CustomRole | None = own.filter(pk=key_of(CustomRole.prefix, public_id)).first()
    if found is None:
        raise NotFound
    return found


def _offered(request: SignedIn, already: Any = ()) -> list[tuple[str, str]]:
    """What the reader may give, and what the role gives already."""
    partner_id, tenant_id = place(request)
    most = catalog.ceiling(partner=tenant_id is None, in_tenant=True)
    most |= catalog.ceiling(partner=tenant_id is None, in_tenant=False)
    return choices((rights.held_by(request.actor, partner_id, tenant_id) & most) | set(already))


def _form_page(request: SignedIn, form: forms.Form, **more: Any) -> HttpResponse:
    return page(request, "access/role_form.html", {"form": form, **more}, status=422 if form.errors else 200)


@door("access.people")
def add(request: SignedIn) -> HttpResponse:
    """A new role of this place."""
    form = OwnRoleForm(request.POST if request.method == "POST" else None, permissions=_offered(request))
    if request.method == "POST" and form.is_valid():
        partner, tenant = rows(request)
        try:
            made = actions.make_role(
                partner=partner, tenant=tenant, **form.cleaned_data, actor=request.actor, now=clock.now()
            )
        except PortalError as error:
            refuse(form, error)
        else:
            messages.success(request, _("The role “%(name)s” can be given.") % {"name": made.name})
            return go(request, reverse("access:roles"))
    title = _("New role")
    return _form_page(
        request, form, title=title, lead=_("You can give no more than you hold yourself."),
        submit=_("Make the role"), crumbs=_trail(request, (title, "")),
    )  # fmt: skip


@door("access.people")
def change(request: SignedIn, own_role: str) -> HttpResponse:
    """Another name or other rights for a role."""
    role = _own_role(request, own_role)
    form = OwnRoleForm(
        request.POST if request.method == "POST" else None,
        permissions=_offered(request, role.permissions),
        initial={"name": role.name, "permissions": role.permissions},
    )
    if request.method == "POST" and form.is_valid():
        try:
            actions.change_role(role=role, **form.cleaned_data, actor=request.actor, now=clock.now())
        except PortalError as error:
            refuse(form, error)
        else:
            messages.success(request, _("The role “%(name)s” is changed.") % {"name": role.name})
            return go(request, reverse("access:roles"))
    lead = _("What you change holds for everybody with this role, from their next click.")
    return _form_page(
        request, form, title=role.name, lead=lead, submit=_("Save"), crumbs=_trail(request, (role.name, ""))
    )


@door("access.people")
def remove(request: SignedIn, own_role: str) -> HttpResponse:
    """Take a role away that nobody holds, once asked and confirmed."""
    role = _own_role(request, own_role)
    refusal = ""
    if request.method == "POST":
        try:
            actions.drop_role(role=role, actor=request.actor, now=clock.now())
        except PortalError as error:
            refusal = _(error.message)
        else:
            messages.success(request, _("The role “%(name)s” is gone.") % {"name": role.name})
            return go(request, reverse("access:roles"))
    context = {
        "title": _("Remove the role “%(name)s”?") % {"name": role.name},
        "lead": _("Nobody may hold it any more for that."),
        "verb": _("Remove"),
        "url": reverse("access:role-remove", args=[role.public_id]),
        "refusal": refusal,
        "crumbs": _trail(request, (role.name, "")),
    }
    return page(request, "access/role_remove.html", context, part="dialog", status=409 if refusal else 200)


@door("access.people")
def forbid(request: SignedIn) -> HttpResponse:
    """Two rights that nobody is to be given both of."""
    form = PairForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        partner, tenant = rows(request)
        try:
            actions.forbid_pair(
                partner=partner, tenant=tenant, **form.cleaned_data, actor=request.actor, now=clock.now()
            )
        except PortalError as error:
            refuse(form, error)
        else:
            messages.success(request, _("From now on nobody is given both."))
            return go(request, reverse("access:roles"))
    title = _("Keep two duties apart")
    return _form_page(
        request, form, title=title, submit=_("Keep them apart"), crumbs=_trail(request, (title, "")),
        lead=_("Whoever holds both already keeps them, and is listed."),
    )  # fmt: skip


@door("access.people")
def allow(request: SignedIn, duty: str) -> HttpResponse:
    """Let two rights be held at once again, once asked and confirmed; a client does not undo its partner's rule."""
    partner_id, tenant_id = place(request)
    own = rights.duties_of(partner_id=partner_id, tenant_id=tenant_id).filter(tenant_id=tenant_id)
    rule = own.filter(pk=key_of(DutyRule.prefix, duty)).first()
    if rule is None:
        raise NotFound
    if request.method == "POST":
        actions.allow_pair(rule=rule, actor=request.actor, now=clock.now())
        messages.success(request, _("Both may be held at once again."))
        return go(request, reverse("access:roles"))
    context = {
        "title": _("Let both be held at once?"),
        "lead": f"{_words(rule.first)} + {_words(rule.second)}",
        "verb": _("Allow both"),
        "url": reverse("access:duty-remove", args=[rule.public_id]),
        "crumbs": _trail(request),
    }
    return page(request, "access/role_remove.html", context, part="dialog")
