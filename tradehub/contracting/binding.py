"""What a call-off binds the buyer to, how that is frozen where others must approve it, and why it could not be made then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from pydantic import TypeAdapter

from tradehub.contracting.blanket import Release
from tradehub.contracting.model import Conflict, Refused
from tradehub.contracting.store import ContractRow
from tradehub.documents.parts import PartyId
from tradehub.partners.authority import Act, Binding, Forbidden, Needs, Overtaken, Wanted

WHERE = "docs/contracts.md"
OVERTAKEN = "CALL_OFF_"
"""Stands before the rule by which a call-off that was approved could not be made."""


class Unauthorised(Refused):
    """The buyer's own rules do not let this person call off so much. ``verdict`` says why and who may approve it."""

    def __init__(self, verdict: Needs | Forbidden) -> None:
        super().__init__(verdict.code)
        self.verdict = verdict


@dataclass(frozen=True)
class CallingOff:
    """An order under an agreement as somebody wants it: quantities by line number."""

    contract_id: str
    wanted: Mapping[str, Decimal]
    delivery_on: date | None = None


_FROZEN = TypeAdapter(CallingOff)


def bound(contract: ContractRow, made: Release) -> Binding:
    """Return what a release binds to. Where a line has no price, the amount is untold."""
    classes = {each.code for line in made.lines for each in line.item.classification}
    is_told = all(line.price is not None for line in made.lines)
    return Binding(
        Act.CALL_OFF, contract.deal_id, PartyId(contract.seller), made.amount if is_told else None, made.after.currency,
        tuple(sorted(classes)),
    )  # fmt: skip


def frozen(contract: ContractRow, made: Release, calling: CallingOff, *, seller: str) -> Wanted:
    """Freeze a call-off until it is approved."""
    return Wanted(
        bound(contract, made), contract.number, seller, offer_id="", expected_version=contract.version,
        payload=_FROZEN.dump_python(calling, mode="json"),
    )  # fmt: skip


def intended(wanted: Wanted) -> CallingOff:
    """Return the call-off that was frozen."""
    return _FROZEN.validate_python(wanted.payload)


def overtaken(refused: Refused | Conflict) -> Overtaken:
    """Return how a request ends whose call-off is refused: by the agreement, or by the rules of the house."""
    if isinstance(refused, Unauthorised):
        return Overtaken(refused.rule, refused.verdict.rule, refused.verdict.article)
    return Overtaken(OVERTAKEN + (refused.rule if isinstance(refused, Refused) else "CONFLICT"), "R8", WHERE)
