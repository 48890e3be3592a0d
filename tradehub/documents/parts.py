"""The parts that business documents are made of: parties, items, prices, places and periods.

Values are frozen. Amounts and quantities are ``Decimal`` and keep the exponent they were given (``1.20`` stays
``1.20``).
Amounts inside a document are in the document's currency (EN 16931 BT-5) unless the part names its own;
``Money`` is what leaves a document when a sum is asked for.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Context, Decimal
from typing import Literal, NewType, get_args

from pydantic import BaseModel, ConfigDict, Field

PartyId = NewType("PartyId", str)
"""Key of a party in the shared partner database; also the name of its profile, ``partners/<id>.yaml``."""


Number = Decimal
"""An exact number. Pydantic refuses NaN and the infinities."""
EXACT = Context(prec=400)
"""For arithmetic with numbers from outside, which have up to 100 digits each: the usual 28 would round them to another
number, and refuse to round a result to cents that they do not hold."""


class Part(BaseModel):
    """Base of every value that a document is made of: frozen, and strict about its field names."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)  # most commands need few of them


class Money(Part):
    amount: Number
    currency: str = Field(min_length=3, max_length=3, description="ISO 4217 alphabetic code")


class Quantity(Part):
    value: Number
    unit: str | None = Field(default=None, description="UN/ECE Recommendation 20 code, e.g. C62, KGM, MTR")


class Identifier(Part):
    """A name that somebody gave: ``scheme`` says who (``gln``, ``duns``, ``vat``, ``gtin``, ``buyer``, ``seller``,
    ``mpn`` ...).

    A scheme without a name of ours is kept as ``<standard>:<code>``, e.g. ``x12:ZZ`` or ``icd:0192``.
    """

    scheme: str | None = None
    value: str


class Address(Part):
    street: tuple[str, ...] = ()
    city: str | None = None
    region: str | None = None
    postcode: str | None = None
    country: str | None = Field(default=None, description="ISO 3166-1 alpha-2 where known")


class Contact(Part):
    role: str | None = None
    name: str | None = None
    phone: str | None = None
    email: str | None = None
    fax: str | None = None
    other: tuple[Identifier, ...] = ()


class Reference(Part):
    """A pointer to another document, or to a place in it. ``type`` is one of ``REFERENCE_TYPES`` or
    ``<standard>:<code>``."""

    type: str
    value: str | None = None
    line: str | None = None
    revision: str | None = None
    text: str | None = None
    on: date | None = None


class Party(Part):
    """A party in the role it has in one document. ``role`` is one of ``PARTY_ROLES`` or ``<standard>:<code>``."""

    role: str
    name: str | None = None
    more_names: tuple[str, ...] = ()
    ids: tuple[Identifier, ...] = ()
    address: Address | None = None
    contacts: tuple[Contact, ...] = ()
    tax_ids: tuple[Identifier, ...] = ()
    references: tuple[Reference, ...] = ()
    bank_account: str | None = None

    @property
    def label(self) -> str:
        """What people call it: its name, else the first of its numbers."""
        return self.name or next((each.value for each in self.ids), "")

    def identifier(self, scheme: str) -> str | None:
        """Return the first identifier under ``scheme``, or None."""
        return next((each.value for each in self.ids if each.scheme == scheme), None)


class Note(Part):
    text: str
    subject: str | None = None
    language: str | None = None


class DatedEvent(Part):
    """A date, or moment, with its meaning: one of ``DATE_TYPES`` or ``<standard>:<code>``."""

    type: str
    on: date | None = None
    at: datetime | None = None
    text: str | None = Field(default=None, description="as received where it is a period, a week or another form")


class Period(Part):
    start: date | None = None
    end: date | None = None


class Tax(Part):
    """A tax on a line, a charge or the whole document (EN 16931 BG-23, BG-30)."""

    type: str = "VAT"
    category: str | None = Field(default=None, description="UNCL 5305, e.g. S, Z, E, AE")
    rate: Number | None = Field(default=None, description="percent")
    basis: Number | None = None
    amount: Number | None = None
    jurisdiction: str | None = None
    exemption: str | None = None


class AllowanceCharge(Part):
    """A reduction or an addition (EN 16931 BG-20, BG-21, BG-27, BG-28). ``amount`` is positive for both."""

    is_charge: bool
    reason_code: str | None = None
    reason: str | None = None
    percent: Number | None = None
    basis: Number | None = None
    amount: Number | None = None
    tax: Tax | None = None
    method: str | None = None


class PaymentTerms(Part):
    text: str | None = None
    type: str | None = None
    basis: str | None = Field(default=None, description="event from which days count: invoice, delivery, receipt, ...")
    net_days: int | None = None
    due_on: date | None = None
    discount_percent: Number | None = None
    discount_days: int | None = None
    discount_until: date | None = None
    discount_amount: Number | None = None
    percent: Number | None = Field(default=None, description="share of the total, where paid in instalments")
    means: str | None = Field(default=None, description="UNCL 4461")


