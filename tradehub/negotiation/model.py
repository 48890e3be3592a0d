"""The rules of formation: from two parties' statements and the clock to what the law of sale says has happened.

``TRANSITIONS`` is the whole machine: a row per legal move of an offer, with its rule (R1-R28) and its article.
``step`` appends a statement or refuses it by rule; nothing here changes a status: ``states`` computes it from the
statements, the regime and the moment it is asked for. Cf. CISG 14-24, PRC Civil Code 471-491, UCC 2-205 to 2-207.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import takewhile
from typing import NamedTuple

from tradehub.documents import PartyId, TradeDocument
from tradehub.documents.trade import Inquiry, Line, Order
from tradehub.documents.trade import Offer as OfferDocument

REASONABLE_TIME = timedelta(days=14)
"""How long an offer without a period stays open (CISG 18(2), PRC 481), unless the partners agreed otherwise."""


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
    ACCEPTED = "accepted"


class Event(StrEnum):
    """What can happen to an offer."""

    INVITE = "invite"
    OFFER = "offer"
    REACH = "reach"
    FAIL = "fail"
    WITHDRAW = "withdraw"
    REVOKE = "revoke"
    SUPERSEDE = "supersede"
    REJECT = "reject"
    COUNTER = "counter"
    ACCEPT = "accept"
    ACCEPTANCE_REACHES = "acceptance_reaches"
    ACCEPTANCE_REACHES_LATE = "acceptance_reaches_late"
    ACCEPTANCE_FAILS = "acceptance_fails"
    ELECT_LATE = "elect_late"
    LAPSE = "lapse"
    ASK = "ask"


class Who(StrEnum):
    OFFEROR = "offeror"
    OFFEREE = "offeree"
    EITHER = "either"
    HUB = "hub"
    CLOCK = "clock"


class Move(NamedTuple):
    """One row of the table: in ``state``, when ``who`` does ``event``, the offer is in ``to``."""

    rule: str
    state: State
    event: Event
    who: Who
    to: State
    article: str


TRANSITIONS: tuple[Move, ...] = (
    Move("R1", State.NONE, Event.INVITE, Who.EITHER, State.INVITATION, "CISG 14(2), PRC 473"),
    Move("R2", State.NONE, Event.OFFER, Who.EITHER, State.DISPATCHED, "CISG 14(1), PRC 472"),
    Move("R4", State.DISPATCHED, Event.REACH, Who.HUB, State.EFFECTIVE, "CISG 15(1), 24, PRC 137, 474"),
    Move("R4", State.DISPATCHED, Event.FAIL, Who.HUB, State.UNDELIVERED, "CISG 24"),
    Move("R4", State.UNDELIVERED, Event.REACH, Who.HUB, State.EFFECTIVE, "CISG 15(1), 24, PRC 137, 474"),
    Move("R5", State.DISPATCHED, Event.WITHDRAW, Who.OFFEROR, State.WITHDRAWN, "CISG 15(2), PRC 475"),
    Move("R5", State.UNDELIVERED, Event.WITHDRAW, Who.OFFEROR, State.WITHDRAWN, "CISG 15(2), PRC 475"),
    Move("R5", State.WITHDRAWN, Event.REACH, Who.HUB, State.WITHDRAWN, "CISG 15(2), PRC 475"),
    Move("R6", State.EFFECTIVE, Event.REVOKE, Who.OFFEROR, State.REVOKED, "CISG 16, PRC 476-477, UCC 2-205"),
    Move("R7", State.EFFECTIVE, Event.REJECT, Who.OFFEREE, State.REJECTED, "CISG 17, PRC 478(1)"),
    Move("R7", State.INVITATION, Event.REJECT, Who.OFFEREE, State.REJECTED, "no legal effect: no offer will follow"),
    Move("R8", State.EFFECTIVE, Event.ACCEPT, Who.OFFEREE, State.ACCEPTING, "CISG 18(2), PRC 484"),
    Move("R8", State.ACCEPTING, Event.ACCEPTANCE_REACHES, Who.HUB, State.ACCEPTED, "CISG 18(2), 23, PRC 483-484"),
    Move("R8", State.ACCEPTING, Event.ACCEPTANCE_FAILS, Who.HUB, State.EFFECTIVE, "CISG 18(2), 24"),
    Move("R14", State.ACCEPTING, Event.ACCEPTANCE_REACHES_LATE, Who.HUB, State.LATE_PENDING, "CISG 21(1), PRC 486"),
    Move("R14", State.LATE_PENDING, Event.ELECT_LATE, Who.OFFEROR, State.ACCEPTED, "CISG 21(1), PRC 486"),
    Move("R11", State.EFFECTIVE, Event.COUNTER, Who.OFFEREE, State.COUNTERED, "CISG 17, 19(1), PRC 478(4)"),
    Move("R12", State.EFFECTIVE, Event.ASK, Who.EITHER, State.EFFECTIVE, "CISG 8"),
    Move("R12", State.INVITATION, Event.ASK, Who.EITHER, State.INVITATION, "CISG 8"),
    Move("R17", State.EFFECTIVE, Event.LAPSE, Who.CLOCK, State.LAPSED, "CISG 18(2), 20, PRC 481-482"),
    Move("R20", State.EFFECTIVE, Event.SUPERSEDE, Who.OFFEROR, State.SUPERSEDED, "CISG 16"),
)
"""Every move an offer can make; what is not here cannot happen."""

_MOVES: Mapping[tuple[State, Event], Move] = {(move.state, move.event): move for move in TRANSITIONS}

OPEN = frozenset({State.DISPATCHED, State.EFFECTIVE})
DEAD = frozenset({
    State.WITHDRAWN, State.REJECTED, State.COUNTERED, State.REVOKED, State.SUPERSEDED, State.LAPSED, State.ACCEPTED,
})  # fmt: skip
BOUND = frozenset({State.ACCEPTING, State.LATE_PENDING, State.ACCEPTED})


class ContractState(StrEnum):
    AWAITING_REACH = "awaiting_reach"
    AWAITING_ELECTION = "awaiting_election"
    CONCLUDED = "concluded"
    IN_PERFORMANCE = "in_performance"
    FULFILLED = "fulfilled"
    SUSPENDED = "suspended"
    TERMINATED = "terminated"
    AVOIDED = "avoided"


CONTRACT_TRANSITIONS: tuple[tuple[ContractState, str, ContractState, str], ...] = (
    (ContractState.AWAITING_REACH, "acceptance reaches the offeror", ContractState.CONCLUDED, "CISG 23"),
    (ContractState.AWAITING_REACH, "acceptance reaches too late", ContractState.AWAITING_ELECTION, "CISG 21(1)"),
    (ContractState.AWAITING_ELECTION, "offeror elects it", ContractState.CONCLUDED, "CISG 21(1)"),
    (ContractState.CONCLUDED, "first performance", ContractState.IN_PERFORMANCE, "CISG 30, 53"),
    (ContractState.IN_PERFORMANCE, "all performed", ContractState.FULFILLED, "CISG 30, 53"),
    (ContractState.IN_PERFORMANCE, "performance endangered", ContractState.SUSPENDED, "CISG 71"),
    (ContractState.SUSPENDED, "assurance given", ContractState.IN_PERFORMANCE, "CISG 71(3)"),
    (ContractState.CONCLUDED, "parties agree to end", ContractState.TERMINATED, "CISG 29"),
    (ContractState.IN_PERFORMANCE, "parties agree to end", ContractState.TERMINATED, "CISG 29"),
    (ContractState.IN_PERFORMANCE, "fundamental breach", ContractState.AVOIDED, "CISG 49, 64"),
)
"""What becomes of a contract. This module computes its formation; performance belongs to contracting."""


@dataclass(frozen=True)
class Regime:
    """The switches in which the laws of sale differ, as data."""

    name: str
    acceptance_effective: str  # "reach" or "dispatch" (mailbox rule)
    fixed_period_is_irrevocable: bool
    rolls_to_working_day: bool


REGIMES: Mapping[str, Regime] = {
    "CISG": Regime("CISG", "reach", fixed_period_is_irrevocable=True, rolls_to_working_day=True),
    "PRC": Regime("PRC", "reach", fixed_period_is_irrevocable=True, rolls_to_working_day=True),
    # UCC 2-205 binds only a merchant's signed assurance, which an offer carries as ``irrevocable``.
    "UCC": Regime("UCC", "dispatch", fixed_period_is_irrevocable=False, rolls_to_working_day=False),
}

_REFUSALS: Mapping[str, tuple[str, str]] = {
    "INVITATION_NOT_ACCEPTABLE": ("R1", "CISG 14(2), PRC 473"),
    "NOT_DEFINITE_ITEM": ("R2", "CISG 14(1), PRC 472"),
    "NOT_DEFINITE_QUANTITY": ("R2", "CISG 14(1), PRC 472"),
    "NOT_DEFINITE_PRICE": ("R2", "CISG 14(1), PRC 472"),
    "ACCEPT_BY_PAST": ("R2", "CISG 14(1), 18(2)"),
    "NOT_YET_REACHED": ("R4", "CISG 15(1), PRC 474"),
    "WITHDRAWN": ("R5", "CISG 15(2), PRC 475"),
    "TOO_LATE_USE_REVOKE": ("R5", "CISG 15(2)"),
    "REVOKED": ("R6", "CISG 16(1), PRC 476"),
    "IRREVOCABLE": ("R6", "CISG 16(2), PRC 476(1), UCC 2-205"),
    "NOT_OFFEROR": ("R6", "CISG 16(1)"),
    "REJECTED": ("R7", "CISG 17, PRC 478(1)"),
    "NOT_OFFEREE": ("R8", "CISG 18(1), PRC 479"),
    "NO_SUCH_OFFER": ("R8", "CISG 18(1)"),
    "NO_AUTHORITY": ("R8", "CISG 18(1), MLEC 13"),
    "STALE_VERSION": ("R8", "CISG 18(1)"),
    "TERMS_HASH_MISMATCH": ("R8", "CISG 18(1), 19(1)"),
    "ACCEPTED": ("R8", "CISG 23, PRC 483"),
    "CONCLUDED": ("R8", "CISG 23, PRC 483"),
    "NOT_ALLOWED": ("R8", "CISG 18(1)"),
    "COUNTERED": ("R11", "CISG 17, 19(1), PRC 478(4)"),
    "COUNTER_UNDER_WAY": ("R11", "CISG 17, 19(1)"),
    "ROUND_LIMIT": ("R11", "agreed limit of rounds"),
    "LAPSED": ("R17", "CISG 18(2), 20, PRC 481"),
    "LATE_PENDING": ("R14", "CISG 21(1), PRC 486"),
    "SUPERSEDED": ("R20", "CISG 16(1)"),
    "NOT_A_PARTY": ("R26", "MLEC 13"),
    "UNKNOWN_REFERENCE": ("R28", "no deal or offer under that number"),
    "SAME_NUMBER_OTHER_CONTENT": ("R29", "same document number, other content"),
}


class Refused(Exception):
    """A statement that has no place here. ``code`` says which, ``rule`` and ``article`` why."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.rule, self.article = _REFUSALS[code]
        super().__init__(f"{code} ({self.rule}, {self.article})")


