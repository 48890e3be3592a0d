"""What passes between the exchange and the capabilities: a document that came in, and what was made of it.

It stands below both sides, so that neither needs to import the other; ``hub`` wires a document's kind to its handler.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from sqlalchemy.orm import Session

from tradehub.documents import Document, Offer, Order, PartyId


@dataclass(frozen=True)
class Received:
    """How a document reached us: the message that carried it, between whom, when."""

    message_id: str
    owner: PartyId
    partner: PartyId
    standard: str
    type: str
    received_at: datetime
    agreement_id: str | None = None
    payload_sha256: str = ""


@dataclass(frozen=True)
class Refusal:
    """Why a readable document was not acted on; it is answered by APERAK, 824 or ApplicationResponse, never dropped."""

    rule: str
    article: str | None
    text: str


@dataclass(frozen=True)
class Handled:
    """What the document became: the deal it belongs to, the row it made or met, or why it was refused."""

    deal: str | None = None
    subject: str | None = None
    refusal: Refusal | None = None


@dataclass(frozen=True)
class Concluded:
    """A contract has come about. ``offer`` holds the terms as accepted, whoever stated them last.

    ``order`` is the buyer's own document where the acceptance came, or the offer was made, as an order.
    """

    deal_id: str
    inquiry: str | None
    buyer: PartyId
    seller: PartyId
    offer: Offer
    terms_hash: str
    at: datetime
    accepted_by: PartyId
    order: Order | None = None


Handler: TypeAlias = Callable[[Session, Document, Received], Handled]
