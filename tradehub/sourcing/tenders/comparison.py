"""Opened bids side by side at landed cost, and the award that the optimiser proposes from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from tradehub.documents import Inquiry, Line, Offer
from tradehub.documents.lines import keyed
from tradehub.sourcing.tenders import awarding, landed
from tradehub.sourcing.tenders.awarding import Demand, Limits, Problem, Quote, Tier
from tradehub.sourcing.tenders.landed import PLACES, Basis, Cost, rounded_money


@dataclass(frozen=True)
class Cell:
    """A line of a bid. ``is_best`` among those who deliver all of the line; ``over`` the buyer's own limit price."""

    cost: Cost
    most: Decimal
    least: Decimal
    amount: Decimal | None
    is_best: bool = False
    is_over: bool = False


@dataclass(frozen=True)
class Column:
    """A bidder. ``total`` is the sum of the rounded lines where every line is quoted whole, else None."""

    supplier: str
    offer: Offer
    cells: tuple[Cell, ...]
    total: Decimal | None
    is_best: bool = False


@dataclass(frozen=True)
class Grid:
    lines: tuple[tuple[str, Line], ...]
    columns: tuple[Column, ...]
    basis: Basis

    @property
    def totals(self) -> dict[str, Decimal | None]:
        return {each.supplier: each.total for each in self.columns}


def grid(inquiry: Inquiry, offers: Mapping[str, Offer], basis: Basis, limits: Mapping[str, Decimal]) -> Grid:
    """Return each bidder's landed cost of each line. ``limits`` are the buyer's highest landed unit costs by line."""
    lines = tuple((number, line.model_copy(update={"number": number})) for number, line in keyed(inquiry.lines).items())
    rows = {supplier: [_cell(offer, line, supplier, basis, limits) for _, line in lines]
            for supplier, offer in offers.items()}  # fmt: skip
    for at, (_, line) in enumerate(lines):
        _mark_best([cells[at] for cells in rows.values()], rows, at, _demand(line))
    totals = {supplier: _total(cells, lines) for supplier, cells in rows.items()}
    lowest = min((each for each in totals.values() if each is not None), default=None)
    columns = (
        Column(each, offers[each], tuple(rows[each]), totals[each], totals[each] is not None and totals[each] == lowest)
        for each in rows
    )
    return Grid(lines, tuple(columns), basis)


def problem(found: Grid, limits: Limits, *, is_divisible: bool) -> Problem:
    """Return the question for the optimiser: what can be compared takes part, everything else does not."""
    demands, quotes = [], []
    for at, (number, line) in enumerate(found.lines):
        steps, step = awarding.divided(_demand(line))
        if steps <= 0:
            continue
        demands.append(Demand(number, steps, step, is_divisible))
        for column in found.columns:
            quote = _quote(column, column.cells[at], line, found.basis, demands[-1])
            if quote is not None:
                quotes.append(quote)
    return Problem(tuple(demands), tuple(quotes), limits)


def _cell(offer: Offer, line: Line, supplier: str, basis: Basis, limits: Mapping[str, Decimal]) -> Cell:
    cost = landed.cost(offer, line, supplier, basis)
    least, most = landed.offered_quantities(offer, line)
    amount = None if cost.amount is None else rounded_money(cost.amount)
    limit = limits.get(line.number or "")
    over = limit is not None and cost.unit is not None and cost.unit > limit
    return Cell(cost, most, least, amount, is_over=over)


def _mark_best(cells: Sequence[Cell], rows: dict[str, list[Cell]], at: int, demand: Decimal) -> None:
    costs = [each.cost.unit for each in cells if each.cost.unit is not None and each.most >= demand]
    if len(costs) < 2:
        return
    for row in rows.values():
        cell = row[at]
        if cell.cost.unit == min(costs) and cell.most >= demand:
            row[at] = Cell(cell.cost, cell.most, cell.least, cell.amount, is_best=True, is_over=cell.is_over)


def _total(cells: Sequence[Cell], lines: Sequence[tuple[str, Line]]) -> Decimal | None:
    total = Decimal(0)
    for cell, (_, line) in zip(cells, lines, strict=True):
        if cell.amount is None or cell.most < _demand(line):
            return None
        total += cell.amount
    return total


def _quote(column: Column, cell: Cell, line: Line, basis: Basis, demand: Demand) -> Quote | None:
    if cell.cost.unit is None:
        return None
    starts = landed.tiers(column.offer, line)
    firsts = [_up(start, demand.step) for start in starts]
    tiers = []
    for start, first, after in zip(starts, firsts, [*firsts[1:], demand.steps + 1], strict=True):
        last = min(after - 1, demand.steps)
        if first <= last:
            cost = landed.cost(column.offer, line, column.supplier, basis, max(start, first * demand.step))
            tiers.append(Tier(first, last, int((cost.unit or Decimal(0)) / PLACES)))
    return Quote(column.supplier, demand.line, tuple(tiers), _up(cell.least, demand.step), int(cell.most / demand.step))


def _up(quantity: Decimal, step: Decimal) -> int:
    """Return the first whole number of steps that is not below the quantity."""
    steps, rest = divmod(quantity, step)
    return int(steps) + (rest > 0)


def _demand(line: Line) -> Decimal:
    return line.quantity.value if line.quantity else Decimal(0)
