"""Use cases of fulfilment: take in a despatch advice, and let a seller write one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from tradehub.documents import Despatch, DespatchLine, Document, Order
from tradehub.documents.base import digest
from tradehub.documents.lines import by_order, keyed
from tradehub.documents.parts import DatedEvent, PartyId, Quantity, Reference, Transport
from tradehub.fulfilment.model import Compared, Tolerance, compare
from tradehub.fulfilment.store import DespatchPartRow, DespatchRow, plain_line
from tradehub.partners.handling import Handled, LineFacts, OrderFacts, Progress, Received, Refusal
from tradehub.platform import clock
from tradehub.platform.ids import new_id
from tradehub.platform.numbers import next_number
from tradehub.platform.outbox import Outbox


class Refused(Exception):
    """A despatch that this party may not write. ``rule`` names why."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


@dataclass(frozen=True)
class Shipment:
    """What the seller puts into the despatch form; quantities by order line."""

    quantities: Mapping[str, Decimal]
    shipped_on: date
    arrives_on: date | None = None
    carrier: str | None = None
    tracking: str | None = None
    batches: Mapping[str, str] = field(default_factory=dict)


class FulfilmentService:
    """``order_by_number(session, buyer, seller, number)`` and ``order_by_id(session, id)`` look an order up.

    ``on_progress`` is told what each despatch added to an order; ``is_web`` says whether a party needs no message.
    """

    def __init__(
        self,
        outbox: Outbox,
        *,
        order_by_number: Callable[[Session, PartyId, PartyId, str], OrderFacts | None],
        order_by_id: Callable[[Session, str], OrderFacts | None],
        on_progress: Callable[[Session, Progress], None],
        is_web: Callable[[Session, PartyId], bool],
        tolerance: Tolerance | None = None,
    ) -> None:
        self.outbox = outbox
        self.order_by_number = order_by_number
        self.order_by_id = order_by_id
        self.on_progress = on_progress
        self.is_web = is_web
        self.tolerance = tolerance or Tolerance()

    def receive_despatch(self, session: Session, document: Document, received: Received) -> Handled:
        """Attach a despatch advice to the orders that it names; the handler of ``despatch``.

        It is attached whole or not at all: one order that is not known refuses it, by name.
        """
        if not isinstance(document, Despatch):
            raise TypeError(f"not a despatch: {document.kind}")
        buyer, seller = received.owner, received.partner
        double = self._double(session, document, buyer, seller)
        if double is not None:
            return double
        parts = by_order(document, document.lines)
        orders = {number: self.order_by_number(session, buyer, seller, number) if number else None for number in parts}
        unknown = [number or "(no order named)" for number, order in orders.items() if order is None]
        if unknown:
            return Handled(refusal=Refusal("ORDER_UNKNOWN", None, f"No such order between us: {', '.join(unknown)}."))
        shares = [(order, parts[number]) for number, order in orders.items() if order is not None]
        row = self._take(session, document, shares, by=seller, at=received.received_at, message_id=received.message_id)
        return Handled(deal=shares[0][0].deal_id, subject=row.id)

    def draft(self, facts: OrderFacts, shipment: Shipment, *, number: str, issued_on: date) -> Despatch:
        """Return the despatch advice that ``shipment`` makes, as it would leave."""
        return despatch_of(facts.order, shipment, number=number, issued_on=issued_on)

    def check(self, facts: OrderFacts, despatch: Despatch) -> Compared:
        """Compare a despatch with its one order as it stands now."""
        return compare(despatch, despatch.lines, facts.order, open_quantities(facts), self.tolerance)

    def ship(self, session: Session, order_id: str, shipment: Shipment, *, by: PartyId) -> DespatchRow:
        """Despatch what the seller entered. Raises Refused for others than the seller, and for nothing to despatch."""
        facts = self.order_by_id(session, order_id)
        if facts is None or facts.seller != by:
            raise Refused("NOT_SELLER")
        if not any(shipment.quantities.values()):
            raise Refused("NOTHING_DESPATCHED")
        at = clock.now()
        number = f"DN-{at.year}-{next_number(session, f'despatch:{by}:{at.year}'):05d}"
        despatch = self.draft(facts, shipment, number=number, issued_on=at.date())
        row = self._take(session, despatch, [(facts, despatch.lines)], by=by, at=at)
        if not self.is_web(session, facts.buyer):
            self.outbox.put(
                session, despatch, sender=by, to=facts.buyer, idempotency_key=f"despatch:{row.id}",
                subject=facts.deal_id,
            )  # fmt: skip
        return row

    def of_order(self, session: Session, order_id: str) -> Sequence[DespatchPartRow]:
        """Return what was despatched under the order, in the order of arrival."""
        wanted = select(DespatchPartRow).join(DespatchRow).where(DespatchPartRow.order_id == order_id)
        return session.scalars(wanted.order_by(DespatchRow.at, DespatchRow.number)).unique().all()

    def _take(
        self,
        session: Session,
        despatch: Despatch,
        shares: Sequence[tuple[OrderFacts, Sequence[DespatchLine]]],
        *,
        by: PartyId,
        at: datetime,
        message_id: str | None = None,
    ) -> DespatchRow:
        first = shares[0][0]
        moved = next(iter(despatch.transport), Transport())
        row = DespatchRow(
            id=new_id(),
            number=despatch.number or f"({digest(despatch)[:12]})",
            buyer=first.buyer,
            seller=first.seller,
            issued_on=despatch.issued_on,
            carrier=moved.carrier or moved.routing,
            tracking=moved.tracking,
            document=despatch.model_dump(mode="json"),
            digest=digest(despatch),
            at=at,
            by=by,
            message_id=message_id,
        )
        session.add(row)
        session.flush()
        for facts, lines in shares:
            compared = compare(despatch, lines, facts.order, open_quantities(facts), self.tolerance)
            row.parts.append(_part(row, facts, compared))
            session.flush()
            self.on_progress(
                session,
                Progress(
                    order_id=facts.order_id,
                    kind="despatched",
                    document_id=row.id,
                    number=row.number,
                    state=compared.state,
                    by=by,
                    at=at,
                    message_id=message_id,
                    quantities=compared.quantities,
                ),
            )
        return row

    def _double(self, session: Session, despatch: Despatch, buyer: PartyId, seller: PartyId) -> Handled | None:
        """R28: the same despatch again changes nothing. R29: another one under its number is refused."""
        said = digest(despatch)
        mine = select(DespatchRow).where(DespatchRow.buyer == buyer, DespatchRow.seller == seller)
        same = DespatchRow.number == despatch.number if despatch.number else DespatchRow.digest == said
        known = session.scalar(mine.where(same))
        if known is None:
            return None
        facts = self.order_by_id(session, known.parts[0].order_id)
        handled = Handled(deal=facts.deal_id if facts else None, subject=known.id)
        if known.digest == said:
            return handled
        text = f"Despatch {despatch.number} was received before with other content."
        return Handled(deal=handled.deal, subject=known.id, refusal=Refusal("R29", None, text))


