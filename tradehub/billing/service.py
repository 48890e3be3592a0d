"""Use cases of billing: take in an invoice, match it, match it anew when goods follow, and let a seller write one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from tradehub.billing.model import (
    Billed,
    EarlierLine,
    Matched,
    State,
    Tolerances,
    arithmetic,
    is_credit,
    match,
    state_of,
    total_of,
)
from tradehub.billing.store import InvoicePartRow, InvoiceRow, plain_line
from tradehub.documents import Document, Invoice, Line, Order, Totals
from tradehub.documents.amounts import net_amount, rounded
from tradehub.documents.base import digest
from tradehub.documents.lines import by_order, keyed
from tradehub.documents.parts import DatedEvent, PartyId, Quantity, Reference, Tax
from tradehub.partners.handling import Handled, OrderFacts, Progress, Received, Refusal
from tradehub.platform import clock
from tradehub.platform.ids import new_id
from tradehub.platform.numbers import next_number
from tradehub.platform.outbox import Outbox


class Refused(Exception):
    """An invoice that this party may not write. ``rule`` names why."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


@dataclass(frozen=True)
class Bill:
    """What the seller puts into the invoice form; quantities and prices by order line, tax in percent."""

    quantities: Mapping[str, Decimal]
    prices: Mapping[str, Decimal]
    issued_on: date
    tax_rate: Decimal = Decimal(0)
    due_on: date | None = None
    number: str | None = None


