"""Despatches as they came, and what part of each delivers which order."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, ForeignKey, UniqueConstraint, or_
from sqlalchemy.orm import Mapped, mapped_column, relationship

from tradehub.documents import Despatch
from tradehub.documents.lines import Difference, Severity
from tradehub.documents.parts import Item
from tradehub.fulfilment.model import Delivered, State
from tradehub.platform.db import Base, Scoped


class DespatchRow(Base, Scoped):
    __tablename__ = "despatches"
    __table_args__ = (UniqueConstraint("seller", "buyer", "number"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[str]
    buyer: Mapped[str] = mapped_column(index=True)
    seller: Mapped[str] = mapped_column(index=True)
    issued_on: Mapped[date | None]
    carrier: Mapped[str | None]
    tracking: Mapped[str | None]
    document: Mapped[dict[str, Any]]
    digest: Mapped[str]
    at: Mapped[datetime]
    by: Mapped[str]
    message_id: Mapped[str | None]

    parts: Mapped[list[DespatchPartRow]] = relationship(back_populates="whole")

    @classmethod
    def visible_to(cls, org: str) -> ColumnElement[bool]:
        return or_(cls.buyer == org, cls.seller == org)

    @property
    def despatch(self) -> Despatch:
        return Despatch.model_validate(self.document)


class DespatchPartRow(Base, Scoped):
    """The part of a despatch that delivers one order, compared with it as it stood then."""

    __tablename__ = "despatch_parts"

    despatch_id: Mapped[str] = mapped_column(ForeignKey("despatches.id"), primary_key=True)
    order_id: Mapped[str] = mapped_column(primary_key=True, index=True)
    buyer: Mapped[str]
    seller: Mapped[str]
    state: Mapped[str]
    lines: Mapped[list[Any]]
    differences: Mapped[list[Any]]

    whole: Mapped[DespatchRow] = relationship(back_populates="parts", lazy="joined")

    @classmethod
    def visible_to(cls, org: str) -> ColumnElement[bool]:
        return or_(cls.buyer == org, cls.seller == org)

    @property
    def stands(self) -> State:
        return State(self.state)

    @property
    def delivered(self) -> tuple[Delivered, ...]:
        return tuple(_delivered(each) for each in self.lines)

    @property
    def found(self) -> tuple[Difference, ...]:
        return tuple(_difference(each) for each in self.differences)


def plain_line(line: Delivered) -> dict[str, Any]:
    """Return a compared line as plain values; its differences are kept with the part."""
    return {
        "line": line.line,
        "item": line.item.model_dump(mode="json", exclude_defaults=True),
        "quantity": _text(line.quantity),
        "stated": _text(line.stated),
        "unit": line.unit,
        "batch": line.batch,
    }


def _delivered(plain: dict[str, Any]) -> Delivered:
    return Delivered(
        line=plain["line"],
        item=Item.model_validate(plain["item"]),
        quantity=_number(plain["quantity"]),
        stated=_number(plain["stated"]),
        unit=plain["unit"],
        batch=plain["batch"],
    )


def _difference(plain: list[Any]) -> Difference:
    line, term, rule, expected, got, severity = plain
    return Difference(line, term, rule, expected, got, Severity(severity))


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
