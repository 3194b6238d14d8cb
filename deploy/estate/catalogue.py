"""What the shop sells: an outdoor and home range with a price in each currency."""

from dataclasses import dataclass
from typing import Final

CURRENCIES: Final = ("GBP", "EUR", "USD", "BRL")
_RATES: Final = {"GBP": 1.0, "EUR": 1.17, "USD": 1.28, "BRL": 6.9}


@dataclass(frozen=True)
class Product:
    """One stock keeping unit; `prices` in minor units by currency."""

    sku: str
    title: str
    variant: str
    grams: int
    prices: dict[str, int]


def _priced(pounds: int) -> dict[str, int]:
    """A shop price in each currency: whole units and ninety-nine."""
    return {currency: round(pounds * rate) * 100 - 1 for currency, rate in _RATES.items()}


_RANGE: Final = (
    ("RAIN", "Harbour rain jacket", 89, 640, ("S", "M", "L", "XL")),
    ("FLEE", "Fellside fleece", 55, 480, ("S", "M", "L")),
    ("TROU", "Walking trousers", 62, 510, ("30", "32", "34", "36")),
    ("SOCK", "Merino socks, two pairs", 18, 120, ("36-40", "41-46")),
    ("BOOT", "Ridge boots", 135, 1380, ("39", "41", "43", "45")),
    ("PACK", "Day pack 24 l", 74, 890, ("Moss", "Slate")),
    ("TENT", "Two-person tent", 249, 2450, ("Olive",)),
    ("MATS", "Sleeping mat", 68, 560, ("Regular", "Long")),
    ("STOV", "Gas stove", 47, 310, ("Single",)),
    ("MUGS", "Enamel mug", 12, 180, ("White", "Blue", "Green")),
    ("LAMP", "Camp lantern", 34, 260, ("Brass",)),
    ("BLAN", "Wool blanket", 79, 1250, ("Grey", "Rust")),
    ("BOTT", "Steel bottle 0.75 l", 24, 340, ("Black", "Sand")),
    ("HATS", "Waxed hat", 39, 150, ("M", "L")),
    ("KNIF", "Folding knife", 44, 130, ("Beech",)),
)

CATALOGUE: Final[dict[str, Product]] = {
    product.sku: product
    for code, title, pounds, grams, variants in _RANGE
    for product in (
        Product(f"{code}-{index:02d}", title, variant, grams, _priced(pounds))
        for index, variant in enumerate(variants, start=1)
    )
}
