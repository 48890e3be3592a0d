"""The cheapest award, held against trying every award there is; and its reasons."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from itertools import product
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradehub.sourcing.tenders import optimiser
from tradehub.sourcing.tenders.awarding import (
    Demand,
    Limits,
    Problem,
    Quote,
    Tier,
    divided,
    floor,
    total,
    violations,
)
from tradehub.sourcing.tenders.optimiser import explained, solved

ONE = Decimal(1)


def quote(supplier: str, line: str, cost: int, *, demand: int = 10, least: int = 0, most: int | None = None) -> Quote:
    return Quote(supplier, line, (Tier(0, demand, cost),), least, demand if most is None else most)


def every_award(problem: Problem):
    """Try all ways to give each line's steps to the suppliers who quote it."""
    per_line = []
    for demand in problem.demands:
        names = [each.supplier for each in problem.of_line(demand.line)]
        ways = [way for way in product(range(demand.steps + 1), repeat=len(names)) if sum(way) == demand.steps]
        per_line.append([{(n, demand.line): s for n, s in zip(names, way, strict=True) if s} for way in ways])
    for chosen in product(*per_line):
        yield {key: steps for part in chosen for key, steps in part.items()}


def by_trying(problem: Problem) -> int | None:
    fitting = []
    for award in every_award(problem):
        if not violations(problem, award):
            try:
                fitting.append(total(problem, award))
            except ValueError:
                continue
    return min(fitting, default=None)


@st.composite
def problems(draw) -> Problem:
    lines = draw(st.just(2) | st.integers(1, 2))
    demands = tuple(Demand(str(at), draw(st.integers(1, 5)), ONE, draw(st.booleans())) for at in range(1, lines + 1))
    quotes = []
    for name in "abc"[: draw(st.just(3) | st.integers(1, 3))]:
        for demand in demands:
            if draw(st.integers(0, 9)) == 9:
                continue
            cost, cut = draw(st.integers(1, 9_999_999)), draw(st.integers(1, demand.steps))
            tiers = (
                (Tier(0, cut - 1, cost), Tier(cut, demand.steps, draw(st.integers(1, cost))))
                if cut > 1
                else (Tier(0, demand.steps, cost),)
            )
            most = draw(st.just(demand.steps) | st.integers(1, demand.steps))
            quotes.append(Quote(name, demand.line, tiers, draw(st.just(0) | st.integers(0, most)), most))
    limits = Limits(
        suppliers_max=draw(st.none() | st.integers(1, 3)),
        share_min=draw(st.none() | st.decimals(0, 40, places=1)),
        share_max=draw(st.none() | st.decimals(45, 100, places=1)),
    )
    return Problem(demands, tuple(quotes), limits)


@settings(max_examples=40)
@given(problems(), st.sampled_from((0, optimiser.SMALL)))
def test_no_award_is_cheaper_than_the_one_proposed(problem: Problem, small: int) -> None:
    """Solved at once, and by way of fractions and few suppliers, as large problems are."""
    if any(not problem.of_line(each.line) for each in problem.demands):
        assert set(explained(problem).uncovered)
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(optimiser, "SMALL", small)
        found = solved(problem)
    assert (found.cost if found else None) == by_trying(problem)
    if found:
        assert violations(problem, found.award()) == []


def test_money_beyond_a_double_is_still_exact() -> None:
    """1 cent of a millionth decides: 24,000,000 steps at prices that differ in the last of six decimals."""
    demand = Demand("1", 24_000_000, ONE)
    dear, cheap = (quote(name, "1", cost, demand=demand.steps) for name, cost in (("a", 48_151_623), ("b", 48_151_622)))
    found = solved(Problem((demand,), (dear, cheap)))
    assert found is not None
    assert found.awarded == (("b", "1", 24_000_000),)
    assert found.cost == 24_000_000 * 48_151_622


LINES = (Demand("1", 4, ONE), Demand("2", 4, ONE), Demand("3", 4, ONE))
QUOTES = (
    quote("a", "1", 100), quote("a", "2", 130), quote("a", "3", 130),
    quote("b", "1", 120), quote("b", "2", 100), quote("b", "3", 125),
    quote("c", "1", 150), quote("c", "2", 150), quote("c", "3", 100),
)  # fmt: skip


def test_each_limit_is_priced_by_doing_without_it() -> None:
    problem = Problem(LINES, QUOTES, Limits(suppliers_max=2, share_max=Decimal(70)))
    found = explained(problem)
    assert found.cheapest is not None
    assert found.solution is not None
    assert found.cheapest.cost == 1200
    prices = dict(found.price_of)
    assert found.solution.cost == by_trying(problem)
    assert prices["suppliers_max"] == found.solution.cost - 1200
    assert prices["share_max"] == found.solution.cost - by_trying(problem.without("share_max"))
    assert [(each.line, each.best, each.next, each.more) for each in found.runners_up] == [
        ("1", "a", "b", 80), ("2", "b", "a", 120), ("3", "c", "b", 100),
    ]  # fmt: skip


def test_limits_that_exclude_each_other_are_named_and_no_others() -> None:
    problem = Problem(LINES, QUOTES, Limits(suppliers_max=1, share_min=Decimal(5), share_max=Decimal(60)))
    found = explained(problem)
    assert found.solution is None
    assert found.conflict == ("suppliers_max", "share_max")


