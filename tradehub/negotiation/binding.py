"""What an act of a negotiation binds its party to, in the words of those who know whether the party allows it."""

from __future__ import annotations

from decimal import Decimal

from tradehub.documents import PartyId, TradeDocument
from tradehub.documents.amounts import balance, rounded
from tradehub.negotiation import drafting, model
from tradehub.partners.authority import Act, Binding


def binding(act: Act, document: TradeDocument, *, deal_id: str, partner: PartyId) -> Binding:
    """Return the act on the terms of ``document``, towards ``partner``."""
    classes = {each.code for line in model.lines_of(document) for each in line.item.classification}
    return Binding(act, deal_id, partner, amount(document), document.currency, tuple(sorted(classes)))


def amount(document: TradeDocument) -> Decimal | None:
    """Return what a document binds to: its goods, with charges and less allowances of the whole; None if untold."""
    lines = model.lines_of(document)
    goods = drafting.total(document, lines) if lines else None
    return None if goods is None else rounded(goods + balance(document.allowances_charges), document.currency)
