"""The documents that ordering writes: the order that accepts an offer, and the seller's answer to an order."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from tradehub.documents import Line, LineResponse, Offer, Order, OrderResponse, Quantity, ResponseLine, TradeDocument
from tradehub.documents.lines import key, keyed
from tradehub.documents.parts import DatedEvent, Note, Party, Reference
from tradehub.documents.terms import NOT_TERMS
from tradehub.ordering.answers import AGREED_DELIVERY, DELIVERY_PROMISES, Answer, day_among, delivery_day
from tradehub.partners.handling import Left

_OFFER_DATES = frozenset({"valid_from", "valid_until", "respond_by", "offer", "inquiry", "issued", "document"})


def order_from(
    offer: Offer, *, number: str, issued_on: date, inquiry: str | None, buyer: Party, seller: Party
) -> Order:
    """Return the order that accepts ``offer`` on its terms, with references to the offer and the inquiry."""
    references = [Reference(type="offer", value=value) for value in [offer.number] if value]
    references += [Reference(type="inquiry", value=inquiry)] if inquiry else []
    terms = {name: getattr(offer, name) for name in TradeDocument.model_fields if name not in NOT_TERMS}
    mine = {"buyer": buyer, "seller": seller}
    others = tuple(each for each in offer.parties if each.role not in mine)
    return Order(
        **{
            **terms,
            "number": number,
            "action": "original",
            "type": "order",
            "issued_on": issued_on,
            "parties": (*(party.model_copy(update={"role": role}) for role, party in mine.items()), *others),
            "references": tuple(references),
            "attachments": offer.attachments,
            "dates": agreed_dates(offer.dates),
            "lines": tuple(_ordered(line, position) for position, line in enumerate(offer.lines, 1)),
        }
    )


def _ordered(line: Line, position: int) -> Line:
    return line.model_copy(
        update={
            "number": key(line, position),
            "action": None,
            "references": (),
            "notes": (),
            "dates": agreed_dates(line.dates),
        }
    )


def agreed_dates(dates: tuple[DatedEvent, ...]) -> tuple[DatedEvent, ...]:
    """Return the dates as an order states them: the agreed day of delivery, and what is no date of the offer's own."""
    day = day_among(dates)
    others = tuple(each for each in dates if each.type not in DELIVERY_PROMISES and each.type not in _OFFER_DATES)
    return others if day is None else (DatedEvent(type=AGREED_DELIVERY, on=day), *others)


def response_to(
    order: Order,
    *,
    number: str,
    issued_on: date,
    answer: Answer,
    quantities: Mapping[str, Decimal] | None = None,
    prices: Mapping[str, Decimal] | None = None,
    days: Mapping[str, date] | None = None,
    text: str | None = None,
) -> OrderResponse:
    """Return the seller's answer to ``order``; what the mappings give by line number is answered as changed."""
    lines = []
    for name, line in keyed(order.lines).items():
        restated = _restated(line, (quantities or {}).get(name), (prices or {}).get(name))
        agreed = delivery_day(order, line)
        day = (days or {}).get(name, agreed)
        is_changed = restated != line or day != agreed
        status = "changed" if is_changed and answer is not Answer.REJECTED else _LINE_STATUSES[answer]
        lines.append(_response_line(restated, name, status, day, order.number))
    return OrderResponse(
        number=number,
        action="original",
        issued_on=issued_on,
        response=answer.value,
        currency=order.currency,
        parties=order.parties,
        references=(Reference(type="order", value=order.number, on=order.issued_on),),
        notes=(Note(text=text),) if text else (),
        lines=tuple(lines),
    )


def left_open(left: Left, offer: str | None) -> str:
    """Return the words that tell who ordered a part of an offer what is left of it (R22)."""
    if not left.lines:
        return f"Ordered in part; nothing of offer {offer} is left open."
    lines = "; ".join(f"line {name}: {_plain(each)}" for name, each in left.lines.items())
    until = f" until {left.until:%Y-%m-%d %H:%M} UTC" if left.until is not None else ""
    return f"Ordered in part. Still open of offer {offer}{until}: {lines}"


def _plain(quantity: Quantity) -> str:
    return " ".join(each for each in (format(quantity.value.normalize(), "f"), quantity.unit) if each)


_LINE_STATUSES = {
    Answer.RECEIVED: "on_hold",
    Answer.ACCEPTED: "accepted",
    Answer.CHANGES: "accepted",
    Answer.COUNTER: "accepted",
    Answer.REJECTED: "rejected",
    Answer.UNCLEAR: "on_hold",
}
"""What is said of a line that is answered as ordered. Every standard has a code for these words, and for "changed"."""


def _restated(line: Line, value: Decimal | None, amount: Decimal | None) -> Line:
    update: dict[str, object] = {}
    if value is not None and line.quantity is not None:
        update["quantity"] = line.quantity.model_copy(update={"value": value})
    if amount is not None and line.price is not None:
        update["price"] = line.price.model_copy(update={"amount": amount})
    return line.model_copy(update=update)


def _response_line(line: Line, name: str, status: str, day: date | None, order: str | None) -> ResponseLine:
    """Say quantity and day twice: EDIFACT and UBL have one place for them in a line, X12 has another one in ACK."""
    kind = "promised_delivery" if day else None
    return ResponseLine(
        number=name,
        item=line.item,
        quantity=line.quantity,
        price=line.price,
        dates=(DatedEvent(type="promised_delivery", on=day),) if day else (),
        references=(Reference(type="order", value=order, line=name),),
        responses=(LineResponse(status=status, quantity=line.quantity, on=day, date_type=kind),),
    )
