"""The machine as data: every move that an offer, and a contract in formation, can make. What is not here cannot happen."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from tradehub.negotiation.model.regimes import Regime, article
from tradehub.negotiation.model.values import ContractState, Kind, State


class Event(StrEnum):
    """What can happen to an offer."""

    INVITE = "invite"
    OFFER = "offer"
    REACH = "reach"
    FAIL = "fail"
    WITHDRAW = "withdraw"
    DISREGARD = "disregard"
    RETRACT = "retract"
    REVOKE = "revoke"
    SUPERSEDE = "supersede"
    REJECT = "reject"
    CANCEL = "cancel"
    COUNTER = "counter"
    ACCEPT = "accept"
    ACCEPTANCE_REACHES = "acceptance_reaches"
    ACCEPTANCE_REACHES_LATE = "acceptance_reaches_late"
    ACCEPTANCE_IN_DISPUTE = "acceptance_in_dispute"
    ACCEPTANCE_FAILS = "acceptance_fails"
    ACCEPTANCE_WITHDRAWN = "acceptance_withdrawn"
    ELECT_LATE = "elect_late"
    LAPSE_NOTICE = "lapse_notice"
    OBJECT = "object"
    ADMIT_TIME = "admit_time"
    PERFORM = "perform"
    SILENCE = "silence"
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

    @property
    def article(self) -> str:
        return article(self.rule)


TRANSITIONS: tuple[Move, ...] = (
    Move("R1", State.NONE, Event.INVITE, Who.EITHER, State.INVITATION),
    Move("R1", State.INVITATION, Event.CANCEL, Who.OFFEROR, State.WITHDRAWN),
    Move("R2", State.NONE, Event.OFFER, Who.EITHER, State.DISPATCHED),
    Move("R4", State.DISPATCHED, Event.REACH, Who.HUB, State.EFFECTIVE),
    Move("R4", State.DISPATCHED, Event.FAIL, Who.HUB, State.UNDELIVERED),
    Move("R4", State.UNDELIVERED, Event.REACH, Who.HUB, State.EFFECTIVE),
    Move("R5", State.DISPATCHED, Event.WITHDRAW, Who.OFFEROR, State.WITHDRAWN),
    Move("R5", State.UNDELIVERED, Event.WITHDRAW, Who.OFFEROR, State.WITHDRAWN),
    Move("R5", State.WITHDRAWN, Event.REACH, Who.HUB, State.WITHDRAWN),
    Move("R6", State.EFFECTIVE, Event.REVOKE, Who.OFFEROR, State.REVOKED),
    Move("R7", State.EFFECTIVE, Event.REJECT, Who.OFFEREE, State.REJECTED),
    Move("R7", State.INVITATION, Event.REJECT, Who.OFFEREE, State.REJECTED),
    Move("R8", State.EFFECTIVE, Event.ACCEPT, Who.OFFEREE, State.ACCEPTING),
    Move("R8", State.REVOKED, Event.ACCEPT, Who.OFFEREE, State.ACCEPTING),
    Move("R8", State.SUPERSEDED, Event.ACCEPT, Who.OFFEREE, State.ACCEPTING),
    Move("R8", State.ACCEPTING, Event.ACCEPTANCE_REACHES, Who.HUB, State.ACCEPTED),
    Move("R8", State.ACCEPTING, Event.ACCEPTANCE_FAILS, Who.HUB, State.EFFECTIVE),
    Move("R8", State.ACCEPTING, Event.ACCEPTANCE_IN_DISPUTE, Who.HUB, State.DISPUTED),
    Move("R8", State.DISPUTED, Event.ADMIT_TIME, Who.OFFEROR, State.ACCEPTED),
    Move("R8", State.DISPUTED, Event.LAPSE_NOTICE, Who.OFFEROR, State.LAPSED),
    Move("R8", State.DISPUTED, Event.LAPSE, Who.CLOCK, State.LAPSED),
    Move("R11", State.EFFECTIVE, Event.COUNTER, Who.OFFEREE, State.COUNTERED),
    Move("R12", State.EFFECTIVE, Event.ASK, Who.EITHER, State.EFFECTIVE),
    Move("R12", State.INVITATION, Event.ASK, Who.EITHER, State.INVITATION),
    Move("R13", State.ACCEPTED, Event.OBJECT, Who.OFFEROR, State.COUNTERED),
    Move("R14", State.LAPSED, Event.ACCEPT, Who.OFFEREE, State.ACCEPTING),
    Move("R14", State.ACCEPTING, Event.ACCEPTANCE_REACHES_LATE, Who.HUB, State.LATE_PENDING),
    Move("R14", State.LATE_PENDING, Event.ELECT_LATE, Who.OFFEROR, State.ACCEPTED),
    Move("R14", State.LATE_PENDING, Event.LAPSE_NOTICE, Who.OFFEROR, State.LAPSED),
    Move("R14", State.LATE_PENDING, Event.LAPSE, Who.CLOCK, State.LAPSED),
    Move("R15", State.ACCEPTED, Event.LAPSE_NOTICE, Who.OFFEROR, State.LAPSED),
    Move("R16", State.ACCEPTING, Event.ACCEPTANCE_WITHDRAWN, Who.OFFEREE, State.EFFECTIVE),
    Move("R17", State.EFFECTIVE, Event.LAPSE, Who.CLOCK, State.LAPSED),
    Move("R18", State.EFFECTIVE, Event.PERFORM, Who.OFFEREE, State.ACCEPTED),
    Move("R19", State.EFFECTIVE, Event.SILENCE, Who.CLOCK, State.ACCEPTED),
    Move("R20", State.EFFECTIVE, Event.SUPERSEDE, Who.OFFEROR, State.SUPERSEDED),
    Move("R27", State.DISPATCHED, Event.DISREGARD, Who.OFFEROR, State.WITHDRAWN),
    Move("R27", State.UNDELIVERED, Event.DISREGARD, Who.OFFEROR, State.WITHDRAWN),
    Move("R30", State.DISPATCHED, Event.RETRACT, Who.OFFEROR, State.WITHDRAWN),
    Move("R30", State.EFFECTIVE, Event.RETRACT, Who.OFFEROR, State.WITHDRAWN),
    Move("R30", State.ACCEPTED, Event.RETRACT, Who.OFFEREE, State.EFFECTIVE),
)
"""Every move an offer can make; what is not here cannot happen.

