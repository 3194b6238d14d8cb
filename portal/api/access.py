"""Who you are, people with their roles, and API tokens: the same in a partner's console and in a client's portal."""

from datetime import timedelta
from typing import Any

from rest_framework import serializers

from kernel import clock, ids
from kernel.errors import NotFound
from portal.api import fields
from portal.api.desk import CREATED, NO_CONTENT, Call, Desk, operation, rule
from portal.api.fields import PublicId, Shape, key_of
from portal.api.pages import Listing
from portal.permissions import Rule
from tenants.access import actions, catalog, queries
from tenants.access.actions.tokens import LONGEST_OVERLAP
from tenants.access.enums import Role
from tenants.access.errors import AlreadyMember, LastAdmin, MoreThanOwn, RoleNotHere, TokenOver, ToxicPair
from tenants.access.models import ApiToken, CustomRole, Membership, User
from tenants.access.queries import rights
from tenants.tenancy import context
from tenants.tenancy.models import Partner, Tenant


class Place(Shape):
    """Whose portal answers."""

    kind = fields.one_of(["partner", "tenant"], "A partner's console or a client's portal.")
    partner = fields.text("The partner's short name.")
    tenant = fields.text("The client's short name; empty in a console.", allow_blank=True)
    sandbox = fields.yes_or_no("Whether nothing here is real.")


class Me(Shape):
    """Who asks, and what they may do here."""

    kind = fields.one_of(["user", "token"], "A person or an API token.")
    id = fields.text("Public id of the person or token.")
    label = fields.text("Their name, as the audit shows it.")
    roles = serializers.ListField(
        child=serializers.CharField(), help_text="Roles held here; none for a token."
    )
    permissions = serializers.ListField(child=serializers.CharField(), help_text="What they may do here.")
    place = Place(help_text="Whose portal this is.")
    now = fields.at("The present here: a sandbox may live on a clock of its own.")


class Myself(Desk):
    """Who asks."""

    rule = Rule(signed_in=True)

    @operation("get_me", returns=Me)
    def get(self, call: Call) -> dict[str, Any]:
        """Who you are and what you may do here."""
        actor, portal = call.actor, call.portal
        if not actor.permissions:
            raise NotFound  # a stranger learns nothing about this place
        assert portal.partner is not None
        assert actor.id is not None
        return {
            "kind": actor.kind,
            "id": ids.public_id(PREFIXES[actor.kind], actor.id),
            "label": actor.label,
            "roles": actor.roles,
            "permissions": sorted(actor.permissions),
            "place": {
                "kind": portal.kind,
                "partner": portal.partner.slug,
                "tenant": portal.tenant.slug if portal.tenant else "",
                "sandbox": bool(portal.tenant and portal.tenant.sandbox),
            },
            "now": context.now(),
        }


PREFIXES = {"user": User.prefix, "token": ApiToken.prefix}
"""What public ids of actors begin with."""


class Member(Shape):
    """A person with a role here."""

    id = PublicId("mem", help_text="Id of the membership.")
    user = PublicId("usr", source="user_id", help_text="Id of the person.")
    email = fields.text("Their address.", source="user.email")
    name = fields.text("Their name.", source="user.name", allow_blank=True)
    role = fields.one_of(Role.choices, "What they are here.")
    role_name = fields.text("The role in words; of an own role its name.")
    active = fields.yes_or_no("Whether they can sign in.", source="user.is_active")
    created_at = fields.at("When they got in.")


class NewMember(Shape):
    """Somebody to let in."""

    email = serializers.EmailField(
        help_text="Whoever has this address gets the role; unknown, they are made."
    )
    name = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=120, help_text="For a new person."
    )
    role = fields.one_of(Role.choices, "A role of this level: of a console, or of a client's portal.")
    own_role = PublicId("rol", required=False, help_text="With `custom` or `partner_custom`: which role.")


class NewRole(Shape):
    """Another role for a member."""

    role = fields.one_of(Role.choices, "A role of this level.")
    own_role = PublicId("rol", required=False, help_text="With `custom` or `partner_custom`: which role.")


def role_of(call: Call) -> Role | CustomRole:
    """The role that a body names. Raises RoleNotHere."""
    word, key = Role(call.body["role"]), call.body.get("own_role")
    if word not in catalog.OWN_ROLES and key is None:
        return word
    own = rights.roles_of(partner_id=call.partner_id, tenant_id=call.tenant_id).filter(pk=key).first()
    if own is None or word not in catalog.OWN_ROLES:
        raise RoleNotHere(fields={"own_role": [str(RoleNotHere.__doc__)]})
    found: CustomRole = own
    return found


def place_of(call: Call) -> tuple[Partner, Tenant | None]:
    """The rows of partner and (on a tenant's host) tenant, as actions take them."""
    tenant = Tenant.objects.get(pk=call.tenant_id) if call.tenant_id else None
    return Partner.objects.get(pk=call.partner_id), tenant


def _member(call: Call, member: str) -> Membership:
    found: Membership | None = (
        queries.people_of(partner_id=call.partner_id, tenant_id=call.tenant_id)
        .filter(pk=key_of("mem", member))
        .first()
    )
    if found is None:
        raise NotFound
    return found


_MEMBER = {"email": "rosa@example.com", "name": "Rosa Reviewer", "role": "reviewer"}


