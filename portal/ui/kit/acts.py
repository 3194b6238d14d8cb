"""Acts of the audit in words. Rooms add theirs by `ACTS.update(…)`; an act without words is shown by its name."""

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

ACTS: Final[dict[str, str | Promise]] = {
    "access.add_member": _("Let somebody in"),
    "access.invite": _("Sent an invitation"),
    "access.accept": _("Accepted an invitation"),
    "access.set_role": _("Changed a role"),
    "access.remove_member": _("Took a role away"),
    "access.make_token": _("Made an API token"),
    "access.rotate_token": _("Renewed an API token"),
    "access.revoke_token": _("Revoked an API token"),
    "access.grant": _("Gave a right on one object"),
    "access.withdraw": _("Took a right on one object back"),
    "access.make_role": _("Made a role"),
    "access.change_role": _("Changed what a role may do"),
    "access.drop_role": _("Removed a role"),
    "access.forbid_pair": _("Kept two duties apart"),
    "access.allow_pair": _("Let two duties be held at once"),
    "access.set_scope": _("Set what somebody is let in for"),
    "access.start_review": _("Began an access review"),
    "access.decide_item": _("Decided on a right in a review"),
    "access.sign_review": _("Signed an access review"),
    "access.set_preferences": _("Changed their profile"),
    "access.set_password": _("Changed their password"),
    "audit.export": _("Exported the audit log"),
    "audit.check_failed": _("Found the audit log changed"),
    "audit.erase": _("Erased personal data of an event"),
    "audit.create_stream": _("Sent the audit log on"),
    "audit.set_stream_active": _("Stopped or resumed an audit stream"),
    "audit.delete_stream": _("Removed an audit stream"),
    "vault.rotate_data_key": _("Made a new data key"),
    "vault.rotate_master_key": _("Made a new master key"),
    "vault.wrap_data_keys": _("Wrapped data keys anew"),
    "vault.forget_master_keys": _("Forgot old master keys"),
    "branding.edit": _("Changed the brand"),
    "branding.set_logo": _("Changed the logo"),
    "branding.draft": _("Drafted the brand"),
    "branding.publish": _("Published the brand"),
    "branding.discard": _("Threw a draft of the brand away"),
    "branding.roll_back": _("Went back to an earlier brand"),
    "branding.claim_domain": _("Claimed a domain"),
    "branding.verify_domain": _("Proved a domain"),
    "branding.make_primary": _("Chose the domain of links"),
    "branding.release_domain": _("Gave a domain back"),
    "branding.lose_domain": _("Lost a domain whose proof was gone"),
    "branding.set_favicon": _("Changed the small picture"),
    "notices.set_rules": _("Chose what they are told"),
    "notices.create_channel": _("Made a channel"),
    "notices.set_channel_active": _("Stopped or resumed a channel"),
    "notices.try_channel": _("Sent a trial to a channel"),
    "notices.delete_channel": _("Removed a channel"),
    "tenancy.create_partner": _("Made a partner"),
    "tenancy.provision": _("Asked for a new client"),
    "tenancy.provisioned": _("Set a client up"),
    "tenancy.cancel_provisioning": _("Called the setting up of a client off"),
    "tenancy.rolled_back": _("Took a half-made client back"),
    "tenancy.lifecycle": _("Changed a client's state"),
    "tenancy.request_deletion": _("Asked for the deletion of a client"),
    "tenancy.cancel_deletion": _("Kept a client that was to be deleted"),
    "tenancy.deleted": _("Deleted a client for good"),
    "tenancy.hold": _("Held a client back from migrations, or let it go on"),
    "tenancy.clock": _("Set the clock of a sandbox"),
    "tenancy.migrated": _("Migrated a client's data"),
}


def act(name: str) -> str:
    """`branding.edit` in words."""
    return str(ACTS.get(name, name))
