"""A whole deal over every pair of channels: both sides have the same terms at every step."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import product

import pytest

from tests.channels.trade import MakeHub, Side, Trade, priced, told_apart, trade
from tradehub.documents.parts import Identifier, Item, Party, Price, Quantity
from tradehub.negotiation import drafting, store
from tradehub.negotiation.drafting import Draft, Letterhead
from tradehub.platform import clock

CHANNELS = ("web", "api", "x12", "edifact", "ubl")


def agree(trade: Trade, *kinds: str) -> None:
    """Both sides know the same statements, on the same terms, in the same states."""
    trade.travel()
    one, two = trade.sides
    assert (one.kinds, one.states) == (two.kinds, two.states)
    assert one.hashes == two.hashes, told_apart(trade)
    assert one.kinds[-len(kinds) :] == list(kinds)
    assert one.contract == two.contract


def state(side: Side, draft: Draft, *, about: str | None = None) -> None:
    """A person fills in a form, as the page hands it on; a program states a whole document."""
    if side.channel != "api":
        side.do("make_offer", side.deal, draft, about=about)
        return
    base = side.negotiation.offer(about) if about else side.last
    head = Letterhead("-", clock.now().date(), Party(role="buyer"), Party(role="seller"))
    side.do("state_terms", side.deal, drafting.offer(head, base.document, draft), about=about)


def whole(side: Side) -> None:
    """The chain of statements is whole, and the order stands on the terms of the contract."""
    with side.hub.database.read() as session:
        assert store.verify(session, side.deal) is None
    assert side.contract is not None
    assert side.order is not None
    assert side.order.version == side.contract[1]
    assert side.order.versions[-1].terms_hash == side.contract[2][-1]


@pytest.mark.parametrize(("buying", "selling"), [*product(CHANNELS, CHANNELS)])
def test_a_whole_deal(make_hub: MakeHub, at_monday: clock.Frozen, buying: str, selling: str) -> None:
    deal = trade(make_hub, buying, selling)
    buyer, seller = deal.sides
    deal.inquire()
    agree(deal, "inquiry")
    state(seller, priced("12.40", "0.82", "6.10"))
    agree(deal, "offer")
    assert buyer.states == ["invitation", "effective"]
    state(buyer, priced("11.90", "0.80", "6.00", payment="2 %/10 net 45"), about=buyer.last.id)
    agree(deal, "counter")
    state(seller, priced("12.05", "0.81", "6.05", days=(date(2027, 1, 20), date(2027, 2, 1))), about=seller.last.id)
    agree(deal, "counter")
    assert buyer.states == ["invitation", "countered", "countered", "effective"]
    wanted = buyer.document().model_copy(update={"documents_required": ("Packing list in 3 copies",)})
    buyer.do("accept", buyer.deal, buyer.last.id, document=wanted)
    agree(deal, "accept")
    assert buyer.states[-2:] == ["countered", "accepted"]
    assert buyer.contract == ("concluded_objectable", 1, [buyer.hashes[-1]])
    at_monday.move(timedelta(days=9))
    now = buyer.contract
    assert now is not None
    change = buyer.document().model_copy(update={"currency": "EUR"})
    buyer.do("amend", buyer.deal, change)
    agree(deal, "amend")
    seller.do("accept", seller.deal, seller.last.id)
    agree(deal, "accept")
    assert buyer.contract == ("concluded", 2, [*now[2], buyer.hashes[-1]])
    whole(buyer)
    whole(seller)


@pytest.mark.postgres
@pytest.mark.parametrize(("buying", "selling"), [("web", "edifact"), ("ubl", "x12")])
def test_a_whole_deal_on_postgresql(postgres_hubs: MakeHub, at_monday: clock.Frozen, buying: str, selling: str) -> None:
    test_a_whole_deal(postgres_hubs, at_monday, buying, selling)


RICH = {
    "warranty": "24 months from delivery", "liability": "Limited to the price", "penalty": "0.5 % a week, 5 % at most",
    "disputes": "ICC arbitration, Singapore", "law": "CISG", "packaging": "Seaworthy cases", "inspection": "SGS before shipment",
    "documents_required": ("Commercial invoice", "Packing list in 3 copies"), "partial_shipments": True,
}  # fmt: skip


@pytest.mark.parametrize("standard", ["x12", "edifact", "ubl"])
def test_further_terms_survive_the_way(make_hub: MakeHub, standard: str) -> None:
    """What a standard has no element for travels as free text by agreement, or in our own block."""
    deal = trade(make_hub, "api", standard)
    deal.inquire()
    agree(deal, "inquiry")
    state(deal.seller, priced("12.40", "0.82", "6.10"))
    agree(deal, "offer")
    rich = deal.buyer.document().model_copy(update=RICH)
    deal.buyer.do("state_terms", deal.buyer.deal, rich, about=deal.buyer.last.id)
    agree(deal, "counter")
    assert {name: getattr(deal.seller.document(), name) for name in RICH} == RICH


@pytest.mark.parametrize(("standard", "by"), [*product(("x12", "edifact", "ubl"), ("buyer", "seller"))])
def test_an_amendment_adds_a_line_and_leaves_one_out(make_hub: MakeHub, standard: str, by: str) -> None:
    """R25; what a message does not mention would stay, so the line that is left out is named."""
    deal = trade(make_hub, "web", standard)
    buyer, seller = deal.sides
    deal.inquire()
    agree(deal, "inquiry")
    state(seller, priced("12.40", "0.82", "6.10"))
    agree(deal, "offer")
    buyer.do("accept", buyer.deal, buyer.last.id)
    agree(deal, "accept")
    whole(buyer)
    first, _, third = buyer.document().lines
    new = first.model_copy(update={
        "number": "4", "item": Item(name="Gasket DN50", ids=(Identifier(scheme="buyer", value="G-50"),)),
        "quantity": Quantity(value=Decimal(30), unit="C62"), "price": Price(amount=Decimal("2.15")),
    })  # fmt: skip
    one, other = (buyer, seller) if by == "buyer" else (seller, buyer)
    one.do("amend", one.deal, one.document().model_copy(update={"lines": (first, third, new)}))
    agree(deal, "amend")
    other.do("accept", other.deal, other.last.id)
    agree(deal, "accept")
    for side in deal.sides:
        whole(side)
        assert [each.number for each in side.document().lines] == [first.number, third.number, "4"]
        assert {each.line: each.ordered for each in side.order.lines if each.line == "4"} == {"4": Decimal(30)}


@pytest.mark.parametrize("standard", ["x12", "edifact", "ubl"])
def test_a_line_that_is_added_may_be_of_an_item_that_is_ordered_already(make_hub: MakeHub, standard: str) -> None:
    deal = trade(make_hub, "web", standard)
    buyer, seller = deal.sides
    deal.inquire()
    agree(deal, "inquiry")
    state(seller, priced("12.40", "0.82", "6.10"))
    agree(deal, "offer")
    buyer.do("accept", buyer.deal, buyer.last.id)
    agree(deal, "accept")
    lines = buyer.document().lines
    more = lines[0].model_copy(update={"number": "4", "quantity": Quantity(value=Decimal(7), unit="C62")})
    buyer.do("amend", buyer.deal, buyer.document().model_copy(update={"lines": (*lines, more)}))
    agree(deal, "amend")
    assert [each.number for each in seller.document().lines] == [*(each.number for each in lines), "4"]
