"""How a deal stands in a few words, for lists of many: computed with each statement, and good until the clock changes it.

It is a copy of what the ledger says, kept beside the deal so that the work list of a hundred thousand deals is an index
scan. ``changes_at`` is the first moment after which the clock alone may change it; a list looks at the ledger again then.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from tradehub.documents import PartyId
from tradehub.negotiation import model
from tradehub.negotiation.model import ContractState, Ledger, Negotiation, Offer, State

AGREED = {
    ContractState.AWAITING_REACH: "accepting",
    ContractState.AWAITING_ELECTION: "late",
    ContractState.DISPUTED_TIME: "late",
    ContractState.AWAITING_CONFIRMATION: "signing",
    ContractState.CONCLUDED_OBJECTABLE: "concluded",
    ContractState.CONCLUDED: "concluded",
    ContractState.TERMINATED: "terminated",
}
ENDED = frozenset({State.REJECTED, State.LAPSED, State.REVOKED, State.WITHDRAWN})


@dataclass(frozen=True)
class Outlook:
    """``due_at`` is until when the latest open offer can be accepted; ``total`` is that of the offer that counts."""

    buyer_status: str
    seller_status: str
    due_at: datetime | None
    changes_at: datetime | None
    rounds: int
    total: Decimal | None
    currency: str | None


def outlook(negotiation: Negotiation, *, now: datetime) -> Outlook:
    """Return how the deal stands at ``now``."""
    ledger = Ledger.of(negotiation, now)
    shown = _shown(ledger)
    return Outlook(
        buyer_status=status(ledger, negotiation.buyer),
        seller_status=status(ledger, negotiation.seller),
        due_at=due_at(ledger),
        changes_at=ledger.next_change(),
        rounds=len(negotiation.offers),
        total=shown.amount if shown else None,
        currency=shown.currency if shown else None,
    )


def status(ledger: Ledger, me: PartyId) -> str:
    """Return in one word how the deal stands for ``me``."""
    negotiation = ledger.negotiation
    found = ledger.states
    last = negotiation.offers[-1] if negotiation.offers else None
    if ledger.is_closed:
        agreed = next(each for each in ledger.contracts() if each.is_live)
        amending = last is not None and last.amends is not None and found.get(last.id) is State.EFFECTIVE
        return AGREED[agreed.state] if not amending or last is None else "waiting" if last.by == me else "your_turn"
    if last is not None and last.by == me and found.get(last.id) is State.UNDELIVERED:
        return "undelivered"
    whose = model.turn_of(ledger)
    if whose is not None:
        sending = last is not None and found.get(last.id) is State.DISPATCHED and last.by == me
        return "your_turn" if whose == me else "sending" if sending else "waiting"
    ended = last is not None and found.get(last.id) in ENDED
    return str(found[last.id]) if last is not None and ended else "quiet"


def due_at(ledger: Ledger) -> datetime | None:
    """Return until when the latest open offer can be accepted; None where nothing is open."""
    for offer in reversed(ledger.negotiation.offers):
        standing = ledger.standings.get(offer.id)
        if standing is not None and standing.state is State.EFFECTIVE:
            return ledger.deadline(offer)
    return None


def _shown(ledger: Ledger) -> Offer | None:
    """The offer whose total a list shows: what was agreed, else the last that states prices."""
    agreed = next((each for each in ledger.contracts() if each.is_live), None)
    if agreed is not None:
        return agreed.terms
    priced = (each for each in reversed(ledger.negotiation.offers) if each.firm or each.amount is not None)
    return next(priced, None)
