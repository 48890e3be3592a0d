"""What people do with auctions: hold one, bid, rule over it; and what follows from its end.

Each use case takes the caller's write session and is one transaction there: the event in its place, the guarded move
of the auction's version, and an entry of the audit chain. Refused says why not; nothing is then changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from tradehub.documents import PartyId, TradeDocument
from tradehub.documents.parts import Party
from tradehub.platform import audit, clock, ids, numbers
from tradehub.platform.db import to_json
from tradehub.platform.jobs import JobContext, Jobs, RetryLater
from tradehub.platform.sealing import Sealer
from tradehub.sourcing.auctions import drafting, model, store, views
from tradehub.sourcing.auctions.drafting import Award, Conditions, Draft
from tradehub.sourcing.auctions.envelopes import Envelopes
from tradehub.sourcing.auctions.ledger import Auction
from tradehub.sourcing.auctions.memory import Memory
from tradehub.sourcing.auctions.rules import OVER, Act, ActKind, Bid, Format, Refused, Status
from tradehub.sourcing.auctions.store import AuctionRow, EventRow
from tradehub.sourcing.auctions.views import View

CLOSE = "auctions.close"
"""The job that makes the winners' offers once an auction is over; its argument is the auction's id."""

LOOK_AGAIN = timedelta(minutes=1)
"""How long the job waits where no end is in sight: the auction is paused, or its bids wait to be opened."""

SOON = timedelta(hours=24)
"""Auctions that start within this are in the work queue."""

FILTERS = ("all", "running", "scheduled", "over")


class OnWon(Protocol):
    """What follows from winning: the hub opens the deal of winner and owner with the winner's offer.

    Returns the deal's id, or None where no deal is kept. Called once for each winner, in the transaction that settles
    the auction, which is the system's own: no organisation's session is open there.
    """

    def __call__(self, session: Session, auction: Auction, winner: PartyId, document: TradeDocument) -> str | None: ...


def _nobody(session: Session, auction: Auction, winner: PartyId, document: TradeDocument) -> None:
    """Do nothing when an auction is won: nobody follows up on it."""


def _bare(session: Session, party: PartyId) -> Party:
    return Party(role="", name=str(party))


@dataclass(frozen=True)
class Hooks:
    """What auctions ask of the rest of the hub."""

    on_won: OnWon = _nobody
    party: Callable[[Session, PartyId], Party] = _bare
    name_of: Callable[[Session, str], str] = lambda session, party: party


class NotFound(Exception):
    """No such auction, or none that the session's organisation may see."""


class Unfit(Exception):
    """An auction that cannot be held; ``codes`` say why."""

    def __init__(self, codes: Sequence[str]) -> None:
        super().__init__(", ".join(codes))
        self.codes = tuple(codes)


@dataclass(frozen=True)
class Actor:
    """Who acts: a person for a party."""

    party: PartyId
    user_id: str | None = None
    name: str | None = None


@dataclass(frozen=True)
class Room:
    """An auction as one viewer sees it, with what its pages say about it.

    ``names`` has the bidders by number: their names for the owner, nothing but one's own for a bidder. ``deal`` is the
    viewer's own, or the owner's with each winner by number.
    """

    row: AuctionRow
    view: View
    is_owner: bool
    alias: int | None
    owner: str
    names: Mapping[int, str]
    reserves: Mapping[int, Decimal]
    conditions: Conditions
    requests: Mapping[int, Act]
    own_bids: Sequence[Bid]
    deals: Mapping[int, str]
    auction: Auction
    """With everybody's bids: for computing with, and for no page to print."""

    @property
    def id(self) -> str:
        return self.row.id

    @property
    def is_over(self) -> bool:
        return self.view.status in OVER


@dataclass(frozen=True)
class Listed:
    """An auction in a list."""

    row: AuctionRow
    view: View
    is_owner: bool
    owner: str


