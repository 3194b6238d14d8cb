"""Reads the operations of resources into OpenAPI: parameters, bodies, answers, errors, who may."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, Final

import uritemplate
from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiExample, OpenApiParameter
from rest_framework import serializers

from kernel.errors import PortalError
from portal.api.pages import PageQuery
from portal.permissions import Rule

PROBLEM: Final = "application/problem+json"
ERRORS: Final = {
    400: ("Invalid", "What was sent is not valid; `fields` names each member that is wrong."),
    401: ("Unauthenticated", "The token is missing, unknown, expired or revoked."),
    403: ("Forbidden", "The token or role does not allow this, or the client is suspended."),
    404: ("NotFound", "There is nothing here, or nothing that you may see: the two are answered alike."),
    409: ("Conflict", "It was changed meanwhile, or is in a state that does not allow this."),
    413: ("TooLarge", "The body is too large."),
    415: ("UnsupportedMediaType", "Send application/json."),
    422: ("Unprocessable", "This is well formed, but cannot be done."),
}

IDS: Final = {
    "bulk": "blk",
    "case": "case",
    "channel": "chn",
    "connection": "con",
    "domain": "dcl",
    "duty": "dty",
    "endpoint": "ep",
    "entry": "aud",
    "event": "evt",
    "file": "file",
    "hold": "hld",
    "installation": "ins",
    "item": "rvi",
    "member": "mem",
    "own_role": "rol",
    "provider": "idp",
    "rejection": "rej",
    "review": "rev",
    "run": "run",
    "restore": "rst",
    "stream": "ast",
    "subject": "dsr",
    "support_access": "sup",
    "tenant": "tnt",
    "tenant_file": "tfl",
    "token": "tok",
    "workflow": "wfl",
}
"""Parts of addresses that are public ids, and what these begin with."""
_CALLED: Final = {
    "entry": "audit entry",
    "hold": "legal hold",
    "own_role": "role",
    "provider": "identity provider",
    "subject": "data subject's request",
    "support_access": "support access",
}
_OTHERS: Final = {
    "code": "The figure's code.",
    "named": "The last part of the list's address.",
    "number": "The number of the version.",
    "order": "The order's id (or that of an RMA, PO or SKU).",
    "right": "The right, as in inbox.decide.",
    "slug": "The template's name.",
    "version": "The version, as in 1.2.0.",
    "work_id": "Id of the piece of work; its beginning says of which kind it is.",
}


class DeskSchema(AutoSchema):
    """How one method of a resource stands in the document."""

    @property
    def said(self) -> Any:
        """The operation that the method carries."""
        return getattr(self.view, self.method.lower()).operation

    def get_operation_id(self) -> str:
        """As the operation says."""
        return str(self.said.id)

    def get_summary(self) -> str | None:
        """The id in words."""
        return str(self.said.summary)

    def get_description(self) -> str:  # type: ignore[override] # spectacular's own
        """The handler's docstring, and the permission that it takes."""
        rule: Rule = self.view.rule  # type: ignore[attr-defined] # every Desk has one
        words = (getattr(self.view, self.method.lower()).__doc__ or "").strip()
        permission = rule.permission(self.method)
        return f"{words}\n\nNeeds `{permission}`." if permission else words

    def get_tags(self) -> list[str]:
        """The room: the name of the module."""
        return [type(self.view).__module__.rsplit(".", 1)[-1]]

    def get_override_parameters(self) -> list[Any]:
        """Filters, pages, and the Idempotency-Key."""
        found: list[Any] = [self.said.query] if self.said.query else []
        for name in uritemplate.variables(self.path):
            pattern = public_id_pattern(IDS[name]) if name in IDS else None
            words = f"Id of the {_CALLED.get(name, name)}." if name in IDS else _OTHERS[name]
            found.append(
                OpenApiParameter(name, str, OpenApiParameter.PATH, description=words, pattern=pattern)
            )
        if self.said.paged:
            found.append(PageQuery)
        if self.said.once:
            found.append(_IDEMPOTENCY)
            found.append(_REPLAYED)
        return found

    def get_request_serializer(self) -> Any:
        """The body that is taken, if any."""
        return self.said.takes

    def get_response_serializers(self) -> Any:
        """What is given; a list stands in an envelope."""
        said = self.said
        if said.returns is None:
            return {said.status: None}
        return {said.status: listing_of(said.returns) if said.many else said.returns}

    def get_examples(self) -> list[OpenApiExample]:
        """The operation's own."""
        said, found = self.said, []
        if said.example is not None:
            found.append(OpenApiExample("A request", value=said.example, request_only=True))
        if said.answer is not None:
            found.append(
                OpenApiExample(
                    "An answer", value=said.answer, response_only=True, status_codes=[str(said.status)]
                )
            )
        return found

    def get_operation(self, *args: Any, **kwargs: Any) -> Any:
        """The operation with its errors: the common ones by reference, its own with their codes."""
        made = super().get_operation(*args, **kwargs)
        if made is not None:
            made["responses"] |= self._errors(bool(made.get("parameters")))
            good = made["responses"][str(self.said.status)]
            good["description"] = _phrase(self.said.status)
        return made

    def _errors(self, has_parameters: bool) -> dict[str, Any]:
        said = self.said
        wanted = {401, 403}
        if has_parameters or said.takes:
            wanted.add(400)
        if "{" in self.path:
            wanted.add(404)
        if said.takes:
            wanted |= {413, 415}
        if said.once:
            wanted |= {409, 422}
        own: dict[int, list[type[PortalError]]] = {}
        for error in said.raises:
            own.setdefault(error.status, []).append(error)
        found: dict[str, Any] = {}
        for status in sorted(wanted | set(own)):
            found[str(status)] = _own(status, own[status]) if status in own else reference(status)
        return found


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase


