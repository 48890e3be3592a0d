"""The cheapest award under the buyer's limits, and what each limit costs.

A mixed integer programme, solved by CBC (through PuLP). CBC counts in doubles, so nothing of it is believed: the steps
it gives are rounded to whole ones, held against every constraint and summed again in integers (``awarding``), and then
it is asked for anything cheaper by one unit of money until it finds none. Where its time runs out first, the bound that it
had reached by then says how much cheaper an award could be at most.

A large problem is first solved in fractions: that takes a moment, bounds the cost, and shows to whom most would go. Among
these few suppliers an award is found soon, and from there on CBC is asked for cheaper ones alone, without the suppliers
who by the fractions' own prices can have no part in one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, Decimal
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

import pulp
from pulp.apis.coin_api import pulp_cbc_path

from tradehub.sourcing.tenders.awarding import (
    CAPACITY,
    KINDS,
    MINIMUM,
    SHARE_MAX,
    SHARE_MIN,
    SUPPLIERS_MAX,
    WHOLE,
    Award,
    Demand,
    Problem,
    cheapest_by_line,
    floor,
    names_of,
    total,
    violations,
)

SOLVE_S = 10
REASON_S = 3
"""Seconds that the award, and each solution that explains it, may take: a page waits for them."""

ROUNDS_MAX = 5
"""How often CBC may be found to have stopped short of the best."""

SMALL = 60
"""Quotes up to which CBC has the award before it could be told where to begin."""

FEW_SHARE = 0.3
"""The part of the time that is left which one try among few suppliers may take."""

LEAST_S = 0.5
"""Seconds that CBC gets in any case: it needs some to begin."""


SCALE = 1_000_000
"""What the whole demand is worth in the solver's rows: it reckons with some nine digits."""

MARGIN = 1e-4
"""Percent by which shares keep clear of their limits where the solver's tolerance overstepped one."""


TOLERANCE = 1e-6
"""By how much of itself what CBC prints as its bound, in doubles, is lowered before it is believed."""

_BOUND = re.compile(r"^Lower bound:\s+(\S+)$", re.MULTILINE)
"""What CBC says at its end where it stopped before the proof."""


class Unsolved(Exception):
    """No award within the time, or one that exact arithmetic does not confirm."""


@dataclass(frozen=True)
class Solution:
    """``awarded``: (supplier, line, steps) in the problem's order; ``cost`` in ``landed.PLACES`` of the currency.

    It meets every constraint in any case; ``is_proven`` says that none is cheaper. Without that proof no award costs less
    than ``bound``.
    """

    awarded: tuple[tuple[str, str, int], ...]
    cost: int
    is_proven: bool = True
    bound: int = 0

    @property
    def gap(self) -> int:
        """How much more it costs than the least possible, at most."""
        return 0 if self.is_proven else self.cost - self.bound

    @property
    def gap_percent(self) -> Decimal | None:
        """The same in percent of the least possible, rounded up to tenths; None where that may be nothing."""
        if self.gap and not self.bound:
            return None
        share = Decimal(100 * self.gap) / (self.bound or 1)
        return share.quantize(Decimal("0.1"), ROUND_CEILING)

    def award(self) -> dict[tuple[str, str], int]:
        return {(supplier, line): steps for supplier, line, steps in self.awarded}


@dataclass(frozen=True)
class RunnerUp:
    """Who comes next on a line, were it given whole: by how much dearer than the cheapest. None where nobody does."""

    line: str
    best: str | None
    next: str | None
    more: int | None


@dataclass(frozen=True)
class Explained:
    """An award and its reasons. ``price_of``: constraint -> what it costs, as far as that was found in time;
    ``conflict``: what cannot all be had."""

    solution: Solution | None
    cheapest: Solution | None
    price_of: tuple[tuple[str, int], ...] = ()
    runners_up: tuple[RunnerUp, ...] = ()
    conflict: tuple[str, ...] = ()
    uncovered: tuple[str, ...] = ()


@lru_cache(maxsize=64)
def explained(problem: Problem) -> Explained:
    """Return the cheapest award with its reasons; without one, a smallest set of constraints that exclude each other.

    Lines that nobody quotes are left out and named. Raises Unsolved.
    """
    uncovered = tuple(each.line for each in problem.demands if not problem.of_line(each.line))
    asked = Problem(
        tuple(each for each in problem.demands if each.line not in uncovered), problem.quotes, problem.limits,
        problem.aside,
    )  # fmt: skip
    if not asked.demands:
        return Explained(None, None, uncovered=uncovered)
    best = solved(asked)
    cheapest = solved(asked.without(*KINDS))
    runners_up = tuple(_runner_up(asked, each) for each in asked.demands)
    if best is None:
        return Explained(None, cheapest, (), runners_up, conflict(asked), uncovered)
    if cheapest is not None:  # limits make no award cheaper
        best = _bounded(best, cheapest.cost if cheapest.is_proven else cheapest.bound)
    return Explained(best, cheapest, _prices(asked, best, cheapest), runners_up, (), uncovered)