class Conflict(Refused):
    """The negotiation moved on since the page or message was made: whoever said it spoke of another version."""

    def __init__(self, expected: int, actual: int) -> None:
        self.expected, self.actual = expected, actual
        super().__init__("STALE_VERSION")


class Kind(StrEnum):
    """Of a statement."""

    INQUIRY = "inquiry"
    OFFER = "offer"
    COUNTER = "counter"
    QUESTION = "question"
    COMMENT = "comment"
    REJECT = "reject"
    ACCEPT = "accept"
    WITHDRAW = "withdraw"
    REVOKE = "revoke"
    ELECT_LATE = "elect_late"
    REACH = "reach"
    FAIL = "fail"


UNSAID = datetime.min.replace(tzinfo=UTC)
"""The moment of a statement that has not been made yet; ``step`` gives it its own."""

PROPOSALS = frozenset({Kind.INQUIRY, Kind.OFFER, Kind.COUNTER})
WITHOUT_EFFECT = frozenset({Kind.QUESTION, Kind.COMMENT, Kind.REACH, Kind.FAIL})
"""Kinds that do not count as a new version: what another page shows stays true (a reach is the hub's own news)."""


@dataclass(frozen=True)
class Offer:
    """A proposal of terms, firm or not, in the words of the document that carried it. Never changed once made."""

    id: str
    by: PartyId
    document: TradeDocument
    terms_hash: str
    firm: bool = True
    accept_by: datetime | None = None
    irrevocable: bool = False
    parent: str | None = None
    revision: int = 1

    @property
    def number(self) -> str:
        return self.document.number or self.id


