"""What the buyer plans and no bidder may learn: costs to compare by, limit prices, limits of the award, evaluators."""

from __future__ import annotations

from decimal import Decimal

from tradehub.documents.parts import Part
from tradehub.sourcing.tenders.awarding import Limits
from tradehub.sourcing.tenders.landed import Basis
from tradehub.sourcing.tenders.model import StageKind


class Evaluator(Part):
    stage: StageKind
    user_id: str
    name: str


class Plan(Part):
    """``limit_prices`` are the highest landed unit costs by line, in the currency of ``basis``."""

    note: str = ""
    basis: Basis = Basis()
    award: Limits = Limits()
    limit_prices: tuple[tuple[str, Decimal], ...] = ()
    evaluators: tuple[Evaluator, ...] = ()

    def evaluators_of(self, stage: StageKind) -> tuple[Evaluator, ...]:
        return tuple(each for each in self.evaluators if each.stage is stage)
