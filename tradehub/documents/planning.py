"""What partners tell each other between deals: catalogues, stocks, and what will be needed when."""

from __future__ import annotations

from datetime import date, datetime
from typing import ClassVar

from tradehub.documents.base import TradeDocument
from tradehub.documents.parts import DatedEvent, Number, Part, Period, Quantity, Reference
from tradehub.documents.trade import Line


class TypedQuantity(Part):
    """A quantity with its meaning: ``on_hand``, ``reserved``, ``cumulative_received`` ... or <standard>:<code>."""

    type: str
    quantity: Quantity | None = None
    on: date | None = None
    until: date | None = None
    date_type: str | None = None
    place: str | None = None
    dates: tuple[DatedEvent, ...] = ()
    references: tuple[Reference, ...] = ()


class Measurement(Part):
    """A measured property of an item or package: ``gross_weight``, ``height`` ... or <standard>:<code>."""

    type: str
    quantity: Quantity | None = None


class CatalogueLine(Line):
    """An article as offered. ``price`` and ``more_prices`` hold its prices; ``min_quantity`` the least order."""

    group: str | None = None
    status: str | None = None
    order_multiple: Number | None = None
    pack_quantity: Quantity | None = None
    lead_time_days: int | None = None
    measurements: tuple[Measurement, ...] = ()


class Catalogue(TradeDocument):
    """Price list or catalogue (X12 832, EDIFACT PRICAT, UBL Catalogue).

    Among the dates ``valid_from`` and ``valid_until`` bound the prices; each line's ``action`` says what becomes of it.
    """

    kind: ClassVar[str] = "catalogue"
    version: str | None = None
    title: str | None = None
    lines: tuple[CatalogueLine, ...] = ()


class StockLine(Line):
    """An article with what there is of it: one quantity for each meaning, place and day."""

    quantities: tuple[TypedQuantity, ...] = ()


class Inventory(TradeDocument):
    """Stock report (X12 846, EDIFACT INVRPT, UBL StockAvailabilityReport)."""

    kind: ClassVar[str] = "inventory"
    period: Period | None = None
    lines: tuple[StockLine, ...] = ()


class ScheduledQuantity(Part):
    """A quantity wanted on a day or within a period. ``status`` says how binding: ``firm``, ``planned`` ..."""

    quantity: Quantity | None = None
    status: str | None = None
    pattern: str | None = None
    type: str | None = None
    on: date | None = None
    at: datetime | None = None
    until: date | None = None
    text: str | None = None
    place: str | None = None
    references: tuple[Reference, ...] = ()


class ForecastLine(Line):
    """An article with what will be needed of it. ``quantities`` are figures of the past: received, cumulative.

    ``unit`` is that of all quantities that name none. ``authorizations`` say how much the seller may make, or buy
    material for, at the buyer's risk, and until when.
    """

    unit: str | None = None
    plan: tuple[ScheduledQuantity, ...] = ()
    quantities: tuple[TypedQuantity, ...] = ()
    authorizations: tuple[TypedQuantity, ...] = ()


class Forecast(TradeDocument):
    """Delivery schedule (X12 830, EDIFACT DELFOR) or just-in-time call-off (X12 862, EDIFACT DELJIT).

    ``type`` is ``forecast`` or ``call_off`` and so on; ``horizon`` the period that it covers.
    ``date_basis`` says whether days are of shipment or delivery, ``quantity_basis`` whether quantities are actual or
    cumulative.
    """

    kind: ClassVar[str] = "forecast"
    date_basis: str | None = None
    quantity_basis: str | None = None
    horizon: Period | None = None
    lines: tuple[ForecastLine, ...] = ()
