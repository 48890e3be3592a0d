"""How an order stands between its two parties, and what of it is still open.

A contract stands on its frozen terms. Whatever a response says beyond plain assent is a proposal to the buyer, shown
term by term; it changes the order when the buyer agrees, and then as a new version beside the old one.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from tradehub.ordering.answers import Answer


class Standing(StrEnum):
    """How the order stands between the two parties."""

    AWAITING = "awaiting"
    RECEIVED = "received"
    ACCEPTED = "accepted"
    CHANGES_PROPOSED = "changes_proposed"
    COUNTERED = "countered"
    REJECTED = "rejected"
    UNCLEAR = "unclear"
    AGREED = "agreed"
    DECLINED = "declined"
    CANCELLED = "cancelled"


class Decision(StrEnum):
    """The buyer's word on a proposal."""

    AGREE = "agree"
    DECLINE = "decline"


class Refused(Exception):
    """An act that the order's standing does not allow. ``rule`` names why."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


_STATED = {
    Answer.RECEIVED: Standing.RECEIVED,
    Answer.ACCEPTED: Standing.ACCEPTED,
    Answer.CHANGES: Standing.CHANGES_PROPOSED,
    Answer.COUNTER: Standing.COUNTERED,
    Answer.REJECTED: Standing.REJECTED,
    Answer.UNCLEAR: Standing.UNCLEAR,
}

TRANSITIONS: dict[tuple[Standing, Answer | Decision], Standing] = {
    **{(before, answer): after for before in Standing for answer, after in _STATED.items()},
    # A mere receipt takes nothing back that was said before.
    **{
        (before, Answer.RECEIVED): before for before in Standing if before not in {Standing.AWAITING, Standing.RECEIVED}
    },
    # Nothing revives a cancelled order; what still comes in is kept, and the standing stays.
    **{(Standing.CANCELLED, answer): Standing.CANCELLED for answer in Answer},
    (Standing.CHANGES_PROPOSED, Decision.AGREE): Standing.AGREED,
    (Standing.COUNTERED, Decision.AGREE): Standing.AGREED,
    (Standing.REJECTED, Decision.AGREE): Standing.CANCELLED,
    (Standing.CHANGES_PROPOSED, Decision.DECLINE): Standing.DECLINED,
    (Standing.COUNTERED, Decision.DECLINE): Standing.DECLINED,
    (Standing.REJECTED, Decision.DECLINE): Standing.DECLINED,
    (Standing.UNCLEAR, Decision.DECLINE): Standing.DECLINED,
}
"""Every move an order's standing can make; what is not here is refused."""

DECIDABLE = frozenset(before for before, by in TRANSITIONS if isinstance(by, Decision))
"""Standings in which it is the buyer's turn."""


def move(before: Standing, by: Answer | Decision) -> Standing:
    """Return the standing after ``by``. Raises Refused when the table has no such move."""
    after = TRANSITIONS.get((before, by))
    if after is None:
        raise Refused("NOTHING_TO_DECIDE")
    return after


class Delivery(StrEnum):
    """How far an order line, or the order, has been delivered."""

    OPEN = "open"
    PARTLY = "partly"
    COMPLETE = "complete"
    OVER = "over"
    CANCELLED = "cancelled"


class Balance(NamedTuple):
    """The quantities of one order line, in its own unit."""

    ordered: Decimal
    cancelled: Decimal = Decimal(0)
    despatched: Decimal = Decimal(0)
    invoiced: Decimal = Decimal(0)

    @property
    def due(self) -> Decimal:
        """What is to be delivered in all."""
        return max(self.ordered - self.cancelled, Decimal(0))

    @property
    def open(self) -> Decimal:
        """What is still to be despatched; never negative."""
        return max(self.due - self.despatched, Decimal(0))

    @property
    def delivery(self) -> Delivery:
        if self.despatched > self.due:
            return Delivery.OVER
        if self.due == 0:
            return Delivery.CANCELLED
        if self.despatched == 0:
            return Delivery.OPEN
        return Delivery.COMPLETE if self.despatched == self.due else Delivery.PARTLY

    @property
    def billing(self) -> Delivery:
        """The same scale for what has been invoiced."""
        return self._replace(despatched=self.invoiced).delivery


def together(states: Iterable[Delivery]) -> Delivery:
    """Return how far the whole order is, from its lines."""
    found = set(states) - {Delivery.CANCELLED}
    if not found:
        return Delivery.CANCELLED
    if Delivery.OVER in found:
        return Delivery.OVER
    return next(iter(found)) if len(found) == 1 else Delivery.PARTLY