def solved(problem: Problem, seconds: float = SOLVE_S) -> Solution | None:
    """Return the cheapest award, exact; None where there is none. Raises Unsolved.

    Where the time is up, the best award found so far is returned as not proven, with its bound.
    """
    deadline = monotonic() + seconds
    relaxed, best = None, None
    if len(problem.quotes) > SMALL:
        relaxed = _relaxed(problem, seconds)
        if relaxed is None:
            return None
        best = _among_few(problem, relaxed, deadline)
    lowest = max(floor(problem), relaxed.bound if relaxed else 0)
    for _ in range(ROUNDS_MAX):
        if best is not None and not best.is_proven and monotonic() >= deadline:
            return _bounded(best, lowest)
        at_most = None if best is None else best.cost - 1
        among = None if relaxed is None or best is None else relaxed.worth_a_look(best.cost)
        found = _asked_of_cbc(problem, at_most, deadline, among=among)
        if found.award and (broken := violations(problem, found.award)):
            kept_clear = _asked_of_cbc(problem, at_most, deadline, MARGIN, among)
            found = replace(kept_clear, is_done=False, bound=found.bound)
            if best is None and (not found.award or (broken := violations(problem, found.award))):
                raise Unsolved(f"not confirmed: {', '.join(broken)}")
        if not found.award and best is None:
            if found.is_done:
                return None
            raise Unsolved(f"no award within {seconds} s")
        better = _confirmed(problem, found, best)
        if better is None and best is not None:
            is_proven = best.is_proven or found.is_done
            return _bounded(replace(best, is_proven=is_proven), max(lowest, found.bound))
        best = better
        if best is not None and not found.is_done:
            return _bounded(best, max(lowest, found.bound))
    raise Unsolved("the solver kept finding better ones")


def _among_few(problem: Problem, relaxed: _Relaxed, deadline: float) -> Solution | None:
    """Return an award to begin with: the best among the suppliers to whom the relaxation gives most, a few at a time.

    With as many suppliers as there may be, and then some more, the programme is small and mostly solved at once.
    """
    most = problem.limits.suppliers_max if problem.binds(SUPPLIERS_MAX) else None
    width = most or sum(share > 0 for _, share in relaxed.shares)
    best: Solution | None = None
    while width <= len(relaxed.shares) and monotonic() < deadline:
        few = frozenset(name for name, _ in relaxed.shares[:width])
        until = monotonic() + FEW_SHARE * (deadline - monotonic())
        found = _asked_of_cbc(problem, None if best is None else best.cost - 1, until, among=few)
        better = _confirmed(
            problem, replace(found, is_done=False), best
        )  # the cheapest among few is not yet that of all
        if best is not None:
            return better or best
        best, width = better, width + 1
    return best


def _confirmed(problem: Problem, found: _Found, than: Solution | None) -> Solution | None:
    """Return what was found as a solution, if by exact reckoning it meets everything and is cheaper than the other."""
    if not found.award or violations(problem, found.award):
        return None
    cost = total(problem, found.award)
    if than is not None and cost >= than.cost:
        return None
    order = [(each.supplier, each.line) for each in problem.quotes]
    awarded = tuple((*key, found.award[key]) for key in order if key in found.award)
    return Solution(awarded, cost, found.is_done)


def _bounded(solution: Solution, bound: int) -> Solution:
    """Return the solution with a bound at least as high; one that reaches its bound is proven."""
    if solution.is_proven:
        return solution
    higher = max(solution.bound, bound)
    return replace(solution, bound=higher, is_proven=higher >= solution.cost)


def conflict(problem: Problem) -> tuple[str, ...]:
    """Return a smallest set of constraints that no award meets together: without any one of them there is one."""
    needed: list[str] = []
    names = list(problem.constraints())
    for name in names:
        others = [each for each in names if each != name and (each in needed or names.index(each) > names.index(name))]
        aside = [each for each in names if each not in others]
        if solved(problem.without(*aside)) is not None:
            needed.append(name)
    return tuple(needed)


