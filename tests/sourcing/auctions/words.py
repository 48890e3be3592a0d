"""The words that the tests of auctions speak: an auction, its bidders, and what they do at which second."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from tradehub.documents import Line, PartyId
from tradehub.documents.parts import Item, Price, Quantity
from tradehub.sourcing.auctions import model, rules
from tradehub.sourcing.auctions.ledger import Auction
from tradehub.sourcing.auctions.rules import Act, ActKind, Bid, Increment, Kind, Lot, Refused, Rules, SoftClose

OWNER = PartyId("haidi")
ANN, BEN, CAI = PartyId("ann"), PartyId("ben"), PartyId("cai")
TEN = datetime(2026, 11, 27, 10, 0, tzinfo=UTC)
"""When the auctions of the tests begin; they last an hour."""


def at(seconds: float) -> datetime:
    return TEN + timedelta(seconds=seconds)


def line(number: str = "1", quantity: str = "100", price: str = "10", name: str = "Valve") -> Line:
    return Line(
        number=number,
        item=Item(name=name),
        quantity=Quantity(value=Decimal(quantity), unit="C62"),
        price=Price(amount=Decimal(price)),
    )


def auction(
    kind: Kind = Kind.ENGLISH,
    *,
    start: str = "1000",
    reserve: str | None = None,
    step: str = "10",
    percent: bool = False,
    soft: tuple[float, float, float | None] | None = None,
    lots: int = 1,
    bidders: tuple[PartyId, ...] = (ANN, BEN, CAI),
    **more,
) -> Auction:
    """Return an auction of an hour; ``soft`` is (within, by, at most) in seconds."""
    soft_close = None
    if soft is not None:
        within, by, most = soft
        soft_close = SoftClose(
            timedelta(seconds=within), timedelta(seconds=by), None if most is None else timedelta(seconds=most)
        )
    if rules.FORMS[kind].format is rules.Format.CLOCK:
        more = {"tick": timedelta(seconds=60), **more}
    laid_down = Rules(
        kind=kind, currency="USD", starts_at=TEN, ends_at=at(3600), increment=Increment(Decimal(step), percent),
        soft_close=soft_close, **more,
    )  # fmt: skip
    made = tuple(
        Lot(number, Decimal(start), None if reserve is None else Decimal(reserve), (line(),))
        for number in range(1, lots + 1)
    )
    return Auction("a-1", OWNER, laid_down, made, bidders)


def bid(auction: Auction, second: float, by: PartyId, amount=None, limit=None, lot: int = 1) -> Auction:
    """Return the auction with a bid placed at a second."""
    wanted = Bid(lot, by, None if amount is None else Decimal(amount), None if limit is None else Decimal(limit))
    return model.step(auction, wanted, now=at(second))


def act(auction: Auction, second: float, kind: ActKind, by: PartyId = OWNER, text: str = "why", about=None) -> Auction:
    return model.step(auction, Act(kind, by, text, about), now=at(second))


def code_of(do, *args, **more) -> str:
    """Return the code of the refusal that ``do`` meets."""
    try:
        do(*args, **more)
    except Refused as refused:
        return refused.code
    return "accepted"
