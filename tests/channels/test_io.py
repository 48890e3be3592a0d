"""The scenarios with input and output, by their numbers: what a message does to a deal, and what must never happen."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.channels.test_pairs import agree
from tests.channels.trade import BUYER, SELLER, MakeHub, Side, Trade, known, priced, profile, trade
from tradehub.documents.parts import Price
from tradehub.exchange.inbound import Arrived
from tradehub.exchange.model import is_late, needs_attention
from tradehub.exchange.store import MessageRow
from tradehub.negotiation import compare, letters, store
from tradehub.negotiation.model import Kind
from tradehub.ordering.answers import Answer
from tradehub.ordering.model import Decision
from tradehub.ordering.service import Answered
from tradehub.partners.profile import Profile
from tradehub.platform import clock

PRICES = ("12.40", "0.82", "6.10")


@pytest.fixture
def deal(make_hub: MakeHub, at_monday: clock.Frozen) -> Trade:
    """The buyer works on pages, the seller's system trades by X12; its offer is on the table."""
    made = trade(make_hub, "web", "x12")
    made.inquire()
    made.travel()
    made.seller.do("make_offer", made.seller.deal, priced(*PRICES))
    made.travel()
    return made


def ordered(deal: Trade) -> None:
    deal.buyer.do("accept", deal.buyer.deal, deal.buyer.last.id)
    agree(deal, "accept")


def answer_dearer(deal: Trade) -> None:
    """The seller answers the order: rejected with counter-offer, line 1 at 13.00 (855, BAK02 = RO)."""
    seller, order = deal.seller, deal.seller.order
    assert order is not None
    with seller.hub.database.write(SELLER) as session:
        answered = Answered(Answer.COUNTER, {}, {"1": Decimal("13.00")}, {}, "Steel is dearer")
        seller.hub.ordering.respond(session, order.id, answered, by=SELLER, expected_revision=order.revision)


def test_x1_an_855_with_counter_offer_is_shown_term_by_term_and_agreed_to_changes_the_contract(deal: Trade) -> None:
    buyer = deal.buyer
    ordered(deal)
    answer_dearer(deal)
    deal.travel()
    order = buyer.order
    assert order is not None
    assert order.standing == "countered"
    response = order.responses[-1]
    assert ("lines.1.price.amount", "12.4", "13") in [tuple(each) for each in response.changes]
    assert buyer.contract is not None
    assert buyer.contract[1] == 1, "a proposal changes nothing yet"
    with buyer.hub.database.write(BUYER) as session:
        buyer.hub.ordering.decide(
            session, order.id, Decision.AGREE, response_id=response.id, expected_revision=order.revision, by=BUYER
        )
    agree(deal, "amend", "accept")
    assert buyer.contract[1:] != (1,)
    assert buyer.contract is not None
    assert buyer.contract[1] == 2
    for side in deal.sides:
        assert side.order is not None
        assert side.order.versions[-1].terms_hash == buyer.contract[2][-1]
        assert side.order.total == Decimal("9230.25")


def test_x2_the_same_855_again_changes_nothing_and_is_answered_with_the_same_bytes(deal: Trade) -> None:
    buyer, seller = deal.sides
    ordered(deal)
    answer_dearer(deal)
    seller.jobs.drain()
    (payload,) = [each for each in seller.wire.sent if b"ST*855" in each]
    deal.travel()
    before = buyer.order
    deal.arrive(buyer, payload)
    assert before is not None
    assert buyer.order is not None
    assert (buyer.order.revision, len(buyer.order.responses)) == (before.revision, len(before.responses))
    again = [each for each in buyer.messages() if each.validation == "duplicate"]
    assert len(again) == 1
    answers = [each for each in buyer.wire.log if b"AK2*855" in each]
    assert answers[-1] == answers[-2]


def test_x3_an_843_rejected_by_997_never_reached_and_its_sender_is_told(deal: Trade) -> None:
    buyer, seller = deal.sides
    made = seller.do("make_offer", seller.deal, priced("11.00", "0.80", "6.00"))
    seller.jobs.drain()
    payload = seller.wire.sent.pop()
    deal.arrive(buyer, payload.replace(b"*USD~", b"*U$D~").replace(b"PO1*1*240*", b"PO1*1*24x*"))
    deal.travel()
    assert dict(zip([each.id for each in seller.negotiation.offers], seller.states, strict=True))[made] == "undelivered"
    assert seller.states[1] == "effective", "the offer before it still stands"
    assert len(buyer.kinds) == 2
    (sent,) = [each for each in seller.messages("out") if each.acknowledgement == "rejected"]
    assert needs_attention(sent.statuses, now=clock.now())


