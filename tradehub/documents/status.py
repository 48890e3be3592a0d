"""How far an order or a shipment has come: the question and the answer."""

from __future__ import annotations

from datetime import date, datetime
from typing import ClassVar

from tradehub.documents.base import Document
from tradehub.documents.parts import Address, DatedEvent, Part, Quantity, Reference, Transport
from tradehub.documents.trade import Line


class StatusEvent(Part):
    """Something that happened, or has not yet. ``status`` is a word of ours or <standard>:<code>."""

    status: str
    reason: str | None = None
    on: date | None = None
    at: datetime | None = None
    date_type: str | None = None
    quantity: Quantity | None = None
    quantity_type: str | None = None
    place: str | None = None
    address: Address | None = None
    carrier: str | None = None
    vehicle: str | None = None
    text: str | None = None
    dates: tuple[DatedEvent, ...] = ()
    references: tuple[Reference, ...] = ()


class StatusLine(Line):
    """A line that is asked after or reported on. ``level`` ``order`` is an order as a whole, named by its reference."""

    level: str | None = None
    events: tuple[StatusEvent, ...] = ()


class Status(Document):
    """Order status enquiry or report (X12 869, 870; EDIFACT OSTENQ, OSTRPT), transport status (X12 214, IFTSTA).

    ``type`` is ``order_enquiry``, ``order_report`` or ``transport``. References name the order or the shipment.
    ``scope`` says which orders and items an enquiry or report is about (X12 847). Of several orders in one message
    each
    stands among the lines, and the lines name theirs by an ``order`` reference.
    """

    kind: ClassVar[str] = "status"
    scope: str | None = None
    events: tuple[StatusEvent, ...] = ()
    transport: tuple[Transport, ...] = ()
    gross_weight: Quantity | None = None
    package_count: int | None = None
    lines: tuple[StatusLine, ...] = ()
