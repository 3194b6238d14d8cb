"""The one error of the launcher: it ends the start with one line."""

import errno


class Refused(Exception):
    """Something on this machine does not allow the start; the text is one line for the person who asked."""


def refused_by(error: OSError, doing: str, remedy: str = "") -> Refused:
    """`error` as one line: what was being done, why it failed, what to do about it."""
    if error.errno == errno.ENOSPC:
        return Refused(
            f"{doing}: no space left on the device; free some, or set PORTAL_HOME to a folder on another"
        )
    why = (error.strerror or str(error)).lower()
    return Refused(f"{doing}: {why}{'; ' + remedy if remedy else ''}")
