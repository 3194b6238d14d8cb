"""What can go wrong between a sender and the intake."""

from typing import ClassVar

from kernel.errors import Conflict, Invalid, NotFound, PortalError, Unavailable, Unprocessable


class EndpointUnknown(NotFound):
    """No webhook endpoint lives at this address."""

    code = "endpoint_unknown"


class NotAnEvent(Invalid):
    """This is no CloudEvent."""

    code = "not_an_event"


class WrongMediaType(PortalError):
    """Send a CloudEvent: structured, as a batch, or with ce- headers."""

    code: ClassVar[str] = "wrong_media_type"
    status: ClassVar[int] = 415
    benign: ClassVar[bool] = True


class IntakeFull(Unavailable):
    """Too much is waiting to be worked on; deliver again later."""

    code = "intake_full"


class ContractBroken(Unprocessable):
    """This event breaks the contract of its type."""

    code = "contract_broken"


class Reserved(Invalid):
    """Only the portal itself writes events of this type or source."""

    code = "reserved"


class IdReused(Conflict):
    """Another event has this source and id."""

    code = "id_reused"


class EndpointNameTaken(Conflict):
    """Another endpoint has this name."""

    code = "endpoint_name_taken"


class SecretTooWeak(Invalid):
    """This secret could be guessed."""

    code = "secret_too_weak"


class AlreadyDecided(Conflict):
    """Somebody has decided about this event already."""

    code = "rejection_decided"


class NotAcceptable(Conflict):
    """This event cannot be taken after all; it can be discarded."""

    code = "rejection_not_acceptable"
