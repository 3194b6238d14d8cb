"""The shipped roles, and the two words for those that a place made itself."""

from enum import Enum

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Role(TextChoices):
    """What a membership makes of a person; `catalog.py` says what each role may do."""

    PARTNER_ADMIN = "partner_admin", _("Partner admin")
    PARTNER_ENGINEER = "partner_engineer", _("Partner engineer")
    TENANT_ADMIN = "tenant_admin", _("Client admin")
    OPERATIONS_MANAGER = "operations_manager", _("Operations manager")
    REVIEWER = "reviewer", _("Exception reviewer")
    STORE_STAFF = "store_staff", _("Store staff")
    ANALYST = "analyst", _("Analyst")
    AUDITOR = "auditor", _("Auditor")
    CUSTOM = "custom", _("Own role")
    PARTNER_CUSTOM = "partner_custom", _("Own role of the partner")


class Staff(Enum):
    """As what a partner's staff stand before a client."""

    OUTSIDE = "outside"
    SUPPORT = "support"
    """Inside for a reason and a time, which the client sees."""
    CONSOLE = "console"
    """Managing it from the partner's own console."""


class Verdict(TextChoices):
    """What a review says of a right that somebody holds."""

    OPEN = "open", _("Not looked at")
    KEPT = "kept", _("Kept")
    REMOVED = "removed", _("Taken away")


class Theme(TextChoices):
    """How a person wants pages lit."""

    AUTO = "auto", _("As the system")
    LIGHT = "light", _("Light")
    DARK = "dark", _("Dark")


class Density(TextChoices):
    """How much a person wants on a page."""

    COMFORTABLE = "comfortable", _("Comfortable")
    COMPACT = "compact", _("Compact")
