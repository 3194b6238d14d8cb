"""What can go wrong with a brand."""

from kernel.errors import Invalid


class BadColour(Invalid):
    """Use a colour such as #5b5bd6."""

    code = "bad_colour"


class BadLogo(Invalid):
    """Use a PNG, WebP or JPEG picture of at most 1 MB and 4000 pixels a side."""

    code = "bad_logo"
