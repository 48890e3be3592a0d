"""Tables of the shared partner database. Rows of a profile are replaced by each sync; revisions are never changed."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Boolean, ColumnElement, ForeignKey, UniqueConstraint, or_
from sqlalchemy.orm import Mapped, mapped_column

from tradehub.platform.db import Base, Scoped


class PartyRow(Base, Scoped):
    """A party by its id. ``shared`` ones are named to every organisation; all else is seen by its owner alone."""

    __tablename__ = "party"

    id: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str] = mapped_column(index=True)
    name: Mapped[str] = mapped_column(index=True)
    status: Mapped[str]
    shared: Mapped[bool] = mapped_column(Boolean)
    is_web: Mapped[bool] = mapped_column(Boolean)
    roles: Mapped[list[str]]
    country: Mapped[str | None]
    source: Mapped[str]
    file_sha256: Mapped[str | None]
    revision: Mapped[int]

    @classmethod
    def visible_to(cls, org: str) -> ColumnElement[bool]:
        return or_(cls.owner == org, cls.id == org, cls.shared)


class _OfOwner(Scoped):
    owner: Mapped[str] = mapped_column(index=True)

    @classmethod
    def visible_to(cls, org: str) -> ColumnElement[bool]:
        return cls.owner == org


class PartyIdentityRow(_OfOwner, Base):
    """A name of a party. ``claimed_by`` keeps it unique among active parties: its own key there, else the row's id."""

    __tablename__ = "party_identity"

    id: Mapped[str] = mapped_column(primary_key=True)
    party_id: Mapped[str] = mapped_column(ForeignKey("party.id"), index=True)
    scheme: Mapped[str]
    qualifier: Mapped[str]
    value: Mapped[str] = mapped_column(index=True)
    usage: Mapped[str]
    claimed_by: Mapped[str] = mapped_column(unique=True)


class PartyContactRow(_OfOwner, Base):
    __tablename__ = "party_contact"

    id: Mapped[str] = mapped_column(primary_key=True)
    party_id: Mapped[str] = mapped_column(ForeignKey("party.id"), index=True)
    role: Mapped[str]
    name: Mapped[str | None]
    email: Mapped[str | None]
    phone: Mapped[str | None]


class ChannelRow(_OfOwner, Base):
    """How a party is reached. ``settings`` is the profile's own entry, with secrets as references."""

    __tablename__ = "channel"
    __table_args__ = (UniqueConstraint("party_id", "name"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    party_id: Mapped[str] = mapped_column(ForeignKey("party.id"), index=True)
    name: Mapped[str]
    kind: Mapped[str]
    settings: Mapped[dict[str, Any]]


class AgreementRow(_OfOwner, Base):
    __tablename__ = "agreement"
    __table_args__ = (UniqueConstraint("party_id", "direction", "message"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    party_id: Mapped[str] = mapped_column(ForeignKey("party.id"), index=True)
    place: Mapped[int]
    direction: Mapped[str]
    message: Mapped[str]
    channel: Mapped[str]
    guide: Mapped[str | None]
    ack: Mapped[dict[str, Any]]
    valid_from: Mapped[date | None]
    valid_until: Mapped[date | None]
    source: Mapped[str]
    file_sha256: Mapped[str | None]
    revision: Mapped[int]


class PartnerRevisionRow(_OfOwner, Base):
    """A profile as it was applied. Old messages name the revision they travelled under."""

    __tablename__ = "partner_revision"

    party_id: Mapped[str] = mapped_column(ForeignKey("party.id"), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str]
    file_sha256: Mapped[str | None]
    profile: Mapped[dict[str, Any]]
    applied_at: Mapped[datetime]
    applied_by: Mapped[str]
