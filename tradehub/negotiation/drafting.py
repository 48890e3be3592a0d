"""The documents that negotiation writes, and the few terms of any document that people haggle over.

Whoever stated them last and in whatever dialect, price, quantity, delivery day, validity, payment and Incoterm are read
here by one set of functions and set by one, so that a counter keeps every term of its parent that it does not change.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from itertools import product
from typing import Any

from tradehub.documents import Inquiry, Line, Offer, Order, Quantity, TradeDocument
from tradehub.documents.amounts import net_amount
from tradehub.documents.lines import keyed
from tradehub.documents.normal import DELIVERY_DATES
from tradehub.documents.parts import (
    EXACT,
    Attachment,
    DatedEvent,
    DeliveryTerms,
    Identifier,
    Item,
    Note,
    Party,
    PaymentTerms,
    Price,
    Reference,
)
from tradehub.documents.terms import NOT_TERMS
from tradehub.negotiation import further, model
from tradehub.negotiation.further import Stated

INDICATIVE = frozenset({"proposal", "status", "information", "test"})
"""Offer actions that oblige nobody (X12 353 16, 22; EDIFACT 1225 16, 31)."""


@dataclass(frozen=True)
class LineDraft:
    """A line as a person writes it; ``number`` names the line of the document it answers, or is that of one that comes in.

    ``terms`` are all further terms of the line; None leaves them as they were. ``name`` and ``item_number`` are said
    where it is another item than that of the line it answers.
    """

    number: str
    quantity: Decimal | None = None
    unit: str | None = None
    price: Decimal | None = None
    delivery_on: date | None = None
    name: str = ""
    item_number: str = ""
    terms: tuple[Stated, ...] | None = None


VARIANTS_MAX = 12
"""Offers that one form may make of its alternatives: more are a price list, and each goes to the partner by itself."""


@dataclass(frozen=True)
class Draft:
    """What a person proposes. A line left out is not offered; what is not said of a line stays as it was.

    ``terms`` are all further terms of the whole, ``attachments`` all files; None leaves them as they were. The flags say
    how the offer may be accepted, as ``model.Offer`` has them. ``alternatives`` are offered in the place of the line
    whose number they have. ``standard_terms`` is the SHA-256 of the sender's own that are part of it.
    """

    lines: tuple[LineDraft, ...] = ()
    currency: str | None = None
    delivery_on: date | None = None
    respond_by: date | None = None
    valid_until: date | None = None
    incoterm: str | None = None
    place: str | None = None
    payment: str | None = None
    text: str = ""
    firm: bool = True
    terms: tuple[Stated, ...] | None = None
    attachments: tuple[Attachment, ...] | None = None
    irrevocable: bool = False
    as_is_only: bool = False
    divisible: bool = False
    standard_terms: str | None = None
    alternatives: tuple[LineDraft, ...] = ()

    @property
    def variants(self) -> tuple[Draft, ...]:
        """The offers of which the other side picks one: every line as it is, or one of its alternatives in its place."""
        choices = [[line, *(each for each in self.alternatives if each.number == line.number)] for line in self.lines]
        return tuple(replace(self, lines=lines, alternatives=()) for lines in product(*choices))

    @property
    def particulars(self) -> dict[str, Any]:
        """How it may be accepted; nothing of the kind can be said of what obliges nobody."""
        said = {"irrevocable": self.irrevocable, "as_is_only": self.as_is_only, "divisible": self.divisible}
        flags: dict[str, Any] = {name: value for name, value in said.items() if value and self.firm}
        return flags | ({"standard_terms": self.standard_terms} if self.standard_terms else {})


@dataclass(frozen=True)
class Letterhead:
    """What stands at the head of a document that we write."""

    number: str
    issued_on: date
    buyer: Party
    seller: Party
    references: tuple[Reference, ...] = ()
    action: str = "original"

    @property
    def fields(self) -> dict[str, object]:
        parties = (
            self.buyer.model_copy(update={"role": "buyer"}),
            self.seller.model_copy(update={"role": "seller"}),
        )
        return {
            "number": self.number,
            "issued_on": self.issued_on,
            "action": self.action,
            "parties": parties,
            "references": self.references,
        }


def inquiry(head: Letterhead, draft: Draft) -> Inquiry:
    """Return the invitation to offer on the draft's lines."""
    lines = tuple(_asked_line(each) for each in draft.lines)
    return Inquiry.model_validate(
        {
            **head.fields,
            "currency": draft.currency,
            "dates": _dates((), draft, "requested_delivery"),
            "delivery_terms": _delivery_terms(None, draft),
            "payment_terms": _payment_terms(None, draft.payment),
            "notes": _notes(draft.text),
            "lines": lines,
        }
    )


