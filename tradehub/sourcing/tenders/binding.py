"""What an award binds the buyer to, how that is frozen where others must approve it, and why it could not be made then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tradehub.documents import PartyId
from tradehub.partners.authority import Binding, Forbidden, Needs, Overtaken, Wanted
from tradehub.sourcing.tenders.landed import plain
from tradehub.sourcing.tenders.model import TenderRefused
from tradehub.sourcing.tenders.plan import Plan

Picked = Mapping[tuple[PartyId, str], Decimal]
"""Quantities by (supplier, line)."""

WHERE = "docs/tenders.md"


class Unauthorised(TenderRefused):
    """The buyer's own rules do not let this person award so much. ``verdict`` says why and who may approve it."""

    def __init__(self, verdict: Needs | Forbidden) -> None:
        super().__init__(verdict.code, f"{verdict.most.currency} {verdict.most.amount:,}" if verdict.most else "")
        self.verdict = verdict


class RefusedByDeal(TenderRefused):
    """A deal refuses its part of the award, by its own ``reason`` (code), for instance because the offer has lapsed."""

    def __init__(self, reason: str, rule: str, article: str) -> None:
        super().__init__("NOT_OFFERED", reason)
        self.reason, self.deal_rule, self.article = reason, rule, article


@dataclass(frozen=True)
class Intent:
    """An award as somebody wanted it, with what it was compared by and what the cheapest would have cost then."""

    tender_id: str
    picked: Picked
    plan: Plan
    proposed: Decimal | None


def is_award(wanted: Wanted) -> bool:
    """Return whether it is a tender's award that is wanted."""
    return "tender" in wanted.payload


def frozen(binding: Binding, intent: Intent, *, title: str, suppliers: str) -> Wanted:
    """Freeze an award until it is approved. Opened bids do not change, so the plan is all that the comparison needs."""
    payload: dict[str, Any] = {
        "tender": intent.tender_id,
        "picked": [[str(supplier), line, plain(quantity)] for (supplier, line), quantity in intent.picked.items()],
        "plan": intent.plan.model_dump(mode="json"),
        "proposed": None if intent.proposed is None else plain(intent.proposed),
    }
    return Wanted(binding, title, suppliers, offer_id="", expected_version=0, payload=payload)


def intended(wanted: Wanted) -> Intent:
    """Return the award that was frozen."""
    kept = wanted.payload
    picked = {(PartyId(supplier), line): Decimal(quantity) for supplier, line, quantity in kept["picked"]}
    proposed = None if kept["proposed"] is None else Decimal(kept["proposed"])
    return Intent(kept["tender"], picked, Plan.model_validate(kept["plan"]), proposed)


def overtaken(refused: TenderRefused) -> Overtaken:
    """Return how a request ends whose award is refused: by the rule of the tender, of the deal or of the house."""
    if isinstance(refused, RefusedByDeal):
        return Overtaken(refused.reason, refused.deal_rule, refused.article)
    if isinstance(refused, Unauthorised):
        return Overtaken(refused.code, refused.verdict.rule, refused.verdict.article)
    return Overtaken(f"AWARD_{refused.code}", refused.rule, WHERE)
