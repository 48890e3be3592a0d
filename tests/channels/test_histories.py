"""Each message says which history of the deal its sender has: a hub that was restored, or changed, is noticed."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import pytest

from tests.channels.test_pairs import agree
from tests.channels.trade import MakeHub, Side, Trade, hubs, priced, trade
from tradehub.contracting.verify_evidence import verify
from tradehub.negotiation import histories, store
from tradehub.negotiation.histories import Claim
from tradehub.platform import clock

PRICES = ("12.40", "0.82", "6.10")
HOUR = timedelta(hours=1)


@pytest.fixture
def own_hubs(tmp_path: Path) -> Iterator[MakeHub]:
    """Hubs that a test may break."""
    with hubs(tmp_path) as make:
        yield make


def begun(make_hub: MakeHub, at_monday: clock.Frozen, buying: str = "web", selling: str = "x12", **agreed) -> Trade:
    """An inquiry, the offer on it and the buyer's counter, an hour between each, all arrived."""
    made = trade(make_hub, buying, selling, **{"negotiation": {"chain_heads": "true"}, **agreed})
    made.inquire()
    at_monday.move(HOUR)
    made.travel()
    made.seller.do("make_offer", made.seller.deal, priced(*PRICES))
    at_monday.move(HOUR)
    made.travel()
    counter(made, at_monday, "11.90")
    return made


def counter(made: Trade, at_monday: clock.Frozen, price: str) -> None:
    buyer = made.buyer
    buyer.do("make_offer", buyer.deal, priced(price, "0.80", "6.00"), about=buyer.last.id)
    at_monday.move(HOUR)
    made.travel()


def claims(side: Side) -> list[tuple[str, int, int]]:
    """What the other side has said: the verdict, the length of its history, how much of ours it has been shown."""
    with side.hub.database.read() as session:
        rows = store.claim_rows(session, side.deal)
    read = [(each.verdict, histories.read(each.claim)) for each in rows if each.by_id == side.other]
    return [(verdict, claim.length, claim.seen_length) for verdict, claim in read if claim is not None]


def differences(side: Side) -> list[str]:
    with side.hub.database.read(side.party) as session:
        return [str(each.verdict) for each in side.hub.negotiation.differences(session, side.deal, side.party)]


def queued(side: Side) -> list[str]:
    with side.hub.database.read(side.party) as session:
        return [row.id for row, _ in side.hub.negotiation.deals_that_differ(session, side.party)]


def saved(side: Side) -> sqlite3.Connection:
    """A backup of the side's database."""
    with sqlite3.connect(side.hub.database.engine.url.database) as source:
        copy = sqlite3.connect(":memory:")
        source.backup(copy)
    return copy


def restore(side: Side, backup: sqlite3.Connection, *, raises_numbers: bool = True) -> None:
    """Put the backup in place, as somebody does who knows the books: numbers go on above those that may be used."""
    side.hub.database.dispose()
    with sqlite3.connect(side.hub.database.engine.url.database) as target:
        backup.backup(target)
        if raises_numbers:
            target.execute("UPDATE negotiation_number SET next = next + 100")
            target.execute("UPDATE control_number SET last = last + 100")
    side.wire.sent.clear()


@pytest.mark.parametrize("standard", ["x12", "edifact", "ubl"])
def test_each_message_says_which_history_its_sender_has_and_it_is_found_in_ours(make_hub, at_monday, standard):
    deal = begun(make_hub, at_monday, selling=standard)
    deal.seller.do("accept", deal.seller.deal, deal.seller.last.id)
    agree(deal, "accept")
    for side in deal.sides:
        assert len(claims(side)) >= 2
        assert {verdict for verdict, _, _ in claims(side)} == {"known"}
    lengths = [seen for _, _, seen in claims(deal.buyer)]
    assert lengths == sorted(lengths)
    assert lengths[-1] > lengths[0] > 0, "it names where in our chain it stands"
    assert differences(deal.buyer) == differences(deal.seller) == []


@pytest.mark.parametrize("standard", ["x12", "edifact", "ubl"])
def test_without_the_agreement_no_message_speaks_of_it(make_hub, at_monday, standard):
    deal = begun(make_hub, at_monday, selling=standard, negotiation={})
    assert not any(b"TH1." in each for side in deal.sides for each in side.wire.log)
    assert claims(deal.buyer) == []


@pytest.mark.parametrize("standard", ["x12", "edifact", "ubl"])
def test_a_hub_restored_from_a_backup_is_noticed_at_its_next_message(own_hubs, at_monday, standard):
    """The seller loses the offer that it made; the buyer is told, and the statement counts all the same."""
    deal = begun(own_hubs, at_monday, selling=standard)
    buyer, seller = deal.sides
    backup = saved(seller)
    seller.do("make_offer", seller.deal, priced("12.20", *PRICES[1:]), about=seller.last.id)
    at_monday.move(HOUR)
    agree(deal, "counter")
    restore(seller, backup)
    at_monday.move(HOUR)
    seller.do("make_offer", seller.deal, priced("12.30", *PRICES[1:]), about=seller.last.id)
    deal.travel()
    assert claims(buyer)[-1][0] in ("forked", "shorter")
    assert differences(buyer) == [claims(buyer)[-1][0]]
    assert queued(buyer) == [buyer.deal]
    assert buyer.last.document.lines[0].price.amount == seller.last.document.lines[0].price.amount, "nothing is lost"
    at_monday.move(HOUR)
    counter(deal, at_monday, "12.25")
    assert claims(seller)[-1][0] == "unknown", "the restored hub is told in turn that it was shown more than it has"
    assert queued(seller) == [seller.deal]


