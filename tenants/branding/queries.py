"""Reads of the branding room: the brand of a partner, with a sensible one where none was set."""

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext_noop as _

from tenants.branding.enums import PNG
from tenants.branding.models import Brand, BrandVersion, DomainClaim
from tenants.branding.palette import VERSION
from tenants.tenancy.models import Domain
from tenants.tenancy.queries import PartnerRef

DEFAULT_COLOUR: Final = "#5b5bd6"
_SECONDS: Final = 1.0
_SOON: Final = timedelta(minutes=10)
_DAILY: Final = timedelta(days=1)
_brands: dict[UUID, tuple[float, "BrandRef"]] = {}


@dataclass(frozen=True, slots=True)
class BrandRef:
    """A brand, as much as a page needs; `version` changes whenever a style sheet or picture made from it would."""

    slug: str
    name: str
    colour: str
    sidebar: str
    support_email: str
    support_url: str
    has_logo: bool
    version: str
    has_favicon: bool = False
    sender_name: str = ""
    imprint_url: str = ""
    privacy_url: str = ""
    terms_url: str = ""
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def sender(self) -> str:
        """Whose name stands on a mail."""
        return self.sender_name or self.name

    @property
    def legal(self) -> tuple[tuple[str, str], ...]:
        """(word, address) of the pages that the law asks for."""
        found = (
            (_("Legal notice"), self.imprint_url),
            (_("Privacy"), self.privacy_url),
            (_("Terms"), self.terms_url),
        )
        return tuple((word, url) for word, url in found if url)

    def word(self, key: str, language: str) -> str:
        """The partner's own word for something; empty where it has none."""
        return self.words.get(language, {}).get(key, "")

    @property
    def letter(self) -> str:
        """What stands in the mark."""
        return next((letter for letter in self.name if letter.isalnum()), "•").upper()


def _version(*parts: str) -> str:
    return hashlib.sha256("\x1f".join((VERSION, *parts)).encode()).hexdigest()[:10]


def neutral(slug: str = "portal", name: str = "") -> BrandRef:
    """A brand that belongs to nobody, for pages that must not say whose portal this is."""
    return BrandRef(slug, name, DEFAULT_COLOUR, "light", "", "", False, _version(DEFAULT_COLOUR, name[:1]))


def brand_of(partner: PartnerRef) -> BrandRef:
    """The brand of `partner`; remembered for a second, since every page asks."""
    remembered = _brands.get(partner.id)
    if remembered and remembered[0] > time.monotonic():
        return remembered[1]
    row = Brand.objects.filter(partner_id=partner.id).first()
    found = ref_of(row, partner.slug) if row else neutral(partner.slug, partner.name)
    if len(_brands) > 1_000:
        _brands.clear()
    _brands[partner.id] = (time.monotonic() + _SECONDS, found)
    return found


def ref_of(row: Brand, slug: str) -> BrandRef:
    """The frozen form of a brand row."""
    pictures = [hashlib.sha256(bytes(one)).hexdigest() if one else "" for one in (row.logo, row.favicon)]
    return BrandRef(
        slug=slug,
        name=row.name,
        colour=row.colour,
        sidebar=row.sidebar,
        support_email=row.support_email,
        support_url=row.support_url,
        has_logo=bool(row.logo),
        version=_version(row.colour, row.name[:1], *pictures),
        has_favicon=bool(row.favicon),
        sender_name=row.sender_name,
        imprint_url=row.imprint_url,
        privacy_url=row.privacy_url,
        terms_url=row.terms_url,
        words=row.words,
    )


def forget_brands() -> None:
    """Look every brand up again at its next use, in this process."""
    _brands.clear()


def row_of(partner_id: UUID) -> Brand | None:
    """The brand row of a partner, if one was saved."""
    return Brand.objects.filter(partner_id=partner_id).first()


def draft_of(partner_id: UUID) -> BrandVersion | None:
    """What a partner's brand is to become, if somebody has begun with that."""
    return BrandVersion.objects.filter(partner_id=partner_id, published_at__isnull=True).first()


def versions_of(partner_id: UUID) -> list[BrandVersion]:
    """The last fifty versions that were published, newest first, without their pictures."""
    found = BrandVersion.objects.filter(partner_id=partner_id, published_at__isnull=False)
    return list(found.defer("logo", "favicon")[:50])


def picture_of(partner_id: UUID, which: str) -> tuple[str, bytes] | None:
    """(kind, content) of a partner's logo or favicon."""
    found = Brand.objects.filter(partner_id=partner_id).values_list(which, f"{which}_type").first()
    return (found[1] or PNG, bytes(found[0])) if found and found[0] else None


def proof_name(host: str) -> str:
    """The name of the text record that proves a domain."""
    return f"_portal-challenge.{host}"


def proof_value(claim: DomainClaim) -> str:
    """What the text record has to say."""
    return f"portal-verify={claim.nonce}"


def claims_of(partner_id: UUID) -> Any:
    """A partner's own names with whose they are, in their order."""
    return DomainClaim.objects.filter(partner_id=partner_id).select_related("partner", "tenant")


def claims_to_check(now: datetime) -> list[UUID]:
    """Claims whose proof should be looked for: unproven ones each ten minutes, proven ones each day."""
    stale = Q(checked_at__isnull=True) | Q(verified_at__isnull=False, checked_at__lt=now - _DAILY)
    stale |= Q(verified_at__isnull=True, checked_at__lt=now - _SOON)
    return list(DomainClaim.objects.filter(stale).values_list("id", flat=True)[:100])


def primary_hosts(partner_id: UUID) -> dict[UUID | None, str]:
    """The names by which a partner's portals go: by client, and None for its console."""
    found = Domain.objects.filter(partner_id=partner_id, is_primary=True, verified_at__isnull=False)
    return dict(found.values_list("tenant_id", "host"))