@dataclass(frozen=True)
class Statement:
    """What a party said, or the hub noted: ``about`` is an offer's id, or, for reach and fail, a statement's.

    ``reached_at`` is set where it reached the other side at once (both on the hub's pages, or received from outside).
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


@dataclass(frozen=True)
class Calendar:
    """Days on which a notice cannot be delivered at the offeror's place (CISG 20(2), PRC 203)."""

    weekend: frozenset[int] = frozenset({5, 6})
    holidays: frozenset[date] = frozenset()

    def next_working(self, day: date) -> date:
        while day.weekday() in self.weekend or day in self.holidays:
            day += timedelta(days=1)
        return day


@dataclass(frozen=True)
class Negotiation:
    """One deal between one buyer and one seller: all that was said, in the order the hub recorded it."""

    id: str
    buyer: PartyId
    seller: PartyId
    regime: Regime = REGIMES["CISG"]
    statements: tuple[Statement, ...] = ()
    reasonable: timedelta = REASONABLE_TIME
    rounds_max: int | None = None
    calendar: Calendar = Calendar()

    @property
    def version(self) -> int:
        """Grows with each statement that changes what the parties may do."""
        return sum(each.kind not in WITHOUT_EFFECT for each in self.statements)

    @property
    def offers(self) -> tuple[Offer, ...]:
        """All proposals, oldest first: the rounds."""
        return tuple(each.offer for each in self.statements if each.offer is not None)

    def offer(self, id: str | None) -> Offer:
        """Raises Refused NO_SUCH_OFFER."""
        found = next((each for each in self.offers if each.id == id), None)
        if found is None:
            raise Refused("NO_SUCH_OFFER")
        return found

    def other(self, party: PartyId) -> PartyId:
        return self.seller if party == self.buyer else self.buyer


