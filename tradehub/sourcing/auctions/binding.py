"""What a bid binds its organisation to, how that is frozen where others must approve it, and how it is done then."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from tradehub.partners.authority import Act, Binding, Forbidden, Needs, Wanted
from tradehub.sourcing.auctions import model
from tradehub.sourcing.auctions.ledger import Auction
from tradehub.sourcing.auctions.rules import Bid, Format, Refused


class Unauthorised(Refused):
    """The bidder's own organisation does not let this person bind it so far. ``verdict`` says why and who may."""

    def __init__(self, verdict: Needs | Forbidden) -> None:
        super().__init__(verdict.code, None if verdict.most is None else verdict.most.amount)
        self.verdict = verdict


@dataclass(frozen=True)
class Intent:
    """A bid as somebody typed it."""

    lot: int
    amount: Decimal | None
    limit: Decimal | None


def bound(auction: Auction, bid: Bid, now: datetime) -> Binding:
    """Return what a bid, as it is to be kept, comes to: its limit where it buys, and what it leads on other lots.

    A seller's limit lies below its bid and binds it to no more. Amounts under seal on other lots are not known.
    """
    total = _furthest(auction, bid.amount, bid.limit) or Decimal(0)
    for lot in auction.lots:
        stands = model.standing(auction, now, lot.number)
        own = stands.position(bid.by) if lot.number != bid.lot and stands.leader == bid.by else None
        if own is not None and auction.rules.format is not Format.SEALED:
            total += _furthest(auction, own.amount, own.limit) or Decimal(0)
    return Binding(Act.BID, auction.id, auction.owner, total, auction.rules.currency)


def _furthest(auction: Auction, amount: Decimal | None, limit: Decimal | None) -> Decimal | None:
    return limit if limit is not None and auction.rules.is_sale else amount


def wanted(auction: Auction, binding: Binding, intent: Intent, *, title: str, owner: str) -> Wanted:
    """Freeze a bid until it is approved. It is of use until the end of its lot, as that stands."""
    payload = {
        "lot": intent.lot,
        "amount": None if intent.amount is None else str(intent.amount),
        "limit": None if intent.limit is None else str(intent.limit),
    }
    until = auction.ledger.tallies[intent.lot].ends_at
    return Wanted(binding, title, owner, offer_id="", expected_version=0, payload=payload, until=until)


def intended(wanted: Wanted) -> Intent:
    """Return the bid that was frozen."""
    amount, limit = (wanted.payload[name] for name in ("amount", "limit"))
    return Intent(int(wanted.payload["lot"]), amount and Decimal(amount), limit and Decimal(limit))


def at_the_time(intent: Intent, auction: Auction, now: datetime, bid: Bid) -> Bid:
    """Return the bid as it is placed once it is approved: where a limit was given it bids from the next valid amount on,
    since the price has moved meanwhile."""
    least = model.next_amount(auction, bid.by, now, intent.lot)
    moved = least is not None and bid.amount is not None and auction.rules.is_better(least, bid.amount)
    return replace(bid, amount=None) if moved and bid.limit is not None else bid
