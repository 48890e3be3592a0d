"""Prices and amounts of lines, exact: what one unit costs, what a line comes to."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from tradehub.documents.parts import EXACT, AllowanceCharge, Price, Quantity
from tradehub.documents.trade import Line
from tradehub.documents.units import PLACES, factor, to_decimal

AMOUNT_MAX = Decimal("1e12")
"""The largest price, quantity or bid that somebody may state; a larger one is a slip."""

MINOR_UNITS = {"JPY": 0, "KRW": 0, "VND": 0, "CLP": 0, "ISK": 0, "KWD": 3, "BHD": 3, "OMR": 3, "TND": 3, "JOD": 3}
"""ISO 4217 decimals where they are not 2."""


def unit_price(line: Line, into: str | None) -> Fraction | None:
    """Return the line's price for one ``into`` unit at the line's quantity, exact; None without a price or where units
    do not compare."""
    price = line.price
    if price is None:
        return None
    basis = price.basis
    per = Fraction(basis.value) if basis else Fraction(1)
    unit = (basis.unit if basis else None) or (line.quantity.unit if line.quantity else None)
    by = factor(unit, into)
    if by is None or per <= 0:
        return None
    return Fraction(price_at(price, line.quantity.value if line.quantity else None)) / per / by


def price_at(price: Price, quantity: Decimal | None) -> Decimal:
    """Return the price at a quantity: that of the highest break reached (EN 16931 knows one price, the trade several)."""
    reached = [] if quantity is None else [each for each in price.breaks if each.min_quantity <= quantity]
    return max(reached, key=lambda each: each.min_quantity).amount if reached else price.amount


def net_amount(line: Line, currency: str | None) -> Decimal | None:
    """Return quantity x price / base quantity, plus charges, less allowances, rounded; None if it cannot be told."""
    if line.quantity is None or line.price is None:
        return None
    gross = _gross(line.price, line.quantity) if line.price.basis is None else None
    if gross is None:
        per = unit_price(line, line.quantity.unit)
        if per is None:
            return None
        gross = to_decimal(per * Fraction(line.quantity.value))
    return rounded(EXACT.add(gross, balance(line.allowances_charges)), currency)


def _gross(price: Price, quantity: Quantity) -> Decimal | None:
    """Return quantity x price, where nothing is divided, without the way by fractions; None where it has more than the
    12 places that an amount is told to."""
    gross = EXACT.multiply(price_at(price, quantity.value), quantity.value)
    return gross if int(gross.as_tuple().exponent) >= -PLACES else None


def rounded(amount: Decimal, currency: str | None) -> Decimal:
    """Round to the currency's minor unit, half away from nought."""
    return amount.quantize(Decimal(1).scaleb(-MINOR_UNITS.get(currency or "", 2)), ROUND_HALF_UP, EXACT)


def added(amounts: Iterable[Decimal]) -> Decimal:
    """Return the exact sum."""
    whole = Decimal(0)
    for each in amounts:
        whole = EXACT.add(whole, each)
    return whole


def balance(items: Iterable[AllowanceCharge]) -> Decimal:
    """Return the charges less the allowances, as far as amounts are stated."""
    return added(each.amount if each.is_charge else -each.amount for each in items if each.amount is not None)
