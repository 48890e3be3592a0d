"""What all business documents have in common."""

from __future__ import annotations

import json
from datetime import date, time
from hashlib import sha256
from typing import ClassVar, Self

from pydantic import Field

from tradehub.documents.parts import (
    AllowanceCharge,
    Attachment,
    DatedEvent,
    DeliveryTerms,
    Note,
    Number,
    Part,
    Party,
    PaymentTerms,
    Period,
    Reference,
    Tax,
    Transport,
)


class Extension(Part):
    """What a document carried and the canonical model has no field for, kept so that nothing received is lost.

    ``tag`` is the segment tag or qualified element name, ``path`` its place in the message, ``ordinal`` its order
    there,
    ``values`` the raw text of what was not mapped. Only the codec that wrote an extension reads it.
    """

    standard: str
    tag: str
    path: str = ""
    ordinal: int = 0
    values: tuple[str, ...] = ()


class Document(Part):
    """A business document, whatever channel it came by. Frozen; built from and dumped to plain values at the
    boundary."""

    kind: ClassVar[str] = ""

    number: str | None = None
    action: str | None = Field(default=None, description="one of parts.Action, or <standard>:<code>")
    type: str | None = Field(default=None, description="subtype in our words or <standard>:<code>, see each document")
    issued_on: date | None = None
    issued_at: time | None = None
    profile: str | None = Field(default=None, description="customization or implementation guide named by the sender")
    process: str | None = None
    language: str | None = None
    parties: tuple[Party, ...] = ()
    references: tuple[Reference, ...] = ()
    dates: tuple[DatedEvent, ...] = ()
    notes: tuple[Note, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    extensions: tuple[Extension, ...] = ()

    def party(self, role: str) -> Party | None:
        """Return the first party in ``role``, or None."""
        return next((each for each in self.parties if each.role == role), None)

    def reference(self, type: str) -> str | None:
        """Return the value of the first reference of ``type``, or None."""
        return next((each.value for each in self.references if each.type == type), None)

    def date_of(self, type: str) -> date | None:
        """Return the first day given for ``type``, or None."""
        return next((each.on for each in self.dates if each.type == type), None)

    def without_extensions(self) -> Self:
        """Return the document as the canonical model alone holds it."""
        return self.model_copy(update={"extensions": ()})


class TradeDocument(Document):
    """A document that states terms of trade: inquiry, offer, order, response, invoice.

    Dates that carry a legal or commercial meaning stand in ``dates`` under their DATE_TYPES name, so that each
    standard's
    qualifier has one place: ``requested_delivery``, ``valid_until`` (an offer's accept-by day), ``respond_by``.
    """

    currency: str | None = Field(default=None, description="ISO 4217; of every amount that names no other")
    exchange_rate: Number | None = None
    target_currency: str | None = None
    delivery_terms: DeliveryTerms | None = None
    delivery_period: Period | None = None
    partial_shipments: bool | None = None
    transport: tuple[Transport, ...] = ()
    payment_terms: tuple[PaymentTerms, ...] = ()
    allowances_charges: tuple[AllowanceCharge, ...] = ()
    taxes: tuple[Tax, ...] = ()
    warranty: str | None = None
    liability: str | None = None
    penalty: str | None = None
    disputes: str | None = None
    law: str | None = None
    packaging: str | None = None
    inspection: str | None = None
    documents_required: tuple[str, ...] = ()
    custom: tuple[tuple[str, str], ...] = Field(
        default=(), description="further terms by name; unknown terms are material"
    )
    heads: str | None = Field(
        default=None, description="which history of the deal its sender has, where that is agreed (docs/channels.md)"
    )
    line_count: int | None = None
    total: Number | None = Field(default=None, description="the sender's own total where the message states one")


def digest(document: Document) -> str:
    """Return the SHA-256 (hex) of what ``document`` says, extensions apart: the same words give the same digest."""
    plain = document.model_dump(mode="json", exclude={"extensions"}, exclude_defaults=True)
    return sha256(json.dumps(plain, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
