"""From the conclusion to the last word on the order."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import partial

import pytest
from sqlalchemy.exc import NoResultFound

from tests.trade_fulfilment import (
    DELTA,
    HAIDI,
    NINGBO,
    RHEIN,
    Trade,
    answer,
    concluded,
    despatch,
    from_partner,
    offer,
    response,
)
from tradehub.documents import Order, OrderResponse
from tradehub.documents.parts import Price, Quantity
from tradehub.documents.terms import terms_hash
from tradehub.documents.trade import LineResponse
from tradehub.ordering.answers import Answer
from tradehub.ordering.model import Decision, Delivery, Refused, Standing
from tradehub.ordering.service import Answered, Conflict, Unauthorised, open_proposal, total_of
from tradehub.partners.authority import Act, Asker, Forbidden, Needs
from tradehub.platform import audit

DEARER = answer("1", LineResponse(status="price_changed"), price=Price(amount=Decimal("12.90")))


def decide(trade: Trade, order_id: str, decision: Decision, by: str = HAIDI, revision: int | None = None) -> None:
    row = trade.order(order_id)
    with trade.database.write(by) as session:
        trade.orders.decide(
            session, order_id, decision, response_id=row.responses[-1].id,
            expected_revision=revision or row.revision, by=by,
        )  # fmt: skip


def test_a_seller_who_trades_by_message_gets_the_order_with_the_quote_number(trade):
    order_id = trade.conclude()
    [sent] = trade.left()
    assert isinstance(sent, Order)
    assert (sent.reference("offer"), sent.party("seller").name) == ("Q-7781", "Ningbo")
    assert sent.number == trade.order(order_id).number


def test_a_seller_on_the_web_needs_no_message(trade):
    order_id = trade.conclude(concluded(seller=DELTA))
    assert trade.left() == []
    assert trade.order(order_id, DELTA).stands is Standing.AWAITING


def test_a_deal_has_one_order_however_often_it_is_concluded(trade):
    assert trade.conclude() == trade.conclude()
    assert len(trade.left()) == 1


def test_a_buyer_who_ordered_by_message_is_answered(trade):
    sent = Order(number="4500192231", currency="USD", lines=offer().lines)
    order_id = trade.conclude(concluded(buyer=RHEIN, seller=DELTA, order=sent))
    [back] = trade.left()
    assert isinstance(back, OrderResponse)
    assert (back.response, back.reference("order")) == ("accepted", "4500192231")
    row = trade.order(order_id)
    assert (row.stands, row.number) == (Standing.ACCEPTED, "4500192231")


@pytest.mark.parametrize(
    ("said", "standing"),
    [
        ({"response": "received"}, Standing.RECEIVED),
        ({"response": "accepted"}, Standing.ACCEPTED),
        ({"response": "accepted_with_change"}, Standing.CHANGES_PROPOSED),
        ({"response": "counter_offer"}, Standing.COUNTERED),
        ({"response": "rejected"}, Standing.REJECTED),
        ({"response": "x12:??"}, Standing.UNCLEAR),
    ],
)
def test_a_response_attaches_to_its_order_as_what_it_is(trade, said, standing):
    order_id = trade.conclude()
    number = trade.order(order_id).number
    handled = trade.receive(response(number, number="OR-1", **said))
    row = trade.order(order_id)
    assert (handled.deal, handled.subject, handled.refusal) == ("deal-1", row.responses[0].id, None)
    assert row.stands is standing


def test_the_order_stands_until_the_buyer_agrees(trade):
    order_id = trade.conclude()
    before = trade.order(order_id)
    trade.receive(response(before.number, DEARER, number="OR-1", response="counter_offer"))
    proposed = trade.order(order_id)
    assert [tuple(change) for change in proposed.responses[0].diff] == [("lines.1.price.amount", "12.4", "12.9")]
    assert proposed.order == before.order
    decide(trade, order_id, Decision.AGREE)
    agreed = trade.order(order_id)
    assert (agreed.stands, agreed.version, len(agreed.versions)) == (Standing.AGREED, 2, 2)
    assert agreed.versions[0].order == before.order
    assert agreed.order.lines[0].price.amount == Decimal("12.90")
    assert agreed.total == before.total + 50
    assert open_proposal(agreed) is None
    with trade.database.read() as session:
        contract = trade.contracts.of_acceptance(session, "deal-1")
        assert [version.version for version in contract.versions] == [1, 2]
        assert contract.versions[0].terms_hash == terms_hash(offer())


def test_declining_changes_nothing_but_the_standing(trade):
    order_id = trade.conclude()
    before = trade.order(order_id)
    trade.receive(response(before.number, DEARER, number="OR-1", response="counter_offer"))
    decide(trade, order_id, Decision.DECLINE)
    row = trade.order(order_id)
    assert (row.stands, row.order, row.version) == (Standing.DECLINED, before.order, 1)


def test_an_agreed_rejection_cancels_what_is_open(trade):
    order_id = trade.conclude()
    trade.receive(response(trade.order(order_id).number, response="rejected"))
    decide(trade, order_id, Decision.AGREE)
    row = trade.order(order_id)
    assert (row.stands, row.delivered) == (Standing.CANCELLED, Delivery.CANCELLED)
    assert [(line.ordered, line.balance.open) for line in row.lines] == [(100, 0), (40, 0), (1000, 0)]


def test_less_than_was_despatched_cannot_be_agreed(trade):
    order_id = trade.conclude()
    number = trade.order(order_id).number
    trade.receive(despatch("DN-1", number, {"2": "35"}))
    fewer = answer("2", LineResponse(status="quantity_changed", quantity=Quantity(value=Decimal(30), unit="C62")))
    trade.receive(response(number, fewer, response="accepted_with_change"))
    with pytest.raises(Refused, match="BELOW_DESPATCHED"):
        decide(trade, order_id, Decision.AGREE)
    row = trade.order(order_id)
    assert (row.stands, row.version) == (Standing.CHANGES_PROPOSED, 1)


def test_only_the_buyer_decides_and_only_on_what_was_shown(trade):
    order_id = trade.conclude(concluded(seller=DELTA))
    number = trade.order(order_id).number
    trade.receive(response(number, DEARER, response="counter_offer"), from_partner(DELTA))
    with pytest.raises(Refused, match="NOT_BUYER"):
        decide(trade, order_id, Decision.AGREE, by=DELTA)
    with pytest.raises(Conflict):
        decide(trade, order_id, Decision.AGREE, revision=1)
    assert trade.order(order_id).stands is Standing.COUNTERED


def test_goods_that_leave_meanwhile_do_not_make_the_buyer_look_again(trade):
    order_id = trade.conclude()
    number = trade.order(order_id).number
    trade.receive(response(number, DEARER, response="counter_offer"))
    shown = trade.order(order_id).revision
    trade.receive(despatch("DN-1", number, {"2": "5"}))
    decide(trade, order_id, Decision.AGREE, revision=shown)
    assert trade.order(order_id).stands is Standing.AGREED


def test_a_number_that_is_no_order_of_this_partner_is_refused_by_name(trade):
    order_id = trade.conclude()
    number = trade.order(order_id).number
    for named, partner in (("PO-9", NINGBO), (number, RHEIN)):
        refusal = trade.receive(response(named, response="accepted"), from_partner(partner)).refusal
        assert refusal.rule == "ORDER_UNKNOWN"
        assert named in refusal.text
    assert trade.order(order_id).responses == []


def test_r28_the_same_response_again_changes_nothing(trade):
    order_id = trade.conclude()
    said = response(trade.order(order_id).number, DEARER, number="OR-1", response="counter_offer")
    first = trade.receive(said)
    again = trade.receive(said, from_partner(message="m-2"))
    assert first == again
    assert len(trade.order(order_id).responses) == 1


def test_r29_other_content_under_a_number_already_used_is_refused(trade):
    order_id = trade.conclude()
    number = trade.order(order_id).number
    trade.receive(response(number, number="OR-1", response="accepted"))
    refusal = trade.receive(response(number, number="OR-1", response="rejected")).refusal
    assert refusal.rule == "R29"
    assert trade.order(order_id).stands is Standing.ACCEPTED


def test_a_response_that_bears_the_orders_number_may_come_again_with_other_content(trade):
    """An 855 has no number of its own: BAK03 is the order's."""
    order_id = trade.conclude()
    number = trade.order(order_id).number
    trade.receive(response(None, number=number, response="received"))
    assert trade.receive(response(None, number=number, response="accepted")).refusal is None
    assert trade.order(order_id).stands is Standing.ACCEPTED


