"""The robot supplier: the same seed trades the same way, and it gives in at the third round."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from tradehub.cli.counterparty import SUPPLIERS, Supplier, answers, quote, respond
from tradehub.documents import Despatch, Inquiry, Invoice, Line, Offer, Order, OrderResponse, Quantity
from tradehub.documents.parts import DatedEvent, Price, Reference

TODAY = date(2026, 11, 23)
NINGBO = SUPPLIERS["ningbo"]
LINES = tuple(Line(number=str(number), quantity=Quantity(value=Decimal(10), unit="C62")) for number in (1, 2, 3))
INQUIRY = Inquiry(number="RFQ-1", lines=LINES, dates=(DatedEvent(type="requested_delivery", on=date(2026, 12, 24)),))


def offered(supplier: Supplier, inquiry: Inquiry = INQUIRY, *earlier: Offer) -> Offer:
    offer = quote(supplier, inquiry, {str(each.number): each for each in earlier}, today=TODAY, serial=len(earlier) + 1)
    assert offer is not None
    return offer


def prices(offer: Offer) -> list[Decimal]:
    return [line.price.amount for line in offer.lines if line.price]


def countered(offer: Offer, factor: str) -> Inquiry:
    lines = tuple(
        line.model_copy(update={"price": Price(amount=(line.price.amount * Decimal(factor)).quantize(Decimal("0.01")))})
        for line in offer.lines
        if line.price
    )
    references = (Reference(type="inquiry", value="RFQ-1"), Reference(type="offer", value=offer.number))
    return INQUIRY.model_copy(update={"action": "proposed_amendment", "lines": lines, "references": references})


def test_the_seed_decides_the_prices() -> None:
    assert prices(offered(NINGBO)) == prices(offered(NINGBO))
    assert prices(offered(NINGBO)) != prices(offered(NINGBO._replace(seed=2)))
    assert len(prices(offered(NINGBO))) == 3


def test_it_meets_a_counter_half_way_and_then_gives_in() -> None:
    first = offered(NINGBO)
    counter = countered(first, "0.90")
    second = offered(NINGBO, counter, first)
    asked = [line.price.amount for line in counter.lines if line.price]
    assert all(low < mid < high for low, mid, high in zip(asked, prices(second), prices(first), strict=True))
    third = offered(NINGBO, countered(second, "0.90"), first, second)
    counter = countered(third, "0.90")
    assert prices(offered(NINGBO, counter, first, second, third)) == [
        line.price.amount for line in counter.lines if line.price
    ]


def test_a_withdrawn_inquiry_gets_no_offer() -> None:
    assert answers(NINGBO, INQUIRY.model_copy(update={"action": "cancel"}), {}, today=TODAY, serial=1) == ()


def ordered() -> Order:
    return Order(number="PO-1", lines=offered(NINGBO).lines, dates=INQUIRY.dates, currency="USD")


def test_an_accepted_order_is_shipped_two_short_and_billed_too_high_on_one_line() -> None:
    response, despatch, invoice = (each.document for each in answers(NINGBO, ordered(), {}, today=TODAY, serial=1))
    assert isinstance(response, OrderResponse)
    assert isinstance(despatch, Despatch)
    assert isinstance(invoice, Invoice)
    assert response.response == "accepted"
    assert [line.quantity.value for line in despatch.lines if line.quantity] == [10, 8, 10]
    billed = [line.price.amount for line in invoice.lines if line.price]
    agreed = [line.price.amount for line in ordered().lines if line.price]
    assert [bill > price for bill, price in zip(billed, agreed, strict=True)] == [False, False, True]
    assert invoice.totals is not None
    assert invoice.totals.lines == sum(line.net_amount for line in invoice.lines if line.net_amount)


@pytest.mark.parametrize(
    ("temper", "response", "sent"),
    [
        ("accept", "accepted", 3),
        ("change", "accepted_with_change", 3),
        ("counter", "counter_offer", 1),
        ("reject", "rejected", 1),
    ],
)
def test_its_temper_decides_its_answer(temper: str, response: str, sent: int) -> None:
    supplier = NINGBO._replace(temper=temper)
    assert respond(supplier, ordered(), today=TODAY, serial=1).response == response
    assert len(answers(supplier, ordered(), {}, today=TODAY, serial=1)) == sent
