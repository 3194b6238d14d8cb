"""A brand's pictures: drawn anew pixel by pixel, or, where they are drawings, rid of everything that could act."""

import io
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from PIL import Image, UnidentifiedImageError
from py_svg_hush import filter_svg

from kernel.actor import Actor
from tenants.audit.actions import record
from tenants.branding.actions.editing import draft_of, keep_version, locked
from tenants.branding.enums import PNG, SVG
from tenants.branding.errors import BadLogo
from tenants.branding.models import Brand
from tenants.branding.queries import forget_brands
from tenants.tenancy.models import Partner

LOGO_BYTES: Final = 1_048_576
_SVG_BYTES: Final = 100_000
_SIDE: Final = 4_000
_LOGO: Final = (640, 160)  # twice the largest size on a page
_FAVICON: Final = (64, 64)
Image.MAX_IMAGE_PIXELS = _SIDE * _SIDE


def set_logo(*, partner: Partner, picture: bytes | None, actor: Actor, now: datetime) -> Brand:
    """Set a partner's logo, of its draft where there is one; None takes it away. Raises BadLogo."""
    return _set("logo", partner=partner, picture=picture, size=_LOGO, actor=actor, now=now)


def set_favicon(*, partner: Partner, picture: bytes | None, actor: Actor, now: datetime) -> Brand:
    """Set the small picture that browsers show, of its draft where there is one; None takes it away. Raises BadLogo."""
    return _set("favicon", partner=partner, picture=picture, size=_FAVICON, actor=actor, now=now)


def _set(
    which: str, *, partner: Partner, picture: bytes | None, size: tuple[int, int], actor: Actor, now: datetime
) -> Brand:
    actor.require("branding.edit")
    kind, drawn = _cleaned(picture, size, which) if picture is not None else ("", None)
    with transaction.atomic():
        brand = locked(partner, now)
        row: Any = draft_of(partner) or brand
        before = {which: "a picture" if getattr(row, which) else "none"}
        setattr(row, which, drawn)
        setattr(row, f"{which}_type", kind)
        row.save()
        if row is brand:
            Brand.objects.filter(pk=brand.pk).update(updated_at=now)
            keep_version(brand, actor, now)
        record(
            actor=actor,
            action=f"branding.set_{which}",
            obj=brand,
            now=now,
            before=before,
            after={which: f"a picture of {len(drawn)} bytes" if drawn else "none", "draft": row is not brand},
            partner_id=partner.id,
        )
    forget_brands()
    return brand


def _cleaned(picture: bytes, size: tuple[int, int], which: str) -> tuple[str, bytes]:
    if len(picture) > LOGO_BYTES:
        raise BadLogo(fields={which: [str(BadLogo.__doc__)]})
    if picture.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
        return SVG, _hushed(picture, which)
    return PNG, _redrawn(picture, size, which)


def _hushed(picture: bytes, which: str) -> bytes:
    """The drawing without scripts, handlers, links and everything that is fetched; text as it came is never kept."""
    try:
        clean = filter_svg(picture)
    except (ValueError, OSError, RuntimeError) as error:
        raise BadLogo(fields={which: [str(BadLogo.__doc__)]}) from error
    if len(clean) > _SVG_BYTES or b"<svg" not in clean[:2_000]:
        raise BadLogo(fields={which: [str(BadLogo.__doc__)]})
    return bytes(clean)


def _redrawn(picture: bytes, size: tuple[int, int], which: str) -> bytes:
    """The picture as a PNG of at most `size`; its metadata and whatever else the file held are gone."""
    try:
        with Image.open(io.BytesIO(picture), formats=("PNG", "WEBP", "JPEG")) as opened:
            if max(opened.size) > _SIDE:
                raise BadLogo(fields={which: [str(BadLogo.__doc__)]})
            drawn = opened.convert("RGBA")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise BadLogo(fields={which: [str(BadLogo.__doc__)]}) from error
    drawn.thumbnail(size, Image.Resampling.LANCZOS)
    out = io.BytesIO()
    clean = Image.new("RGBA", drawn.size)
    clean.paste(drawn)
    clean.save(out, "PNG", optimize=True)
    return out.getvalue()