class AuctionService:
    """The capability. ``jobs`` carries the close; register it in every process by ``register``.

    ``sealer`` keeps what bidders may not know of each other out of the database (``envelopes``).
    """

    def __init__(self, jobs: Jobs, sealer: Callable[[], Sealer], hooks: Hooks | None = None) -> None:
        self.jobs = jobs
        self.memory = Memory(Envelopes(sealer))
        self.hooks = hooks or Hooks()

    def register(self) -> None:
        self.jobs.register(CLOSE, self._close)

    # --- commands ---

    def hold(self, session: Session, actor: Actor, draft: Draft, *, request_key: str | None = None) -> str:
        """Announce an auction and return its id. The same ``request_key`` again returns the first one.

        Raises Unfit. The bidders are numbered in an order that says nothing about them.
        """
        if request_key is not None:
            same = select(AuctionRow.id).where(
                AuctionRow.owner_id == actor.party, AuctionRow.request_key == request_key
            )
            known = session.scalar(same)
            if known is not None:
                return known
        now = clock.now()
        shuffled = sorted(dict.fromkeys(draft.bidders), key=lambda _: ids.new_secret(8))
        auction = drafting.auction(draft, id=ids.new_id(), owner=actor.party)
        auction = Auction(auction.id, auction.owner, auction.rules, auction.lots, tuple(shuffled))
        if codes := model.faults(auction, now):
            raise Unfit(codes)
        number = f"AUC-{now.year}-{numbers.next_number(session, f'auction:{actor.party}:{now.year}'):04d}"
        words = [number, draft.title, *(f"{each.name} {each.item_number}" for each in draft.lines)]
        row = AuctionRow(
            **store.laid_down(auction), number=number, title=draft.title, binds_days=draft.binds_days, version=0,
            conditions=store.kept_conditions(draft.conditions), deals={}, request_key=request_key,
            created_by=actor.user_id, created_at=now, words=" ".join(words).casefold(),
        )  # fmt: skip
        store.add(session, auction, row)
        details = {"rules": sha256(to_json(_plain(row)).encode()).hexdigest(), "bidders": len(auction.bidders)}
        self._note(session, row, actor, "auction.held", details, now)
        delay_s = max(0.0, (auction.rules.ends_at - now).total_seconds())
        self.jobs.enqueue_in_tx(session, CLOSE, row.id, id=f"{CLOSE}:{row.id}", delay_s=delay_s)
        return row.id

    def bid(
        self,
        session: Session,
        actor: Actor,
        auction_id: str,
        *,
        lot: int,
        amount: Decimal | None,
        limit: Decimal | None = None,
        confirmed: bool = False,
        request_key: str | None = None,
    ) -> int:
        """Place a bid, or accept the clock's price, and return the event's number.

        The same ``request_key`` again returns the first one's number. Raises Refused: also for a step so large that it
        may be a slip, unless it is ``confirmed``.
        """
        row = self._locked(session, auction_id)
        known = store.by_request(session, row.id, actor.party, request_key) if request_key else None
        if known is not None:
            return known.number
        before = self.memory.load(session, row)
        now = clock.now()
        wanted = Bid(lot=lot, by=actor.party, amount=amount, limit=limit)
        after = model.step(before, wanted, now=now)
        if not confirmed and model.is_large(before, wanted, now):
            raise Refused("LARGE_STEP", amount)
        event = self._record(session, row, actor, before, after, request_key=request_key)
        if after.rules.format is Format.CLOCK and model.overall(after, event.at) in OVER:
            self.jobs.enqueue_in_tx(session, CLOSE, row.id, id=f"{CLOSE}:{row.id}:{event.number}")
        return event.number

    def act(
        self,
        session: Session,
        actor: Actor,
        auction_id: str,
        kind: ActKind,
        *,
        text: str = "",
        about: int | None = None,
        request_key: str | None = None,
    ) -> int:
        """Pause, resume or cancel as the owner; ask for a bid back, consent or decline. Returns the event's number."""
        row = self._locked(session, auction_id)
        known = store.by_request(session, row.id, actor.party, request_key) if request_key else None
        if known is not None:
            return known.number
        if row.settled_at is not None:
            raise Refused("SETTLED")
        before = self.memory.load(session, row)
        after = model.step(before, Act(kind, actor.party, text.strip(), about), now=clock.now())
        return self._record(session, row, actor, before, after, request_key=request_key).number

    def settle(self, session: Session, auction_id: str, now: datetime) -> bool:
        """Make the winners' offers where the auction is over; True where it is settled, now or before.

        For the system's own session: what it does belongs to several organisations.
        """
        row = self._locked(session, auction_id)
        auction = self._opened(session, row)
        status = model.overall(auction, now)
        if status not in OVER or status is Status.UNOPENED:
            return False
        if row.settled_at is not None or not store.settle(session, row, now):
            return True
        deals: dict[str, str] = {}
        for place, award in enumerate(drafting.awards(auction, now), 1):
            deal = self.hooks.on_won(session, auction, award.winner, self._letter(session, row, auction, award, place))
            if deal is not None:
                deals[award.winner] = deal
        row.deals = deals
        outcome = {"status": str(status), "winners": [each.winner for each in drafting.awards(auction, now)]}
        self._note(session, row, Actor(PartyId(row.owner_id)), "auction.settled", outcome, now)
        return True

    # --- questions ---

    def room(self, session: Session, auction_id: str, viewer: PartyId) -> Room:
        """Return the auction as the viewer sees it. Raises NotFound."""
        row = store.row(session, auction_id)
        if row is None:
            raise NotFound(auction_id)
        auction = self._opened(session, row)
        is_owner = row.owner_id == viewer
        shown = auction.bidders if is_owner else (viewer,)
        requests = model.open_requests(auction)
        return Room(
            row=row,
            auction=auction,
            view=views.view(auction, viewer, clock.now()),
            is_owner=is_owner,
            alias=auction.alias(viewer),
            owner=self._name(session, auction.owner),
            names={auction.alias(each) or 0: self._name(session, each) for each in shown},
            reserves={each.number: each.reserve for each in auction.lots if is_owner and each.reserve is not None},
            conditions=store.conditions(row),
            requests={each: act for each, act in requests.items() if is_owner or act.by == viewer},
            own_bids=[each for each in auction.events if isinstance(each, Bid) and each.by == viewer],
            deals={auction.alias(PartyId(party)) or 0: deal for party, deal in row.deals.items() if party in shown},
        )

    def view(self, session: Session, auction_id: str, viewer: PartyId) -> tuple[AuctionRow, View]:
        """Return how the auction stands for the viewer. Raises NotFound."""
        row = store.row(session, auction_id)
        if row is None:
            raise NotFound(auction_id)
        auction = self._opened(session, row)
        return row, views.view(auction, viewer, clock.now())

    def listed(self, session: Session, viewer: PartyId, *, words: str = "", unsettled: bool = False) -> list[Listed]:
        """Return the auctions that the viewer holds or is invited to: the running ones first, then what starts next."""
        found = store.rows(session, words=words, unsettled=unsettled)
        auctions = self.memory.load_all(session, found)
        now = clock.now()
        owners = {each: self._name(session, PartyId(each)) for each in {row.owner_id for row in found}}
        lines = [
            Listed(
                row=each,
                view=views.view(self.memory.opened(session, auctions[each.id], now), viewer, now),
                is_owner=each.owner_id == viewer,
                owner=owners[each.owner_id],
            )
            for each in found
        ]
        return sorted(lines, key=_urgency)

    def _opened(self, session: Session, row: AuctionRow) -> Auction:
        return self.memory.opened(session, self.memory.load(session, row), clock.now())

    # --- parts ---

    def _close(self, ctx: JobContext, auction_id: str) -> None:
        """Settle the auction, or look again at the end that it has by now."""
        with ctx.write() as session:
            now = clock.now()
            if self.settle(session, auction_id, now):
                return
            row = store.row(session, auction_id)
            ends_at = model.ends_at(self.memory.load(session, row)) if row is not None else now
            raise RetryLater(ends_at - now if ends_at > now else LOOK_AGAIN)

    def _locked(self, session: Session, auction_id: str) -> AuctionRow:
        row = store.row(session, auction_id, lock=True)
        if row is None:
            raise NotFound(auction_id)
        return row

    def _record(
        self,
        session: Session,
        row: AuctionRow,
        actor: Actor,
        before: Auction,
        after: Auction,
        *,
        request_key: str | None = None,
    ) -> EventRow:
        event = store.record(
            session, row, before, after, self.memory.envelopes, user_id=actor.user_id, user_name=actor.name,
            request_key=request_key,
        )  # fmt: skip
        details = {"number": event.number, "kind": event.kind, "sha256": digest(event)}
        self._note(session, row, actor, f"auction.{event.kind}", details, event.at)
        return event

    def _note(
        self, session: Session, row: AuctionRow, actor: Actor, action: str, details: Mapping[str, object], at: datetime
    ) -> None:
        audit.append(
            session, chain=f"auction:{row.id}", org=actor.party, actor=actor.user_id, action=action, subject=row.id,
            details=details, at=at,
        )  # fmt: skip

    def _letter(self, session: Session, row: AuctionRow, auction: Auction, award: Award, place: int) -> TradeDocument:
        now = clock.now()
        owner, winner = self.hooks.party(session, auction.owner), self.hooks.party(session, award.winner)
        buyer, seller = (winner, owner) if auction.rules.is_sale else (owner, winner)
        return drafting.letter(
            auction, award, store.conditions(row), number=f"{row.number}-{place}", auction_number=row.number,
            buyer=buyer, seller=seller, issued_on=now.date(),
            valid_until=(model.ends_at(auction) + timedelta(days=row.binds_days)).date(),
        )  # fmt: skip

    def _name(self, session: Session, party: PartyId) -> str:
        return self.hooks.name_of(session, party)


