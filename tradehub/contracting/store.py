"""Contracts with their frozen terms, a row per version; an earlier version is never changed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, ForeignKey, Text, or_
from sqlalchemy.orm import Mapped, mapped_column, relationship

from tradehub.contracting.model import State, is_intact, thaw
from tradehub.platform.db import Base, Scoped


class ContractRow(Base, Scoped):
    __tablename__ = "contracts"

    id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    deal_id: Mapped[str] = mapped_column(unique=True)
    inquiry: Mapped[str | None]
    offer_number: Mapped[str | None]
    buyer: Mapped[str] = mapped_column(index=True)
    seller: Mapped[str] = mapped_column(index=True)
    accepted_by: Mapped[str]
    state: Mapped[str]
    version: Mapped[int] = mapped_column(default=1)
    concluded_at: Mapped[datetime]

    versions: Mapped[list[ContractVersionRow]] = relationship(order_by="ContractVersionRow.version")

    @classmethod
    def visible_to(cls, org: str) -> ColumnElement[bool]:
        return or_(cls.buyer == org, cls.seller == org)

    @property
    def is_in(self) -> State:
        return State(self.state)


class ContractVersionRow(Base):
    """The terms from ``at`` on: ``terms`` is the canonical text, ``terms_hash`` its SHA-256."""

    __tablename__ = "contract_versions"

    contract_id: Mapped[str] = mapped_column(ForeignKey("contracts.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    by: Mapped[str]
    kind: Mapped[str]
    document: Mapped[dict[str, Any]]
    terms: Mapped[str] = mapped_column(Text)
    terms_hash: Mapped[str]

    @property
    def is_intact(self) -> bool:
        return is_intact(self.terms, self.terms_hash)

    @property
    def terms_by_path(self) -> dict[str, str]:
        return thaw(self.terms)