class BillingService:
    """``order_by_number(session, buyer, seller, number)`` and ``order_by_id(session, id)`` look an order up.

    ``on_progress`` is told what each invoice added to an order, ``on_state(session, order_id, has_differences=)``
    whether one of its invoices is held; ``is_web`` says whether a party needs no message.
    """

    def __init__(
        self,
        outbox: Outbox,
        *,
        order_by_number: Callable[[Session, PartyId, PartyId, str], OrderFacts | None],
        order_by_id: Callable[[Session, str], OrderFacts | None],
        on_progress: Callable[[Session, Progress], None],
        on_state: Callable[..., None],
        is_web: Callable[[Session, PartyId], bool],
        tolerances: Tolerances | None = None,
    ) -> None:
        self.outbox = outbox
        self.order_by_number = order_by_number
        self.order_by_id = order_by_id
        self.on_progress = on_progress
        self.on_state = on_state
        self.is_web = is_web
        self.tolerances = tolerances or Tolerances()

    # Receiving -----------------------------------------------------------------------------------------------------

    def receive_invoice(self, session: Session, document: Document, received: Received) -> Handled:
        """Attach an invoice to the orders that it names and match it; the handler of ``invoice``."""
        if not isinstance(document, Invoice):
            raise TypeError(f"not an invoice: {document.kind}")
        buyer, seller = received.owner, received.partner
        if not document.number:
            return Handled(refusal=Refusal("INVOICE_NUMBER", None, "The invoice has no number."))
        double = self._double(session, document, buyer, seller, received.received_at)
        if double is not None:
            return double
        places = _places_by_order(document)
        orders = {number: self.order_by_number(session, buyer, seller, number) if number else None for number in places}
        unknown = [number or "(no order named)" for number, order in orders.items() if order is None]
        if unknown:
            text = f"Invoice {document.number}: no such order between us: {', '.join(unknown)}."
            return Handled(refusal=Refusal("ORDER_UNKNOWN", None, text))
        shares = [(order, places[number]) for number, order in orders.items() if order is not None]
        refusal = self._refuse_credit(session, document, buyer, seller)
        if refusal is not None:
            return Handled(deal=shares[0][0].deal_id, refusal=refusal)
        row = self._take(session, document, shares, by=seller, at=received.received_at, message_id=received.message_id)
        return Handled(deal=shares[0][0].deal_id, subject=row.id)

    def _refuse_credit(self, session: Session, invoice: Invoice, buyer: PartyId, seller: PartyId) -> Refusal | None:
        """A credit note must name the invoice that it corrects, and that must be ours."""
        if not is_credit(invoice):
            return None
        number = invoice.reference("invoice") or invoice.reference("previous")
        known = session.scalar(
            select(InvoiceRow.id).where(
                InvoiceRow.buyer == buyer, InvoiceRow.seller == seller, InvoiceRow.number == number
            )
        )
        if known is not None:
            return None
        named = number or "(no invoice named)"
        return Refusal("INVOICE_UNKNOWN", None, f"Credit note {invoice.number}: no such invoice: {named}.")

    def _double(
        self, session: Session, invoice: Invoice, buyer: PartyId, seller: PartyId, at: datetime
    ) -> Handled | None:
        """R28: the same invoice again changes nothing. R29: another one under its number and year is refused."""
        known = session.scalar(
            select(InvoiceRow)
            .where(InvoiceRow.buyer == buyer, InvoiceRow.seller == seller)
            .where(InvoiceRow.number == invoice.number, InvoiceRow.year == _year(invoice, at))
        )
        if known is None:
            return None
        facts = self.order_by_id(session, known.parts[0].order_id)
        deal = facts.deal_id if facts else None
        if known.digest == digest(invoice):
            return Handled(deal=deal, subject=known.id)
        text = f"Invoice {invoice.number} was received before in {known.year} with other content."
        return Handled(deal=deal, subject=known.id, refusal=Refusal("R29", None, text))

    def _take(
        self,
        session: Session,
        invoice: Invoice,
        shares: Sequence[tuple[OrderFacts, list[int]]],
        *,
        by: PartyId,
        at: datetime,
        message_id: str | None = None,
    ) -> InvoiceRow:
        first = shares[0][0]
        row = InvoiceRow(
            id=new_id(),
            number=invoice.number or "",
            year=_year(invoice, at),
            type=invoice.type,
            buyer=first.buyer,
            seller=first.seller,
            issued_on=invoice.issued_on,
            currency=invoice.currency,
            total=total_of(invoice),
            state=State.MATCHED,
            differences=[list(each) for each in arithmetic(invoice)],
            document=invoice.model_dump(mode="json"),
            digest=digest(invoice),
            at=at,
            by=by,
            message_id=message_id,
        )
        session.add(row)
        session.flush()
        matches = [(facts, places, self._matched(session, row, facts, places)) for facts, places in shares]
        for facts, places, matched in matches:
            row.parts.append(_part(row, facts, places, matched))
        _settle(row)
        session.flush()
        for facts, _, matched in matches:
            self.on_progress(
                session,
                Progress(
                    order_id=facts.order_id,
                    kind="invoiced",
                    document_id=row.id,
                    number=row.number,
                    state=row.state,
                    by=by,
                    at=at,
                    message_id=message_id,
                    quantities=matched.quantities,
                ),
            )
            self._announce(session, facts.order_id)
        return row

    # Matching ------------------------------------------------------------------------------------------------------

    def rematch(self, session: Session, order_id: str) -> None:
        """Match the order's invoices anew, in the order of their arrival: goods have followed, or terms were agreed."""
        facts = self.order_by_id(session, order_id)
        if facts is None:
            return
        for part in self.of_order(session, order_id):
            matched = self._matched(session, part.whole, facts, part.places)
            part.lines = [plain_line(line) for line in matched.lines]
            part.differences = [list(each) for each in matched.differences]
            _settle(part.whole)
        session.flush()
        self._announce(session, order_id)

    def _matched(self, session: Session, row: InvoiceRow, facts: OrderFacts, places: Sequence[int]) -> Matched:
        before = [part for part in self.of_order(session, facts.order_id) if _precedes(part.whole, row)]
        invoiced: dict[str, Decimal] = {}
        earlier: list[EarlierLine] = []
        for part in before:
            sign = -1 if part.whole.type == "credit_note" else 1
            for line in part.charged:
                if line.line is not None and line.quantity is not None:
                    invoiced[line.line] = invoiced.get(line.line, Decimal(0)) + sign * line.quantity
                    if sign == 1:
                        earlier.append(EarlierLine(part.whole.number, line.line, line.quantity, line.net))
        billed = {
            name: Billed(line.ordered - line.cancelled, line.despatched, invoiced.get(name, Decimal(0)))
            for name, line in facts.lines.items()
        }
        invoice = row.invoice
        return match(
            invoice,
            [invoice.lines[place] for place in places],
            facts.order,
            billed,
            () if is_credit(invoice) else earlier,
            self.tolerances,
        )

    def _announce(self, session: Session, order_id: str) -> None:
        held = any(part.whole.stands is State.HELD for part in self.of_order(session, order_id))
        self.on_state(session, order_id, has_differences=held)

    def of_order(self, session: Session, order_id: str) -> Sequence[InvoicePartRow]:
        """Return what was invoiced under the order, in the order of arrival."""
        wanted = select(InvoicePartRow).join(InvoiceRow).where(InvoicePartRow.order_id == order_id)
        return session.scalars(wanted.order_by(InvoiceRow.at, InvoiceRow.id)).unique().all()

    # Writing -------------------------------------------------------------------------------------------------------

    def draft(self, facts: OrderFacts, bill: Bill, *, number: str) -> Invoice:
        """Return the invoice that ``bill`` makes, as it would leave."""
        return invoice_of(facts.order, bill, number=number)

    def check(self, facts: OrderFacts, invoice: Invoice) -> Matched:
        """Match an invoice against its one order as it stands now."""
        billed = {
            name: Billed(line.ordered - line.cancelled, line.despatched, line.invoiced)
            for name, line in facts.lines.items()
        }
        return match(invoice, invoice.lines, facts.order, billed, (), self.tolerances)

    def bill(self, session: Session, order_id: str, bill: Bill, *, by: PartyId) -> InvoiceRow:
        """Invoice what the seller entered. Raises Refused for others, for nothing, and for a number used this year."""
        facts = self.order_by_id(session, order_id)
        if facts is None or facts.seller != by:
            raise Refused("NOT_SELLER")
        if not any(bill.quantities.values()):
            raise Refused("NOTHING_INVOICED")
        at = clock.now()
        number = bill.number or f"INV-{at.year}-{next_number(session, f'invoice:{by}:{at.year}'):05d}"
        invoice = self.draft(facts, bill, number=number)
        if self._double(session, invoice, facts.buyer, by, at) is not None:
            raise Refused("NUMBER_USED")
        row = self._take(session, invoice, [(facts, list(range(len(invoice.lines))))], by=by, at=at)
        if not self.is_web(session, facts.buyer):
            self.outbox.put(
                session, invoice, sender=by, to=facts.buyer, idempotency_key=f"invoice:{row.id}",
                subject=facts.deal_id,
            )  # fmt: skip
        return row


