"""One colour in, fourteen roles out, every pairing readable (WCAG 2.2 AA), whatever the colour.

Computed in OKLCH (Björn Ottosson, "A perceptual color space for image processing", 2020), where lightness is what
the eye sees: the hue is kept, chroma is reduced until the colour can be shown, lightness moves until it can be read.
"""

import math
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Final

from django.utils.translation import gettext_noop as _

INK: Final = "#0b0f17"
WHITE: Final = "#ffffff"
LIGHT_PAGE: Final = "#f0f2f5"  # the least light background that a link stands on
DARK_PAGE: Final = "#1a1f2a"  # the least dark one
DARK_SURFACE: Final = "#12161f"
TEXT: Final = 4.6  # AA asks 4.5; the rest is for rounding
EDGE: Final = 3.0
_COSTS_AT_MOST: Final = 0.12
_STEP: Final = 0.008
_HEX: Final = re.compile(r"^#[0-9a-f]{6}$")
VERSION: Final = "1"
"""Part of the address of every palette; raise it when the rules below change."""


@dataclass(frozen=True, slots=True)
class Palette:
    """The roles: fill, what is written on it, its edge, text, two soft backgrounds, light and dark; two sidebars."""

    solid: str
    on: str
    edge: str
    text: str
    soft: str
    soft2: str
    dsolid: str
    don: str
    dedge: str
    dtext: str
    dsoft: str
    dsoft2: str
    side: str
    side2: str

    def roles(self) -> dict[str, str]:
        """Role to colour, as the style sheet's variables name them (`--b-<role>`)."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Check:
    """A pairing that somebody has to read: what it is, both colours, the ratio, and what it has to be."""

    name: str
    colour: str
    background: str
    ratio: float
    wanted: float

    @property
    def passes(self) -> bool:
        """Whether the ratio is reached."""
        return self.ratio >= self.wanted


def is_colour(text: str) -> bool:
    """Whether `text` is a colour as we keep it: # and six small hexadecimal digits."""
    return bool(_HEX.fullmatch(text))


def palette(colour: str) -> Palette:
    """The roles of `colour` (#rrggbb)."""
    chroma, hue = to_oklch(colour)[1:]
    soft = from_oklch(0.965, min(chroma, 0.025), hue)
    dark_soft = from_oklch(0.27, min(chroma, 0.05), hue)
    fill, on = _fill(colour, WHITE)
    dark_fill, dark_on = _fill(colour, DARK_SURFACE)
    return Palette(
        solid=fill,
        on=on,
        edge=_readable(fill, WHITE, EDGE),
        text=_readable_on_all(colour, (LIGHT_PAGE, soft), TEXT),
        soft=soft,
        soft2=from_oklch(0.91, min(chroma, 0.06), hue),
        dsolid=dark_fill,
        don=dark_on,
        dedge=_readable(dark_fill, DARK_SURFACE, EDGE),
        dtext=_readable_on_all(colour, (DARK_PAGE, dark_soft), TEXT),
        dsoft=dark_soft,
        dsoft2=from_oklch(0.36, min(chroma, 0.07), hue),
        side=from_oklch(0.24, min(chroma, 0.045), hue),
        side2=from_oklch(0.32, min(chroma, 0.06), hue),
    )


def checks(found: Palette) -> list[Check]:
    """The eleven pairings that pages show, with their ratios."""
    pairs = (
        (_("Button, light"), found.on, found.solid, 4.5),
        (_("Edge of a button, light"), found.edge, WHITE, EDGE),
        (_("Links and active items, light"), found.text, LIGHT_PAGE, 4.5),
        (_("Selected item, light"), found.text, found.soft, 4.5),
        (_("Body text on a selected item, light"), "#141821", found.soft2, 4.5),
        (_("Button, dark"), found.don, found.dsolid, 4.5),
        (_("Edge of a button, dark"), found.dedge, DARK_SURFACE, EDGE),
        (_("Links, dark"), found.dtext, DARK_PAGE, 4.5),
        (_("Selected item, dark"), found.dtext, found.dsoft, 4.5),
        (_("Sidebar"), "#c6ccd8", found.side, 4.5),
        (_("Active item of the sidebar"), WHITE, found.side2, 4.5),
    )
    return [Check(name, one, other, contrast(one, other), wanted) for name, one, other, wanted in pairs]


def contrast(one: str, other: str) -> float:
    """WCAG's ratio of two colours, from 1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def to_oklch(colour: str) -> tuple[float, float, float]:
    """Lightness (0 to 1), chroma and hue (degrees) of `#rrggbb`."""
    red, green, blue = (_linear(part) for part in _parts(colour))
    long = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    middle = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    lightness = 0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short
    a = 1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short
    b = 0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short
    return lightness, math.hypot(a, b), math.degrees(math.atan2(b, a)) % 360


def from_oklch(lightness: float, chroma: float, hue: float) -> str:
    """`#rrggbb`; chroma is reduced until a screen can show it."""
    angle = math.radians(hue)
    for _turn in range(80):
        a, b = chroma * math.cos(angle), chroma * math.sin(angle)
        long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
        middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
        short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
        parts = (
            4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
            -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
            -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short,
        )
        if all(-0.0005 <= part <= 1.0005 for part in parts):
            break
        chroma *= 0.94
    return "#" + "".join(f"{round(_encoded(min(max(part, 0.0), 1.0)) * 255):02x}" for part in parts)


def _fill(colour: str, surface: str) -> tuple[str, str]:
    """A fill and what is written on it.

    White text where that costs little lightness; else the partner's own hue stays and the text is ink: the first
    rule alone would turn an orange brown.
    """
    darkened = _readable(colour, WHITE, TEXT)
    cost = to_oklch(colour)[0] - to_oklch(darkened)[0]
    if cost <= _COSTS_AT_MOST and contrast(darkened, surface) >= EDGE:
        return darkened, WHITE
    return _readable(colour, INK, TEXT), INK


def _readable(colour: str, background: str, wanted: float) -> str:
    """`colour` with its lightness moved away from `background` until the ratio is `wanted`."""
    if contrast(colour, background) >= wanted:
        return colour
    lightness, chroma, hue = to_oklch(colour)
    darker = _luminance(background) > 0.18
    while 0 < lightness < 1:
        lightness += -_STEP if darker else _STEP
        moved = from_oklch(lightness, chroma, hue)
        if contrast(moved, background) >= wanted:
            return moved
    return "#000000" if darker else WHITE


def _readable_on_all(colour: str, backgrounds: Iterable[str], wanted: float) -> str:
    for background in sorted(backgrounds, key=lambda one: contrast(colour, one)):
        colour = _readable(colour, background, wanted)
    return colour


def _parts(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)


def _encoded(part: float) -> float:
    return 12.92 * part if part <= 0.0031308 else float(1.055 * part ** (1 / 2.4) - 0.055)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(part) for part in _parts(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
