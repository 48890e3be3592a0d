"""The rules of formation: from two parties' statements and the clock to what the law of sale says has happened.

``table.TRANSITIONS`` is the whole machine: a row per legal move of an offer, with its rule (R1-R30). ``step`` appends a
statement or refuses it by rule; nothing here changes a status: ``states`` and ``contracts`` compute it from the
statements, the regime and the moment they are asked for. Cf. CISG 14-24 and 29, PRC Civil Code 471-491, UCC 2-205 to 2-209.
"""

from __future__ import annotations

from datetime import datetime

from tradehub.documents import PartyId
from tradehub.negotiation.model.ledger import Ledger
from tradehub.negotiation.model.materiality import MATERIALITY, Change, is_material, judge, term_class
from tradehub.negotiation.model.refusals import Conflict, Refused
from tradehub.negotiation.model.regimes import ARTICLES, REGIMES, Regime, article
from tradehub.negotiation.model.steps import OF_ACCEPTANCES, refusal, step
from tradehub.negotiation.model.table import CONTRACT_TRANSITIONS, MOVES, RULES, TRANSITIONS, Event, Move, Who
from tradehub.negotiation.model.values import (
    NOT_OFFERED,
    PROPOSALS,
    REASONABLE_TIME,
    UNDUE_DELAY,
    WITHOUT_EFFECT,
    WORDS,
    Calendar,
    Contract,
    ContractState,
    Ground,
    Kind,
    Negotiation,
    Offer,
    State,
    Statement,
    accept_by,
    indefinite,
    lines_of,
    offered_lines,
    quantities,
)

__all__ = [
    "ARTICLES", "BOUND", "CONTRACT_TRANSITIONS", "DEAD", "MATERIALITY", "MOVES", "NOT_OFFERED", "OF_ACCEPTANCES",
    "OPEN", "PROPOSALS",
    "REASONABLE_TIME", "REGIMES", "RULES", "TRANSITIONS", "UNDUE_DELAY", "WITHOUT_EFFECT", "WORDS", "Calendar", "Change", "Conflict",
    "Contract", "ContractState", "Event", "Ground", "Kind", "Ledger", "Move", "Negotiation", "Offer", "Refused", "Regime",
    "State", "Statement", "Who", "accept_by", "article", "contract", "contracts", "crossing", "crossing_of", "deadline", "indefinite",
    "is_material", "judge", "lines_of", "offered_lines", "quantities", "refusal", "states", "step", "term_class", "turn", "turn_of",
]  # fmt: skip

OPEN = frozenset({State.DISPATCHED, State.EFFECTIVE})
DEAD = frozenset({
    State.WITHDRAWN, State.REJECTED, State.COUNTERED, State.REVOKED, State.SUPERSEDED, State.LAPSED, State.ACCEPTED,
})  # fmt: skip
BOUND = frozenset({State.ACCEPTING, State.LATE_PENDING, State.DISPUTED, State.ACCEPTED})


def states(negotiation: Negotiation, *, now: datetime) -> dict[str, State]:
    """Return the state of each offer at ``now``, by its id, oldest first."""
    return Ledger.of(negotiation, now).states


def contracts(negotiation: Negotiation, *, now: datetime) -> tuple[Contract, ...]:
    """Return all that acceptances brought about or may yet, and what came to nothing, oldest first."""
    return Ledger.of(negotiation, now).contracts()


def contract(negotiation: Negotiation, *, now: datetime, named: str | None = None) -> Contract | None:
    """Return the contract, concluded or under way, or None; of several (R22) the first, or that of the acceptance, or
    the offer, ``named``."""
    live = (each for each in contracts(negotiation, now=now) if each.is_live)
    return next((each for each in live if named is None or named in (each.id, each.offer.id)), None)


def turn(negotiation: Negotiation, *, now: datetime) -> PartyId | None:
    """Return who is to speak: the addressee of the last open proposal; None when nothing is open or all is agreed."""
    return turn_of(Ledger.of(negotiation, now))


def turn_of(ledger: Ledger) -> PartyId | None:
    """Return who is to speak, as ``turn`` does, of a ledger at hand."""
    negotiation, found, closed = ledger.negotiation, ledger.states, ledger.is_closed
    offers = [each for each in negotiation.offers if each.id in found and (each.amends is not None or not closed)]
    for offer in reversed(offers):
        if found[offer.id] in OPEN:
            return negotiation.other(offer.by)
    last = offers[-1] if offers else None
    return negotiation.other(last.by) if last and found[last.id] is State.INVITATION else None


def deadline(negotiation: Negotiation, offer: Offer, *, now: datetime) -> datetime | None:
    """Return the last moment at which acceptance counts (R17); None while there is no period yet, or no firm offer."""
    return Ledger.of(negotiation, now).deadline(offer) if offer.firm else None


def crossing(negotiation: Negotiation, *, now: datetime) -> tuple[tuple[Offer, Offer], ...]:
    """Return pairs of open offers of either side on identical terms: they are no contract, but one word away (S52)."""
    return crossing_of(Ledger.of(negotiation, now))


def crossing_of(ledger: Ledger) -> tuple[tuple[Offer, Offer], ...]:
    """Return what ``crossing`` does, of a ledger at hand."""
    found = ledger.states
    effective = [each for each in ledger.negotiation.offers if found.get(each.id) is State.EFFECTIVE]
    return tuple(
        (one, other)
        for place, one in enumerate(effective)
        for other in effective[place + 1 :]
        if one.by != other.by and one.terms_hash == other.terms_hash
    )
