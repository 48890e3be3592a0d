"""What an act of a negotiation binds its party to, in the words of those who know whether the party allows it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from tradehub.documents import PartyId, TradeDocument
from tradehub.documents.amounts import added, balance, rounded
from tradehub.negotiation import drafting, model
from tradehub.partners.authority import Act, Binding


def binding(act: Act, document: TradeDocument, *, deal_id: str, partner: PartyId) -> Binding:
    """Return the act on the terms of ``document``, towards ``partner``."""
    classes = {each.code for line in model.lines_of(document) for each in line.item.classification}
    return Binding(act, deal_id, partner, amount(document), document.currency, tuple(sorted(classes)))


def award(inquiry_id: str, parts: Sequence[Binding]) -> Binding:
    """Return the one act that several acceptances on an inquiry are (R23). In several currencies its amount is untold."""
    told = [each.amount for each in parts if each.amount is not None]
    is_told = len(told) == len(parts) and len({each.currency for each in parts}) == 1
    first, *others = dict.fromkeys(each.partner for each in parts)
    classes = sorted({each for part in parts for each in part.categories})
    return Binding(
        Act.AWARD, inquiry_id, first, added(told) if is_told else None, parts[0].currency, tuple(classes),
        tuple(others),
    )  # fmt: skip


def dearest(documents: Sequence[TradeDocument]) -> TradeDocument:
    """Return the one that binds to most, for the other side may pick any; one whose amount is untold counts as that."""
    amounts = [amount(each) for each in documents]
    return documents[max(range(len(amounts)), key=lambda at: (amounts[at] is None, amounts[at] or 0))]


def amount(document: TradeDocument) -> Decimal | None:
    """Return what a document binds to: its goods, with charges and less allowances of the whole; None if untold.

    A price by formula is told only once the formula is worked out, whatever amount stands beside it.
    """
    lines = model.lines_of(document)
    is_told = bool(lines) and not any(line.price and line.price.formula for line in lines)
    goods = drafting.total(document, lines) if is_told else None
    return None if goods is None else rounded(goods + balance(document.allowances_charges), document.currency)
