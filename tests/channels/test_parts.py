"""An offer that may be accepted in parts (R22), and orders on parts of it by message: what was taken, and what is left."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from tests.channels.trade import BUYER, SELLER, MakeHub, Trade, priced, trade
from tradehub.documents import OrderResponse
from tradehub.negotiation import drafting, model
from tradehub.negotiation.drafting import note_text
from tradehub.ordering.drafting import order_from
from tradehub.ordering.store import OrderResponseRow
from tradehub.platform import clock

STANDARDS = ("x12", "edifact", "ubl")
WHOLE = {"1": Decimal(240), "2": Decimal("12.5"), "3": Decimal(1000)}


@pytest.fixture(params=STANDARDS)
def deal(request: pytest.FixtureRequest, make_hub: MakeHub, at_monday: clock.Frozen) -> Trade:
    """A seller on pages has made a buyer whose system orders by message an offer that it may take in parts."""
    found = trade(make_hub, request.param, "web")
    found.inquire()
    found.travel()
    found.seller.do("make_offer", found.seller.deal, priced("12.40", "0.82", "6.10", divisible=True))
    found.travel()
    return found


def order(deal: Trade, number: str, lines: Mapping[str, Decimal], **changes: Any) -> None:
    """Let the buyer's system order some lines, or a part of a quantity, on the terms offered. Deals share their hubs, so an
    order's number holds that of the inquiry."""
    number = f"{number}-{deal.buyer.inquiry}"
    hub, offer = deal.buyer.hub, deal.buyer.negotiation.offers[1]
    document = drafting.limited_to(drafting.as_offer(offer.document), lines).model_copy(update={"number": offer.number})
    with hub.database.write() as session:
        parties = [hub._party_of(session, each) for each in (BUYER, SELLER)]
        sent = order_from(
            document, number=number, issued_on=clock.now().date(), inquiry=None, buyer=parties[0], seller=parties[1]
        ).model_copy(update=changes)  # fmt: skip
        hub.outbox.put(
            session, sent, sender=BUYER, to=SELLER, idempotency_key=f"test:{number}", subject=deal.buyer.deal
        )
    deal.travel()


def taken(deal: Trade) -> list[Mapping[str, Decimal]]:
    found = model.contracts(deal.seller.negotiation, now=clock.now())
    return [each.lines for each in found]


def answers(deal: Trade) -> dict[str, OrderResponse]:
    """The seller's answers to orders, as they were sent, by the order's number."""
    with deal.seller.hub.database.read() as session:
        rows = session.query(OrderResponseRow).order_by(OrderResponseRow.id)
        sent = {each.response.reference("order") or "": each.response for each in rows}
    ours = f"-{deal.buyer.inquiry}"
    return {number.removesuffix(ours): each for number, each in sent.items() if number.endswith(ours)}


def test_r22_an_order_on_some_lines_takes_those_and_is_told_what_is_left(deal: Trade) -> None:
    order(deal, "A", {"1": Decimal(240), "2": Decimal("2.5")})
    assert deal.seller.kinds == ["inquiry", "offer", "accept"], "and no counter-offer"
    assert deal.seller.states[1] == "effective", "the rest stays open"
    assert taken(deal) == [{"1": Decimal(240), "2": Decimal("2.5")}]
    sent = answers(deal)["A"]
    assert sent.response == "accepted"
    assert [(each.quantity.value, each.responses[0].status) for each in sent.lines] == [
        (Decimal(240), "accepted"), (Decimal("2.5"), "accepted")
    ]  # fmt: skip
    number = deal.seller.negotiation.offers[1].number
    left = f"Ordered in part. Still open of offer {number} until 2026-12-18 23:59 UTC: line 2: 10 KGM; line 3: 1000 MTR"
    assert note_text(sent) == left

    order(deal, "B", {"2": Decimal(10), "3": Decimal(1000)})
    assert taken(deal)[1:] == [{"2": Decimal(10), "3": Decimal(1000)}]
    assert deal.seller.states[1] == "accepted"
    assert note_text(answers(deal)["B"]) == f"Ordered in part; nothing of offer {number} is left open."


def test_what_is_left_is_said_in_the_message_that_leaves(deal: Trade) -> None:
    order(deal, "A", {"1": Decimal(200)})
    wire = b" ".join(deal.seller.wire.log).decode().replace("\n", "")
    assert "40 C62" in wire
    assert "1000 MTR" in wire


def test_r22_all_of_it_at_once_is_the_offer(deal: Trade) -> None:
    order(deal, "A", WHOLE)
    assert taken(deal) == [{}]
    assert note_text(answers(deal)["A"]) == ""


def test_r22_more_than_is_left_is_refused_and_takes_nothing(deal: Trade) -> None:
    order(deal, "A", {"1": Decimal(200)})
    order(deal, "B", WHOLE)
    order(deal, "C", {"1": Decimal(41)})
    assert taken(deal) == [{"1": Decimal(200)}]
    refused = [each for each in deal.seller.messages("in") if each.delivery == "refused"]
    assert [(each.delivery_reason, each.reason_text) for each in refused] == [("R22", "LINE_TAKEN")] * 2


@pytest.mark.parametrize(
    ("lines", "changes"),
    [({"1": Decimal(241)}, {}), ({"1": Decimal(100)}, {"currency": "EUR"})],
    ids=["more than offered", "another currency"],
)
def test_r10_a_part_on_other_terms_is_a_counter_offer(deal: Trade, lines, changes) -> None:
    order(deal, "A", lines, **changes)
    assert taken(deal) == []
    assert deal.seller.states[1:] == ["countered", "effective"]


def test_s56_a_part_of_an_indivisible_offer_is_a_counter_offer(make_hub: MakeHub, at_monday: clock.Frozen) -> None:
    deal = trade(make_hub, "x12", "web")
    deal.inquire()
    deal.travel()
    deal.seller.do("make_offer", deal.seller.deal, priced("12.40", "0.82", "6.10"))
    deal.travel()
    order(deal, "A", {"1": Decimal(100)})
    assert taken(deal) == []
    assert deal.seller.states[1:] == ["countered", "effective"]
