"""``step``: a statement is appended, or refused by rule. Each kind has its guards, asked in their order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from tradehub.documents.amounts import added
from tradehub.negotiation.model.ledger import Acceptance, Ledger, Standing, was_before
from tradehub.negotiation.model.materiality import Change
from tradehub.negotiation.model.refusals import Conflict, Refused
from tradehub.negotiation.model.table import MOVES, Event, Who
from tradehub.negotiation.model.values import (
    NEWS,
    PROPOSALS,
    WORDS,
    ContractState,
    Kind,
    Negotiation,
    Offer,
    State,
    Statement,
)


def step(negotiation: Negotiation, statement: Statement, *, now: datetime, ledger: Ledger | None = None) -> Negotiation:
    """Return the negotiation with ``statement`` made at ``now``.

    A statement already recorded changes nothing (R28); the same id with another content is refused (R29).
    Raises Refused, or Conflict where ``expected_version`` is another. ``ledger`` is that of ``now``, where it is at hand.
    """
    known = next((each for each in negotiation.statements if each.id == statement.id), None)
    if known is not None:
        if known.says != statement.says:
            raise Refused("SAME_NUMBER_OTHER_CONTENT", negotiation.regime)
        return negotiation
    if statement.expected_version is not None and statement.expected_version != negotiation.version:
        raise Conflict(statement.expected_version, negotiation.version, negotiation.regime)
    said = replace(statement, at=now)
    case = _Case(ledger or Ledger.of(negotiation, now), said, now)
    for guard in _guards(said.kind):
        code = guard(case)
        if code is not None:
            raise Refused(code, negotiation.regime)
    return negotiation.with_statement(said)


def refusal(
    negotiation: Negotiation, statement: Statement, *, now: datetime, ledger: Ledger | None = None
) -> Refused | None:
    """Return why ``statement`` would be refused at ``now``; None when it may be made. ``ledger`` as for ``step``."""
    try:
        step(negotiation, statement, now=now, ledger=ledger)
    except Refused as refused:
        return refused
    return None


@dataclass(frozen=True)
class _Case:
    """A statement before the ledger it would be written into."""

    ledger: Ledger
    said: Statement
    now: datetime

    @property
    def offer(self) -> Offer:
        """The offer spoken of. Raises Refused NO_SUCH_OFFER."""
        return self.standing.offer

    @property
    def standing(self) -> Standing:
        """Where the offer spoken of stands; only what answers an acceptance may name that instead."""
        about = self.said.about or ""
        acceptance = self.ledger.acceptances.get(about) if self.said.kind in OF_ACCEPTANCES else None
        standing = acceptance.standing if acceptance else self.ledger.standings.get(about)
        if standing is None:
            raise Refused("NO_SUCH_OFFER", self.ledger.regime)
        return standing

    @property
    def state(self) -> State:
        return self.standing.state

    @property
    def acceptance(self) -> Acceptance | None:
        return self.ledger.acceptance(self.said.about)

    @property
    def becomes_counter(self) -> bool:
        return self.said.kind is Kind.ACCEPT and self.ledger.change_of(self.said, self.offer) is Change.MATERIAL

    @property
    def proposal(self) -> Offer | None:
        """The proposal that the statement makes; an acceptance that changes nothing material makes none."""
        makes = self.said.kind is not Kind.ACCEPT or self.becomes_counter
        return self.said.offer if makes else None


_Guard = Callable[[_Case], str | None]

_ANSWERS = frozenset({Kind.ACCEPT, Kind.COUNTER, Kind.REJECT, Kind.PERFORM})
"""Kinds that answer an offer."""

OF_ACCEPTANCES = frozenset(
    {
        Kind.WITHDRAW_ACCEPTANCE,
        Kind.OBJECT,
        Kind.ELECT_LATE,
        Kind.LAPSE_NOTICE,
        Kind.ADMIT_TIME,
        Kind.CONFIRM,
        Kind.SIGN,
    }
)
"""Kinds that speak of an acceptance: by its own id, or as the latest of the offer's."""


def _may_state_terms(case: _Case) -> str | None:
    """Terms come with a proposal, or with an acceptance that changes some; anything else has none of its own."""
    states = case.said.kind in PROPOSALS or case.said.kind is Kind.ACCEPT
    return None if case.said.offer is None or states else "NOT_ALLOWED"


def _is_attributed(case: _Case) -> str | None:
    return None if case.said.attributed else "UNATTRIBUTED"


