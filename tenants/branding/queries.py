"""Reads of the branding room: the brand of a partner, with a sensible one where none was set."""

import hashlib
import time
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from tenants.branding.models import Brand
from tenants.branding.palette import VERSION
from tenants.tenancy.queries import PartnerRef

DEFAULT_COLOUR: Final = "#5b5bd6"
_SECONDS: Final = 1.0
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
    picture = hashlib.sha256(bytes(row.logo)).hexdigest() if row.logo else ""
    return BrandRef(
        slug=slug,
        name=row.name,
        colour=row.colour,
        sidebar=row.sidebar,
        support_email=row.support_email,
        support_url=row.support_url,
        has_logo=bool(row.logo),
        version=_version(row.colour, row.name[:1], picture),
    )


def forget_brands() -> None:
    """Look every brand up again at its next use, in this process."""
    _brands.clear()


def row_of(partner_id: UUID) -> Brand | None:
    """The brand row of a partner, if one was saved."""
    return Brand.objects.filter(partner_id=partner_id).first()


def logo_of(partner_id: UUID) -> bytes | None:
    """A partner's logo as PNG."""
    picture = Brand.objects.filter(partner_id=partner_id).values_list("logo", flat=True).first()
    return bytes(picture) if picture else None
