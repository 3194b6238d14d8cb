"""What a brand is made of on the wire: a style sheet, a mark, a logo; each under an address that never changes."""

from typing import Final

from django.http import HttpResponse
from django.utils.html import escape

from kernel.errors import NotFound
from portal.permissions import door
from portal.request import PortalRequest
from tenants.branding import queries
from tenants.branding.palette import Palette, palette

_FOR_EVER: Final = "public, max-age=31536000, immutable"
_SHORTLY: Final = "public, max-age=60"
_PICTURE_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


def variables(found: Palette, selector: str = ":root") -> str:
    """The palette as custom properties."""
    return f"{selector}{{{''.join(f'--b-{role}:{colour};' for role, colour in found.roles().items())}}}\n"


def mark_svg(letter: str, colour: str) -> str:
    """The mark: a letter on the partner's colour, in the one of black and white that can be read on it."""
    found = palette(colour)
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" width="32" height="32">'
        f'<rect width="32" height="32" rx="9" fill="{found.solid}" stroke="{found.edge}"/>'
        '<text x="16" y="22" text-anchor="middle" font-family="Inter,system-ui,sans-serif" font-size="17"'
        f' font-weight="750" fill="{found.on}">{escape(letter)}</text></svg>\n'
    )


def _brand(request: PortalRequest, slug: str) -> queries.BrandRef:
    """The brand of this host's partner; another's slug is nothing here."""
    partner = request.portal.partner
    if partner is None or partner.slug != slug:
        raise NotFound
    return queries.brand_of(partner)


def _file(content: str | bytes, kind: str, *, fresh: bool) -> HttpResponse:
    """`content` for ever under the address of its version; a page from before asks by an older one and gets today's."""
    response = HttpResponse(content, content_type=kind)
    response["Cache-Control"] = _FOR_EVER if fresh else _SHORTLY
    return response


@door(public=True)
def css(request: PortalRequest, slug: str, version: str) -> HttpResponse:
    """The palette of a brand."""
    brand = _brand(request, slug)
    return _file(variables(palette(brand.colour)), "text/css", fresh=version == brand.version)


@door(public=True)
def mark(request: PortalRequest, slug: str, version: str) -> HttpResponse:
    """The mark of a brand, which is its favicon as well."""
    brand = _brand(request, slug)
    return _file(mark_svg(brand.letter, brand.colour), "image/svg+xml", fresh=version == brand.version)


@door(public=True)
def logo(request: PortalRequest, slug: str, version: str) -> HttpResponse:
    """The logo of a brand."""
    return _picture(request, slug, version, "logo")


@door(public=True)
def favicon(request: PortalRequest, slug: str, version: str) -> HttpResponse:
    """The small picture that browsers show."""
    return _picture(request, slug, version, "favicon")


def _picture(request: PortalRequest, slug: str, version: str, which: str) -> HttpResponse:
    brand = _brand(request, slug)
    assert request.portal.partner is not None
    found = queries.picture_of(request.portal.partner.id, which)
    if found is None:
        raise NotFound
    kind, picture = found
    response = _file(picture, kind, fresh=version == brand.version)
    # a drawing was cleaned when it came in; opened by itself it may nevertheless do nothing at all
    response["Content-Security-Policy"] = _PICTURE_POLICY
    return response