def open_quantities(facts: OrderFacts) -> dict[str, Decimal]:
    """Return what is still to be despatched by order line, never negative."""
    return {name: _open(line) for name, line in facts.lines.items()}


def despatch_of(order: Order, shipment: Shipment, *, number: str, issued_on: date) -> Despatch:
    """Return a despatch advice for what ``shipment`` takes of ``order``; lines without a quantity are left out."""
    lines = [
        DespatchLine(
            number=str(position),
            item=line.item,
            quantity=Quantity(value=shipment.quantities[name], unit=line.quantity.unit if line.quantity else None),
            ordered_quantity=line.quantity,
            batch=shipment.batches.get(name) or None,
            references=(Reference(type="order", value=order.number, line=name),),
        )
        for position, (name, line) in enumerate(
            ((name, line) for name, line in keyed(order.lines).items() if shipment.quantities.get(name)), 1
        )
    ]
    dates = [DatedEvent(type="shipped", on=shipment.shipped_on)]
    if shipment.arrives_on:
        dates.append(DatedEvent(type="estimated_delivery", on=shipment.arrives_on))
    moved = Transport(carrier=shipment.carrier or None, tracking=shipment.tracking or None)
    return Despatch(
        number=number,
        action="original",
        issued_on=issued_on,
        parties=order.parties,
        references=(Reference(type="order", value=order.number, on=order.issued_on),),
        dates=tuple(dates),
        transport=(moved,) if moved != Transport() else (),
        lines=tuple(lines),
    )


def _open(line: LineFacts) -> Decimal:
    return max(line.ordered - line.cancelled - line.despatched, Decimal(0))


def _part(row: DespatchRow, facts: OrderFacts, compared: Compared) -> DespatchPartRow:
    return DespatchPartRow(
        despatch_id=row.id,
        order_id=facts.order_id,
        buyer=row.buyer,
        seller=row.seller,
        state=compared.state,
        lines=[plain_line(line) for line in compared.lines],
        differences=[list(each) for each in compared.differences],
    )
