"""What somebody is known by, kept sealed."""

from collections.abc import Sequence
from typing import Any, Final

from kernel import jsonx, secrets
from kernel.persons import normal
from tenants.privacy import queries
from tenants.privacy.models import LegalHold

SUBJECT: Final = "subject_request"
ERASURE: Final = "erasure"
HOLD: Final = "legal_hold"


def sealed(terms: Sequence[str], *, row: Any, purpose: str) -> bytes:
    """Terms as they are kept, under the key of the tenant that is entered."""
    return secrets.keep(jsonx.dumps(list(terms)), row=row.pk, version=1, purpose=purpose)


def opened(row: Any, *, purpose: str) -> list[str]:
    """The terms of a request, a hold or a line of the ledger; none once they are destroyed. Raises SecretUnreadable."""
    if row.terms is None:
        return []
    raw = secrets.opened(bytes(row.terms), row=row.pk, version=1, purpose=purpose)
    return list(jsonx.loads(raw))


def same(terms: Sequence[str], others: Sequence[str]) -> bool:
    """Whether two people share anything that they are known by."""
    return bool({normal(one) for one in terms} & {normal(one) for one in others})


def hold_over(terms: Sequence[str], keys: Sequence[str]) -> LegalHold | None:
    """A hold in force that covers a person, or one of the orders that they are in; None where none does."""
    wanted = set(keys)
    for row in queries.holds():
        if row.everything or wanted & set(row.keys) or same(terms, opened(row, purpose=HOLD)):
            found: LegalHold = row
            return found
    return None
