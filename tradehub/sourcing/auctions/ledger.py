"""One auction, and its events added up: a fold over what happened that gives who leads, at which price, until when.

The same events always give the same ledger; nothing of it is ever stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property

from tradehub.documents import PartyId
from tradehub.sourcing.auctions.rules import (
    Act,
    ActKind,
    Bid,
    Event,
    Format,
    Lot,
    Move,
    Position,
    Refused,
    Rules,
    Standing,
)


@dataclass(frozen=True)
class Auction:
    """One auction. ``bidders`` are those invited; a bidder's place among them, from 1, is what others know it by."""

    id: str
    owner: PartyId
    rules: Rules
    lots: tuple[Lot, ...]
    bidders: tuple[PartyId, ...] = ()
    events: tuple[Event, ...] = ()

    @property
    def version(self) -> int:
        return len(self.events)

    def lot(self, number: int) -> Lot:
        """Return the lot. Raises Refused where there is none of that number."""
        found = next((each for each in self.lots if each.number == number), None)
        if found is None:
            raise Refused("NO_SUCH_LOT")
        return found

    def alias(self, party: PartyId) -> int | None:
        return self.aliases.get(party)

    @cached_property
    def aliases(self) -> dict[PartyId, int]:
        return {party: place for place, party in enumerate(self.bidders, 1)}

    def bid(self, number: int | None) -> Bid:
        """Return the bid with that number among the events. Raises Refused."""
        event = self.events[number - 1] if number and 0 < number <= len(self.events) else None
        if not isinstance(event, Bid):
            raise Refused("NO_SUCH_BID")
        return event

    @cached_property
    def ledger(self) -> Ledger:
        return Ledger.of(self)

    def grown(self, events: Sequence[Event]) -> Auction:
        """Return the auction with more events after its own. What is added up already is not added up again."""
        if not events:
            return self
        grown = replace(self, events=(*self.events, *events))
        # a frozen dataclass keeps its cached properties in its dictionary
        grown.__dict__["ledger"] = self.ledger.after(grown, events)
        return grown


@dataclass
class Tally:
    """One lot while its events are gone through. ``latest`` is the end that no extension passes.

    ``count``, ``counts`` and ``last`` are of all bids that were given, withdrawn ones too. ``moves_of`` are the moves of
    one bidder.
    """

    ends_at: datetime
    latest: datetime | None
    price: Decimal | None = None
    leader: PartyId | None = None
    found: dict[PartyId, Position] = field(default_factory=dict)
    moves: list[Move] = field(default_factory=list)
    accepted: Bid | None = None
    count: int = 0
    counts: dict[PartyId, int] = field(default_factory=dict)
    last: dict[PartyId, Bid] = field(default_factory=dict)
    moves_of: dict[PartyId, tuple[Move, ...]] = field(default_factory=dict)

    def copied(self) -> Tally:
        return replace(
            self, found=dict(self.found), moves=list(self.moves), counts=dict(self.counts), last=dict(self.last),
            moves_of=dict(self.moves_of),
        )  # fmt: skip

    def move(self, move: Move) -> None:
        self.moves.append(move)
        self.moves_of[move.by] = (*self.moves_of.get(move.by, ()), move)

    def ranked(self, rules: Rules) -> tuple[Position, ...]:
        """Return the positions, best first, of equal ones the earlier: the leader is never the later of two."""
        return tuple(sorted(self.found.values(), key=lambda each: (-rules.sign * each.amount, each.number)))


@dataclass
class Ledger:
    """The events added up. Withdrawn bids have moved the end all the same: what was put off stays so."""

    tallies: dict[int, Tally]
    pauses: list[tuple[datetime, datetime]]
    acts: list[Act]
    paused_at: datetime | None = None
    cancelled_at: datetime | None = None
    withdrawn: frozenset[int] = frozenset()
    stood: dict[int, tuple[datetime, Standing]] = field(default_factory=dict)
    """How each lot stood when it was last asked: a state is shown to every bidder of one moment."""

    @classmethod
    def of(cls, auction: Auction) -> Ledger:
        rules = auction.rules
        cap = rules.soft_close.at_most if rules.soft_close else None
        tallies = {
            each.number: Tally(rules.ends_at, None if cap is None else rules.ends_at + cap) for each in auction.lots
        }
        acts = [each for each in auction.events if isinstance(each, Act)]
        ledger = cls(
            tallies, [], acts, withdrawn=frozenset(each.about or 0 for each in acts if each.kind is ActKind.CONSENT)
        )
        ledger._add(auction, auction.events)
        return ledger

    def after(self, auction: Auction, events: Sequence[Event]) -> Ledger:
        """Return the ledger of ``auction``, which has ``events`` beyond those that are added up here.

        What they do not touch is shared. A bid that is taken back changes what came after it: then all is added up anew.
        """
        acts = [each for each in events if isinstance(each, Act)]
        if any(each.kind is ActKind.CONSENT for each in acts):
            return Ledger.of(auction)
        touched = {each.lot for each in events if isinstance(each, Bid)}
        if any(each.kind is ActKind.RESUME for each in acts):
            touched = set(self.tallies)
        ledger = replace(
            self, tallies={lot: each.copied() if lot in touched else each for lot, each in self.tallies.items()},
            pauses=list(self.pauses), acts=[*self.acts, *acts], stood={},
        )  # fmt: skip
        ledger._add(auction, events)
        return ledger

    def _add(self, auction: Auction, events: Sequence[Event]) -> None:
        lots = {each.number: each for each in auction.lots}
        for event in events:
            if isinstance(event, Bid):
                self._bid(auction.rules, lots[event.lot], event)
            else:
                self._act(event)

    def running(self, since: datetime, until: datetime) -> timedelta:
        """Return how long it ran between two moments, pauses left out."""
        until = min(until, self.paused_at) if self.paused_at else until
        paused = sum((min(end, until) - start for start, end in self.pauses if start < until), timedelta())
        return max(until - since - paused, timedelta())

    def moment(self, since: datetime, running: timedelta) -> datetime:
        """Return the moment at which it will have run so long since ``since``."""
        at = since + running
        for start, end in self.pauses:
            if start < at:
                at += end - start
        return at

    def _act(self, act: Act) -> None:
        if act.kind is ActKind.PAUSE:
            self.paused_at = act.at
        elif act.kind is ActKind.RESUME and self.paused_at is not None:
            lasted = act.at - self.paused_at
            for tally in self.tallies.values():
                if tally.ends_at > self.paused_at:
                    tally.ends_at += lasted
                    tally.latest = tally.latest + lasted if tally.latest else None
            self.pauses.append((self.paused_at, act.at))
            self.paused_at = None
        elif act.kind is ActKind.CANCEL:
            self.cancelled_at = act.at

    def _bid(self, rules: Rules, lot: Lot, bid: Bid) -> None:
        tally = self.tallies[lot.number]
        counts = bid.number not in self.withdrawn
        tally.count += 1
        tally.counts[bid.by] = tally.counts.get(bid.by, 0) + 1
        tally.last[bid.by] = bid
        if rules.format is Format.CLOCK:
            tally.ends_at = bid.at
            tally.accepted = bid if counts else None
            return
        if rules.format is Format.OPEN:
            _extend(rules, tally, bid)
        if counts and bid.amount is not None:
            if rules.format is Format.SEALED:
                tally.found[bid.by] = Position(bid.by, bid.amount, bid.amount, bid.number)
            else:
                _place(rules, tally, bid, bid.amount)
                _reach_reserve(rules, lot, tally, bid)
        elif counts:
            tally.accepted = bid  # under seal: it is there, and that is all that is known