@dataclass(frozen=True)
class Contract:
    """What has come about: ``concluded_at`` is None while the acceptance is still on its way (CISG 23)."""

    offer: Offer
    accepted_by: PartyId
    state: ContractState
    concluded_at: datetime | None


def step(negotiation: Negotiation, statement: Statement, *, now: datetime) -> Negotiation:
    """Return the negotiation with ``statement`` made at ``now``.

    A statement already recorded changes nothing (R28).
    Raises Refused, or Conflict where ``expected_version`` is another.
    """
    if any(each.id == statement.id for each in negotiation.statements):
        return negotiation
    if statement.expected_version is not None and statement.expected_version != negotiation.version:
        raise Conflict(statement.expected_version, negotiation.version)
    for guard in _GUARDS[statement.kind]:
        guard(negotiation, statement, now)
    return replace(negotiation, statements=(*negotiation.statements, replace(statement, at=now)))


def states(negotiation: Negotiation, *, now: datetime) -> dict[str, State]:
    """Return the state of each offer at ``now``, by its id, oldest first."""
    return _Ledger.of(negotiation, now).states


def contract(negotiation: Negotiation, *, now: datetime) -> Contract | None:
    """Return the contract, concluded or under way, or None."""
    ledger = _Ledger.of(negotiation, now)
    bound = next((each for each in negotiation.offers if ledger.states[each.id] in BOUND), None)
    if bound is None:
        return None
    state = _CONTRACT_STATES[ledger.states[bound.id]]
    at = ledger.accepted_at.get(bound.id) if state is ContractState.CONCLUDED else None
    return Contract(bound, negotiation.other(bound.by), state, at)


def turn(negotiation: Negotiation, *, now: datetime) -> PartyId | None:
    """Return who is to speak: the addressee of the last open proposal; None when nothing is open or all is agreed."""
    found = states(negotiation, now=now)
    if any(state in BOUND for state in found.values()):
        return None
    for offer in reversed(negotiation.offers):
        if found[offer.id] in OPEN:
            return negotiation.other(offer.by)
    last = negotiation.offers[-1] if negotiation.offers else None
    return negotiation.other(last.by) if last and found[last.id] is State.INVITATION else None


def refusal(negotiation: Negotiation, statement: Statement, *, now: datetime) -> Refused | None:
    """Return why ``statement`` would be refused at ``now``; None when it may be made."""
    try:
        step(negotiation, statement, now=now)
    except Refused as refused:
        return refused
    return None


def deadline(negotiation: Negotiation, offer: Offer, *, now: datetime) -> datetime | None:
    """Return the last moment at which acceptance counts (R17); None while there is no period yet, or no firm offer."""
    return _Ledger.of(negotiation, now).deadline(offer) if offer.firm else None


