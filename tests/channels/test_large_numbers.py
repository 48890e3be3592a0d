"""Prices as large as a standard lets a partner write them: they are read, compared and shown as they are, to the last digit."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.channels.trade import MakeHub, inquired, priced
from tradehub.negotiation import compare

LARGEST = {"x12": (10**15, b"12.40*"), "edifact": (10**13, b"AAA:12.40"), "ubl": (10**60, b">12.40<")}
"""Digits before the decimal point by element 212 (R 1/17) and 5118 (n..15); UBL has no limit, and we take a hundred."""


@pytest.mark.parametrize("standard", LARGEST)
def test_a_price_of_any_size_is_taken_compared_and_shown(make_hub: MakeHub, standard: str) -> None:
    deal = inquired(make_hub, standard)
    buyer, seller = deal.sides
    seller.do("make_offer", seller.deal, priced("12.40", "0.82", "6.10"))
    seller.jobs.drain()
    digits, small = LARGEST[standard]
    (quotation,) = seller.wire.sent
    assert quotation.count(small) >= 1, quotation
    seller.wire.sent[:] = [quotation.replace(small, small.replace(b"12.40", b"%d.4" % digits))]
    deal.travel()
    price = Decimal(f"{digits}.4")
    assert buyer.document().lines[0].price.amount == price
    with buyer.hub.database.read(buyer.party) as session:
        view = buyer.hub.negotiation.deal(session, buyer.deal)
        (offered,) = [each for each in view.rounds if not each.is_ours]
        quantity = offered.document.lines[0].quantity.value
        assert next(each.after.value for each in view.changes(view.rounds[0], offered) if each.name == "price") == price
        assert offered.total > price * quantity - 1
    buyer.do("make_offer", buyer.deal, priced("12.00", "0.82", "6.10"), about=buyer.last.id)
    with buyer.hub.database.read(buyer.party) as session:
        view = buyer.hub.negotiation.deal(session, buyer.deal)
        assert compare.chart(view.series[0]).marks
        (fall,) = [each for each in view.changes(offered, view.rounds[-1]) if each.name == "price" and each.line == "1"]
        assert fall.delta == Decimal("-100.0")
