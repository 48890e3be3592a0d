"""The confirmation form: what the seller enters, line by line, prefilled with the order's own terms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from tradehub.documents import Order
from tradehub.documents.lines import keyed
from tradehub.ordering.answers import Answer, delivery_day
from tradehub.ordering.service import Answered
from tradehub.platform.entered import Entered

CHOICES = (Answer.ACCEPTED, Answer.COUNTER, Answer.REJECTED)
"""What a person chooses; an acceptance with other figures in it becomes one with changes by itself."""


@dataclass(frozen=True)
class FormLine:
    """A line of the form: what was ordered, and what stands in its fields."""

    name: str
    item: str
    unit: str | None
    quantity: Decimal | None
    price: Decimal | None
    day: date | None
    entered: Mapping[str, str]


def form_lines(order: Order, form: Mapping[str, str]) -> list[FormLine]:
    """Return the form's lines with what was entered, or else with what was ordered."""
    lines = []
    for name, line in keyed(order.lines).items():
        quantity, price = line.quantity.value if line.quantity else None, line.price.amount if line.price else None
        day = delivery_day(order, line)
        ordered = {
            "quantity": _plain(quantity),
            "price": _plain(price),
            "day": day.isoformat() if day else "",
        }
        entered = {field: form.get(f"{field}-{name}", value) for field, value in ordered.items()}
        unit = line.quantity.unit if line.quantity else None
        lines.append(FormLine(name, line.item.label, unit, quantity, price, day, entered))
    return lines


def read(order: Order, form: Mapping[str, str]) -> tuple[Answered | None, dict[str, str]]:
    """Return the answer that was entered, with only what differs from the order; or None and the errors by field."""
    entered = Entered(form)
    choice = entered.text("answer")
    if choice not in CHOICES:
        entered.errors["answer"] = "answer"
    quantities: dict[str, Decimal] = {}
    prices: dict[str, Decimal] = {}
    days: dict[str, date] = {}
    for line in form_lines(order, {}):
        quantity = entered.number(f"quantity-{line.name}")
        if quantity is not None and quantity != line.quantity:
            quantities[line.name] = quantity
        price = entered.number(f"price-{line.name}")
        if price is not None and price != line.price:
            prices[line.name] = price
        day = entered.day(f"day-{line.name}")
        if day is not None and day != line.day:
            days[line.name] = day
    if entered.errors:
        return None, entered.errors
    answer = Answer(choice)
    if answer is Answer.ACCEPTED and (quantities or prices or days):
        answer = Answer.CHANGES
    if answer is Answer.REJECTED:
        quantities, prices, days = {}, {}, {}
    return Answered(answer, quantities, prices, days, entered.text("text", most=2000) or None), {}


def _plain(value: Decimal | None) -> str:
    return "" if value is None else format(value, "f")
