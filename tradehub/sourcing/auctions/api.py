"""Auctions as a REST API: how one stands for the caller's organisation, and a bid in it.

A bid is taken without an Idempotency-Key: what is kept under such a key includes the hash of the request, from which a
sealed amount or a limit could be guessed. Sent twice, the second one is refused as no better than the first.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from flask import Blueprint
from sqlalchemy.orm import Session

from tradehub.partners.authority import Needs
from tradehub.platform import api, http
from tradehub.platform.api import Answer, Api, Entry, example
from tradehub.platform.db import Database
from tradehub.platform.problems import Problem
from tradehub.sourcing.auctions import wording
from tradehub.sourcing.auctions.binding import Unauthorised
from tradehub.sourcing.auctions.rules import Kind, Refused, Status
from tradehub.sourcing.auctions.service import Actor, AuctionService, NotFound
from tradehub.sourcing.auctions.store import AuctionRow, Overtaken
from tradehub.sourcing.auctions.views import LotView, View


class LotStanding(Answer):
    """A lot as the caller may see it; what it may not see is null. ``next`` is the least that it may bid now."""

    number: int
    status: Status
    ends_at: datetime
    price: Decimal | None
    is_leading: bool
    rank: int | None
    own: Decimal | None
    limit: Decimal | None
    next: Decimal | None
    reserve_met: bool | None
    bids: int


class AuctionStanding(Answer):
    """An auction as the caller may see it. ``version`` counts what has happened."""

    id: str
    number: str
    title: str
    kind: Kind
    currency: str
    version: int
    status: Status
    starts_at: datetime
    ends_at: datetime
    lots: tuple[LotStanding, ...]


class AuctionBid(Entry):
    """A binding bid: an amount for the whole lot, a limit up or down to which the hub bids on, or both."""

    model_config = example({"lot": 1, "amount": "21800.00", "limit": "20500.00"})

    lot: int = 1
    amount: Decimal | None = None
    limit: Decimal | None = None
    confirmed: bool = False
    """True where a step of more than 20 % beyond what was needed is meant."""


class AuctionBidAnswer(Answer):
    """The number of the bid among what happened, and how the auction stands with it."""

    number: int
    auction: AuctionStanding


def blueprint(service: AuctionService, database: Database) -> Blueprint:
    """Return the endpoints."""
    routes = Blueprint("auctions_api", __name__, url_prefix=api.PREFIX)
    endpoints = Api(routes, database, _told, (Refused, NotFound, Overtaken), "auctions")

    def auction(session: Session, auction_id: str) -> AuctionStanding:
        """Show how an auction stands, as far as the caller's organisation may see it."""
        return _standing(*service.view(session, auction_id, http.principal().org))

    def bid(session: Session, body: AuctionBid, auction_id: str) -> tuple[int, AuctionBidAnswer]:
        """Place a bid, or accept the clock's price. It binds; refusals name the rule of docs/auctions.md."""
        who = http.principal()
        actor = Actor(who.org, who.user_id, who.name, "api")
        number = service.bid(
            session, actor, auction_id, lot=body.lot, amount=body.amount, limit=body.limit, confirmed=body.confirmed
        )
        return 201, AuctionBidAnswer(number=number, auction=_standing(*service.view(session, auction_id, who.org)))

    endpoints.read("/auctions/<auction_id>", auction, permission="deal.read", answer=AuctionStanding)
    endpoints.write(
        "/auctions/<auction_id>/bids",
        bid,
        permission="deal.negotiate",
        body=AuctionBid,
        answer=AuctionBidAnswer,
        is_secret=True,
    )
    return routes


def _standing(row: AuctionRow, view: View) -> AuctionStanding:
    return AuctionStanding(
        id=row.id, number=row.number, title=row.title, kind=Kind(row.kind), currency=row.currency, version=view.version,
        status=view.status, starts_at=view.starts_at, ends_at=view.ends_at, lots=tuple(map(_lot, view.lots)),
    )  # fmt: skip


def _lot(lot: LotView) -> LotStanding:
    return LotStanding(
        number=lot.number, status=lot.status, ends_at=lot.ends_at, price=lot.price, is_leading=lot.is_leading,
        rank=lot.rank, own=lot.own, limit=lot.limit, next=lot.next, reserve_met=lot.reserve_met, bids=lot.bids,
    )  # fmt: skip


def _told(error: Exception) -> Problem | None:
    if isinstance(error, NotFound):
        return Problem("not-found")
    if isinstance(error, Overtaken):
        return Problem("refused", status=409, title=str(wording.REFUSALS["TAKEN"]), code="OVERTAKEN", rule="A7")
    if not isinstance(error, Refused):
        return None
    currency = ""
    more: dict[str, Any] = {"code": error.code, "rule": error.rule}
    if isinstance(error, Unauthorised):
        most = error.verdict.most
        currency = most.currency if most else ""
        limit = None if most is None else {"amount": str(most.amount), "currency": most.currency}
        title = wording.why(error, currency)
        if isinstance(error.verdict, Needs):
            people = {name for names in error.verdict.people.values() for name in names}
            return Problem("needs-approval", title=title, approvers=sorted(people), most=limit, **more)
        return Problem("refused", status=403, title=title, most=limit, **more)
    value = None if error.value is None else str(error.value)
    return Problem("refused", status=409, title=wording.why(error, currency), value=value, **more)