def invoice_of(order: Order, bill: Bill, *, number: str) -> Invoice:
    """Return an invoice for what ``bill`` charges of ``order``: lines rounded first, then summed, tax on the sum."""
    tax = Tax(category="S" if bill.tax_rate else "Z", rate=bill.tax_rate)
    lines: list[Line] = []
    for name, line in keyed(order.lines).items():
        quantity = bill.quantities.get(name)
        if not quantity or line.price is None:
            continue
        charged = Line(
            number=str(len(lines) + 1),
            item=line.item,
            quantity=Quantity(value=quantity, unit=line.quantity.unit if line.quantity else None),
            price=line.price.model_copy(update={"amount": bill.prices.get(name, line.price.amount)}),
            taxes=(tax,),
            references=(Reference(type="order", value=order.number, line=name),),
        )
        lines.append(charged.model_copy(update={"net_amount": net_amount(charged, order.currency)}))
    goods = sum((line.net_amount for line in lines if line.net_amount is not None), Decimal(0))
    taxed = rounded(goods * bill.tax_rate / 100, order.currency)
    dates = (DatedEvent(type="due", on=bill.due_on),) if bill.due_on else ()
    return Invoice(
        number=number,
        action="original",
        type="invoice",
        issued_on=bill.issued_on,
        parties=order.parties,
        references=(Reference(type="order", value=order.number, on=order.issued_on),),
        dates=dates,
        currency=order.currency,
        payment_terms=order.payment_terms,
        taxes=(tax.model_copy(update={"basis": goods, "amount": taxed}),),
        totals=Totals(lines=goods, before_tax=goods, tax=taxed, with_tax=goods + taxed, payable=goods + taxed),
        lines=tuple(lines),
    )


def due_day(order: Order, issued_on: date) -> date | None:
    """Return the day on which an invoice of ``issued_on`` is due under the order's terms of payment, if they say."""
    days = next((terms.net_days for terms in order.payment_terms if terms.net_days is not None), None)
    return None if days is None else issued_on + timedelta(days=days)


def _places_by_order(invoice: Invoice) -> dict[str | None, list[int]]:
    """Return the places of the lines (from 0) by the number of the order that each charges."""
    places = {id(line): place for place, line in enumerate(invoice.lines)}
    return {number: [places[id(line)] for line in lines] for number, lines in by_order(invoice, invoice.lines).items()}


def _year(invoice: Invoice, at: datetime) -> int:
    return (invoice.issued_on or at.date()).year


def _precedes(one: InvoiceRow, other: InvoiceRow) -> bool:
    return (one.at, one.id) < (other.at, other.id)


def _settle(row: InvoiceRow) -> None:
    row.state = state_of((*row.found, *(each for part in row.parts for each in part.found)))


def _part(row: InvoiceRow, facts: OrderFacts, places: Sequence[int], matched: Matched) -> InvoicePartRow:
    return InvoicePartRow(
        invoice_id=row.id,
        order_id=facts.order_id,
        buyer=row.buyer,
        seller=row.seller,
        places=list(places),
        lines=[plain_line(line) for line in matched.lines],
        differences=[list(each) for each in matched.differences],
    )
