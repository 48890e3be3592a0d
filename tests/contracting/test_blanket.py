"""Blanket agreements: a release beyond a ceiling or outside the period is refused, whoever comes at the same time."""

from __future__ import annotations

import threading
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import NoResultFound

from tests.contracting import proven as made
from tests.contracting.proven import Proven
from tests.trade_fulfilment import DELTA, HAIDI, NINGBO, Trade, concluded, offer
from tradehub.contracting.blanket import Agreement, Ceiling, release
from tradehub.contracting.calling_off import Ceilings, suggested
from tradehub.contracting.model import Conflict, Refused, State
from tradehub.documents.parts import Period
from tradehub.ordering.store import OrderRow
from tradehub.partners.authority import Asker
from tradehub.platform import clock

JUNE, DECEMBER = date(2026, 6, 1), date(2026, 12, 31)
DAY = date(2026, 7, 1)
LINES = offer().lines  # 100 at 12.40, 40 at 3.05, 1000 at 0.125


def agreement(**more) -> Agreement:
    lines = {"1": Ceiling("C62", Decimal(100)), "2": Ceiling("C62", None, Decimal("100.00")), "3": Ceiling("C62")}
    return Agreement(**{"valid_from": JUNE, "valid_until": DECEMBER, "currency": "USD", "ceiling": Decimal(1000),
                        "used": Decimal(0), "lines": lines, **more})  # fmt: skip


@pytest.mark.parametrize(
    ("wanted", "on", "rule", "place", "value"),
    [
        ({"1": 10}, date(2026, 5, 31), "OUTSIDE_PERIOD", "2026-06-01 – 2026-12-31", "2026-05-31"),
        ({"1": 10}, date(2027, 1, 1), "OUTSIDE_PERIOD", "2026-06-01 – 2026-12-31", "2027-01-01"),
        ({}, DAY, "NOTHING_WANTED", "", ""),
        ({"9": 1}, DAY, "UNKNOWN_LINE", "9", "9"),
        ({"1": 0}, DAY, "NOT_POSITIVE", "1", "0"),
        ({"1": -1}, DAY, "NOT_POSITIVE", "1", "-1"),
        ({"1": 101}, DAY, "BEYOND_QUANTITY", "1", "101 > 100"),
        ({"2": 33}, DAY, "BEYOND_AMOUNT", "2", "100.65 > 100.00"),
        ({"1": 80, "3": 1000}, DAY, "BEYOND_TOTAL", "", "1117.00 > 1000"),
    ],
)
def test_what_goes_beyond_is_refused_with_rule_place_and_value(wanted, on, rule, place, value):
    with pytest.raises(Refused) as refused:
        release(agreement(), LINES, {name: Decimal(each) for name, each in wanted.items()}, on=on)
    assert (refused.value.rule, refused.value.place, refused.value.value) == (rule, place, value)


@pytest.mark.parametrize("on", [JUNE, DECEMBER])
def test_both_days_of_the_period_belong_to_it_and_the_last_piece_may_be_called_off(on):
    after = release(agreement(ceiling=None), LINES, {"1": Decimal(100)}, on=on).after
    assert (after.lines["1"].quantity_left, after.used) == (0, Decimal("1240.00"))


def test_a_line_without_a_price_counts_by_quantity_alone():
    bare = (LINES[0].model_copy(update={"price": None}),)
    lines = {"1": Ceiling("C62", Decimal(100))}
    assert release(agreement(ceiling=None, lines=lines), bare, {"1": Decimal(5)}, on=DAY).amount == 0
    with pytest.raises(Refused, match="NO_PRICE"):
        release(agreement(lines=lines), bare, {"1": Decimal(5)}, on=DAY)


@given(st.lists(st.dictionaries(st.sampled_from("123"), st.decimals(1, 60, places=1), max_size=3), max_size=12))
def test_however_it_is_called_off_no_ceiling_is_passed(calls):
    now = agreement()
    for wanted in calls:
        try:
            now = release(now, LINES, wanted, on=DAY).after
        except Refused:
            continue
        assert now.left >= 0
        assert now.lines["1"].quantity_left >= 0
        assert now.lines["2"].amount_left >= 0


# --- stored --------------------------------------------------------------------------------------------------------

PROPOSED = Ceilings(JUNE, DECEMBER, Decimal(5000), {"1": (Decimal(100), None), "2": (None, Decimal(100))})


@pytest.fixture
def blanket(trade: Trade) -> str:
    with trade.database.write() as session:
        contract_id = trade.contracts.record(session, concluded(seller=DELTA))
    with trade.database.write(org=DELTA) as session:
        trade.contracts.propose_blanket(session, contract_id, PROPOSED, by=DELTA, at=clock.now())
    return contract_id


def confirm(trade: Trade, contract_id: str) -> None:
    with trade.database.write(org=HAIDI) as session:
        trade.contracts.confirm_blanket(session, contract_id, by=HAIDI, revision=1, at=clock.now())


def call_off(trade: Trade, contract_id: str, by=HAIDI, on=DAY, **wanted: int):
    quantities = {name.removeprefix("line"): Decimal(each) for name, each in wanted.items()}
    with trade.database.write(org=by) as session:
        return trade.contracts.call_off(session, contract_id, quantities, asker=Asker(by), on=on, at=clock.now())


