"""What an offer comes to when it is held against a limit."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tradehub.documents import Inquiry, Line, Offer
from tradehub.documents.parts import AllowanceCharge, Classification, Item, Price, Quantity
from tradehub.negotiation.binding import amount, binding
from tradehub.partners.authority import Act


def line(quantity: str | None, price: str | None, *, basis: str | None = None, currency=None, classes=()) -> Line:
    per = Quantity(value=Decimal(basis), unit="C62") if basis else None
    return Line(
        number="1",
        item=Item(name="Valve", classification=tuple(Classification(scheme="UNSPSC", code=each) for each in classes)),
        quantity=Quantity(value=Decimal(quantity), unit="C62") if quantity else None,
        price=Price(amount=Decimal(price), currency=currency, basis=per) if price else None,
    )


def offer(*lines: Line, charges: tuple[AllowanceCharge, ...] = ()) -> Offer:
    return Offer(number="Q-1", currency="USD", lines=lines, allowances_charges=charges)


FREIGHT = AllowanceCharge(is_charge=True, amount=Decimal(250))
REBATE = AllowanceCharge(is_charge=False, amount=Decimal(50))


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (offer(line("24000", "12.40")), "297600.00"),
        (offer(line("3", "10", basis="1000")), "0.03"),
        (offer(line("1", "0.005"), line("1", "0.005")), "0.02"),
        (offer(line("10", "1"), charges=(FREIGHT, REBATE)), "210.00"),
        (offer(line("10", "1"), line("10", None)), None),
        (offer(line(None, "1")), None),
        (offer(line("10", "1", currency="EUR")), None),
        (offer(), None),
        (Inquiry(number="RFQ-1", lines=(line("10", None),)), None),
    ],
)
def test_the_amount_is_that_of_the_goods_with_what_is_charged_on_the_whole(document, expected):
    assert amount(document) == (None if expected is None else Decimal(expected))


def test_the_classes_are_those_of_all_lines():
    document = offer(line("1", "1", classes=("40141600", "31")), line("1", "1", classes=("31",)))
    found = binding(Act.OFFER, document, deal_id="d", partner="delta")
    assert (found.categories, found.currency) == (("31", "40141600"), "USD")


def test_a_price_by_formula_is_above_every_limit():
    """What it comes to is not told yet, so that the small amount beside it hides nothing from who must approve."""
    by_formula = line("100", "0.01")
    price = by_formula.price.model_copy(update={"formula": "LME average + 80"})
    assert amount(offer(by_formula.model_copy(update={"price": price}))) is None