def _own(status: int, errors: Iterable[type[PortalError]]) -> dict[str, Any]:
    general = f"{ERRORS[status][1]} " if status in ERRORS else ""
    codes = "; ".join(f"`{error.code}`: {(error.__doc__ or '').strip().splitlines()[0]}" for error in errors)
    return {"description": f"{general}{codes}", "content": problem_content()}


def public_id_pattern(prefix: str) -> str:
    """What public ids with this prefix look like."""
    return f"^{prefix}_[0-9a-hjkmnp-tv-z]{{26}}$"


class PublicIds(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Public ids in the document."""

    target_class = "portal.api.fields.PublicId"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, str]:
        """A text of a known form."""
        return {"type": "string", "pattern": public_id_pattern(self.target.prefix)}


def reference(status: int) -> dict[str, str]:
    """The common answer with this status."""
    return {"$ref": f"#/components/responses/{ERRORS[status][0]}"}


def problem_content() -> dict[str, Any]:
    """The content of every error."""
    return {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}


def listing_of(shape: Any) -> Any:
    """The envelope around a list of `shape`."""
    members = {
        "__doc__": "A page of a list.",
        "items": shape(many=True, help_text="What is on this page."),
        "next": serializers.URLField(
            allow_null=True, help_text="The page behind this one; null on the last."
        ),
        "previous": serializers.URLField(
            allow_null=True,
            help_text="The page before this one; null on the first, and in lists that only go forward.",
        ),
    }
    name = f"{shape.__name__}List"
    found = _envelopes.get(name)
    if found is None:
        found = _envelopes[name] = type(name, (serializers.Serializer,), members)
    return found


_envelopes: dict[str, Any] = {}
_IDEMPOTENCY: Final = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description=(
        "A key of your own, at most 255 characters, kept for 24 hours. The same request with the same key is answered"
        " as before and does nothing again; with another body it is refused (422), at the same time as well (409)."
    ),
)
_REPLAYED: Final = OpenApiParameter(
    "Idempotent-Replayed",
    str,
    OpenApiParameter.HEADER,
    response=[201, 202, 200],
    enum=["true"],
    description="There, where the answer is that of an earlier request with the same Idempotency-Key.",
)


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """API tokens in the document."""

    target_class = "portal.api.auth.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """A bearer token; its scopes are permissions."""
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "An API token (`pat_…`), made under *API tokens*; its scopes are permissions."
            " It is taken from this header alone.",
        }


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Browser sessions in the document."""

    target_class = "portal.api.auth.SessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """The cookie of a signed-in browser; unsafe methods take its CSRF token as well."""
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": "session",
            "description": "A signed-in browser. Unsafe methods need the header X-CSRFToken as well.",
        }
