"""Blanket agreements: how much may be called off, until when, and what is left. Values in, values out.

A ceiling is on a line's quantity, a line's amount, or the amount of all releases together; each may be left open, and a
release is held to every one that there is. Amounts are in the agreement's currency, quantities in the line's unit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from tradehub.contracting.model import Refused
from tradehub.documents import Line
from tradehub.documents.amounts import net_amount
from tradehub.documents.lines import keyed

NOUGHT = Decimal(0)


@dataclass(frozen=True)
class Ceiling:
    """What may be called off of one line, and what was."""

    unit: str | None
    quantity: Decimal | None = None
    amount: Decimal | None = None
    quantity_used: Decimal = NOUGHT
    amount_used: Decimal = NOUGHT

    @property
    def quantity_left(self) -> Decimal | None:
        return None if self.quantity is None else self.quantity - self.quantity_used

    @property
    def amount_left(self) -> Decimal | None:
        return None if self.amount is None else self.amount - self.amount_used


@dataclass(frozen=True)
class Agreement:
    """A blanket agreement. Both days belong to its period."""

    valid_from: date
    valid_until: date
    currency: str | None
    ceiling: Decimal | None
    used: Decimal
    lines: Mapping[str, Ceiling]

    @property
    def left(self) -> Decimal | None:
        return None if self.ceiling is None else self.ceiling - self.used


@dataclass(frozen=True)
class Release:
    """What a call-off comes to, and the agreement after it."""

    lines: tuple[Line, ...]
    amount: Decimal
    after: Agreement


def release(agreement: Agreement, agreed: tuple[Line, ...], wanted: Mapping[str, Decimal], *, on: date) -> Release:
    """Call off quantities by line number on a day. ``agreed`` are the contract's lines with their prices.

    Raises Refused with the place and what stands in the way: OUTSIDE_PERIOD, NOTHING_WANTED, UNKNOWN_LINE,
    NOT_POSITIVE, NO_PRICE, BEYOND_QUANTITY, BEYOND_AMOUNT, BEYOND_TOTAL.
    """
    if not agreement.valid_from <= on <= agreement.valid_until:
        raise Refused("OUTSIDE_PERIOD", on.isoformat(), place=f"{agreement.valid_from} – {agreement.valid_until}")
    if not wanted:
        raise Refused("NOTHING_WANTED")
    known = keyed(agreed)
    lines, after, total = [], dict(agreement.lines), NOUGHT
    for name, quantity in wanted.items():
        if name not in known or name not in after:
            raise Refused("UNKNOWN_LINE", name, place=name)
        line = _released(known[name], name, quantity)
        amount = net_amount(line, agreement.currency)
        if amount is None and (agreement.ceiling is not None or after[name].amount is not None):
            raise Refused("NO_PRICE", place=name)
        after[name] = _counted(after[name], name, quantity, amount or NOUGHT)
        lines.append(line)
        total += amount or NOUGHT
    left = agreement.left
    if left is not None and total > left:
        raise Refused("BEYOND_TOTAL", _over(total, left))
    return Release(tuple(lines), total, replace(agreement, used=agreement.used + total, lines=after))


def _released(line: Line, name: str, quantity: Decimal) -> Line:
    if quantity <= 0:
        raise Refused("NOT_POSITIVE", str(quantity), place=name)
    if line.quantity is None:
        raise Refused("UNKNOWN_LINE", name, place=name)
    wanted = line.quantity.model_copy(update={"value": quantity})
    return line.model_copy(update={"number": name, "quantity": wanted, "net_amount": None, "max_quantity": None,
                                   "min_quantity": None, "dates": (), "schedules": ()})  # fmt: skip


def _counted(ceiling: Ceiling, name: str, quantity: Decimal, amount: Decimal) -> Ceiling:
    if ceiling.quantity_left is not None and quantity > ceiling.quantity_left:
        raise Refused("BEYOND_QUANTITY", _over(quantity, ceiling.quantity_left), place=name)
    if ceiling.amount_left is not None and amount > ceiling.amount_left:
        raise Refused("BEYOND_AMOUNT", _over(amount, ceiling.amount_left), place=name)
    return replace(
        ceiling, quantity_used=ceiling.quantity_used + quantity, amount_used=ceiling.amount_used + amount
    )  # fmt: skip


def _over(wanted: Decimal, left: Decimal) -> str:
    return f"{wanted} > {left}"
