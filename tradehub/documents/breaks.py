"""Price breaks as messages state them: each a further price of the line, with the quantity from which it counts.

Our documents keep the breaks with the price that they belong to. X12 has a CTP for each (236 PBQ, unit price beginning
quantity), EDIFACT a PRI (5387 PBQ) with its RNG: places of further prices. A break counts in the unit of its line.
"""

from __future__ import annotations

from collections.abc import Callable

from tradehub.documents.base import Document
from tradehub.documents.parts import Price, PriceBreak, Quantity
from tradehub.documents.trade import Line

FROM_QUANTITY = "from_quantity"
"""Type of a further price that is a break."""


def spread(document: Document) -> Document:
    """Return ``document`` with each price break as a further price, as messages state it.

    Breaks of a line that has no unit stay: a message could not say what they count.
    """
    return _with_lines(document, _spread)


def gathered(document: Document) -> Document:
    """Return ``document`` with each further price that is a break at the price of its line, where both count alike."""
    return _with_lines(document, _gathered)


def _with_lines(document: Document, change: Callable[[Line], Line]) -> Document:
    lines: tuple[Line, ...] = getattr(document, "lines", ())
    changed = tuple(map(change, lines))
    is_same = all(before is after for before, after in zip(lines, changed, strict=True))
    return document if is_same else document.model_copy(update={"lines": changed})


def _spread(line: Line) -> Line:
    unit = line.quantity.unit if line.quantity else None
    if line.price is None or not line.price.breaks or unit is None:
        return line
    prices = (
        Price(amount=each.amount, type=FROM_QUANTITY, from_quantity=Quantity(value=each.min_quantity, unit=unit))
        for each in line.price.breaks
    )
    price = line.price.model_copy(update={"breaks": ()})
    return line.model_copy(update={"price": price, "more_prices": (*line.more_prices, *prices)})


def _gathered(line: Line) -> Line:
    if line.price is None or line.quantity is None or not line.more_prices:
        return line
    unit = line.quantity.unit
    found, others = list(line.price.breaks), []
    for each in line.more_prices:
        start = each.from_quantity
        if each.type == FROM_QUANTITY and start is not None and start.unit in (None, unit):
            found.append(PriceBreak(min_quantity=start.value, amount=each.amount))
        else:
            others.append(each)
    if len(others) == len(line.more_prices):
        return line
    price = line.price.model_copy(update={"breaks": tuple(found)})
    return line.model_copy(update={"price": price, "more_prices": tuple(others)})
