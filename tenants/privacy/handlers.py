"""The privacy room follows tenants: one that comes back from a backup forgets again who was erased."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from tenants.privacy.actions.erasures import adopt_ledger, replay_erasures, require_names
from tenants.privacy.models import Erasure, LegalHold, SubjectRequest
from tenants.privacy.policy import ERASURE, HOLD, SUBJECT
from tenants.tenancy.queries import TenantRef
from tenants.tenancy.registry import revival
from tenants.vault.registry import SealedColumn, sealed_column


@revival
def erase_again(ref: TenantRef, origin: UUID, as_of: datetime) -> None:
    """Erase everybody of the ledger of the tenant whose rows they were, before the tenant opens."""
    require_names(origin, since=as_of)
    if origin != ref.id:
        adopt_ledger(ref, origin)
    replay_erasures(ref)


def _unlisted(_: Sequence[Any]) -> list[Any]:
    """Nobody gave these as secrets, so no list of secrets shows them."""
    return []


for model, purpose in ((SubjectRequest, SUBJECT), (Erasure, ERASURE), (LegalHold, HOLD)):
    sealed_column(SealedColumn(model, "terms", purpose, "Data subject", told=_unlisted, listed=False))
