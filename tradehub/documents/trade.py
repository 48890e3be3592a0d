"""The documents of a trade, from inquiry to invoice (spec: which message carries which step)."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

from pydantic import Field

from tradehub.documents.base import Document, TradeDocument
from tradehub.documents.parts import (
    AllowanceCharge,
    DatedEvent,
    DeliveryTerms,
    Identifier,
    Item,
    Note,
    Number,
    Part,
    Party,
    PaymentTerms,
    Period,
    Price,
    Quantity,
    Reference,
    Schedule,
    Tax,
    Transport,
)


class Line(Part):
    """One line of a trade document. ``number`` is the line's own id; references tie it to lines of other documents."""

    number: str | None = None
    parent: str | None = None
    action: str | None = Field(
        default=None,
        description="what the message does to the line, e.g. add, change, accepted (X12 670, EDIFACT 1229)",
    )
    reason: str | None = Field(default=None, description="why, as a code of the standard (X12 426, EDIFACT 4221)")
    item: Item = Item.model_construct()  # as Item(), without building its validator for commands that need none
    quantity: Quantity | None = None
    min_quantity: Number | None = None
    max_quantity: Number | None = None
    price: Price | None = None
    more_prices: tuple[Price, ...] = ()
    net_amount: Number | None = None
    dates: tuple[DatedEvent, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    allowances_charges: tuple[AllowanceCharge, ...] = ()
    taxes: tuple[Tax, ...] = ()
    references: tuple[Reference, ...] = ()
    parties: tuple[Party, ...] = ()
    notes: tuple[Note, ...] = ()
    delivery_terms: DeliveryTerms | None = None
    delivery_period: Period | None = None
    packaging: str | None = None
    custom: tuple[tuple[str, str], ...] = Field(
        default=(), description="further terms of the line by name; unknown terms are material"
    )

    def date_of(self, type: str) -> date | None:
        """Return the first day given for ``type``, or None."""
        return next((each.on for each in self.dates if each.type == type), None)

    def reference(self, type: str) -> Reference | None:
        """Return the first reference of ``type``, or None."""
        return next((each for each in self.references if each.type == type), None)


class Inquiry(TradeDocument):
    """Request for quotation (X12 840, EDIFACT REQOTE, UBL RequestForQuotation).

    With ``action`` proposed_amendment it is the buyer's counter to the offer named by the ``offer`` reference.
    ``respond_by`` among the dates is the day by which offers are wanted.
    """

    kind: ClassVar[str] = "inquiry"
    lines: tuple[Line, ...] = ()


class Offer(TradeDocument):
    """Quotation or counter-offer (X12 843, EDIFACT QUOTES, UBL Quotation).

    ``action`` original or replace states a firm offer; proposal, status or information an indicative one (no
    obligation).
    ``valid_until`` among the dates is the last day on which acceptance counts. References: ``inquiry`` and, for a
    later round, ``offer``.
    """

    kind: ClassVar[str] = "offer"
    lines: tuple[Line, ...] = ()


class Order(TradeDocument):
    """Purchase order (X12 850, EDIFACT ORDERS, UBL Order). An ``offer`` reference makes it the acceptance of that
    offer.

    ``type`` is ``order``, ``blanket``, ``release``, ``consignment`` and so on (EDIFACT 1001: 220, 221, 226, 227).
    """

    kind: ClassVar[str] = "order"
    lines: tuple[Line, ...] = ()


class ChangeLine(Line):
    """A line as it is to be from now on. ``outstanding_quantity`` is what is still to come of it, where stated."""

    outstanding_quantity: Quantity | None = None


class OrderChange(TradeDocument):
    """Buyer's change of an order (X12 860, EDIFACT ORDCHG, UBL OrderChange).

    The ``order`` reference names the order, the ``change`` reference how many changes of it there have been.
    """

    kind: ClassVar[str] = "order_change"
    lines: tuple[ChangeLine, ...] = ()


class LineResponse(Part):
    """One answer to an order line; several may answer the same line (split dates, substitutes)."""

    status: str = Field(
        description="accepted, changed, rejected, backordered, substituted, on_hold, price_changed, quantity_changed,"
        " date_changed ... or <standard>:<code>"
    )
    quantity: Quantity | None = None
    on: date | None = None
    date_type: str | None = None
    item: Item | None = None
    reason: str | None = None


class ResponseLine(Line):
    """A line of an order response: the terms as the seller states them, and how each part of it is answered."""

    responses: tuple[LineResponse, ...] = ()
    confirmed_quantity: Quantity | None = Field(
        default=None, description="what will be delivered, where the message says beside it what was ordered"
    )
    backorder_quantity: Quantity | None = None
    outstanding_quantity: Quantity | None = None


class OrderResponse(TradeDocument):
    """Seller's answer to an order (X12 855, EDIFACT ORDRSP, UBL OrderResponse).

    ``response`` is ``received``, ``accepted``, ``accepted_with_change``, ``counter_offer``, ``rejected`` or
    ``accepted_in_part``
    (X12 587, EDIFACT 1225 with 4343, UBL response code). Without one, the line statuses decide.
    """

    kind: ClassVar[str] = "order_response"
    response: str | None = None
    lines: tuple[ResponseLine, ...] = ()


class Package(Part):
    """A handling unit of a shipment: pallet, case, or the shipment itself."""

    number: str
    parent: str | None = None
    kind: str | None = Field(default=None, description="shipment, order, tare, pack, item or a package type code")
    sscc: str | None = None
    marks: tuple[Identifier, ...] = ()
    count: int | None = None
    gross_weight: Quantity | None = None
    net_weight: Quantity | None = None
    volume: Quantity | None = None


class DespatchLine(Line):
    """A line of a despatch advice. ``order``/line references name the ordered line; ``quantity`` is what was
    despatched."""

    ordered_quantity: Quantity | None = None
    outstanding_quantity: Quantity | None = None
    outstanding_reason: str | None = None
    package: str | None = Field(default=None, description="number of the Package it lies in")
    batch: str | None = None
    expires_on: date | None = None


class Despatch(TradeDocument):
    """Despatch advice (X12 856, EDIFACT DESADV, UBL DespatchAdvice)."""

    kind: ClassVar[str] = "despatch"
    packages: tuple[Package, ...] = ()
    lines: tuple[DespatchLine, ...] = ()
    gross_weight: Quantity | None = None
    net_weight: Quantity | None = None
    package_count: int | None = None


class Discrepancy(Part):
    """A quantity in question. ``type`` says what is wrong: ``damaged``, ``short``, ``over`` ... or <standard>:<code>."""

    type: str
    value: Number | None = None
    unit: str | None = None
    reason: str | None = None


class ReceiptLine(Line):
    """What was received of an article: ``quantity`` came, ``accepted`` and ``rejected`` say what became of it.

    ``variance`` is what came less what was expected; ``reason`` says why, in the sender's code.
    """

    despatched: Quantity | None = None
    ordered_quantity: Quantity | None = None
    variance: Number | None = None
    package: str | None = Field(default=None, description="number of the Package it came in")
    accepted: Quantity | None = None
    rejected: Quantity | None = None
    short: Quantity | None = None
    damaged: Quantity | None = None
    discrepancies: tuple[Discrepancy, ...] = ()
    sscc: str | None = None
    marks: tuple[Identifier, ...] = ()
    batch: str | None = None
    expires_on: date | None = None


class Receipt(TradeDocument):
    """Receiving advice (X12 861, EDIFACT RECADV, UBL ReceiptAdvice)."""

    kind: ClassVar[str] = "receipt"
    packages: tuple[Package, ...] = ()
    gross_weight: Quantity | None = None
    package_count: int | None = None
    lines: tuple[ReceiptLine, ...] = ()


class Totals(Part):
    """Document totals (EN 16931 BG-22), in the document currency."""

    lines: Number | None = None
    allowances: Number | None = None
    charges: Number | None = None
    before_tax: Number | None = None
    tax: Number | None = None
    with_tax: Number | None = None
    prepaid: Number | None = None
    rounding: Number | None = None
    payable: Number | None = None


class Fapiao(Part):
    """What a Chinese invoice needs: kind (ordinary, special), title and taxpayer number."""

    kind: str
    title: str
    taxpayer_number: str | None = None


class Invoice(TradeDocument):
    """Invoice or credit note (X12 810, EDIFACT INVOIC, UBL Invoice/CreditNote). ``type`` is invoice, credit_note,
    debit_note, corrected, ..."""

    kind: ClassVar[str] = "invoice"
    totals: Totals | None = None
    tax_currency: str | None = None
    fapiao: Fapiao | None = None
    period: Period | None = None
    lines: tuple[Line, ...] = ()


class Contract(Document):
    """The deal as concluded: which offer, on which terms, when. ``terms_hash`` is ``terms.terms_hash`` of the
    accepted offer."""

    kind: ClassVar[str] = "contract"
    version: int = 1
    offer_number: str
    terms_hash: str
    currency: str | None = None
    lines: tuple[Line, ...] = ()
    payment_terms: tuple[PaymentTerms, ...] = ()
    delivery_terms: DeliveryTerms | None = None
    transport: tuple[Transport, ...] = ()


class Judgement(Part):
    """One finding about a received document, placed as its standard places it.

    ``code`` is the finding's own, empty where the sender tells in words only; ``amount`` is what is disputed of money.
    """

    code: str = ""
    severity: str = "error"
    place: str | None = None
    value: str | None = None
    text: str | None = None
    line: str | None = None
    amount: Number | None = None
    segment: str | None = None
    position: int | None = None
    element: str | None = None
    new_value: str | None = None
    more_texts: tuple[str, ...] = ()


class Outcome(Part):
    """The verdict on one document, or one item of it, and what was found."""

    response: str | None = None
    subject: Reference | None = None
    subject_type: str | None = None
    subject_group: str | None = None
    subject_control: str | None = None
    references: tuple[Reference, ...] = ()
    dates: tuple[DatedEvent, ...] = ()
    judgements: tuple[Judgement, ...] = ()


class ApplicationResponse(Document):
    """The receiver's verdict on one document (UBL ApplicationResponse, EDIFACT APERAK, X12 824; 997 and CONTRL are
    read into it too).

    ``response`` is received, accepted, accepted_with_errors, in_process, rejected, paid, under_query ...
    ``subject`` names the document judged, by its type and number or control number; ``subject_type`` is the message
    that
    carried it (850, ORDERS), ``subject_group`` and ``subject_control`` are its control numbers. A message that judges
    several has the first here and the rest in ``others``.
    """

    kind: ClassVar[str] = "application_response"
    response: str | None = None
    subject: Reference | None = None
    subject_type: str | None = None
    subject_group: str | None = None
    subject_control: str | None = None
    judgements: tuple[Judgement, ...] = ()
    others: tuple[Outcome, ...] = ()
