"""Who is awarded how much of which line: the question in whole numbers, and the exact check of any answer.

Quantities are counted in steps (the last decimal of the demand), costs in units of ``landed.PLACES`` per step: all of it
integers, so a sum of money is exact whatever solved it. ``violations`` and ``total`` judge an award with integers alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from tradehub.documents.parts import Part
from tradehub.sourcing.tenders.landed import PLACES

SUPPLIERS_MAX = "suppliers_max"
SHARE_MIN = "share_min"
SHARE_MAX = "share_max"
CAPACITY = "capacity"
MINIMUM = "minimum"
WHOLE = "whole"

KINDS = (SUPPLIERS_MAX, SHARE_MIN, SHARE_MAX, CAPACITY, MINIMUM, WHOLE)
"""What can stand in the way of the cheapest award; the first three are the buyer's, the others come with the bids and
the lines."""


class Limits(Part):
    """What the buyer wants of an award. Shares are percent of the demand's value, each line at its lowest unit cost."""

    suppliers_max: int | None = None
    share_min: Decimal | None = None
    share_max: Decimal | None = None


NO_LIMITS = Limits()

STEPS_MAX = 100_000
"""Steps of one line beyond which a solver that counts in doubles takes a thousandth of one for none."""


@dataclass(frozen=True)
class Demand:
    """So many steps of a line. A line that is not divisible goes to one supplier whole."""

    line: str
    steps: int
    step: Decimal
    is_divisible: bool = True

    @property
    def quantity(self) -> Decimal:
        return self.steps * self.step


@dataclass(frozen=True)
class Tier:
    """From so many steps to so many, each costs ``unit_cost`` (an integer, in ``PLACES`` of the currency)."""

    least: int
    most: int
    unit_cost: int


@dataclass(frozen=True)
class Quote:
    """What a supplier asks for a line. The least and most steps it will deliver bind unless they are set aside."""

    supplier: str
    line: str
    tiers: tuple[Tier, ...]
    least: int
    most: int

    def cost(self, steps: int) -> int | None:
        """Return what so many steps cost; None where no tier has them."""
        fitting = [each for each in self.tiers if each.least <= steps <= each.most]
        return min((each.unit_cost * steps for each in fitting), default=None)


@dataclass(frozen=True)
class Problem:
    """Hashable, so that an answer can be kept. ``aside``: constraints set aside, a kind or ``kind:line``."""

    demands: tuple[Demand, ...]
    quotes: tuple[Quote, ...]
    limits: Limits = NO_LIMITS
    aside: frozenset[str] = frozenset()

    def binds(self, kind: str, line: str | None = None) -> bool:
        return kind not in self.aside and (line is None or f"{kind}:{line}" not in self.aside)

    def without(self, *names: str) -> Problem:
        return replace(self, aside=self.aside | set(names))

    @property
    def suppliers(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(each.supplier for each in self.quotes))

    def of_line(self, line: str) -> list[Quote]:
        return [each for each in self.quotes if each.line == line]

    def worth(self) -> Mapping[str, int]:
        """Return the value of one step of each line: its lowest cost at the whole demand, or at what comes nearest."""
        found = {}
        for demand in self.demands:
            quotes = self.of_line(demand.line)
            costs = [
                tier.unit_cost for each in quotes for tier in each.tiers if tier.least <= demand.steps <= tier.most
            ]
            found[demand.line] = min(costs or [tier.unit_cost for each in quotes for tier in each.tiers], default=0)
        return found

    def constraints(self) -> tuple[str, ...]:
        """Return the names of all constraints there are, those that come by line with their line."""
        limits = self.limits
        asked = ((SUPPLIERS_MAX, limits.suppliers_max), (SHARE_MIN, limits.share_min), (SHARE_MAX, limits.share_max))
        names = [name for name, value in asked if value is not None]
        for demand in self.demands:
            quotes = self.of_line(demand.line)
            if any(each.most < demand.steps for each in quotes):
                names.append(f"{CAPACITY}:{demand.line}")
            if any(each.least > 0 for each in quotes):
                names.append(f"{MINIMUM}:{demand.line}")
            if not demand.is_divisible:
                names.append(f"{WHOLE}:{demand.line}")
        return tuple(each for each in names if self.binds(each) and self.binds(each.split(":")[0]))


Award = Mapping[tuple[str, str], int]
"""(supplier, line) -> steps, without noughts."""


