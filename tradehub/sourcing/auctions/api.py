"""Auctions as a REST API: those of the caller's organisation and how each stands for it; holding one, bidding, acting.

A bid is taken without an Idempotency-Key: what is kept under such a key includes the hash of the request, from which a
sealed amount or a limit could be guessed. Sent twice, the second one is refused as no better than the first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

from flask import Blueprint
from flask_babel import gettext
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from tradehub.documents import PartyId
from tradehub.documents.amounts import MINOR_UNITS
from tradehub.documents.parts import Incoterm
from tradehub.partners.asking import NOT_NEEDED, ApprovalAsked, Ask, asker, unauthorised
from tradehub.partners.authority import Forbidden, Needs
from tradehub.partners.suggesting import Suggest
from tradehub.platform import api, http
from tradehub.platform.api import Answer, Api, Entry, example
from tradehub.platform.db import Database
from tradehub.platform.faults import WORDS, Fault, fault
from tradehub.platform.problems import Problem
from tradehub.sourcing.auctions import forms, wording
from tradehub.sourcing.auctions.binding import Intent, Unauthorised
from tradehub.sourcing.auctions.drafting import Conditions, Draft, DraftLine
from tradehub.sourcing.auctions.rules import (
    BIDDERS_MAX,
    FORMS,
    LINES_MAX,
    OVER,
    ActKind,
    Display,
    Format,
    Increment,
    Kind,
    Refused,
    Rules,
    SoftClose,
    Status,
)  # fmt: skip
from tradehub.sourcing.auctions.service import Actor, AuctionService, Listed, NotFound, Room, Unfit
from tradehub.sourcing.auctions.store import Overtaken
from tradehub.sourcing.auctions.views import LotView

Amount = Annotated[Decimal, Field(gt=0, max_digits=18, decimal_places=6)]
"""A price or a quantity of a line; the whole lot is held to ``AMOUNT_MAX`` by the rules."""

Short = Annotated[str, Field(max_length=forms.NAME_MAX)]
Named = Annotated[str, Field(min_length=1, max_length=forms.NAME_MAX)]
Text = Annotated[str, Field(max_length=forms.TEXT_MAX)]


class AuctionsQuery(Entry):
    """``q`` is part of a number, a title or an item."""

    only: Literal["all", "running", "scheduled", "over"] = "all"
    q: Annotated[str, Field(max_length=200)] = ""


class AuctionSummary(BaseModel):
    """``price`` is the sum of what the caller may see of the lots' prices."""

    id: str
    number: str
    title: str
    kind: Kind
    owner: str
    is_owner: bool
    currency: str
    status: Status
    starts_at: datetime
    ends_at: datetime
    price: Decimal | None


class AuctionsPage(Answer):
    """Those that the organisation holds or is invited to: the running ones first, then what starts next."""

    auctions: list[AuctionSummary]


class LotLine(BaseModel):
    """``opening`` is the opening price per unit."""

    number: str
    name: str | None
    item: str | None
    quantity: Decimal
    unit: str | None
    opening: Decimal


class LotStanding(BaseModel):
    """A lot as the caller may see it; what it may not see is null. ``next`` is the least that it may bid now; ``reserve``
    is told to the owner alone."""

    number: int
    status: Status
    ends_at: datetime
    start: Decimal
    reserve: Decimal | None
    price: Decimal | None
    is_leading: bool
    rank: int | None
    own: Decimal | None
    limit: Decimal | None
    next: Decimal | None
    reserve_met: bool | None
    bids: int
    lines: list[LotLine]


class StepEntry(Entry):
    """The least distance between two bids, or the clock's step: an amount, or percent of the price it starts from."""

    value: Amount
    is_percent: bool = False


class SoftCloseEntry(Entry):
    """A bid in the last ``within_s`` seconds puts the end off by ``by_s``, in all by ``at_most_s`` (null: without end)."""

    within_s: Annotated[int, Field(ge=1, le=86_400)]
    by_s: Annotated[int, Field(ge=1, le=86_400)]
    at_most_s: Annotated[int, Field(ge=1, le=864_000)] | None = None