def _prices(problem: Problem, best: Solution, cheapest: Solution | None) -> tuple[tuple[str, int], ...]:
    """Return what each kind of constraint costs: how much less would be paid were it set aside alone."""
    kinds = names_of(problem.constraints()) if best.is_proven else ()
    if cheapest is not None and cheapest.cost == best.cost:
        return tuple((kind, 0) for kind in kinds)
    found = []
    for kind in kinds:
        try:
            freer = solved(problem.without(kind), REASON_S)
        except Unsolved:
            continue
        if freer is not None and freer.is_proven:
            found.append((kind, best.cost - freer.cost))
    return tuple(found)


def _runner_up(problem: Problem, demand: Demand) -> RunnerUp:
    ranked = cheapest_by_line(problem, demand)
    best = ranked[0] if ranked else None
    after = ranked[1] if len(ranked) > 1 else None
    more = after[1] - best[1] if best and after else None
    return RunnerUp(demand.line, best[0] if best else None, after[0] if after else None, more)


@dataclass(frozen=True)
class _Found:
    """CBC's award, empty where it has none; whether by its own word there is none cheaper; what none can cost less than."""

    award: Award
    is_done: bool
    bound: int


@dataclass(frozen=True)
class _Relaxed:
    """The programme where parts of a bid may be had: no award costs less than ``bound``.

    ``shares``: suppliers with their part of the whole, the largest first. ``more``: by how much at least any award that
    has a part for a supplier costs more than the bound.
    """

    bound: int
    shares: tuple[tuple[str, float], ...]
    more: Mapping[str, int]

    def worth_a_look(self, cost: int) -> frozenset[str]:
        """Return the suppliers who can have a part in an award that is cheaper."""
        return frozenset(name for name, _ in self.shares if self.bound + self.more[name] <= cost)


def _relaxed(problem: Problem, seconds: float) -> _Relaxed | None:
    """Solve the programme without whole numbers; None where it has no solution, so that the problem has none either."""
    programme = pulp.LpProblem("relaxed", pulp.LpMinimize)
    model = _Programme(programme, problem, 0, None)
    model.write(None)
    began = monotonic()
    programme.solve(pulp.COIN_CMD(path=pulp_cbc_path, msg=False, timeLimit=seconds, mip=False))
    if programme.status == pulp.LpStatusInfeasible and monotonic() - began < seconds:
        return None
    if programme.sol_status != pulp.LpSolutionOptimal:
        raise Unsolved(f"not even relaxed within {seconds} s")
    return _Relaxed(model.bound("", is_done=True), model.shares(), model.more())


def _asked_of_cbc(
    problem: Problem, at_most: int | None, deadline: float, margin: float = 0, among: frozenset[str] | None = None
) -> _Found:
    """Return what CBC finds until the deadline.

    ``margin``, in percent, keeps shares clear of their limits where the solver's own tolerance would overstep them.
    ``among`` leaves all other suppliers out.
    """
    programme = pulp.LpProblem("award", pulp.LpMinimize)
    model = _Programme(programme, problem, margin, among)
    model.write(at_most)
    began = monotonic()
    seconds = max(LEAST_S, deadline - began)
    with _log() as log:
        # No word of threads: told to use one, CBC takes its threaded way and now and then waits there until the time is up.
        programme.solve(pulp.COIN_CMD(path=pulp_cbc_path, msg=False, timeLimit=seconds, logPath=str(log)))
        said = log.read_text(errors="replace")
    if programme.status == pulp.LpStatusInfeasible:  # it also says so where the time ended its preparations
        return _Found({}, monotonic() - began < seconds, 0)
    if programme.sol_status not in (pulp.LpSolutionOptimal, pulp.LpSolutionIntegerFeasible):
        return _Found({}, False, model.bound(said, is_done=False))
    is_done = programme.sol_status == pulp.LpSolutionOptimal
    return _Found(model.award(), is_done, model.bound(said, is_done=is_done))


@contextmanager
def _log() -> Iterator[Path]:
    """Where CBC writes what it says: its solution file does not hold the bound."""
    with TemporaryDirectory() as folder:
        yield Path(folder) / "cbc.log"


