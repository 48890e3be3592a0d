"""What a negotiation consists of: offers, statements about them, and what the parties agreed about how they negotiate.

Everything is a value. Statements and offers are never changed once made; where an offer stands is computed from them
(``ledger``). Cf. spec/negotiation section 2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Any

from tradehub.documents import PartyId, TradeDocument
from tradehub.documents.amounts import added, net_amount
from tradehub.documents.trade import Inquiry, Line, Order
from tradehub.documents.trade import Offer as OfferDocument
from tradehub.negotiation.model.refusals import Refused
from tradehub.negotiation.model.regimes import REGIMES, Regime

REASONABLE_TIME = timedelta(days=14)
"""How long an offer without a period stays open (CISG 18(2), PRC 481), unless the partners agreed otherwise."""

UNDUE_DELAY = timedelta(days=2)
"""How long "without undue delay" is (CISG 19(2), 21; PRC 486, 487, 489), unless the partners agreed otherwise."""

RECEIPT_WITHIN = timedelta(days=1)
"""After how long without a receipt an offeror may treat its offer as never sent (MLEC 14(4))."""


ROLLED_MAX = 366
"""Days looked ahead for a working day: a place that works on none for a year has no calendar to go by."""


class State(StrEnum):
    """Of an offer."""

    NONE = "none"
    DISPATCHED = "dispatched"
    UNDELIVERED = "undelivered"
    INVITATION = "invitation"
    EFFECTIVE = "effective"
    WITHDRAWN = "withdrawn"
    REJECTED = "rejected"
    COUNTERED = "countered"
    REVOKED = "revoked"
    SUPERSEDED = "superseded"
    LAPSED = "lapsed"
    ACCEPTING = "accepting"
    LATE_PENDING = "late_pending"
    DISPUTED = "disputed"
    ACCEPTED = "accepted"


class ContractState(StrEnum):
    """Of what an acceptance brings about. What follows IN_PERFORMANCE belongs to contracting."""

    AWAITING_REACH = "awaiting_reach"
    AWAITING_ELECTION = "awaiting_election"
    DISPUTED_TIME = "disputed_time"
    AWAITING_CONFIRMATION = "awaiting_confirmation"
    CONCLUDED_OBJECTABLE = "concluded_objectable"
    CONCLUDED = "concluded"
    NEVER_CONCLUDED = "never_concluded"
    IN_PERFORMANCE = "in_performance"
    FULFILLED = "fulfilled"
    SUSPENDED = "suspended"
    TERMINATED = "terminated"
    AVOIDED = "avoided"


class Kind(StrEnum):
    """Of a statement."""

    INQUIRY = "inquiry"
    OFFER = "offer"
    COUNTER = "counter"
    AMEND = "amend"
    QUESTION = "question"
    ANSWER = "answer"
    COMMENT = "comment"
    REJECT = "reject"
    ACCEPT = "accept"
    PERFORM = "perform"
    WITHDRAW = "withdraw"
    REVOKE = "revoke"
    WITHDRAW_ACCEPTANCE = "withdraw_acceptance"
    OBJECT = "object"
    ELECT_LATE = "elect_late"
    LAPSE_NOTICE = "lapse_notice"
    ADMIT_TIME = "admit_time"
    CONFIRM = "confirm"
    SIGN = "sign"
    RELY = "rely"
    CANCEL = "cancel"
    DISREGARD = "disregard"
    RETRACT = "retract"
    REACH = "reach"
    FAIL = "fail"


PROPOSALS = frozenset({Kind.INQUIRY, Kind.OFFER, Kind.COUNTER, Kind.AMEND})
NEWS = frozenset({Kind.REACH, Kind.FAIL})
"""What the hub notes of a statement on its way; no party says it."""

WORDS = frozenset({Kind.QUESTION, Kind.ANSWER, Kind.COMMENT})
"""What is said without any effect in law (R12)."""

WITHOUT_EFFECT = WORDS | NEWS
"""Kinds that do not count as a new version: what another page shows stays true (a reach is the hub's own news)."""

UNSAID = datetime.min.replace(tzinfo=UTC)
"""The moment of a statement that has not been made yet; ``step`` gives it its own."""

NOT_OFFERED = frozenset({"rejected", "not_accepted", "not_offered", "delete", "cancelled"})
"""Line actions that say: no offer on this line."""

Content = TradeDocument | Callable[[], TradeDocument]


@dataclass(frozen=True)
class Offer:
    """A proposal of terms, firm or not. Never changed once made.

    ``amount`` is what it comes to in ``currency``, None where a line cannot be valued; ``lacking`` is the refusal code of what it lacks
    to be definite (R2). The words themselves are ``document``, which may be fetched only when it is asked for: no rule
    reads it.

    ``accept_by`` is a moment; ``accept_within`` counts from the moment the offer reaches (CISG 20(1), PRC 482).
    ``irrevocable`` under UCC 2-205 is a merchant's signed assurance. ``as_is_only``: any change is a counter-offer.
    ``divisible``: lines, and parts of a line's quantity, may be accepted one by one (R22); only then ``lines`` holds the
    quantities offered, and ``amounts`` what they come to, by line. ``group`` names offers of
    which the other side picks one. ``amends`` is the offer on which the contract to be changed rests (R25), and
    ``terminates`` says that it is to end. ``catalogue``: published to everyone, accepted by ordering (PRC 491(2)).
    """

    id: str
    by: PartyId
    content: Content | None = field(default=None, repr=False, compare=False)
    terms_hash: str = ""
    firm: bool = True
    accept_by: datetime | None = None
    irrevocable: bool = False
    parent: str | None = None
    revision: int = 1
    number: str = ""
    accept_within: timedelta | None = None
    as_is_only: bool = False
    divisible: bool = False
    group: str | None = None
    amends: str | None = None
    terminates: bool = False
    catalogue: bool = False
    performance_accepts: bool = False
    conditional_on_receipt: bool = False
    standard_terms: str | None = None
    lines: Mapping[str, Decimal] = field(default_factory=dict)
    amounts: Mapping[str, Decimal] = field(default_factory=dict)
    amount: Decimal | None = None
    currency: str | None = None
    lacking: str | None = None

    @property
    def says(self) -> tuple[object, ...]:
        """What it says: its terms, and how it may be accepted."""
        return (
            self.terms_hash, self.firm, self.accept_by, self.accept_within, self.irrevocable, self.as_is_only,
            self.divisible, self.group, self.amends, self.terminates, self.standard_terms,
        )  # fmt: skip

    def amount_of(self, line: str, quantity: Decimal | None) -> Decimal:
        """What ``quantity`` of a line comes to, all of it where None."""
        whole = self.amounts.get(line, Decimal(0))
        return whole if quantity is None else whole * quantity / self.lines[line]

    @cached_property
    def document(self) -> TradeDocument:
        """The document that carried the proposal. Raises LookupError where there is none."""
        if self.content is None:
            raise LookupError(self.id)
        return self.content if isinstance(self.content, TradeDocument) else self.content()

    @classmethod
    def of(
        cls, id: str, by: PartyId, document: TradeDocument, terms_hash: str, *, number: str = "", **particulars: Any
    ) -> Offer:
        """Return the proposal that ``document`` states, with what the rules need to know of it."""
        valued = amounts(document)
        parts = {"lines": quantities(document), "amounts": valued} if particulars.get("divisible") else {}
        known: dict[str, Any] = {
            "accept_by": accept_by(document),
            "amount": added(valued.values()) if valued else None,
            "currency": document.currency,
            **parts,
            "lacking": indefinite(document),
            "number": number or document.number or id,
            **particulars,
        }
        return cls(id=id, by=by, content=document, terms_hash=terms_hash, **known)


@dataclass(frozen=True)
class Statement:
    """What a party said, or the hub noted. ``about`` is an offer's id, or, for reach and fail, a statement's.

    ``at`` is when the hub recorded it, ``sent_at`` when it was dispatched where that is proven otherwise (a signed
    message; the hub's clock decides everything else), ``claimed_at`` what its sender says about that without proof.
    ``reached_at`` is set where it reached the other side at once. ``offer`` holds the terms of a proposal, or of an
    acceptance that changes some; ``changes`` are the paths of the terms it changes. ``lines`` are the lines, and
    quantities (None: all that is left of it), that an acceptance is limited to.

    ``conditional``: an acceptance expressly conditional on assent to its own terms (UCC 2-207(1)). ``delayed``: there is
    evidence that it would have arrived in time had its transmission been normal (CISG 21(2)). ``reviewed``: its author
    was shown it for correction before it left (R30). ``attributed``: known to be its author's (R26). ``may_bind`` and
    ``limit``: the authority of who spoke, and up to which amount. ``term`` is the path of the term that words speak of,
    ``attachments`` are the files that go with them, by SHA-256 and name; those of a proposal are in its document.
    """

    id: str
    kind: Kind
    by: PartyId | None = None
    about: str | None = None
    offer: Offer | None = None
    at: datetime = UNSAID
    reached_at: datetime | None = None
    text: str = ""
    expected_version: int | None = None
    terms_hash: str | None = None
    sent_at: datetime | None = None
    claimed_at: datetime | None = None
    lines: tuple[tuple[str, Decimal | None], ...] = ()
    changes: tuple[str, ...] = ()
    conditional: bool = False
    delayed: bool = False
    reviewed: bool = True
    attributed: bool = True
    may_bind: bool = True
    limit: Decimal | None = None
    standard_terms: str | None = None
    term: str | None = None
    attachments: tuple[tuple[str, str], ...] = ()

    @property
    def dispatched_at(self) -> datetime:
        """When it left its author, as far as that is proven; at the latest when the hub recorded it."""
        return self.at if self.sent_at is None else min(self.sent_at, self.at)

    @property
    def says(self) -> tuple[object, ...]:
        """What it says, apart from when: two statements of one id must agree in this (R28, R29)."""
        stated = self.offer.says if self.offer else self.terms_hash
        return (self.kind, self.by, self.about, stated, self.lines, self.changes, self.conditional)


@dataclass(frozen=True)
class Calendar:
    """Days on which a notice cannot be delivered at a place of business (CISG 20(2), PRC 203).

    ``workdays`` are days of a weekend that are worked, as the Chinese calendar moves them.
    """

    weekend: frozenset[int] = frozenset({5, 6})
    holidays: frozenset[date] = frozenset()
    workdays: frozenset[date] = frozenset()
    zone: tzinfo = UTC

    def is_working(self, day: date) -> bool:
        return day in self.workdays or not (day.weekday() in self.weekend or day in self.holidays)

    def next_working(self, day: date) -> date:
        """Return the first working day from ``day`` on, or ``day`` where the calendar of ``ROLLED_MAX`` days has none."""
        if self.is_working(day):
            return day
        ahead = (day + timedelta(days=each) for each in range(min(ROLLED_MAX, (date.max - day).days + 1)))
        return next((each for each in ahead if self.is_working(each)), day)

    def rolled(self, moment: datetime) -> datetime:
        """Return ``moment``, or the same time of day on the first working day after it, at the place's own clock."""
        local = moment.astimezone(self.zone)
        day = self.next_working(local.date())
        return moment if day == local.date() else datetime.combine(day, local.time(), self.zone).astimezone(UTC)


@dataclass(frozen=True)
class Ground:
    """What two parties agreed about how they negotiate, before any deal (the agreement of their profiles).

    ``materiality`` overrides the table by class of term (``delivery_date``: False). ``silence_accepts`` (CISG 18(1)) and
    ``performance_accepts`` (18(3)) are practices between them. ``formation`` is ``agreement``, or ``confirmation`` or
    ``signature`` where the contract waits for both parties' (PRC 490, 491(1)). ``battle`` of forms: ``last_shot`` or
    ``knock_out``.
    """

    reasonable: timedelta = REASONABLE_TIME
    undue_delay: timedelta = UNDUE_DELAY
    receipt_within: timedelta = RECEIPT_WITHIN
    rounds_max: int | None = None
    materiality: Mapping[str, bool] = field(default_factory=dict)
    silence_accepts: bool = False
    performance_accepts: bool = False
    formation: str = "agreement"
    battle: str = "last_shot"


@dataclass(frozen=True)
class Negotiation:
    """One deal between one buyer and one seller: all that was said, in the order the hub recorded it.

    ``calendars`` are those of the parties' places of business; a party without one has Saturdays and Sundays off.
    """

    id: str
    buyer: PartyId
    seller: PartyId
    regime: Regime = REGIMES["CISG"]
    statements: tuple[Statement, ...] = ()
    ground: Ground = Ground()
    calendars: Mapping[PartyId, Calendar] = field(default_factory=dict)

    @property
    def version(self) -> int:
        """Grows with each statement that changes what the parties may do."""
        return sum(each.kind not in WITHOUT_EFFECT for each in self.statements)

    @cached_property
    def offers(self) -> tuple[Offer, ...]:
        """All proposals, oldest first: the rounds."""
        return tuple(each.offer for each in self.statements if each.offer is not None)

    @cached_property
    def _by_id(self) -> Mapping[str, Offer]:
        return {each.id: each for each in self.offers}

    def offer(self, id: str | None) -> Offer:
        """Raises Refused NO_SUCH_OFFER."""
        found = self._by_id.get(id or "")
        if found is None:
            raise Refused("NO_SUCH_OFFER", self.regime)
        return found

    def other(self, party: PartyId) -> PartyId:
        return self.seller if party == self.buyer else self.buyer

    def calendar(self, party: PartyId) -> Calendar:
        return self.calendars.get(party, Calendar())

    def with_statement(self, statement: Statement) -> Negotiation:
        return replace(self, statements=(*self.statements, statement))


@dataclass(frozen=True)
class Contract:
    """What an acceptance has brought about; ``id`` is that of the statement that accepted.

    ``concluded_at`` is None while there is no contract (CISG 23). ``terms`` is the offer whose document holds the agreed
    terms: the one accepted, or the acceptance's own where it changed them immaterially. ``lines`` is empty where the
    whole offer was accepted. ``objectable_until`` ends the window of R13 and R15, ``version`` counts amendments.
    """

    id: str
    offer: Offer
    accepted_by: PartyId
    state: ContractState
    concluded_at: datetime | None
    terms: Offer
    lines: Mapping[str, Decimal] = field(default_factory=dict)
    knocked_out: tuple[str, ...] = ()
    objectable_until: datetime | None = None
    signed_by: frozenset[PartyId] = frozenset()
    version: int = 1

    @property
    def named(self) -> str:
        """What an amendment or a signature calls it: the offer that it rests on, or, where that may be accepted in
        parts and so makes several, its own id."""
        return self.id if self.offer.divisible else self.offer.id

    @property
    def is_live(self) -> bool:
        """Whether the parties are bound by it, or will be unless something more happens."""
        return self.state is not ContractState.NEVER_CONCLUDED


def accept_by(document: TradeDocument, zone: tzinfo = UTC) -> datetime | None:
    """Return the moment until which the document's offer stands (``valid_until``): a day ends at midnight of ``zone``."""
    until = next((each for each in document.dates if each.type == "valid_until"), None)
    if until is not None and until.at is not None:
        return (until.at if until.at.tzinfo else until.at.replace(tzinfo=zone)).astimezone(UTC)
    if until is None or until.on is None:
        return None
    return datetime.combine(until.on, time.max, zone).astimezone(UTC)


def indefinite(document: TradeDocument) -> str | None:
    """Return what the document lacks to be a firm offer, as a refusal code, or None (R2, CISG 14(1))."""
    lines = offered_lines(document)
    if not lines or any(not (each.item.ids or each.item.name or each.item.description) for each in lines):
        return "NOT_DEFINITE_ITEM"
    if any(each.quantity is None or each.quantity.value <= 0 for each in lines):
        return "NOT_DEFINITE_QUANTITY"
    if any(each.price is None or not (each.price.currency or document.currency) for each in lines):
        return "NOT_DEFINITE_PRICE"
    return None


def quantities(document: TradeDocument) -> dict[str, Decimal]:
    """Return how much of each line is offered, by the line's number or its place."""
    offered = {
        line.number or str(place): line.quantity.value
        for place, line in enumerate(lines_of(document), 1)
        if line.action not in NOT_OFFERED and line.quantity is not None
    }
    return {name: quantity for name, quantity in offered.items() if quantity > 0}


def amounts(document: TradeDocument) -> dict[str, Decimal]:
    """Return what each offered line comes to in the document's currency; nothing where one cannot be valued so."""
    found: dict[str, Decimal] = {}
    for place, line in enumerate(lines_of(document), 1):
        if line.action in NOT_OFFERED:
            continue
        net = net_amount(line, document.currency)
        if net is None or (line.price is not None and line.price.currency not in (None, document.currency)):
            return {}
        found[line.number or str(place)] = net
    return found


def offered_lines(document: TradeDocument) -> tuple[Line, ...]:
    return tuple(each for each in lines_of(document) if each.action not in NOT_OFFERED)


def lines_of(document: TradeDocument) -> tuple[Line, ...]:
    """Return the lines of a document that proposes terms: inquiry, offer or order."""
    return document.lines if isinstance(document, Inquiry | OfferDocument | Order) else ()
