"""Money is an integer number of minor units and an ISO 4217 code; text only at the doors."""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

from babel.numbers import format_currency, get_currency_precision


@dataclass(frozen=True, slots=True)
class Money:
    """An amount: `minor` units (cents, pence) of `currency`."""

    minor: int
    currency: str

    @classmethod
    def of(cls, amount: str | int | Decimal, currency: str) -> "Money":
        """`amount` in major units (`"12.34"`) as Money, half-even rounded. Raises ValueError."""
        try:
            exact = Decimal(str(amount)) * 10 ** get_currency_precision(currency)
            return cls(int(exact.quantize(Decimal(1), rounding=ROUND_HALF_EVEN)), currency)
        except InvalidOperation as error:
            raise ValueError(f"{amount!r} is not an amount") from error

    def __add__(self, other: "Money") -> "Money":
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not add up")
        return Money(self.minor + other.minor, self.currency)

    @property
    def major(self) -> Decimal:
        """The amount in major units."""
        return Decimal(self.minor).scaleb(-int(get_currency_precision(self.currency)))

    def format(self, locale: str = "en_GB") -> str:
        """The amount as a person of `locale` writes it."""
        return str(format_currency(self.major, self.currency, locale=locale))
