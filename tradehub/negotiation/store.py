"""The rows of a negotiation: the buyer's inquiry, a deal per supplier, its statements in a hash chain, its offers.

Statements and offers are only ever added. A deal is shown to its two parties; the inquiry, with the buyer's own note,
to the buyer alone: a supplier finds the lines it was asked for in the first offer row of its own deal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

from sqlalchemy import ColumnElement, ForeignKey, Index, Text, UniqueConstraint, and_, or_, select, true, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Mapped, Session, mapped_column, object_session

from tradehub.documents import KINDS, PartyId, TradeDocument
from tradehub.negotiation import drafting, grounds, particulars
from tradehub.negotiation.model import (
    REGIMES,
    Conflict,
    Kind,
    Negotiation,
    Offer,
    Statement,
    contract,
)
from tradehub.negotiation.outlook import outlook
from tradehub.platform.db import Base, Scoped, to_json
from tradehub.platform.outbox import OutboxRow

SIDES = ("buyer", "seller")

LAST = 1
"""A large value stands behind all others of its row: SQLite walks through it to reach what stands behind it."""

FIRST = "0" * 64
"""What stands before the first statement of a deal."""


class NumberRow(Scoped, Base):
    """The next number of each kind of document that an organisation writes."""

    __tablename__ = "negotiation_number"

    org: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    next: Mapped[int] = mapped_column(default=1)

    @classmethod
    def visible_to(cls, org: str) -> ColumnElement[bool]:
        return cls.org == org


class InquiryRow(Scoped, Base):
    """What a buyer asked several suppliers. ``note`` is for the buyer's own people."""

    __tablename__ = "inquiry"
    __table_args__ = (UniqueConstraint("buyer_id", "number"), UniqueConstraint("buyer_id", "request_key"))

    id: Mapped[str] = mapped_column(primary_key=True)
    buyer_id: Mapped[str] = mapped_column(index=True)
    number: Mapped[str]
    document: Mapped[dict[str, Any]]
    note: Mapped[str] = mapped_column(Text, default="")
    request_key: Mapped[str | None]
    created_by: Mapped[str | None]
    created_at: Mapped[datetime]

    @classmethod
    def visible_to(cls, org: str) -> ColumnElement[bool]:
        return cls.buyer_id == org


class _OfDeal(Scoped):
    """Rows that the two parties of a deal see, and nobody else."""

    buyer_id: Mapped[str] = mapped_column(index=True)
    seller_id: Mapped[str] = mapped_column(index=True)

    @classmethod
    def visible_to(cls, org: str) -> ColumnElement[bool]:
        return or_(cls.buyer_id == org, cls.seller_id == org)


_LISTED_BY = {
    "moved": ("{side}_id", "{side}_status", "updated_at", "id"),
    "due": ("{side}_id", "{side}_status", "due_at", "id"),
    "all": ("{side}_id", "updated_at", "id"),
    "stale": ("{side}_id", "changes_at"),
}
"""The indexes of lists of deals, for each side."""


