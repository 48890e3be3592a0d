"""Invoices as they came, and what part of each charges which order."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, ForeignKey, UniqueConstraint, or_
from sqlalchemy.orm import Mapped, mapped_column, relationship

from tradehub.billing.model import Charged, State
from tradehub.documents import Invoice
from tradehub.documents.lines import Difference, Severity
from tradehub.documents.parts import Item
from tradehub.platform.db import Base, Scoped


class InvoiceRow(Base, Scoped):
    """An invoice or credit note. ``differences`` are those of its own arithmetic; ``state`` is that of the whole."""

    __tablename__ = "invoices"
    __table_args__ = (UniqueConstraint("seller", "buyer", "number", "year"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[str]
    year: Mapped[int]
    type: Mapped[str | None]
    buyer: Mapped[str] = mapped_column(index=True)
    seller: Mapped[str] = mapped_column(index=True)
    issued_on: Mapped[date | None]
    currency: Mapped[str | None]
    total: Mapped[Decimal | None]
    state: Mapped[str]
    differences: Mapped[list[Any]]
    document: Mapped[dict[str, Any]]
    digest: Mapped[str]
    at: Mapped[datetime]
    by: Mapped[str]
    message_id: Mapped[str | None]

    parts: Mapped[list[InvoicePartRow]] = relationship(back_populates="whole")

    @classmethod
    def visible_to(cls, org: str) -> ColumnElement[bool]:
        return or_(cls.buyer == org, cls.seller == org)

    @property
    def invoice(self) -> Invoice:
        return Invoice.model_validate(self.document)

    @property
    def stands(self) -> State:
        return State(self.state)

    @property
    def found(self) -> tuple[Difference, ...]:
        return tuple(_difference(each) for each in self.differences)


class InvoicePartRow(Base, Scoped):
    """The part of an invoice that charges one order. It is matched anew when something is despatched or agreed."""

    __tablename__ = "invoice_parts"

    invoice_id: Mapped[str] = mapped_column(ForeignKey("invoices.id"), primary_key=True)
    order_id: Mapped[str] = mapped_column(primary_key=True, index=True)
    buyer: Mapped[str]
    seller: Mapped[str]
    places: Mapped[list[Any]]
    lines: Mapped[list[Any]]
    differences: Mapped[list[Any]]

    whole: Mapped[InvoiceRow] = relationship(back_populates="parts", lazy="joined")

    @classmethod
    def visible_to(cls, org: str) -> ColumnElement[bool]:
        return or_(cls.buyer == org, cls.seller == org)

    @property
    def charged(self) -> tuple[Charged, ...]:
        return tuple(_charged(each) for each in self.lines)

    @property
    def found(self) -> tuple[Difference, ...]:
        return tuple(_difference(each) for each in self.differences)


def plain_line(line: Charged) -> dict[str, Any]:
    """Return a matched line as plain values; its differences are kept with the part."""
    return {
        "line": line.line,
        "item": line.item.model_dump(mode="json", exclude_defaults=True),
        "unit": line.unit,
        **{name: _text(getattr(line, name)) for name in _NUMBERS},
    }


_NUMBERS = ("quantity", "stated", "price", "net")


def _charged(plain: dict[str, Any]) -> Charged:
    quantity, stated, price, net = (None if plain[name] is None else Decimal(plain[name]) for name in _NUMBERS)
    return Charged(plain["line"], Item.model_validate(plain["item"]), quantity, stated, plain["unit"], price, net)


def _difference(plain: list[Any]) -> Difference:
    line, term, rule, expected, got, severity = plain
    return Difference(line, term, rule, expected, got, Severity(severity))


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)
