"""What is said about terms, and travels as a message of its own: each side's hub makes the same of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.channels.test_pairs import agree
from tests.channels.trade import MakeHub, Trade, priced, trade
from tradehub.negotiation.model import Kind, Refused
from tradehub.platform import clock

STANDARDS = ("x12", "edifact", "ubl")
PRICES = ("12.40", "0.82", "6.10")


@pytest.fixture(params=STANDARDS)
def deal(request: pytest.FixtureRequest, make_hub: MakeHub, at_monday: clock.Frozen) -> Trade:
    """A deal between two who trade by messages, with an offer of the seller on the table."""
    made = trade(make_hub, request.param, request.param)
    made.inquire()
    made.travel()
    made.seller.do("make_offer", made.seller.deal, priced(*PRICES))
    made.travel()
    return made


def open_ended(deal: Trade) -> None:
    """Let the seller offer anew, without a day until which it stands."""
    deal.seller.do("make_offer", deal.seller.deal, priced("12.00", "0.80", "6.00", valid_until=None))
    agree(deal, "offer")


def concluded(deal: Trade) -> None:
    deal.buyer.do("accept", deal.buyer.deal, deal.buyer.last.id)
    agree(deal, "accept")
    assert deal.buyer.contract is not None


def test_words_travel_and_change_nothing(deal: Trade) -> None:
    buyer, seller = deal.sides
    buyer.do("comment", buyer.deal, "Could you do 9.00?", about=buyer.last.id, is_question=True)
    agree(deal, "question")
    assert seller.negotiation.statements[-1].text == "Could you do 9.00?"
    assert seller.negotiation.statements[-1].about == seller.last.id
    seller.do("comment", seller.deal, "No, steel is dear", about=seller.last.id)
    deal.travel()
    assert buyer.kinds[-1] == "answer", "what follows a question of ours is the answer to it"
    assert buyer.states == seller.states == ["invitation", "effective"]


def test_an_offer_that_has_not_left_is_withdrawn_unseen(deal: Trade) -> None:
    buyer, seller = deal.sides
    made = seller.do("make_offer", seller.deal, priced("11.00", "0.80", "6.00"))
    seller.do("act", seller.deal, Kind.WITHDRAW, made)
    deal.travel()
    assert seller.states[-1] == "withdrawn"
    assert buyer.kinds == ["inquiry", "offer"]
    (kept,) = [each for each in seller.messages("out") if each.delivery_reason == "withdrawn"]
    assert (kept.delivery, kept.attempts) == ("none", 0), "it shows in the monitor"


def test_an_offer_on_its_way_is_withdrawn_by_a_letter(deal: Trade) -> None:
    buyer, seller = deal.sides
    made = seller.do("make_offer", seller.deal, priced("11.00", "0.80", "6.00", valid_until=None))
    seller.jobs.drain()
    seller.do("act", seller.deal, Kind.WITHDRAW, made)
    deal.travel()
    assert buyer.kinds[-2:] == ["offer", "revoke"]
    assert buyer.states[-1] == "revoked", "it had reached before: to its addressee a revocation"


def test_an_open_ended_offer_is_revoked(deal: Trade) -> None:
    open_ended(deal)
    deal.seller.do("act", deal.seller.deal, Kind.REVOKE, deal.seller.last.id, text="Out of stock")
    agree(deal, "revoke")
    assert deal.buyer.states[-1] == "revoked"
    assert deal.buyer.negotiation.statements[-1].text == "Out of stock"


def test_a_revocation_of_an_irrevocable_offer_is_refused_with_rule_and_article(deal: Trade) -> None:
    """A partner that claims a right it has not got is told so, in its own standard."""
    buyer, seller = deal.sides
    offer = seller.last
    with seller.hub.database.write(seller.party) as session:
        row = seller.hub.negotiation._deal(session, seller.deal)
        letter = seller.hub.negotiation._notice(
            session, row, seller.party, seller.negotiation, Kind.REVOKE, offer.id, "We change our mind"
        )
        seller.hub.outbox.put(session, letter, sender=seller.party, to=buyer.party, idempotency_key=f"bad:{row.id}")
    deal.travel()
    assert buyer.states[-1] == "effective"
    refused = [each for each in buyer.messages() if each.delivery == "refused"]
    assert [(each.delivery_reason, each.reason_text) for each in refused] == [("R6", "IRREVOCABLE")]
    told = b"".join(buyer.wire.log).decode()
    assert "R6" in told
    assert "IRREVOCABLE" in told
    assert "CISG 16" in told


def test_either_side_rejects(deal: Trade) -> None:
    buyer, seller = deal.sides
    buyer.do("reject", buyer.deal, buyer.last.id, text="Too dear")
    agree(deal, "reject")
    assert seller.states[-1] == "rejected"
    seller.do("make_offer", seller.deal, priced("12.00", "0.80", "6.00"))
    deal.travel()
    buyer.do("make_offer", buyer.deal, priced("11.00", "0.80", "6.00"), about=buyer.last.id)
    deal.travel()
    seller.do("reject", seller.deal, seller.last.id)
    agree(deal, "reject")
    assert buyer.states[-1] == "rejected"


def test_an_inquiry_is_cancelled(make_hub: MakeHub) -> None:
    for standard in STANDARDS:
        deal = trade(make_hub, standard, standard)
        deal.inquire()
        deal.travel()
        deal.buyer.do("act", deal.buyer.deal, Kind.CANCEL, deal.buyer.last.id)
        agree(deal, "cancel")
        assert deal.seller.states == ["withdrawn"]


@pytest.mark.parametrize("change", [None, "Packing list in 3 copies"])
def test_the_seller_accepts_a_counter_and_takes_the_buyers_order_number(deal: Trade, change: str | None) -> None:
    buyer, seller = deal.sides
    buyer.do("make_offer", buyer.deal, priced("11.90", "0.80", "6.00"), about=buyer.last.id)
    agree(deal, "counter")
    wanted = seller.document().model_copy(update={"documents_required": (change,)}) if change else None
    seller.do("accept", seller.deal, seller.last.id, document=wanted)
    agree(deal, "accept")
    assert buyer.contract == seller.contract
    assert buyer.contract is not None
    assert buyer.contract[0] == ("concluded_objectable" if change else "concluded")
    one, two = buyer.order, seller.order
    assert one is not None
    assert two is not None
    assert one.number == two.number
    assert one.versions[-1].terms_hash == two.versions[-1].terms_hash == buyer.contract[2][-1]
    assert [each.answer for each in one.responses] == ["accepted"]


def test_the_seller_objects_to_a_changed_acceptance(deal: Trade) -> None:
    buyer, seller = deal.sides
    wanted = buyer.document().model_copy(update={"documents_required": ("3 copies",)})
    buyer.do("accept", buyer.deal, buyer.last.id, document=wanted)
    agree(deal, "accept")
    seller.do("act", seller.deal, Kind.OBJECT, seller.negotiation.offers[1].id, text="Two copies at most")
    agree(deal, "object")
    assert buyer.states[1] == "countered"
    assert buyer.contract is None
    for side in deal.sides:
        assert side.order is not None
        assert side.order.standing == "cancelled"


def test_the_buyer_objects_to_a_changed_acceptance(deal: Trade) -> None:
    buyer, seller = deal.sides
    buyer.do("make_offer", buyer.deal, priced("11.90", "0.80", "6.00"), about=buyer.last.id)
    deal.travel()
    wanted = seller.document().model_copy(update={"documents_required": ("3 copies",)})
    counter = seller.last.id
    seller.do("accept", seller.deal, counter, document=wanted)
    deal.travel()
    buyer.do("act", buyer.deal, Kind.OBJECT, buyer.negotiation.offers[2].id)
    agree(deal, "object")
    assert seller.states[2] == "countered"
    assert seller.contract is None


@pytest.mark.parametrize(("word", "state"), [(Kind.ELECT_LATE, "accepted"), (Kind.LAPSE_NOTICE, "lapsed")])
def test_a_late_acceptance_is_elected_or_not(deal: Trade, at_monday: clock.Frozen, word: Kind, state: str) -> None:
    buyer, seller = deal.sides
    at_monday.move(timedelta(days=40))
    buyer.do("accept", buyer.deal, buyer.last.id)
    deal.travel()
    assert buyer.states[-1] == seller.states[-1] == "late_pending"
    assert seller.order is None
    seller.do("act", seller.deal, word, seller.last.id)
    agree(deal, str(word))
    assert buyer.states[-1] == state
    assert (buyer.contract is None) == (word is Kind.LAPSE_NOTICE)


def test_an_acceptance_that_has_not_left_is_withdrawn(deal: Trade) -> None:
    buyer, seller = deal.sides
    buyer.do("accept", buyer.deal, buyer.last.id)
    assert buyer.order is not None
    buyer.do("act", buyer.deal, Kind.WITHDRAW_ACCEPTANCE, buyer.last.id)
    deal.travel()
    assert seller.kinds == ["inquiry", "offer"]
    assert buyer.states == seller.states == ["invitation", "effective"]
    assert buyer.order.standing == "cancelled"
    buyer.do("accept", buyer.deal, buyer.last.id)
    deal.travel()
    assert buyer.contract == seller.contract
    assert buyer.states[-1] == "accepted", "and it may be accepted again"


def test_the_seller_changes_the_contract_and_the_buyer_agrees(deal: Trade) -> None:
    buyer, seller = deal.sides
    concluded(deal)
    dearer = seller.document().model_copy(
        update={
            "lines": tuple(
                line.model_copy(update={"price": line.price.model_copy(update={"amount": line.price.amount + 1})})
                for line in seller.document().lines
            )
        }
    )
    seller.do("amend", seller.deal, dearer, text="Steel is dearer")
    agree(deal, "amend")
    assert buyer.contract is not None
    assert buyer.contract[1] == 1
    buyer.do("accept", buyer.deal, buyer.last.id)
    agree(deal, "accept")
    assert buyer.contract[1:] != seller.contract[1:] or buyer.contract[1] == 2
    for side in deal.sides:
        assert side.order is not None
        assert side.order.version == 2
        assert side.order.versions[-1].terms_hash == buyer.contract[2][-1]


def test_a_change_is_refused_countered_and_the_counter_accepted(deal: Trade) -> None:
    buyer, seller = deal.sides
    concluded(deal)
    wanted = buyer.document().model_copy(update={"warranty": "36 months"})
    buyer.do("amend", buyer.deal, wanted)
    agree(deal, "amend")
    seller.do("reject", seller.deal, seller.last.id)
    agree(deal, "reject")
    buyer.do("amend", buyer.deal, wanted)
    agree(deal, "amend")
    seller.do("state_terms", seller.deal, wanted.model_copy(update={"warranty": "24 months"}), about=seller.last.id)
    agree(deal, "counter")
    buyer.do("accept", buyer.deal, buyer.last.id)
    agree(deal, "accept")
    assert buyer.contract is not None
    assert buyer.contract[1] == 2
    assert buyer.document().warranty == "24 months"


def test_the_buyer_cancels_its_order_and_the_seller_agrees(deal: Trade) -> None:
    buyer, seller = deal.sides
    concluded(deal)
    buyer.do("amend", buyer.deal, terminates=True, text="The project is off")
    agree(deal, "amend")
    seller.do("accept", seller.deal, seller.last.id)
    agree(deal, "accept")
    assert buyer.contract is not None
    assert buyer.contract[0] == "terminated"
    for side in deal.sides:
        assert side.order is not None
        assert side.order.standing == "cancelled"


def test_an_acceptance_overtakes_a_counter_that_was_stopped_before_it_left(make_hub: MakeHub) -> None:
    """CISG 15(2), 17: a counter that is on its way bars the acceptance, one that was stopped never ends the offer."""
    deal = trade(make_hub, "web", "x12")
    deal.inquire()
    deal.travel()
    deal.seller.do("make_offer", deal.seller.deal, priced("12.40", "0.82", "6.10"))
    deal.travel()
    buyer = deal.buyer
    offer = buyer.last.id
    counter = buyer.do("make_offer", buyer.deal, priced("11.90", "0.80", "6.00"), about=offer)
    with pytest.raises(Refused, match="COUNTER_UNDER_WAY"):
        buyer.do("accept", buyer.deal, offer)
    buyer.do("act", buyer.deal, Kind.WITHDRAW, counter)
    buyer.do("accept", buyer.deal, offer)
    deal.travel()
    assert buyer.states == ["invitation", "accepted", "withdrawn"]
    assert deal.seller.states == ["invitation", "accepted"], "the seller never heard of the counter"
    assert deal.seller.contract is not None