class ConditionsEntry(Entry):
    """What every bidder agrees to by bidding, beside the price. An Incoterm needs its place."""

    delivery_on: date | None = None
    incoterm: Incoterm | None = None
    place: Short | None = None
    payment: Short | None = None
    text: Text = ""


class ConditionsShown(BaseModel):
    delivery_on: date | None
    incoterm: str | None
    place: str | None
    payment: str | None
    text: str


class BidderKnown(BaseModel):
    """A bidder under its number; ``deal`` is where its winning bid became an offer."""

    bidder: int
    name: str
    deal: str | None


class OwnAuctionBid(BaseModel):
    """``amount`` is null while it is under seal."""

    number: int
    lot: int
    amount: Decimal | None
    limit: Decimal | None
    at: datetime


class BidRequest(BaseModel):
    """Somebody asks to take ``bid`` back, as an obvious error."""

    bid: int
    text: str


class AuctionStanding(Answer):
    """An auction as the caller may see it. ``version`` counts what has happened. ``bidders``: of the owner all with their
    names, of a bidder itself."""

    id: str
    number: str
    title: str
    kind: Kind
    currency: str
    version: int
    status: Status
    owner: str
    is_owner: bool
    starts_at: datetime
    ends_at: datetime
    step: StepEntry
    soft_close: SoftCloseEntry | None
    display: Display
    allows_proxy: bool
    tick_s: int | None
    conditions: ConditionsShown
    lots: list[LotStanding]
    bidders: list[BidderKnown]
    own_bids: list[OwnAuctionBid]
    requests: list[BidRequest]


class AuctionLine(Entry):
    """``opening`` and the secret ``reserve`` are per unit."""

    name: Named
    quantity: Amount
    unit: Annotated[str, Field(pattern="^[A-Z0-9]{2,3}$")] = "C62"
    opening: Amount
    reserve: Amount | None = None
    item_number: Short = ""


class AuctionEntry(Entry):
    """An auction to be announced. ``ends_at`` is needed unless the price moves by the clock, ``step`` unless bids are
    sealed, ``tick_s`` (how long a price stands) with a clock alone."""

    model_config = example(
        {
            "title": "Valves for spring", "kind": "reverse", "currency": "USD", "bidders": ["delta"],
            "starts_at": "2027-03-01T10:00:00+01:00", "ends_at": "2027-03-01T11:00:00+01:00",
            "step": {"value": "1", "is_percent": True}, "soft_close": {"within_s": 120, "by_s": 180, "at_most_s": 3600},
            "lines": [{"name": "Valve V-22", "quantity": "100", "unit": "C62", "opening": "12.50", "reserve": "11.00"}],
            "conditions": {"delivery_on": "2027-04-15", "incoterm": "DAP", "place": "Hamburg"},
        }
    )  # fmt: skip

    title: Named
    kind: Kind
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]
    starts_at: datetime
    ends_at: datetime | None = None
    step: StepEntry | None = None
    soft_close: SoftCloseEntry | None = None
    display: Display = Display.PRICE
    allows_proxy: bool = True
    tick_s: Annotated[int, Field(ge=1, le=86_400)] | None = None
    lines: Annotated[tuple[AuctionLine, ...], Field(min_length=1, max_length=LINES_MAX)]
    bidders: Annotated[tuple[Annotated[str, Field(max_length=64)], ...], Field(min_length=1, max_length=BIDDERS_MAX)]
    by_line: bool = False
    conditions: ConditionsEntry = ConditionsEntry()
    binds_days: Annotated[int, Field(ge=1, le=forms.BINDS_DAYS_MAX)] = 14


class AuctionActEntry(Entry):
    """The owner pauses, resumes, cancels; a bidder asks to take bid ``about`` back, and the owner consents or declines.
    ``text`` is the reason."""

    model_config = example({"kind": "pause", "text": "The line to Hamburg is down."})

    kind: ActKind
    text: Text = ""
    about: Annotated[int, Field(ge=1, lt=2**31)] | None = None


class AuctionBid(Entry):
    """A binding bid: an amount for the whole lot, a limit up or down to which the hub bids on, or both."""

    model_config = example({"lot": 1, "amount": "21800.00", "limit": "20500.00"})

    lot: Annotated[int, Field(ge=1, lt=2**31)] = 1
    amount: Decimal | None = None
    limit: Decimal | None = None
    confirmed: bool = False
    """True where a step of more than 20 % beyond what was needed is meant."""