class DealRow(_OfDeal, Base):
    """One negotiation. ``state`` and ``version`` are what a guarded UPDATE compares; the status is computed.

    ``ground`` holds what the partners agreed when it was opened (``grounds``): a later agreement changes no open deal.
    What follows ``words`` is the outlook, for lists: it holds until ``changes_at``; ``seen_at`` is when it was made.
    """

    __tablename__ = "negotiation"
    __table_args__ = tuple(
        Index(f"ix_deal_{side}_{name}", *(column.format(side=side) for column in columns))
        for side in SIDES
        for name, columns in _LISTED_BY.items()
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(index=True)
    inquiry_id: Mapped[str | None] = mapped_column(ForeignKey("inquiry.id"), index=True)
    inquiry_number: Mapped[str | None] = mapped_column(index=True)
    title: Mapped[str]
    regime: Mapped[str] = mapped_column(default="CISG")
    ground: Mapped[dict[str, Any]] = mapped_column(default=dict)
    state: Mapped[str] = mapped_column(default="open")
    version: Mapped[int] = mapped_column(default=0)
    head: Mapped[str] = mapped_column(default=FIRST)
    length: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    words: Mapped[str] = mapped_column(Text, default="")
    buyer_status: Mapped[str] = mapped_column(default="quiet")
    seller_status: Mapped[str] = mapped_column(default="quiet")
    due_at: Mapped[datetime | None]
    changes_at: Mapped[datetime | None] = mapped_column(index=True)
    seen_at: Mapped[datetime | None]
    rounds: Mapped[int] = mapped_column(default=0)
    total: Mapped[Decimal | None]
    currency: Mapped[str | None]


class OfferRow(_OfDeal, Base):
    """A proposal, in the document that carried it. ``id`` is that of its statement.

    ``document`` is fetched when it is asked for. ``particulars`` are what the rules need of it beside the columns,
    ``summary`` what a list of rounds shows of it.
    """

    __tablename__ = "offer"

    id: Mapped[str] = mapped_column(primary_key=True)
    deal_id: Mapped[str] = mapped_column(ForeignKey("negotiation.id"), index=True)
    by_id: Mapped[str]
    kind: Mapped[str]
    number: Mapped[str] = mapped_column(index=True)
    revision: Mapped[int]
    document: Mapped[dict[str, Any]] = mapped_column(deferred=True, sort_order=LAST)
    terms_hash: Mapped[str]
    firm: Mapped[bool]
    accept_by: Mapped[datetime | None]
    irrevocable: Mapped[bool]
    parent_id: Mapped[str | None]
    particulars: Mapped[dict[str, Any]] = mapped_column(default=dict)
    summary: Mapped[dict[str, Any] | None]


class StatementRow(_OfDeal, Base):
    """What was said, by whom and how, bound to the statement before it by SHA-256.

    ``source`` is the document that carried it, where that is not the very proposal that it makes.
    """

    __tablename__ = "statement"
    __table_args__ = (UniqueConstraint("deal_id", "number"), UniqueConstraint("deal_id", "request_key"))

    id: Mapped[str] = mapped_column(primary_key=True)
    deal_id: Mapped[str] = mapped_column(ForeignKey("negotiation.id"), index=True)
    number: Mapped[int]
    kind: Mapped[str]
    by_id: Mapped[str | None]
    about: Mapped[str | None]
    offer_id: Mapped[str | None]
    text: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[datetime]
    reached_at: Mapped[datetime | None]
    terms_hash: Mapped[str | None]
    particulars: Mapped[dict[str, Any]] = mapped_column(default=dict)
    user_id: Mapped[str | None]
    user_name: Mapped[str | None]
    channel: Mapped[str]
    message_id: Mapped[str | None] = mapped_column(index=True)
    outbox_key: Mapped[str | None] = mapped_column(index=True)
    request_key: Mapped[str | None]
    document_kind: Mapped[str | None]
    document_number: Mapped[str | None] = mapped_column(index=True)
    document_sha256: Mapped[str | None]
    source_sha256: Mapped[str | None]
    source: Mapped[dict[str, Any] | None] = mapped_column(deferred=True, sort_order=LAST)
    previous: Mapped[str]
    hash: Mapped[str]

    def hashed_values(self) -> dict[str, Any]:
        """Return what the hash stands on: between whom, who said what, by which document, and when."""
        loaded = vars(self)  # a thousand statements of two dozen values each: past SQLAlchemy's look at every one
        values = {
            name: loaded[name] if name in loaded else getattr(self, name)
            for name in (
                "id", "deal_id", "number", "kind", "buyer_id", "seller_id", "by_id", "about", "offer_id", "text",
                "terms_hash", "user_id", "user_name", "channel", "message_id", "document_kind", "document_number",
                "document_sha256", "source_sha256",
            )
        }  # fmt: skip
        if self.particulars:
            values["particulars"] = self.particulars
        return values | {name: _iso(getattr(self, name)) for name in ("at", "reached_at")}

    def computed_hash(self) -> str:
        """Return the hash that this statement's values have."""
        return sha256((self.previous + to_json(self.hashed_values())).encode()).hexdigest()


class DealFileRow(_OfDeal, Base):
    """A file that a party brought to a deal, by the SHA-256 of its content; ``sent_at`` is when a statement named it.

    Until then the other party does not see it.
    """

    __tablename__ = "deal_file"
    __table_args__ = (UniqueConstraint("deal_id", "by_id", "sha256"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    deal_id: Mapped[str] = mapped_column(ForeignKey("negotiation.id"), index=True)
    by_id: Mapped[str]
    sha256: Mapped[str]
    name: Mapped[str]
    media_type: Mapped[str]
    length: Mapped[int]
    at: Mapped[datetime]
    sent_at: Mapped[datetime | None]

    @classmethod
    def visible_to(cls, org: str) -> ColumnElement[bool]:
        return and_(super().visible_to(org), or_(cls.by_id == org, cls.sent_at.is_not(None)))


class StandardTermsRow(Scoped, Base):
    """A version of an organisation's standard terms. Published: every organisation may read it."""

    __tablename__ = "standard_terms"
    __table_args__ = (UniqueConstraint("sha256"),)

    org: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    sha256: Mapped[str]
    content: Mapped[dict[str, Any]]
    at: Mapped[datetime]
    published_by: Mapped[str | None]

    @property
    def texts(self) -> dict[str, str]:
        texts: dict[str, str] = self.content["texts"]
        return texts

    @classmethod
    def visible_to(cls, org: str) -> ColumnElement[bool]:
        return true()


class ClaimRow(_OfDeal, Base):
    """What a message said of which history its sender has, and what was thought of it then (``histories``).

    ``length`` statements of ours were compared with. ``asks`` is whose people are to look into it, until one has.
    """

    __tablename__ = "history_claim"
    __table_args__ = (UniqueConstraint("deal_id", "by_id", "claim"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    deal_id: Mapped[str] = mapped_column(ForeignKey("negotiation.id"), index=True)
    by_id: Mapped[str]
    message_id: Mapped[str]
    at: Mapped[datetime]
    claim: Mapped[str]
    verdict: Mapped[str]
    length: Mapped[int]
    asks: Mapped[str | None] = mapped_column(index=True)
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[str | None]


@dataclass(frozen=True)
class Circumstances:
    """Who spoke and how it came, of no effect in law. ``source`` is the document as received or sent."""

    channel: str = "web"
    user_id: str | None = None
    user_name: str | None = None
    message_id: str | None = None
    outbox_key: str | None = None
    request_key: str | None = None
    source: TradeDocument | None = None


def next_number(session: Session, org: str, name: str) -> int:
    """Return the next number of ``name`` for ``org``; two transactions never get the same one."""
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    session.execute(insert(NumberRow).values(org=org, name=name, next=1).on_conflict_do_nothing())
    wanted = select(NumberRow).where(NumberRow.org == org, NumberRow.name == name).with_for_update()
    row = session.scalars(wanted.execution_options(populate_existing=True)).one()
    number = row.next
    row.next = number + 1
    session.flush()
    return number


def deal_row(session: Session, deal_id: str, *, lock: bool = False) -> DealRow | None:
    """Return the deal where the session may see it. ``lock`` makes other writers of this deal wait."""
    wanted = select(DealRow).where(DealRow.id == deal_id)
    if lock:
        wanted = wanted.with_for_update().execution_options(populate_existing=True)
    return session.scalar(wanted)


def inquiry_row(session: Session, inquiry_id: str) -> InquiryRow | None:
    return session.scalar(select(InquiryRow).where(InquiryRow.id == inquiry_id))


def statement_rows(session: Session, deals: Sequence[str]) -> list[StatementRow]:
    """Return the statements of these deals, each deal's in order."""
    wanted = select(StatementRow).where(StatementRow.deal_id.in_(deals))
    return list(session.scalars(wanted.order_by(StatementRow.deal_id, StatementRow.number)))


def offer_rows(session: Session, deals: Sequence[str]) -> dict[str, OfferRow]:
    wanted = select(OfferRow).where(OfferRow.deal_id.in_(deals)).order_by(OfferRow.id)
    return {row.id: row for row in session.scalars(wanted)}


def load(session: Session, row: DealRow) -> Negotiation:
    """Return the deal as the model knows it."""
    return load_all(session, [row])[row.id]


def load_all(session: Session, rows: Sequence[DealRow]) -> dict[str, Negotiation]:
    """Return several deals with two queries."""
    keys = [row.id for row in rows]
    return assembled(rows, statement_rows(session, keys), offer_rows(session, keys))


def assembled(
    rows: Sequence[DealRow], entries: Iterable[StatementRow], offers: Mapping[str, OfferRow]
) -> dict[str, Negotiation]:
    """Return the deals that these rows make."""
    said: dict[str, list[Statement]] = {row.id: [] for row in rows}
    for each in entries:
        said[each.deal_id].append(_statement(each, offers))
    return {row.id: _negotiation(row, said[row.id]) for row in rows}


def record(
    session: Session, row: DealRow, before: Negotiation, after: Negotiation, how: Circumstances
) -> StatementRow | None:
    """Store the one statement by which ``after`` goes beyond ``before``; None where there is none.

    The deal moves on by an UPDATE guarded by state and version. Raises Conflict where another one was first.
    """
    if len(after.statements) == len(before.statements):
        return None
    statement = after.statements[-1]
    state = "concluded" if contract(after, now=statement.at) else "open"
    entry = _entry(row, statement, how)
    moved = session.execute(
        update(DealRow)
        .where(DealRow.id == row.id, DealRow.state == row.state, DealRow.version == before.version)
        .where(DealRow.length == row.length)
        .values(
            version=after.version, state=state, updated_at=statement.at, head=entry.hash, length=entry.number,
            words=row.words + _words(statement, how), **_outlook(after, statement.at),
        )
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    if not isinstance(moved, CursorResult) or moved.rowcount != 1:
        raise Conflict(before.version, before.version + 1)
    if statement.offer is not None:
        session.add(_offer_row(row, statement.offer))
    session.add(entry)
    session.flush()
    session.refresh(row)
    return entry


def look_again(session: Session, row: DealRow, negotiation: Negotiation, now: datetime) -> None:
    """Bring the outlook of a deal up to ``now``: the clock has changed it."""
    for name, value in _outlook(negotiation, now).items():
        setattr(row, name, value)
    session.flush()


def overdue(session: Session, now: datetime, limit: int) -> list[DealRow]:
    """Return deals whose outlook the clock has changed since it was made, the longest ago first."""
    wanted = select(DealRow).where(DealRow.changes_at < now).order_by(DealRow.changes_at).limit(limit)
    return list(session.scalars(wanted))


def _outlook(negotiation: Negotiation, now: datetime) -> dict[str, Any]:
    return {**vars(outlook(negotiation, now=now)), "seen_at": now}


def deals_of_offer(session: Session, number: str, *, buyer: str, seller: str) -> list[OfferRow]:
    """Return the proposals between these two under this number, the latest first."""
    wanted = select(OfferRow).where(OfferRow.number == number, OfferRow.buyer_id == buyer, OfferRow.seller_id == seller)
    return list(session.scalars(wanted.order_by(OfferRow.id.desc())))


def statement_of_document(session: Session, *, by: str, kind: str, number: str, to: str) -> StatementRow | None:
    """Return the latest statement made by this document of ``by`` to ``to`` (R28, R29)."""
    wanted = (
        select(StatementRow)
        .where(StatementRow.by_id == by, StatementRow.document_kind == kind, StatementRow.document_number == number)
        .where(or_(StatementRow.buyer_id == to, StatementRow.seller_id == to))
        .order_by(StatementRow.id.desc())
        .limit(1)
    )
    return session.scalar(wanted)


def statement_by_key(session: Session, outbox_key: str) -> StatementRow | None:
    return session.scalar(select(StatementRow).where(StatementRow.outbox_key == outbox_key).limit(1))


def deals_of_inquiry(session: Session, inquiry_id: str, *, lock: bool = False) -> dict[str, DealRow]:
    """Return the deals of an inquiry by id, always in the same order, so that two who lock them do not wait in a ring."""
    wanted = select(DealRow).where(DealRow.inquiry_id == inquiry_id).order_by(DealRow.id)
    if lock:
        wanted = wanted.with_for_update().execution_options(populate_existing=True)
    return {row.id: row for row in session.scalars(wanted)}


def outbox_key(session: Session, statement_id: str) -> str | None:
    """Return under which key the statement left for a message partner; None for what did not leave so."""
    return session.scalar(select(StatementRow.outbox_key).where(StatementRow.id == statement_id))


def open_order_key(session: Session, deal_id: str, number: str | None) -> str | None:
    """Return under which key the order of that number (None: the first) waits to leave; None where none does."""
    waiting = select(OutboxRow).where(
        OutboxRow.subject == deal_id, OutboxRow.kind == "order", OutboxRow.closed_at.is_(None)
    )
    found = (each.idempotency_key for each in session.scalars(waiting) if number in (None, each.restored().number))
    return next(found, None)


def statement_by_request(session: Session, deal_id: str, request_key: str) -> StatementRow | None:
    wanted = select(StatementRow).where(StatementRow.deal_id == deal_id, StatementRow.request_key == request_key)
    return session.scalar(wanted)


def claim_rows(session: Session, deal_id: str) -> list[ClaimRow]:
    """Return what was claimed of the deal's history, in the order it came."""
    wanted = select(ClaimRow).where(ClaimRow.deal_id == deal_id)
    return list(session.scalars(wanted.order_by(ClaimRow.at, ClaimRow.id)))


def claims_made(session: Session, deal_id: str, by: str) -> dict[str, str]:
    """Return the claims that messages of ``by`` took along, by the key under which they left."""
    left = select(OutboxRow).where(OutboxRow.subject == deal_id, OutboxRow.sender == by)
    rows = session.scalars(left.order_by(OutboxRow.id))
    return {row.idempotency_key: row.document["heads"] for row in rows if row.document.get("heads")}


def source_of(session: Session, statement_id: str) -> TradeDocument | None:
    """Return the document that carried a statement, where it is kept beside the proposal."""
    row = session.get(StatementRow, statement_id)
    return _restored(row.source["kind"], row.source["document"]) if row is not None and row.source else None


def standard_terms_of(session: Session, statement_id: str) -> str | None:
    """Return the SHA-256 of its author's standard terms, where a statement refers to them."""
    row = session.get(StatementRow, statement_id)
    named = None if row is None else row.particulars.get("standard_terms")
    return str(named) if named else None


def carried_by(session: Session, row: StatementRow) -> TradeDocument | None:
    """Return the document that brought a statement: that of its proposal, or the one kept beside it."""
    if row.source is not None:
        return _restored(row.source["kind"], row.source["document"])
    offer = session.get(OfferRow, row.offer_id) if row.offer_id else None
    return restored(offer) if offer is not None else None


def verify(session: Session, deal_id: str) -> int | None:
    """Return the number of the first statement that is not as it was written, None where the chain is whole.

    Documents are judged by the text that was kept of them, and not read into today's model: a field that the model has
    got since then is no change of what was said.
    """
    row = deal_row(session, deal_id)
    entries = statement_rows(session, [deal_id])
    broken = first_broken(row, entries)
    stated = select(OfferRow.id, OfferRow.document).where(OfferRow.deal_id == deal_id)
    carried = select(StatementRow.id, StatementRow.source).where(StatementRow.deal_id == deal_id)
    offered: dict[str, dict[str, Any]] = dict(session.execute(stated).all())
    sources: dict[str, dict[str, Any] | None] = dict(session.execute(carried).all())
    for each in entries:
        source = sources[each.id]
        wrong_offer = each.offer_id is not None and _sha256(offered.get(str(each.offer_id))) != each.document_sha256
        wrong_source = source is not None and _sha256(source["document"]) != each.source_sha256
        if (wrong_offer or wrong_source) and (broken is None or each.number < broken):
            return each.number
    return broken


def first_broken(row: DealRow | None, entries: Sequence[StatementRow]) -> int | None:
    """Return where the chain of statements is broken, None where it is whole; the documents are not looked at."""
    previous, number = FIRST, 0
    for each in entries:
        number += 1
        if each.number != number or each.previous != previous or each.computed_hash() != each.hash:
            return number
        previous = each.hash
    if row is not None and (row.length, row.head) != (number, previous):
        return number + 1
    return None


def restored(row: OfferRow) -> TradeDocument:
    """Return the document of a proposal as it was made."""
    return _restored(row.kind, row.document)


def _restored(kind: str, stored: dict[str, Any]) -> TradeDocument:
    document = KINDS[kind].model_validate(stored)
    if not isinstance(document, TradeDocument):
        raise TypeError(f"{kind} states no terms")
    return document


def document_sha256(document: TradeDocument) -> str:
    """Return the hash that a document is recorded under now. What is on record is held to the text that was kept, for a
    later model writes the same document otherwise."""
    return _sha256(document.model_dump(mode="json"))


def _sha256(plain: dict[str, Any] | None) -> str:
    return sha256(to_json(plain).encode()).hexdigest()


def _negotiation(row: DealRow, said: Iterable[Statement]) -> Negotiation:
    return Negotiation(
        id=row.id,
        buyer=PartyId(row.buyer_id),
        seller=PartyId(row.seller_id),
        regime=REGIMES[row.regime],
        statements=tuple(said),
        ground=grounds.ground(row.ground),
        calendars=grounds.calendars(row.ground, row.created_at.year),
    )


def _statement(row: StatementRow, offers: Mapping[str, OfferRow]) -> Statement:
    return Statement(
        id=row.id,
        kind=Kind(row.kind),
        by=PartyId(row.by_id) if row.by_id else None,
        about=row.about,
        offer=_offer(offers[row.offer_id]) if row.offer_id else None,
        at=row.at,
        reached_at=row.reached_at,
        text=row.text,
        terms_hash=row.terms_hash,
        **particulars.of_statement(row.particulars),
    )


def _offer(row: OfferRow) -> Offer:
    return Offer(
        id=row.id,
        by=PartyId(row.by_id),
        content=_later(row),
        terms_hash=row.terms_hash,
        firm=row.firm,
        accept_by=row.accept_by,
        irrevocable=row.irrevocable,
        parent=row.parent_id,
        revision=row.revision,
        number=row.number,
        **particulars.of_offer(row.particulars),
    )


def _later(row: OfferRow) -> Callable[[], TradeDocument]:
    """Return what fetches the document when somebody reads it: by its session, or, after that has ended, by itself."""
    began = object_session(row)

    def fetch() -> TradeDocument:
        if object_session(row) is not None or began is None:
            return restored(row)
        with Session(began.get_bind()) as session:
            return _restored(row.kind, session.scalars(select(OfferRow.document).where(OfferRow.id == row.id)).one())

    return fetch


def _offer_row(row: DealRow, offer: Offer) -> OfferRow:
    return OfferRow(
        id=offer.id, deal_id=row.id, buyer_id=row.buyer_id, seller_id=row.seller_id, by_id=offer.by,
        kind=offer.document.kind, number=offer.number, revision=offer.revision,
        document=offer.document.model_dump(mode="json"), terms_hash=offer.terms_hash, firm=offer.firm,
        accept_by=offer.accept_by, irrevocable=offer.irrevocable, parent_id=offer.parent,
        particulars=particulars.for_offer(offer), summary=drafting.summary(offer.document),
    )  # fmt: skip


def _entry(row: DealRow, statement: Statement, how: Circumstances) -> StatementRow:
    offer = statement.offer
    document = offer.document if offer else how.source
    carrier = how.source or document
    entry = StatementRow(
        id=statement.id, deal_id=row.id, buyer_id=row.buyer_id, seller_id=row.seller_id, number=row.length + 1,
        kind=str(statement.kind), by_id=statement.by, about=statement.about, offer_id=offer.id if offer else None,
        text=statement.text, at=statement.at, reached_at=statement.reached_at,
        terms_hash=offer.terms_hash if offer else statement.terms_hash,
        particulars=particulars.for_statement(statement),
        user_id=how.user_id, user_name=how.user_name, channel=how.channel, message_id=how.message_id,
        outbox_key=how.outbox_key, request_key=how.request_key,
        document_kind=carrier.kind if carrier else None, document_number=carrier.number if carrier else None,
        document_sha256=document_sha256(document) if document else None,
        source_sha256=document_sha256(how.source) if how.source else None, previous=row.head,
        source=_kept(how.source) if how.source is not None and (offer is None or how.source is not document) else None,
    )  # fmt: skip
    entry.hash = entry.computed_hash()
    return entry


def _kept(document: TradeDocument) -> dict[str, Any]:
    return {"kind": document.kind, "document": document.model_dump(mode="json")}


def _words(statement: Statement, how: Circumstances) -> str:
    """What a search finds the deal by: the numbers of its documents and what was said."""
    document = statement.offer.document if statement.offer else how.source
    found = [document.number if document else None, statement.text]
    return "".join(f" {each}" for each in found if each).casefold()


def _iso(at: datetime | None) -> str | None:
    return at.isoformat(timespec="microseconds") if at else None
