"""People and their roles: the same pages for a partner's console and for a client tenant."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.utils.translation import gettext as _

from kernel import clock
from kernel.errors import NotFound, PortalError
from portal.permissions import door
from portal.request import SignedIn
from portal.ui.access_forms import MemberForm, RoleForm
from portal.ui.kit.forms import refuse
from portal.ui.kit.pages import go, key_of, page
from tenants.access import actions, catalog, queries
from tenants.access.enums import Role
from tenants.access.models import CustomRole, Membership
from tenants.access.queries import rights
from tenants.tenancy.models import Partner, Tenant


def place(request: SignedIn) -> tuple[UUID, UUID | None]:
    """The keys of the partner and (on a tenant's host) the tenant whose people these are."""
    assert request.portal.partner is not None
    return request.portal.partner.id, request.portal.tenant.id if request.portal.tenant else None


def rows(request: SignedIn) -> tuple[Partner, Tenant | None]:
    """The rows that the actions take."""
    partner_id, tenant_id = place(request)
    return Partner.objects.get(pk=partner_id), Tenant.objects.get(pk=tenant_id) if tenant_id else None


def _roles(request: SignedIn) -> tuple[Role, ...]:
    return catalog.TENANT_ROLES if request.portal.tenant else catalog.PARTNER_ROLES


def _choices(request: SignedIn) -> list[tuple[str, str]]:
    """The roles that can be given here: the shipped ones, and those that this place made itself."""
    partner_id, tenant_id = place(request)
    own = rights.roles_of(partner_id=partner_id, tenant_id=tenant_id)
    return [(role.value, str(role.label)) for role in _roles(request)] + [
        (one.public_id, one.name) for one in own
    ]


def _chosen(request: SignedIn, value: str) -> Role | CustomRole:
    """The role behind a choice of the form."""
    if value in Role.values:
        return Role(value)
    partner_id, tenant_id = place(request)
    found: CustomRole = rights.roles_of(partner_id=partner_id, tenant_id=tenant_id).get(
        pk=key_of(CustomRole.prefix, value)
    )
    return found


def crumbs(request: SignedIn, *more: tuple[str, str]) -> list[tuple[str, str]]:
    here = request.portal.tenant or request.portal.partner
    assert here is not None
    return [(here.name, "/"), *more]


def _matrix(roles: tuple[Role, ...], table: Any) -> list[tuple[str, list[bool]]]:
    """(permission in words, whether each role holds it) for what any of the roles holds."""
    return [
        (words, [name in table.get(role, ()) for role in roles])
        for name, words in catalog.PERMISSIONS.items()
        if any(name in table.get(role, ()) for role in roles)
    ]


@door("access.people")
def people(request: SignedIn) -> HttpResponse:
    """Who is in, with which role, and what each role may do."""
    partner_id, tenant_id = place(request)
    roles = _roles(request)
    members = list(queries.people_of(partner_id=partner_id, tenant_id=tenant_id))
    text = request.GET.get("q", "").strip().lower()
    shown = [one for one in members if text in f"{one.user.name} {one.user.email}".lower()]
    states = queries.member_states(shown, clock.now())
    context = {
        "members": [(one, states[one.id]) for one in shown],
        "total": len(members),
        "q": text,
        "roles": roles,
        "may_review": request.actor.may("access.review"),
        "matrix": _matrix(roles, catalog.IN_TENANT if tenant_id else catalog.AT_PARTNER),
        "crumbs": crumbs(request, (_("People"), "")),
    }
    return page(request, "access/people.html", context, part="rows")


@door("access.people")
def add_person(request: SignedIn) -> HttpResponse:
    """Let somebody in."""
    form = MemberForm(request.POST if request.method == "POST" else None, roles=_choices(request))
    if request.method == "POST" and form.is_valid():
        partner, tenant = rows(request)
        data = form.cleaned_data
        try:
            actions.add_member(
                partner=partner,
                tenant=tenant,
                email=data["email"],
                name=data["name"],
                role=_chosen(request, data["role"]),
                actor=request.actor,
                now=clock.now(),
            )
        except PortalError as error:
            refuse(form, error)
        else:
            said = _("%(email)s is in. A mail with the way in is on its way.")
            messages.success(request, said % {"email": data["email"]})
            return go(request, "/people/")
    context = {"form": form, "crumbs": crumbs(request, (_("People"), "/people/"), (_("Add a person"), ""))}
    return page(request, "access/person_add.html", context, part="dialog", status=422 if form.errors else 200)


def member_of(request: SignedIn, member: str) -> Membership:
    """The membership of the URL, if it is one of this place. Raises NotFound."""
    partner_id, tenant_id = place(request)
    found: Membership | None = (
        queries.people_of(partner_id=partner_id, tenant_id=tenant_id).filter(pk=key_of("mem", member)).first()
    )
    if found is None:
        raise NotFound
    return found


@door("access.people")
def set_role(request: SignedIn, member: str) -> HttpResponse:
    """Give a member another role."""
    found = member_of(request, member)
    form = RoleForm(
        request.POST if request.method == "POST" else None,
        roles=_choices(request),
        initial={"role": found.custom.public_id if found.custom else found.role},
    )
    if request.method == "POST" and form.is_valid():
        try:
            actions.set_role(
                membership=found,
                role=_chosen(request, form.cleaned_data["role"]),
                actor=request.actor,
                now=clock.now(),
            )
        except PortalError as error:
            refuse(form, error)
        else:
            messages.success(request, _("The role of %(name)s is changed.") % {"name": found.user})
            return go(request, "/people/")
    context = {
        "form": form,
        "member": found,
        "crumbs": crumbs(request, (_("People"), "/people/"), (str(found.user), "")),
    }
    return page(
        request, "access/person_role.html", context, part="dialog", status=422 if form.errors else 200
    )


@door("access.people")
def remove_person(request: SignedIn, member: str) -> HttpResponse:
    """Take a member's role here away, once asked and confirmed."""
    found = member_of(request, member)
    refusal = ""
    if request.method == "POST":
        try:
            actions.remove_member(membership=found, actor=request.actor, now=clock.now())
        except PortalError as error:
            refusal = _(error.message)
        else:
            messages.success(request, _("%(name)s is out.") % {"name": found.user})
            return go(request, "/people/")
    context = {
        "member": found,
        "refusal": refusal,
        "crumbs": crumbs(request, (_("People"), "/people/"), (str(found.user), "")),
    }
    return page(request, "access/person_remove.html", context, part="dialog", status=409 if refusal else 200)
