"""What the exchange monitor asks the store: lists by filter and search, figures, one message with all of its story."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, tuple_
from sqlalchemy.orm import Session

from tradehub.exchange.model import Acknowledgement, Delivery, Direction, Validation
from tradehub.exchange.store import DeliveryAttemptRow, IssueRow, MessageRow, StageRow, attention
from tradehub.platform import paging

PAGE_SIZE = 50
EXPORT_MAX = 10_000
"""Rows of one CSV file; more is a job for a report."""

ID_BEGINS = 8
"""Characters of a record's id from which on its beginning is looked for: less, or the middle of one, says nothing."""

FILTERS = ("all", "attention", "waiting", "in", "out")


@dataclass(frozen=True)
class Found:
    rows: Sequence[MessageRow]
    total: int
    counts: dict[str, int]

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE_SIZE))


@dataclass(frozen=True)
class Figures:
    """Messages of the last 24 hours, what needs attention, what awaits an answer, and how long answers take."""

    today: int
    attention: int
    waiting: int
    median_to_ack: timedelta | None


@dataclass(frozen=True)
class Story:
    """One message with its faults, steps, tries and relatives."""

    row: MessageRow
    issues: Sequence[IssueRow]
    stages: Sequence[StageRow]
    attempts: Sequence[DeliveryAttemptRow]
    related: Sequence[MessageRow]
    answered: Sequence[MessageRow] = ()
    """What an acknowledgement is about."""

    @property
    def worst(self) -> IssueRow | None:
        return next((each for each in self.issues if each.severity == "error"), None)


def find(session: Session, *, chosen: str, text: str, page: int, now: datetime, partner: str = "") -> Found:
    """Return a page of messages, latest first. Acknowledgements stand with the messages they answer."""
    base = _matching(text, partner)
    counts = {name: _count(session, and_(base, _filter(name, now))) for name in FILTERS}
    chosen = chosen if chosen in FILTERS else "all"
    rows = _listed(and_(base, _filter(chosen, now))).limit(PAGE_SIZE).offset((page - 1) * PAGE_SIZE)
    return Found(session.scalars(rows).all(), counts[chosen], counts)


def page(
    session: Session, *, chosen: str, text: str, now: datetime, partner: str, cursor: str | None, size: int
) -> tuple[list[MessageRow], str | None]:
    """Return a page of what ``find`` finds by keyset, and the cursor of the next."""
    where = and_(_matching(text, partner), _filter(chosen, now))
    return paging.page(session, select(MessageRow).where(where), MessageRow.created_at, MessageRow.id, cursor, size)


def export(session: Session, *, chosen: str, text: str, now: datetime) -> Sequence[MessageRow]:
    chosen = chosen if chosen in FILTERS else "all"
    return session.scalars(_listed(and_(_matching(text, ""), _filter(chosen, now))).limit(EXPORT_MAX)).all()


def figures(session: Session, *, now: datetime) -> Figures:
    since = now - timedelta(hours=24)
    answered = session.execute(
        select(MessageRow.delivered_at, MessageRow.ack_at)
        .where(MessageRow.direction == Direction.OUT, MessageRow.ack_at.is_not(None), MessageRow.created_at >= since)
        .limit(1000)
    ).all()
    waits = [(acked - sent).total_seconds() for sent, acked in answered if sent is not None and acked is not None]
    return Figures(
        today=_count(session, MessageRow.created_at >= since),
        attention=_count(session, attention(now)),
        waiting=_count(session, _filter("waiting", now)),
        median_to_ack=timedelta(seconds=max(0.0, median(waits))) if waits else None,
    )


def needing_attention(session: Session, *, now: datetime, limit: int = 50) -> Sequence[MessageRow]:
    return session.scalars(_listed(attention(now)).limit(limit)).all()


def story(session: Session, message_id: str) -> Story | None:
    """Return a message with all that belongs to it; None where the session sees none."""
    row = session.scalar(select(MessageRow).where(MessageRow.id == message_id))
    if row is None:
        return None
    return Story(
        row,
        session.scalars(select(IssueRow).where(IssueRow.message_id == row.id).order_by(IssueRow.number)).all(),
        session.scalars(select(StageRow).where(StageRow.message_id == row.id).order_by(StageRow.number)).all(),
        session.scalars(
            select(DeliveryAttemptRow)
            .where(DeliveryAttemptRow.message_id == row.id)
            .order_by(DeliveryAttemptRow.number)
        ).all(),
        session.scalars(_related(row)).all(),
        session.scalars(_answered_by(row)).all() if row.answers else (),
    )


