"""Orders with every version of their terms, the responses they got, and what happened to them in order."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, ForeignKey, UniqueConstraint, or_
from sqlalchemy.orm import Mapped, mapped_column, relationship

from tradehub.documents import Order, OrderResponse
from tradehub.documents.terms import Change
from tradehub.ordering.answers import Answer
from tradehub.ordering.model import Balance, Decision, Delivery, Standing
from tradehub.partners.handling import LineFacts
from tradehub.platform.db import Base, Scoped


class OrderRow(Base, Scoped):
    """An order, visible to both parties. ``revision`` grows with every answer and decision, ``version`` with its terms.

    ``acceptance`` is that of its contract, and a release's own id.
    """

    __tablename__ = "orders"
    __table_args__ = (UniqueConstraint("buyer", "number"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[str]
    deal_id: Mapped[str] = mapped_column(index=True)
    acceptance: Mapped[str] = mapped_column(unique=True)
    inquiry: Mapped[str | None]
    buyer: Mapped[str] = mapped_column(index=True)
    seller: Mapped[str] = mapped_column(index=True)
    standing: Mapped[str]
    delivery: Mapped[str]
    billing: Mapped[str]
    has_differences: Mapped[bool] = mapped_column(default=False)
    revision: Mapped[int] = mapped_column(default=1)
    version: Mapped[int] = mapped_column(default=1)
    currency: Mapped[str | None]
    total: Mapped[Decimal | None]
    search_text: Mapped[str] = mapped_column(default="")
    placed_at: Mapped[datetime] = mapped_column(index=True)
    message_id: Mapped[str | None]

    lines: Mapped[list[OrderLineRow]] = relationship(order_by="OrderLineRow.position", cascade="all, delete-orphan")
    versions: Mapped[list[OrderVersionRow]] = relationship(order_by="OrderVersionRow.version")
    responses: Mapped[list[OrderResponseRow]] = relationship(order_by="OrderResponseRow.ordinal")
    events: Mapped[list[OrderEventRow]] = relationship(order_by="OrderEventRow.ordinal")

    @classmethod
    def visible_to(cls, org: str) -> ColumnElement[bool]:
        return or_(cls.buyer == org, cls.seller == org)

    @property
    def order(self) -> Order:
        """The terms in force: those of the last version."""
        return self.versions[-1].order

    @property
    def stands(self) -> Standing:
        return Standing(self.standing)

    @property
    def delivered(self) -> Delivery:
        return Delivery(self.delivery)

    @property
    def billed(self) -> Delivery:
        return Delivery(self.billing)


class OrderLineRow(Base):
    __tablename__ = "order_lines"

    order_id: Mapped[str] = mapped_column(ForeignKey("orders.id"), primary_key=True)
    line: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int]
    unit: Mapped[str | None]
    ordered: Mapped[Decimal]
    cancelled: Mapped[Decimal] = mapped_column(default=Decimal(0))
    despatched: Mapped[Decimal] = mapped_column(default=Decimal(0))
    invoiced: Mapped[Decimal] = mapped_column(default=Decimal(0))

    @property
    def balance(self) -> Balance:
        return Balance(self.ordered, self.cancelled, self.despatched, self.invoiced)

    @property
    def facts(self) -> LineFacts:
        return LineFacts(self.ordered, self.cancelled, self.despatched, self.invoiced)


class OrderVersionRow(Base):
    """The order's terms from ``at`` on. Version 1 is the order as placed; a later one came by an agreed response."""

    __tablename__ = "order_versions"

    order_id: Mapped[str] = mapped_column(ForeignKey("orders.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    by: Mapped[str]
    response_id: Mapped[str | None]
    terms_hash: Mapped[str]
    document: Mapped[dict[str, Any]]

    @property
    def order(self) -> Order:
        return Order.model_validate(self.document)


class OrderResponseRow(Base, Scoped):
    """An answer to an order as it came, what it is, and what the buyer said to it."""

    __tablename__ = "order_responses"
    __table_args__ = (UniqueConstraint("order_id", "digest"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.id"))
    ordinal: Mapped[int]
    buyer: Mapped[str]
    seller: Mapped[str]
    number: Mapped[str | None]
    answer: Mapped[str]
    stated: Mapped[str]
    against: Mapped[int]
    changes: Mapped[list[Any]]
    document: Mapped[dict[str, Any]]
    digest: Mapped[str]
    at: Mapped[datetime]
    by: Mapped[str]
    message_id: Mapped[str | None]
    decision: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None]

    @classmethod
    def visible_to(cls, org: str) -> ColumnElement[bool]:
        return or_(cls.buyer == org, cls.seller == org)

    @property
    def is_answer(self) -> Answer:
        return Answer(self.answer)

    @property
    def says(self) -> Answer:
        """What the response calls itself."""
        return Answer(self.stated)

    @property
    def decided(self) -> Decision | None:
        return None if self.decision is None else Decision(self.decision)

    @property
    def response(self) -> OrderResponse:
        return OrderResponse.model_validate(self.document)

    @property
    def diff(self) -> tuple[Change, ...]:
        return tuple(Change(*each) for each in self.changes)


class OrderEventRow(Base):
    """One thing that happened to an order: ``kind`` is placed, response, agree, decline, despatched or invoiced."""

    __tablename__ = "order_events"

    order_id: Mapped[str] = mapped_column(ForeignKey("orders.id"), primary_key=True)
    ordinal: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    by: Mapped[str]
    kind: Mapped[str]
    state: Mapped[str | None]
    number: Mapped[str | None]
    subject: Mapped[str | None]
    message_id: Mapped[str | None]
