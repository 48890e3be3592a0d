"""Auctions on both databases: what is stored, who may see it, and what follows from the end."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select, update

from tests.sourcing.auctions.house import House, audit_text, draft
from tests.sourcing.auctions.words import ANN, BEN, CAI, OWNER, TEN
from tradehub.documents import Inquiry, Offer, PartyId
from tradehub.documents.amounts import net_amount
from tradehub.negotiation.model import accept_by, indefinite
from tradehub.platform.db import Unscoped
from tradehub.sourcing.auctions import model, service, store
from tradehub.sourcing.auctions.drafting import DraftLine
from tradehub.sourcing.auctions.memory import Memory
from tradehub.sourcing.auctions.rules import ActKind, Kind, Refused, SoftClose, Status
from tradehub.sourcing.auctions.service import Actor, NotFound, Unfit
from tradehub.sourcing.auctions.store import AuctionRow, EventRow

HOUR = timedelta(hours=1)
STRANGER = PartyId("stranger")


def test_what_was_laid_down_is_found_again(house: House) -> None:
    soft = SoftClose(timedelta(minutes=2), timedelta(minutes=3), timedelta(minutes=30))
    id = house.hold(soft_close=soft, allows_proxy=False)
    kept = house.load(id)
    wanted = draft(soft_close=soft, allows_proxy=False)
    assert kept.rules == wanted.rules
    assert (kept.lots[0].start, kept.lots[0].reserve) == (1000, 900)
    assert sorted(kept.bidders) == [ANN, BEN, CAI]


def test_the_same_form_holds_one_auction(house: House) -> None:
    actor = Actor(OWNER, "u-1", "Lin")
    with house.database.write(OWNER) as session:
        first = house.service.hold(session, actor, draft(), request_key="form-1")
        assert house.service.hold(session, actor, draft(), request_key="form-1") == first


def test_an_unfit_auction_is_not_held(house: House) -> None:
    with pytest.raises(Unfit, match="NO_BIDDER"):
        house.hold(bidders=())


def test_bids_are_stored_as_the_rules_have_them(house: House) -> None:
    id = house.hold()
    house.bid(id, ANN, limit="800")
    house.bid(id, BEN, "880")
    stands = model.standing(house.load(id), TEN)
    assert (stands.leader, stands.price, stands.reserve_met) == (ANN, 870, True)
    assert house.room(id, BEN).view.lots[0].price == 870


def test_one_form_is_one_bid(house: House) -> None:
    id = house.hold()
    number = house.bid(id, ANN, "1000", request_key="form-1")
    assert house.bid(id, ANN, "1000", request_key="form-1") == number
    assert house.load(id).version == 1


def test_a_slip_of_the_hand_is_asked_for_twice(house: House) -> None:
    id = house.hold()
    with pytest.raises(Refused, match="LARGE_STEP"):
        house.bid(id, ANN, "100", confirmed=False)
    assert house.load(id).version == 0
    house.bid(id, ANN, "100", confirmed=True)


def test_a_stranger_finds_nothing_and_a_bidder_not_what_others_did(house: House) -> None:
    id = house.hold()
    house.bid(id, ANN, "1000", limit="850")
    for call in (lambda: house.room(id, STRANGER), lambda: house.bid(id, STRANGER, "990")):
        with pytest.raises(NotFound):
            call()
    for who, seen in ((BEN, 0), (OWNER, 0), (ANN, 1)):
        with house.database.read(who) as session:
            assert len(session.scalars(select(EventRow)).all()) == seen
            with pytest.raises(Unscoped):
                session.execute(select(EventRow.__table__.c.bid_limit))
    with house.database.read(STRANGER) as session:
        assert session.scalars(select(AuctionRow)).all() == []
        assert house.service.listed(session, STRANGER) == []


def test_a_bidder_learns_neither_names_nor_the_reserve(house: House) -> None:
    id = house.hold()
    house.bid(id, ANN, "1000", limit="851.23")
    room = house.room(id, BEN)
    assert list(room.names.values()) == ["Ben Valves"]
    assert (room.reserves, room.deals) == ({}, {})
    assert set(house.room(id, OWNER).names.values()) == {"Ann Armaturen", "Ben Valves", "Cai Metals"}
    assert "851.23" not in repr(house.room(id, OWNER).view)


def test_events_are_bound_into_the_audit_chain_without_amounts(house: House) -> None:
    id = house.hold()
    house.bid(id, ANN, "987.65", limit="851.23")
    assert "987.65" not in audit_text(house.database)
    assert "851.23" not in audit_text(house.database)
    with house.database.read() as session:
        assert service.verify(session, id) is None
    with house.database.write() as session:
        session.execute(update(EventRow).values(amount=Decimal(987)))
    with house.database.read() as session:
        assert service.verify(session, id) == 1


def test_a_reverse_auction_ends_in_the_sellers_firm_offer(house: House, at_ten) -> None:
    id = house.hold()
    house.bid(id, ANN, "890")
    house.jobs.drain()
    assert house.deals.won == []
    at_ten.move(HOUR)
    house.jobs.drain()
    ((winner, letter),) = house.deals.won
    assert winner == ANN
    assert isinstance(letter, Offer)
    assert indefinite(letter) is None
    assert sum(net_amount(line, "USD") for line in letter.lines) == 890
    assert (letter.lines[0].price.amount, letter.delivery_terms.place) == (Decimal("8.90"), "Ningbo")
    assert [(each.role, each.name) for each in letter.parties] == [
        ("buyer", "Haidi Trading"), ("seller", "Ann Armaturen"),
    ]  # fmt: skip
    assert accept_by(letter).date() == (TEN + timedelta(days=14)).date()
    assert list(house.room(id, ANN).deals.values()) == ["deal-1"]
    assert house.room(id, BEN).deals == {}


def test_a_sale_ends_in_the_buyers_firm_offer(house: House, at_ten) -> None:
    from tradehub.negotiation.drafting import is_firm

    id = house.hold(Kind.ENGLISH)
    house.bid(id, BEN, "1000")
    at_ten.move(HOUR)
    house.jobs.drain()
    ((winner, letter),) = house.deals.won
    assert (winner, letter.parties[0].name, letter.parties[1].name) == (BEN, "Ben Valves", "Haidi Trading")
    assert isinstance(letter, Inquiry)
    assert is_firm(letter)


def test_it_is_settled_once_and_not_before_the_end_that_it_came_to_have(house: House, at_ten) -> None:
    id = house.hold(soft_close=SoftClose(timedelta(minutes=5), timedelta(minutes=10)))
    at_ten.move(timedelta(minutes=58))
    house.bid(id, ANN, "890")
    at_ten.move(timedelta(minutes=5))
    house.jobs.drain()
    assert house.deals.won == []
    at_ten.move(timedelta(minutes=10))
    house.jobs.drain()
    with house.database.write() as session:
        assert house.service.settle(session, id, TEN + 2 * HOUR)
    assert len(house.deals.won) == 1


def test_short_of_the_reserve_nothing_follows(house: House, at_ten) -> None:
    id = house.hold()
    house.bid(id, ANN, "950")
    at_ten.move(HOUR)
    house.jobs.drain()
    assert house.deals.won == []
    assert house.room(id, OWNER).view.status is Status.SHORT


def test_a_clock_that_was_stopped_is_settled_at_once(house: House, at_ten) -> None:
    id = house.hold(Kind.DUTCH)
    at_ten.move(timedelta(seconds=130))
    house.bid(id, CAI, "980")
    house.jobs.drain()
    assert [(winner, letter.lines[0].price.amount) for winner, letter in house.deals.won] == [(CAI, Decimal("9.80"))]


def test_each_line_may_be_won_by_another(house: House, at_ten) -> None:
    lines = tuple(DraftLine(f"Part {n}", Decimal(3), "C62", Decimal(100)) for n in (1, 2, 3))
    id = house.hold(lines=lines, by_line=True)
    for lot, by in ((1, ANN), (2, BEN), (3, ANN)):
        house.bid(id, by, "290", lot=lot)
    at_ten.move(HOUR)
    house.jobs.drain()
    assert [(winner, [line.number for line in letter.lines]) for winner, letter in house.deals.won] == [
        (ANN, ["1", "3"]), (BEN, ["2"]),
    ]  # fmt: skip


def test_the_owner_rules_and_what_it_did_is_kept(house: House, at_ten) -> None:
    id = house.hold()
    house.bid(id, ANN, "100")
    house.act(id, ActKind.ASK, ANN, "one nought too few", about=1)
    assert list(house.room(id, OWNER).requests) == [1]
    house.act(id, ActKind.CONSENT, about=1)
    assert house.room(id, OWNER).view.lots[0].price is None
    house.act(id, ActKind.PAUSE)
    with pytest.raises(Refused, match="PAUSED"):
        house.bid(id, BEN, "990")
    house.act(id, ActKind.RESUME)
    house.act(id, ActKind.CANCEL, text="the project was stopped")
    at_ten.move(HOUR)
    house.jobs.drain()
    assert house.deals.won == []
    with pytest.raises(Refused, match="SETTLED"):
        house.act(id, ActKind.PAUSE)


def test_amounts_under_seal_are_read_after_the_end_and_not_before(house: House, at_ten) -> None:
    id = house.hold(Kind.VICKREY)
    for by, amount in ((ANN, "1234.5"), (BEN, "1765.4"), (CAI, "1500")):
        house.bid(id, by, amount)
    assert [each.amount for each in house.load(id).events] == [None, None, None]
    assert house.room(id, BEN).view.lots[0].price is None
    at_ten.move(HOUR)
    house.jobs.drain()
    assert [(winner, letter.lines[0].price.amount) for winner, letter in house.deals.won] == [(BEN, Decimal(15))]
    assert house.room(id, BEN).view.lots[0].price == 1500


def test_envelopes_that_were_moved_or_changed_leave_the_auction_unopened(house: House, at_ten) -> None:
    id = house.hold(Kind.VICKREY)
    house.bid(id, ANN, "1234.5")
    house.bid(id, BEN, "1765.4")
    with house.database.write() as session, session.no_autoflush:
        one, other = session.scalars(select(EventRow).order_by(EventRow.number))
        one.sealed, other.sealed = other.sealed, one.sealed
    at_ten.move(HOUR)
    house.jobs.drain()
    assert house.room(id, OWNER).view.status is Status.UNOPENED
    assert house.deals.won == []


def test_envelopes_do_not_tell_how_large_an_amount_is(house: House) -> None:
    id = house.hold(Kind.VICKREY)
    house.bid(id, ANN, "1000")
    house.bid(id, BEN, "999999999999.99")
    with house.database.read() as session:
        one, other = session.scalars(select(EventRow.sealed))
    assert len(one) == len(other)


def test_the_running_come_first_in_the_list(house: House, at_ten) -> None:
    later = house.hold(title="later", starts_at=TEN + HOUR, ends_at=TEN + 2 * HOUR)
    running = house.hold(title="running")
    with house.database.read(ANN) as session:
        assert [each.row.id for each in house.service.listed(session, ANN)] == [running, later]
        assert [each.row.id for each in house.service.listed(session, ANN, words="LATER")] == [later]


def test_only_what_is_new_is_read_of_an_auction_that_is_known(house: House) -> None:
    id = house.hold()
    house.bid(id, ANN, "1000", "800")
    house.bid(id, BEN, "880")
    with house.database.read() as session:
        row = store.row(session, id)
        fresh = store.load_all(session, [row], house.service.memory.envelopes)[id]
        assert house.service.memory.load(session, row) == fresh
        assert house.service.memory.load(session, row).ledger.tallies == fresh.ledger.tallies
        assert store.versions(session, [id]) == {id: 2}


def test_what_a_rolled_back_transaction_saw_is_not_remembered(house: House) -> None:
    id = house.hold()

    def bid_and_fail() -> None:
        with house.database.write(ANN) as session:
            house.service.bid(session, Actor(ANN), id, lot=1, amount=Decimal(1000), confirmed=True)
            assert house.service.memory.load(session, store.row(session, id)).version == 1
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        bid_and_fail()
    house.bid(id, BEN, "970")
    assert [(each.by, each.amount) for each in house.load(id).events] == [(BEN, 970)]


def test_a_memory_that_is_full_forgets_and_loads_again(house: House) -> None:
    ids = [house.hold() for _ in range(3)]
    memory = Memory(house.service.memory.envelopes, events_max=2)
    for id in ids:
        house.bid(id, ANN, "1000")
    with house.database.read() as session:
        rows = [store.row(session, id) for id in ids]
        for _ in range(2):
            assert [memory.load(session, row).version for row in rows] == [1, 1, 1]