def is_irrevocable(offer: Offer, regime: Regime) -> bool:
    return offer.irrevocable or (offer.accept_by is not None and regime.fixed_period_is_irrevocable)


def accept_by(document: TradeDocument) -> datetime | None:
    """Return the end of the day, or the moment, until which the document's offer stands (``valid_until``)."""
    until = next((each for each in document.dates if each.type == "valid_until"), None)
    if until is not None and until.at is not None:
        return until.at if until.at.tzinfo else until.at.replace(tzinfo=UTC)
    return datetime.combine(until.on, time.max, UTC) if until is not None and until.on is not None else None


def indefinite(document: TradeDocument) -> str | None:
    """Return what the document lacks to be a firm offer, as a refusal code, or None (R2, CISG 14(1))."""
    lines = [each for each in lines_of(document) if each.action not in NOT_OFFERED]
    if not lines or any(not (each.item.ids or each.item.name or each.item.description) for each in lines):
        return "NOT_DEFINITE_ITEM"
    if any(each.quantity is None or each.quantity.value <= 0 for each in lines):
        return "NOT_DEFINITE_QUANTITY"
    if any(each.price is None or not (each.price.currency or document.currency) for each in lines):
        return "NOT_DEFINITE_PRICE"
    return None


NOT_OFFERED = frozenset({"rejected", "not_accepted", "not_offered", "delete", "cancelled"})
"""Line actions that say: no offer on this line."""


def lines_of(document: TradeDocument) -> tuple[Line, ...]:
    """Return the lines of a document that proposes terms: inquiry, offer or order."""
    return document.lines if isinstance(document, Inquiry | OfferDocument | Order) else ()


def table() -> str:
    """Return the machine as text, a row per move: rule, state, event, who, next state, article."""
    rows = [("rule", "state", "event", "who", "to", "article"), *(tuple(map(str, move)) for move in TRANSITIONS)]
    rows += [("", state, event, "", to, article) for state, event, to, article in CONTRACT_TRANSITIONS]
    widths = [max(len(row[column]) for row in rows) for column in range(6)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


_CONTRACT_STATES = {
    State.ACCEPTING: ContractState.AWAITING_REACH,
    State.LATE_PENDING: ContractState.AWAITING_ELECTION,
    State.ACCEPTED: ContractState.CONCLUDED,
}


@dataclass
class _Ledger:
    """The fold over the statements: where each offer stands after each of them."""

    negotiation: Negotiation
    states: dict[str, State] = field(default_factory=dict)
    reached_at: dict[str, datetime] = field(default_factory=dict)
    accepted_at: dict[str, datetime] = field(default_factory=dict)
    pending: dict[str, Statement] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, negotiation: Negotiation, now: datetime) -> _Ledger:
        ledger = cls(negotiation)
        for statement in negotiation.statements:
            ledger.lapse(min(statement.at, now))
            ledger.note(statement, statement.at)
        ledger.lapse(now)
        return ledger

    def note(self, statement: Statement, at: datetime) -> None:
        if statement.kind in (Kind.REACH, Kind.FAIL):
            about = self.pending.get(statement.about or "")
            if about is not None and statement.kind is Kind.REACH:
                del self.pending[about.id]
                self.arrive(about, at)
            elif about is not None:
                self.fail(about)
            return
        if statement.offer is not None:
            opening = Event.OFFER if statement.offer.firm else Event.INVITE
            self.states[statement.offer.id] = self._moved(State.NONE, opening)
        elif statement.kind is Kind.ACCEPT:
            self.move(statement.about, Event.ACCEPT)
        elif statement.kind in _AT_ONCE:
            self.move(statement.about, _AT_ONCE[statement.kind])
        if statement.kind in _ON_ARRIVAL:
            self.pending[statement.id] = statement
            if statement.reached_at is not None:
                del self.pending[statement.id]
                self.arrive(statement, statement.reached_at)
            elif statement.kind is Kind.ACCEPT and self.negotiation.regime.acceptance_effective == "dispatch":
                self.accept(statement, at)

    def arrive(self, statement: Statement, at: datetime) -> None:
        if statement.kind is Kind.ACCEPT:
            self.accept(statement, at)
        elif statement.kind is Kind.REJECT:
            self.move(statement.about, Event.REJECT)
        elif statement.offer is not None and statement.offer.firm:
            self.take_effect(statement, statement.offer, at)

    def take_effect(self, statement: Statement, offer: Offer, at: datetime) -> None:
        self.move(offer.id, Event.REACH)
        if self.states[offer.id] is not State.EFFECTIVE:
            return
        self.reached_at[offer.id] = at
        if statement.kind is Kind.COUNTER:
            self.move(statement.about, Event.COUNTER)
        for earlier in takewhile(lambda each: each.id != offer.id, self.negotiation.offers):
            if earlier.by == offer.by and not is_irrevocable(earlier, self.negotiation.regime):
                self.move(earlier.id, Event.SUPERSEDE)

    def accept(self, statement: Statement, at: datetime) -> None:
        if self.states.get(statement.about or "") is not State.ACCEPTING:
            return
        offer = self.negotiation.offer(statement.about)
        until = self.deadline(offer)
        self.accepted_at[offer.id] = at
        on_reach = self.negotiation.regime.acceptance_effective == "reach"
        late = on_reach and until is not None and at > until
        self.move(offer.id, Event.ACCEPTANCE_REACHES_LATE if late else Event.ACCEPTANCE_REACHES)

    def fail(self, statement: Statement) -> None:
        self.failed.add(statement.id)
        if statement.kind is Kind.ACCEPT:
            self.move(statement.about, Event.ACCEPTANCE_FAILS)
        elif statement.offer is not None:
            self.move(statement.offer.id, Event.FAIL)

    def lapse(self, at: datetime) -> None:
        for offer in self.negotiation.offers:
            if self.states.get(offer.id) is State.EFFECTIVE:
                until = self.deadline(offer)
                if until is not None and at > until:
                    self.move(offer.id, Event.LAPSE)

    def deadline(self, offer: Offer) -> datetime | None:
        if offer.accept_by is None:
            reached = self.reached_at.get(offer.id)
            return reached and reached + self.negotiation.reasonable
        if not self.negotiation.regime.rolls_to_working_day:
            return offer.accept_by
        day = self.negotiation.calendar.next_working(offer.accept_by.date())
        return offer.accept_by + (day - offer.accept_by.date())

    def move(self, offer: str | None, event: Event) -> None:
        """Make the move if the table has it; an event that finds no row leaves the offer where it is."""
        known = offer or ""
        self.states[known] = self._moved(self.states[known], event)

    @staticmethod
    def _moved(state: State, event: Event) -> State:
        move = _MOVES.get((state, event))
        return move.to if move else state