def test_a_seller_confirms_on_the_web(trade):
    order_id = trade.conclude(concluded(seller=DELTA))
    said = Answered(Answer.CHANGES, quantities={"2": Decimal(30)}, prices={}, days={"1": date(2026, 4, 5)})
    with trade.database.write(DELTA) as session:
        trade.orders.respond(session, order_id, said, by=DELTA, expected_revision=1)
    row = trade.order(order_id, HAIDI)
    assert row.stands is Standing.CHANGES_PROPOSED
    assert {change.path for change in row.responses[0].diff} == {
        "lines.2.quantity.value",
        "lines.1.dates.requested_delivery.on",
    }
    assert trade.left() == []
    with pytest.raises(Refused, match="NOT_SELLER"), trade.database.write(HAIDI) as session:
        trade.orders.respond(session, order_id, said, by=HAIDI, expected_revision=row.revision)


def test_a_stranger_finds_nothing(trade):
    order_id = trade.conclude()
    trade.conclude(concluded("deal-2", seller=DELTA))
    with trade.database.read(DELTA) as session:
        assert [row.seller for row in trade.orders.find(session).orders] == [DELTA]
        with pytest.raises(NoResultFound):
            trade.orders.row(session, order_id)


def test_the_list_is_filtered_counted_and_searched(trade):
    order_id = trade.conclude()
    trade.conclude(concluded("deal-2", seller=DELTA, offer=offer(number="Q-9")))
    trade.receive(response(trade.order(order_id).number, DEARER, response="counter_offer"))
    with trade.database.read(HAIDI) as session:
        found = trade.orders.find(session, chosen="decide")
        assert [row.id for row in found.orders] == [order_id]
        assert found.counts == {"all": 2, "awaiting": 1, "decide": 1, "deliver": 2, "invoice": 2, "differences": 0}
        assert [row.deal_id for row in trade.orders.find(session, text="q-9 v-22").orders] == ["deal-2"]


