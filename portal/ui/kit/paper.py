"""Documents as PDF in a partner's brand: its colour, name and contact on every sheet, and nobody else's anywhere."""

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from django.utils import translation
from fpdf import FPDF
from fpdf.enums import XPos, YPos

from portal.env import ROOT
from tenants.branding.palette import palette
from tenants.branding.queries import BrandRef

# what it says about each glyph is of no use to anybody
logging.getLogger("fontTools").setLevel(logging.WARNING)
logging.getLogger("fpdf").setLevel(logging.WARNING)
_FONTS: Final = ROOT / "static" / "vendor" / "inter"
_MARGIN: Final = 18.0
_INK: Final = "#141821"
_FADED: Final = "#626a7a"
_LINE: Final = "#e3e6eb"


class Paper(FPDF):
    """A document of A4 sheets; write with `heading`, `line` and `table`, then `content()`."""

    def __init__(self, brand: BrandRef, title: str, place: str, at: datetime) -> None:
        """`place` is whose document it is, `at` when it was made."""
        super().__init__(format="A4")
        self.brand, self.colours, self.place = brand, palette(brand.colour), place
        self.set_margins(_MARGIN, 30, _MARGIN)
        self.set_auto_page_break(auto=True, margin=24)
        self.add_font("inter", "", _FONTS / "inter-latin.woff2")
        self.add_font("inter-ext", "", _FONTS / "inter-latin-ext.woff2")
        self.set_fallback_fonts(["inter-ext"], exact_match=False)
        for name, word in (("title", title), ("author", brand.name), ("creator", brand.name)):
            getattr(self, f"set_{name}")(word)
        self.set_producer(brand.name)
        self.set_lang(translation.get_language() or "en")
        self.set_creation_date(at)
        self.add_page()
        self.heading(title, 20)
        self.line_of(place, faded=True)
        self.ln(4)

    def header(self) -> None:
        """The partner's colour and name, on every sheet."""
        self.set_fill_color(self.colours.solid)
        self.rect(0, 0, self.w, 4, style="F")
        self.set_xy(_MARGIN, 12)
        self._ink(_INK, 12)
        self.cell(text=self.brand.name)
        self.set_xy(_MARGIN, 30)

    def footer(self) -> None:
        """How to reach them, what the law asks for, and the number of the sheet."""
        self.set_y(-16)
        self._ink(_FADED, 8)
        self.cell(w=self.epw * 0.85, text=" · ".join(self._contact()))
        self.cell(w=self.epw * 0.15, text=str(self.page_no()), align="R")

    def _contact(self) -> Iterable[str]:
        yield self.brand.name
        if self.brand.support_email:
            yield self.brand.support_email
        for _word, url in self.brand.legal:
            yield url

    def heading(self, text: str, size: float = 13) -> None:
        """A line in large letters."""
        self._ink(_INK, size)
        self.multi_cell(w=self.epw, text=text, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(1)

    def line_of(self, text: str, *, faded: bool = False) -> None:
        """A line of text."""
        self._ink(_FADED if faded else _INK, 10)
        self.multi_cell(w=self.epw, text=text, new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def grid(self, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """A table; all but the first column stand on the right."""
        self._ink(_INK, 9)
        self.set_draw_color(_LINE)
        columns = ("LEFT", *["RIGHT"] * (len(head) - 1))
        with self.table(
            borders_layout="HORIZONTAL_LINES",
            text_align=columns,
            line_height=6,
            first_row_as_headings=False,
            num_heading_rows=0,
        ) as made:
            for row in (head, *rows):
                made.row([str(cell) for cell in row])
        self.ln(4)

    def content(self) -> bytes:
        """The document."""
        return bytes(self.output())

    def _ink(self, colour: str, size: float) -> None:
        self.set_text_color(colour)
        self.set_font("inter", size=size)
