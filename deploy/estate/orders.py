"""Orders that customers place in the simulated shop: the same ones for the same seed."""

import random
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from deploy.estate.catalogue import CATALOGUE, Product
from deploy.estate.places import COUNTRIES

SHOP_NAME: Final = "Hollis Outfitters"
_MARKETS: Final = {"GB": 5, "DE": 2, "US": 2, "BR": 1}
_SHIPPING_MINOR: Final = {"GBP": 495, "EUR": 590, "USD": 795, "BRL": 2490}
_FREE_FROM_MINOR: Final = {"GBP": 10_000, "EUR": 12_000, "USD": 12_500, "BRL": 60_000}


@dataclass(frozen=True)
class Line:
    """One line of an order."""

    product: Product
    quantity: int
    unit_minor: int


@dataclass(frozen=True)
class Order:
    """An order as the shop knows it; amounts in minor units of `currency`, taxes included."""

    sequence: int
    placed_at: datetime
    first_name: str
    last_name: str
    email: str
    address: dict[str, str]
    country: str
    currency: str
    lines: tuple[Line, ...]
    shipping_minor: int

    @property
    def customer_name(self) -> str:
        return f"{self.first_name} {self.last_name}"

    @property
    def goods_minor(self) -> int:
        return sum(line.quantity * line.unit_minor for line in self.lines)

    @property
    def total_minor(self) -> int:
        return self.goods_minor + self.shipping_minor


class Customers:
    """A source of orders; `faulty` of them have no postcode, every third of those a mistyped one instead."""

    def __init__(self, seed: int, first_number: int) -> None:
        self._dice = random.Random(seed)
        self.next_number = first_number
        self._faulty = 0

    def order(self, placed_at: datetime, *, faulty: float = 0) -> Order:
        """The next order."""
        dice = self._dice
        country = COUNTRIES[dice.choices(list(_MARKETS), list(_MARKETS.values()))[0]]
        first, last = dice.choice(country.first_names), dice.choice(country.last_names)
        products = dice.sample(list(CATALOGUE.values()), dice.choices((1, 2, 3, 4), (5, 4, 2, 1))[0])
        lines = tuple(
            Line(product, dice.choices((1, 2, 3), (8, 2, 1))[0], product.prices[country.currency])
            for product in products
        )
        goods = sum(line.quantity * line.unit_minor for line in lines)
        address = country.address(dice)
        if dice.random() < faulty:
            address["postcode"] = self._broken(address["postcode"])
        number, self.next_number = self.next_number, self.next_number + 1
        return Order(
            sequence=number,
            placed_at=placed_at,
            first_name=first,
            last_name=last,
            email=f"{_ascii(first)}.{_ascii(last)}{number % 100}@example.com",
            address=address,
            country=country.code,
            currency=country.currency,
            lines=lines,
            shipping_minor=0
            if goods >= _FREE_FROM_MINOR[country.currency]
            else _SHIPPING_MINOR[country.currency],
        )

    def _broken(self, postcode: str) -> str:
        self._faulty += 1
        return postcode[: len(postcode) // 2] if self._faulty % 3 == 0 else ""


def _ascii(name: str) -> str:
    return (
        name.lower()
        .translate(str.maketrans("äöüßéãõçóíáôêÖ", "ousseaocoiaoeo"))
        .encode("ascii", "ignore")
        .decode()
    )