def test_nothing_is_called_off_before_the_other_side_agrees(trade, blanket):
    with pytest.raises(Refused, match="NOT_AGREED"):
        call_off(trade, blanket, line1=1)
    with trade.database.write(org=DELTA) as session, pytest.raises(Refused, match="NOT_YOURS"):
        trade.contracts.confirm_blanket(session, blanket, by=DELTA, revision=1, at=clock.now())
    with trade.database.write(org=HAIDI) as session, pytest.raises(Conflict):
        trade.contracts.confirm_blanket(session, blanket, by=HAIDI, revision=7, at=clock.now())
    with trade.database.write(org=HAIDI) as session:
        other = Ceilings(JUNE, DECEMBER, Decimal(9), {})
        trade.contracts.propose_blanket(session, blanket, other, by=HAIDI, at=clock.now())
    with trade.database.write(org=DELTA) as session:
        trade.contracts.confirm_blanket(session, blanket, by=DELTA, revision=1, at=clock.now())
    with trade.database.write(org=DELTA) as session, pytest.raises(Refused, match="AGREED_ALREADY"):
        trade.contracts.propose_blanket(session, blanket, PROPOSED, by=DELTA, at=clock.now())


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"valid_until": date(2026, 5, 1)}, "PERIOD"),
        ({"lines": {"9": (Decimal(1), None)}}, "UNKNOWN_LINE"),
        ({"lines": {}, "ceiling": None}, "NO_CEILING"),
    ],
)
def test_ceilings_that_make_no_sense_are_refused(trade, blanket, changed, rule):
    proposed = Ceilings(**{**vars(PROPOSED), **changed})
    with trade.database.write(org=DELTA) as session, pytest.raises(Refused, match=rule):
        trade.contracts.propose_blanket(session, blanket, proposed, by=DELTA, at=clock.now())


def test_releases_count_and_name_the_contract(trade, blanket):
    confirm(trade, blanket)
    first, second = call_off(trade, blanket, line1=60), call_off(trade, blanket, line1=40, line3=8)
    assert (first.number, second.number, second.amount) == (1, 2, Decimal("497.00"))
    assert {each["type"] for each in first.document["references"]} == {"contract", "blanket_order"}
    assert first.document["type"] == "release"
    with pytest.raises(Refused, match=r"BEYOND_QUANTITY: 1: 1 > 0"):
        call_off(trade, blanket, line1=1)
    with pytest.raises(Refused, match="NOT_BUYER"):
        call_off(trade, blanket, by=DELTA, line3=1)
    with pytest.raises(NoResultFound):
        call_off(trade, blanket, by=NINGBO, line3=1)
    with trade.database.read(org=DELTA) as session:
        row = trade.contracts.blanket(session, blanket)
        assert (row.released, row.used, len(row.call_offs)) == (2, Decimal("1241.00"), 2)


def test_of_many_who_call_off_at_once_none_gets_beyond_the_ceiling(trade, blanket):
    confirm(trade, blanket)
    outcomes: list[str] = []
    start = threading.Barrier(6)

    def one() -> None:
        start.wait(10)
        try:
            call_off(trade, blanket, line1=30)
            outcomes.append("released")
        except (Refused, Conflict) as refused:
            outcomes.append(getattr(refused, "rule", "conflict"))

    threads = [threading.Thread(target=one) for _ in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(30)
    assert sorted(outcomes) == ["BEYOND_QUANTITY"] * 3 + ["released"] * 3
    with trade.database.read() as session:
        row = trade.contracts.blanket(session, blanket)
        assert (row.lines[0].quantity_used, row.released) == (90, 3)


def test_an_ended_contract_releases_nothing(trade, blanket):
    confirm(trade, blanket)
    with trade.database.write() as session:
        trade.contracts.move_on(session, "deal-1", "terminated", clock.now())
    with pytest.raises(Refused, match="ENDED"):
        call_off(trade, blanket, line1=1)


def test_the_contracts_own_period_and_quantities_suggest_the_ceilings(trade):
    framed = offer(delivery_period=Period(start=JUNE, end=DECEMBER))
    with trade.database.write() as session:
        contract_id = trade.contracts.record(session, concluded(offer=framed))
        found = suggested(trade.contracts.contract(session, contract_id).versions[-1])
    assert (found.valid_from, found.valid_until, found.lines["1"]) == (JUNE, DECEMBER, (Decimal(100), None))


# --- in the hub ----------------------------------------------------------------------------------------------------


def test_a_release_is_an_order_of_its_own_and_moves_the_contract_on(proven: Proven):
    contracts, database = proven.hub.contracts, proven.hub.database
    contract = proven.contract(made.DELTA)
    today = clock.now().date()
    ceilings = Ceilings(today, today + timedelta(days=30), None, {"1": (Decimal(500), None)})
    with database.write(org=made.HAIDI) as session:
        contracts.propose_blanket(session, contract.id, ceilings, by=made.HAIDI, at=clock.now())
    with database.write(org=made.DELTA) as session:
        contracts.confirm_blanket(session, contract.id, by=made.DELTA, revision=1, at=clock.now())
    with database.write(org=made.HAIDI) as session:
        released = contracts.call_off(
            session,
            contract.id,
            {"1": Decimal(200)},
            asker=Asker(made.HAIDI),
            on=today,
            at=clock.now(),
            delivery_on=today,
        )
    with database.read(org=made.DELTA) as session:
        order = session.get_one(OrderRow, released.order_id)
        assert (order.number, order.order.type, order.order.reference("contract")) == (
            released.order_number, "release", contract.number,
        )  # fmt: skip
        assert order.order.lines[0].quantity.value == 200
    with database.write() as session:
        contracts.move_on(session, released.id, "completed", clock.now())
        assert contracts.contract(session, contract.id).is_in is State.IN_PERFORMANCE
