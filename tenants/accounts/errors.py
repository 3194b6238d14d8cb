"""What can go wrong when somebody proves who they are."""

from kernel.errors import Conflict, Forbidden, Invalid, Unauthenticated, Unprocessable


class WrongCode(Invalid):
    """This code is wrong, used, or too old."""

    code = "wrong_code"


class WrongPasskey(Unauthenticated):
    """This passkey was not accepted."""

    code = "wrong_passkey"


class LinkSpent(Unauthenticated):
    """This link has been used or is too old; ask for another."""

    code = "link_spent"


class FactorNeeded(Forbidden):
    """A second factor is needed here: set one up on the page “Sign-in protection”."""

    code = "second_factor_needed"


class ProofNeeded(Forbidden):
    """Confirm that it is you first."""

    code = "proof_needed"


class SignOnOnly(Forbidden):
    """Here one signs in by single sign-on alone."""

    code = "sign_on_only"


class SignOnRefused(Unauthenticated):
    """Single sign-on did not work. Try again, or ask your admin."""

    code = "sign_on_refused"


class NotByYourself(Conflict):
    """Sign in by this single sign-on yourself first, so that nobody is locked out."""

    code = "sign_on_not_tried"


class StillEnforced(Conflict):
    """People sign in by this alone; allow other ways first."""

    code = "sign_on_enforced"


class SupportForbidden(Forbidden):
    """This client does not let support in."""

    code = "support_forbidden"


class SupportOver(Conflict):
    """This support access is decided or over."""

    code = "support_over"


class NotProvisionable(Unprocessable):
    """This person belongs to somebody else too, so they cannot be changed from here."""

    code = "not_provisionable"


class Taken(Conflict):
    """Somebody is kept under this user name already."""

    code = "uniqueness"


class AdminByHand(Forbidden):
    """Nobody becomes an admin by a directory; give that role by hand."""

    code = "admin_by_hand"


class NotYours(Conflict):
    """This login belongs to somebody who has to do elsewhere too, or is your own: ask the platform's operators."""

    code = "login_not_yours"