_AT_ONCE: Mapping[Kind, Event] = {
    Kind.WITHDRAW: Event.WITHDRAW,
    Kind.REVOKE: Event.REVOKE,
    Kind.ELECT_LATE: Event.ELECT_LATE,
}
_ON_ARRIVAL = frozenset({*PROPOSALS, Kind.ACCEPT, Kind.REJECT})

_EVENTS: Mapping[Kind, tuple[Event, Who]] = {
    Kind.ACCEPT: (Event.ACCEPT, Who.OFFEREE),
    Kind.COUNTER: (Event.COUNTER, Who.OFFEREE),
    Kind.REJECT: (Event.REJECT, Who.OFFEREE),
    Kind.WITHDRAW: (Event.WITHDRAW, Who.OFFEROR),
    Kind.REVOKE: (Event.REVOKE, Who.OFFEROR),
    Kind.ELECT_LATE: (Event.ELECT_LATE, Who.OFFEROR),
}


def _is_party(negotiation: Negotiation, statement: Statement, now: datetime) -> None:
    if statement.by not in (negotiation.buyer, negotiation.seller):
        raise Refused("NOT_A_PARTY")


def _is_addressed(negotiation: Negotiation, statement: Statement, now: datetime) -> None:
    """Who may do this to the offer: its addressee, or the one who made it."""
    offer = negotiation.offer(statement.about)
    who = _EVENTS[statement.kind][1]
    expected = offer.by if who is Who.OFFEROR else negotiation.other(offer.by)
    if statement.by != expected:
        raise Refused("NOT_OFFEROR" if who is Who.OFFEROR else "NOT_OFFEREE")


def _is_open(negotiation: Negotiation, statement: Statement, now: datetime) -> None:
    if contract(negotiation, now=now) is not None:
        raise Refused("CONCLUDED")


