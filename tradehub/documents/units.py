"""Exact factors between units of one dimension (UN/ECE Recommendation 20), to compare quantities and prices by.

Only factors that are exact by definition stand here: counts, and metric and international avoirdupois units. A pair
without one is not comparable, and the caller says so; nothing is guessed.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from tradehub.documents.parts import EXACT

_DIMENSIONS: dict[str, dict[str, str]] = {
    "count": {
        "C62": "1", "EA": "1", "H87": "1", "PCE": "1", "PR": "2", "DZN": "12", "CEN": "100", "GRO": "144",
        "MIL": "1000",
    },
    "mass": {"GRM": "0.001", "KGM": "1", "TNE": "1000", "LBR": "0.45359237", "ONZ": "0.028349523125"},
    "length": {
        "MMT": "0.001", "CMT": "0.01", "DMT": "0.1", "MTR": "1", "KMT": "1000", "INH": "0.0254", "FOT": "0.3048",
        "YRD": "0.9144",
    },
    "area": {"MMK": "0.000001", "CMK": "0.0001", "MTK": "1"},
    "volume": {"MLT": "0.001", "CLT": "0.01", "LTR": "1", "HLT": "100", "MTQ": "1000"},
    "time": {"SEC": "1", "MIN": "60", "HUR": "3600", "DAY": "86400"},
}  # fmt: skip
"""How many base units of its dimension one of each unit is. EA and PCE are older names of C62 still in use."""

PLACES = 12
"""How many decimals an amount or a quantity is told to that does not end."""

_FACTORS = {
    unit: (dimension, Fraction(text)) for dimension, units in _DIMENSIONS.items() for unit, text in units.items()
}


def factor(unit: str | None, into: str | None) -> Fraction | None:
    """Return how many ``into`` one ``unit`` is: 1 where one side names none, None when the two do not compare."""
    if unit == into or unit is None or into is None:
        return Fraction(1)
    here, there = _FACTORS.get(unit), _FACTORS.get(into)
    if here is None or there is None or here[0] != there[0]:
        return None
    return here[1] / there[1]


def convert(value: Decimal, unit: str | None, into: str | None) -> Decimal | None:
    """Return ``value`` in ``into``, to 12 places where the expansion does not end; None when the two do not compare."""
    by = factor(unit, into)
    if by is None:
        return None
    if by == 1:
        return value
    return to_decimal(Fraction(value) * by)


def to_decimal(value: Fraction) -> Decimal:
    """Return ``value`` as a plain decimal, to 12 places where it does not end."""
    rounded = Decimal(round(value * 10**PLACES)).scaleb(-PLACES, EXACT).normalize(EXACT)
    return Decimal(int(rounded)) if rounded == rounded.to_integral_value() else rounded
