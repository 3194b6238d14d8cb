"""One error tree. The class says code, HTTP status and whether it is benign; its docstring is the message.

Benign errors are part of normal work (somebody typed something wrong): they are answered, not reported.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar


class PortalError(Exception):
    """Something went wrong here."""

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    benign: ClassVar[bool] = False

    def __init__(
        self,
        message: str = "",
        *,
        fields: Mapping[str, Sequence[str]] | None = None,
        retry_after: int | None = None,
        **context: object,
    ) -> None:
        """`fields` maps a field's name to its messages; `retry_after` is in seconds; `context` goes to the log."""
        self.message = message or (type(self).__doc__ or "").strip().splitlines()[0]
        self.fields = {name: list(messages) for name, messages in (fields or {}).items()}
        self.retry_after = retry_after
        self.context = context
        super().__init__(self.message)

    def problem(self) -> dict[str, object]:
        """This error as an RFC 9457 problem document, without `instance`."""
        body: dict[str, object] = {
            "type": f"urn:problem:{self.code}",
            "title": (type(self).__doc__ or "").strip().splitlines()[0],
            "status": self.status,
            "code": self.code,
            "detail": self.message,
        }
        if self.fields:
            body["fields"] = self.fields
        return body


class Invalid(PortalError):
    """What was sent is not valid."""

    code = "invalid"
    status = 400
    benign = True


class Unauthenticated(PortalError):
    """Sign in first."""

    code = "unauthenticated"
    status = 401
    benign = True


class Forbidden(PortalError):
    """Your role does not allow this."""

    code = "forbidden"
    status = 403
    benign = True


class NotFound(PortalError):
    """There is nothing here."""

    code = "not_found"
    status = 404
    benign = True


class WrongMethod(PortalError):
    """This address does not take that method."""

    code = "wrong_method"
    status = 405
    benign = True


class Conflict(PortalError):
    """This was changed meanwhile, or is in a state that does not allow it."""

    code = "conflict"
    status = 409
    benign = True


class TooLarge(PortalError):
    """This is too large."""

    code = "too_large"
    status = 413
    benign = True


class Unprocessable(PortalError):
    """This is well formed, but cannot be done."""

    code = "unprocessable"
    status = 422
    benign = True


class TooMany(PortalError):
    """Too many requests; try again later."""

    code = "too_many"
    status = 429
    benign = True


class Unavailable(PortalError):
    """This cannot be done right now; try again later."""

    code = "unavailable"
    status = 503
    benign = True
