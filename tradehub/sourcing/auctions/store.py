"""The rows of auctions: what the owner laid down, who is invited, and what happened, which is only ever added to.

An auction is shown to its owner and to whom it invites; of what happened, each organisation's session finds its own
alone. The rules have to look at all of it: ``load_all`` and ``brought_up`` are the doors to that, ``memory`` alone goes
through them, and nothing that they return leaves the service but through ``views``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, ForeignKey, Row, Select, Text, UniqueConstraint, and_, or_, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Mapped, Session, mapped_column

from tradehub.documents import Line, PartyId
from tradehub.platform.db import Base, Scoped
from tradehub.sourcing.auctions.drafting import Conditions
from tradehub.sourcing.auctions.envelopes import Envelopes
from tradehub.sourcing.auctions.ledger import Auction
from tradehub.sourcing.auctions.rules import (
    Act,
    ActKind,
    Bid,
    Display,
    Event,
    Format,
    Increment,
    Kind,
    Lot,
    Rules,
    SoftClose,
)

BID = "bid"
"""The kind of an event row that is no act."""


class BidderRow(Scoped, Base):
    """An invitation. ``number`` is what the other bidders know this one by."""

    __tablename__ = "auction_bidder"

    auction_id: Mapped[str] = mapped_column(ForeignKey("auction.id"), primary_key=True)
    party: Mapped[str] = mapped_column(primary_key=True, index=True)
    owner_id: Mapped[str]
    number: Mapped[int]

    @classmethod
    def visible_to(cls, org: str) -> ColumnElement[bool]:
        return or_(cls.owner_id == org, cls.party == org)


class AuctionRow(Scoped, Base):
    """What the owner laid down. ``version`` counts what happened; a guarded UPDATE compares it, so that of two bids at
    once one is first. ``settled_at`` is set once, when the winners' offers have been made."""

    __tablename__ = "auction"
    __table_args__ = (UniqueConstraint("owner_id", "number"), UniqueConstraint("owner_id", "request_key"))

    id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(index=True)
    owner_id: Mapped[str] = mapped_column(index=True)
    title: Mapped[str]
    kind: Mapped[str]
    currency: Mapped[str]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime] = mapped_column(index=True)
    step: Mapped[Decimal]
    step_is_percent: Mapped[bool]
    soft_within_s: Mapped[int | None]
    soft_by_s: Mapped[int | None]
    soft_most_s: Mapped[int | None]
    tick_s: Mapped[int | None]
    display: Mapped[str]
    allows_proxy: Mapped[bool]
    lots: Mapped[list[Any]]
    conditions: Mapped[dict[str, Any]]
    binds_days: Mapped[int]
    version: Mapped[int] = mapped_column(default=0)
    settled_at: Mapped[datetime | None]
    deals: Mapped[dict[str, Any]] = mapped_column(default=dict)
    request_key: Mapped[str | None]
    created_by: Mapped[str | None]
    created_at: Mapped[datetime]
    words: Mapped[str] = mapped_column(Text, default="")

    @classmethod
    def visible_to(cls, org: str) -> ColumnElement[bool]:
        return or_(cls.owner_id == org, cls.id.in_(select(BidderRow.auction_id).where(BidderRow.party == org)))


