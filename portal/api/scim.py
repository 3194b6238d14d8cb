"""SCIM 2.0 (RFC 7643, 7644): a directory keeps the people of a place, and their roles as groups.

It speaks its own dialect of JSON and of errors, so it stands beside the API and not in its document.
"""

from collections.abc import Callable
from typing import Any, Final

from django.db.models import QuerySet
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from kernel import clock
from kernel.errors import Invalid, NotFound, PortalError
from kernel.ids import parse_public_id
from portal.api import scim_shapes as shapes
from portal.api.wire import JsonParser
from portal.permissions import Rule
from tenants.access.enums import Role
from tenants.accounts.actions import scim
from tenants.accounts.models import ScimUser
from tenants.tenancy.models import Partner, Tenant
from tenants.tenancy.queries import at

_KIND: Final = "application/scim+json"
_SCOPE: Final = "access.scim"
MOST: Final = 200


class ScimJson(JSONRenderer):
    """Answers are of SCIM's own type."""

    media_type = _KIND


class ScimBody(JsonParser):
    """Bodies are of SCIM's own type."""

    media_type = _KIND


class Resource(APIView):
    """What all resources share: the scope that opens them, their type, and the form of their errors."""

    rule = Rule(methods=dict.fromkeys(("GET", "POST", "PUT", "PATCH", "DELETE"), _SCOPE))
    renderer_classes = [ScimJson, JSONRenderer]
    parser_classes = [ScimBody, JsonParser]

    def get_exception_handler(self) -> Callable[..., Response | None]:
        """SCIM's form of an error."""
        return _refused

    @property
    def place(self) -> tuple[Partner, Tenant | None]:
        """Whose people these are."""
        portal = self.request._request.portal  # type: ignore[attr-defined] # our middleware made it one of ours
        tenant = Tenant.objects.get(pk=portal.tenant.id) if portal.tenant else None
        return Partner.objects.get(pk=portal.partner.id), tenant

    @property
    def doer(self) -> Any:
        """The token, or whoever is signed in."""
        return self.request._request.actor  # type: ignore[attr-defined]

    @property
    def base(self) -> str:
        """Where this place's SCIM lives."""
        return self.request.build_absolute_uri("/api/scim/v2")

    def people(self) -> "QuerySet[ScimUser]":
        """Whom the directory keeps here."""
        partner, tenant = self.place
        rows = ScimUser.objects.filter(at(partner.id, tenant.id if tenant else None))
        return rows.select_related("user")

    def person(self, key: str) -> ScimUser:
        """One of them. Raises NotFound."""
        try:
            found = self.people().filter(pk=parse_public_id(ScimUser.prefix, key)).first()
        except ValueError as error:
            raise NotFound from error
        if found is None:
            raise NotFound
        return found

    @property
    def body(self) -> dict[str, Any]:
        """What was sent. Raises Invalid."""
        if not isinstance(self.request.data, dict):
            raise Invalid
        return self.request.data


def _refused(error: Exception, _context: Any) -> Response | None:
    if not isinstance(error, PortalError):
        status = getattr(error, "status_code", None)
        return shapes.error(status, str(error)) if status else None
    words = "; ".join(word for messages in error.fields.values() for word in messages) or error.message
    return shapes.error(error.status, words, {400: "invalidValue", 409: "uniqueness"}.get(error.status, ""))


class Users(Resource):
    """All people whom the directory keeps."""

    def get(self, request: Request) -> Response:
        """List them, or find one by a filter."""
        rows = shapes.filtered(
            self.people(),
            request.query_params.get("filter", ""),
            {
                "username": "user_name__iexact",
                "externalid": "external_id",
                "emails.value": "user__email__iexact",
                "emails": "user__email__iexact",
                "id": "",
            },
        )
        return shapes.listed(rows, request.query_params, lambda row: shapes.user(row, self.base))

    def post(self, request: Request) -> Response:
        """Keep somebody."""
        partner, tenant = self.place
        row = scim.provision(
            partner=partner,
            tenant=tenant,
            values=shapes.values_of(self.body, new=True),
            actor=self.doer,
            now=clock.now(),
        )
        made = shapes.user(row, self.base)
        return Response(made, status=201, headers={"Location": made["meta"]["location"]})