def counter(head: Letterhead, base: TradeDocument, draft: Draft) -> Inquiry:
    """Return the buyer's firm counter to ``base``: an inquiry that proposes an amendment."""
    return further.applied(Inquiry.model_validate(_amended(head, base, draft, "requested_delivery")), draft.terms)


def offer(head: Letterhead, base: TradeDocument, draft: Draft) -> Offer:
    """Return the seller's offer on, or counter to, ``base``: an inquiry, an offer or an order."""
    return further.applied(Offer.model_validate(_amended(head, base, draft, "promised_delivery")), draft.terms)


def summary(document: TradeDocument) -> dict[str, Any]:
    """Return what a list of rounds shows of a proposal, as JSON: goods total, last delivery, payment, Incoterm,
    lines, files."""
    offered = model.offered_lines(document)
    days = [delivery_on(document, line) for line in offered] or [delivery_on(document)]
    last = max((day for day in days if day), default=None)
    files = [[each.sha256, each.name] for each in document.attachments if each.sha256]
    amount = total(document, offered) if offered else None
    return {
        "total": None if amount is None else str(amount),
        "currency": document.currency,
        "delivery": last.isoformat() if last else None,
        "payment": payment_text(document),
        "incoterm": incoterm_text(document),
        "lines": len(offered),
        **({"files": files} if files else {}),
    }


def limited_to(document: TradeDocument, quantities: Mapping[str, Decimal]) -> TradeDocument:
    """Return the document with only these lines, in these quantities; the whole where none is named."""
    if not quantities or not isinstance(document, Inquiry | Offer | Order):
        return document
    lines = []
    for number, line in keyed(document.lines).items():
        if number in quantities:
            unit = line.quantity.unit if line.quantity else None
            part = Quantity(value=quantities[number], unit=unit)
            net = line.net_amount if part == line.quantity else None
            lines.append(line.model_copy(update={"number": number, "quantity": part, "net_amount": net}))
    return document.model_copy(update={"lines": tuple(lines), "total": None})


def agreed(contract: model.Contract) -> TradeDocument:
    """Return what a contract is on: of an offer that was accepted in part, the lines and quantities accepted (R22).

    An amendment states all of its contract's terms, so it is taken as it is.
    """
    document = contract.terms.document
    return limited_to(document, contract.lines) if contract.version == 1 else document


def as_offer(document: TradeDocument) -> Offer:
    """Return the terms of any proposal as an offer: what is bound does not depend on which document said it."""
    if isinstance(document, Offer):
        return document
    common = {name: getattr(document, name) for name in Offer.model_fields if name in type(document).model_fields}
    return Offer.model_validate({**common, "action": "original", "type": None, "extensions": ()})


def is_firm(document: TradeDocument) -> bool:
    """Return whether the document binds its sender: an order, a counter, an offer not marked as without obligation."""
    if isinstance(document, Inquiry):
        return document.action == "proposed_amendment"
    return document.action not in INDICATIVE


