"""A hub's exchange with the seed partners, its folders in a temporary place, and a back office that keeps count."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column

from tests.exchange.plain import PlainCodec
from tests.fakes import FakeJobs
from tradehub.documents import Document, Order, PartyId
from tradehub.exchange.codec import Codec
from tradehub.exchange.inbound import Arrived, Receipt
from tradehub.exchange.service import ExchangeService
from tradehub.exchange.store import MessageRow
from tradehub.partners import files
from tradehub.partners.handling import Handled, Received, Refusal
from tradehub.partners.service import PartnerService
from tradehub.platform import clock, resources
from tradehub.platform.db import Base, Database
from tradehub.platform.files import PayloadStore
from tradehub.platform.outbox import Outbox

HAIDI, NINGBO = PartyId("haidi"), PartyId("ningbo")


class Booked(Base):
    """What the back office of the tests has made of documents: one row for each time it acted."""

    __tablename__ = "test_booked"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    number: Mapped[str | None]
    message: Mapped[str]


def book(session: Session, document: Document, received: Received) -> Handled:
    session.add(Booked(number=document.number, message=received.message_id))
    session.flush()
    if document.number == "NO-DEAL":
        return Handled(refusal=Refusal("unknown-deal", "R2", "no deal knows this number"))
    if document.number == "BUG":
        raise ZeroDivisionError("a fault of ours")
    return Handled(deal="deal-1", subject=document.number)


def _order(number: str) -> Order:
    """An order that every standard can carry."""
    parties = [{"role": "buyer", "name": "Haidi Trading"}, {"role": "seller", "name": "A supplier"}]
    line = {
        "number": "1", "item": {"ids": [{"scheme": "buyer", "value": "V-22"}], "name": "Ball valve"},
        "quantity": {"value": "10", "unit": "C62"}, "price": {"amount": "12.05"},
    }  # fmt: skip
    return Order.model_validate(
        {
            "number": number, "action": "original", "type": "order", "issued_on": "2026-11-23", "currency": "USD",
            "parties": parties, "lines": [line],
        }
    )  # fmt: skip


@dataclass
class Bench:
    """The exchange under test, and what a partner at the other end of the folder sees."""

    database: Database
    jobs: FakeJobs
    payloads: PayloadStore
    exchange: ExchangeService
    data_dir: Path
    reached: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def receive(self, payload: bytes, **facts: Any) -> Receipt:
        return self.exchange.inbound.receive(Arrived(payload, HAIDI, NINGBO, "drop", **facts))

    def put(self, number: str, *, to: str = "ningbo", key: str | None = None, **terms: Any) -> str:
        with self.database.write() as session:
            outbox = Outbox(self.jobs)
            return outbox.put(
                session,
                _order(number).model_copy(update=terms),
                sender=HAIDI,
                to=PartyId(to),
                idempotency_key=key or number,
                subject="deal-1",
            )

    def messages(self, direction: str = "in") -> list[MessageRow]:
        with self.database.read() as session:
            rows = select(MessageRow).where(MessageRow.direction == direction)
            return list(session.scalars(rows.order_by(MessageRow.created_at, MessageRow.id)))

    def message(self, message_id: str) -> MessageRow:
        with self.database.read() as session:
            return session.get_one(MessageRow, message_id)

    def booked(self) -> list[str | None]:
        with self.database.read() as session:
            return list(session.scalars(select(Booked.number).order_by(Booked.id)))

    def sent(self, partner: str = "ningbo") -> list[bytes]:
        """What lies in the partner's folder, oldest first."""
        folder = self.data_dir / "exchange" / partner / "to-partner"
        paths = sorted(folder.glob("[!.]*"), key=lambda path: path.stat().st_mtime_ns) if folder.is_dir() else []
        return [path.read_bytes() for path in paths]

    def drop(self, payload: bytes, name: str = "a.edi", partner: str = "ningbo") -> Path:
        path = self.data_dir / "exchange" / partner / "from-partner" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(payload)
        return path

    def poll(self) -> int:
        with self.database.read() as session:
            channels = self.exchange.polled_channels(session)
        return sum(self.exchange.poll(each) for each in channels)


@pytest.fixture
def make_bench(database: Database, jobs: FakeJobs, payloads: PayloadStore, tmp_path: Path) -> Callable[[Codec], Bench]:
    def make(codec: Codec) -> Bench:
        partners = PartnerService()
        with database.write() as session:
            partners.apply(session, files.read_folder(resources.folder("partners")).incoming, by="test", at=clock.now())
        reached: list[str] = []
        failed: list[str] = []

        def on_reached(session: Session, key: str, at: datetime) -> None:
            reached.append(key)

        def on_failed(session: Session, key: str, at: datetime) -> None:
            failed.append(key)

        handlers = dict.fromkeys(("inquiry", "offer", "order", "order_response", "despatch", "invoice"), book)
        exchange = ExchangeService(
            database=database, payloads=payloads, jobs=jobs, partners=partners, codec=codec, data_dir=tmp_path,
            handlers=handlers, on_reached=on_reached, on_failed=on_failed,
        )  # fmt: skip
        exchange.register()
        return Bench(database, jobs, payloads, exchange, tmp_path, reached, failed)

    return make


@pytest.fixture
def bench(make_bench: Callable[[Codec], Bench]) -> Bench:
    """The exchange with the made-up syntax of ``plain``."""
    return make_bench(PlainCodec())
