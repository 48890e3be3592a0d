"""Price breaks, a formula, terms of one's own, files and standard terms over each standard: both sides have the same."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.channels.test_pairs import agree
from tests.channels.trade import BUYER, SELLER, MakeHub, Side, inquired, priced
from tradehub.documents.in_words import MANNER
from tradehub.documents.parts import Attachment
from tradehub.negotiation import model
from tradehub.negotiation.drafting import Draft
from tradehub.negotiation.further import Stated
from tradehub.negotiation.recording import Unsendable
from tradehub.partners.authority import Allowed
from tradehub.platform import clock

STANDARDS = ("x12", "edifact", "ubl")
DRAWING, CERTIFICATE = b"%PDF-1.7 a valve", b"%PDF-1.7 its steel"
TEXTS = {SELLER: "1. Payment\nIn advance.", BUYER: "1. Payment\nAfter delivery."}


def brought(side: Side, name: str, content: bytes) -> Attachment:
    row = side.do("attach", side.deal, name, content)
    return Attachment(name=row.name, mime=row.media_type, sha256=row.sha256)


def published(side: Side) -> str:
    with side.hub.database.write(side.party) as session:
        return side.hub.negotiation.publish(session, side.party, {"en": TEXTS[side.party]}).sha256


@pytest.mark.parametrize("standard", STANDARDS)
def test_a_deal_with_breaks_own_terms_files_and_standard_terms_is_the_same_on_both_sides(
    make_hub: MakeHub, standard: str
) -> None:
    deal = inquired(make_hub, standard)
    buyer, seller = deal.sides
    drawing = brought(seller, "drawing.pdf", DRAWING)
    theirs = published(seller)
    seller.do("make_offer", seller.deal, offered("12.40", attachments=(drawing,), standard_terms=theirs))
    agree(deal, "offer")
    (line, *_others) = buyer.document().lines
    assert [(each.min_quantity, each.amount) for each in line.price.breaks] == [
        (500, Decimal("11.9")),
        (1000, Decimal("11.4")),
    ]
    assert line.price.formula == "LME copper + 80"
    assert line.custom == (("surface", "polished, Ra 0.8"),)
    assert [(each.name, each.sha256) for each in buyer.document().attachments] == [("drawing.pdf", drawing.sha256)]
    assert buyer.last.standard_terms == theirs

    certificate = brought(buyer, "certificate.pdf", CERTIFICATE)
    ours = published(buyer)
    counter = offered("12.00", attachments=(*buyer.document().attachments, certificate), standard_terms=ours)
    buyer.do("make_offer", buyer.deal, counter, about=buyer.last.id)
    agree(deal, "counter")
    assert {each.name for each in seller.document().attachments} == {"drawing.pdf", "certificate.pdf"}
    assert seller.last.standard_terms == ours

    seller.do("accept", seller.deal, seller.last.id)
    agree(deal, "accept")
    assert buyer.contract == seller.contract is not None


def offered(price: str, **said: Any) -> Draft:
    made = priced(price, "0.82", "6.10", **said)
    first, *others = made.lines
    terms = (
        Stated("price.breaks", "11.90", "500"), Stated("price.breaks", "11.40", "1000"),
        Stated("price.formula", "LME copper + 80"), Stated("custom", "polished, Ra 0.8", "surface"),
    )  # fmt: skip
    return replace(made, lines=(replace(first, terms=terms), *others))


@pytest.mark.parametrize("standard", STANDARDS)
@pytest.mark.parametrize(
    "manner", [(), ("irrevocable",), ("as_is_only",), ("divisible",), ("irrevocable", "divisible")], ids="+".join
)
def test_how_an_offer_may_be_taken_back_and_accepted_is_told_by_message(
    make_hub: MakeHub, standard: str, manner: tuple[str, ...]
) -> None:
    deal = inquired(make_hub, standard)
    buyer, seller = deal.sides
    offer = replace(priced("12.40", "0.82", "6.10"), **dict.fromkeys(manner, True), standard_terms=published(seller))
    seller.do("make_offer", seller.deal, offer)
    agree(deal, "offer")
    assert [each for each in MANNER if getattr(buyer.last, each)] == list(manner)
    assert buyer.last.standard_terms == seller.last.standard_terms is not None
    assert buyer.last.says == seller.last.says


@pytest.mark.parametrize("standard", STANDARDS)
def test_an_offer_that_says_by_message_that_it_is_divisible_is_accepted_in_part(
    make_hub: MakeHub, standard: str
) -> None:
    deal = inquired(make_hub, standard)
    buyer, seller = deal.sides
    seller.do("make_offer", seller.deal, priced("12.40", "0.82", "6.10", divisible=True))
    agree(deal, "offer")
    buyer.do("accept", buyer.deal, buyer.last.id, lines=(("1", None),))
    agree(deal, "accept")
    for side in deal.sides:
        (contract,) = model.contracts(side.negotiation, now=clock.now())
        assert set(contract.lines) == {"1"}
        assert model.states(side.negotiation, now=clock.now())[side.last.id] is model.State.EFFECTIVE


@pytest.mark.parametrize("standard", STANDARDS)
def test_a_file_that_goes_with_words_is_named_to_the_other_side(make_hub: MakeHub, standard: str) -> None:
    deal = inquired(make_hub, standard)
    buyer, seller = deal.sides
    row = seller.do("attach", seller.deal, "drawing.pdf", DRAWING)
    seller.do("comment", seller.deal, "See the drawing", files=[row.sha256])
    agree(deal, "comment")
    said = buyer.negotiation.statements[-1]
    assert (said.text, said.attachments) == ("See the drawing", ((row.sha256, "drawing.pdf"),))


@pytest.mark.parametrize("standard", STANDARDS)
def test_an_order_says_which_standard_terms_its_buyer_holds_to(make_hub: MakeHub, standard: str) -> None:
    deal = inquired(make_hub, standard, negotiation={"battle": "knock_out"})
    buyer, seller = deal.sides
    seller.do("make_offer", seller.deal, offered("12.40", standard_terms=published(seller)))
    agree(deal, "offer")
    ours = published(buyer)
    buyer.do("accept", buyer.deal, buyer.last.id, standard_terms=ours)
    agree(deal, "accept")
    for side in deal.sides:
        assert side.negotiation.statements[-1 if side is seller else -2].standard_terms == ours
        assert model.contract(side.negotiation, now=clock.now()).knocked_out == ("standard_terms",)


def test_what_a_message_names_and_is_not_here_is_no_link(make_hub: MakeHub) -> None:
    deal = inquired(make_hub, "x12")
    buyer, seller = deal.sides
    drawing = brought(seller, "drawing.pdf", DRAWING)
    seller.do("make_offer", seller.deal, offered("12.40", attachments=(drawing,), standard_terms="e" * 64))
    deal.travel()
    with buyer.hub.database.read(buyer.party) as session:
        assert buyer.hub.negotiation.deal(session, buyer.deal).held == frozenset()
    with seller.hub.database.read(seller.party) as session:
        assert seller.hub.negotiation.deal(session, seller.deal).held == {drawing.sha256}
    record = buyer.hub.record_of(buyer.deal)
    assert record.attachments == {}
    brought(buyer, "drawing.pdf", DRAWING)
    with buyer.hub.database.read(buyer.party) as session:
        assert buyer.hub.negotiation.deal(session, buyer.deal).held == {drawing.sha256}


@pytest.mark.parametrize(("standard", "place"), [("x12", "PO104"), ("edifact", "PRI01.2")])
def test_what_the_others_message_cannot_hold_is_refused_before_it_is_on_record(
    make_hub: MakeHub, standard: str, place: str
) -> None:
    deal = inquired(make_hub, standard)
    seller = deal.seller
    service, person = seller.hub.negotiation, replace(seller.actor, user_id="u-ningbo")
    service.hooks = replace(service.hooks, authorise=lambda session, actor, binding: Allowed())
    before, waiting = seller.negotiation.version, len(seller.jobs.queue.known)
    dear = priced(f"{10**20}.40", "0.82", "6.10")
    with pytest.raises(Unsendable) as refused, seller.hub.database.write(seller.party) as session:
        service.make_offer(session, person, seller.deal, dear)
    assert (refused.value.code, refused.value.rule, refused.value.to) == ("UNSENDABLE", "R4", "Haidi Trading")
    assert f"{place}: “{10**20}.40” is too long" in refused.value.what
    assert (seller.negotiation.version, len(seller.jobs.queue.known)) == (before, waiting)
    seller.do("make_offer", seller.deal, priced("12.40", "0.82", "6.10"))
    agree(deal, "offer")