def delivery_on(document: TradeDocument, line: Line | None = None) -> date | None:
    """Return the day on which ``line``, or the whole, is to be there, as this document has it."""
    if line is not None:
        stated = [DatedEvent(type=each.type or DELIVERY_DATES[0], on=each.on) for each in line.schedules if each.on]
        for dates in (line.dates, stated):
            found = _among(dates)
            if found:
                return found
        if line.delivery_period and line.delivery_period.end:
            return line.delivery_period.end
    found = _among(document.dates)
    if found is None and document.delivery_period:
        found = document.delivery_period.end
    return found


def payment_text(document: TradeDocument) -> str | None:
    """Return the payment terms in the trade's short hand, e.g. ``net 30``, ``2 %/10 net 30``; None without any."""
    return "; ".join(filter(None, map(_payment, document.payment_terms))) or None


def incoterm_text(document: TradeDocument) -> str | None:
    terms = document.delivery_terms
    return " ".join(filter(None, (terms.incoterm, terms.place, terms.version))) or terms.text if terms else None


def note_text(document: TradeDocument) -> str:
    return "\n".join(each.text for each in document.notes)


def item_label(line: Line) -> str:
    """Return the name that people know the item by."""
    item = line.item
    return item.name or item.description or next((each.value for each in item.ids), line.number or "")


def item_number(line: Line) -> str:
    item = line.item
    numbered = (item.identifier(scheme) for scheme in ("buyer", "seller", "gtin", "mpn"))
    return next((each for each in numbered if each), "")


def total(document: TradeDocument, lines: Sequence[Line]) -> Decimal | None:
    """Return the goods total, each line rounded first; None where a line cannot be valued or the currencies mix."""
    amount = Decimal(0)
    for line in lines:
        net = net_amount(line, document.currency)
        if net is None or (line.price and line.price.currency not in (None, document.currency)):
            return None
        amount = EXACT.add(amount, net)
    return amount


_MENTIONED = re.compile(r"^(?:net\s+(\d{1,3})(?:\s*d(?:ays)?)?|(\d{1,3})\s*d(?:ays)?\s+net)$", re.IGNORECASE)


def _amended(head: Letterhead, base: TradeDocument, draft: Draft, delivery: str) -> dict[str, object]:
    fields: dict[str, object] = {
        name: getattr(base, name) for name in TradeDocument.model_fields if name not in NOT_TERMS
    }
    wanted = {each.number: each for each in draft.lines}
    days = {each.delivery_on for each in draft.lines}
    common = days.pop() if len(days) == 1 else None
    header = Draft(delivery_on=common or draft.delivery_on, valid_until=draft.valid_until)
    before = _lines(base)
    added = {number: Line(number=number, item=Item()) for number in wanted if number not in before}
    lines = tuple(
        _amended_line(base, number, line, wanted[number], delivery, header.delivery_on)
        for number, line in {**before, **added}.items()
        if number in wanted
    )
    if not draft.firm:
        head = replace(head, action="proposal")
    return {
        **fields,
        **head.fields,
        "currency": draft.currency or base.currency,
        "delivery_period": None,
        "dates": _dates(base.dates, header, delivery),
        "delivery_terms": _delivery_terms(base.delivery_terms, draft),
        "payment_terms": _payment_terms(base, draft.payment),
        "attachments": base.attachments if draft.attachments is None else draft.attachments,
        "notes": _notes(draft.text),
        "lines": lines,
    }


def _lines(document: TradeDocument) -> Mapping[str, Line]:
    return keyed(document.lines) if isinstance(document, Inquiry | Offer | Order) else {}