def test_a_hub_that_forgot_what_it_had_received_is_noticed(own_hubs, at_monday):
    """The seller's receipt shows that it had the counter, and its next message speaks as if it had not."""
    deal = begun(own_hubs, at_monday)
    buyer, seller = deal.sides
    backup = saved(seller)
    buyer.do("make_offer", buyer.deal, priced("11.95", "0.80", "6.00"), about=buyer.negotiation.offers[1].id)
    deal.travel()
    restore(seller, backup)
    at_monday.move(HOUR)
    seller.do("make_offer", seller.deal, priced("12.30", *PRICES[1:]), about=seller.last.id)
    deal.travel()
    assert claims(buyer)[-1][0] == "shorter"


@pytest.mark.parametrize("standard", ["x12", "edifact", "ubl"])
def test_it_is_noticed_where_the_restored_hub_gives_its_numbers_again_and_is_refused_for_it(
    own_hubs, at_monday, standard
):
    deal = begun(own_hubs, at_monday, selling=standard)
    buyer, seller = deal.sides
    backup = saved(seller)
    seller.do("make_offer", seller.deal, priced("12.20", *PRICES[1:]), about=seller.last.id)
    at_monday.move(HOUR)
    deal.travel()
    restore(seller, backup, raises_numbers=False)
    at_monday.move(HOUR)
    seller.do("make_offer", seller.deal, priced("12.30", *PRICES[1:]), about=seller.last.id)
    deal.travel()
    assert buyer.last.document.lines[0].price.amount == Decimal("12.20")
    assert differences(buyer) == [claims(buyer)[-1][0]]


def test_one_restoration_is_noticed_once_and_settled_by_a_person(own_hubs, at_monday):
    deal = begun(own_hubs, at_monday)
    buyer, seller = deal.sides
    backup = saved(seller)
    seller.do("make_offer", seller.deal, priced("12.20", *PRICES[1:]), about=seller.last.id)
    at_monday.move(HOUR)
    deal.travel()
    restore(seller, backup)
    at_monday.move(HOUR)
    seller.do("make_offer", seller.deal, priced("12.30", *PRICES[1:]), about=seller.last.id)
    deal.travel()
    buyer.do("settle_histories", buyer.deal)
    assert (differences(buyer), queued(buyer)) == ([], [])
    counter(deal, at_monday, "12.25")
    seller.do("make_offer", seller.deal, priced("12.28", *PRICES[1:]), about=seller.last.id)
    at_monday.move(HOUR)
    deal.travel()
    assert claims(buyer)[-1][0] == "known"
    assert queued(buyer) == []


def test_a_record_that_was_changed_is_noticed_by_the_other_side(own_hubs, at_monday):
    """Someone writes the seller's chain anew, hash by hash: its own check finds nothing, the buyer's does."""
    deal = begun(own_hubs, at_monday)
    seller = deal.seller
    with seller.hub.database._write() as session:
        row = store.deal_row(session, seller.deal)
        previous = store.FIRST
        for each in store.statement_rows(session, [seller.deal]):
            each.text, each.previous = each.text + ".", previous
            each.hash = previous = each.computed_hash()
        row.head = previous
        session.commit()
    with seller.hub.database.read() as session:
        assert store.verify(session, seller.deal) is None
    counter(deal, at_monday, "11.95")
    assert claims(seller)[-1][0] == "unknown"


def test_a_message_delayed_on_its_way_shows_no_other_history(own_hubs, at_monday):
    deal = begun(own_hubs, at_monday)
    buyer, seller = deal.sides
    seller.do("comment", seller.deal, "One moment please")
    seller.jobs.drain()
    (late,) = seller.wire.sent
    seller.wire.sent.clear()
    at_monday.move(HOUR)
    seller.do("make_offer", seller.deal, priced("12.20", *PRICES[1:]), about=seller.last.id)
    deal.travel()
    deal.arrive(buyer, late)
    assert [verdict for verdict, _, _ in claims(buyer)] == ["known"] * 3


def test_the_evidence_tells_of_it_and_its_verifier_checks_it(own_hubs, at_monday):
    deal = begun(own_hubs, at_monday)
    archive = deal.buyer.hub.contracts.evidence(deal.buyer.deal)
    with zipfile.ZipFile(BytesIO(archive)) as file:
        told = json.loads(file.read("histories.json"))["claims"]
    assert [(each["by"], each["verdict"]) for each in told] == [(deal.seller.party, "known")]
    assert {each.what: each.detail for each in verify(archive)}["histories"].startswith("1 named by messages, 0 not")


def test_what_is_no_claim_says_nothing():
    claim = Claim(12, "ab" * 32, 9, "cd" * 32, clock.now())
    assert histories.read(claim.text) == claim
    assert len(claim.text) <= 264, "MSG01 of X12"
    for broken in ("", "TH1.1", claim.text[:-1], claim.text.replace("TH1", "TH2"), claim.text + "0"):
        assert histories.read(broken) is None
