"""The rows of a tender. Who sees which of them is said here, once for each.

The buyer alone sees the tender with its plan, who holds the keys, marks, verdicts and the award. Whoever may bid sees the
notices, the answers and the stages' public keys. A bidder sees of invitations, questions and bids its own. No row says to
a bidder who else takes part, or how many.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, ForeignKey, String, Text, UniqueConstraint, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from tradehub.platform.db import Base, Scoped


class _Buyers(Scoped):
    """Rows that are the buyer's alone."""

    buyer_id: Mapped[str] = mapped_column(index=True)

    @classmethod
    def visible_to(cls, org: str) -> ColumnElement[bool]:
        return cls.buyer_id == org


class _Shared(Scoped):
    """Rows of one bidder and the buyer."""

    buyer_id: Mapped[str] = mapped_column(index=True)
    supplier_id: Mapped[str] = mapped_column(index=True)

    @classmethod
    def visible_to(cls, org: str) -> ColumnElement[bool]:
        return or_(cls.buyer_id == org, cls.supplier_id == org)


class TenderSeriesRow(Scoped, Base):
    """The next number of a buyer's tenders."""

    __tablename__ = "tender_series"

    org: Mapped[str] = mapped_column(primary_key=True)
    next: Mapped[int] = mapped_column(default=1)

    @classmethod
    def visible_to(cls, org: str) -> ColumnElement[bool]:
        return cls.org == org


class TenderRow(_Buyers, Base):
    """The buyer's side. ``draft`` is the notice until it is published; ``plan`` holds what no bidder may learn."""

    __tablename__ = "tender"
    __table_args__ = (UniqueConstraint("buyer_id", "number"), UniqueConstraint("buyer_id", "request_key"))

    id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[str]
    title: Mapped[str]
    draft: Mapped[dict[str, Any]]
    plan: Mapped[dict[str, Any]]
    suppliers: Mapped[list[str]]
    inquiry_id: Mapped[str | None] = mapped_column(index=True)
    request_key: Mapped[str | None]
    created_by: Mapped[str | None]
    created_at: Mapped[datetime]
    published_at: Mapped[datetime | None]
    plan_at: Mapped[datetime]
    cancelled_at: Mapped[datetime | None]
    awarded_at: Mapped[datetime | None]
    award: Mapped[dict[str, Any] | None]


class InvitationRow(_Shared, Base):
    """A supplier that takes part. ``is_sealed`` as long as what it offers may not be known."""

    __tablename__ = "tender_invitation"

    tender_id: Mapped[str] = mapped_column(ForeignKey("tender.id"), primary_key=True)
    supplier_id: Mapped[str] = mapped_column(primary_key=True, index=True)
    deal_id: Mapped[str | None] = mapped_column(index=True)
    at: Mapped[datetime]
    acknowledged: Mapped[int] = mapped_column(default=1)
    is_sealed: Mapped[bool] = mapped_column(default=True)


class _Public(Scoped):
    """Rows that everybody who may bid sees: the invited, and all where the invitation is open."""

    tender_id: Mapped[str] = mapped_column(ForeignKey("tender.id"), index=True)
    buyer_id: Mapped[str] = mapped_column(index=True)
    is_open: Mapped[bool]

    @classmethod
    def visible_to(cls, org: str) -> ColumnElement[bool]:
        invited = InvitationRow.__table__.c
        mine = select(invited.tender_id).where(invited.supplier_id == org)
        return or_(cls.buyer_id == org, cls.is_open, cls.tender_id.in_(mine))


class NoticeRow(_Public, Base):
    """A published version of the tender document; the first is also the lock that bids and the opening take in turn."""

    __tablename__ = "tender_notice"

    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    document: Mapped[dict[str, Any]]
    sha256: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]
    ended: Mapped[str] = mapped_column(default="")
    ended_at: Mapped[datetime | None]
    """``cancelled`` or ``awarded``, and when, on the first version: what all bidders are told of the end."""


class AnswerRow(_Public, Base):
    """A question and its answer as all bidders read it. It does not say who asked."""

    __tablename__ = "tender_answer"

    id: Mapped[str] = mapped_column(primary_key=True)
    question: Mapped[str] = mapped_column(Text)
    answer: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]


class StageKeyRow(_Public, Base):
    """The public key of a stage: what bids are sealed to. ``opened_at`` once two people have opened it."""

    __tablename__ = "tender_stage_key"

    id: Mapped[str] = mapped_column(primary_key=True)
    stage: Mapped[str]
    public_key: Mapped[str]
    at: Mapped[datetime]
    opened_at: Mapped[datetime | None]


class QuestionRow(_Shared, Base):
    """What one bidder asked, between it and the buyer."""

    __tablename__ = "tender_question"

    id: Mapped[str] = mapped_column(primary_key=True)
    tender_id: Mapped[str] = mapped_column(ForeignKey("tender.id"), index=True)
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]
    answered_at: Mapped[datetime | None]