def _amended_line(
    base: TradeDocument, number: str, line: Line, said: LineDraft, delivery: str, header: date | None
) -> Line:
    quantity, price, item = line.quantity, line.price, line.item
    if (said.name, said.item_number) not in (("", ""), (item_label(line), item_number(line))):
        scheme = "seller" if delivery == "promised_delivery" else "buyer"
        ids = (Identifier(scheme=scheme, value=said.item_number),) if said.item_number else ()
        item = Item(ids=ids, name=said.name or None)
    if said.quantity is not None:
        quantity = Quantity(value=said.quantity, unit=said.unit or (quantity.unit if quantity else None))
    if said.price is not None:
        kept = price or Price(amount=said.price)
        # Breaks and a formula belong to the price beside which they were stated.
        stale = said.terms is None and kept.amount != said.price
        price = kept.model_copy(update={"amount": said.price, **({"breaks": (), "formula": None} if stale else {})})
    day = said.delivery_on or delivery_on(base, line)
    others = tuple(each for each in line.dates if each.type not in DELIVERY_DATES)
    dates = others if day == header or day is None else (*others, DatedEvent(type=delivery, on=day))
    amended = line.model_copy(
        update={
            "number": number,
            "action": None,
            "item": item,
            "quantity": quantity,
            "price": price,
            "net_amount": None,
            "dates": dates,
            "schedules": (),
            "delivery_period": None,
            "references": (),
            "notes": (),
        }
    )
    return further.applied(amended, said.terms)


def _asked_line(said: LineDraft) -> Line:
    ids = (Identifier(scheme="buyer", value=said.item_number),) if said.item_number else ()
    dates = (DatedEvent(type="requested_delivery", on=said.delivery_on),) if said.delivery_on else ()
    return Line(
        number=said.number,
        item=Item(ids=ids, name=said.name or None),
        quantity=None if said.quantity is None else Quantity(value=said.quantity, unit=said.unit),
        dates=dates,
    )


def _dates(before: tuple[DatedEvent, ...], draft: Draft, delivery: str) -> tuple[DatedEvent, ...]:
    replaced = {*DELIVERY_DATES, "valid_until", "valid_from", "respond_by", "issued", "offer", "inquiry", "document"}
    kept = tuple(each for each in before if each.type not in replaced)
    said = {delivery: draft.delivery_on, "respond_by": draft.respond_by, "valid_until": draft.valid_until}
    return (*kept, *(DatedEvent(type=name, on=day) for name, day in said.items() if day))


def _delivery_terms(before: DeliveryTerms | None, draft: Draft) -> DeliveryTerms | None:
    if not draft.incoterm and not draft.place:
        return None
    stated = {"incoterm": draft.incoterm, "place": draft.place}
    if before is None:
        return DeliveryTerms.model_validate(stated)
    if (before.incoterm, before.place) == (draft.incoterm, draft.place):
        return before
    return before.model_copy(update={**stated, "text": None})


def _payment_terms(before: TradeDocument | None, text: str | None) -> tuple[PaymentTerms, ...]:
    """Read ``net 30`` as days; keep every other wording as it is, for days are not guessed from prose."""
    if before is not None and text == payment_text(before):
        return before.payment_terms
    if not text:
        return ()
    found = _MENTIONED.match(text.strip())
    days = int(found[1] or found[2]) if found else None
    return (PaymentTerms(text=text.strip(), net_days=days),)


def _payment(terms: PaymentTerms) -> str:
    if terms.text:
        return terms.text
    parts = []
    if terms.discount_percent is not None and terms.discount_days is not None:
        parts.append(f"{terms.discount_percent:f} %/{terms.discount_days}")
    if terms.net_days is not None:
        parts.append(f"net {terms.net_days}")
    if terms.due_on is not None:
        parts.append(terms.due_on.isoformat())
    return " ".join(parts) or (terms.type or "")


def _notes(text: str) -> tuple[Note, ...]:
    return (Note(text=text.strip()),) if text.strip() else ()


def _among(dates: Sequence[DatedEvent]) -> date | None:
    by_type = {each.type: each.on or (each.at.date() if isinstance(each.at, datetime) else None) for each in dates}
    return next((day for name in DELIVERY_DATES if (day := by_type.get(name))), None)