An acceptance of a revoked or superseded offer counts only where it was dispatched before (CISG 16(1)); an acceptance of
some lines of a divisible offer leaves it effective for the others, and moves it only with the last of them.
"""

MOVES: Mapping[tuple[State, Event], Move] = {(move.state, move.event): move for move in TRANSITIONS}


class ContractMove(NamedTuple):
    """One row of a contract's life; ``rule`` is empty where performance, not formation, moves it."""

    rule: str
    state: ContractState
    happening: str
    to: ContractState
    article: str


def _forming(rule: str, state: ContractState, happening: str, to: ContractState) -> ContractMove:
    return ContractMove(rule, state, happening, to, article(rule))


_C = ContractState
CONTRACT_TRANSITIONS: tuple[ContractMove, ...] = (
    _forming("R8", _C.AWAITING_REACH, "acceptance reaches the offeror", _C.CONCLUDED),
    _forming("R9", _C.AWAITING_REACH, "acceptance with immaterial changes reaches", _C.CONCLUDED_OBJECTABLE),
    _forming("R9", _C.CONCLUDED_OBJECTABLE, "no objection without undue delay", _C.CONCLUDED),
    _forming("R13", _C.CONCLUDED_OBJECTABLE, "offeror objects", _C.NEVER_CONCLUDED),
    _forming("R14", _C.AWAITING_REACH, "acceptance reaches too late", _C.AWAITING_ELECTION),
    _forming("R14", _C.AWAITING_ELECTION, "offeror elects it", _C.CONCLUDED),
    _forming("R14", _C.AWAITING_ELECTION, "not elected without delay", _C.NEVER_CONCLUDED),
    _forming("R15", _C.AWAITING_REACH, "acceptance sent in time was delayed on its way", _C.CONCLUDED_OBJECTABLE),
    _forming("R15", _C.CONCLUDED_OBJECTABLE, "offeror considers its offer lapsed", _C.NEVER_CONCLUDED),
    _forming("R8", _C.AWAITING_REACH, "the time of dispatch is claimed, not proven", _C.DISPUTED_TIME),
    _forming("R8", _C.DISPUTED_TIME, "offeror admits the time", _C.CONCLUDED),
    _forming("R8", _C.DISPUTED_TIME, "not admitted", _C.NEVER_CONCLUDED),
    _forming("R16", _C.AWAITING_REACH, "acceptance is withdrawn", _C.NEVER_CONCLUDED),
    _forming("R21", _C.AWAITING_REACH, "acceptance counts, signatures are agreed", _C.AWAITING_CONFIRMATION),
    _forming("R21", _C.CONCLUDED_OBJECTABLE, "no objection, signatures are agreed", _C.AWAITING_CONFIRMATION),
    _forming("R21", _C.AWAITING_ELECTION, "offeror elects it, signatures are agreed", _C.AWAITING_CONFIRMATION),
    _forming("R21", _C.DISPUTED_TIME, "offeror admits the time, signatures are agreed", _C.AWAITING_CONFIRMATION),
    _forming("R21", _C.AWAITING_CONFIRMATION, "both have confirmed or signed", _C.CONCLUDED),
    _forming("R25", _C.CONCLUDED, "an amendment is accepted", _C.CONCLUDED),
    _forming("R25", _C.CONCLUDED, "parties agree to end", _C.TERMINATED),
    ContractMove("", _C.CONCLUDED, "first performance", _C.IN_PERFORMANCE, "CISG 30, 53"),
    ContractMove("", _C.IN_PERFORMANCE, "all performed", _C.FULFILLED, "CISG 30, 53"),
    ContractMove("", _C.IN_PERFORMANCE, "performance endangered", _C.SUSPENDED, "CISG 71"),
    ContractMove("", _C.SUSPENDED, "assurance given", _C.IN_PERFORMANCE, "CISG 71(3)"),
    ContractMove("", _C.IN_PERFORMANCE, "parties agree to end", _C.TERMINATED, "CISG 29"),
    ContractMove("", _C.IN_PERFORMANCE, "fundamental breach", _C.AVOIDED, "CISG 49, 64"),
)
"""What becomes of a contract. This package computes its formation; performance belongs to contracting."""