class _Programme:
    """The problem in the solver's words: steps taken in each tier, whether any are, whether a supplier has a part.

    Money is scaled so that the whole is a million, and shares are in percent: with millionths of a currency in its rows
    the solver called awards the cheapest that were not. What it finds is reckoned again exactly (``violations``, ``total``).
    """

    def __init__(
        self, programme: pulp.LpProblem, problem: Problem, margin: float, among: frozenset[str] | None
    ) -> None:
        self.programme, self.problem, self.margin, self.among = programme, problem, margin, among
        worth = problem.worth()
        self.worth = worth
        self.whole = sum(worth[each.line] * each.steps for each in problem.demands) or 1
        self.steps: dict[tuple[str, str], list[pulp.LpVariable]] = {}
        self.taken: dict[tuple[str, str], list[pulp.LpVariable]] = {}
        self.has: dict[str, pulp.LpVariable] = {
            name: programme.add_variable(f"has_{at}", cat="Binary")
            for at, name in enumerate(problem.suppliers)
            if among is None or name in among
        }

    def write(self, at_most: int | None) -> None:
        cost = []
        demands = {each.line: each for each in self.problem.demands}
        for at, quote in enumerate(self.problem.quotes):
            demand = demands.get(quote.line)
            if demand is not None and quote.supplier in self.has:
                cost += self._quote(at, demand)
        self.programme += pulp.lpSum(cost)
        for demand in self.problem.demands:
            keys = [key for key in self.steps if key[1] == demand.line]
            self.programme += pulp.lpSum(step for key in keys for step in self.steps[key]) == demand.steps
        self._limits()
        if at_most is not None:
            self.programme += pulp.lpSum(cost) <= at_most * SCALE / self.whole

    def award(self) -> dict[tuple[str, str], int]:
        found = {}
        for key, parts in self.steps.items():
            steps = sum(round(each.varValue or 0) for each in parts)
            if steps:
                found[key] = steps
        return found

    def shares(self) -> tuple[tuple[str, float], ...]:
        """Return the suppliers with their parts of the whole, the largest first."""
        parts = dict.fromkeys(self.has, 0.0)
        for (supplier, line), steps in self.steps.items():
            parts[supplier] += sum(self.worth[line] * (each.varValue or 0) for each in steps) / self.whole
        return tuple(sorted(parts.items(), key=lambda each: (-each[1], each[0])))

    def more(self) -> dict[str, int]:
        """Return by how much each supplier's having a part at all raises the cost: its reduced cost, lowered as the bound."""
        unit = (1 - TOLERANCE) * self.whole / SCALE
        return {name: int(max(each.dj or 0, 0) * unit) for name, each in self.has.items()}

    def bound(self, said: str, *, is_done: bool) -> int:
        """Return what no award costs less than, by the solver's words or, where it has the proof, its own result; 0 where
        it says nothing of use."""
        printed = _BOUND.search(said)
        value = pulp.value(self.programme.objective) if is_done else printed and float(printed[1])
        if not value or value <= 0 or value >= SCALE * SCALE:  # it prints 1e+50 for none
            return 0
        return int(value * (1 - TOLERANCE) * self.whole / SCALE)

    def _quote(self, at: int, demand: Demand) -> list[pulp.LpAffineExpression]:
        quote = self.problem.quotes[at]
        binds = self.problem.binds
        key = (quote.supplier, quote.line)
        least = quote.least if binds(MINIMUM, quote.line) else 0
        most = min(quote.most, demand.steps) if binds(CAPACITY, quote.line) else demand.steps
        whole = not demand.is_divisible and binds(WHOLE, quote.line)
        self.steps[key], self.taken[key], cost = [], [], []
        for place, tier in enumerate(quote.tiers):
            low, high = max(tier.least, least, 1), min(tier.most, most)
            if whole:
                low = demand.steps
            if low > high:
                continue
            steps = self.programme.add_variable(f"x_{at}_{place}", 0, high, cat="Integer")
            taken = self.programme.add_variable(f"b_{at}_{place}", cat="Binary")
            self.programme += steps <= high * taken
            self.programme += steps >= low * taken
            self.steps[key].append(steps)
            self.taken[key].append(taken)
            cost.append(tier.unit_cost * SCALE / self.whole * steps)
        if self.taken[key]:
            self.programme += pulp.lpSum(self.taken[key]) <= self.has[quote.supplier]
        return cost

    def _limits(self) -> None:
        limits, binds = self.problem.limits, self.problem.binds
        if limits.suppliers_max is not None and binds(SUPPLIERS_MAX):
            self.programme += pulp.lpSum(self.has.values()) <= limits.suppliers_max
        for name, has in self.has.items():
            mine = [key for key in self.steps if key[0] == name]
            self.programme += has <= pulp.lpSum(taken for key in mine for taken in self.taken[key])
            share = pulp.lpSum(100 * self.worth[key[1]] / self.whole * step for key in mine for step in self.steps[key])
            if limits.share_min is not None and binds(SHARE_MIN):
                self.programme += share >= (float(limits.share_min) + self.margin) * has
            if limits.share_max is not None and binds(SHARE_MAX):
                self.programme += share <= (float(limits.share_max) - self.margin) * has
