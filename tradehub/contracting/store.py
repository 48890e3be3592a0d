"""Contracts with their frozen terms, a row per version; an earlier version is never changed."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, ForeignKey, ForeignKeyConstraint, Text, UniqueConstraint, or_
from sqlalchemy.orm import Mapped, mapped_column, relationship

from tradehub.contracting.model import State, is_intact, thaw
from tradehub.platform.db import Base, Scoped


class _OfParties(Scoped):
    """Rows that the two parties of a contract see, and nobody else."""

    buyer: Mapped[str] = mapped_column(index=True)
    seller: Mapped[str] = mapped_column(index=True)

    @classmethod
    def visible_to(cls, org: str) -> ColumnElement[bool]:
        return or_(cls.buyer == org, cls.seller == org)


class _OfOrganisation(Scoped):
    org: Mapped[str] = mapped_column(index=True)

    @classmethod
    def visible_to(cls, org: str) -> ColumnElement[bool]:
        return cls.org == org


class ContractRow(Base, Scoped):
    """A contract. ``acceptance`` is the id of the statement that made it: an offer accepted in parts makes several (R22)."""

    __tablename__ = "contracts"

    id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    deal_id: Mapped[str] = mapped_column(index=True)
    acceptance: Mapped[str] = mapped_column(unique=True)
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
    templates: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    """Language -> which version of which template its text was made of: id, name, version, sha256 of the text."""

    @property
    def is_intact(self) -> bool:
        return is_intact(self.terms, self.terms_hash)

    @property
    def terms_by_path(self) -> dict[str, str]:
        return thaw(self.terms)


class BundleRow(_OfParties, Base):
    """One version of a contract as it is put before the parties to sign; from then on its text stands still.

    Texts are payloads, named by their SHA-256. ``pdf_sha256`` and ``xml_sha256`` move on with each signature, guarded
    by ``revision``; ``base_sha256`` is the PDF of ``base_length`` bytes before any signature, and None without a
    typesetter. ``chain_length`` statements, up to ``chain_head``, are part of it.
    """

    __tablename__ = "contract_bundles"
    __table_args__ = (
        ForeignKeyConstraint(
            ["contract_id", "version"], ["contract_versions.contract_id", "contract_versions.version"]
        ),
    )

    contract_id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    prepared_at: Mapped[datetime]
    prepared_by: Mapped[str | None]
    languages: Mapped[list[str]]
    json_sha256: Mapped[str]
    xml_sha256: Mapped[str]
    xml_body_sha256: Mapped[str]
    pdf_sha256: Mapped[str | None]
    base_sha256: Mapped[str | None]
    base_length: Mapped[int | None]
    chain_length: Mapped[int]
    chain_head: Mapped[str]
    revision: Mapped[int] = mapped_column(default=1)


class SignatureRow(_OfParties, Base):
    """That a party signed, who did it for the party, and with which certificate. The signatures are payloads."""

    __tablename__ = "contract_signatures"
    __table_args__ = (
        ForeignKeyConstraint(["contract_id", "version"], ["contract_bundles.contract_id", "contract_bundles.version"]),
    )

    contract_id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)
    party: Mapped[str]
    at: Mapped[datetime]
    user_id: Mapped[str]
    user_name: Mapped[str]
    subject: Mapped[str]
    fingerprint: Mapped[str]
    is_held: Mapped[bool]
    head_sha256: Mapped[str]
    certificates_sha256: Mapped[str]
    by_passkey: Mapped[bool] = mapped_column(default=False)


class SigningKeyRow(_OfOrganisation, Base):
    """A key that the hub holds for a party. The private parts are sealed under the installation's secret."""

    __tablename__ = "signing_keys"

    id: Mapped[str] = mapped_column(primary_key=True)
    made_at: Mapped[datetime]
    made_by: Mapped[str | None]
    origin: Mapped[str]
    subject: Mapped[str]
    fingerprint: Mapped[str]
    expires_at: Mapped[datetime]
    certificates: Mapped[str] = mapped_column(Text)
    head_key: Mapped[str]
    sealed_key: Mapped[str] = mapped_column(Text)
    sealed_head_key: Mapped[str] = mapped_column(Text)
    retired_at: Mapped[datetime | None]


class TemplateRow(_OfOrganisation, Base):
    """A contract template of an organisation, in one language."""

    __tablename__ = "contract_templates"
    __table_args__ = (UniqueConstraint("org", "name", "language"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    language: Mapped[str]
    latest: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]

    versions: Mapped[list[TemplateVersionRow]] = relationship(order_by="TemplateVersionRow.version")


class TemplateVersionRow(Base):
    """A template's text as it was saved; it is never changed."""

    __tablename__ = "contract_template_versions"

    template_id: Mapped[str] = mapped_column(ForeignKey("contract_templates.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str]
    at: Mapped[datetime]
    by: Mapped[str | None]


class BlanketRow(_OfParties, Base):
    """That a contract is a blanket agreement: within which days, and up to what amount, orders are called off.

    ``agreed_by`` proposed it, ``confirmed_by`` is the other side; nothing is called off before. ``used`` is what the
    releases so far come to; ``revision`` guards it, for amounts are kept as text.
    """

    __tablename__ = "blanket_agreements"

    contract_id: Mapped[str] = mapped_column(ForeignKey("contracts.id"), primary_key=True)
    valid_from: Mapped[date]
    valid_until: Mapped[date]
    currency: Mapped[str | None]
    ceiling: Mapped[Decimal | None]
    used: Mapped[Decimal]
    released: Mapped[int] = mapped_column(default=0)
    revision: Mapped[int] = mapped_column(default=1)
    agreed_at: Mapped[datetime]
    agreed_by: Mapped[str]
    confirmed_at: Mapped[datetime | None]
    confirmed_by: Mapped[str | None]

    lines: Mapped[list[BlanketLineRow]] = relationship(order_by="BlanketLineRow.position", cascade="all, delete-orphan")
    call_offs: Mapped[list[CallOffRow]] = relationship(order_by="CallOffRow.number")


class BlanketLineRow(Base):
    """How much of a line may be called off, by quantity or amount, and how much was."""

    __tablename__ = "blanket_lines"

    contract_id: Mapped[str] = mapped_column(ForeignKey("blanket_agreements.contract_id"), primary_key=True)
    line: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int]
    unit: Mapped[str | None]
    quantity_ceiling: Mapped[Decimal | None]
    amount_ceiling: Mapped[Decimal | None]
    quantity_used: Mapped[Decimal]
    amount_used: Mapped[Decimal]


class CallOffRow(_OfParties, Base):
    """An order released under a blanket agreement."""

    __tablename__ = "call_offs"
    __table_args__ = (UniqueConstraint("contract_id", "number"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    contract_id: Mapped[str] = mapped_column(ForeignKey("blanket_agreements.contract_id"), index=True)
    number: Mapped[int]
    order_number: Mapped[str]
    order_id: Mapped[str | None]
    at: Mapped[datetime]
    by: Mapped[str]
    amount: Mapped[Decimal]
    document: Mapped[dict[str, Any]]