class People(Desk):
    """Who is in."""

    rule = rule(get="access.people", post="access.people")

    @operation("list_people", returns=Member, many=True, paged=True)
    def get(self, call: Call) -> Listing:
        """People with a role here, in the order in which they came."""
        rows = queries.people_of(partner_id=call.partner_id, tenant_id=call.tenant_id)
        return call.paging.of(rows, by="created_at")

    @operation(
        "add_person",
        takes=NewMember,
        returns=Member,
        status=CREATED,
        once=True,
        raises=(RoleNotHere, MoreThanOwn, ToxicPair, AlreadyMember),
        example=_MEMBER,
    )
    def post(self, call: Call) -> Membership:
        """Let somebody in with a role."""
        partner, tenant = place_of(call)
        return actions.add_member(
            partner=partner,
            tenant=tenant,
            email=call.body["email"],
            name=call.body["name"],
            role=role_of(call),
            actor=call.actor,
            now=clock.now(),
        )


class Person(Desk):
    """One member."""

    rule = rule(get="access.people", patch="access.people", delete="access.people")

    @operation("get_person", returns=Member)
    def get(self, call: Call, member: str) -> Membership:
        """One member."""
        return _member(call, member)

    @operation(
        "set_role", takes=NewRole, returns=Member, raises=(RoleNotHere, MoreThanOwn, ToxicPair, LastAdmin)
    )
    def patch(self, call: Call, member: str) -> Membership:
        """Give a member another role; it counts from their next request on."""
        return actions.set_role(
            membership=_member(call, member), role=role_of(call), actor=call.actor, now=clock.now()
        )

    @operation("remove_person", status=NO_CONTENT, raises=(MoreThanOwn, LastAdmin))
    def delete(self, call: Call, member: str) -> None:
        """Take a member's role here away; it is gone at their next request."""
        actions.remove_member(membership=_member(call, member), actor=call.actor, now=clock.now())


class Token(Shape):
    """An API token. Its text was in the answer to its making and is nowhere else."""

    id = PublicId("tok", help_text="Id of the token.")
    name = fields.text("What it is for.")
    hint = fields.text("Its first letters.")
    scopes = serializers.ListField(child=serializers.CharField(), help_text="Permissions that it has.")
    created_by = fields.text("Who made it.", source="created_by.email", default="", allow_blank=True)
    created_at = fields.at("When it was made.")
    expires_at = fields.perhaps_at("From when on it is refused; null: never.")
    last_used_at = fields.perhaps_at("When it was last used, to the minute.")
    revoked_at = fields.perhaps_at("When it was ended.")
    replaced_by = PublicId(
        "tok",
        source="replaced_by_id",
        allow_null=True,
        help_text="The token that was made in its place; null: none.",
    )


class TokenMade(Token):
    """A new API token with its text, which is shown this once."""

    token = fields.text("Send it as `Authorization: Bearer …`.")


class NewToken(Shape):
    """A token to make."""

    name = serializers.CharField(max_length=120, help_text="What it is for.")
    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=sorted(catalog.PERMISSIONS)),
        allow_empty=False,
        help_text="Permissions; none that you do not hold yourself.",
    )
    expires_at = fields.perhaps_at("From when on it is refused; null: never.", required=False, default=None)


class Rotation(Shape):
    """How a token is renewed."""

    overlap_hours = serializers.IntegerField(
        min_value=0,
        max_value=int(LONGEST_OVERLAP.total_seconds() // 3600),
        default=24,
        help_text="For how long the old one goes on, in hours; 0: not at all.",
    )


class Tokens(Desk):
    """Keys for machines."""

    rule = rule(get="access.tokens", post="access.tokens")

    @operation("list_tokens", returns=Token, many=True, paged=True)
    def get(self, call: Call) -> Listing:
        """API tokens of this place, newest first."""
        rows = queries.tokens_of(partner_id=call.partner_id, tenant_id=call.tenant_id)
        return call.paging.of(rows, by="-created_at")

    @operation(
        "make_token",
        takes=NewToken,
        returns=TokenMade,
        status=CREATED,
        once=True,
        example={"name": "ERP bridge", "scopes": ["events.publish"], "expires_at": "2027-01-01T00:00:00Z"},
    )
    def post(self, call: Call) -> ApiToken:
        """Make a token; its text is in this answer alone."""
        partner, tenant = place_of(call)
        made, words = actions.make_token(
            partner=partner, tenant=tenant, actor=call.actor, now=clock.now(), **call.body
        )
        return _with_text(made, words)


class OneToken(Desk):
    """One key."""

    rule = rule(get="access.tokens", delete="access.tokens")

    @operation("get_token", returns=Token)
    def get(self, call: Call, token: str) -> ApiToken:
        """One token, without its text."""
        return _token(call, token)

    @operation("revoke_token", status=NO_CONTENT)
    def delete(self, call: Call, token: str) -> None:
        """End a token; its next request is refused."""
        actions.revoke_token(token=_token(call, token), actor=call.actor, now=clock.now())


class RotateToken(Desk):
    """Another key in place of one."""

    rule = rule(post="access.tokens")

    @operation(
        "rotate_token",
        takes=Rotation,
        returns=TokenMade,
        status=CREATED,
        once=True,
        raises=(TokenOver, MoreThanOwn, ToxicPair),
        example={"overlap_hours": 24},
    )
    def post(self, call: Call, token: str) -> ApiToken:
        """Make a token with the same rights; the old one goes on for a while. The new text is in this answer alone."""
        made, words = actions.rotate_token(
            token=_token(call, token),
            overlap=timedelta(hours=call.body["overlap_hours"]),
            actor=call.actor,
            now=clock.now(),
        )
        return _with_text(made, words)


def _with_text(made: ApiToken, words: str) -> ApiToken:
    """The row as TokenMade shows it."""
    vars(made)["token"] = words
    return made


def _token(call: Call, token: str) -> ApiToken:
    found: ApiToken | None = (
        queries.tokens_of(partner_id=call.partner_id, tenant_id=call.tenant_id)
        .filter(pk=key_of("tok", token))
        .first()
    )
    if found is None:
        raise NotFound
    return found