def test_a_least_share_moves_business_to_who_is_awarded_at_all() -> None:
    """Without it, c gets line 3 alone (a third); with 40 percent it gets nothing or more."""
    problem = Problem(LINES, QUOTES, Limits(share_min=Decimal(40)))
    found = solved(problem)
    assert found is not None
    assert found.cost == by_trying(problem) > 1200
    assert violations(problem.without("share_min"), found.award()) == []


def test_an_award_that_no_quote_has_is_no_award() -> None:
    problem = Problem(LINES, QUOTES)
    with pytest.raises(ValueError, match="does not offer"):
        total(problem, {("a", "1"): 11})
    assert violations(problem, {("a", "1"): 11}) == [
        "demand:1", "capacity:1", "demand:2", "demand:3",
    ]  # fmt: skip
    assert LINES[0].quantity == 4


def test_a_line_that_nobody_can_deliver_whole_is_named_with_its_line() -> None:
    demand = Demand("7", 10, ONE, is_divisible=False)
    problem = Problem((demand,), (quote("a", "7", 5, most=4), quote("b", "7", 6, most=7)), Limits(suppliers_max=5))
    assert explained(problem).conflict == ("capacity:7", "whole:7")


def test_a_line_without_a_quote_is_left_out_and_named() -> None:
    found = explained(Problem((*LINES, Demand("4", 5, ONE)), QUOTES))
    assert found.uncovered == ("4",)
    assert found.solution is not None
    assert found.solution.cost == 1200


@pytest.mark.parametrize(
    ("quantity", "steps", "step"),
    [
        ("24000", 24000, "1"),
        ("12.50", 125, "0.1"),
        ("0.25", 25, "0.01"),
        ("3E+2", 300, "1"),
        ("24000000", 24_000, "1E+3"),
        ("24000001", 24_000_001, "1"),
    ],
)
def test_a_demand_is_counted_in_steps_of_its_last_decimal(quantity: str, steps: int, step: str) -> None:
    assert divided(Decimal(quantity)) == (steps, Decimal(step))


def hard() -> Problem:
    """An award that CBC finds at once and cannot prove within a second."""
    draw = Random(3)
    demands = tuple(Demand(str(at), draw.randint(50, 400), ONE) for at in range(12))
    quotes = []
    for supplier in map(str, range(12)):
        for demand in demands:
            cost, cut = draw.randint(500_000, 900_000), draw.randint(10, demand.steps)
            tiers = (Tier(0, cut - 1, cost), Tier(cut, demand.steps, cost * 9 // 10))
            least, most = draw.randint(0, cut // 2), draw.randint(demand.steps // 2, demand.steps)
            quotes.append(Quote(supplier, demand.line, tiers, least, most))
    return Problem(demands, tuple(quotes), Limits(suppliers_max=3))


def large(lines: int = 40, bidders: int = 12) -> Problem:
    """Bids as they come: prices around a level for each bidder, discounts, least and most quantities, some lines whole."""
    draw = Random(5)
    demands = tuple(Demand(str(at), draw.randint(500, 20_000), ONE, draw.random() > 0.1) for at in range(lines))
    base = {each.line: draw.randint(500_000, 90_000_000) for each in demands}
    quotes = []
    for bidder in range(bidders):
        level = draw.uniform(0.95, 1.1)
        for demand in demands:
            if draw.random() < 0.15:
                continue
            cost, cut = int(base[demand.line] * level * draw.uniform(0.85, 1.2)), draw.randint(1, demand.steps - 1) + 1
            tiers = (Tier(0, cut - 1, cost), Tier(cut, demand.steps, cost * 93 // 100))
            most = demand.steps if draw.random() < 0.5 else draw.randint(demand.steps // 3, demand.steps)
            quotes.append(Quote(f"s{bidder}", demand.line, tiers, draw.randint(0, demand.steps // 10), most))
    return Problem(demands, tuple(quotes), Limits(suppliers_max=4, share_min=Decimal(10), share_max=Decimal(45)))


def test_many_lines_and_bidders_under_several_limits_have_an_award_and_a_bound_in_time() -> None:
    problem = large()
    found = solved(problem, 2)
    assert found is not None
    assert violations(problem, found.award()) == []
    assert found.is_proven or found.gap <= found.bound // 20


@pytest.mark.parametrize("seconds", [0.02, 0.1, 0.3])
def test_a_solver_that_ran_out_of_time_has_not_shown_that_there_is_no_award(seconds: float) -> None:
    """Where the time ends its preparations, CBC calls the programme infeasible."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(optimiser, "LEAST_S", seconds)
        found = optimiser._asked_of_cbc(large(), None, 0)
    assert found.award or not found.is_done


def test_an_award_that_is_not_proven_says_how_far_from_the_least_it_is_at_most() -> None:
    found = solved(hard(), 1)
    assert found is not None
    assert not found.is_proven
    assert floor(hard()) < found.bound < found.cost
    assert found.gap == found.cost - found.bound
    assert found.gap_percent is not None
    assert found.gap <= found.bound * found.gap_percent / 100


@given(problems())
@settings(max_examples=10)
def test_no_award_costs_less_than_the_lowest_prices_of_its_lines(problem: Problem) -> None:
    least = by_trying(problem)
    assert least is None or floor(problem) <= least


def test_a_proven_award_has_no_gap() -> None:
    found = solved(Problem(LINES, QUOTES))
    assert found is not None
    assert (found.is_proven, found.gap, found.gap_percent) == (True, 0, Decimal(0))
    assert replace(found, is_proven=False, bound=0).gap_percent is None
