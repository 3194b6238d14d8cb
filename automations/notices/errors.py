"""What can go wrong with notices."""

from kernel.errors import PortalError


class PassSpent(PortalError):
    """This link has been used, is too old, or is not yours."""

    code = "pass_spent"
    status = 410
    benign = True
