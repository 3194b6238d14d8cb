"""What every resource does alike: parse, one call of a room, serialize; and say so for the OpenAPI document.

A resource is a class with a `rule`; each of its methods carries an `operation`, which checks what comes in, shapes what
goes out, answers a repeated request alike, and is read again when the document is made.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, ClassVar, Final, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.http import QueryDict
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from kernel import clock, jsonx, secrets
from kernel.actor import Actor
from kernel.errors import Invalid, PortalError, TooLarge
from portal.api.fields import Shape
from portal.api.pages import Listing, PageQuery, Paging
from portal.api.schema import DeskSchema
from portal.permissions import Rule
from portal.request import PortalRequest
from tenants.access import actions as access
from tenants.access.actions import Repeatable
from tenants.tenancy.queries import HostRef, TenantRef

KEY_LONGEST: Final = 255
_Handler = TypeVar("_Handler", bound=Callable[..., Any])


@dataclass(frozen=True)
class Operation:
    """What one method of a resource takes and gives; `many`: a list, `paged`: in pages, `once`: keeps Idempotency-Keys.

    `example` is a request body, `answer` an answer; `raises` are errors beyond those that every operation may meet.
    """

    id: str
    returns: type[Shape] | None = None
    takes: type[Shape] | None = None
    query: type[Shape] | None = None
    many: bool = False
    paged: bool = False
    status: int = 200
    once: bool = False
    example: Any = None
    answer: Any = None
    raises: Sequence[type[PortalError]] = ()

    @property
    def summary(self) -> str:
        """Its id in words."""
        return self.id.replace("_", " ").capitalize()


@dataclass(frozen=True)
class Call:
    """One request as a handler needs it: who asks, whose portal it is, and what was sent, checked."""

    request: PortalRequest
    actor: Actor
    paging: Paging = Paging()  # noqa: RUF009 - frozen
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def portal(self) -> HostRef:
        """Where the host name leads."""
        return self.request.portal

    @property
    def partner_id(self) -> UUID:
        """The partner whose host was asked."""
        assert self.portal.partner is not None
        return self.portal.partner.id

    @property
    def tenant(self) -> TenantRef:
        """The tenant whose host was asked."""
        assert self.portal.tenant is not None
        return self.portal.tenant

    @property
    def tenant_id(self) -> UUID | None:
        """The tenant's key; None in a partner's console."""
        return self.portal.tenant.id if self.portal.tenant else None


class Desk(APIView):
    """A resource; `rule` says who may use which of its methods."""

    rule: ClassVar[Rule]
    schema = DeskSchema()
    metadata_class = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse what is too large before anything is read. Raises TooLarge."""
        declared = str(request._request.META.get("CONTENT_LENGTH") or "0")
        if declared.isdigit() and int(declared) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise TooLarge(f"at most {settings.DATA_UPLOAD_MAX_MEMORY_SIZE} bytes are taken")
        _ = request._request.body  # kept for its digest; whoever reads the stream later gets it from there
        super().initial(request, *args, **kwargs)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """No cache on the way keeps what only this asker may see."""
        found = super().finalize_response(request, response, *args, **kwargs)
        found["Cache-Control"] = "no-store"
        return found


def rule(**methods: str) -> Rule:
    """The rule of a resource: `rule(get="events.read", post="events.publish")`."""
    return Rule(methods={method.upper(): permission for method, permission in methods.items()})


def operation(name: str, **more: Any) -> Callable[[_Handler], _Handler]:
    """Make a function of (self, call, ids of the address) the handler of a method; `more` are Operation's members."""
    said = Operation(id=name, **more)

    def mark(handle: _Handler) -> _Handler:
        does: Callable[..., Any] = handle

        def method(desk: Desk, request: Request, **ids: str) -> Response:
            call = _call(said, request)
            key = request.headers.get("Idempotency-Key", "") if said.once else ""
            if not key:
                return _respond(said, call, does(desk, call, **ids))
            return _once(said, call, key, lambda: does(desk, call, **ids))

        method.__doc__ = handle.__doc__
        method.operation = said  # type: ignore[attr-defined] # a mark on a function
        return method  # type: ignore[return-value] # DRF calls it with its own arguments

    return mark