def _extend(rules: Rules, tally: Tally, bid: Bid) -> None:
    soft = rules.soft_close
    if soft is None or bid.is_quiet or tally.ends_at - bid.at > soft.within:
        return
    wanted = tally.ends_at + soft.by
    tally.ends_at = max(tally.ends_at, min(wanted, tally.latest) if tally.latest else wanted)


def _place(rules: Rules, tally: Tally, bid: Bid, amount: Decimal) -> None:
    """Let a bid of an open auction meet the leader's: who goes further leads, by one increment over the other.

    At equal limits the earlier one leads, at the limit. Only the leader can have anything left of its limit.
    """
    limit = amount if bid.limit is None else bid.limit
    lead = tally.found.get(tally.leader) if tally.leader else None
    own = tally.found.get(bid.by)
    if lead is None:
        _lead(tally, bid, amount, limit, automatic=False)
    elif lead.by == bid.by:
        _raise_own(rules, tally, bid, lead, amount, limit)
    elif rules.is_better(limit, lead.limit):
        if rules.is_better(lead.limit, lead.amount):
            tally.found[lead.by] = lead._replace(amount=lead.limit)
            tally.move(Move(bid.at, lead.by, lead.limit, is_automatic=True, leads=True))
        price = rules.better(amount, rules.worse(rules.improved(lead.limit), limit))
        _lead(tally, bid, price, limit, automatic=price != amount)
    elif tally.price is not None and rules.is_better(limit, tally.price):
        tally.found[bid.by] = Position(bid.by, limit, limit, bid.number)
        tally.move(Move(bid.at, bid.by, limit, is_automatic=limit != amount, leads=False))
        tally.price = rules.worse(rules.improved(limit), lead.limit)
        tally.found[lead.by] = lead._replace(amount=tally.price)
        tally.move(Move(bid.at, lead.by, tally.price, is_automatic=True, leads=True))
    else:
        shown = rules.better(amount, own.amount) if own else amount
        tally.found[bid.by] = Position(bid.by, shown, shown, bid.number)
        tally.move(Move(bid.at, bid.by, shown, is_automatic=False, leads=False))


def _lead(tally: Tally, bid: Bid, price: Decimal, limit: Decimal, *, automatic: bool) -> None:
    tally.leader, tally.price = bid.by, price
    tally.found[bid.by] = Position(bid.by, price, limit, bid.number)
    tally.move(Move(bid.at, bid.by, price, is_automatic=automatic, leads=True))


def _raise_own(rules: Rules, tally: Tally, bid: Bid, lead: Position, amount: Decimal, limit: Decimal) -> None:
    shown = rules.better(amount, lead.amount)
    tally.found[bid.by] = lead._replace(amount=shown, limit=rules.better(rules.better(limit, lead.limit), shown))
    if shown != lead.amount:
        tally.price = shown
        tally.move(Move(bid.at, bid.by, shown, is_automatic=False, leads=True))


def _reach_reserve(rules: Rules, lot: Lot, tally: Tally, bid: Bid) -> None:
    """Where the leader's limit goes as far as the reserve, its bid goes there at once."""
    lead = tally.found[tally.leader] if tally.leader else None
    if lead is None or lot.reserve is None or rules.is_better(lot.reserve, lead.limit):
        return
    if rules.is_better(lot.reserve, lead.amount):
        tally.price = lot.reserve
        tally.found[lead.by] = lead._replace(amount=lot.reserve)
        tally.move(Move(bid.at, lead.by, lot.reserve, is_automatic=True, leads=True))
