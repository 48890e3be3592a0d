"""Invoices against order, despatches and themselves."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trade_fulfilment import (
    DELTA,
    HAIDI,
    RHEIN,
    Trade,
    concluded,
    despatch,
    from_partner,
    invoice,
    item,
    offer,
    response,
)
from tradehub.billing.model import Billed, State, Tolerances, arithmetic, match
from tradehub.billing.service import Bill, Refused, invoice_of
from tradehub.contracting.model import State as ContractState
from tradehub.documents import Invoice, Line, Order, Totals
from tradehub.documents.lines import Severity
from tradehub.documents.parts import AllowanceCharge, Price, Quantity, Reference, Tax
from tradehub.ordering.model import Decision, Delivery

ORDER = Order(number="PO-1", currency="USD", lines=offer().lines)
ALL = {"1": Billed(Decimal(100), Decimal(100)), "2": Billed(Decimal(40), Decimal(40)), "3": Billed(Decimal(1000))}
HOLD, WARNING, NOTE = Severity.HOLD, Severity.WARNING, Severity.NOTE


def matched(said: Invoice, tolerances: Tolerances | None = None, billed: dict[str, Billed] | None = None):
    got = match(said, said.lines, ORDER, billed or ALL, (), tolerances)
    return [(each.line, each.rule, each.expected, each.got, each.severity) for each in got.differences]


def one(name: str, quantity: str, price: str, unit: str = "C62", basis: Quantity | None = None, **more) -> Line:
    return Line(
        number="1",
        item=item(name),
        quantity=Quantity(value=Decimal(quantity), unit=unit),
        price=Price(amount=Decimal(price), basis=basis),
        **more,
    )


@pytest.mark.parametrize(
    ("line", "differences"),
    [
        pytest.param(one("V-22", "100", "12.40"), [], id="as ordered and despatched"),
        pytest.param(one("V-22", "100", "12.400"), [], id="the same price in other digits"),
        pytest.param(
            one("V-22", "100", "1240", basis=Quantity(value=Decimal(100), unit="C62")), [], id="the same price per 100"
        ),
        pytest.param(one("V-22", "5", "148.80", "DZN"), [], id="the same price per dozen"),
        pytest.param(
            one("V-22", "100", "12.4001"), [("1", "PRICE_ABOVE", "12.4", "12.4001", HOLD)], id="a bit too dear"
        ),
        pytest.param(
            one("V-22", "100", "12.30"), [("1", "PRICE_BELOW", "12.4", "12.3", WARNING)], id="suspiciously cheap"
        ),
        pytest.param(one("V-22", "101", "12.40"), [("1", "ABOVE_ORDERED", "100", "101", HOLD)], id="more than ordered"),
        pytest.param(
            one("G-7", "10", "0.125"), [("3", "ABOVE_DESPATCHED", "0", "10", WARNING)], id="not despatched yet"
        ),
        pytest.param(
            one("X-1", "1", "9"), [(None, "UNKNOWN_ITEM", None, "X-1", HOLD)], id="not ordered"
        ),
        pytest.param(
            one("V-22", "100", "12.40", "KGM"), [("1", "OTHER_UNIT", "C62", "KGM", HOLD)], id="by weight, not by piece"
        ),
        pytest.param(
            one("V-22", "100", "12.40", basis=Quantity(value=Decimal(0))),
            [("1", "PRICE_BASIS", None, "0", HOLD)], id="R121: price for nothing",
        ),
        pytest.param(
            one("X-1", "100", "12.40", references=(Reference(type="order", value="PO-1", line="1"),)),
            [("1", "OTHER_ITEM", "V-22", "X-1", HOLD)], id="another item for a named line",
        ),
    ],
)  # fmt: skip
def test_a_line_against_the_order(line, differences):
    assert matched(Invoice(number="I-1", currency="USD", lines=(line,))) == differences


def test_another_currency_holds():
    assert matched(invoice("I-1", "PO-1", {"1": ("100", "12.40")}, currency="EUR")) == [
        (None, "CURRENCY", "USD", "EUR", HOLD)
    ]


@pytest.mark.parametrize(
    ("price", "severity"), [("12.52", NOTE), ("12.53", HOLD)], ids=["within one percent", "above one percent"]
)
def test_a_price_is_held_above_both_tolerances(price, severity):
    got = matched(invoice("I-1", "PO-1", {"1": ("100", price)}), Tolerances(price_percent=Decimal(1)))
    assert [each[-1] for each in got] == [severity]


@pytest.mark.parametrize(
    ("lines", "more", "faults"),
    [
        pytest.param([("10", "1.005", "10.05")], {}, [], id="exact"),
        pytest.param([("10", "1.005", "10.07")], {}, [], id="R120: within 0.02"),
        pytest.param([("10", "1.005", "10.08")], {}, ["LINE_NET"], id="R120: above 0.02"),
        pytest.param([("1", "5", "5"), ("1", "6", "6")], {"totals": Totals(lines=Decimal(11))}, [], id="BR-CO-10"),
        pytest.param([("1", "5", "5")], {"totals": Totals(lines=Decimal("5.01"))}, ["BR-CO-10"], id="BR-CO-10 broken"),
        pytest.param(
            [("1", "5", "5")],
            {
                "totals": Totals(before_tax=Decimal(4)),
                "allowances_charges": (AllowanceCharge(is_charge=False, amount=Decimal(1)),),
            },
            [], id="BR-CO-13 with an allowance",
        ),
        pytest.param(
            [("1", "100", "100")],
            {"taxes": (Tax(category="S", rate=Decimal(19), basis=Decimal(100), amount=Decimal("19.99")),)}, [],
            id="BR-CO-17: less than 1.00 off",
        ),
        pytest.param(
            [("1", "100", "100")],
            {"taxes": (Tax(category="S", rate=Decimal(19), basis=Decimal(100), amount=Decimal(20)),)}, ["BR-CO-17"],
            id="BR-CO-17: 1.00 off",
        ),
        pytest.param(
            [("1", "100", "100")],
            {
                "taxes": (Tax(category="S", rate=Decimal(19), basis=Decimal(100), amount=Decimal(19)),),
                "totals": Totals(tax=Decimal(19), with_tax=Decimal(119), prepaid=Decimal(9), payable=Decimal(110)),
            },
            [], id="BR-CO-14 to 16",
        ),
        pytest.param(
            [("1", "100", "100")], {"totals": Totals(with_tax=Decimal(100), payable=Decimal(99))}, ["BR-CO-16"],
            id="BR-CO-16 broken",
        ),
        pytest.param([("2", "7", None)], {"total": Decimal(14)}, [], id="TDS01 alone"),
        pytest.param([("2", "7", None)], {"total": Decimal(15)}, ["BR-CO-16"], id="TDS01 alone, wrong"),
    ],
)  # fmt: skip
def test_an_invoice_against_itself(lines, more, faults):
    made = tuple(
        one("V-22", quantity, price, net_amount=None if net is None else Decimal(net)).model_copy(
            update={"number": str(at)}
        )
        for at, (quantity, price, net) in enumerate(lines, 1)
    )
    assert [each.rule for each in arithmetic(Invoice(currency="EUR", lines=made, **more))] == faults


def parts(trade: Trade, order_id: str, org: str | None = HAIDI):
    with trade.database.read(org) as session:
        return trade.billing.of_order(session, order_id)


def rules(trade: Trade, order_id: str) -> list[list[str]]:
    return [[each.rule for each in (*part.whole.found, *part.found)] for part in parts(trade, order_id)]


def test_an_invoice_before_the_goods_is_remarked_until_they_follow(trade):
    order_id = trade.conclude()
    number = trade.order(order_id).number
    trade.receive(invoice("I-1", number, {"1": ("100", "12.40")}))
    assert rules(trade, order_id) == [["ABOVE_DESPATCHED"]]
    trade.receive(despatch("DN-1", number, {"1": "100"}))
    assert rules(trade, order_id) == [[]]
    assert parts(trade, order_id)[0].whole.stands is State.MATCHED


def test_goods_and_invoices_complete_the_contract(trade):
    order_id = trade.conclude()
    number = trade.order(order_id).number
    trade.receive(despatch("DN-1", number, {"1": "100", "2": "40", "3": "1000"}))
    trade.receive(invoice("I-1", number, {"1": ("100", "12.40")}))
    trade.receive(invoice("I-2", number, {"2": ("40", "3.05"), "3": ("1000", "0.125")}))
    row = trade.order(order_id)
    assert (row.delivered, row.billed, row.has_differences) == (Delivery.COMPLETE, Delivery.COMPLETE, False)
    with trade.database.read() as session:
        assert trade.contracts.of_acceptance(session, "deal-1").is_in is ContractState.FULFILLED


def test_a_held_invoice_flags_its_order(trade):
    order_id = trade.conclude()
    trade.receive(invoice("I-1", trade.order(order_id).number, {"1": ("100", "12.90")}))
    assert trade.order(order_id).has_differences
    with trade.database.read(HAIDI) as session:
        assert trade.orders.find(session, chosen="differences").total == 1


def test_an_agreed_price_releases_the_invoice(trade):
    order_id = trade.conclude()
    number = trade.order(order_id).number
    trade.receive(despatch("DN-1", number, {"1": "100"}))
    trade.receive(invoice("I-1", number, {"1": ("100", "12.90")}))
    line = {"number": "1", "action": "price_changed", "price": {"amount": "12.90"}, "item": item("V-22")}
    trade.receive(response(number, line, response="accepted_with_change"))
    row = trade.order(order_id)
    with trade.database.write(HAIDI) as session:
        trade.orders.decide(
            session, order_id, Decision.AGREE, response_id=row.responses[0].id, expected_revision=row.revision, by=HAIDI
        )
    assert rules(trade, order_id) == [[]]
    assert not trade.order(order_id).has_differences


def test_the_same_claim_under_another_number_is_remarked(trade):
    order_id = trade.conclude()
    number = trade.order(order_id).number
    trade.receive(despatch("DN-1", number, {"1": "100"}))
    trade.receive(invoice("I-1", number, {"1": ("50", "12.40")}))
    trade.receive(invoice("I-2", number, {"1": ("50", "12.40")}))
    assert rules(trade, order_id) == [[], ["CLAIMED_BEFORE"]]


def test_invoices_add_up(trade):
    order_id = trade.conclude()
    number = trade.order(order_id).number
    trade.receive(despatch("DN-1", number, {"1": "100"}))
    trade.receive(invoice("I-1", number, {"1": ("60", "12.40")}))
    trade.receive(invoice("I-2", number, {"1": ("41", "12.40")}))
    assert rules(trade, order_id) == [[], ["ABOVE_ORDERED"]]


def test_r28_r29_an_invoice_comes_once_a_year(trade):
    order_id = trade.conclude()
    number = trade.order(order_id).number
    first = trade.receive(invoice("I-1", number, {"1": ("60", "12.40")}))
    assert trade.receive(invoice("I-1", number, {"1": ("60", "12.40")})) == first
    assert trade.receive(invoice("I-1", number, {"1": ("61", "12.40")})).refusal.rule == "R29"
    next_year = invoice("I-1", number, {"1": ("1", "12.40")}, issued_on=date(2027, 1, 2))
    assert trade.receive(next_year).refusal is None
    assert trade.order(order_id).lines[0].invoiced == 61


def test_an_invoice_without_a_known_order_is_refused_by_name(trade):
    order_id = trade.conclude()
    for named, partner in (("PO-9", "ningbo"), (trade.order(order_id).number, RHEIN)):
        refusal = trade.receive(invoice("I-1", named, {"1": ("1", "1")}), from_partner(partner)).refusal
        assert (refusal.rule, named in refusal.text) == ("ORDER_UNKNOWN", True)


def test_a_credit_note_names_its_invoice_and_gives_back_no_more_than_was_charged(trade):
    order_id = trade.conclude()
    number = trade.order(order_id).number
    trade.receive(despatch("DN-1", number, {"1": "100"}))
    trade.receive(invoice("I-1", number, {"1": ("60", "12.40")}))
    named = (Reference(type="order", value=number), Reference(type="invoice", value="I-1"))
    unnamed = invoice("C-1", number, {"1": ("10", "12.40")}, type="credit_note")
    assert trade.receive(unnamed).refusal.rule == "INVOICE_UNKNOWN"
    trade.receive(invoice("C-1", number, {"1": ("10", "12.40")}, type="credit_note", references=named))
    assert trade.order(order_id).lines[0].invoiced == 50
    trade.receive(invoice("C-2", number, {"1": ("51", "12.40")}, type="credit_note", references=named))
    assert rules(trade, order_id) == [[], [], ["CREDIT_EXCEEDS"]]


@given(
    quantity=st.decimals(1, 100, places=2), price=st.decimals("0.01", 99, places=4), rate=st.sampled_from([0, 7, 19])
)
def test_what_we_write_adds_up(quantity, price, rate):
    bill = Bill({"1": quantity, "3": Decimal(7)}, {"1": price}, date(2026, 4, 2), tax_rate=Decimal(rate))
    assert arithmetic(invoice_of(ORDER, bill, number="I-1")) == ()


def test_a_web_seller_invoices_and_the_buyer_sees_it(trade):
    order_id = trade.conclude(concluded(seller=DELTA))
    trade.receive(despatch("DN-1", trade.order(order_id).number, {"1": "100"}), from_partner(DELTA))
    bill = Bill({"1": Decimal(100)}, {}, date(2026, 4, 2), tax_rate=Decimal(13))
    with trade.database.write(DELTA) as session:
        trade.billing.bill(session, order_id, bill, by=DELTA)
    [part] = parts(trade, order_id)
    assert (part.whole.total, part.whole.stands, part.found) == (Decimal("1401.20"), State.MATCHED, ())
    with pytest.raises(Refused, match="NOT_SELLER"), trade.database.write(HAIDI) as session:
        trade.billing.bill(session, order_id, bill, by=HAIDI)


def test_a_buyer_who_trades_by_message_gets_the_invoice(trade):
    order_id = trade.conclude(concluded(seller=DELTA, buyer=RHEIN))
    with trade.database.write(DELTA) as session:
        trade.billing.bill(session, order_id, Bill({"1": Decimal(100)}, {}, date(2026, 4, 2)), by=DELTA)
    [sent] = trade.left()
    assert (sent.kind, sent.totals.payable) == ("invoice", Decimal("1240.00"))


def test_nobody_else_sees_it(trade):
    order_id = trade.conclude()
    trade.receive(invoice("I-1", trade.order(order_id).number, {"1": ("60", "12.40")}))
    assert parts(trade, order_id, DELTA) == []
