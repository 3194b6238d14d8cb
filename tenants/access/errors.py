"""What can go wrong at the door."""

from kernel.errors import Conflict, Invalid, Unauthenticated, Unprocessable


class BadCredentials(Unauthenticated):
    """E-mail and password do not match."""

    code = "bad_credentials"


class BadToken(Unauthenticated):
    """This API token is unknown, expired or revoked."""

    code = "bad_token"


class TokenOver(Conflict):
    """This token is over, or another was made in its place already."""

    code = "token_over"


class HandoffSpent(Unauthenticated):
    """This link has been used or is too old; sign in."""

    code = "handoff_spent"


class InvitationSpent(Unauthenticated):
    """This invitation has been used, replaced by a newer one, or is too old; sign in, or ask for another."""

    code = "invitation_spent"


class RoleNotHere(Invalid):
    """This role does not exist at this level."""

    code = "role_not_here"


class MoreThanOwn(Invalid):
    """You cannot give or take what you do not hold yourself."""

    code = "more_than_own"


class ToxicPair(Conflict):
    """Nobody here is to hold both of these rights."""

    code = "toxic_pair"


class RoleInUse(Conflict):
    """Somebody holds this role; give them another first."""

    code = "role_in_use"


class ReviewOpen(Conflict):
    """There is something in this review that nobody has decided on."""

    code = "review_open"


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