class BidApproval(AuctionBid):
    model_config = example({"lot": 1, "amount": "21800.00", "limit": "20500.00", "note": "Our last price."})

    note: Annotated[str, Field(max_length=2_000)] = ""
    """For those who approve; nobody else sees it."""


class AuctionBidAnswer(Answer):
    """The number of the bid among what happened, and how the auction stands with it."""

    number: int
    auction: AuctionStanding


def blueprint(service: AuctionService, database: Database, *, suggest: Suggest, ask: Ask) -> Blueprint:
    """Return the endpoints. ``suggest`` finds whom the organisation may invite, ``ask`` asks for approval of a bid."""
    routes = Blueprint("auctions_api", __name__, url_prefix=api.PREFIX)
    endpoints = Api(routes, database, _told, (Refused, NotFound, Overtaken, Unfit), "auctions")
    _add_reading(endpoints, service)
    _add_holding(endpoints, service, suggest)
    _add_bidding(endpoints, service, ask)
    return routes


def _add_reading(endpoints: Api, service: AuctionService) -> None:
    def auctions(session: Session, query: AuctionsQuery) -> AuctionsPage:
        """List the auctions that the organisation holds or is invited to."""
        found = service.listed(session, http.principal().org, words=query.q)
        wanted = CHOSEN.get(query.only, frozenset(Status))
        return AuctionsPage(auctions=[_summary(each) for each in found if each.view.status in wanted])

    def auction(session: Session, auction_id: str) -> AuctionStanding:
        """Show an auction and how it stands, as far as the caller's organisation may see it."""
        return _standing(service.room(session, auction_id, http.principal().org))

    endpoints.read("/auctions", auctions, permission="deal.read", query=AuctionsQuery, answer=AuctionsPage)
    endpoints.read("/auctions/<auction_id>", auction, permission="deal.read", answer=AuctionStanding)


def _add_holding(endpoints: Api, service: AuctionService, suggest: Suggest) -> None:
    def hold_auction(session: Session, body: AuctionEntry) -> tuple[int, AuctionStanding]:
        """Announce an auction to those who are invited to bid."""
        known = {each for each in body.bidders if any(found.id == each for found in suggest(session, each))}
        if wrong := list(_unfit(body, known)):
            raise Problem("does-not-fit", errors=wrong)
        made = service.hold(session, _actor(), _draft(body))
        return 201, _standing(service.room(session, made, http.principal().org))

    def act_in_auction(session: Session, body: AuctionActEntry, auction_id: str) -> tuple[int, AuctionStanding]:
        """Pause, resume or cancel as the owner; ask for a bid back as its bidder, consent or decline as the owner."""
        service.act(session, _actor(), auction_id, body.kind, text=body.text, about=body.about)
        return 201, _standing(service.room(session, auction_id, http.principal().org))

    endpoints.write("/auctions", hold_auction, permission="deal.negotiate", body=AuctionEntry, answer=AuctionStanding)
    endpoints.write(
        "/auctions/<auction_id>/acts", act_in_auction, permission="deal.negotiate", body=AuctionActEntry,
        answer=AuctionStanding,
    )  # fmt: skip