def of_deal(session: Session, deal_id: str, *, limit: int = 200) -> Sequence[MessageRow]:
    """Return the messages of a deal, latest first. Acknowledgements show in the messages that they answer."""
    return session.scalars(_listed(and_(MessageRow.deal == deal_id, MessageRow.answers.is_(None))).limit(limit)).all()


def worst(session: Session, rows: Sequence[MessageRow]) -> dict[str, IssueRow]:
    """Return the first error found in each message, by message; those without one are left out."""
    errors = select(IssueRow.message_id, func.min(IssueRow.number)).where(
        IssueRow.message_id.in_([row.id for row in rows]), IssueRow.severity == "error"
    )
    first = session.execute(errors.group_by(IssueRow.message_id)).all()
    found = session.scalars(
        select(IssueRow).where(tuple_(IssueRow.message_id, IssueRow.number).in_([tuple(each) for each in first]))
    )
    return {each.message_id: each for each in found}


def search(session: Session, text: str, *, limit: int = 20) -> Sequence[MessageRow]:
    """Return messages that carry a number: reference, control number, file name or id."""
    return session.scalars(_listed(_matching(text, "")).limit(limit)).all()


def _listed(where: ColumnElement[bool]) -> Select[MessageRow]:
    return select(MessageRow).where(where).order_by(MessageRow.created_at.desc(), MessageRow.id.desc())


def _count(session: Session, where: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).select_from(MessageRow).where(where)) or 0


def _filter(name: str, now: datetime) -> ColumnElement[bool]:
    if name == "attention":
        return attention(now)
    if name == "waiting":
        return or_(
            MessageRow.validation == Validation.PENDING,
            MessageRow.delivery.in_((Delivery.PENDING, Delivery.RETRYING)),
            MessageRow.acknowledgement == Acknowledgement.EXPECTED,
        )
    if name in (Direction.IN, Direction.OUT):
        return MessageRow.direction == name
    return MessageRow.id.is_not(None)


def _matching(text: str, partner: str) -> ColumnElement[bool]:
    where: list[ColumnElement[bool]] = [MessageRow.partner == partner] if partner else []
    for word in text.split()[:5]:
        pattern = "%" + word.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        columns = (
            MessageRow.reference, MessageRow.control_number, MessageRow.type, MessageRow.partner, MessageRow.file_name,
        )  # fmt: skip
        alike = [func.lower(column).like(pattern, escape="\\") for column in columns]
        if len(word) >= ID_BEGINS:
            ids = (MessageRow.id, MessageRow.deal, MessageRow.subject)
            alike += [column.like(pattern[1:], escape="\\") for column in ids]
        where.append(or_(*alike))
    return and_(MessageRow.id.is_not(None), *where)


def _answered_by(row: MessageRow) -> Select[MessageRow]:
    """The message that it answers, with those that came in the same interchange."""
    return (
        select(MessageRow)
        .where(or_(MessageRow.id == row.answers, MessageRow.received_with == row.answers))
        .order_by(MessageRow.position)
    )


def _related(row: MessageRow) -> Select[MessageRow]:
    """What it answers and is answered by, its siblings, replays and twins, and the deal's other messages."""
    named = {row.answers, row.duplicate_of, row.replay_of, row.received_with} - {None}
    kin: list[ColumnElement[bool]] = [
        MessageRow.answers.in_({row.id, row.received_with} - {None}),
        MessageRow.duplicate_of == row.id,
        MessageRow.replay_of.in_({row.id, row.received_with} - {None}),
        MessageRow.received_with == row.id,
    ]
    if named:
        kin.append(MessageRow.id.in_(named))
    if row.deal is not None:
        kin.append(and_(MessageRow.deal == row.deal, MessageRow.answers.is_(None)))
    return _listed(and_(MessageRow.id != row.id, or_(*kin))).limit(30)
