"""How the robot supplier trades: a document in, its answers out. Pure, and decided by a seed alone.

It quotes every inquiry, moves half-way towards each counter and gives in at the third, confirms an order the way its
temper says, then ships and bills. One line is shipped short and one billed above the agreed price, so that the buyer
has a difference to find.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal, NamedTuple

from tradehub.documents import (
    Despatch,
    DespatchLine,
    Document,
    Inquiry,
    Invoice,
    Line,
    LineResponse,
    Offer,
    Order,
    OrderResponse,
    Package,
    ResponseLine,
    Totals,
)
from tradehub.documents.parts import DatedEvent, DeliveryTerms, PaymentTerms, Price, Quantity, Reference, Tax

Temper = Literal["accept", "change", "counter", "reject"]
CENT = Decimal("0.01")
OFFER_STANDS_FOR = timedelta(days=14)
GIVES_IN_AT_ROUND = 3


class Supplier(NamedTuple):
    """Who the robot plays. ``temper`` says how it answers an order; ``seed`` fixes its prices."""

    party: str
    incoterm: str
    place: str
    payment: PaymentTerms
    temper: Temper = "accept"
    seed: int = 1
    tax_rate: Decimal = Decimal(0)


class Answer(NamedTuple):
    """A document to send, ``after`` seconds from the one before it."""

    document: Document
    after: float


def answers(
    supplier: Supplier, received: Document, offers: Mapping[str, Offer], *, today: date, serial: int
) -> tuple[Answer, ...]:
    """Return what the supplier sends back for ``received``.

    ``offers`` are its own offers so far by number; ``serial`` is a number it has not used yet. A document that needs no
    answer gets none.
    """
    if isinstance(received, Inquiry):
        offer = quote(supplier, received, offers, today=today, serial=serial)
        return (Answer(offer, 0.0),) if offer else ()
    if isinstance(received, Order):
        return confirm(supplier, received, today=today, serial=serial)
    return ()


def quote(
    supplier: Supplier, inquiry: Inquiry, offers: Mapping[str, Offer], *, today: date, serial: int
) -> Offer | None:
    """Return a firm offer: list prices at first, then half-way to the counter, then the counter itself."""
    if inquiry.action in {"cancel", "withdraw"}:
        return None
    earlier = offers.get(inquiry.reference("offer") or "")
    inquiry_number = inquiry.reference("inquiry") or inquiry.number or ""
    rounds = sum(1 for each in offers.values() if each.reference("inquiry") == inquiry_number)
    wished = inquiry.date_of("requested_delivery")
    promised = (wished or today + timedelta(days=30)) + timedelta(days=_draw(supplier, inquiry_number, "days", 0, 12))
    references = [Reference(type="inquiry", value=inquiry_number)]
    if earlier is not None:
        references.append(Reference(type="offer", value=earlier.number))
        promised = _between(earlier.date_of("requested_delivery") or promised, wished, rounds)
    return Offer(
        number=f"Q{supplier.party[:2].upper()}{serial:05d}",
        action="original",
        issued_on=today,
        currency=inquiry.currency or "USD",
        parties=inquiry.parties,
        references=tuple(references),
        dates=(
            DatedEvent(type="requested_delivery", on=promised),
            DatedEvent(type="valid_until", on=today + OFFER_STANDS_FOR),
        ),
        delivery_terms=inquiry.delivery_terms or DeliveryTerms(incoterm=supplier.incoterm, place=supplier.place),
        payment_terms=inquiry.payment_terms or (supplier.payment,),
        lines=tuple(
            _priced(supplier, line, earlier, rounds, position) for position, line in enumerate(inquiry.lines, 1)
        ),
    )


def confirm(supplier: Supplier, order: Order, *, today: date, serial: int) -> tuple[Answer, ...]:
    """Return the answer to the order and, unless it was rejected or countered, the despatch advice and the invoice."""
    response = respond(supplier, order, today=today, serial=serial)
    if supplier.temper in {"reject", "counter"}:
        return (Answer(response, 0.0),)
    despatch = ship(order, today=today, serial=serial)
    return Answer(response, 0.0), Answer(despatch, 4.0), Answer(bill(supplier, order, today=today, serial=serial), 3.0)


def respond(supplier: Supplier, order: Order, *, today: date, serial: int) -> OrderResponse:
    """Return the order response of the supplier's temper: plain, with a later date, or a higher price as a counter."""
    wished = order.date_of("requested_delivery") or today + timedelta(days=30)
    later = wished + timedelta(days=3)
    response = {
        "accept": "accepted",
        "change": "accepted_with_change",
        "counter": "counter_offer",
        "reject": "rejected",
    }
    return OrderResponse(
        number=f"OR{serial:05d}",
        action="original",
        issued_on=today,
        currency=order.currency,
        response=response[supplier.temper],
        parties=order.parties,
        references=(Reference(type="order", value=order.number, on=order.issued_on),),
        dates=(DatedEvent(type="promised_delivery", on=wished if supplier.temper == "accept" else later),),
        delivery_terms=order.delivery_terms,
        payment_terms=order.payment_terms,
        lines=tuple(_answered(supplier, line, later, first=not position) for position, line in enumerate(order.lines)),
    )


