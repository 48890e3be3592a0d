"""Every kind of document by its name, as maps, outbox and messages know it."""

from __future__ import annotations

from tradehub.documents.base import Document
from tradehub.documents.payment import PartyInformation, Remittance
from tradehub.documents.planning import Catalogue, Forecast, Inventory
from tradehub.documents.status import Status
from tradehub.documents.trade import (
    ApplicationResponse,
    Contract,
    Despatch,
    Inquiry,
    Invoice,
    Offer,
    Order,
    OrderChange,
    OrderResponse,
    Receipt,
)

KINDS: dict[str, type[Document]] = {
    each.kind: each
    for each in (
        Inquiry,
        Offer,
        Order,
        OrderChange,
        OrderResponse,
        Despatch,
        Receipt,
        Invoice,
        Contract,
        ApplicationResponse,
        Catalogue,
        Inventory,
        Forecast,
        Status,
        Remittance,
        PartyInformation,
    )
}