def test_x4_a_missing_997_is_an_alarm_and_no_more_where_the_transport_has_confirmed(
    make_hub: MakeHub, at_monday: clock.Frozen
) -> None:
    """The 2xx of HTTP, or the MDN of AS2, says that it has reached; the 997 says that it could be read."""
    deal = trade(make_hub, "web", "x12")
    buyer = deal.buyer
    plain = profile(SELLER, BUYER, reads="x12", writes="x12").model_dump(mode="json", by_alias=True)
    plain["channels"] = {
        "wire": {"kind": "http", "url": "https://x.example/", "send_token": "file:a", "receive_token": "file:b"}
    }
    known(buyer.hub, profile(BUYER, BUYER), Profile.model_validate(plain))
    deal.inquire()
    buyer.jobs.drain()
    (sent,) = buyer.messages("out")
    assert sent.acknowledgement == "expected"
    assert not is_late(sent.statuses, now=clock.now())
    with buyer.hub.database.read() as session:
        said = store.statement_rows(session, [buyer.deal])
    assert [each.kind for each in said] == ["inquiry", "reach"]
    at_monday.move(timedelta(hours=25))
    assert is_late(sent.statuses, now=clock.now())
    assert buyer.states == ["invitation"], "an alarm changes no state"


def test_x11_what_a_merged_partner_sends_about_an_old_deal_is_kept_refused_and_told(deal: Trade) -> None:
    """The supplier was taken over while the deal was open: its names are another party's now."""
    buyer, seller = deal.sides
    taken_over = profile(SELLER, BUYER, reads="x12", writes="x12")
    group = taken_over.model_copy(update={"id": "group", "name": "The Group"})
    closed = taken_over.model_copy(update={"identities": (), "status": "closed"})
    known(buyer.hub, profile(BUYER, BUYER), closed)
    known(buyer.hub, profile(BUYER, BUYER), closed, group)
    made = seller.do("make_offer", seller.deal, priced("11.00", "0.80", "6.00"))
    seller.jobs.drain()
    payload = seller.wire.sent.pop()
    before = buyer.kinds
    receipt = buyer.hub.exchange.inbound.receive(Arrived(payload, BUYER, group.party, "wire"))
    buyer.jobs.drain()
    with buyer.hub.database.read() as session:
        row = session.get_one(MessageRow, receipt.message_id)
        assert (row.delivery, row.delivery_reason, row.reason_text) == ("refused", "R28", "UNKNOWN_REFERENCE")
        assert needs_attention(row.statuses, now=clock.now()), "a person sees it, and can replay it"
        assert row.payload_sha256 is not None
    assert buyer.kinds == before
    assert made in [each.id for each in seller.negotiation.offers]


def test_x12_lines_renumbered_in_an_860_are_known_by_their_items(deal: Trade) -> None:
    buyer, seller = deal.sides
    ordered(deal)
    terms = buyer.document()
    lines = tuple(
        line.model_copy(
            update={
                "number": str(10 * position),
                "price": Price(amount=Decimal("0.79")) if position == 2 else line.price,
            }
        )
        for position, line in reversed(list(enumerate(terms.lines, 1)))
    )
    assert buyer.order is not None
    change = letters.change(
        buyer.order.order,
        terms.model_copy(update={"lines": lines}),
        agreed=terms,
        number="C-1",
        sequence="1",
        on=clock.now().date(),
    )
    with buyer.hub.database.write(BUYER) as session:
        buyer.hub.outbox.put(session, change, sender=BUYER, to=SELLER, idempotency_key=f"x12:{buyer.deal}")
    deal.travel()
    assert seller.kinds[-1] == "amend"
    proposed = seller.document()
    assert [line.number for line in proposed.lines] == ["1", "2", "3"]
    before, after = (seller.document(each) for each in (seller.negotiation.offers[1], seller.last))
    assert compare.changed_terms(before, after) == ("lines.2.price",)
    assert "10 = 1" in seller.negotiation.statements[-1].text, "the seller is told which line is which"