def _call(said: Operation, request: Request) -> Call:
    """The request, checked against what the operation takes. Raises ValidationError and Invalid, naming members."""
    plain: Any = request._request
    query = _query(said, request)
    shape = said.takes(data=request.data) if said.takes else None
    if shape is not None:
        shape.is_valid(raise_exception=True)
    return Call(
        request=plain,
        actor=plain.actor,
        paging=Paging(query.pop("limit"), query.pop("cursor", "")) if said.paged else Paging(),
        query=query,
        body=shape.validated_data if shape is not None else {},
    )


def _query(said: Operation, request: Request) -> dict[str, Any]:
    found: dict[str, Any] = {}
    given = request.query_params
    shapes: list[type[Shape]] = [*([said.query] if said.query else []), *([PageQuery] if said.paged else [])]
    known: set[str] = set()
    for shape in shapes:
        made = shape()
        known |= set(made.fields)
        values = {name: _value(given, name, part) for name, part in made.fields.items() if name in given}
        filled = shape(data=values)
        filled.is_valid(raise_exception=True)
        found |= filled.validated_data
    unknown = sorted(set(given) - known)
    if unknown:
        raise Invalid(fields={name: ["There is no such parameter."] for name in unknown})
    return found


def _value(given: QueryDict, name: str, part: Any) -> Any:
    """A parameter's value: words of a list stand with commas between, or the parameter stands several times."""
    values = given.getlist(name)
    if isinstance(part, (serializers.ListField, serializers.MultipleChoiceField)):
        return [word for value in values for word in str(value).split(",") if word]
    if len(values) > 1:
        raise Invalid(fields={name: ["This parameter stands more than once."]})
    return values[0]


def _respond(said: Operation, call: Call, value: Any) -> Response:
    if said.returns is None:
        return Response(None, status=said.status)
    if not said.many:
        return Response(said.returns(value).data, status=said.status)
    listing = value if isinstance(value, Listing) else Listing(value)
    body = {
        "items": said.returns(listing.items, many=True).data,
        "next": _address(call, listing.next),
        "previous": _address(call, listing.previous),
    }
    return Response(body, status=said.status)


def _address(call: Call, cursor: str) -> str | None:
    if not cursor:
        return None
    given = call.request.GET.copy()
    given["cursor"] = cursor
    return call.request.build_absolute_uri(
        f"{call.request.path}?{urlencode(sorted(given.lists()), doseq=True)}"
    )


def _once(said: Operation, call: Call, key: str, handle: Callable[[], Any]) -> Response:
    """Do it, or answer as before: what is done and the answer to it are kept in one transaction."""
    if len(key) > KEY_LONGEST or not key.isprintable():
        raise Invalid(fields={"Idempotency-Key": [f"Use at most {KEY_LONGEST} printable characters."]})
    plain, now = call.request, clock.now()
    assert call.actor.id is not None
    asked = Repeatable(
        owner_id=call.actor.id,
        partner_id=call.partner_id,
        tenant_id=call.tenant_id,
        key=key,
        fingerprint=_fingerprint(f"{plain.method} {plain.get_full_path()}", plain.body),
    )
    with transaction.atomic():
        before = access.answered(request=asked, now=now)
        if before is not None:
            status, body = before
            return Response(body, status=status, headers={"Idempotent-Replayed": "true"})
        response = _respond(said, call, handle())
        # what goes out is what is kept, so that the second answer is the first to the letter
        response.data = jsonx.loads(jsonx.dumps(response.data))
        access.keep_answer(request=asked, status=response.status_code, body=response.data, now=now)
    return response


def _fingerprint(line: str, body: bytes) -> str:
    """Keyed: a bare hash of a short body gives away what stands in it, a card's number or somebody's address."""
    return secrets.sign(settings.JOB_KEY, "idempotency", line.encode() + b"\n" + body)


NO_CONTENT: Final = HTTPStatus.NO_CONTENT.value
CREATED: Final = HTTPStatus.CREATED.value
ACCEPTED: Final = HTTPStatus.ACCEPTED.value