def ship(order: Order, *, today: date, serial: int) -> Despatch:
    """Return a despatch advice for the whole order on one pallet, the second line two short."""
    number = f"DN{serial:05d}"
    pallet = Package(number="2", parent="1", kind="tare", sscc=_sscc(serial))
    return Despatch(
        number=number,
        action="original",
        issued_on=today,
        parties=order.parties,
        references=(Reference(type="order", value=order.number, on=order.issued_on),),
        dates=(
            DatedEvent(type="shipped", on=today),
            DatedEvent(type="estimated_delivery", on=order.date_of("requested_delivery") or today + timedelta(days=14)),
        ),
        packages=(Package(number="1", kind="shipment"), pallet),
        package_count=1,
        lines=tuple(
            DespatchLine(
                number=line.number,
                item=line.item,
                quantity=_short(line.quantity, Decimal(2) if position == 2 else Decimal(0)),
                ordered_quantity=line.quantity,
                references=(Reference(type="order", value=order.number, line=line.number),),
                package="2",
            )
            for position, line in enumerate(order.lines, 1)
        ),
    )


def bill(supplier: Supplier, order: Order, *, today: date, serial: int) -> Invoice:
    """Return an invoice for the whole order, the third line billed four per cent above the agreed price."""
    lines = tuple(_billed(supplier, order, line, position) for position, line in enumerate(order.lines, 1))
    net = sum((line.net_amount or Decimal(0) for line in lines), Decimal(0))
    tax = _cents(net * supplier.tax_rate / 100)
    return Invoice(
        number=f"IN{serial:05d}",
        type="invoice",
        action="original",
        issued_on=today,
        currency=order.currency,
        parties=order.parties,
        references=(Reference(type="order", value=order.number, on=order.issued_on),),
        payment_terms=order.payment_terms,
        taxes=(Tax(category="S" if tax else "Z", rate=supplier.tax_rate, basis=net, amount=tax),),
        totals=Totals(lines=net, before_tax=net, tax=tax, with_tax=net + tax, payable=net + tax),
        lines=lines,
    )


def _priced(supplier: Supplier, line: Line, earlier: Offer | None, rounds: int, position: int) -> Line:
    asked = line.price.amount if line.price else None
    before = None if earlier is None else _price_in(earlier, line, position)
    if before is None or asked is None:
        amount = before or _list_price(supplier, line)
    elif rounds >= GIVES_IN_AT_ROUND or asked >= before:
        amount = asked
    else:
        amount = _cents((before + asked) / 2)
    return line.model_copy(update={"price": Price(amount=amount), "dates": (), "references": ()})


