"""A whole deal over every pair of channels: both sides have the same terms at every step."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import product

import pytest

from tests.channels.trade import MakeHub, Side, Trade, priced, told_apart, trade
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


def state(side: Side, draft, *, about: str | None = None, **more) -> str:
    """A person fills in the form; a program states a document."""
    return side.do("make_offer", side.deal, draft, about=about)


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