class OneUser(Resource):
    """One of them."""

    def get(self, request: Request, person: str) -> Response:
        """What is known of them."""
        return Response(shapes.user(self.person(person), self.base))

    def put(self, request: Request, person: str) -> Response:
        """Put this in place of what was known."""
        return self._change(person, shapes.values_of(self.body, new=True))

    def patch(self, request: Request, person: str) -> Response:
        """Change some of it."""
        return self._change(person, shapes.patched(self.body))

    def _change(self, person: str, values: dict[str, Any]) -> Response:
        row = scim.change(row=self.person(person), values=values, actor=self.doer, now=clock.now())
        return Response(shapes.user(row, self.base))

    def delete(self, request: Request, person: str) -> Response:
        """Keep them no more."""
        scim.withdraw(row=self.person(person), actor=self.doer, now=clock.now())
        return Response(status=204)


class Groups(Resource):
    """The roles of this place, as groups."""

    def get(self, request: Request) -> Response:
        """List them, or find one by its name."""
        _, tenant = self.place
        rows = shapes.named(scim.roles(tenant), request.query_params.get("filter", ""))
        people = (
            [] if "members" in request.query_params.get("excludedAttributes", "") else list(self.people())
        )
        return shapes.listed(rows, request.query_params, lambda role: shapes.group(role, people, self.base))

    def post(self, request: Request) -> Response:
        """Groups are there: one for each role. A name that fits none is refused, one that does is taken."""
        _, tenant = self.place
        known = shapes.named(scim.roles(tenant), f'displayName eq "{self.body.get("displayName", "")}"')
        if known:
            return shapes.error(409, "This group is here: it is a role. Link to it.", "uniqueness")
        names = ", ".join(str(role.value) for role in scim.roles(tenant))
        return shapes.error(400, f"A group is a role of this place: {names}.", "invalidValue")


class OneGroup(Resource):
    """One role, as a group."""

    def _role(self, group: str) -> Role:
        _, tenant = self.place
        found = next((role for role in scim.roles(tenant) if role.value == group), None)
        if found is None:
            raise NotFound
        return found

    def get(self, request: Request, group: str) -> Response:
        """Who has this role by the directory."""
        return Response(shapes.group(self._role(group), list(self.people()), self.base))

    def put(self, request: Request, group: str) -> Response:
        """These have the role from now on, and nobody else of the directory."""
        role = self._role(group)
        wanted = shapes.members_of(self.body.get("members") or [])
        self._take(role, [row for row in self.people() if row.role == role and row.public_id not in wanted])
        self._give(role, wanted)
        return self.get(request, group)

    def patch(self, request: Request, group: str) -> Response:
        """Give the role to some, or take it from some."""
        role = self._role(group)
        for act, members in shapes.member_changes(self.body):
            if act == "replace":
                return self.put(request, group)
            if act == "add":
                self._give(role, members)
            else:
                rows = [row for row in self.people() if row.role == role]
                self._take(role, [row for row in rows if members is None or row.public_id in members])
        return self.get(request, group)

    def _give(self, role: Role, members: set[str] | None) -> None:
        for one in sorted(members or ()):
            scim.change(row=self.person(one), values={"role": role}, actor=self.doer, now=clock.now())

    def _take(self, role: Role, rows: list[ScimUser]) -> None:
        _, tenant = self.place
        for row in rows:
            usual = {"role": scim.usual_role(tenant)}
            scim.change(row=row, values=usual, actor=self.doer, now=clock.now())

    def delete(self, request: Request, group: str) -> Response:
        """A role stays."""
        self._role(group)
        return shapes.error(403, "A group is a role of this place and stays.")


class About(Resource):
    """What this service can do."""

    rule = Rule(methods={"GET": _SCOPE})

    def get(self, request: Request, what: str) -> Response:
        """ServiceProviderConfig, ResourceTypes or Schemas."""
        found = shapes.about(what, self.base)
        if found is None:
            raise NotFound
        return Response(found)
