"""What can go wrong at the door."""

from kernel.errors import Conflict, Invalid, Unauthenticated, Unprocessable


class BadCredentials(Unauthenticated):
    """E-mail and password do not match."""

    code = "bad_credentials"


class BadToken(Unauthenticated):
    """This API token is unknown, expired or revoked."""

    code = "bad_token"


class HandoffSpent(Unauthenticated):
    """This link has been used or is too old; sign in."""

    code = "handoff_spent"


class InvitationSpent(Unauthenticated):
    """This invitation has been used, replaced by a newer one, or is too old; sign in, or ask for another."""

    code = "invitation_spent"


class RoleNotHere(Invalid):
    """This role does not exist at this level."""

    code = "role_not_here"


class AlreadyMember(Conflict):
    """This person is a member already."""

    code = "already_member"


class LastAdmin(Conflict):
    """Somebody must stay who can let people in."""

    code = "last_admin"


class KeyReused(Unprocessable):
    """This Idempotency-Key belongs to another request."""

    code = "idempotency_key_reused"


class KeyBusy(Conflict):
    """A request with this Idempotency-Key is being worked on; send it again later."""

    code = "idempotency_key_busy"
