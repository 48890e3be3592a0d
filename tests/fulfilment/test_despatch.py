"""Despatch advices against the order: attached, compared, never lost."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trade_fulfilment import DELTA, HAIDI, RHEIN, Trade, concluded, despatch, from_partner, item, offer
from tradehub.contracting.model import State as ContractState
from tradehub.documents import Despatch, DespatchLine, Order
from tradehub.documents.lines import Severity
from tradehub.documents.parts import DatedEvent, Quantity, Reference
from tradehub.fulfilment.model import State, compare
from tradehub.fulfilment.service import Refused, Shipment
from tradehub.ordering.model import Delivery

OPEN = {"1": Decimal(100), "2": Decimal(40), "3": Decimal(1000)}
AGREED = DatedEvent(type="requested_delivery", on=date(2026, 4, 1))
ORDER = Order(number="PO-1", lines=offer().lines, dates=(AGREED,))
HOLD, WARNING, NOTE = Severity.HOLD, Severity.WARNING, Severity.NOTE


def line(name: str, quantity: str | None, unit: str = "C62", **more) -> DespatchLine:
    stated = None if quantity is None else Quantity(value=Decimal(quantity), unit=unit)
    return DespatchLine(item=item(name), quantity=stated, **more)


def arriving(day: date, kind: str = "estimated_delivery") -> dict[str, object]:
    return {"dates": (DatedEvent(type=kind, on=day),)}


@pytest.mark.parametrize(
    ("lines", "more", "differences", "state"),
    [
        pytest.param([line("V-22", "100")], {}, [], State.AS_ORDERED, id="as ordered"),
        pytest.param([line("V-22", "60"), line("V-22", "40")], {}, [], State.AS_ORDERED, id="in two batches"),
        pytest.param(
            [line("V-22", "90")], {}, [("1", "UNDER", "100", "90", NOTE)], State.AS_ORDERED, id="a part of the line"
        ),
        pytest.param([line("V-22", "101")], {}, [("1", "OVER", "100", "101", HOLD)], State.HELD, id="too much"),
        pytest.param(
            [line("V-22", "60"), line("V-22", "60")], {}, [("1", "OVER", "100", "120", HOLD)], State.HELD,
            id="more than is open in two batches",
        ),
        pytest.param([line("X-1", "5")], {}, [(None, "UNKNOWN_ITEM", None, "X-1", HOLD)], State.HELD, id="not ordered"),
        pytest.param(
            [line("X-1", "100", references=(Reference(type="order", value="PO-1", line="1"),))], {},
            [("1", "OTHER_ITEM", "V-22", "X-1", WARNING)], State.REMARKED, id="another item for a named line",
        ),
        pytest.param(
            [line("V-22", "1", "DZN")], {}, [("1", "UNDER", "100", "12", NOTE)], State.AS_ORDERED, id="a dozen"
        ),
        pytest.param(
            [line("V-22", "100", "KGM")], {}, [("1", "OTHER_UNIT", "C62", "KGM", HOLD)], State.HELD, id="no such unit"
        ),
        pytest.param([line("V-22", None)], {}, [("1", "NO_QUANTITY", None, None, HOLD)], State.HELD, id="no quantity"),
        pytest.param([line("V-22", "100")], arriving(date(2026, 4, 1)), [], State.AS_ORDERED, id="on the last day"),
        pytest.param(
            [line("V-22", "100")], arriving(date(2026, 4, 2)), [("1", "LATE", "2026-04-01", "2026-04-02", WARNING)],
            State.REMARKED, id="a day late",
        ),
        pytest.param(
            [line("V-22", "100")], arriving(date(2026, 4, 3), "shipped"),
            [("1", "LATE", "2026-04-01", "2026-04-03", WARNING)], State.REMARKED, id="shipped when it should be there",
        ),
    ],
)  # fmt: skip
def test_what_was_despatched_against_what_is_open(lines, more, differences, state):
    sent = Despatch(number="DN-1", **more)
    got = compare(sent, lines, ORDER, OPEN)
    assert [(each.line, each.rule, each.expected, each.got, each.severity) for each in got.differences] == differences
    assert got.state is state


def test_a_part_is_remarked_where_parts_were_excluded():
    order = ORDER.model_copy(update={"partial_shipments": False})
    got = compare(Despatch(), [line("V-22", "100"), line("V-40", "40")], order, OPEN)
    assert [(each.line, each.rule, each.severity) for each in got.differences] == [("3", "PARTIAL", WARNING)]


@given(st.lists(st.tuples(st.sampled_from(["V-22", "V-40", "G-7", "X-1"]), st.integers(1, 2000)), max_size=8))
def test_every_line_is_accounted_for(sent):
    """A despatched quantity is either added to an order line or held as unknown; none is lost."""
    got = compare(Despatch(), [line(name, str(quantity)) for name, quantity in sent], ORDER, OPEN)
    held = sum(each.stated for each in got.lines if each.line is None)
    assert sum(got.quantities.values()) + held == sum(quantity for _, quantity in sent)


def parts(trade: Trade, order_id: str, org: str = HAIDI):
    with trade.database.read(org) as session:
        return trade.fulfilment.of_order(session, order_id)


def test_several_despatches_deliver_one_order(trade):
    order_id = trade.conclude()
    number = trade.order(order_id).number
    trade.receive(despatch("DN-1", number, {"1": "60", "2": "40"}))
    assert trade.order(order_id).delivered is Delivery.PARTLY
    trade.receive(despatch("DN-2", number, {"1": "40", "3": "1000"}))
    row = trade.order(order_id)
    assert row.delivered is Delivery.COMPLETE
    assert [each.balance.open for each in row.lines] == [0, 0, 0]
    assert [part.whole.number for part in parts(trade, order_id)] == ["DN-1", "DN-2"]
    with trade.database.read() as session:
        assert trade.contracts.of_acceptance(session, "deal-1").is_in is ContractState.IN_PERFORMANCE


def test_one_despatch_delivers_several_orders(trade):
    ids = [trade.conclude(concluded(deal)) for deal in ("deal-1", "deal-2")]
    numbers = [trade.order(each).number for each in ids]
    lines = [
        line("V-22", "100", number=str(at), references=(Reference(type="order", value=number, line="1"),))
        for at, number in enumerate(numbers, 1)
    ]
    handled = trade.receive(Despatch(number="DN-1", lines=tuple(lines)))
    assert handled.refusal is None
    assert [[each.balance.despatched for each in trade.order(id).lines] for id in ids] == [[100, 0, 0], [100, 0, 0]]


def test_a_despatch_for_an_order_that_is_not_known_is_refused_whole(trade):
    order_id = trade.conclude()
    number = trade.order(order_id).number
    lines = (
        line("V-22", "10", references=(Reference(type="order", value=number),)),
        line("V-22", "10", references=(Reference(type="order", value="PO-9"),)),
    )
    refusal = trade.receive(Despatch(number="DN-1", lines=lines)).refusal
    assert (refusal.rule, "PO-9" in refusal.text) == ("ORDER_UNKNOWN", True)
    assert trade.order(order_id).lines[0].despatched == 0


def test_a_despatch_from_another_seller_does_not_attach(trade):
    order_id = trade.conclude()
    sent = despatch("DN-1", trade.order(order_id).number, {"1": "10"})
    assert trade.receive(sent, from_partner(RHEIN)).refusal.rule == "ORDER_UNKNOWN"


def test_r28_r29_a_despatch_comes_once(trade):
    order_id = trade.conclude()
    number = trade.order(order_id).number
    first = trade.receive(despatch("DN-1", number, {"1": "60"}))
    assert trade.receive(despatch("DN-1", number, {"1": "60"})) == first
    assert trade.receive(despatch("DN-1", number, {"1": "61"})).refusal.rule == "R29"
    assert trade.order(order_id).lines[0].despatched == 60


def test_a_web_seller_despatches_and_the_buyer_sees_it(trade):
    order_id = trade.conclude(concluded(seller=DELTA))
    shipment = Shipment({"1": Decimal(100)}, shipped_on=date(2026, 3, 20), carrier="DHL", tracking="JD014600")
    with trade.database.write(DELTA) as session:
        trade.fulfilment.ship(session, order_id, shipment, by=DELTA)
    [part] = parts(trade, order_id, HAIDI)
    assert (part.whole.carrier, part.whole.tracking, part.stands) == ("DHL", "JD014600", State.AS_ORDERED)
    assert trade.order(order_id).lines[0].despatched == 100
    assert trade.left() == []
    with pytest.raises(Refused, match="NOT_SELLER"), trade.database.write(HAIDI) as session:
        trade.fulfilment.ship(session, order_id, shipment, by=HAIDI)


def test_a_buyer_who_trades_by_message_gets_the_despatch(trade):
    order_id = trade.conclude(concluded(seller=DELTA, buyer=RHEIN))
    with trade.database.write(DELTA) as session:
        trade.fulfilment.ship(session, order_id, Shipment({"1": Decimal(100)}, date(2026, 3, 20)), by=DELTA)
    [sent] = trade.left()
    assert isinstance(sent, Despatch)
    assert sent.lines[0].references == (Reference(type="order", value=trade.order(order_id).number, line="1"),)


def test_nobody_else_sees_it(trade):
    order_id = trade.conclude()
    trade.receive(despatch("DN-1", trade.order(order_id).number, {"1": "60"}))
    assert parts(trade, order_id, DELTA) == []