def total(problem: Problem, award: Award) -> int:
    """Return what the award costs. Raises ValueError for steps that no tier of the quote has."""
    quotes = {(each.supplier, each.line): each for each in problem.quotes}
    amount = 0
    for key, steps in award.items():
        cost = quotes[key].cost(steps) if key in quotes else None
        if cost is None:
            raise ValueError(f"{key} does not offer {steps}")
        amount += cost
    return amount


def floor(problem: Problem) -> int:
    """Return what no award can cost less than: each line at the lowest unit cost that anybody asks for it."""
    lowest = {
        demand.line: min((tier.unit_cost for each in problem.of_line(demand.line) for tier in each.tiers), default=0)
        for demand in problem.demands
    }
    return sum(lowest[each.line] * each.steps for each in problem.demands)


def violations(problem: Problem, award: Award) -> list[str]:
    """Return the names of the constraints that an award breaks, ``demand:<line>`` where a line is not covered."""
    return [*_of_lines(problem, award), *_of_suppliers(problem, award)]


def money(units: int) -> Decimal:
    """Return an amount in the currency, exact."""
    return units * PLACES


def divided(quantity: Decimal) -> tuple[int, Decimal]:
    """Return a demand as (steps, step): 24000 is 24000 steps of 1, 12.50 is 125 of 0.1.

    A demand of more than ``STEPS_MAX`` is divided in lots of 10, 100 ... as far as that comes out even.
    """
    exponent = quantity.normalize().as_tuple().exponent
    step = Decimal(1).scaleb(min(0, exponent if isinstance(exponent, int) else 0))
    steps = int(quantity / step)
    while steps > STEPS_MAX and steps % 10 == 0:
        steps, step = steps // 10, step * 10
    return steps, step


def _of_lines(problem: Problem, award: Award) -> list[str]:
    found = []
    quotes = {(each.supplier, each.line): each for each in problem.quotes}
    for demand in problem.demands:
        given = {supplier: steps for (supplier, line), steps in award.items() if line == demand.line}
        if sum(given.values()) != demand.steps or any(steps <= 0 for steps in given.values()):
            found.append(f"demand:{demand.line}")
        if not demand.is_divisible and len(given) > 1 and problem.binds(WHOLE, demand.line):
            found.append(f"{WHOLE}:{demand.line}")
        of_line = [(quotes[supplier, demand.line], steps) for supplier, steps in given.items()]
        if problem.binds(CAPACITY, demand.line) and any(steps > each.most for each, steps in of_line):
            found.append(f"{CAPACITY}:{demand.line}")
        if problem.binds(MINIMUM, demand.line) and any(steps < each.least for each, steps in of_line):
            found.append(f"{MINIMUM}:{demand.line}")
    return found


def _of_suppliers(problem: Problem, award: Award) -> list[str]:
    limits, worth = problem.limits, problem.worth()
    all_worth = sum(worth[each.line] * each.steps for each in problem.demands)
    by_supplier: dict[str, int] = {}
    for (supplier, line), steps in award.items():
        by_supplier[supplier] = by_supplier.get(supplier, 0) + worth[line] * steps
    found = []
    if limits.suppliers_max is not None and problem.binds(SUPPLIERS_MAX) and len(by_supplier) > limits.suppliers_max:
        found.append(SUPPLIERS_MAX)
    shares = by_supplier.values()
    if limits.share_min is not None and problem.binds(SHARE_MIN):
        found += [SHARE_MIN] * any(share * 100 < limits.share_min * all_worth for share in shares)
    if limits.share_max is not None and problem.binds(SHARE_MAX):
        found += [SHARE_MAX] * any(share * 100 > limits.share_max * all_worth for share in shares)
    return found


def cheapest_by_line(problem: Problem, line: Demand) -> Sequence[tuple[str, int]]:
    """Return (supplier, cost of the whole line) for those who can deliver it whole, cheapest first."""
    costs = [(each.supplier, each.cost(line.steps)) for each in problem.of_line(line.line) if each.most >= line.steps]
    return sorted(((name, cost) for name, cost in costs if cost is not None), key=lambda each: (each[1], each[0]))


def names_of(kinds: Iterable[str]) -> tuple[str, ...]:
    """Return the kinds of constraint names, each once."""
    return tuple(dict.fromkeys(each.split(":")[0] for each in kinds))
