"""What is to leave: a row, and the job that sends it, in the transaction of the change that it tells of."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from tradehub.documents import KINDS, Document
from tradehub.documents.parts import PartyId
from tradehub.platform import clock, ids
from tradehub.platform.db import Base, Scoped
from tradehub.platform.jobs import Jobs

SEND = "exchange.send"
"""The job that carries a row to its partner; its argument is the row's id."""


class OutboxRow(Base, Scoped):
    """A document on its way. ``closed_at`` is set once, with an ``outcome`` that exchange names: sent, or given up."""

    __tablename__ = "outbox"
    __table_args__ = (UniqueConstraint("sender", "idempotency_key"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    sender: Mapped[str]
    recipient: Mapped[str]
    kind: Mapped[str]
    document: Mapped[dict[str, Any]]
    subject: Mapped[str | None] = mapped_column(index=True)
    idempotency_key: Mapped[str]
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None] = mapped_column(index=True)
    outcome: Mapped[str | None]

    @classmethod
    def visible_to(cls, org: str) -> ColumnElement[bool]:
        return cls.sender == org

    def restored(self) -> Document:
        """Return the document as it was put."""
        return KINDS[self.kind].model_validate(self.document)


Prepare = Callable[[Session, Document, PartyId, PartyId, str | None], Document]
"""Given a document, its sender, whom it goes to and its subject: the document as it is to leave."""


def as_it_is(_session: Session, document: Document, _sender: PartyId, _to: PartyId, _subject: str | None) -> Document:
    return document


class Outbox:
    def __init__(self, jobs: Jobs, prepare: Prepare = as_it_is) -> None:
        self.jobs = jobs
        self._prepare = prepare

    def put(
        self,
        session: Session,
        document: Document,
        *,
        sender: PartyId,
        to: PartyId,
        idempotency_key: str,
        subject: str | None = None,
    ) -> str:
        """Let ``document`` leave when the caller's transaction is committed, and return the row's id.

        A second put under the same sender and key changes nothing and returns the first row's id.
        """
        same = select(OutboxRow.id).where(OutboxRow.sender == sender, OutboxRow.idempotency_key == idempotency_key)
        known = session.scalar(same)
        if known is not None:
            return known
        leaving = self._prepare(session, document, sender, to, subject)
        row = OutboxRow(
            id=ids.new_id(), sender=sender, recipient=to, kind=leaving.kind, document=leaving.model_dump(mode="json"),
            subject=subject, idempotency_key=idempotency_key, created_at=clock.now(),
        )  # fmt: skip
        session.add(row)
        session.flush()
        self.jobs.enqueue_in_tx(session, SEND, row.id, id=f"send:{row.id}")
        return row.id
