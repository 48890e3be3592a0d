"""What lines come to: exact, and the same by each way to reckon it."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from hypothesis import example, given
from hypothesis import strategies as st

from tradehub.documents.amounts import net_amount
from tradehub.documents.parts import Item, Price, PriceBreak, Quantity
from tradehub.documents.trade import Line

NUMBERS = st.decimals(min_value=-(10**12), max_value=10**30, places=None, allow_nan=False, allow_infinity=False).filter(
    lambda number: number.as_tuple().exponent > -40
)
ONE = Quantity(value=Decimal(1))


def line(price: Price, quantity: Decimal) -> Line:
    return Line(number="1", item=Item(), quantity=Quantity(value=quantity, unit="C62"), price=price)


@given(NUMBERS, NUMBERS, st.sampled_from(["CNY", "JPY", "KWD", None]))
@example(Decimal("0.0049999999999995"), ONE.value, "CNY")  # 0.01 by way of 12 places, which is how fractions are told
def test_a_price_for_one_is_the_price_without_a_basis(amount: Decimal, quantity: Decimal, currency: str | None) -> None:
    breaks = (PriceBreak(min_quantity=Decimal(100), amount=amount / 2),)
    plain = net_amount(line(Price(amount=amount, breaks=breaks), quantity), currency)
    by_basis = net_amount(line(Price(amount=amount, basis=ONE, breaks=breaks), quantity), currency)
    assert plain == by_basis


@given(NUMBERS, NUMBERS)
def test_it_is_within_half_of_the_minor_unit(amount: Decimal, quantity: Decimal) -> None:
    told = net_amount(line(Price(amount=amount), quantity), "EUR")
    assert told is not None
    assert abs(Fraction(told) - Fraction(amount) * Fraction(quantity)) <= Fraction(5001, 10**6)
