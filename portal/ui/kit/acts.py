"""Acts of the audit in words. Rooms add theirs by `ACTS.update(…)`; an act without words is shown by its name."""

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

ACTS: Final[dict[str, str | Promise]] = {
    "access.add_member": _("Let somebody in"),
    "access.set_role": _("Changed a role"),
    "access.remove_member": _("Took a role away"),
    "access.make_token": _("Made an API token"),
    "access.revoke_token": _("Revoked an API token"),
    "access.grant": _("Gave a right on one object"),
    "access.withdraw": _("Took a right on one object back"),
    "access.set_preferences": _("Changed their profile"),
    "access.set_password": _("Changed their password"),
    "branding.edit": _("Changed the brand"),
    "branding.set_logo": _("Changed the logo"),
    "tenancy.create_partner": _("Made a partner"),
    "tenancy.provision": _("Asked for a new client"),
    "tenancy.provisioned": _("Set a client up"),
    "tenancy.rolled_back": _("Took a half-made client back"),
    "tenancy.lifecycle": _("Changed a client's state"),
    "tenancy.clock": _("Set the clock of a sandbox"),
    "tenancy.migrated": _("Migrated a client's data"),
}


def act(name: str) -> str:
    """`branding.edit` in words."""
    return str(ACTS.get(name, name))
