"""How two negotiate is in their profiles; a deal goes by what held when it was opened."""

from __future__ import annotations

from datetime import timedelta
from typing import get_args

import pytest

from tests.channels.test_pairs import agree
from tests.channels.trade import BUYER, SELLER, MakeHub, known, priced, profile, trade
from tradehub.negotiation.grounds import Terms
from tradehub.negotiation.model import MATERIALITY, Ground, Refused
from tradehub.partners.profile import Negotiation, TermClass
from tradehub.platform import clock


def test_a_profile_that_says_nothing_means_the_usual(make_hub: MakeHub) -> None:
    hub = make_hub(BUYER)
    known(hub, profile(BUYER, BUYER, country="CN", timezone="Asia/Shanghai"), profile(SELLER, BUYER))
    with hub.database.read() as session:
        assert hub._terms(session, BUYER, SELLER) == Terms(places={BUYER: ("CN", "Asia/Shanghai")})


def test_every_class_of_terms_can_be_agreed_on() -> None:
    assert set(get_args(TermClass)) == {each.name for each in MATERIALITY} | {"unknown"}


def test_what_was_agreed_holds_in_the_deal_on_both_sides(make_hub: MakeHub) -> None:
    said = {
        "law": "UCC", "reasonable_time": "3d", "undue_delay": "6h", "receipt_within": "2h", "rounds_max": "4",
        "materiality": {"delivery_date": "false"}, "silence_accepts": "true", "performance_accepts": "true",
        "formation": "confirmation", "battle": "knock_out",
    }  # fmt: skip
    deal = trade(make_hub, "web", "x12", negotiation=said)
    deal.inquire()
    deal.travel()
    for side in deal.sides:
        assert str(side.negotiation.regime) == "UCC"
        assert side.negotiation.ground == Ground(
            timedelta(days=3), timedelta(hours=6), timedelta(hours=2), 4, {"delivery_date": False}, True, True,
            "confirmation", "knock_out",
        )  # fmt: skip


def test_a_counter_beyond_the_agreed_rounds_is_refused_and_told(make_hub: MakeHub) -> None:
    deal = trade(make_hub, "web", "edifact", negotiation={"rounds_max": "1"})
    buyer, seller = deal.sides
    deal.inquire()
    deal.travel()
    seller.do("make_offer", seller.deal, priced("12.40", "0.82", "6.10"))
    deal.travel()
    buyer.do("make_offer", buyer.deal, priced("11.00", "0.80", "6.00"), about=buyer.last.id)
    agree(deal, "counter")
    with pytest.raises(Refused, match="ROUND_LIMIT"):
        seller.do("make_offer", seller.deal, priced("12.00", "0.80", "6.00"), about=seller.last.id)
    known(seller.hub, profile(SELLER, SELLER), profile(BUYER, SELLER, reads="edifact", writes="edifact"))


def test_an_agreed_immaterial_change_concludes(make_hub: MakeHub, at_monday: clock.Frozen) -> None:
    """S45: the two agreed that a day of delivery may move."""
    deal = trade(make_hub, "web", "ubl", negotiation={"materiality": {"delivery_date": "false"}})
    buyer, seller = deal.sides
    deal.inquire()
    deal.travel()
    seller.do("make_offer", seller.deal, priced("12.40", "0.82", "6.10"))
    deal.travel()
    later = timedelta(days=7)
    moved = tuple(each.model_copy(update={"on": each.on + later}) for each in buyer.document().dates if each.on)
    buyer.do("accept", buyer.deal, buyer.last.id, document=buyer.document().model_copy(update={"dates": moved}))
    agree(deal, "accept")
    assert seller.contract is not None
    assert seller.contract[0] == "concluded_objectable"


def test_the_profile_spells_them_as_people_do() -> None:
    plain = Negotiation.model_validate({"reasonable_time": "10d"}).model_dump(mode="json", exclude_defaults=True)
    assert plain == {"reasonable_time": "10d"}
