"""What can be done with a brand: draft it, publish it, go back to an earlier one, set its pictures."""

from tenants.branding.actions.domains import (
    claim_domain,
    forget_claims,
    make_primary,
    recheck_domain,
    release_domain,
    verify_domain,
)
from tenants.branding.actions.editing import (
    discard_draft,
    publish_draft,
    roll_back,
    save_draft,
    set_brand,
)
from tenants.branding.actions.pictures import LOGO_BYTES, set_favicon, set_logo

__all__ = [
    "LOGO_BYTES",
    "claim_domain",
    "discard_draft",
    "forget_claims",
    "make_primary",
    "publish_draft",
    "recheck_domain",
    "release_domain",
    "roll_back",
    "save_draft",
    "set_brand",
    "set_favicon",
    "set_logo",
    "verify_domain",
]
