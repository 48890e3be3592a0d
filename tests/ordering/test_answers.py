"""What a response is, and what it would change."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trade_fulfilment import answer, item, offer, ordered, response
from tradehub.documents import Order, OrderResponse
from tradehub.documents.parts import DatedEvent, Identifier, Item, Party, PaymentTerms, Price, Quantity
from tradehub.documents.trade import LineResponse, ResponseLine
from tradehub.ordering.answers import ACTION_CODES, HEADER_CODES, LINE_CODES, Answer, changes_of, classify, proposed
from tradehub.ordering.drafting import order_from, response_to


def order() -> Order:
    return order_from(
        offer(), number="PO-1", issued_on=date(2026, 3, 2), inquiry="RFQ-1",
        buyer=Party(role="", name="Haidi"), seller=Party(role="", name="Ningbo"),
    )  # fmt: skip


def judged(said: OrderResponse) -> tuple[Answer, list[tuple[str, str | None, str | None]]]:
    return classify(order(), said), [tuple(change) for change in changes_of(order(), said)]


def part(status: str, quantity: str | None = None, on: date | None = None, **more: object) -> LineResponse:
    stated = Quantity(value=Decimal(quantity), unit="C62") if quantity else None
    return LineResponse(status=status, quantity=stated, on=on, **more)


def pieces(number: str) -> Quantity:
    return Quantity(value=Decimal(number), unit="C62")


def usd(amount: str, basis: str | None = None) -> Price:
    per = Quantity(value=Decimal(basis), unit="C62") if basis else None
    return Price(amount=Decimal(amount), basis=per)


APRIL_1, MAY_1 = date(2026, 4, 1), date(2026, 5, 1)
NOTHING_LEFT = [(f"lines.{line}.quantity.value", was, "0") for line, was in (("1", "100"), ("2", "40"), ("3", "1000"))]


@pytest.mark.parametrize(
    ("said", "is_answer", "changes"),
    [
        pytest.param(response("PO-1", response="received"), Answer.RECEIVED, [], id="855 AH, UBL AB"),
        pytest.param(response("PO-1", response="accepted"), Answer.ACCEPTED, [], id="855 AT, ORDRSP 29, UBL AP"),
        pytest.param(response("PO-1", action="accepted"), Answer.ACCEPTED, [], id="ORDRSP 29 as an action"),
        pytest.param(
            response("PO-1", answer("1", part("accepted", "100", APRIL_1), price=usd("12.40")), response="accepted"),
            Answer.ACCEPTED, [], id="855 AD repeating the terms",
        ),
        pytest.param(
            response("PO-1", answer("1", part("accepted"), price=usd("1240", "100")), response="accepted"),
            Answer.ACCEPTED, [], id="the same price stated per 100",
        ),
        pytest.param(
            response("PO-1", answer("1", part("price_changed"), price=usd("12.90")), response="accepted_in_part"),
            Answer.CHANGES, [("lines.1.price.amount", "12.4", "12.9")], id="855 AC with ACK IP",
        ),
        pytest.param(
            response("PO-1", answer("1", part("accepted"), price=usd("12.90")), response="accepted"),
            Answer.CHANGES, [("lines.1.price.amount", "12.4", "12.9")], id="assent with another price",
        ),
        pytest.param(
            response("PO-1", answer("2", part("quantity_changed", "30")), response="accepted_with_change"),
            Answer.CHANGES, [("lines.2.quantity.value", "40", "30")], id="ACK IQ",
        ),
        pytest.param(
            response(
                "PO-1",
                answer("2", part("changed"), quantity=pieces("40"), confirmed_quantity=pieces("30")), response="accepted",
            ),
            Answer.CHANGES, [("lines.2.quantity.value", "40", "30")], id="QTY 21 with QTY 113",
        ),
        pytest.param(
            response("PO-1", ResponseLine(number="2", quantity=pieces("40"), confirmed_quantity=pieces("30"))),
            Answer.UNCLEAR, [("lines.2.quantity.value", "40", "30")], id="the same without a status",
        ),
        pytest.param(
            response("PO-1", answer("2", part("accepted", "30"), part("rejected", "10")), response=None),
            Answer.CHANGES, [("lines.2.quantity.value", "40", "30")], id="a line accepted in part",
        ),
        pytest.param(
            response("PO-1", answer("2", part("accepted", "30"), part("backordered", "10")), response="accepted"),
            Answer.ACCEPTED, [], id="parts that add up",
        ),
        pytest.param(
            response("PO-1", answer("1", part("date_changed", on=date(2026, 4, 9))), response=None),
            Answer.CHANGES, [("lines.1.dates.requested_delivery.on", None, "2026-04-09")], id="ACK DR",
        ),
        pytest.param(
            response("PO-1", response="counter_offer", dates=(DatedEvent(type="promised_delivery", on=MAY_1),)),
            Answer.COUNTER, [("dates.requested_delivery.on", "2026-04-01", "2026-05-01")], id="855 RO, ORDRSP 52",
        ),
        pytest.param(
            response("PO-1", ResponseLine(number="1", action="proposed_amendment", price=usd("12.90"))),
            Answer.COUNTER, [("lines.1.price.amount", "12.4", "12.9")], id="LIN 23",
        ),
        pytest.param(
            response("PO-1", payment_terms=(PaymentTerms(net_days=10),), response="accepted"),
            Answer.CHANGES, [("payment_terms.1.net_days", "30", "10")], id="other terms of payment",
        ),
        pytest.param(
            response("PO-1", *(answer(number, part("rejected")) for number in "123")),
            Answer.REJECTED, NOTHING_LEFT, id="every line rejected",
        ),
        pytest.param(response("PO-1", response="rejected"), Answer.REJECTED, NOTHING_LEFT, id="855 RJ, ORDRSP 27"),
        pytest.param(
            response("PO-1", answer("1", part("rejected"))),
            Answer.CHANGES, NOTHING_LEFT[:1], id="a rejected line, the others not named",
        ),
        pytest.param(response("PO-1", response="x12:ZZ"), Answer.UNCLEAR, [], id="a code without a meaning"),
        pytest.param(
            response("PO-1", answer("1", part("edifact:99"))), Answer.UNCLEAR, [], id="a line code without a meaning"
        ),
        pytest.param(response("PO-1", answer("1")), Answer.UNCLEAR, [], id="terms repeated without a word of assent"),
        pytest.param(response("PO-1"), Answer.RECEIVED, [], id="nothing said"),
    ],
)  # fmt: skip
def test_a_response_is_shown_as_what_it_is(said, is_answer, changes):
    assert judged(said) == (is_answer, changes)


def test_a_substitute_shows_as_another_item():
    other = Item(ids=(Identifier(scheme="buyer", value="V-23"),), name="Valve V-23")
    got = judged(response("PO-1", answer("1", part("substituted", "100", item=other)), response="accepted_with_change"))
    assert got == (
        Answer.CHANGES,
        [("lines.1.item.ids.buyer.value", "V-22", "V-23"), ("lines.1.item.name", "Part V-22", "Valve V-23")],
    )


def test_a_line_that_was_not_ordered_is_an_added_line():
    said = response(
        "PO-1", ResponseLine(number="9", item=item("X-1"), action="added", quantity=Quantity(value=Decimal(1)))
    )
    answered, changes = judged(said)
    assert answered is Answer.CHANGES
    assert ("lines.9.quantity.value", None, "1") in changes


def test_dates_per_line_are_kept_as_schedules():
    said = response(
        "PO-1",
        answer("1", part("accepted", "60", date(2026, 4, 1)), part("accepted", "40", date(2026, 4, 20))),
        response="accepted_with_change",
    )
    assert [(each.quantity.value, each.on) for each in proposed(order(), said).lines[0].schedules] == [
        (60, date(2026, 4, 1)),
        (40, date(2026, 4, 20)),
    ]


def test_a_promised_ship_date_is_no_other_delivery_date():
    said = response(
        "PO-1", answer("1", part("accepted", "100", date(2026, 3, 20), date_type="promised_ship")), response="accepted"
    )
    assert judged(said) == (Answer.ACCEPTED, [])


CODES = st.sampled_from([*HEADER_CODES, *ACTION_CODES, *LINE_CODES, "x12:ZZ", "edifact:1", ""])


@given(header=st.none() | CODES, action=st.none() | CODES, lines=st.lists(st.lists(CODES, max_size=3), max_size=3))
def test_every_response_is_something(header, action, lines):
    said = response(
        "PO-1",
        *(answer(str(at), *map(part, codes)) for at, codes in enumerate(lines, 1)),
        response=header,
        action=action,
    )
    assert classify(order(), said) in Answer


@given(price=st.decimals("0.01", "99", places=2), quantity=st.integers(1, 500), days=st.integers(0, 60))
def test_what_we_answer_reads_back_as_what_we_meant(price, quantity, days):
    """Written and read: the changes that the seller entered are the changes that the buyer sees."""
    day = date(2026, 4, 1 + days % 28)
    said = response_to(
        order(), number="OR-1", issued_on=date(2026, 3, 3), answer=Answer.CHANGES,
        quantities={"1": Decimal(quantity)}, prices={"1": price}, days={"1": day},
    )  # fmt: skip
    line = proposed(order(), said).lines[0]
    assert (line.quantity.value, line.price.amount) == (quantity, price)
    assert (line.date_of("requested_delivery") or date(2026, 4, 1)) == day


def test_the_order_repeats_the_terms_accepted():
    made = order()
    assert (made.reference("offer"), made.reference("inquiry")) == ("Q-7781", "RFQ-1")
    assert [party.role for party in made.parties] == ["buyer", "seller"]
    assert made.dates == (DatedEvent(type="requested_delivery", on=date(2026, 4, 1)),)
    assert made.lines == offer().lines
    assert ordered("1", "100", "12.40") in made.lines