class Rule(NamedTuple):
    """One row of the rules: what a party does, when it may, and what follows."""

    number: str
    title: str
    kinds: tuple[Kind, ...]
    who: str
    guard: str
    effect: str

    def article(self, regime: Regime | None = None) -> str:
        return article(self.number, regime)


RULES: tuple[Rule, ...] = (
    Rule("R1", "Inquiry", (Kind.INQUIRY, Kind.CANCEL), "either", "none", "INVITATION; cannot be accepted, may be cancelled"),
    Rule("R2", "Firm offer", (Kind.OFFER,), "either, with authority",
         "item, quantity and price fixed or fixable; accept_by > now", "DISPATCHED"),
    Rule("R3", "Indicative offer", (Kind.OFFER,), "either", "firm is false", "INVITATION, without obligation"),
    Rule("R4", "Reach", (Kind.REACH, Kind.FAIL), "hub", "not WITHDRAWN", "EFFECTIVE, the period starts; UNDELIVERED"),
    Rule("R5", "Withdraw", (Kind.WITHDRAW,), "offeror", "reaches no later than the offer; even if irrevocable",
         "WITHDRAWN; one that reaches later counts as a revocation, where that is allowed"),
    Rule("R6", "Revoke", (Kind.REVOKE, Kind.RELY), "offeror",
         "EFFECTIVE; not irrevocable, not relied on; reaches before the acceptance is dispatched", "REVOKED when it reaches"),
    Rule("R7", "Reject", (Kind.REJECT,), "offeree", "EFFECTIVE or INVITATION", "REJECTED when it reaches, even if irrevocable"),
    Rule("R8", "Accept", (Kind.ACCEPT, Kind.ADMIT_TIME), "offeree, with authority and limit",
         "EFFECTIVE, or REVOKED after its dispatch; expected_version; terms_hash as shown", "contract when it takes effect"),
    Rule("R9", "Accept with immaterial changes", (Kind.ACCEPT,), "offeree",
         "no changed term is material; offer not as-is-only", "CONCLUDED_OBJECTABLE on the changed terms"),
    Rule("R10", "Accept with material changes", (Kind.ACCEPT,), "offeree", "a changed term is material",
         "parent COUNTERED; a firm offer by the offeree, with the parent's accept_by"),
    Rule("R11", "Counter", (Kind.COUNTER,), "offeree", "EFFECTIVE; round limit", "a new offer; parent COUNTERED when it reaches"),
    Rule("R12", "Question, answer, comment", (Kind.QUESTION, Kind.ANSWER, Kind.COMMENT), "either", "none", "none in law"),
    Rule("R13", "Object", (Kind.OBJECT,), "offeror", "within undue_delay", "NEVER_CONCLUDED; offer COUNTERED"),
    Rule("R14", "Late acceptance", (Kind.ELECT_LATE, Kind.LAPSE_NOTICE), "offeror", "LATE_PENDING, within undue_delay",
         "contract dated at the acceptance's reach; else LAPSED"),
    Rule("R15", "Acceptance delayed on its way", (Kind.LAPSE_NOTICE,), "offeror", "sent in time, evidence of normal transmission",
         "CONCLUDED_OBJECTABLE; a lapse notice within undue_delay undoes it"),
    Rule("R16", "Withdraw acceptance", (Kind.WITHDRAW_ACCEPTANCE,), "offeree", "reaches no later than the acceptance takes effect",
         "no contract; offer EFFECTIVE"),
    Rule("R17", "Lapse", (), "clock", "now > accept_by, or reach + period, or reach + reasonable time; a day off rolls",
         "LAPSED"),
    Rule("R18", "Perform", (Kind.PERFORM,), "offeree", "EFFECTIVE; the offer or a practice indicates conduct", "contract at the act"),
    Rule("R19", "Silence", (), "clock", "never, unless the partners agreed that silence accepts", "contract at the deadline"),
    Rule("R20", "Supersede", (Kind.OFFER,), "offeror", "same party's earlier offer is revocable and no alternative",
         "the one made earlier SUPERSEDED once both have reached; irrevocable ones stay open"),
    Rule("R21", "Confirm or sign", (Kind.CONFIRM, Kind.SIGN), "both", "formation is confirmation or signature", "contract at the last one"),
    Rule("R22", "Accept some lines", (Kind.ACCEPT,), "offeree", "offer divisible",
         "contract for the lines; the others stay open; indivisible: a counter-offer"),
    Rule("R23", "Award", (Kind.ACCEPT, Kind.REJECT), "buyer", "per line no more than demanded",
         "a contract per supplier; explicit rejections to the others"),
    Rule("R24", "Battle of forms", (Kind.ACCEPT,), "both", "each refers to its own standard terms",
         "last shot: a counter-offer; knock-out: contract without the clauses in conflict"),
    Rule("R25", "Amend", (Kind.AMEND,), "either", "a contract stands", "an offer on the contract; accepted: a new version, the old kept"),
    Rule("R26", "Attribution", (), "hub", "signed by the party's key, certificate or session", "else it may not bind"),
    Rule("R27", "Acknowledgement of receipt", (Kind.REACH, Kind.DISREGARD), "offeror", "no receipt within receipt_within",
         "treated as never sent: WITHDRAWN"),
    Rule("R28", "Duplicate", (), "any", "same id, same content", "nothing; acknowledged again"),
    Rule("R29", "Same number, other content", (), "any", "same id, other content", "refused, the sender is told"),
    Rule("R30", "Input error", (Kind.RETRACT,), "its author", "no correction step was offered; not yet relied on", "as never said"),
)  # fmt: skip
"""R1-R30 of spec/negotiation section 3."""
