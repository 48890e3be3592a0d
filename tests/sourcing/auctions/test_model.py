"""The rules of docs/auctions.md, kind by kind."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tests.sourcing.auctions.words import ANN, BEN, CAI, OWNER, act, at, auction, bid, code_of, line
from tradehub.sourcing.auctions import drafting, forms, model, rules, wording
from tradehub.sourcing.auctions.ledger import Auction
from tradehub.sourcing.auctions.model import standing
from tradehub.sourcing.auctions.rules import ActKind, Display, Kind, Lot, Status
from tradehub.sourcing.auctions.views import view


def price(found: Auction, second: float = 100, lot: int = 1) -> tuple[str | None, Decimal | None]:
    now = standing(found, at(second), lot)
    return now.leader, now.price


# --- open, upward and downward ---


def test_bidding_begins_at_the_start_price_and_goes_on_by_the_increment() -> None:
    found = auction()
    assert code_of(bid, found, 1, ANN, "999.99") == "START_PRICE"
    found = bid(found, 1, ANN, "1000")
    assert code_of(bid, found, 2, BEN, "1009.99") == "INCREMENT"
    assert price(bid(found, 2, BEN, "1010")) == (BEN, 1010)


def test_a_reverse_auction_is_the_same_downward() -> None:
    found = auction(Kind.REVERSE)
    assert code_of(bid, found, 1, ANN, "1000.01") == "START_PRICE"
    found = bid(found, 1, ANN, "1000")
    assert code_of(bid, found, 2, BEN, "990.01") == "INCREMENT"
    assert price(bid(found, 2, BEN, "990")) == (BEN, 990)


def test_a_refusal_names_its_rule_and_the_amount_that_would_do() -> None:
    with pytest.raises(rules.Refused) as refused:
        bid(bid(auction(), 1, ANN, "1000"), 2, BEN, "1001")
    assert (refused.value.rule, refused.value.value) == ("A5", 1010)


def test_an_increment_in_percent_is_rounded_up_to_the_cent() -> None:
    found = bid(auction(step="1.5", percent=True), 1, ANN, "1000.33")
    assert model.next_amount(found, BEN, at(2)) == Decimal("1015.34")


def test_a_purchase_cannot_be_bid_down_to_nothing() -> None:
    found = bid(auction(Kind.REVERSE, start="15"), 1, ANN, "10")
    assert model.next_amount(found, BEN, at(2)) is None
    assert code_of(bid, found, 2, BEN, "0.01") == "INCREMENT"


def test_who_leads_does_not_bid_against_itself() -> None:
    found = bid(auction(), 1, ANN, "1000")
    assert code_of(bid, found, 2, ANN, "1100") == "YOU_LEAD"


@pytest.mark.parametrize(
    ("amount", "code"),
    [("0", "NOT_AN_AMOUNT"), ("-5", "NOT_AN_AMOUNT"), ("NaN", "NOT_AN_AMOUNT"), ("Infinity", "NOT_AN_AMOUNT"),
     ("1e13", "NOT_AN_AMOUNT"), ("1000.005", "TOO_MANY_DECIMALS")],
)  # fmt: skip
def test_what_is_no_amount_is_refused(amount: str, code: str) -> None:
    assert code_of(bid, auction(), 1, ANN, amount) == code


def test_only_the_invited_bid_and_the_owner_never() -> None:
    assert code_of(bid, auction(), 1, "stranger", "1000") == "NOT_INVITED"
    assert code_of(bid, auction(), 1, OWNER, "1000") == "OWN_AUCTION"
    assert code_of(bid, auction(), 1, ANN, "1000", lot=2) == "NO_SUCH_LOT"


def test_the_first_moment_counts_and_the_last_one_does_not() -> None:
    found = auction()
    assert code_of(bid, found, -0.001, ANN, "1000") == "NOT_STARTED"
    assert code_of(bid, found, 0, ANN, "1000") == "accepted"
    assert code_of(bid, found, 3599.999, ANN, "1000") == "accepted"
    assert code_of(bid, found, 3600, ANN, "1000") == "CLOSED"


def test_short_of_the_reserve_nobody_wins() -> None:
    found = bid(auction(reserve="1500"), 1, ANN, "1400")
    assert not standing(found, at(2)).reserve_met
    assert standing(found, at(3600)).status is Status.SHORT
    found = bid(found, 2, BEN, "1500")
    assert standing(found, at(2)).reserve_met
    assert standing(found, at(3600)).winner == BEN


def test_without_a_bid_it_ends_empty() -> None:
    assert standing(auction(), at(3600)).status is Status.EMPTY
    assert standing(auction(), at(-1)).status is Status.SCHEDULED


# --- bidding by the auction, up or down to a limit ---


def test_the_further_limit_leads_by_one_increment_over_the_second() -> None:
    found = bid(auction(), 1, ANN, limit="1500")
    assert price(found) == (ANN, 1000)
    found = bid(found, 2, BEN, "1200")
    assert price(found) == (ANN, 1210)
    assert price(bid(found, 3, CAI, limit="1600")) == (CAI, 1510)


def test_at_equal_limits_the_earlier_leads_at_the_limit() -> None:
    found = bid(bid(auction(), 1, ANN, limit="1500"), 2, BEN, limit="1500")
    assert price(found) == (ANN, 1500)
    assert [each.by for each in standing(found, at(3)).positions] == [ANN, BEN]


def test_an_amount_on_the_table_is_not_taken_back_by_a_limit() -> None:
    found = bid(bid(auction(), 1, ANN, limit="1100"), 2, BEN, "1300", limit="1500")
    assert price(found) == (BEN, 1300)


def test_a_limit_close_to_the_second_is_not_passed() -> None:
    found = bid(bid(auction(Kind.REVERSE), 1, ANN, limit="803"), 2, BEN, limit="800")
    assert price(found) == (BEN, 800)


def test_the_leader_may_go_further_but_not_back() -> None:
    found = bid(auction(), 1, ANN, limit="1500")
    assert code_of(bid, found, 2, ANN, limit="1500") == "LIMIT_NOT_BETTER"
    found = bid(found, 2, ANN, limit="1700")
    assert price(found) == (ANN, 1000)
    assert price(bid(found, 3, BEN, limit="1600")) == (ANN, 1610)


def test_a_limit_beyond_the_reserve_goes_to_the_reserve_at_once() -> None:
    assert price(bid(auction(reserve="1300"), 1, ANN, limit="1500")) == (ANN, 1300)
    assert price(bid(auction(reserve="1300"), 1, ANN, limit="1200")) == (ANN, 1000)


def test_limits_are_kept_in_order_and_may_be_shut_out() -> None:
    assert code_of(bid, auction(), 1, ANN, "1200", limit="1100") == "LIMIT_WORSE_THAN_BID"
    assert code_of(bid, auction(allows_proxy=False), 1, ANN, limit="1100") == "PROXY_NOT_ALLOWED"


def test_the_auctions_own_bids_are_told_from_given_ones() -> None:
    found = bid(bid(auction(), 1, ANN, limit="1500"), 2, BEN, "1200")
    moves = standing(found, at(3)).moves
    assert [(each.by, each.amount, each.is_automatic) for each in moves] == [
        (ANN, 1000, False), (BEN, 1200, False), (ANN, 1210, True),
    ]  # fmt: skip


# --- ranks instead of prices ---


def test_where_ranks_are_shown_a_bid_beats_ones_own() -> None:
    found = auction(Kind.REVERSE, display=Display.RANK)
    found = bid(bid(found, 1, ANN, "900"), 2, BEN, "980")
    assert standing(found, at(3)).rank(BEN) == 2
    assert model.next_amount(found, BEN, at(3)) == 970
    assert code_of(bid, found, 3, BEN, "975") == "INCREMENT"
    assert price(bid(found, 3, BEN, "890")) == (BEN, 890)
    assert price(bid(found, 3, ANN, "800")) == (ANN, 800)


def test_where_ranks_are_shown_nobody_learns_a_price() -> None:
    found = bid(bid(auction(Kind.REVERSE, display=Display.RANK), 1, ANN, "900"), 2, BEN, "980")
    (seen,) = view(found, BEN, at(3)).lots
    assert (seen.rank, seen.own, seen.price, seen.leader, seen.bidders) == (2, 980, None, None, 0)
    assert [each.is_own for each in seen.moves] == [True]


# --- the end put off ---


def test_a_bid_in_the_last_moments_puts_the_end_off() -> None:
    found = auction(soft=(60, 120, None))
    assert standing(bid(found, 3539, ANN, "1000"), at(3539)).ends_at == at(3600)
    found = bid(found, 3540, ANN, "1000")
    assert standing(found, at(3540)).ends_at == at(3720)
    assert code_of(bid, found, 3719, BEN, "1010") == "accepted"


def test_the_end_is_put_off_to_the_cap_and_no_further() -> None:
    found = auction(soft=(60, 120, 150))
    found = bid(bid(found, 3590, ANN, "1000"), 3700, BEN, "1010")
    assert standing(found, at(3700)).ends_at == at(3750)
    assert standing(bid(found, 3740, ANN, "1020"), at(3740)).ends_at == at(3750)


def test_a_leaders_new_limit_does_not_put_the_end_off() -> None:
    found = bid(auction(soft=(60, 120, None)), 10, ANN, limit="1500")
    found = bid(found, 3590, ANN, limit="1600")
    assert standing(found, at(3590)).ends_at == at(3600)


def test_each_lot_has_its_own_end() -> None:
    found = bid(auction(soft=(60, 120, None), lots=2), 3590, ANN, "1000", lot=2)
    assert standing(found, at(3600), 1).status is Status.EMPTY
    assert model.overall(found, at(3600)) is Status.RUNNING
    assert model.ends_at(found) == at(3720)


# --- against the clock ---


def test_a_dutch_price_falls_by_the_clock_to_the_reserve() -> None:
    found = auction(Kind.DUTCH, reserve="975")
    seen = [standing(found, at(second)).price for second in (0, 59, 60, 120, 180, 3000)]
    assert seen == [1000, 1000, 990, 980, 975, 975]
    assert standing(found, at(61)).steps_at == at(120)
    assert standing(found, at(181)).steps_at is None


def test_a_price_that_rises_is_the_same_upward() -> None:
    found = auction(Kind.DUTCH_REVERSE, start="100", reserve="125")
    assert [standing(found, at(second)).price for second in (0, 60, 200)] == [100, 110, 125]


def test_the_first_who_accepts_wins_at_the_price_of_the_moment() -> None:
    found = auction(Kind.DUTCH, reserve="500")
    assert code_of(bid, found, 61, ANN, "980") == "NOT_THE_PRICE"
    found = bid(found, 61, ANN, "1000")
    stands = standing(found, at(62))
    assert (stands.status, stands.winner, stands.price, stands.ends_at) == (Status.WON, ANN, 990, at(61))
    assert code_of(bid, found, 61, BEN, "990") == "TAKEN"


def test_nobody_accepts_and_the_clock_runs_out() -> None:
    found = auction(Kind.DUTCH, reserve="975")
    assert model.clock_ends_at(found.rules, found.lots) == at(240)


def test_a_pause_stops_the_clock() -> None:
    found = act(act(auction(Kind.DUTCH, reserve="500"), 90, ActKind.PAUSE), 1090, ActKind.RESUME)
    assert standing(found, at(1119)).price == 990
    assert standing(found, at(1120)).price == 980
    assert standing(found, at(1119)).steps_at == at(1120)
    assert standing(found, at(1119)).ends_at == at(4600)


# --- under seal, at the second price ---


def sealed(kind: Kind = Kind.VICKREY, reserve: str | None = None, *bids: tuple[str, str]) -> Auction:
    found = auction(kind, reserve=reserve, start="1000" if kind is Kind.VICKREY else "2000")
    for second, (by, amount) in enumerate(bids, 1):
        found = bid(found, second, by, amount)
    return found


def test_sealed_bids_show_in_nothing_until_the_end() -> None:
    found = sealed(Kind.VICKREY, None, (ANN, "1234.56"), (BEN, "1765.43"))
    for who in (OWNER, ANN, BEN):
        text = repr(view(found, who, at(100)))
        assert "1234.56" not in text
        assert "1765.43" not in text
    assert standing(found, at(100)).leader is None


@pytest.mark.parametrize(
    ("kind", "reserve", "bids", "winner", "price"),
    [
        (Kind.VICKREY, None, [(ANN, "1300"), (BEN, "1700"), (CAI, "1500")], BEN, "1500"),
        (Kind.VICKREY, "1600", [(ANN, "1300"), (BEN, "1700"), (CAI, "1500")], BEN, "1600"),
        (Kind.VICKREY, None, [(ANN, "1300")], ANN, "1000"),
        (Kind.VICKREY, None, [(ANN, "1300"), (BEN, "1300")], ANN, "1300"),
        (Kind.VICKREY, "1800", [(ANN, "1300"), (BEN, "1700")], None, None),
        (Kind.VICKREY, None, [], None, None),
        (Kind.VICKREY, None, [(ANN, "1900"), (BEN, "1300"), (ANN, "1200")], BEN, "1200"),
        (Kind.VICKREY_REVERSE, None, [(ANN, "900"), (BEN, "700"), (CAI, "800")], BEN, "800"),
        (Kind.VICKREY_REVERSE, "750", [(ANN, "900"), (BEN, "700")], BEN, "750"),
        (Kind.VICKREY_REVERSE, None, [(ANN, "900")], ANN, "2000"),
    ],
)
def test_the_best_sealed_bid_wins_at_the_second_price(kind, reserve, bids, winner, price) -> None:
    stands = standing(sealed(kind, reserve, *bids), at(3600))
    assert (stands.winner, stands.price) == (winner, price and Decimal(price))


def test_bids_that_are_still_encrypted_wait_for_their_opening() -> None:
    found = sealed(Kind.VICKREY, None, (ANN, "1300"), (BEN, "1700"))
    closed = replace(found, events=tuple(replace(each, amount=None) for each in found.events))
    assert standing(closed, at(100)).status is Status.RUNNING
    assert standing(closed, at(3600)).status is Status.UNOPENED
    assert standing(found, at(3600)).winner == BEN


# --- pause, cancel, and a bid taken back ---


def test_a_pause_takes_no_bids_and_gives_the_time_back() -> None:
    found = act(auction(soft=(60, 120, 600)), 3000, ActKind.PAUSE)
    assert code_of(bid, found, 3100, ANN, "1000") == "PAUSED"
    assert standing(found, at(9000)).status is Status.PAUSED
    found = act(found, 9000, ActKind.RESUME)
    assert standing(found, at(9001)).ends_at == at(9600)
    assert code_of(act, found, 9001, ActKind.RESUME) == "NOT_PAUSED"


def test_only_the_owner_rules_and_with_a_reason() -> None:
    assert code_of(act, auction(), 1, ActKind.PAUSE, ANN) == "NOT_OWNER"
    assert code_of(act, auction(), 1, ActKind.CANCEL, OWNER, " ") == "REASON_MISSING"
    assert code_of(act, auction(), -1, ActKind.PAUSE) == "NOT_RUNNING"
    assert code_of(act, auction(), 3600, ActKind.CANCEL) == "OVER"


def test_a_cancelled_auction_has_no_winner() -> None:
    found = act(bid(auction(), 1, ANN, "1000"), 2, ActKind.CANCEL)
    assert standing(found, at(3600)).status is Status.CANCELLED
    assert code_of(bid, found, 3, BEN, "1010") == "CANCELLED"


def test_an_obvious_error_is_taken_back_with_the_owners_consent_alone() -> None:
    found = bid(bid(auction(), 1, ANN, "1000"), 2, BEN, "10100")
    assert code_of(act, found, 3, ActKind.CONSENT, about=2) == "NOT_ASKED"
    assert code_of(act, found, 3, ActKind.ASK, ANN, about=2) == "NOT_YOUR_BID"
    found = act(found, 3, ActKind.ASK, BEN, about=2)
    assert price(found) == (BEN, 10100)
    assert code_of(act, found, 3, ActKind.CONSENT, BEN, about=2) == "NOT_OWNER"
    assert code_of(act, found, 3, ActKind.ASK, BEN, about=2) == "ASKED_ALREADY"
    assert price(act(found, 4, ActKind.DECLINE, about=2)) == (BEN, 10100)
    found = act(found, 4, ActKind.CONSENT, about=2)
    assert price(found) == (ANN, 1000)
    assert code_of(act, found, 5, ActKind.ASK, BEN, about=2) == "WITHDRAWN"


def test_a_withdrawn_bid_has_put_the_end_off_all_the_same() -> None:
    found = bid(bid(auction(soft=(60, 120, None)), 1, ANN, "1000"), 3590, BEN, "5000")
    found = act(act(found, 3591, ActKind.ASK, BEN, about=2), 3592, ActKind.CONSENT, about=2)
    assert standing(found, at(3592)).ends_at == at(3720)


# --- what the owner may lay down ---


@pytest.mark.parametrize(
    ("kind", "more", "code"),
    [
        (Kind.ENGLISH, {"reserve": "900"}, "RESERVE_WRONG_SIDE"),
        (Kind.REVERSE, {"reserve": "1100"}, "RESERVE_WRONG_SIDE"),
        (Kind.DUTCH, {"reserve": "1100"}, "RESERVE_WRONG_SIDE"),
        (Kind.DUTCH_REVERSE, {"reserve": "900"}, "RESERVE_WRONG_SIDE"),
        (Kind.DUTCH, {}, "RESERVE_MISSING"),
        (Kind.DUTCH, {"reserve": "900", "tick": None}, "TICK_MISSING"),
        (Kind.DUTCH, {"reserve": "1", "step": "0.01"}, "TOO_MANY_STEPS"),
        (Kind.ENGLISH, {"step": "0"}, "INCREMENT_MISSING"),
        (Kind.ENGLISH, {"step": "60", "percent": True}, "INCREMENT_TOO_LARGE"),
        (Kind.ENGLISH, {"start": "0"}, "START_MISSING"),
        (Kind.ENGLISH, {"bidders": ()}, "NO_BIDDER"),
        (Kind.ENGLISH, {"bidders": (ANN, OWNER)}, "OWNER_BIDS"),
        (Kind.ENGLISH, {"bidders": tuple(map(str, range(501)))}, "TOO_MANY_BIDDERS"),
        (Kind.ENGLISH, {"lots": 51}, "NO_LOT"),
    ],
)
def test_an_auction_that_cannot_be_held_is_refused(kind, more, code) -> None:
    assert code in model.faults(auction(kind, **more), at(-600))


def test_times_are_judged_too() -> None:
    found = auction()
    assert model.faults(found, at(-600)) == []
    assert model.faults(found, at(600)) == ["STARTS_IN_THE_PAST"]
    for hours, code in ((0, "TOO_SHORT"), (24 * 61, "TOO_LONG")):
        changed = replace(found.rules, ends_at=at(3600 * hours))
        assert model.faults(replace(found, rules=changed), at(-600)) == [code]


def test_the_next_change_by_time_alone_is_known() -> None:
    found = auction(Kind.DUTCH, reserve="500")
    assert model.changes_at(found, at(-5)) == at(0)
    assert model.changes_at(found, at(5)) == at(60)
    assert model.changes_at(act(found, 70, ActKind.PAUSE), at(80)) is None
    assert model.changes_at(auction(), at(5)) == at(3600)
    assert model.changes_at(auction(), at(3600)) is None


# --- what the winner has offered ---


@pytest.mark.parametrize("price", ["1000", "1001", "999.99", "7.77", "0.01", "123456.78"])
def test_the_lines_add_up_to_the_price_that_won(price) -> None:
    lot = Lot(1, Decimal(1070), None, (line("1", "3", "10"), line("2", "7", "20"), line("3", "90", "10")))
    lines = drafting.priced(lot, Decimal(price), "USD")
    assert drafting.opening(lines, "USD") == Decimal(price)


def test_a_unit_price_that_can_be_stated_is_stated() -> None:
    (even,) = drafting.priced(Lot(1, Decimal(1), None, (line(),)), Decimal(950), "USD")
    assert (even.price.amount, even.price.basis) == (Decimal("9.50"), None)
    (odd,) = drafting.priced(Lot(1, Decimal(1), None, (line("1", "3"),)), Decimal(100), "USD")
    assert (odd.price.amount, odd.price.basis) == (100, odd.quantity)


def test_each_winner_gets_one_award_over_its_lots() -> None:
    found = auction(lots=3)
    for lot, by in ((1, ANN), (2, BEN), (3, ANN)):
        found = bid(found, lot, by, "1000", lot=lot)
    assert drafting.awards(found, at(30)) == ()
    won = drafting.awards(found, at(3600))
    assert [(each.winner, each.total) for each in won] == [(ANN, 2000), (BEN, 1000)]


def test_a_pause_that_began_after_the_end_of_a_lot_leaves_it_ended() -> None:
    found = auction(soft=(60, 120, None), lots=2)
    found = bid(found, 3590, ANN, "1000", lot=2)
    found = act(found, 3650, ActKind.PAUSE)
    assert standing(found, at(3700), 1).status is Status.EMPTY
    found = act(found, 3700, ActKind.RESUME)
    assert standing(found, at(3700), 1).ends_at == at(3600)
    assert standing(found, at(3700), 2).ends_at == at(3770)
    assert found.rules.starts_at + timedelta(hours=1) == at(3600)


def test_every_refusal_has_its_rule_in_the_docs_and_its_sentence() -> None:
    page = (Path(__file__).parents[3] / "docs/auctions.md").read_text(encoding="utf-8")
    told = {
        code: rule
        for rule, codes in re.findall(r"^\| (A\d+) \|.*\| ([A-Z_, ]+) \|$", page, re.MULTILINE)
        for code in codes.split(", ")
    }
    assert told == rules._REFUSALS
    assert set(wording.REFUSALS) == set(rules._REFUSALS)
    assert {*forms.FAULTS} == set(model._FAULTS) | {"TOO_MANY_STEPS"}
