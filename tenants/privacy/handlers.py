"""The privacy room follows tenants: one that comes back from a backup forgets again who was erased."""

from collections.abc import Sequence
from typing import Any

from tenants.privacy.actions.erasures import replay_erasures
from tenants.privacy.models import Erasure, LegalHold, SubjectRequest
from tenants.privacy.policy import ERASURE, HOLD, SUBJECT
from tenants.tenancy.queries import TenantRef
from tenants.tenancy.registry import revival
from tenants.vault.registry import SealedColumn, sealed_column


@revival
def erase_again(ref: TenantRef) -> None:
    """Erase everybody of the ledger, before the tenant opens."""
    replay_erasures(ref)


def _unlisted(_: Sequence[Any]) -> list[Any]:
    """Nobody gave these as secrets, so no list of secrets shows them."""
    return []


for model, purpose in ((SubjectRequest, SUBJECT), (Erasure, ERASURE), (LegalHold, HOLD)):
    sealed_column(SealedColumn(model, "terms", purpose, "Data subject", told=_unlisted, listed=False))
