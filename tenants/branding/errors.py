"""What can go wrong with a brand."""

from kernel.errors import Conflict, Invalid


class BadColour(Invalid):
    """Use a colour such as #5b5bd6."""

    code = "bad_colour"


class BadLogo(Invalid):
    """Use a PNG, WebP or JPEG picture of at most 1 MB and 4000 pixels a side, or a plain SVG drawing."""

    code = "bad_logo"


class HostTaken(Conflict):
    """This host name is in use, or was until lately."""

    code = "host_taken"


class NotProven(Conflict):
    """The text record is not there yet."""

    code = "not_proven"