def _is_party(case: _Case) -> str | None:
    negotiation = case.ledger.negotiation
    return None if case.said.by in (negotiation.buyer, negotiation.seller) else "NOT_A_PARTY"


_SPEAKERS: Mapping[Kind, Who] = {
    Kind.ACCEPT: Who.OFFEREE,
    Kind.COUNTER: Who.OFFEREE,
    Kind.REJECT: Who.OFFEREE,
    Kind.PERFORM: Who.OFFEREE,
    Kind.RELY: Who.OFFEREE,
    Kind.WITHDRAW_ACCEPTANCE: Who.OFFEREE,
    Kind.WITHDRAW: Who.OFFEROR,
    Kind.REVOKE: Who.OFFEROR,
    Kind.CANCEL: Who.OFFEROR,
    Kind.DISREGARD: Who.OFFEROR,
    Kind.OBJECT: Who.OFFEROR,
    Kind.ELECT_LATE: Who.OFFEROR,
    Kind.LAPSE_NOTICE: Who.OFFEROR,
    Kind.ADMIT_TIME: Who.OFFEROR,
}


def _is_addressed(case: _Case) -> str | None:
    """Who may do this to the offer: its addressee, or the one who made it."""
    offer, who = case.offer, _SPEAKERS[case.said.kind]
    expected = offer.by if who is Who.OFFEROR else case.ledger.negotiation.other(offer.by)
    if case.said.by == expected:
        return None
    return "NOT_OFFEROR" if who is Who.OFFEROR else "NOT_OFFEREE"


def _has_authority(case: _Case) -> str | None:
    """Who binds its party needs the authority to, up to the amount in question (S58, S59)."""
    said, proposal = case.said, case.proposal
    if proposal is not None and not proposal.firm:
        return None
    if not said.may_bind:
        return "NO_AUTHORITY"
    amount = _amount(case, proposal)
    return "OVER_LIMIT" if said.limit is not None and amount is not None and amount > said.limit else None


def _amount(case: _Case, proposal: Offer | None) -> Decimal | None:
    if proposal is not None:
        return proposal.amount
    offer, said = case.offer, case.said
    if not offer.divisible or not offer.amounts:
        return offer.amount
    if said.kind in OF_ACCEPTANCES:
        taken = case.acceptance.lines if case.acceptance else {}
        return added(offer.amount_of(line, taken[line]) for line in taken)
    left = case.standing.remaining
    wanted = dict(said.lines) if said.kind is Kind.ACCEPT and said.lines else dict.fromkeys(left)
    return added(offer.amount_of(line, wanted[line] or left[line]) for line in wanted.keys() & left.keys())


_EVENTS: Mapping[Kind, Event] = {
    Kind.ACCEPT: Event.ACCEPT,
    Kind.COUNTER: Event.COUNTER,
    Kind.REJECT: Event.REJECT,
    Kind.PERFORM: Event.PERFORM,
    Kind.WITHDRAW: Event.WITHDRAW,
    Kind.REVOKE: Event.REVOKE,
    Kind.CANCEL: Event.CANCEL,
    Kind.DISREGARD: Event.DISREGARD,
}


def _can_move(case: _Case) -> str | None:
    """The table has a row for it; otherwise the state the offer is in is the reason."""
    state, event = case.state, _EVENTS[case.said.kind]
    if (state, event) in MOVES and not _is_too_late(case, state):
        return None
    if event in (Event.ACCEPT, Event.PERFORM) and not case.offer.firm and state is State.INVITATION:
        return "INVITATION_NOT_ACCEPTABLE"
    return _REASONS.get((state, event)) or _STATE_REASONS.get(state, "NOT_ALLOWED")


def _is_too_late(case: _Case, state: State) -> bool:
    """An offer that was taken back can be accepted only by what was dispatched, or is claimed to have been, before."""
    if state not in (State.REVOKED, State.SUPERSEDED):
        return False
    said, ended = case.said, case.standing.ended_at
    claimed = said.claimed_at is not None and ended is not None and said.claimed_at < ended
    return case.becomes_counter or not (was_before(said, ended) or claimed)


