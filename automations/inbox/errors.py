"""What can go wrong between two reviewers and a case."""

from kernel.errors import Conflict, Invalid, NotFound


class CaseUnknown(NotFound):
    """There is no such case."""

    code = "case_unknown"


class CaseAlreadyDecided(Conflict):
    """Somebody else decided this case."""

    code = "case_already_decided"


class CaseChanged(Conflict):
    """This case has changed since you saw it; look again before you decide."""

    code = "case_changed"


class SecondNeeded(Conflict):
    """So much money takes a second person: ask for the decision, and somebody else agrees to it."""

    code = "second_needed"


class SecondIsFirst(Conflict):
    """Who asked for this cannot agree to it as well."""

    code = "second_is_first"


class IntentOver(Conflict):
    """This can no longer be undone or agreed to."""

    code = "intent_over"


class CaseClosed(Conflict):
    """This case is closed."""

    code = "case_closed"


class CaseOpen(Conflict):
    """This case is open."""

    code = "case_open"


class RunWaits(Conflict):
    """The run behind this case still waits: try again, correct, skip or complete its step, or cancel it."""

    code = "run_waits"


class NotDecidable(Invalid):
    """This cannot be decided for a case of this kind."""

    code = "not_decidable"