class EventRow(Scoped, Base):
    """A bid or an act, by whom. ``sealed`` is the envelope of what is secret: the amount of a sealed bid, or the limit of
    an open one. ``bid_limit`` is read of bids from before limits were sealed, and never written."""

    __tablename__ = "auction_event"
    __table_args__ = (UniqueConstraint("auction_id", "by_id", "request_key"),)

    auction_id: Mapped[str] = mapped_column(ForeignKey("auction.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    by_id: Mapped[str] = mapped_column(index=True)
    lot: Mapped[int | None]
    amount: Mapped[Decimal | None]
    bid_limit: Mapped[Decimal | None]
    sealed: Mapped[str | None] = mapped_column(Text)
    is_quiet: Mapped[bool] = mapped_column(default=False)
    about: Mapped[int | None]
    text: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[datetime]
    user_id: Mapped[str | None]
    user_name: Mapped[str | None]
    request_key: Mapped[str | None]

    @classmethod
    def visible_to(cls, org: str) -> ColumnElement[bool]:
        return cls.by_id == org


class Overtaken(Exception):
    """Another event of this auction was first; nothing was stored."""


_EVENTS = EventRow.__table__
_BIDDERS = BidderRow.__table__


def row(session: Session, auction_id: str, *, lock: bool = False) -> AuctionRow | None:
    """Return the auction where the session may see it. ``lock`` makes other writers of this auction wait."""
    wanted = select(AuctionRow).where(AuctionRow.id == auction_id)
    if lock:
        wanted = wanted.with_for_update(of=AuctionRow).execution_options(populate_existing=True)
    return session.scalar(wanted)


def rows(session: Session, *, words: str = "", unsettled: bool = False, limit: int = 200) -> list[AuctionRow]:
    """Return the auctions that the session may see, the one that ends last first; ``unsettled`` leaves out the rest."""
    wanted = select(AuctionRow).order_by(AuctionRow.ends_at.desc()).limit(limit)
    if unsettled:
        wanted = wanted.where(AuctionRow.settled_at.is_(None))
    for word in words.casefold().split():
        wanted = wanted.where(AuctionRow.words.contains(word, autoescape=True))
    return list(session.scalars(wanted))


def brought_up(session: Session, known: Mapping[str, Auction], envelopes: Envelopes) -> dict[str, Auction]:
    """Return those of the ``known`` auctions that go on from what is known, with what came since, by one query.

    Each one's last known event is read again: where it is not the one that is known, the auction is left out.
    """
    if not known:
        return {}
    since = or_(
        *(and_(_EVENTS.c.auction_id == id, _EVENTS.c.number >= max(1, each.version)) for id, each in known.items())
    )
    new: dict[str, list[Event]] = {id: [] for id in known}
    for each in session.execute(_in_order(select(_EVENTS).where(since))):
        new[each.auction_id].append(_event(each, envelopes))
    found = {}
    for id, auction in known.items():
        last = list(auction.events[-1:])
        if new[id][: len(last)] == last:
            found[id] = auction.grown(new[id][len(last) :])
    return found


def load_all(session: Session, found: Sequence[AuctionRow], envelopes: Envelopes) -> dict[str, Auction]:
    """Return several auctions with two queries.

    The queries go past the tenancy criterion on purpose: what a bid is worth depends on those of other organisations.
    """
    ids = [each.id for each in found]
    events: dict[str, list[Event]] = {each: [] for each in ids}
    bidders: dict[str, list[PartyId]] = {each: [] for each in ids}
    for each in session.execute(_in_order(select(_EVENTS).where(_EVENTS.c.auction_id.in_(ids)))):
        events[each.auction_id].append(_event(each, envelopes))
    invited = select(_BIDDERS.c.auction_id, _BIDDERS.c.party).where(_BIDDERS.c.auction_id.in_(ids))
    for id, party in session.execute(invited.order_by(_BIDDERS.c.number).execution_options(unscoped=True)):
        bidders[id].append(PartyId(party))
    return {
        each.id: Auction(
            id=each.id,
            owner=PartyId(each.owner_id),
            rules=_rules(each),
            lots=tuple(_lot(kept) for kept in each.lots),
            bidders=tuple(bidders[each.id]),
            events=tuple(events[each.id]),
        )
        for each in found
    }


def opened(session: Session, auction: Auction, envelopes: Envelopes) -> Auction:
    """Return the auction with the amounts of the bids that are under seal. Raises ``platform.sealing.Tampered``."""
    wanted = select(_EVENTS.c.number, _EVENTS.c.sealed).where(
        _EVENTS.c.auction_id == auction.id, _EVENTS.c.sealed.is_not(None)
    )
    sealed = {each.number: each.sealed for each in session.execute(wanted.execution_options(unscoped=True))}
    events = tuple(
        envelopes.opened(auction.id, each, sealed[each.number])
        if isinstance(each, Bid) and each.number in sealed
        else each
        for each in auction.events
    )
    return replace(auction, events=events)


def add(session: Session, auction: Auction, found: AuctionRow) -> None:
    """Store a new auction with its invitations; ``found`` holds what the model does not know."""
    session.add(found)
    session.flush()
    session.add_all(
        BidderRow(auction_id=auction.id, party=party, owner_id=auction.owner, number=place)
        for place, party in enumerate(auction.bidders, 1)
    )
    session.flush()


def laid_down(auction: Auction) -> dict[str, Any]:
    """Return the columns that hold what the owner laid down."""
    rules, soft = auction.rules, auction.rules.soft_close
    return {
        "id": auction.id, "owner_id": auction.owner, "kind": str(rules.kind), "currency": rules.currency,
        "starts_at": rules.starts_at, "ends_at": rules.ends_at, "step": rules.increment.value,
        "step_is_percent": rules.increment.is_percent, "soft_within_s": _seconds(soft.within if soft else None),
        "soft_by_s": _seconds(soft.by if soft else None), "soft_most_s": _seconds(soft.at_most if soft else None),
        "tick_s": _seconds(rules.tick), "display": str(rules.display), "allows_proxy": rules.allows_proxy,
        "lots": [_kept(each) for each in auction.lots],
    }  # fmt: skip


def record(
    session: Session,
    found: AuctionRow,
    before: Auction,
    after: Auction,
    envelopes: Envelopes,
    *,
    user_id: str | None = None,
    user_name: str | None = None,
    request_key: str | None = None,
) -> EventRow:
    """Store the one event by which ``after`` goes beyond ``before``. Raises Overtaken where another one was first.

    What of a bid is secret is kept in its envelope and nowhere else.
    """
    event, form = after.events[-1], after.rules.format
    sealed = envelopes.seal(found.id, form, event) if isinstance(event, Bid) else None
    columns = _bid_columns(event, form, sealed) if isinstance(event, Bid) else _act_columns(event)
    moved = session.execute(
        update(AuctionRow)
        .where(AuctionRow.id == found.id, AuctionRow.version == before.version)
        .values(version=after.version)
        .execution_options(synchronize_session=False)
    )
    if not isinstance(moved, CursorResult) or moved.rowcount != 1:
        raise Overtaken(found.id)
    happened = EventRow(
        auction_id=found.id, number=event.number, by_id=event.by, at=event.at, user_id=user_id, user_name=user_name,
        request_key=request_key, **columns,
    )  # fmt: skip
    session.add(happened)
    session.flush()
    session.refresh(found)
    return happened


def by_request(session: Session, auction_id: str, party: PartyId, request_key: str) -> EventRow | None:
    wanted = select(EventRow).where(EventRow.auction_id == auction_id, EventRow.by_id == party)
    return session.scalar(wanted.where(EventRow.request_key == request_key))


def versions(session: Session, ids: Sequence[str]) -> dict[str, int]:
    """Return how many events each of these auctions has; for the system's own session."""
    wanted = select(AuctionRow.id, AuctionRow.version).where(AuctionRow.id.in_(ids))
    return {each.id: each.version for each in session.execute(wanted)}


def settle(session: Session, found: AuctionRow, at: datetime) -> bool:
    """Mark the auction as settled; False where it was already. Two at once: one gets True."""
    moved = session.execute(
        update(AuctionRow)
        .where(AuctionRow.id == found.id, AuctionRow.settled_at.is_(None))
        .values(settled_at=at)
        .execution_options(synchronize_session=False)
    )
    session.refresh(found)
    return isinstance(moved, CursorResult) and moved.rowcount == 1


def conditions(found: AuctionRow) -> Conditions:
    kept = dict(found.conditions)
    on = kept.get("delivery_on")
    return Conditions(**{**kept, "delivery_on": None if on is None else datetime.fromisoformat(on).date()})


def kept_conditions(wanted: Conditions) -> dict[str, Any]:
    on = wanted.delivery_on
    return {
        "delivery_on": on.isoformat() if on else None,
        "incoterm": wanted.incoterm,
        "place": wanted.place,
        "payment": wanted.payment,
        "text": wanted.text,
    }


def _rules(found: AuctionRow) -> Rules:
    soft = None
    if found.soft_within_s is not None and found.soft_by_s is not None:
        most = None if found.soft_most_s is None else timedelta(seconds=found.soft_most_s)
        soft = SoftClose(timedelta(seconds=found.soft_within_s), timedelta(seconds=found.soft_by_s), most)
    return Rules(
        kind=Kind(found.kind),
        currency=found.currency,
        starts_at=found.starts_at,
        ends_at=found.ends_at,
        increment=Increment(found.step, found.step_is_percent),
        soft_close=soft,
        display=Display(found.display),
        allows_proxy=found.allows_proxy,
        tick=None if found.tick_s is None else timedelta(seconds=found.tick_s),
    )


def _kept(lot: Lot) -> dict[str, Any]:
    return {
        "number": lot.number,
        "start": str(lot.start),
        "reserve": None if lot.reserve is None else str(lot.reserve),
        "lines": [line.model_dump(mode="json", exclude_defaults=True) for line in lot.lines],
    }


def _lot(kept: dict[str, Any]) -> Lot:
    return Lot(
        number=kept["number"],
        start=Decimal(kept["start"]),
        reserve=None if kept["reserve"] is None else Decimal(kept["reserve"]),
        lines=tuple(Line.model_validate(each) for each in kept["lines"]),
    )


def _in_order(wanted: Select[Any]) -> Select[Any]:
    return wanted.order_by(_EVENTS.c.auction_id, _EVENTS.c.number).execution_options(unscoped=True)


def _event(kept: Row[Any], envelopes: Envelopes) -> Event:
    by = PartyId(kept.by_id)
    if kept.kind == BID:
        bid = Bid(
            lot=kept.lot, by=by, amount=kept.amount, limit=kept.bid_limit, number=kept.number, at=kept.at,
            is_quiet=kept.is_quiet,
        )  # fmt: skip
        if kept.sealed is None or bid.amount is None:
            return bid
        return replace(bid, limit=envelopes.limit(kept.auction_id, bid, kept.sealed))
    return Act(kind=ActKind(kept.kind), by=by, text=kept.text, about=kept.about, number=kept.number, at=kept.at)


def _bid_columns(bid: Bid, form: Format, sealed: str | None) -> dict[str, Any]:
    amount = None if form is Format.SEALED else bid.amount
    return {"kind": BID, "lot": bid.lot, "amount": amount, "sealed": sealed, "is_quiet": bid.is_quiet}


def _act_columns(act: Act) -> dict[str, Any]:
    return {"kind": str(act.kind), "text": act.text, "about": act.about}


def _seconds(lasts: timedelta | None) -> int | None:
    return None if lasts is None else int(lasts.total_seconds())
