"""From what an owner writes to an auction, and from what a winner has bid to the document that begins their deal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal

from tradehub.documents import Inquiry, Line, Offer, PartyId, TradeDocument
from tradehub.documents.amounts import net_amount, rounded
from tradehub.documents.parts import (
    DatedEvent,
    DeliveryTerms,
    Identifier,
    Item,
    Note,
    Party,
    PaymentTerms,
    Price,
    Quantity,
    Reference,
)
from tradehub.sourcing.auctions import model
from tradehub.sourcing.auctions.ledger import Auction
from tradehub.sourcing.auctions.rules import Format, Lot, Rules

UNIT_PLACES = 6
"""Decimals of a unit price, as many as the canonical model keeps. A price that needs more is stated for all units."""


@dataclass(frozen=True)
class Conditions:
    """What every bidder agrees to by bidding, beside the price."""

    delivery_on: date | None = None
    incoterm: str | None = None
    place: str | None = None
    payment: str | None = None
    text: str = ""


@dataclass(frozen=True)
class DraftLine:
    """A line as the owner writes it: the opening price and the secret reserve are per unit."""

    name: str
    quantity: Decimal
    unit: str
    opening: Decimal
    reserve: Decimal | None = None
    item_number: str = ""

    def line(self, number: int) -> Line:
        return Line(
            number=str(number),
            item=Item(
                ids=(Identifier(scheme="buyer", value=self.item_number),) if self.item_number else (),
                name=self.name or None,
            ),
            quantity=Quantity(value=self.quantity, unit=self.unit),
            price=Price(amount=self.opening),
        )


@dataclass(frozen=True)
class Draft:
    """An auction as its owner writes it. ``by_line`` makes each line a lot of its own, else all lines are one lot."""

    title: str
    rules: Rules
    lines: tuple[DraftLine, ...]
    bidders: tuple[PartyId, ...]
    by_line: bool = False
    conditions: Conditions = Conditions()
    binds_days: int = 14


def auction(draft: Draft, *, id: str, owner: PartyId) -> Auction:
    """Return the auction that the draft describes. A clock's end follows from its steps, whatever the draft says."""
    numbered = [(each, each.line(place)) for place, each in enumerate(draft.lines, 1)]
    groups = [[each] for each in numbered] if draft.by_line else [numbered] if numbered else []
    lots = tuple(_lot(number, group, draft.rules.currency) for number, group in enumerate(groups, 1))
    rules = draft.rules
    if rules.format is Format.CLOCK and rules.tick and lots and all(each.reserve is not None for each in lots):
        rules = replace(rules, ends_at=model.clock_ends_at(rules, lots))
    return Auction(id, owner, rules, lots, draft.bidders)


def _lot(number: int, group: Sequence[tuple[DraftLine, Line]], currency: str) -> Lot:
    """A lot has a reserve where each of its lines has one."""
    lines = tuple(line for _, line in group)
    reserve = None
    if all(said.reserve is not None for said, _ in group):
        reserve = sum((rounded((said.reserve or 0) * said.quantity, currency) for said, _ in group), Decimal(0))
    return Lot(number, opening(lines, currency), reserve, lines)


@dataclass(frozen=True)
class Award:
    """What one winner has won: the lots, each with the price that counts."""

    winner: PartyId
    prices: tuple[tuple[Lot, Decimal], ...] = field(default=())

    @property
    def total(self) -> Decimal:
        return sum((price for _, price in self.prices), Decimal(0))


def awards(auction: Auction, now: datetime) -> tuple[Award, ...]:
    """Return what each winner has won, in the order of the lots; empty while it runs and where nobody has."""
    won: dict[PartyId, list[tuple[Lot, Decimal]]] = {}
    for lot in auction.lots:
        stands = model.standing(auction, now, lot.number)
        if stands.winner is not None and stands.price is not None:
            won.setdefault(stands.winner, []).append((lot, stands.price))
    return tuple(Award(winner, tuple(prices)) for winner, prices in won.items())


def letter(
    auction: Auction,
    award: Award,
    conditions: Conditions,
    *,
    number: str,
    auction_number: str,
    buyer: Party,
    seller: Party,
    issued_on: date,
    valid_until: date,
) -> TradeDocument:
    """Return the winner's firm offer: a seller's quotation, or the terms on which a buyer wants to buy.

    It stands until the end of ``valid_until`` and adds up to the price at which each lot was won.
    """
    lines = tuple(line for lot, price in award.prices for line in priced(lot, price, auction.rules.currency))
    is_sale = auction.rules.is_sale
    dates = [("requested_delivery" if is_sale else "promised_delivery", conditions.delivery_on)]
    fields = {
        "number": number,
        "issued_on": issued_on,
        "action": "proposed_amendment" if is_sale else "original",
        "currency": auction.rules.currency,
        "parties": (
            buyer.model_copy(update={"role": "buyer"}),
            seller.model_copy(update={"role": "seller"}),
        ),
        "references": (Reference(type="inquiry", value=auction_number),),
        "dates": tuple(DatedEvent(type=name, on=on) for name, on in [*dates, ("valid_until", valid_until)] if on),
        "delivery_terms": _delivery(conditions),
        "payment_terms": (PaymentTerms(text=conditions.payment),) if conditions.payment else (),
        "notes": (Note(text=conditions.text),) if conditions.text else (),
        "lines": lines,
    }
    return Inquiry.model_validate(fields) if is_sale else Offer.model_validate(fields)


def priced(lot: Lot, price: Decimal, currency: str) -> tuple[Line, ...]:
    """Return the lot's lines with prices that add up to ``price``, in the proportion of the opening prices.

    What rounding leaves over goes to the largest line.
    """
    opening = [net_amount(line, currency) or Decimal(0) for line in lot.lines]
    whole = sum(opening, Decimal(0))
    shares = [rounded(price * each / whole, currency) if whole else Decimal(0) for each in opening]
    largest = max(range(len(shares)), key=lambda place: opening[place])
    shares[largest] += price - sum(shares, Decimal(0))
    return tuple(_priced(line, share, currency) for line, share in zip(lot.lines, shares, strict=True))


def opening(lines: Sequence[Line], currency: str) -> Decimal:
    """Return what the lines come to at their opening prices, each rounded first."""
    return sum((net_amount(line, currency) or Decimal(0) for line in lines), Decimal(0))


def _priced(line: Line, net: Decimal, currency: str) -> Line:
    """State the price of one unit where it can be stated exactly, else that of the whole quantity."""
    price = Price(amount=net, currency=currency, basis=line.quantity)
    if line.quantity is not None:
        unit = (net / line.quantity.value).quantize(Decimal(1).scaleb(-UNIT_PLACES))
        if unit * line.quantity.value == net:
            price = Price(amount=_plain(unit, currency), currency=currency)
    return line.model_copy(update={"price": price})


def _plain(unit: Decimal, currency: str) -> Decimal:
    short = rounded(unit, currency)
    return short if short == unit else Decimal(format(unit.normalize(), "f"))


def _delivery(conditions: Conditions) -> DeliveryTerms | None:
    if not conditions.incoterm and not conditions.place:
        return None
    return DeliveryTerms(incoterm=conditions.incoterm, place=conditions.place)