_REASONS: Mapping[tuple[State, Event], str] = {
    (State.EFFECTIVE, Event.WITHDRAW): "TOO_LATE_USE_REVOKE",
    (State.EFFECTIVE, Event.CANCEL): "NOT_AN_INVITATION",
    (State.DISPATCHED, Event.CANCEL): "NOT_AN_INVITATION",
    (State.EFFECTIVE, Event.DISREGARD): "TOO_LATE_USE_REVOKE",
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
    State.DISPUTED: "DISPUTED_TIME",
}


def _may_counter(case: _Case) -> str | None:
    """An acceptance that is a counter-offer in law needs an offer that can still be countered."""
    if not case.becomes_counter:
        return None
    if case.state is not State.EFFECTIVE:
        return _STATE_REASONS.get(case.state, "NOT_ALLOWED")
    return ("INDIVISIBLE" if case.said.lines else "NOT_ALLOWED") if case.said.offer is None else None


def _is_open(case: _Case) -> str | None:
    """Once the parties are agreed, only an amendment of their contract is still to be talked of."""
    if _amended(case) is not None:
        return None
    return "CONCLUDED" if case.ledger.is_closed or _is_passed_over(case) else None


def _is_passed_over(case: _Case) -> bool:
    """Whether another alternative than the one that is answered was picked, if only in part (R22)."""
    if case.said.kind not in _ANSWERS:
        return False
    offer = case.offer
    return offer.group is not None and any(
        each.offer.group == offer.group and each.offer.by == offer.by and each.offer.id != offer.id
        and any(taken.is_live for taken in each.acceptances)
        for each in case.ledger.standings.values()
    )  # fmt: skip


def _has_contract(case: _Case) -> str | None:
    """The contract to be amended stands, when that is proposed and when it is agreed to."""
    amended = _amended(case)
    if amended is None:
        return "NO_CONTRACT" if case.said.kind is Kind.AMEND else None
    return None if case.ledger.stands(amended) else "NO_CONTRACT"


def _amended(case: _Case) -> str | None:
    """Which contract is spoken of: what a proposal names, or the offer that is answered."""
    said = case.said
    if said.kind in PROPOSALS and said.offer is not None:
        return said.offer.amends
    return case.offer.amends if said.about is not None else None


def _continues_subject(case: _Case) -> str | None:
    """A counter speaks of what its parent speaks of: the deal, or an amendment of its contract."""
    proposal = case.proposal
    return None if proposal is None or proposal.amends == case.offer.amends else "NOT_ALLOWED"


def _is_definite(case: _Case) -> str | None:
    offer = case.proposal
    if offer is None:
        return "NO_SUCH_OFFER" if case.said.kind is not Kind.ACCEPT else None
    if offer.by != case.said.by:
        return "NO_SUCH_OFFER"
    if not offer.firm:
        return None
    if offer.lacking and not offer.terminates:
        return offer.lacking
    if offer.accept_by is None or offer.accept_by > case.now:
        return None
    until = case.ledger.deadline(offer) if case.said.kind is Kind.ACCEPT else None  # it keeps the offer's own (R10)
    return None if until is not None and until > case.now else "ACCEPT_BY_PAST"


def _is_inquiry(case: _Case) -> str | None:
    return "NOT_ALLOWED" if case.said.offer is not None and case.said.offer.firm else None


def _is_within_rounds(case: _Case) -> str | None:
    limit = case.ledger.negotiation.ground.rounds_max
    if limit is None or (case.said.kind is Kind.ACCEPT and not case.becomes_counter):
        return None
    ledger = case.ledger
    counters = sum(
        each.kind is Kind.COUNTER or (each.kind is Kind.ACCEPT and each.id in ledger.standings)
        for each in ledger.negotiation.statements
    )
    return "ROUND_LIMIT" if counters >= limit else None


def _is_not_countered(case: _Case) -> str | None:
    """One's own counter, once on its way, would reach the offeror before the acceptance does and end the offer.

    One that was withdrawn before it reached never will (CISG 15(2)).
    """
    ledger = case.ledger
    for each in ledger.pending.values():
        made = ledger.standings.get(each.id)
        ends = each.kind in (Kind.COUNTER, Kind.REJECT) or (each.kind is Kind.ACCEPT and made is not None)
        is_over = each.id in ledger.failed or (made is not None and made.state is State.WITHDRAWN)
        if ends and each.about == case.said.about and not is_over:
            return "COUNTER_UNDER_WAY"
    return None


