"""The documents that ordering writes: the order that accepts an offer, and the seller's answer to an order."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from tradehub.documents import Line, LineResponse, Offer, Order, OrderResponse, ResponseLine, TradeDocument
from tradehub.documents.lines import key, keyed
from tradehub.documents.parts import DatedEvent, Note, Party, Quantity, Reference
from tradehub.documents.terms import NOT_TERMS
from tradehub.ordering.answers import AGREED_DELIVERY, DELIVERY_PROMISES, Answer, day_among, delivery_day

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
            "dates": _agreed_dates(offer.dates),
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
            "dates": _agreed_dates(line.dates),
        }
    )


def _agreed_dates(dates: tuple[DatedEvent, ...]) -> tuple[DatedEvent, ...]:
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
    lines = tuple(
        _response_line(
            line, name, answer, (quantities or {}).get(name), (prices or {}).get(name),
            (days or {}).get(name, delivery_day(order, line)),
        )
        for name, line in keyed(order.lines).items()
    )  # fmt: skip
    return OrderResponse(
        number=number,
        action="original",
        issued_on=issued_on,
        response=answer.value,
        currency=order.currency,
        parties=order.parties,
        references=(Reference(type="order", value=order.number, on=order.issued_on),),
        notes=(Note(text=text),) if text else (),
        lines=lines,
    )


def _response_line(
    line: Line,
    name: str,
    answer: Answer,
    value: Decimal | None,
    amount: Decimal | None,
    day: date | None,
) -> ResponseLine:
    mine = line.quantity or Quantity(value=Decimal(0))
    quantity = mine if value is None else mine.model_copy(update={"value": value})
    price = line.price
    if price is not None and amount is not None:
        price = price.model_copy(update={"amount": amount})
    return ResponseLine(
        number=name,
        item=line.item,
        quantity=mine,
        price=price,
        responses=(
            LineResponse(
                status=_line_status(answer, mine != quantity, line.price != price),
                quantity=quantity,
                on=day,
                date_type="promised_delivery" if day else None,
            ),
        ),
    )


def _line_status(answer: Answer, other_quantity: bool, other_price: bool) -> str:
    if answer in {Answer.REJECTED, Answer.ACCEPTED}:
        return answer.value
    if other_price:
        return "price_changed"
    return "quantity_changed" if other_quantity else "changed"