def _can_move(negotiation: Negotiation, statement: Statement, now: datetime) -> None:
    """The table has a row for it; otherwise the state the offer is in is the reason."""
    state = states(negotiation, now=now)[negotiation.offer(statement.about).id]
    event = _EVENTS[statement.kind][0]
    if (state, event) in _MOVES:
        return
    raise Refused(_REASONS.get((state, event)) or _STATE_REASONS.get(state, "NOT_ALLOWED"))


_REASONS: Mapping[tuple[State, Event], str] = {
    (State.EFFECTIVE, Event.WITHDRAW): "TOO_LATE_USE_REVOKE",
    (State.INVITATION, Event.ACCEPT): "INVITATION_NOT_ACCEPTABLE",
}
_STATE_REASONS: Mapping[State, str] = {
    State.DISPATCHED: "NOT_YET_REACHED",
    State.UNDELIVERED: "NOT_YET_REACHED",
    State.WITHDRAWN: "WITHDRAWN",
    State.REJECTED: "REJECTED",
    State.COUNTERED: "COUNTERED",
    State.REVOKED: "REVOKED",
    State.SUPERSEDED: "SUPERSEDED",
    State.LAPSED: "LAPSED",
    State.ACCEPTING: "ACCEPTED",
    State.ACCEPTED: "ACCEPTED",
    State.LATE_PENDING: "LATE_PENDING",
}


def _is_definite(negotiation: Negotiation, statement: Statement, now: datetime) -> None:
    offer = statement.offer
    if offer is None or offer.by != statement.by:
        raise Refused("NO_SUCH_OFFER")
    if not offer.firm:
        return
    lacking = indefinite(offer.document)
    if lacking:
        raise Refused(lacking)
    if offer.accept_by is not None and offer.accept_by <= now:
        raise Refused("ACCEPT_BY_PAST")


def _is_within_rounds(negotiation: Negotiation, statement: Statement, now: datetime) -> None:
    counters = sum(each.kind is Kind.COUNTER for each in negotiation.statements)
    if negotiation.rounds_max is not None and counters >= negotiation.rounds_max:
        raise Refused("ROUND_LIMIT")


def _is_not_countered(negotiation: Negotiation, statement: Statement, now: datetime) -> None:
    """One's own counter, once on its way, would reach the offeror before the acceptance does and end the offer."""
    ledger = _Ledger.of(negotiation, now)
    for each in ledger.pending.values():
        ends = each.kind in (Kind.COUNTER, Kind.REJECT) and each.about == statement.about
        if ends and each.id not in ledger.failed:
            raise Refused("COUNTER_UNDER_WAY")


def _is_same_terms(negotiation: Negotiation, statement: Statement, now: datetime) -> None:
    shown = statement.terms_hash
    if shown is not None and shown != negotiation.offer(statement.about).terms_hash:
        raise Refused("TERMS_HASH_MISMATCH")


def _is_revocable(negotiation: Negotiation, statement: Statement, now: datetime) -> None:
    if is_irrevocable(negotiation.offer(statement.about), negotiation.regime):
        raise Refused("IRREVOCABLE")


def _is_recorded(negotiation: Negotiation, statement: Statement, now: datetime) -> None:
    if all(each.id != statement.about for each in negotiation.statements):
        raise Refused("NO_SUCH_OFFER")


_Guard = Callable[[Negotiation, Statement, datetime], None]
_GUARDS: Mapping[Kind, tuple[_Guard, ...]] = {
    Kind.INQUIRY: (_is_party, _is_open, _is_definite),
    Kind.OFFER: (_is_party, _is_open, _is_definite),
    Kind.COUNTER: (_is_addressed, _can_move, _is_open, _is_not_countered, _is_within_rounds, _is_definite),
    Kind.QUESTION: (_is_party,),
    Kind.COMMENT: (_is_party,),
    Kind.REJECT: (_is_addressed, _can_move, _is_open, _is_not_countered),
    Kind.ACCEPT: (_is_addressed, _can_move, _is_open, _is_not_countered, _is_same_terms),
    Kind.WITHDRAW: (_is_addressed, _can_move),
    Kind.REVOKE: (_is_addressed, _can_move, _is_open, _is_revocable),
    Kind.ELECT_LATE: (_is_addressed, _can_move),
    Kind.REACH: (_is_recorded,),
    Kind.FAIL: (_is_recorded,),
}