def _are_lines_open(case: _Case) -> str | None:
    """What a part acceptance names is offered, and not taken yet (R22)."""
    offer, remaining = case.offer, case.standing.remaining
    for line, quantity in case.said.lines if offer.divisible else ():
        if line not in offer.lines:
            return "NO_SUCH_LINE"
        if quantity is not None and not 0 < quantity <= offer.lines[line]:
            return "MORE_THAN_OFFERED"
        if line not in remaining or (quantity is not None and quantity > remaining[line]):
            return "LINE_TAKEN"
    return None


def _is_same_terms(case: _Case) -> str | None:
    shown = case.said.terms_hash
    return "TERMS_HASH_MISMATCH" if shown is not None and shown != case.offer.terms_hash else None


def _is_revocable(case: _Case) -> str | None:
    return "IRREVOCABLE" if case.ledger.is_irrevocable(case.offer, case.now) else None


def _is_indicated(case: _Case) -> str | None:
    agreed = case.offer.performance_accepts or case.ledger.negotiation.ground.performance_accepts
    return None if agreed else "PERFORMANCE_NOT_INDICATED"


def _is_effective(case: _Case) -> str | None:
    return None if case.state is State.EFFECTIVE else _STATE_REASONS.get(case.state, "NOT_ALLOWED")


def _receipt_is_overdue(case: _Case) -> str | None:
    """What is conditional on a receipt is not yet sent without one (MLEC 14(3)); else a reasonable time must pass."""
    standing = case.standing
    due = standing.sent_at + case.ledger.negotiation.ground.receipt_within
    return None if standing.offer.conditional_on_receipt or case.now > due else "RECEIPT_STILL_DUE"


def _can_be_withdrawn(case: _Case) -> str | None:
    acceptance = case.acceptance
    if acceptance is None or not acceptance.is_live:
        return "NO_ACCEPTANCE"
    return None if acceptance.state is ContractState.AWAITING_REACH else "TOO_LATE_ACCEPTANCE_EFFECTIVE"


def _is_objectable(case: _Case) -> str | None:
    acceptance = case.acceptance
    if acceptance is None or not acceptance.is_live or acceptance.change is not Change.IMMATERIAL:
        return "NOTHING_TO_OBJECT_TO"
    if acceptance.state is ContractState.AWAITING_REACH:
        return "NOT_YET_REACHED"
    return None if acceptance.state is ContractState.CONCLUDED_OBJECTABLE else "TOO_LATE_TO_OBJECT"


def _is_late(case: _Case) -> str | None:
    acceptance = case.acceptance
    if acceptance is not None and acceptance.is_live and acceptance.state is ContractState.AWAITING_ELECTION:
        return None
    return "TOO_LATE_TO_ELECT" if _was_open_to_election(acceptance) else "NOT_LATE"


def _is_disputed(case: _Case) -> str | None:
    acceptance = case.acceptance
    if acceptance is not None and acceptance.is_live and acceptance.state is ContractState.DISPUTED_TIME:
        return None
    return "TOO_LATE_TO_ELECT" if _was_open_to_election(acceptance) else "NOT_LATE"


def _was_open_to_election(acceptance: Acceptance | None) -> bool:
    return (
        acceptance is not None
        and acceptance.window_until is not None
        and acceptance.state is ContractState.NEVER_CONCLUDED
    )


def _can_be_let_lapse(case: _Case) -> str | None:
    acceptance = case.acceptance
    if acceptance is None or not acceptance.is_live:
        return "NOT_LATE"
    if acceptance.state in (ContractState.AWAITING_ELECTION, ContractState.DISPUTED_TIME):
        return None
    if not acceptance.is_delayed:
        return "NOT_LATE"
    return None if acceptance.state is ContractState.CONCLUDED_OBJECTABLE else "TOO_LATE_TO_OBJECT"


def _awaits_confirmation(case: _Case) -> str | None:
    acceptance, formation = case.acceptance, case.ledger.negotiation.ground.formation
    wanted = {"confirmation": Kind.CONFIRM, "signature": Kind.SIGN}.get(formation)
    if acceptance is None or not acceptance.is_live or wanted is not case.said.kind:
        return "NOT_AWAITING_CONFIRMATION"
    if case.said.by in acceptance.signed_by:
        return "ALREADY_CONFIRMED"
    return None if acceptance.state is ContractState.AWAITING_CONFIRMATION else "NOT_AWAITING_CONFIRMATION"


def _is_contract_terms(case: _Case) -> str | None:
    shown, acceptance = case.said.terms_hash, case.acceptance
    agreed = acceptance.terms.terms_hash if acceptance else None
    return "TERMS_HASH_MISMATCH" if shown is not None and shown != agreed else None