class BidRow(_Shared, Base):
    """An envelope. ``sealed`` is what was handed in; ``document`` and ``salt`` are empty until it is opened.

    ``state`` is live, replaced or withdrawn. A tender without seals keeps the document from the start.
    """

    __tablename__ = "tender_bid"
    __table_args__ = (UniqueConstraint("tender_id", "supplier_id", "stage", "number"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    tender_id: Mapped[str] = mapped_column(ForeignKey("tender.id"), index=True)
    stage: Mapped[str]
    number: Mapped[int]
    state: Mapped[str] = mapped_column(default="live")
    at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    user_id: Mapped[str | None]
    user_name: Mapped[str | None]
    channel: Mapped[str]
    message_id: Mapped[str | None] = mapped_column(index=True)
    version: Mapped[int]
    sealed: Mapped[str | None] = mapped_column(Text)
    fingerprint: Mapped[str] = mapped_column(String(64))
    envelope_sha256: Mapped[str | None] = mapped_column(String(64))
    salt: Mapped[str | None]
    document: Mapped[dict[str, Any] | None]
    opened_at: Mapped[datetime | None]
    offer_id: Mapped[str | None]
    fault: Mapped[str] = mapped_column(default="")


class MessageKeyRow(_Buyers, Base):
    """A message's part of the key of the transmission that brought it, sealed as a bid is.

    ``part`` once the bid that the message handed in has been opened; with all parts the transmission can be read.
    """

    __tablename__ = "tender_message_key"

    transmission_id: Mapped[str] = mapped_column(primary_key=True)
    message_id: Mapped[str] = mapped_column(primary_key=True, index=True)
    tender_id: Mapped[str] = mapped_column(ForeignKey("tender.id"), index=True)
    sealed: Mapped[str] = mapped_column(Text)
    part: Mapped[str | None]


class OpenerRow(_Buyers, Base):
    """A person without whom, or whose deputy, nothing opens. Salt and public key once the passphrase is set.

    ``state`` is active, named (to take the place of ``follows``, which hands over to it) or left.
    """

    __tablename__ = "tender_opener"

    tender_id: Mapped[str] = mapped_column(ForeignKey("tender.id"), primary_key=True)
    user_id: Mapped[str] = mapped_column(primary_key=True, index=True)
    name: Mapped[str]
    place: Mapped[int]
    salt: Mapped[str | None]
    work: Mapped[list[Any] | None]
    public_key: Mapped[str | None]
    set_at: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0)
    tried_at: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(default="active")
    follows: Mapped[str | None]


class OpenerChangeRow(_Public, Base):
    """One person took the place of another among those who open: whoever may bid sees it."""

    __tablename__ = "tender_opener_change"

    id: Mapped[str] = mapped_column(primary_key=True)
    left: Mapped[str]
    joined: Mapped[str]
    at: Mapped[datetime]


class ShareRow(_Buyers, Base):
    """A half of a stage's private key, for one pair of openers, sealed to the one who holds it.

    ``handed`` is the same half sealed to the other of the pair, once its holder has agreed to the opening. ``sealed_with``
    is the other of the pair at the time of the sealing, where another has taken that place since: the envelope names it.
    """

    __tablename__ = "tender_share"

    tender_id: Mapped[str] = mapped_column(ForeignKey("tender.id"), primary_key=True)
    stage: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(primary_key=True)
    other_id: Mapped[str] = mapped_column(primary_key=True)
    sealed: Mapped[str] = mapped_column(Text)
    sealed_with: Mapped[str | None]
    handed: Mapped[str | None] = mapped_column(Text)
    handed_at: Mapped[datetime | None]


class MarkRow(_Buyers, Base):
    """A score, by one evaluator, for one criterion of one bidder."""

    __tablename__ = "tender_mark"

    tender_id: Mapped[str] = mapped_column(ForeignKey("tender.id"), primary_key=True)
    bidder: Mapped[str] = mapped_column(primary_key=True)
    criterion: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(primary_key=True)
    user_name: Mapped[str]
    score: Mapped[str]
    reason: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[datetime]


class VerdictRow(_Shared, Base):
    """Whether a bidder passed a stage; the bidder may know its own."""

    __tablename__ = "tender_verdict"

    tender_id: Mapped[str] = mapped_column(ForeignKey("tender.id"), primary_key=True)
    supplier_id: Mapped[str] = mapped_column(primary_key=True, index=True)
    stage: Mapped[str] = mapped_column(primary_key=True)
    passed: Mapped[bool]
    by: Mapped[str | None]
    at: Mapped[datetime]


def next_number(session: Session, org: str) -> int:
    """Return the next number of a buyer's tenders; two transactions never get the same one."""
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    session.execute(insert(TenderSeriesRow).values(org=org, next=1).on_conflict_do_nothing())
    wanted = select(TenderSeriesRow).where(TenderSeriesRow.org == org).with_for_update()
    row = session.scalars(wanted.execution_options(populate_existing=True)).one()
    number = row.next
    row.next = number + 1
    session.flush()
    return number


def tender_row(session: Session, tender_id: str, *, lock: bool = False) -> TenderRow | None:
    wanted = select(TenderRow).where(TenderRow.id == tender_id)
    if lock:
        wanted = wanted.with_for_update().execution_options(populate_existing=True)
    return session.scalar(wanted)


def notice_rows(session: Session, tender_id: str, *, lock: bool = False) -> list[NoticeRow]:
    """Return the published versions, the first first. ``lock`` makes other bids and the opening wait."""
    wanted = select(NoticeRow).where(NoticeRow.tender_id == tender_id).order_by(NoticeRow.version)
    if lock:
        wanted = wanted.with_for_update().execution_options(populate_existing=True)
    return list(session.scalars(wanted))


def invitation(session: Session, tender_id: str, supplier: str) -> InvitationRow | None:
    return session.scalar(
        select(InvitationRow).where(InvitationRow.tender_id == tender_id, InvitationRow.supplier_id == supplier)
    )


def invitations(session: Session, tender_id: str) -> list[InvitationRow]:
    wanted = select(InvitationRow).where(InvitationRow.tender_id == tender_id)
    return list(session.scalars(wanted.order_by(InvitationRow.at, InvitationRow.supplier_id)))


def stage_keys(session: Session, tender_id: str) -> dict[str, StageKeyRow]:
    found = session.scalars(select(StageKeyRow).where(StageKeyRow.tender_id == tender_id))
    return {row.stage: row for row in found}


def openers(session: Session, tender_id: str) -> list[OpenerRow]:
    """Return those who open, without who has left and who is only named."""
    return [each for each in all_openers(session, tender_id) if each.state == "active"]


def all_openers(session: Session, tender_id: str) -> list[OpenerRow]:
    return list(session.scalars(select(OpenerRow).where(OpenerRow.tender_id == tender_id).order_by(OpenerRow.place)))


def opener_changes(session: Session, tender_id: str) -> list[OpenerChangeRow]:
    wanted = select(OpenerChangeRow).where(OpenerChangeRow.tender_id == tender_id)
    return list(session.scalars(wanted.order_by(OpenerChangeRow.at, OpenerChangeRow.id)))


def delete_opener(session: Session, row: OpenerRow) -> None:
    session.delete(row)
    session.flush()


def shares(session: Session, tender_id: str, stage: str) -> list[ShareRow]:
    wanted = select(ShareRow).where(ShareRow.tender_id == tender_id, ShareRow.stage == stage)
    return list(session.scalars(wanted.order_by(ShareRow.user_id, ShareRow.other_id)))


def bids(session: Session, tender_id: str, *, live: bool = False) -> list[BidRow]:
    wanted = (
        select(BidRow).where(BidRow.tender_id == tender_id).order_by(BidRow.supplier_id, BidRow.stage, BidRow.number)
    )
    return list(session.scalars(wanted.where(BidRow.state == "live") if live else wanted))


def message_keys(session: Session, message_id: str) -> list[MessageKeyRow]:
    """Return a message's parts of keys: of its transmission, and of the file that it came in."""
    return list(session.scalars(select(MessageKeyRow).where(MessageKeyRow.message_id == message_id)))


def keys_of_transmission(session: Session, transmission_id: str) -> list[MessageKeyRow]:
    return list(session.scalars(select(MessageKeyRow).where(MessageKeyRow.transmission_id == transmission_id)))


def sealed_tenders(session: Session, buyer: str, supplier: str) -> list[tuple[str, str | None]]:
    """Return the tenders of a buyer in which a supplier's offers must stay sealed now, each with the supplier's deal.

    Those it was invited to or has joined, and those open to all.
    """
    mine = select(InvitationRow).where(
        InvitationRow.buyer_id == buyer, InvitationRow.supplier_id == supplier, InvitationRow.is_sealed
    )
    found = {each.tender_id: each.deal_id for each in session.scalars(mine)}
    first = select(NoticeRow.tender_id).where(NoticeRow.version == 1, NoticeRow.ended == "")
    public = select(StageKeyRow.tender_id).where(
        StageKeyRow.buyer_id == buyer, StageKeyRow.is_open, StageKeyRow.stage == "commercial",
        StageKeyRow.public_key != "", StageKeyRow.opened_at.is_(None), StageKeyRow.tender_id.in_(first),
    )  # fmt: skip
    return [*found.items(), *((id, None) for id in session.scalars(public) if id not in found)]


def questions(session: Session, tender_id: str) -> list[QuestionRow]:
    return list(session.scalars(select(QuestionRow).where(QuestionRow.tender_id == tender_id).order_by(QuestionRow.id)))


def answers(session: Session, tender_id: str) -> list[AnswerRow]:
    return list(session.scalars(select(AnswerRow).where(AnswerRow.tender_id == tender_id).order_by(AnswerRow.id)))


def marks(session: Session, tender_id: str) -> list[MarkRow]:
    wanted = select(MarkRow).where(MarkRow.tender_id == tender_id)
    return list(session.scalars(wanted.order_by(MarkRow.bidder, MarkRow.criterion, MarkRow.user_id)))


def verdicts(session: Session, tender_id: str) -> list[VerdictRow]:
    return list(session.scalars(select(VerdictRow).where(VerdictRow.tender_id == tender_id)))
