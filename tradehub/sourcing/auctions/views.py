"""What each side may see of an auction: the one place through which anything leaves it, on a page or a stream.

Bidders are numbers to each other. Limits are shown to nobody but who gave them, the reserve to nobody but the owner.
What is under seal is shown to nobody, its own bidder included: that a bid is there, and since when, is all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import NamedTuple

from tradehub.documents import PartyId
from tradehub.sourcing.auctions import model
from tradehub.sourcing.auctions.ledger import Auction, Tally
from tradehub.sourcing.auctions.rules import OVER, Act, Display, Format, Lot, Move, Standing, Status

MOVES_MAX = 30
"""Bids of a lot that are listed, the latest ones: each is sent to every bidder with every change."""

LINE_MAX = 120
"""Points of a price's line, the latest ones: a chart shows no more."""


class Seen(NamedTuple):
    """A price as somebody sees it come about; ``bidder`` is the number that stands for a name."""

    at: datetime
    bidder: int
    amount: Decimal
    is_automatic: bool
    leads: bool
    is_own: bool


@dataclass(frozen=True)
class LotView:
    """A lot as one viewer sees it. What it may not see is None, whatever the reason.

    ``own`` is what the viewer's bids come to by now, ``limit`` its own limit, ``given_at`` when it last bid.
    ``reserve_met`` is None where there is no reserve. ``bids`` counts those that the viewer knows of. ``line`` is how the
    price went that the viewer sees: the leading one, the clock's, or what its own bids came to.
    """

    number: int
    status: Status
    ends_at: datetime
    price: Decimal | None = None
    leader: int | None = None
    is_leading: bool = False
    rank: int | None = None
    own: Decimal | None = None
    limit: Decimal | None = None
    given_at: datetime | None = None
    next: Decimal | None = None
    reserve_met: bool | None = None
    bids: int = 0
    bidders: int = 0
    moves: tuple[Seen, ...] = ()
    line: tuple[tuple[datetime, Decimal], ...] = ()
    steps_at: datetime | None = None


@dataclass(frozen=True)
class View:
    """An auction as one viewer sees it at one moment.

    ``acts`` counts what has happened beside bids, as far as it concerns the viewer: a page that shows less is old.
    """

    version: int
    at: datetime
    status: Status
    starts_at: datetime
    ends_at: datetime
    lots: tuple[LotView, ...]
    acts: int = 0


def has_one_history(auction: Auction) -> bool:
    """True where everybody sees the same bids and the same line: bids in the open, or against the clock."""
    return auction.rules.format is not Format.SEALED and _shows_prices(auction)


def view(auction: Auction, viewer: PartyId, now: datetime, *, history: bool = True) -> View:
    """Return the auction as the owner, or as an invited bidder, sees it; without ``history`` no moves and no line."""
    return View(
        version=auction.version,
        at=now,
        status=model.overall(auction, now),
        starts_at=auction.rules.starts_at,
        ends_at=model.ends_at(auction),
        lots=tuple(lot_view(auction, each, viewer, now, history=history) for each in auction.lots),
        acts=sum(_concerns(auction, each, viewer) for each in auction.ledger.acts),
    )


def _concerns(auction: Auction, act: Act, viewer: PartyId) -> bool:
    """A request to take a bid back, and its answer, are between the owner and that bidder."""
    return act.about is None or viewer == auction.owner or auction.bid(act.about).by == viewer