def _is_ones_own(case: _Case) -> str | None:
    said = next((each for each in case.ledger.negotiation.statements if each.id == case.said.about), None)
    if said is None:
        return "NO_SUCH_OFFER"
    return None if said.by == case.said.by else "NOT_OFFEROR"


def _was_not_reviewed(case: _Case) -> str | None:
    """UN e-Communications Convention 14: only where the system offered no chance to correct the error."""
    said = next(each for each in case.ledger.negotiation.statements if each.id == case.said.about)
    makes_effect = said.offer is not None or said.kind is Kind.ACCEPT
    return "CORRECTION_WAS_OFFERED" if said.reviewed or not makes_effect else None


def _is_not_relied_on(case: _Case) -> str | None:
    about = case.said.about or ""
    standing = case.ledger.standings.get(about)
    if standing is not None:
        used = standing.is_relied_on or any(each.is_live for each in standing.acceptances)
        if used:
            return "ALREADY_RELIED_ON"
        return None if (standing.state, Event.RETRACT) in MOVES else _STATE_REASONS.get(standing.state, "NOT_ALLOWED")
    acceptance = case.ledger.acceptances.get(about)
    relied = acceptance is None or not acceptance.is_live or acceptance.standing.is_relied_on or acceptance.signed_by
    return "ALREADY_RELIED_ON" if relied else None


def _is_recorded(case: _Case) -> str | None:
    known = any(each.id == case.said.about for each in case.ledger.negotiation.statements)
    return None if known else "NO_SUCH_OFFER"


def checks(kind: Kind) -> tuple[str, ...]:
    """Return what is asked of a statement of this kind, in order: the names of its guards."""
    return tuple(each.__name__.lstrip("_") for each in _guards(kind))


def _guards(kind: Kind) -> tuple[_Guard, ...]:
    if kind in NEWS:
        return (_is_recorded, _may_state_terms)
    if kind in WORDS:
        return (_is_party, _may_state_terms)
    return (_is_attributed, _may_state_terms, *_GUARDS[kind])


_ANSWER: tuple[_Guard, ...] = (_is_addressed, _can_move, _is_open, _is_not_countered)
_GUARDS: Mapping[Kind, tuple[_Guard, ...]] = {
    Kind.INQUIRY: (_is_party, _is_inquiry, _is_open, _has_contract, _is_definite),
    Kind.OFFER: (_is_party, _has_authority, _is_open, _has_contract, _is_definite),
    Kind.AMEND: (_is_party, _has_authority, _has_contract, _is_definite),
    Kind.COUNTER: (*_ANSWER, _has_contract, _has_authority, _continues_subject, _is_within_rounds, _is_definite),
    Kind.REJECT: _ANSWER,
    Kind.ACCEPT: (
        *_ANSWER, _has_contract, _may_counter, _has_authority, _is_same_terms, _are_lines_open, _continues_subject,
        _is_within_rounds, _is_definite,
    ),
    Kind.PERFORM: (*_ANSWER, _has_contract, _is_indicated, _has_authority, _is_same_terms),
    Kind.WITHDRAW: (_is_addressed, _can_move),
    Kind.REVOKE: (_is_addressed, _can_move, _is_revocable),
    Kind.CANCEL: (_is_addressed, _can_move),
    Kind.DISREGARD: (_is_addressed, _can_move, _receipt_is_overdue),
    Kind.RELY: (_is_addressed, _is_effective),
    Kind.WITHDRAW_ACCEPTANCE: (_is_addressed, _can_be_withdrawn),
    Kind.OBJECT: (_is_addressed, _is_objectable),
    Kind.ELECT_LATE: (_is_addressed, _is_late, _has_authority),
    Kind.ADMIT_TIME: (_is_addressed, _is_disputed, _has_authority),
    Kind.LAPSE_NOTICE: (_is_addressed, _can_be_let_lapse),
    Kind.CONFIRM: (_is_party, _awaits_confirmation, _is_contract_terms, _has_authority),
    Kind.SIGN: (_is_party, _awaits_confirmation, _is_contract_terms, _has_authority),
    Kind.RETRACT: (_is_ones_own, _was_not_reviewed, _is_not_relied_on),
}  # fmt: skip
"""What is asked of each kind of statement, in this order; the first that answers is the reason."""