def _price_in(offer: Offer, line: Line, position: int) -> Decimal | None:
    same = next((each for each in offer.lines if each.number == line.number), None)
    same = same or (offer.lines[position - 1] if position <= len(offer.lines) else None)
    return same.price.amount if same and same.price else None


def _list_price(supplier: Supplier, line: Line) -> Decimal:
    # Suppliers agree roughly on what an article is worth and differ by some per cent.
    article = line.item.identifier("buyer") or line.item.name or line.item.description or line.number or ""
    worth = Decimal(_draw(supplier._replace(party="", seed=0), article, "worth", 400, 9000)) / 100
    margin = Decimal(_draw(supplier, article, "margin", 96, 112)) / 100
    return _cents(worth * margin)


def _between(promised: date, wished: date | None, rounds: int) -> date:
    if wished is None or wished >= promised or rounds >= GIVES_IN_AT_ROUND:
        return wished or promised
    return wished + (promised - wished) / 2


def _answered(supplier: Supplier, line: Line, later: date, *, first: bool) -> ResponseLine:
    kept = {name: getattr(line, name) for name in ("number", "item", "quantity", "price")}
    if supplier.temper == "change" and first:
        answer = LineResponse(status="date_changed", quantity=line.quantity, on=later, date_type="promised_delivery")
    elif supplier.temper == "counter" and first and line.price:
        kept["price"] = Price(amount=_cents(line.price.amount * Decimal("1.05")))
        answer = LineResponse(status="price_changed", quantity=line.quantity)
    elif supplier.temper == "reject":
        answer = LineResponse(status="rejected", quantity=line.quantity)
    else:
        answer = LineResponse(status="accepted", quantity=line.quantity)
    return ResponseLine(responses=(answer,), **kept)


def _billed(supplier: Supplier, order: Order, line: Line, position: int) -> Line:
    price = line.price.amount if line.price else Decimal(0)
    if position == 3:
        price = _cents(price * Decimal("1.04"))
    quantity = line.quantity or Quantity(value=Decimal(0))
    return Line(
        number=line.number,
        item=line.item,
        quantity=quantity,
        price=Price(amount=price),
        net_amount=_cents(price * quantity.value),
        taxes=(Tax(category="S" if supplier.tax_rate else "Z", rate=supplier.tax_rate),),
        references=(Reference(type="order", value=order.number, line=line.number),),
    )


def _short(quantity: Quantity | None, by: Decimal) -> Quantity | None:
    if quantity is None or quantity.value <= by:
        return quantity
    return quantity.model_copy(update={"value": quantity.value - by})


def _sscc(serial: int) -> str:
    """Return an SSCC-18 with its check digit (GS1 General Specifications, 7.9)."""
    body = f"0693412300{serial:07d}"
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(body))
    return body + str(-total % 10)


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)


def _draw(supplier: Supplier, *what: object) -> int:
    """Return a number that the seed and the subject alone decide; the last two arguments are its bounds."""
    *subject, low, high = what
    text = f"{supplier.seed}|{supplier.party}|{'|'.join(map(str, subject))}"
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    return int(str(low)) + number % (int(str(high)) - int(str(low)) + 1)


SUPPLIERS: dict[str, Supplier] = {
    "ningbo": Supplier("ningbo", "FOB", "Ningbo", PaymentTerms(net_days=30, text="T/T 30 days"), "accept"),
    "rhein": Supplier("rhein", "FCA", "Duisburg", PaymentTerms(net_days=45, text="45 days net"), "counter"),
    "nordic": Supplier("nordic", "CIP", "Shanghai", PaymentTerms(net_days=60, text="60 days net"), "change"),
}
"""The three suppliers of the demo that trade without people."""

__all__ = ["SUPPLIERS", "Answer", "Supplier", "answers", "bill", "confirm", "quote", "respond", "ship"]
