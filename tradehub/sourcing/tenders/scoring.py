"""How bidders rank: the points of each criterion, where they come from, and their sum.

The price scores ``100 x lowest landed total / own landed total``, for bids that quote every line; evaluators give the
other criteria 0 to 100, and several evaluators count alike. Points are score x weight / 100. Every figure is rounded
HALF_UP to two decimals, and the sum is that of the rounded points, so that a reader can add them up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from tradehub.documents.parts import EXACT
from tradehub.sourcing.tenders.model import HUNDRED, Criterion

CENT = Decimal("0.01")


@dataclass(frozen=True)
class Mark:
    """A score that one evaluator gave, with the reason."""

    supplier: str
    criterion: str
    by: str
    score: Decimal
    reason: str = ""


@dataclass(frozen=True)
class Points:
    """One criterion of one bidder. ``sum`` is the calculation as written; ``score`` is None while it is not known."""

    criterion: Criterion
    score: Decimal | None
    points: Decimal
    sum: str
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True)
class Ranked:
    """``place`` is 1 for the best; equal sums share a place. None where a score is missing."""

    supplier: str
    place: int | None
    total: Decimal
    points: tuple[Points, ...]


def ranking(
    suppliers: Sequence[str], criteria: Sequence[Criterion], marks: Sequence[Mark], totals: Mapping[str, Decimal | None]
) -> tuple[Ranked, ...]:
    """Return the bidders, the best first. ``totals`` are landed totals of complete bids; None scores nought."""
    rows = []
    for supplier in suppliers:
        points = tuple(_points(supplier, each, marks, totals) for each in criteria)
        rows.append(Ranked(supplier, None, sum((each.points for each in points), Decimal(0)), points))
    known = [each for each in rows if all(point.score is not None for point in each.points)]
    places = {each.supplier: 1 + sum(other.total > each.total for other in known) for each in known}
    placed = [Ranked(each.supplier, places.get(each.supplier), each.total, each.points) for each in rows]
    return tuple(sorted(placed, key=lambda each: (each.place is None, -each.total)))


def stage_score(supplier: str, criteria: Sequence[Criterion], marks: Sequence[Mark]) -> Decimal | None:
    """Return the weighted mean (0 to 100) of a stage's criteria; None while a score is missing or there is nothing
    to score."""
    weight = sum((each.weight for each in criteria), Decimal(0))
    scores = [(_mean(supplier, each, marks), each.weight) for each in criteria]
    if not weight or any(score is None for score, _ in scores):
        return None
    return _rounded(sum((score * by for score, by in scores if score is not None), Decimal(0)) / weight)


def _points(supplier: str, criterion: Criterion, marks: Sequence[Mark], totals: Mapping[str, Decimal | None]) -> Points:
    if criterion.is_price:
        return _price_points(supplier, criterion, totals)
    mine = tuple(each for each in marks if (each.supplier, each.criterion) == (supplier, criterion.key))
    score = _mean(supplier, criterion, marks)
    if score is None:
        return Points(criterion, None, Decimal(0), "", mine)
    given = " + ".join(f"{each.score:f}" for each in mine)
    mean = f"({given}) ÷ {len(mine)} = {score}; " if len(mine) > 1 else ""
    points = _rounded(score * criterion.weight / HUNDRED)
    return Points(criterion, score, points, f"{mean}{score} × {criterion.weight:f} ÷ 100", mine)


def _price_points(supplier: str, criterion: Criterion, totals: Mapping[str, Decimal | None]) -> Points:
    known = [each for each in totals.values() if each is not None]
    own = totals.get(supplier)
    if own is None or not known:
        return Points(criterion, Decimal(0), Decimal(0), "")
    lowest = min(known)
    score = HUNDRED if own == lowest else _rounded(HUNDRED * lowest / own)
    points = _rounded(score * criterion.weight / HUNDRED)
    formula = f"100 × {lowest:,.2f} ÷ {own:,.2f} = {score:f}; {score:f} × {criterion.weight:f} ÷ 100"
    return Points(criterion, score, points, formula)


def _mean(supplier: str, criterion: Criterion, marks: Sequence[Mark]) -> Decimal | None:
    given = [each.score for each in marks if (each.supplier, each.criterion) == (supplier, criterion.key)]
    return _rounded(sum(given, Decimal(0)) / len(given)) if given else None


def _rounded(value: Decimal) -> Decimal:
    return value.quantize(CENT, ROUND_HALF_UP, EXACT)
