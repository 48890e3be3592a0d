"""Tables of the exchange: messages with their three statuses, what was found in them, and how they were sent."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, ColumnElement, ForeignKey, Index, Integer, and_, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from tradehub.exchange.model import Acknowledgement, Delivery, Direction, Statuses, Validation
from tradehub.platform import clock
from tradehub.platform.db import Base, Scoped


class _OfOwner(Scoped):
    owner: Mapped[str] = mapped_column(index=True)

    @classmethod
    def visible_to(cls, org: str) -> ColumnElement[bool]:
        return cls.owner == org


class MessageRow(_OfOwner, Base):
    """One message in one direction. ``payload_sha256`` is the whole transmission as it came or left, kept for ever.

    Several messages of one transmission share it: the first row is made when the bytes arrive, the others name it in
    ``received_with``. ``intake_key`` makes the same arrival (one file, one Idempotency-Key) one row.

    While a transmission is sealed (``exchange.sealed``), its payload is the envelope, and ``sealed_as`` the keyed hash
    of what lies in it.
    """

    __tablename__ = "message"
    __table_args__ = (
        Index("ix_message_number", "owner", "partner", "standard", "direction", "control_number"),
        Index("ix_message_listed", "owner", "created_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    direction: Mapped[str]
    partner: Mapped[str | None] = mapped_column(index=True)
    channel: Mapped[str]
    intake_key: Mapped[str | None] = mapped_column(unique=True)
    file_name: Mapped[str | None]
    created_at: Mapped[datetime]
    payload_sha256: Mapped[str | None] = mapped_column(index=True)
    sealed_as: Mapped[str | None] = mapped_column(index=True)
    size: Mapped[int] = mapped_column(Integer, default=0)
    received_with: Mapped[str | None] = mapped_column(ForeignKey("message.id"), index=True)
    position: Mapped[int] = mapped_column(Integer, default=0)

    standard: Mapped[str | None]
    type: Mapped[str | None]
    release: Mapped[str | None]
    kind: Mapped[str | None]
    sender_id: Mapped[str | None]
    receiver_id: Mapped[str | None]
    control_number: Mapped[str | None]
    group_number: Mapped[str | None]
    message_number: Mapped[str | None]
    is_test: Mapped[bool] = mapped_column(Boolean, default=False)
    agreement_id: Mapped[str | None]
    agreement_revision: Mapped[int | None]

    reference: Mapped[str | None] = mapped_column(index=True)
    document: Mapped[dict[str, Any] | None]
    deal: Mapped[str | None] = mapped_column(index=True)
    subject: Mapped[str | None]

    validation: Mapped[str]
    validation_reason: Mapped[str | None]
    validated_at: Mapped[datetime | None]
    delivery: Mapped[str]
    delivery_reason: Mapped[str | None]
    delivered_at: Mapped[datetime | None]
    acknowledgement: Mapped[str]
    ack_reason: Mapped[str | None]
    ack_at: Mapped[datetime | None]
    ack_deadline: Mapped[datetime | None] = mapped_column(index=True)
    reason_text: Mapped[str | None]
    settled_at: Mapped[datetime | None]

    attempts: Mapped[int] = mapped_column(Integer, default=0)
    outbox_id: Mapped[str | None] = mapped_column(index=True)
    answers: Mapped[str | None] = mapped_column(ForeignKey("message.id"), index=True)
    duplicate_of: Mapped[str | None] = mapped_column(ForeignKey("message.id"))
    replay_of: Mapped[str | None] = mapped_column(ForeignKey("message.id"), index=True)

    @property
    def statuses(self) -> Statuses:
        return Statuses(
            Direction(self.direction), Validation(self.validation), Delivery(self.delivery),
            Acknowledgement(self.acknowledgement), self.ack_deadline, self.settled_at is not None,
        )  # fmt: skip

    @property
    def bytes_known_by(self) -> str:
        """The hash by which the bytes that came are known again."""
        return self.sealed_as or str(self.payload_sha256)

    @property
    def message(self) -> str:
        """The message as agreements name it, for instance ``x12:850:004010``."""
        return ":".join(part for part in (self.standard, self.type, self.release) if part)


class IssueRow(_OfOwner, Base):
    """Something found in a message, with its place. ``line`` is the raw segment with a caret under the fault."""

    __tablename__ = "message_issue"

    message_id: Mapped[str] = mapped_column(ForeignKey("message.id"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    severity: Mapped[str]
    fault: Mapped[str]
    segment: Mapped[int | None] = mapped_column(Integer)
    tag: Mapped[str | None]
    element: Mapped[int | None] = mapped_column(Integer)
    component: Mapped[int | None] = mapped_column(Integer)
    repetition: Mapped[int | None] = mapped_column(Integer)
    path: Mapped[str | None]
    element_id: Mapped[str | None]
    code: Mapped[str | None]
    value: Mapped[str | None]
    rule: Mapped[str | None]
    text: Mapped[str]
    line: Mapped[str | None]


class DeliveryAttemptRow(_OfOwner, Base):
    __tablename__ = "delivery_attempt"

    message_id: Mapped[str] = mapped_column(ForeignKey("message.id"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    at: Mapped[datetime]
    outcome: Mapped[str]
    detail: Mapped[str | None]
    next_at: Mapped[datetime | None]


class StageRow(_OfOwner, Base):
    """A step that a message has taken: received, read, identified, agreed, handed on, answered, sent ..."""

    __tablename__ = "message_stage"

    message_id: Mapped[str] = mapped_column(ForeignKey("message.id"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    at: Mapped[datetime]
    stage: Mapped[str]
    detail: Mapped[str | None]
    actor: Mapped[str | None]


class ControlNumberRow(_OfOwner, Base):
    """The last control number used from one sender to one receiver on one level of a standard."""

    __tablename__ = "control_number"

    sender: Mapped[str] = mapped_column(primary_key=True)
    receiver: Mapped[str] = mapped_column(primary_key=True)
    standard: Mapped[str] = mapped_column(primary_key=True)
    level: Mapped[str] = mapped_column(primary_key=True)
    last: Mapped[int] = mapped_column(Integer)


def next_number(session: Session, *, owner: str, sender: str, receiver: str, standard: str, level: str) -> int:
    """Take the next control number, from 1. It is used up only if the caller's transaction is committed: no gaps."""
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    first = insert(ControlNumberRow).values(
        owner=owner, sender=sender, receiver=receiver, standard=standard, level=level, last=1
    )
    keys = ["sender", "receiver", "standard", "level"]
    taken = first.on_conflict_do_update(index_elements=keys, set_={"last": ControlNumberRow.last + 1})
    return session.scalars(taken.returning(ControlNumberRow.last).execution_options(populate_existing=True)).one()