def test_each_step_stands_in_the_deals_chain(trade):
    order_id = trade.conclude()
    trade.receive(response(trade.order(order_id).number, DEARER, response="counter_offer"))
    decide(trade, order_id, Decision.AGREE)
    assert [event.kind for event in trade.order(order_id).events] == ["placed", "response", "agree"]
    with trade.database.read() as session:
        assert audit.verify(session, "deal:deal-1") is None


@pytest.mark.parametrize(
    "asker", [None, Asker(HAIDI, None), Asker(HAIDI, "u-lin", "Lin")], ids=["message", "hub", "Lin"]
)
def test_r25_who_agrees_to_other_terms_is_held_to_the_limit(trade, asker):
    asked = []

    def authorise(_session, who, binding):
        asked.append((who.user_id, binding.act, binding.partner, binding.amount))
        return Needs(())

    trade.orders.authorise = authorise
    order_id = trade.conclude()
    trade.receive(response(None, DEARER, number=trade.order(order_id).number))
    row = trade.order(order_id)
    with trade.database.write(HAIDI) as session:
        deciding = partial(
            trade.orders.decide, session, order_id, Decision.AGREE, response_id=row.responses[-1].id,
            expected_revision=row.revision, by=HAIDI,
        )  # fmt: skip
        if asker is None or asker.user_id is None:
            assert deciding(asker=asker).stands is Standing.AGREED
            assert asked == []
            return
        with pytest.raises(Unauthorised):
            deciding(asker=asker)
    after = trade.order(order_id)
    assert (after.stands, after.version) == (row.stands, 1)
    total = total_of(row.order) + Decimal("0.50") * row.order.lines[0].quantity.value
    assert asked == [("u-lin", Act.AMENDMENT, NINGBO, total)]


@pytest.mark.parametrize(
    ("answer", "prices", "is_held"),
    [
        (Answer.ACCEPTED, {}, False),
        (Answer.ACCEPTED, {"1": Decimal(20)}, True),
        (Answer.COUNTER, {"1": Decimal(20)}, True),
        (Answer.REJECTED, {}, False),
    ],
)
def test_r25_who_proposes_other_terms_by_an_answer_is_held_to_the_limit(trade, answer, prices, is_held):
    trade.orders.authorise = lambda *_: Forbidden("NO_AUTHORITY")
    order_id = trade.conclude(concluded(seller=DELTA))
    said = Answered(answer, {}, prices, {})
    with trade.database.write(DELTA) as session:
        answering = partial(trade.orders.respond, session, order_id, said, by=DELTA, expected_revision=1)
        if not is_held:
            answering(asker=Asker(DELTA, "u-dana", "Dana"))
            return
        with pytest.raises(Unauthorised):
            answering(asker=Asker(DELTA, "u-dana", "Dana"))
    assert trade.order(order_id, HAIDI).responses == []
