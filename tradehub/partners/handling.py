"""What passes between the exchange and the capabilities: a document that came in, and what was made of it.

It stands below both sides, so that neither needs to import the other; ``hub`` wires a document's kind to its handler.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal, NamedTuple, TypeAlias

from sqlalchemy.orm import Session

from tradehub.documents import Document, Offer, Order, PartyId, Quantity


@dataclass(frozen=True)
class Received:
    """How a document reached us: the message that carried it, between whom, when.

    ``sent_at`` is when its sender dispatched it, where that is proven (a signed transport); ``claimed_at`` is what the
    interchange itself says of that, which proves nothing. ``is_sealed`` while nobody else may read what came.
    """

    message_id: str
    owner: PartyId
    partner: PartyId
    standard: str
    type: str
    received_at: datetime
    agreement_id: str | None = None
    payload_sha256: str = ""
    sent_at: datetime | None = None
    claimed_at: datetime | None = None
    is_sealed: bool = False


@dataclass(frozen=True)
class Refusal:
    """Why a readable document was not acted on; it is answered by APERAK, 824 or ApplicationResponse, never dropped."""

    rule: str
    article: str | None
    text: str


@dataclass(frozen=True)
class Handled:
    """What the document became: the deal it belongs to, the row it made or met, or why it was refused.

    ``receipt`` is what its sender may be told of it at once, where the channel answers.
    """

    deal: str | None = None
    subject: str | None = None
    refusal: Refusal | None = None
    receipt: Mapping[str, str] = field(default_factory=dict)


class Left(NamedTuple):
    """What is still to be had of an offer that was accepted in part (R22), by line, and until when."""

    lines: Mapping[str, Quantity]
    until: datetime | None


@dataclass(frozen=True)
class Concluded:
    """A contract has come about. ``offer`` holds the terms as accepted, whoever stated them last.

    ``order`` is the buyer's own document where the acceptance came, or the offer was made, as an order. ``contract`` is
    the id of the acceptance; a divisible offer may be accepted by several, and ``left`` is what is left of it then.
    ``state`` is ``awaiting_reach``, ``concluded`` or ``concluded_objectable``. ``standard_terms`` is the SHA-256 of those
    that the acceptance refers to.
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
    contract: str = ""
    state: str = "concluded"
    left: Left | None = None
    standard_terms: str | None = None

    @property
    def acceptance(self) -> str:
        """What its contract and its order are kept under; by the deal's id where no acceptance made it, as a release."""
        return self.contract or self.deal_id


class LineFacts(NamedTuple):
    """What has become of one order line so far, in its own unit."""

    ordered: Decimal
    cancelled: Decimal = Decimal(0)
    despatched: Decimal = Decimal(0)
    invoiced: Decimal = Decimal(0)


@dataclass(frozen=True)
class OrderFacts:
    """An order as fulfilment and billing see it: its terms in force, and its lines by number.

    ``acceptance`` is what it was placed by (``Concluded.acceptance``).
    """

    order_id: str
    deal_id: str
    buyer: PartyId
    seller: PartyId
    order: Order
    lines: Mapping[str, LineFacts]
    acceptance: str = ""


@dataclass(frozen=True)
class Progress:
    """Something was despatched or invoiced under an order.

    ``quantities`` are added to the order's lines, a credit's are negative. ``state`` is how the document stands
    against the order, in the words of the capability that received it.
    """

    order_id: str
    kind: Literal["despatched", "invoiced"]
    document_id: str
    number: str
    state: str
    by: PartyId
    at: datetime
    message_id: str | None = None
    quantities: Mapping[str, Decimal] = field(default_factory=dict)


Handler: TypeAlias = Callable[[Session, Document, Received], Handled]
