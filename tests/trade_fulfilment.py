"""The four capabilities after conclusion, wired as the hub wires them, and documents in the words of the trade."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.fakes import FakeJobs
from tradehub.billing.service import BillingService
from tradehub.contracting.service import ContractService
from tradehub.documents import (
    Despatch,
    DespatchLine,
    Document,
    Invoice,
    Line,
    Offer,
    Order,
    OrderResponse,
    ResponseLine,
)
from tradehub.documents.parts import (
    DatedEvent,
    Identifier,
    Item,
    Party,
    PartyId,
    PaymentTerms,
    Price,
    Quantity,
    Reference,
)
from tradehub.documents.terms import terms_hash
from tradehub.documents.trade import LineResponse, Totals
from tradehub.fulfilment.service import FulfilmentService
from tradehub.ordering.service import OrderingService
from tradehub.ordering.store import OrderRow
from tradehub.partners.handling import Concluded, Handled, Progress, Received
from tradehub.platform.db import Database
from tradehub.platform.outbox import Outbox, OutboxRow

AT = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
HAIDI, NINGBO, DELTA, RHEIN = PartyId("haidi"), PartyId("ningbo"), PartyId("delta"), PartyId("rhein")
WEB = {HAIDI, DELTA}
ITEMS = {"1": "V-22", "2": "V-40", "3": "G-7"}


def item(name: str) -> Item:
    return Item(ids=(Identifier(scheme="buyer", value=name),), name=f"Part {name}")


def ordered(number: str, quantity: str, price: str, **more: Any) -> Line:
    return Line(
        number=number,
        item=item(ITEMS[number]),
        quantity=Quantity(value=Decimal(quantity), unit="C62"),
        price=Price(amount=Decimal(price)),
        **more,
    )


def offer(**more: Any) -> Offer:
    fields: dict[str, Any] = {
        "number": "Q-7781",
        "issued_on": date(2026, 3, 1),
        "currency": "USD",
        "dates": (
            DatedEvent(type="promised_delivery", on=date(2026, 4, 1)),
            DatedEvent(type="valid_until", on=date(2026, 3, 20)),
        ),
        "payment_terms": (PaymentTerms(net_days=30),),
        "lines": (ordered("1", "100", "12.40"), ordered("2", "40", "3.05"), ordered("3", "1000", "0.125")),
    }
    return Offer(**{**fields, **more})


def concluded(deal: str = "deal-1", seller: PartyId = NINGBO, buyer: PartyId = HAIDI, **more: Any) -> Concluded:
    accepted = more.pop("offer", None) or offer()
    return Concluded(
        deal_id=deal, inquiry="RFQ-1", buyer=buyer, seller=seller, offer=accepted, terms_hash=terms_hash(accepted),
        at=AT, accepted_by=buyer, **more,
    )  # fmt: skip


def from_partner(partner: PartyId = NINGBO, owner: PartyId = HAIDI, message: str = "m-1") -> Received:
    return Received(message_id=message, owner=owner, partner=partner, standard="x12", type="855", received_at=AT)


def response(order: str | None, *lines: ResponseLine, **more: Any) -> OrderResponse:
    references = (Reference(type="order", value=order),) if order else ()
    return OrderResponse(references=references, lines=lines, **more)


def answer(number: str, *parts: LineResponse, **more: Any) -> ResponseLine:
    return ResponseLine(number=number, item=item(ITEMS[number]), responses=parts, **more)


def despatch(number: str, order: str, quantities: dict[str, str], **more: Any) -> Despatch:
    lines = tuple(
        DespatchLine(
            number=str(at), item=item(ITEMS.get(name, name)), quantity=Quantity(value=Decimal(value), unit="C62")
        )
        for at, (name, value) in enumerate(quantities.items(), 1)
    )
    return Despatch(**{"number": number, "references": (Reference(type="order", value=order),), "lines": lines, **more})


def invoice(number: str, order: str, lines: dict[str, tuple[str, str]], **more: Any) -> Invoice:
    made = tuple(
        Line(
            number=name,
            item=item(ITEMS.get(name, name)),
            quantity=Quantity(value=Decimal(quantity), unit="C62"),
            price=Price(amount=Decimal(price)),
        )
        for name, (quantity, price) in lines.items()
    )
    fields = {
        "number": number, "type": "invoice", "issued_on": date(2026, 4, 2), "currency": "USD",
        "references": (Reference(type="order", value=order),), "lines": made,
    }  # fmt: skip
    return Invoice(**{**fields, **more})


def payable(amount: str) -> Totals:
    return Totals(payable=Decimal(amount))


@dataclass
class Trade:
    """A small hub: everything after conclusion, with haidi and delta on the web, the others by message."""

    database: Database
    jobs: FakeJobs

    def __post_init__(self) -> None:
        outbox = Outbox(self.jobs)
        self.contracts = ContractService()
        self.orders = OrderingService(
            outbox,
            is_web=is_web,
            party_of=lambda session, party: Party(role="", name=party.title()),
            on_contract=self.contracts.move_on,
            on_amended=self._amended,
        )
        lookups: dict[str, Any] = {
            "order_by_number": self.orders.facts_by_number,
            "order_by_id": self.orders.facts,
            "is_web": is_web,
        }
        self.billing = BillingService(outbox, on_progress=self.orders.advance, on_state=self.orders.flag, **lookups)
        self.fulfilment = FulfilmentService(outbox, on_progress=self._despatched, **lookups)

    def _despatched(self, session: Session, progress: Progress) -> None:
        self.orders.advance(session, progress)
        self.billing.rematch(session, progress.order_id)

    def _amended(self, session: Session, order_id: str, deal_id: str, order: Order, by: PartyId, at: datetime) -> None:
        self.contracts.amend(session, deal_id, order, by, at)
        self.billing.rematch(session, order_id)

    def conclude(self, what: Concluded | None = None) -> str:
        what = what or concluded()
        with self.database.write() as session:
            self.contracts.record(session, what)
            return self.orders.place(session, what)

    def receive(self, document: Document, received: Received | None = None) -> Handled:
        handlers: dict[str, Callable[[Session, Document, Received], Handled]] = {
            "order_response": self.orders.receive_order_response,
            "despatch": self.fulfilment.receive_despatch,
            "invoice": self.billing.receive_invoice,
        }
        with self.database.write() as session:
            return handlers[document.kind](session, document, received or from_partner())

    def order(self, order_id: str, org: str | None = None) -> OrderRow:
        """Return the order with everything that belongs to it loaded."""
        with self.database.read(org) as session:
            row = self.orders.row(session, order_id)
            _ = (row.lines, row.versions, row.responses, row.events)
            return row

    def left(self) -> list[Document]:
        """Return the documents in the outbox, in order."""
        with self.database.read() as session:
            return [row.restored() for row in session.scalars(select(OutboxRow).order_by(OutboxRow.id))]


def is_web(session: Session, party: str) -> bool:
    return party in WEB