def lot_view(auction: Auction, lot: Lot, viewer: PartyId, now: datetime, *, history: bool = True) -> LotView:
    """Return one lot as the owner, or an invited bidder, sees it."""
    stands = model.standing(auction, now, lot.number)
    tally = auction.ledger.tallies[lot.number]
    if viewer == auction.owner:
        found = _owners(auction, lot, stands, tally.count, now)
        return found if history else replace(found, moves=(), line=())
    last = tally.last.get(viewer)
    position = stands.position(viewer)
    shows_prices = _shows_prices(auction)
    leads = position is not None and viewer == stands.leader
    seen = _moves(auction, stands, tally, viewer, shows_prices=shows_prices) if history else ()
    return LotView(
        number=lot.number,
        status=stands.status,
        ends_at=stands.ends_at,
        price=stands.price if shows_prices or leads else None,
        leader=auction.alias(stands.leader) if stands.leader and (shows_prices or leads) else None,
        is_leading=leads,
        rank=stands.rank(viewer),
        own=position.amount if position else None,
        limit=position.limit if position and position.limit != position.amount else None,
        given_at=last.at if last else None,
        next=model.next_amount(auction, viewer, now, lot.number),
        reserve_met=_reserve_met(auction, lot, stands),
        bids=tally.count if shows_prices else tally.counts.get(viewer, 0),
        bidders=len(stands.positions) if shows_prices else 0,
        moves=tuple(_seen(auction, each, viewer) for each in seen[-MOVES_MAX:]),
        line=_line(auction, lot, seen, now, of_leader=shows_prices) if history else (),
        steps_at=stands.steps_at,
    )


def moves(auction: Auction, lot: Lot, viewer: PartyId, now: datetime) -> tuple[Seen, ...]:
    """Return every price of the lot that the viewer may see come about, oldest first."""
    stands = model.standing(auction, now, lot.number)
    tally, shows_prices = auction.ledger.tallies[lot.number], _shows_prices(auction)
    shows_all = viewer == auction.owner
    found = stands.moves if shows_all else _moves(auction, stands, tally, viewer, shows_prices=shows_prices)
    return tuple(_seen(auction, each, viewer) for each in found)


def _owners(auction: Auction, lot: Lot, stands: Standing, bids: int, now: datetime) -> LotView:
    return LotView(
        number=lot.number,
        status=stands.status,
        ends_at=stands.ends_at,
        price=stands.price,
        leader=auction.alias(stands.leader) if stands.leader else None,
        reserve_met=_reserve_met(auction, lot, stands),
        bids=bids,
        bidders=len(stands.positions),
        moves=tuple(_seen(auction, each, auction.owner) for each in stands.moves[-MOVES_MAX:]),
        line=_line(auction, lot, stands.moves, now, of_leader=True),
        steps_at=stands.steps_at,
    )


def _line(
    auction: Auction, lot: Lot, moves: tuple[Move, ...], now: datetime, *, of_leader: bool
) -> tuple[tuple[datetime, Decimal], ...]:
    if auction.rules.format is Format.SEALED:
        return ()
    if auction.rules.format is Format.CLOCK:
        return model.clock_line(auction, now, lot.number)[-LINE_MAX:]
    latest = islice((each for each in reversed(moves) if each.leads or not of_leader), LINE_MAX)
    return tuple((each.at, each.amount) for each in latest)[::-1]


def _shows_prices(auction: Auction) -> bool:
    """With a clock everybody sees the price; where ranks are shown, prices never, not even at the end."""
    by_clock = auction.rules.format is Format.CLOCK
    return by_clock or auction.rules.display is Display.PRICE


def _moves(
    auction: Auction, stands: Standing, tally: Tally, viewer: PartyId, *, shows_prices: bool
) -> tuple[Move, ...]:
    """Other bidders' sealed bids stay their own after the opening as well."""
    if auction.rules.format is Format.SEALED:
        return tuple(each for each in stands.moves if each.by == viewer)
    return stands.moves if shows_prices else tally.moves_of.get(viewer, ())


def _reserve_met(auction: Auction, lot: Lot, stands: Standing) -> bool | None:
    if lot.reserve is None or auction.rules.format is Format.CLOCK:
        return None
    if auction.rules.format is Format.SEALED and stands.status not in OVER:
        return None
    return stands.reserve_met


def _seen(auction: Auction, move: Move, viewer: PartyId) -> Seen:
    return Seen(
        move.at, auction.alias(move.by) or 0, move.amount, move.is_automatic, move.leads, is_own=move.by == viewer
    )
