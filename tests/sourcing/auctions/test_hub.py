"""The whole hub: what was won becomes an offer in a deal of winner and owner, and its acceptance a contract."""

from __future__ import annotations

import threading
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from tests import databases
from tests.sourcing.auctions.house import draft
from tradehub.cli import demo_auction
from tradehub.documents import PartyId
from tradehub.documents.parts import Money
from tradehub.hub import Hub
from tradehub.negotiation import recording, store
from tradehub.negotiation.model import State, contract, states
from tradehub.negotiation.store import DealRow
from tradehub.partners.store import PartyRow
from tradehub.platform import clock
from tradehub.platform.settings import Settings
from tradehub.sourcing.auctions.rules import Kind
from tradehub.sourcing.auctions.service import Actor

OWNER, ANN = PartyId("haidi"), PartyId("ann")


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory):
    found = Hub(Settings(data_dir=tmp_path_factory.mktemp("hub"), _env_file=None))
    databases.make_whole(found.database)
    with found.database.write() as session:
        for id, name in ((OWNER, "Haidi Trading"), (ANN, "Ann Armaturen")):
            session.add(
                PartyRow(
                    id=id, owner=id, name=name, status="live", shared=True, is_web=True, roles=["buyer", "supplier"],
                    country="CN", source="test", file_sha256=None, revision=1,
                )
            )  # fmt: skip
    yield found
    found.jobs.close()
    found.database.dispose()


@pytest.mark.parametrize(("kind", "amount", "buyer"), [(Kind.REVERSE, "890", OWNER), (Kind.ENGLISH, "1200", ANN)])
def test_the_winners_bid_is_a_firm_offer_that_the_owner_may_accept(hub: Hub, kind, amount, buyer) -> None:
    now = clock.now()
    times = {"starts_at": now, "ends_at": now + timedelta(minutes=5)}
    with hub.database.write(OWNER) as session:
        wanted = draft(kind, bidders=(ANN,), title=str(kind), **times)
        id = hub.auctions.hold(session, Actor(OWNER, "u-1", "Lin"), wanted)
    with hub.database.write(ANN) as session:
        hub.auctions.bid(session, Actor(ANN, name="Ann"), id, lot=1, amount=Decimal(amount), confirmed=True)
    with clock.frozen(now + timedelta(minutes=6)):
        with hub.database.write() as session:
            assert hub.auctions.settle(session, id, clock.now())
        with hub.database.write(OWNER) as session:
            (deal,) = hub.auctions.room(session, id, OWNER).deals.values()
            row = session.scalars(select(DealRow).where(DealRow.id == deal)).one()
            negotiation = store.load(session, row)
            (offer,) = negotiation.offers
            assert (row.buyer_id, offer.by, offer.firm) == (buyer, ANN, True)
            assert states(negotiation, now=clock.now()) == {offer.id: State.EFFECTIVE}
            lin = recording.Actor(OWNER, name="Lin")
            hub.negotiation.accept(session, lin, deal, offer.id, terms_hash=offer.terms_hash)
            assert contract(store.load(session, row), now=clock.now()) is not None
            assert Money(amount=Decimal(amount), currency="USD").amount == sum(
                line.price.amount * line.quantity.value for line in offer.document.lines
            )


def test_the_demos_robots_bid_until_one_goes_no_further(hub: Hub) -> None:
    with hub.database.write() as session:
        for id in ("ningbo", "rhein"):
            session.add(
                PartyRow(
                    id=id, owner=OWNER, name=id, status="live", shared=True, is_web=False, roles=["supplier"],
                    country="CN", source="test", file_sha256=None, revision=1,
                )
            )  # fmt: skip
    auction = demo_auction.hold(hub, OWNER)
    demo_auction.bid_along(hub, auction, threading.Event(), every_s=0, patience=3)
    with hub.database.read(OWNER) as session:
        (lot,) = hub.auctions.room(session, auction, OWNER).view.lots
    assert lot.bids > 5
    assert demo_auction.FLOORS["ningbo"] <= lot.price < demo_auction.FLOORS["rhein"]
