"""Any order of bids, acts and times: what an auction promises holds after each of them."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tests.sourcing.auctions.words import ANN, BEN, CAI, OWNER, at, auction
from tradehub.sourcing.auctions import model
from tradehub.sourcing.auctions.ledger import Auction, Ledger
from tradehub.sourcing.auctions.model import standing
from tradehub.sourcing.auctions.rules import Act, ActKind, Bid, Display, Kind, Refused, Status
from tradehub.sourcing.auctions.views import view

PARTIES = (ANN, BEN, CAI)
amounts = st.decimals(min_value="1", max_value="3000", places=2)
bids = st.builds(
    Bid,
    lot=st.just(1),
    by=st.sampled_from(PARTIES),
    amount=st.none() | amounts,
    limit=st.none() | amounts,
)
acts = st.builds(
    Act,
    kind=st.sampled_from([ActKind.PAUSE, ActKind.RESUME]),
    by=st.just(OWNER),
    text=st.just("so"),
)
withdrawals = st.builds(
    Act,
    kind=st.sampled_from([ActKind.ASK, ActKind.CONSENT]),
    by=st.sampled_from([*PARTIES, OWNER]),
    text=st.just("a slip"),
    about=st.integers(1, 12),
)
waits = st.floats(0, 700, allow_nan=False)
histories = st.lists(st.tuples(waits, st.one_of(bids, bids, bids, bids, acts)), max_size=25)
open_auctions = st.builds(
    auction,
    kind=st.sampled_from([Kind.ENGLISH, Kind.REVERSE]),
    reserve=st.none(),
    step=st.sampled_from(["0.01", "10", "250"]),
    soft=st.sampled_from([None, (60, 120, None), (600, 300, 900), (300, 30, 0)]),
    display=st.sampled_from(list(Display)),
)


def happened(found: Auction, history) -> list[Auction]:
    """Return the auction after each thing that was not refused."""
    second, states = 0.0, [found]
    for wait, event in history:
        second += wait
        try:
            states.append(model.step(states[-1], event, now=at(second)))
        except Refused:
            continue
    return states


def now_of(found: Auction):
    return found.events[-1].at if found.events else at(0)


@given(open_auctions, histories)
def test_the_leader_has_the_best_bid_and_no_limit_is_passed(found, history) -> None:
    for state in happened(found, history):
        rules = state.rules
        stands = standing(state, now_of(state))
        given_limits: dict = {}
        for each in (event for event in state.events if isinstance(event, Bid)):
            furthest = each.limit if each.limit is not None else each.amount
            known = given_limits.get(each.by, furthest)
            given_limits[each.by] = rules.better(known, furthest)
        for position in stands.positions:
            assert not rules.is_better(position.amount, given_limits[position.by])
        if stands.leader is not None:
            lead = stands.position(stands.leader)
            assert stands.positions[0] == lead
            assert lead.amount == stands.price
            assert all(not rules.is_better(limit, given_limits[stands.leader]) for limit in given_limits.values())


@given(open_auctions, histories)
def test_the_price_moves_one_way_and_the_end_never_comes_nearer(found, history) -> None:
    states = happened(found, history)
    for before, after in itertools.pairwise(states):
        now = now_of(after)
        was, is_now = standing(before, now), standing(after, now)
        assert is_now.ends_at >= was.ends_at
        if was.price is not None:
            assert not found.rules.is_better(was.price, is_now.price)
        if was.leader is not None and is_now.leader != was.leader:
            assert found.rules.is_better(is_now.price, was.price)
        soft = found.rules.soft_close
        if soft is not None and soft.at_most is not None:
            paused = sum(((end - start) for start, end in after.ledger.pauses), timedelta())
            assert is_now.ends_at <= found.rules.ends_at + soft.at_most + paused


@given(open_auctions, histories)
def test_the_price_is_one_increment_over_the_second_or_what_was_given(found, history) -> None:
    """Nobody pays more than its own word, and no more than it takes to beat the second."""
    for state in happened(found, history):
        stands, rules = standing(state, now_of(state)), state.rules
        if len(stands.positions) < 2:
            continue
        lead, second = stands.positions[:2]
        said = {each.amount for each in state.events if isinstance(each, Bid) and each.by == lead.by}
        beaten = {rules.improved(each.amount) for each in stands.positions[1:]}
        assert stands.price in said | beaten | {lead.limit, second.amount}


@given(open_auctions, histories, st.lists(st.tuples(waits, withdrawals), max_size=6))
def test_what_is_stored_gives_the_same_auction_again(found, history, taken_back) -> None:
    state = happened(found, [*history, *taken_back])[-1]
    again = replace(found, events=tuple(state.events))
    for lot in found.lots:
        assert standing(again, at(9000), lot.number) == standing(state, at(9000), lot.number)
    replayed = found
    for event in state.events:
        replayed = model.step(replayed, replace(event, number=0, is_quiet=False) if isinstance(event, Bid) else event,
                              now=event.at)  # fmt: skip
    assert replayed.events == state.events


@given(open_auctions, histories, st.lists(st.tuples(waits, withdrawals), max_size=6))
def test_a_ledger_that_grew_is_the_one_that_was_added_up_at_once(found, history, taken_back) -> None:
    states = happened(found, [*history, *taken_back])
    for state in states:
        assert replace(state.ledger, stood={}) == Ledger.of(state)


@given(open_auctions, histories, st.lists(st.tuples(waits, withdrawals), max_size=6))
def test_a_withdrawal_brings_the_end_no_nearer(found, history, taken_back) -> None:
    states = happened(found, [*history, *taken_back])
    for before, after in itertools.pairwise(states):
        assert model.ends_at(after) >= model.ends_at(before)


@given(st.sampled_from([Kind.DUTCH, Kind.DUTCH_REVERSE]), histories, st.lists(waits, max_size=8))
def test_a_clocks_price_moves_one_way_and_is_taken_once(kind, history, waits) -> None:
    found = auction(kind, reserve="500" if kind is Kind.DUTCH else "2000", step="7")
    taken = [event for event in happened(found, history)[-1].events if isinstance(event, Bid)]
    assert len(taken) <= 1
    second, last = 0.0, standing(found, at(0)).price
    for wait in waits:
        second += wait
        price = standing(found, at(second)).price
        assert not found.rules.is_better(price, last)
        last = price


@given(st.sampled_from([Kind.VICKREY, Kind.VICKREY_REVERSE]), st.none() | amounts, histories)
def test_the_sealed_winner_never_pays_worse_than_its_bid(kind, reserve, history) -> None:
    base = auction(kind, start="200" if kind is Kind.VICKREY else "2500")
    found = replace(base, lots=(replace(base.lots[0], reserve=reserve),))
    state = happened(found, history)[-1]
    stands = standing(state, at(10**6))
    if stands.status is not Status.WON:
        return
    best, rules = stands.positions[0], state.rules
    assert not rules.is_better(stands.price, best.amount)
    assert all(not rules.is_better(each.amount, stands.price) for each in stands.positions[1:])
    assert reserve is None or not rules.is_better(reserve, stands.price)


@given(open_auctions, histories, st.sampled_from(PARTIES))
def test_nobody_sees_anothers_name_or_limit(found, history, viewer) -> None:
    """Amounts that only ever were a limit of somebody else are in no view of it."""
    state = happened(found, history)[-1]
    now = now_of(state)
    seen = view(state, viewer, now)
    text = repr(seen)
    assert not any(repr(party) in text for party in PARTIES)
    stands = standing(state, now)
    shown = {each.amount for each in stands.moves}
    for event in state.events:
        if isinstance(event, Bid) and event.by != viewer and event.limit is not None and event.limit not in shown:
            own = {each.limit for each in state.events if isinstance(each, Bid) and each.by == viewer}
            nexts = {each.next for each in seen.lots}
            assert event.limit in own | nexts or f"'{event.limit}'" not in text


def test_amounts_are_exact() -> None:
    assert auction().rules.improved(Decimal("0.1")) == Decimal("10.1")