Incoterm = Literal["EXW", "FCA", "FAS", "FOB", "CFR", "CIF", "CPT", "CIP", "DAP", "DPU", "DDP"]
INCOTERMS: tuple[str, ...] = get_args(Incoterm)
"""The rules of Incoterms 2020."""


class DeliveryTerms(Part):
    """Incoterms rule with its named place (ICC Incoterms 2020), and who pays the carriage."""

    incoterm: str | None = None
    place: str | None = None
    version: str | None = None
    freight: str | None = Field(default=None, description="prepaid, collect, ... or <standard>:<code>")
    text: str | None = None


class Transport(Part):
    mode: str | None = None
    carrier: str | None = None
    carrier_scheme: str | None = None
    routing: str | None = None
    service: str | None = None
    vehicle: str | None = None
    tracking: str | None = None


class Attachment(Part):
    name: str
    mime: str | None = None
    sha256: str | None = None
    uri: str | None = None
    text: str | None = None


class Classification(Part):
    scheme: str | None = None
    code: str
    version: str | None = None


class Attribute(Part):
    name: str
    value: str


class Item(Part):
    """What is traded. ``ids`` holds each name it goes by: ``buyer``, ``seller``, ``gtin``, ``mpn`` and others."""

    ids: tuple[Identifier, ...] = ()
    name: str | None = None
    description: str | None = None
    more_descriptions: tuple[str, ...] = ()
    classification: tuple[Classification, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    origin: str | None = None
    brand: str | None = None

    @property
    def label(self) -> str:
        """What people call it: its name, else the first of its numbers."""
        return self.name or next((each.value for each in self.ids), "")

    def identifier(self, scheme: str) -> str | None:
        """Return the first identifier under ``scheme``, or None."""
        return next((each.value for each in self.ids if each.scheme == scheme), None)


class PriceBreak(Part):
    min_quantity: Number
    amount: Number


class Price(Part):
    """Price per ``basis`` units (EN 16931 BT-146, BT-149); ``basis`` absent means 1."""

    amount: Number
    basis: Quantity | None = None
    type: str | None = Field(default=None, description="net, gross, ... or <standard>:<code>")
    currency: str | None = None
    from_quantity: Quantity | None = Field(
        default=None, description="of a further price: the quantity from which it counts, as messages state a break"
    )
    breaks: tuple[PriceBreak, ...] = ()
    formula: str | None = None


class Schedule(Part):
    """A part of a line's quantity with its own date or place."""

    quantity: Quantity | None = None
    type: str | None = Field(default=None, description="one of DATE_TYPES: requested, promised, ...")
    on: date | None = None
    until: date | None = None
    place: str | None = None


PARTY_ROLES = (
    "buyer",
    "seller",
    "ship_to",
    "ship_from",
    "bill_to",
    "payer",
    "payee",
    "remit_to",
    "carrier",
    "consignee",
    "consignor",
    "delivery_party",
    "invoicee",
    "invoicer",
    "manufacturer",
    "ultimate_consignee",
    "ordered_by",
    "broker",
    "freight_payer",
    "supplier_agent",
    "forwarder",
    "party_to_receive_docs",
    "intermediary",
    "warehouse",
    "sender",
    "receiver",
)

REFERENCE_TYPES = (
    "inquiry",
    "offer",
    "order",
    "order_response",
    "contract",
    "despatch",
    "receipt",
    "invoice",
    "price_list",
    "blanket_order",
    "buyer_order",
    "seller_order",
    "change",
    "project",
    "department",
    "account",
    "promotion",
    "bill_of_lading",
    "carrier_reference",
    "packing_list",
    "letter_of_credit",
    "import_license",
    "export_license",
    "customer",
    "supplier",
    "vat",
    "tax_exemption",
    "internal_vendor",
    "release",
    "batch",
    "serial",
    "drawing",
    "specification",
    "requisition",
    "previous",
    "shipment",
    "credit_note",
    "voucher",
    "dock",
    "delivery_order",
    "status_inquiry",
)

DATE_TYPES = (
    "issued",
    "requested_delivery",
    "promised_delivery",
    "scheduled_delivery",
    "estimated_delivery",
    "earliest_delivery",
    "latest_delivery",
    "delivered",
    "requested_ship",
    "promised_ship",
    "shipped",
    "scheduled_ship",
    "valid_from",
    "valid_until",
    "respond_by",
    "cancel_after",
    "ship_not_before",
    "ship_not_after",
    "order",
    "inquiry",
    "offer",
    "invoice",
    "tax_point",
    "due",
    "discount_until",
    "production",
    "expiry",
    "received",
    "effective",
    "contract",
    "invoiced_period",
    "pick_up",
    "document",
    "value",
    "execution",
    "stock",
)

Action = Literal[
    "original",
    "cancel",
    "add",
    "delete",
    "change",
    "replace",
    "confirmation",
    "duplicate",
    "status",
    "proposed_amendment",
    "not_accepted",
    "accepted",
    "accepted_with_change",
    "proposal",
    "response",
    "information",
    "withdraw",
    "test",
]
"""What a message does to the document it names (X12 353, EDIFACT 1225)."""
