"""What an auction is made of: the rules laid down, the lots, the bids and acts, and the words for how a lot stands.

Two questions make six kinds: does the owner sell or buy, and how is it bid - openly, against a price that moves by the
clock, or under seal. ``sign`` turns one side into the other: a better bid is always one with the greater
``sign * amount``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from enum import StrEnum
from typing import NamedTuple

from tradehub.documents import Line, PartyId
from tradehub.documents.amounts import MINOR_UNITS

BIDDERS_MAX = 500
LOTS_MAX = 50
LINES_MAX = 200

SHORTEST = timedelta(minutes=1)
LONGEST = timedelta(days=60)
LARGE_STEP = Decimal("0.2")
"""A bid that goes by so much of the price beyond what was needed may be a slip of the hand: it is asked for twice."""

TICKS_MAX = 10_000
"""Steps of a price that moves by the clock."""


class Kind(StrEnum):
    ENGLISH = "english"
    REVERSE = "reverse"
    DUTCH = "dutch"
    DUTCH_REVERSE = "dutch_reverse"
    VICKREY = "vickrey"
    VICKREY_REVERSE = "vickrey_reverse"


class Format(StrEnum):
    """How it is bid: against each other in the open, against the clock, or under seal."""

    OPEN = "open"
    CLOCK = "clock"
    SEALED = "sealed"


class Form(NamedTuple):
    """``sign`` is +1 where the owner sells, so that more is better, and -1 where the owner buys."""

    sign: int
    format: Format


FORMS: Mapping[Kind, Form] = {
    Kind.ENGLISH: Form(+1, Format.OPEN),
    Kind.REVERSE: Form(-1, Format.OPEN),
    Kind.DUTCH: Form(+1, Format.CLOCK),
    Kind.DUTCH_REVERSE: Form(-1, Format.CLOCK),
    Kind.VICKREY: Form(+1, Format.SEALED),
    Kind.VICKREY_REVERSE: Form(-1, Format.SEALED),
}


class Display(StrEnum):
    """What a bidder sees of the others: their prices, under numbers instead of names; or its own rank alone.

    It decides what a bid has to beat, too: the leading price where that is seen, else one's own last bid.
    """

    PRICE = "price"
    RANK = "rank"


class Increment(NamedTuple):
    """The least distance between two bids, or a clock's step: an amount, or a percentage of the price it starts from."""

    value: Decimal
    is_percent: bool = False

    def at(self, price: Decimal, currency: str) -> Decimal:
        """Return the distance from ``price``, rounded up to the currency's minor unit and never nought."""
        unit = Decimal(1).scaleb(-MINOR_UNITS.get(currency, 2))
        wanted = price * self.value / 100 if self.is_percent else self.value
        return max(unit, wanted.quantize(unit, ROUND_CEILING))


class SoftClose(NamedTuple):
    """A bid in the last ``within`` of a lot puts its end off ``by`` so much, in all ``at_most`` (None: without end)."""

    within: timedelta
    by: timedelta
    at_most: timedelta | None = None


@dataclass(frozen=True)
class Rules:
    """What the owner laid down for all lots. ``tick`` is how long a price of the clock stands."""

    kind: Kind
    currency: str
    starts_at: datetime
    ends_at: datetime
    increment: Increment
    soft_close: SoftClose | None = None
    display: Display = Display.PRICE
    allows_proxy: bool = True
    tick: timedelta | None = None

    @property
    def sign(self) -> int:
        return FORMS[self.kind].sign

    @property
    def format(self) -> Format:
        return FORMS[self.kind].format

    @property
    def is_sale(self) -> bool:
        return self.sign > 0

    def is_better(self, one: Decimal, other: Decimal) -> bool:
        """True where the owner likes ``one`` better than ``other``."""
        return self.sign * one > self.sign * other

    def better(self, one: Decimal, other: Decimal) -> Decimal:
        return one if self.is_better(one, other) else other

    def worse(self, one: Decimal, other: Decimal) -> Decimal:
        return other if self.is_better(one, other) else one

    def improved(self, price: Decimal) -> Decimal:
        """Return the next price that is better for the owner by the increment."""
        return price + self.sign * self.increment.at(price, self.currency)


@dataclass(frozen=True)
class Lot:
    """What is bid for as one: amounts are for all its lines together, in the auction's currency.

    ``start`` is the worst price at which bidding begins. ``reserve`` is secret: short of it nothing is sold or bought.
    With a clock it is where the price comes to rest.
    """

    number: int
    start: Decimal
    reserve: Decimal | None = None
    lines: tuple[Line, ...] = ()


UNSAID = datetime.min.replace(tzinfo=UTC)
"""The moment of what has not happened yet; ``step`` gives it its own."""