def log_stage(
    session: Session, message: MessageRow, stage: str, detail: str | None = None, actor: str | None = None
) -> None:
    """Note a step of ``message``, in the caller's transaction; its session asks only once which number comes next."""
    numbers: dict[str, int] = session.info.setdefault(StageRow, {})
    if message.id not in numbers:
        last = select(func.coalesce(func.max(StageRow.number), 0)).where(StageRow.message_id == message.id)
        numbers[message.id] = session.scalars(last).one()
    numbers[message.id] += 1
    session.add(
        StageRow(
            owner=message.owner, message_id=message.id, number=numbers[message.id], at=clock.now(), stage=stage,
            detail=detail, actor=actor,
        )
    )  # fmt: skip


def attention(now: datetime) -> ColumnElement[bool]:
    """The messages for which ``model.needs_attention`` is true."""
    return and_(
        MessageRow.settled_at.is_(None),
        or_(
            MessageRow.validation.in_((Validation.REJECTED, Validation.HELD)),
            MessageRow.delivery.in_((Delivery.REFUSED, Delivery.FAILED)),
            and_(MessageRow.direction == Direction.OUT, MessageRow.acknowledgement == Acknowledgement.REJECTED),
            late(now),
        ),
    )


def late(now: datetime) -> ColumnElement[bool]:
    """The messages for which ``model.is_late`` is true."""
    return and_(MessageRow.acknowledgement == Acknowledgement.EXPECTED, MessageRow.ack_deadline < now)