def _add_bidding(endpoints: Api, service: AuctionService, ask: Ask) -> None:
    def bid(session: Session, body: AuctionBid, auction_id: str) -> tuple[int, AuctionBidAnswer]:
        """Place a bid, or accept the clock's price. It binds; refusals name the rule of docs/auctions.md."""
        try:
            number = service.bid(
                session, _actor(), auction_id, lot=body.lot, amount=body.amount, limit=body.limit,
                confirmed=body.confirmed,
            )  # fmt: skip
        except Refused as refused:
            raise _refused(refused, _currency(session, service, auction_id)) from refused
        room = service.room(session, auction_id, http.principal().org)
        return 201, AuctionBidAnswer(number=number, auction=_standing(room))

    def ask_bid(session: Session, body: BidApproval, auction_id: str) -> tuple[int, ApprovalAsked]:
        """Ask those who may approve it for a bid that is above what the token may bind to."""
        actor = _actor()
        try:
            wanted = service.to_approve(session, actor, auction_id, Intent(body.lot, body.amount, body.limit))
        except Refused as refused:
            raise _refused(refused, _currency(session, service, auction_id)) from refused
        verdict = service.hooks.authorise(session, actor, wanted.binding)
        if isinstance(verdict, Forbidden):
            raise Unauthorised(verdict)
        if not isinstance(verdict, Needs):
            raise Problem("refused", status=409, title=str(NOT_NEEDED), code="NOT_NEEDED", rule="A11")
        return 201, ApprovalAsked(request=ask(session, asker(), wanted, body.note, ""))

    one = "/auctions/<auction_id>/bids"
    endpoints.write(one, bid, permission="deal.negotiate", body=AuctionBid, answer=AuctionBidAnswer, is_secret=True)
    endpoints.write(
        f"{one}/approval", ask_bid, permission="deal.negotiate", body=BidApproval, answer=ApprovalAsked, is_secret=True
    )


CHOSEN = {
    "running": frozenset({Status.RUNNING, Status.PAUSED}),
    "scheduled": frozenset({Status.SCHEDULED}),
    "over": OVER,
}


def _actor() -> Actor:
    who = http.principal()
    return Actor(who.org, who.user_id, who.name, "api")


def _draft(body: AuctionEntry) -> Draft:
    by_clock = FORMS[body.kind].format is Format.CLOCK
    soft, step = body.soft_close, body.step or StepEntry(value=Decimal(1))
    rules = Rules(
        kind=body.kind, currency=body.currency, starts_at=body.starts_at,
        ends_at=body.ends_at if body.ends_at is not None and not by_clock else body.starts_at + forms.LASTS,
        increment=Increment(step.value, step.is_percent), display=body.display, allows_proxy=body.allows_proxy,
        soft_close=None if soft is None or FORMS[body.kind].format is not Format.OPEN else SoftClose(
            timedelta(seconds=soft.within_s), timedelta(seconds=soft.by_s),
            None if soft.at_most_s is None else timedelta(seconds=soft.at_most_s),
        ),
        tick=timedelta(seconds=body.tick_s) if by_clock and body.tick_s is not None else None,
    )  # fmt: skip
    lines = tuple(
        DraftLine(each.name, each.quantity, each.unit, each.opening, each.reserve, each.item_number)
        for each in body.lines
    )
    said = body.conditions
    conditions = Conditions(said.delivery_on, said.incoterm, said.place, said.payment, said.text)
    bidders = tuple(PartyId(each) for each in body.bidders)
    return Draft(body.title, rules, lines, bidders, body.by_line, conditions, body.binds_days)


def _unfit(body: AuctionEntry, known: Collection[str]) -> Iterator[Fault]:
    """Name what the form would not take either; the rest is said by the rules (``Unfit``)."""
    format = FORMS[body.kind].format
    if body.ends_at is None and format is not Format.CLOCK:
        yield fault("/ends_at", "missing", WORDS["missing"])
    if body.step is None and format is not Format.SEALED:
        yield fault("/step", "missing", WORDS["missing"])
    for place, each in enumerate(body.bidders):
        if each not in known:
            yield fault(f"/bidders/{place}", "unknown_bidder", gettext("This is nobody whom you may invite."), each)
    if body.conditions.incoterm and not body.conditions.place:
        yield fault("/conditions/place", "missing", gettext("An Incoterm needs a named place."))
    places = MINOR_UNITS.get(body.currency, 2) + 4
    for place, line in enumerate(body.lines):
        if -int(line.opening.as_tuple().exponent) > places:
            detail = gettext("The prices have too many decimals.")
            yield fault(f"/lines/{place}/opening", "decimal_max_places", detail, line.opening)


def _summary(line: Listed) -> AuctionSummary:
    prices = [lot.price for lot in line.view.lots if lot.price is not None]
    row, view = line.row, line.view
    return AuctionSummary(
        id=row.id, number=row.number, title=row.title, kind=Kind(row.kind), owner=line.owner, is_owner=line.is_owner,
        currency=row.currency, status=view.status, starts_at=view.starts_at, ends_at=view.ends_at,
        price=sum(prices) if prices else None,
    )  # fmt: skip