@dataclass(frozen=True)
class Bid:
    """An amount for a lot, binding. ``limit`` lets the auction bid on, up or down to there, and stays secret.

    Without an amount the limit alone counts, from the next valid amount on. ``amount`` of a bid that is still under
    seal is None. A ``is_quiet`` one moves neither price nor end: the leader gave another limit.
    """

    lot: int
    by: PartyId
    amount: Decimal | None
    limit: Decimal | None = None
    number: int = 0
    at: datetime = UNSAID
    is_quiet: bool = False


class ActKind(StrEnum):
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    ASK = "ask"
    CONSENT = "consent"
    DECLINE = "decline"


@dataclass(frozen=True)
class Act:
    """What else happens: the owner pauses, resumes, cancels; a bidder asks to withdraw bid ``about`` as an obvious
    error, the owner consents or declines. ``text`` is the reason."""

    kind: ActKind
    by: PartyId
    text: str = ""
    about: int | None = None
    number: int = 0
    at: datetime = UNSAID


Event = Bid | Act

_REFUSALS: Mapping[str, str] = {
    "NOT_STARTED": "A1", "CLOSED": "A1", "PAUSED": "A1", "CANCELLED": "A1",
    "NOT_INVITED": "A2", "OWN_AUCTION": "A2", "NOT_OWNER": "A2",
    "NO_SUCH_LOT": "A3", "NOT_AN_AMOUNT": "A3", "TOO_MANY_DECIMALS": "A3",
    "START_PRICE": "A4", "INCREMENT": "A5", "YOU_LEAD": "A5",
    "PROXY_NOT_ALLOWED": "A6", "LIMIT_WORSE_THAN_BID": "A6", "LIMIT_NOT_BETTER": "A6",
    "NOT_THE_PRICE": "A7", "TAKEN": "A7",
    "NO_SUCH_BID": "A8", "NOT_YOUR_BID": "A8", "ASKED_ALREADY": "A8", "NOT_ASKED": "A8", "WITHDRAWN": "A8",
    "REASON_MISSING": "A9", "NOT_RUNNING": "A9", "NOT_PAUSED": "A9", "OVER": "A9", "SETTLED": "A9",
    "LARGE_STEP": "A10",
    "NO_AUTHORITY": "A11", "OVER_LIMIT": "A11", "NO_RATE": "A11", "NO_APPROVER": "A11",
}  # fmt: skip


class Refused(Exception):
    """What may not be done. ``code`` says why, ``rule`` names the rule of docs/auctions.md, ``value`` what would do."""

    def __init__(self, code: str, value: Decimal | None = None) -> None:
        self.code = code
        self.rule = _REFUSALS[code]
        self.value = value
        super().__init__(f"{code} ({self.rule})")


class Status(StrEnum):
    """Of a lot, and of an auction as a whole; a function of what happened and of the time."""

    SCHEDULED = "scheduled"
    RUNNING = "running"
    PAUSED = "paused"
    UNOPENED = "unopened"
    WON = "won"
    SHORT = "short"
    EMPTY = "empty"
    CANCELLED = "cancelled"


OVER = frozenset({Status.WON, Status.SHORT, Status.EMPTY, Status.CANCELLED, Status.UNOPENED})
"""Nothing can be bid any more. SHORT: the best bid is short of the reserve; UNOPENED: bids are still under seal."""


class Position(NamedTuple):
    """Where a bidder stands: what its bids come to by now, how far they would go, and the bid that says so."""

    by: PartyId
    amount: Decimal
    limit: Decimal
    number: int


class Move(NamedTuple):
    """A price that came about at a moment, by a bid or by the auction bidding for somebody."""

    at: datetime
    by: PartyId
    amount: Decimal
    is_automatic: bool
    leads: bool


@dataclass(frozen=True)
class Standing:
    """How a lot stands. ``price`` is what the leader would pay or get; None without a bid, and while bids are sealed.

    With a clock it is the price that can be accepted now. ``positions`` are the bidders, best first.
    """

    status: Status
    ends_at: datetime
    price: Decimal | None = None
    leader: PartyId | None = None
    reserve_met: bool = False
    positions: tuple[Position, ...] = ()
    moves: tuple[Move, ...] = ()
    steps_at: datetime | None = None

    @property
    def winner(self) -> PartyId | None:
        return self.leader if self.status is Status.WON else None

    def position(self, party: PartyId) -> Position | None:
        return next((each for each in self.positions if each.by == party), None)

    def rank(self, party: PartyId) -> int | None:
        """Return the bidder's place, from 1; None where it has not bid."""
        return next((place for place, each in enumerate(self.positions, 1) if each.by == party), None)