@pytest.mark.parametrize("standard", ["x12", "edifact", "ubl"])
def test_x14_a_counter_in_another_currency_recalculates_and_is_material(make_hub: MakeHub, standard: str) -> None:
    deal = trade(make_hub, "web", standard)
    buyer, seller = deal.sides
    deal.inquire()
    deal.travel()
    seller.do("make_offer", seller.deal, priced(*PRICES))
    deal.travel()
    buyer.do("make_offer", buyer.deal, priced("11.00", "0.75", "5.50", currency="EUR"), about=buyer.last.id)
    agree(deal, "counter")
    before, after = (seller.document(each) for each in seller.negotiation.offers[1:])
    moved = {each.name: each for each in compare.changes(before, after, for_buyer=False)}
    assert moved["currency"].direction == "changed"
    assert moved["total"].after is not None
    assert (moved["total"].after.value, moved["total"].after.unit) == (Decimal("8149.38"), "EUR")
    assert moved["total"].delta is None, "what is in another currency is neither more nor less"
    dollars = seller.document().model_copy(update={"currency": "USD"})
    seller.do("accept", seller.deal, seller.last.id, document=dollars)
    deal.travel()
    assert buyer.contract is None
    assert buyer.hashes == seller.hashes
    assert buyer.states == seller.states
    assert buyer.states[-2:] == ["countered", "effective"], "an acceptance in dollars is a counter-offer"


def test_x16_a_crash_between_commit_and_sending_resends_the_same_number(deal: Trade) -> None:
    buyer, seller = deal.sides
    buyer.do("make_offer", buyer.deal, priced("11.00", "0.80", "6.00"), about=buyer.last.id)
    sound = buyer.hub.exchange.outbound.open_channel

    def crash(id: str, channel: Any) -> Any:
        raise ZeroDivisionError("the process is gone")

    buyer.hub.exchange.outbound.open_channel = crash
    with pytest.raises(ZeroDivisionError):
        buyer.jobs.drain()
    buyer.hub.exchange.outbound.open_channel = sound
    for id, job in buyer.jobs.queue.known.items():
        if job.state == "failed":
            buyer.jobs.queue.known[id] = replace(job, state="queued")
    (made,) = [each for each in buyer.messages("out") if each.type == "840" and each.delivery == "pending"]
    agree(deal, "counter")
    sent = [each for each in buyer.wire.log if b"ST*840" in each and made.reference.encode() in each]
    assert len({re.search(rb"ISA(?:\*[^*]*){12}\*(\d+)", each)[1] for each in sent}) == 1
    assert seller.kinds.count("counter") == 1
    assert buyer.messages("out")[-1].control_number == made.control_number


def test_an_order_refused_by_the_partners_system_makes_no_contract(deal: Trade) -> None:
    """The order carries the acceptance: where it cannot be read, nothing is accepted; mended, it is."""
    buyer, seller = deal.sides
    buyer.do("accept", buyer.deal, buyer.last.id)
    buyer.jobs.drain()
    payload = buyer.wire.sent.pop()
    deal.arrive(seller, payload.replace(b"PO1*1*240*", b"PO1*1*24x*"))
    deal.travel()
    assert buyer.states[-1] == "effective"
    assert buyer.contract is None
    assert buyer.order is not None
    assert buyer.order.standing == "cancelled"
    buyer.do("accept", buyer.deal, buyer.last.id)
    deal.travel()
    assert buyer.order.standing in ("awaiting", "accepted")
    assert buyer.contract == seller.contract


def claimed(side: Side) -> list[Any]:
    return [
        each.claimed_at for each in side.negotiation.statements if each.by == side.other and each.kind is Kind.OFFER
    ]


def test_a_statement_knows_when_its_message_says_that_it_was_sent(deal: Trade, at_monday: clock.Frozen) -> None:
    assert claimed(deal.buyer) == [clock.now()]
    reached = [each for each in deal.seller.negotiation.statements if each.kind is Kind.REACH]
    assert [each.about for each in reached] == [deal.seller.last.id]


def test_an_acceptance_that_left_in_time_and_was_delayed_stands_unless_the_offeror_objects(
    deal: Trade, at_monday: clock.Frozen
) -> None:
    """CISG 21(2): our outbox proves that it was on its way in time."""
    buyer, _ = deal.sides
    buyer.do("accept", buyer.deal, buyer.last.id)
    buyer.jobs.drain()
    at_monday.move(timedelta(days=40))
    deal.travel()
    assert buyer.states[-1] == "accepted"
    assert buyer.contract is not None
    assert buyer.contract[0] == "concluded_objectable"
