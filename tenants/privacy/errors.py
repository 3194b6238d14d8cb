"""What can go wrong when a person's data are dealt with."""

from kernel.errors import Conflict


class TooOld(Conflict):
    """A file from before somebody was erased, of whom no ledger knows any more who it was."""

    code = "too_old"


class OnHold(Conflict):
    """A legal hold covers this person's data; nothing may be erased until it is lifted."""

    code = "on_hold"


class NotReady(Conflict):
    """This request is not at that point."""

    code = "not_ready"