def _standing(room: Room) -> AuctionStanding:
    row, view, rules, said = room.row, room.view, room.auction.rules, room.conditions
    soft = rules.soft_close
    return AuctionStanding(
        id=row.id, number=row.number, title=row.title, kind=rules.kind, currency=rules.currency, version=view.version,
        status=view.status, owner=room.owner, is_owner=room.is_owner, starts_at=view.starts_at, ends_at=view.ends_at,
        step=StepEntry(value=rules.increment.value, is_percent=rules.increment.is_percent),
        soft_close=None if soft is None else SoftCloseEntry(
            within_s=_seconds(soft.within), by_s=_seconds(soft.by),
            at_most_s=None if soft.at_most is None else _seconds(soft.at_most),
        ),
        display=rules.display, allows_proxy=rules.allows_proxy,
        tick_s=None if rules.tick is None else _seconds(rules.tick),
        conditions=ConditionsShown(
            delivery_on=said.delivery_on, incoterm=said.incoterm, place=said.place, payment=said.payment, text=said.text
        ),
        lots=[_lot(room, lot) for lot in view.lots],
        bidders=[
            BidderKnown(bidder=number, name=name, deal=room.deals.get(number))
            for number, name in sorted(room.names.items())
        ],
        own_bids=[
            OwnAuctionBid(number=each.number, lot=each.lot, amount=each.amount, limit=each.limit, at=each.at)
            for each in room.own_bids
        ],
        requests=[BidRequest(bid=number, text=act.text) for number, act in room.requests.items()],
    )  # fmt: skip


def _lot(room: Room, lot: LotView) -> LotStanding:
    laid_down = room.auction.lot(lot.number)
    return LotStanding(
        number=lot.number, status=lot.status, ends_at=lot.ends_at, start=laid_down.start,
        reserve=room.reserves.get(lot.number), price=lot.price, is_leading=lot.is_leading, rank=lot.rank, own=lot.own,
        limit=lot.limit, next=lot.next, reserve_met=lot.reserve_met, bids=lot.bids,
        lines=[
            LotLine(
                number=line.number or "", name=line.item.name, item=line.item.identifier("buyer"),
                quantity=line.quantity.value, unit=line.quantity.unit, opening=line.price.amount,
            )
            for line in laid_down.lines
            if line.quantity is not None and line.price is not None
        ],
    )  # fmt: skip


def _seconds(span: timedelta) -> int:
    return int(span.total_seconds())


POINTERS = {"starts": "/starts_at", "ends": "/ends_at", "step": "/step", "tick": "/tick_s"}
"""Fields of the form that are called otherwise here."""


def _at_their_places(unfit: Unfit) -> list[Fault]:
    found = []
    for code in unfit.codes:
        name, sentence = forms.FAULTS.get(code, ("", forms.NOT_AS_IT_STANDS))
        found.append(fault(POINTERS.get(name, f"/{name}" if name else ""), code, sentence))
    return found


def _told(error: Exception) -> Problem | None:
    if isinstance(error, NotFound):
        return Problem("not-found")
    if isinstance(error, Unfit):
        return Problem("does-not-fit", errors=_at_their_places(error))
    if isinstance(error, Overtaken):
        return Problem(
            "refused",
            str(wording.ADVICE),
            status=409,
            title=str(wording.REFUSALS["TAKEN"]),
            code="OVERTAKEN",
            rule="A7",
        )
    return _refused(error, "") if isinstance(error, Refused) else None


def _currency(session: Session, service: AuctionService, auction_id: str) -> str:
    row, _view = service.view(session, auction_id, http.principal().org)
    return row.currency


def _refused(error: Refused, currency: str) -> Problem:
    """Say why not, and which amount would do."""
    more: dict[str, Any] = {"code": error.code, "rule": error.rule}
    if not isinstance(error, Unauthorised):
        value = None if error.value is None else str(error.value)
        title = wording.why(error, currency)
        return Problem("refused", str(wording.ADVICE), status=409, title=title, value=value, **more)
    most = error.verdict.most
    detail = None if isinstance(error.verdict, Needs) else str(wording.ADVICE)
    return unauthorised(error.verdict, detail, title=wording.why(error, most.currency if most else currency), **more)
