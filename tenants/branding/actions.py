"""What can be done with a brand: set it, set its logo."""

import io
from datetime import datetime
from typing import Final

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from PIL import Image, UnidentifiedImageError

from kernel.actor import Actor
from kernel.errors import Invalid
from tenants.audit.actions import record
from tenants.branding.errors import BadColour, BadLogo
from tenants.branding.models import Brand
from tenants.branding.palette import is_colour
from tenants.branding.queries import DEFAULT_COLOUR, forget_brands
from tenants.tenancy.models import Partner

LOGO_BYTES: Final = 1_048_576
_LOGO_SIDE: Final = 4_000
_SHOWN: Final = (640, 160)  # twice the largest size on a page


def set_brand(
    *,
    partner: Partner,
    name: str,
    colour: str,
    sidebar: str,
    support_email: str,
    support_url: str,
    actor: Actor,
    now: datetime,
) -> Brand:
    """Set how a partner's portal is called and looks. Raises Invalid, naming the field."""
    actor.require("branding.edit")
    colour = colour.strip().lower()
    if not is_colour(colour):
        raise BadColour(fields={"colour": [str(BadColour.__doc__)]})
    if not name.strip():
        raise Invalid(fields={"name": ["Give the portal a name."]})
    if support_email:
        _check_email(support_email)
    if support_url and not support_url.startswith("https://"):
        raise Invalid(fields={"support_url": ["Use an address that starts with https://."]})
    values = {
        "name": name.strip(),
        "colour": colour,
        "sidebar": sidebar if sidebar in ("light", "dark") else "light",
        "support_email": support_email,
        "support_url": support_url,
    }
    with transaction.atomic():
        brand = _locked(partner, now)
        before = {field: getattr(brand, field) for field in values}
        for field, value in values.items():
            setattr(brand, field, value)
        brand.updated_at = now
        brand.save(update_fields=[*values, "updated_at"])
        record(
            actor=actor,
            action="branding.edit",
            obj=brand,
            now=now,
            before=before,
            after=values,
            partner_id=partner.id,
        )
    forget_brands()
    return brand


def set_logo(*, partner: Partner, picture: bytes | None, actor: Actor, now: datetime) -> Brand:
    """Set a partner's logo, drawn anew as PNG so that nothing but pixels is kept; None takes it away."""
    actor.require("branding.edit")
    drawn = _redraw(picture) if picture is not None else None
    with transaction.atomic():
        brand = _locked(partner, now)
        before = {"logo": "a picture" if brand.logo else "none"}
        brand.logo, brand.updated_at = drawn, now
        brand.save(update_fields=["logo", "updated_at"])
        record(
            actor=actor,
            action="branding.set_logo",
            obj=brand,
            now=now,
            before=before,
            after={"logo": f"a picture of {len(drawn)} bytes" if drawn else "none"},
            partner_id=partner.id,
        )
    forget_brands()
    return brand


def _check_email(address: str) -> None:
    try:
        validate_email(address)
    except ValidationError:
        raise Invalid(fields={"support_email": ["This is no e-mail address."]}) from None


def _locked(partner: Partner, now: datetime) -> Brand:
    Brand.objects.get_or_create(
        partner=partner, defaults={"name": partner.name, "colour": DEFAULT_COLOUR, "updated_at": now}
    )
    return Brand.objects.select_for_update().get(partner=partner)


def _redraw(picture: bytes) -> bytes:
    """The picture as a PNG of at most the shown size; its metadata and whatever else the file held are gone."""
    if len(picture) > LOGO_BYTES:
        raise BadLogo(fields={"logo": [str(BadLogo.__doc__)]})
    try:
        with Image.open(io.BytesIO(picture), formats=("PNG", "WEBP", "JPEG")) as opened:
            if max(opened.size) > _LOGO_SIDE:
                raise BadLogo(fields={"logo": [str(BadLogo.__doc__)]})
            drawn = opened.convert("RGBA")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise BadLogo(fields={"logo": [str(BadLogo.__doc__)]}) from error
    drawn.thumbnail(_SHOWN, Image.Resampling.LANCZOS)
    out = io.BytesIO()
    clean = Image.new("RGBA", drawn.size)
    clean.paste(drawn)
    clean.save(out, "PNG", optimize=True)
    return out.getvalue()
