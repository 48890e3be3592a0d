"""Terms of a document in words: ``lines.1.price.amount`` reads "Line 1: unit price", its value as the reader writes it.

Paths are those of ``documents.terms.flatten``. One without words of its own is shown as it is: a term is never hidden.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal, InvalidOperation

from flask import Flask
from flask_babel import gettext, lazy_gettext
from flask_babel.speaklater import LazyString

from tradehub.web import words

WORDS: dict[str, LazyString] = {
    "currency": lazy_gettext("Currency"),
    "exchange_rate": lazy_gettext("Exchange rate"),
    "target_currency": lazy_gettext("Currency to pay in"),
    "quantity.value": lazy_gettext("Quantity"),
    "quantity.unit": lazy_gettext("Unit"),
    "min_quantity": lazy_gettext("Smallest quantity"),
    "max_quantity": lazy_gettext("Largest quantity"),
    "price.amount": lazy_gettext("Unit price"),
    "price.basis.value": lazy_gettext("Price per"),
    "price.basis.unit": lazy_gettext("Price unit"),
    "price.currency": lazy_gettext("Price currency"),
    "price.type": lazy_gettext("Kind of price"),
    "price.formula": lazy_gettext("Price formula"),
    "price.breaks.min_quantity": lazy_gettext("Price break: from quantity"),
    "price.breaks.amount": lazy_gettext("Price break: unit price"),
    "item.name": lazy_gettext("Item"),
    "item.description": lazy_gettext("Description"),
    "item.ids.buyer": lazy_gettext("Buyer's item number"),
    "item.ids.seller": lazy_gettext("Seller's item number"),
    "item.ids.gtin": lazy_gettext("GTIN"),
    "item.ids.mpn": lazy_gettext("Manufacturer's number"),
    "item.origin": lazy_gettext("Country of origin"),
    "item.brand": lazy_gettext("Brand"),
    "packaging": lazy_gettext("Packaging"),
    "dates.requested_delivery": lazy_gettext("Delivery"),
    "dates.promised_delivery": lazy_gettext("Delivery"),
    "dates.scheduled_delivery": lazy_gettext("Delivery"),
    "dates.estimated_delivery": lazy_gettext("Estimated delivery"),
    "dates.latest_delivery": lazy_gettext("Latest delivery"),
    "dates.earliest_delivery": lazy_gettext("Earliest delivery"),
    "dates.requested_ship": lazy_gettext("Despatch"),
    "dates.promised_ship": lazy_gettext("Despatch"),
    "dates.shipped": lazy_gettext("Despatched on"),
    "dates.delivered": lazy_gettext("Delivered on"),
    "dates.due": lazy_gettext("Due"),
    "dates.valid_until": lazy_gettext("Valid until"),
    "dates.ship_not_before": lazy_gettext("Ship not before"),
    "dates.ship_not_after": lazy_gettext("Ship not after"),
    "dates.cancel_after": lazy_gettext("Cancel after"),
    "delivery_terms.incoterm": lazy_gettext("Incoterm"),
    "delivery_terms.place": lazy_gettext("Place of delivery"),
    "delivery_terms.version": lazy_gettext("Incoterms edition"),
    "delivery_terms.freight": lazy_gettext("Freight"),
    "delivery_terms.text": lazy_gettext("Terms of delivery"),
    "delivery_period.start": lazy_gettext("Delivery from"),
    "delivery_period.end": lazy_gettext("Delivery until"),
    "partial_shipments": lazy_gettext("Partial shipments"),
    "transport.mode": lazy_gettext("Mode of transport"),
    "transport.carrier": lazy_gettext("Carrier"),
    "payment_terms.text": lazy_gettext("Payment"),
    "payment_terms.net_days": lazy_gettext("Days to pay"),
    "payment_terms.basis": lazy_gettext("Days count from"),
    "payment_terms.means": lazy_gettext("Means of payment"),
    "payment_terms.due_on": lazy_gettext("Due"),
    "payment_terms.percent": lazy_gettext("Share of the total, %"),
    "payment_terms.discount_percent": lazy_gettext("Discount for early payment, %"),
    "payment_terms.discount_days": lazy_gettext("Days for the discount"),
    "schedules.on": lazy_gettext("Part delivery on"),
    "schedules.quantity.value": lazy_gettext("Part quantity"),
    "schedules.quantity.unit": lazy_gettext("Part unit"),
    "taxes.category": lazy_gettext("Tax category"),
    "taxes.rate": lazy_gettext("Tax rate, %"),
    "tax.category": lazy_gettext("Tax category"),
    "allowances_charges.amount": lazy_gettext("Allowance or charge"),
    "warranty": lazy_gettext("Warranty"),
    "liability": lazy_gettext("Liability"),
    "penalty": lazy_gettext("Penalty"),
    "disputes": lazy_gettext("Disputes"),
    "law": lazy_gettext("Governing law"),
    "inspection": lazy_gettext("Inspection"),
    "documents_required": lazy_gettext("Documents required"),
    "quantity": lazy_gettext("Quantity"),
    "price": lazy_gettext("Unit price"),
    "unit": lazy_gettext("Unit"),
    "item": lazy_gettext("Item"),
    "invoice": lazy_gettext("Invoice"),
    "net_amount": lazy_gettext("Line total"),
    "totals.lines": lazy_gettext("Sum of the lines"),
    "totals.allowances": lazy_gettext("Sum of allowances"),
    "totals.charges": lazy_gettext("Sum of charges"),
    "totals.before_tax": lazy_gettext("Total before tax"),
    "totals.tax": lazy_gettext("Tax"),
    "totals.with_tax": lazy_gettext("Total with tax"),
    "totals.payable": lazy_gettext("To pay"),
    "totals.prepaid": lazy_gettext("Paid already"),
    "totals.rounding": lazy_gettext("Rounding"),
    "number": lazy_gettext("Number"),
    "action": lazy_gettext("Purpose"),
    "type": lazy_gettext("Kind"),
    "issued_on": lazy_gettext("Issued on"),
    "issued_at": lazy_gettext("Issued at"),
    "language": lazy_gettext("Language"),
    "profile": lazy_gettext("Guide"),
    "process": lazy_gettext("Process"),
    "response": lazy_gettext("Answer"),
    "line_count": lazy_gettext("Number of lines"),
    "total": lazy_gettext("Total"),
    "notes.text": lazy_gettext("Note"),
    "name": lazy_gettext("Name of the party"),
    "value": lazy_gettext("Number"),
    "line": lazy_gettext("Line"),
    "text": lazy_gettext("Text"),
    "on": lazy_gettext("Day"),
    "parent": lazy_gettext("Part of line"),
    "address.street": lazy_gettext("Street"),
    "address.city": lazy_gettext("City"),
    "address.region": lazy_gettext("Region"),
    "address.postcode": lazy_gettext("Postcode"),
    "address.country": lazy_gettext("Country"),
    "contacts.name": lazy_gettext("Contact"),
    "contacts.phone": lazy_gettext("Telephone"),
    "contacts.email": lazy_gettext("E-mail"),
    "bank_account": lazy_gettext("Bank account"),
    "ids.gln": lazy_gettext("GLN"),
    "ids.duns": lazy_gettext("D-U-N-S number"),
    "ids.endpoint": lazy_gettext("Electronic address"),
    "ids.buyer": lazy_gettext("Number given by the buyer"),
    "ids.seller": lazy_gettext("Number given by the seller"),
    "tax_ids.vat": lazy_gettext("Tax number"),
    "dates.issued": lazy_gettext("Issued on"),
    "dates.order": lazy_gettext("Day of the order"),
    "dates.inquiry": lazy_gettext("Day of the inquiry"),
    "dates.offer": lazy_gettext("Day of the offer"),
    "dates.invoice": lazy_gettext("Day of the invoice"),
    "dates.respond_by": lazy_gettext("Answer by"),
    "dates.valid_from": lazy_gettext("Valid from"),
    "responses.status": lazy_gettext("Answer"),
    "responses.quantity": lazy_gettext("Quantity"),
    "responses.quantity.unit": lazy_gettext("Unit"),
    "responses.reason": lazy_gettext("Reason"),
    "batch": lazy_gettext("Batch"),
    "taxes.amount": lazy_gettext("Tax"),
    "taxes.basis": lazy_gettext("Taxable amount"),
    "packages.number": lazy_gettext("Package"),
    "packages.sscc": lazy_gettext("SSCC"),
    "packages.count": lazy_gettext("Packages"),
    "package_count": lazy_gettext("Packages"),
    "gross_weight": lazy_gettext("Gross weight"),
    "net_weight": lazy_gettext("Net weight"),
}

GROUPS: dict[str, LazyString] = {
    "parties.buyer": lazy_gettext("Buyer"),
    "parties.seller": lazy_gettext("Seller"),
    "parties.ship_to": lazy_gettext("Ship to"),
    "parties.ship_from": lazy_gettext("Ship from"),
    "parties.bill_to": lazy_gettext("Bill to"),
    "parties.payer": lazy_gettext("Payer"),
    "parties.payee": lazy_gettext("Payee"),
    "parties.remit_to": lazy_gettext("Remit to"),
    "parties.carrier": lazy_gettext("Carrier"),
    "parties.consignee": lazy_gettext("Consignee"),
    "parties.delivery_party": lazy_gettext("Delivery party"),
    "parties.invoicee": lazy_gettext("Invoicee"),
    "parties.invoicer": lazy_gettext("Invoicer"),
    "parties.manufacturer": lazy_gettext("Manufacturer"),
    "parties.sender": lazy_gettext("Sender"),
    "parties.receiver": lazy_gettext("Receiver"),
    "references.inquiry": lazy_gettext("Reference to the inquiry"),
    "references.offer": lazy_gettext("Reference to the offer"),
    "references.order": lazy_gettext("Reference to the order"),
    "references.order_response": lazy_gettext("Reference to the order response"),
    "references.contract": lazy_gettext("Reference to the contract"),
    "references.despatch": lazy_gettext("Reference to the despatch"),
    "references.receipt": lazy_gettext("Reference to the receipt"),
    "references.invoice": lazy_gettext("Reference to the invoice"),
    "references.price_list": lazy_gettext("Reference to the price list"),
    "subject": lazy_gettext("What it answers"),
}
"""Parts of a document that hold several terms: who a party is, what a reference leads to."""

_GROUP = re.compile(r"((?:parties|references)\.[^.]+|subject)\.(?:\d+\.)?(.+)")
_LINE = re.compile(r"lines\.([^.]+)\.(.+)")
_AMOUNTS = ("amount", "price")
_NUMBERS = ("value", "quantity", "rate", "percent", "days")
_IDENTIFIER = re.compile(r"(?:.*\.)?(?:ids|tax_ids|references|subject|other|marks|attributes|custom)\..*")


def install(app: Flask) -> None:
    app.jinja_env.filters.update({"term": term, "term_value": term_value})


def term(path: str) -> str:
    """Return the words for a term's path."""
    line = _LINE.fullmatch(path)
    if line:
        return str(gettext("Line %(number)s: %(term)s", number=line[1], term=term(line[2])))
    group = _GROUP.fullmatch(path)
    if group and group[1] in GROUPS:
        if group[2] == "value":
            return str(GROUPS[group[1]])
        return str(gettext("%(group)s: %(term)s", group=GROUPS[group[1]], term=term(group[2])))
    if path.startswith("custom."):
        return path.removeprefix("custom.")
    if path.startswith("attachments."):
        return str(gettext("Attachment %(hash)s", hash=path.removeprefix("attachments.")[:8]))
    steps = path.removesuffix(".on").removesuffix(".value").split(".")
    # Positions in lists, and the keys of lists that say no more than a position, are no words.
    named = [".".join(steps), ".".join(each for each in steps if not each.isdigit()), f"{steps[0]}.{steps[-1]}"]
    known = next((WORDS[each] for each in (path, *named) if each in WORDS), None)
    return str(known) if known is not None else path.replace("_", " ").replace(".", " ")


def term_value(value: str | None, path: str = "") -> str:
    """Return a term's value as the reader writes it: days, numbers, units, yes and no."""
    if value is None:
        return "–"
    if value in ("true", "false"):
        return str(gettext("Yes") if value == "true" else gettext("No"))
    if path.endswith((".unit", "unit")) and value:
        return words.unit(value)
    if _IDENTIFIER.fullmatch(path):
        return value
    day = _day(value)
    if day is not None:
        return words.day(day)
    write = words.amount if path.endswith(_AMOUNTS) or path.startswith("totals.") else words.number
    if write is words.amount or path.endswith(_NUMBERS):
        try:
            return write(Decimal(value))
        except InvalidOperation:
            return value
    return value


def _day(value: str) -> date | None:
    if len(value) != 10:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None