def digest(event: EventRow) -> str:
    """Return the SHA-256 of an event as it was stored; the audit chain keeps it, and no amount."""
    values = {
        "auction": event.auction_id, "number": event.number, "kind": event.kind, "by": event.by_id, "lot": event.lot,
        "amount": _text(event.amount), "limit": _text(event.bid_limit), "sealed": event.sealed, "about": event.about,
        "text": event.text, "at": event.at.isoformat(timespec="microseconds"),
    }  # fmt: skip
    return sha256(to_json(values).encode()).hexdigest()


def verify(session: Session, auction_id: str) -> int | None:
    """Return the number of the first event that is not as the audit chain says, None where all are; for the system."""
    chain = f"auction:{auction_id}"
    if (broken := audit.verify(session, chain)) is not None:
        return broken.number
    entries = select(audit.AuditEntry).where(audit.AuditEntry.chain == chain).order_by(audit.AuditEntry.number)
    said = {
        each.details["number"]: each.details["sha256"] for each in session.scalars(entries) if "sha256" in each.details
    }
    events = session.scalars(select(EventRow).where(EventRow.auction_id == auction_id).order_by(EventRow.number))
    kept = {each.number: digest(each) for each in events}
    return next((number for number in sorted({*said, *kept}) if said.get(number) != kept.get(number)), None)


_ORDER = (Status.RUNNING, Status.PAUSED, Status.SCHEDULED, Status.UNOPENED)


def _urgency(line: Listed) -> tuple[int, float]:
    """What runs and ends first, then what starts first, then what ended last."""
    status = line.view.status
    place = _ORDER.index(status) if status in _ORDER else len(_ORDER)
    moment = line.view.starts_at if status is Status.SCHEDULED else line.view.ends_at
    return place, moment.timestamp() if place < len(_ORDER) else -moment.timestamp()


def _plain(row: AuctionRow) -> dict[str, object]:
    return {"lots": row.lots, "conditions": row.conditions, "kind": row.kind, "currency": row.currency,
            "starts_at": row.starts_at.isoformat(), "ends_at": row.ends_at.isoformat(), "step": str(row.step)}  # fmt: skip


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else str(amount)
