"""The ERP: books orders, reserves stock, refuses what an ERP refuses. No HTTP in here."""

from dataclasses import asdict, dataclass, field
from typing import Any, Final

from deploy.estate.catalogue import CATALOGUE, CURRENCIES
from deploy.estate.memory import Bounded
from deploy.estate.places import postcode_problem
from kernel.clock import now, rfc3339

_MOST_ORDERS: Final = 50_000
_FULL_SHELF: Final = 1_000_000


class Refusal(Exception):
    """A definitive no: status, code, a sentence, and what is wrong by field."""

    def __init__(
        self, status: int, code: str, detail: str, fields: dict[str, list[str]] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.body: dict[str, Any] = {
            "type": f"urn:erp:problem:{code}",
            "title": _TITLES.get(status, "The request was refused"),
            "status": status,
            "code": code,
            "detail": detail,
        }
        if fields:
            self.body["fields"] = fields


_TITLES: Final = {
    401: "The key is not known here",
    404: "There is no such thing here",
    409: "This does not fit what is booked",
    422: "The order cannot be booked as it is",
}


@dataclass
class Booked:
    """An order that the ERP has taken."""

    number: str
    reference: str
    body: dict[str, Any]
    booked_at: str
    status: str = "booked"
    reservation: str = ""

    def shown(self) -> dict[str, Any]:
        """What a caller sees of it."""
        return {
            "number": self.number,
            "reference": self.reference,
            "status": self.status,
            "reservation": self.reservation or None,
            "booked_at": self.booked_at,
            "currency": self.body["currency"],
            "total_minor": self.body["total_minor"],
        }


@dataclass
class Erp:
    """The books: orders by number and stock by SKU."""

    orders: Bounded[str, Booked] = field(default_factory=lambda: Bounded(_MOST_ORDERS))
    stock: dict[str, int] = field(default_factory=lambda: dict.fromkeys(CATALOGUE, _FULL_SHELF))
    reserved: dict[str, int] = field(default_factory=lambda: dict.fromkeys(CATALOGUE, 0))
    _postings: int = 0

    def book(self, body: Any) -> tuple[int, dict[str, Any]]:
        """Book an order. Raises Refusal 422 for what is missing or malformed, 409 for what does not fit."""
        check_order(body)
        if (known := self.orders.get(body["number"])) is not None:
            raise Refusal(409, "already_booked", f"Order {known.number} is booked as {known.reference}.")
        self._postings += 1
        booked = Booked(body["number"], f"SO-{self._postings:06d}", body, rfc3339(now()))
        self.orders[booked.number] = booked
        return 201, booked.shown()

    def look_up(self, number: str) -> Booked:
        """A booked order. Raises Refusal 404."""
        if (booked := self.orders.get(number)) is None:
            raise Refusal(404, "unknown_order", f"No order {number} is booked.")
        return booked

    def reserve(self, number: str) -> tuple[int, dict[str, Any]]:
        """Reserve the order's stock, once. Raises Refusal 409 where there is too little, or it was cancelled."""
        booked = self.look_up(number)
        if booked.status == "cancelled":
            raise Refusal(409, "cancelled", f"Order {number} was cancelled.")
        if booked.status == "booked":
            short = {
                f"lines.{index}.quantity": [f"{line['sku']}: {self.available(line['sku'])} available."]
                for index, line in enumerate(booked.body["lines"])
                if self.available(line["sku"]) < line["quantity"]
            }
            if short:
                raise Refusal(409, "out_of_stock", f"There is not enough stock for order {number}.", short)
            self._move(booked, 1)
            booked.status, booked.reservation = "reserved", booked.reference.replace("SO", "RS")
        return 200, booked.shown()

    def cancel(self, number: str) -> tuple[int, dict[str, Any]]:
        """Cancel the order and give its stock back; a second time changes nothing."""
        booked = self.look_up(number)
        if booked.status == "reserved":
            self._move(booked, -1)
        booked.status = "cancelled"
        return 200, booked.shown()

    def available(self, sku: str) -> int:
        """What can still be reserved."""
        return self.stock[sku] - self.reserved[sku]

    def shelf(self, sku: str) -> dict[str, Any]:
        """The stock of one SKU. Raises Refusal 404."""
        if sku not in self.stock:
            raise Refusal(404, "unknown_sku", f"No article {sku} is known.")
        return {
            "sku": sku,
            "on_hand": self.stock[sku],
            "reserved": self.reserved[sku],
            "available": self.available(sku),
        }

    def kept(self) -> dict[str, Any]:
        """The books, for a file."""
        return {
            "orders": [asdict(booked) for booked in self.orders.values()],
            "stock": self.stock,
            "reserved": self.reserved,
            "postings": self._postings,
        }

    def restore(self, kept: dict[str, Any]) -> None:
        """Take up the books that a file kept; articles that came since have what they come with."""
        for booked in kept["orders"]:
            self.orders[booked["number"]] = Booked(**booked)
        self.stock |= {sku: count for sku, count in kept["stock"].items() if sku in self.stock}
        self.reserved |= {sku: count for sku, count in kept["reserved"].items() if sku in self.reserved}
        self._postings = kept["postings"]

    def _move(self, booked: Booked, sign: int) -> None:
        for line in booked.body["lines"]:
            self.reserved[line["sku"]] += sign * line["quantity"]


def check_order(body: Any) -> None:
    """Raise Refusal 422 naming every bad field, 409 where prices or the total differ from the ERP's own."""
    if not isinstance(body, dict):
        raise Refusal(422, "invalid", "An order is a JSON object.")
    wrong: dict[str, list[str]] = {}
    for name in ("number", "currency"):
        if not isinstance(body.get(name), str) or not body[name]:
            wrong[name] = ["This is required."]
    if not wrong and body["currency"] not in CURRENCIES:
        wrong["currency"] = [f"Orders are booked in {', '.join(CURRENCIES)}."]
    if not isinstance(body.get("total_minor"), int):
        wrong["total_minor"] = ["A whole number of minor units is required."]
    wrong |= _wrong_people(body) | _wrong_lines(body.get("lines"))
    if wrong:
        first, messages = next(iter(wrong.items()))
        raise Refusal(422, "invalid", f"{first}: {messages[0]}", wrong)
    _check_amounts(body)


def _wrong_people(body: dict[str, Any]) -> dict[str, list[str]]:
    wrong: dict[str, list[str]] = {}
    customer, address = body.get("customer"), body.get("shipping_address")
    if not isinstance(customer, dict) or not customer.get("name"):
        wrong["customer.name"] = ["This is required."]
    if not isinstance(address, dict):
        return {**wrong, "shipping_address": ["This is required."]}
    for name in ("street", "city", "country"):
        if not address.get(name):
            wrong[f"shipping_address.{name}"] = ["This is required."]
    if problem := postcode_problem(address.get("postcode"), str(address.get("country"))):
        wrong["shipping_address.postcode"] = [problem]
    return wrong


def _wrong_lines(lines: Any) -> dict[str, list[str]]:
    if not isinstance(lines, list) or not lines:
        return {"lines": ["At least one line is required."]}
    wrong: dict[str, list[str]] = {}
    for index, line in enumerate(lines):
        if not isinstance(line, dict) or line.get("sku") not in CATALOGUE:
            wrong[f"lines.{index}.sku"] = [
                f"{line.get('sku') if isinstance(line, dict) else line!r} is unknown here."
            ]
        elif not isinstance(line.get("quantity"), int) or line["quantity"] < 1:
            wrong[f"lines.{index}.quantity"] = ["A whole number from 1 on is required."]
        elif not isinstance(line.get("unit_minor"), int):
            wrong[f"lines.{index}.unit_minor"] = ["A whole number of minor units is required."]
    return wrong


def _check_amounts(body: dict[str, Any]) -> None:
    currency = body["currency"]
    for index, line in enumerate(body["lines"]):
        own = CATALOGUE[line["sku"]].prices[currency]
        if line["unit_minor"] != own:
            field_name = f"lines.{index}.unit_minor"
            detail = f"{line['sku']} costs {own} {currency} here, the order says {line['unit_minor']}."
            raise Refusal(409, "price_mismatch", detail, {field_name: [detail]})
    due = sum(line["quantity"] * line["unit_minor"] for line in body["lines"]) + int(
        body.get("shipping_minor") or 0
    )
    if due != body["total_minor"]:
        detail = f"The lines and the shipping add up to {due}, the order says {body['total_minor']}."
        raise Refusal(409, "total_mismatch", detail, {"total_minor": [detail]})
