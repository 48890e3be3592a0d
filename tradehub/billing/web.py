"""The pages of billing: what was invoiced under an order, as a part of the order page, and the seller's form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from flask_babel.speaklater import LazyString
from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import Session

from tradehub.billing.model import State, arithmetic, state_of
from tradehub.billing.service import Bill, BillingService, Refused, due_day
from tradehub.billing.store import InvoicePartRow, InvoiceRow
from tradehub.documents.lines import Severity, keyed
from tradehub.partners.handling import OrderFacts
from tradehub.platform import clock, http
from tradehub.platform.db import Database
from tradehub.platform.entered import FAULTS, Entered
from tradehub.platform.worklist import Entry, Search

STATES: dict[State, tuple[str, LazyString]] = {
    State.MATCHED: ("ok", lazy_gettext("Matches the order")),
    State.REMARKED: ("warn", lazy_gettext("With remarks")),
    State.HELD: ("bad", lazy_gettext("Differs from the order")),
}

SEVERITIES: dict[Severity, tuple[str, LazyString]] = {
    Severity.NOTE: ("info", lazy_gettext("Within tolerance")),
    Severity.WARNING: ("warn", lazy_gettext("Look at this")),
    Severity.HOLD: ("bad", lazy_gettext("Settle before paying")),
}

RULES: dict[str, LazyString] = {
    "CURRENCY": lazy_gettext("Another currency than ordered"),
    "UNKNOWN_ITEM": lazy_gettext("Not ordered"),
    "OTHER_ITEM": lazy_gettext("Another item than ordered"),
    "TAX_CATEGORY": lazy_gettext("Another tax category than ordered"),
    "NO_QUANTITY": lazy_gettext("No quantity stated"),
    "OTHER_UNIT": lazy_gettext("Unit cannot be compared"),
    "PRICE_BASIS": lazy_gettext("Price for no quantity"),
    "PRICE_ABOVE": lazy_gettext("Price above the agreed one"),
    "PRICE_BELOW": lazy_gettext("Price below the agreed one"),
    "ABOVE_ORDERED": lazy_gettext("More invoiced than ordered"),
    "ABOVE_DESPATCHED": lazy_gettext("More invoiced than despatched"),
    "CREDIT_EXCEEDS": lazy_gettext("More credited than invoiced"),
    "CLAIMED_BEFORE": lazy_gettext("The same was invoiced before"),
    "LINE_NET": lazy_gettext("The line does not come to its amount"),
    "BR-CO-10": lazy_gettext("The lines do not add up"),
    "BR-CO-11": lazy_gettext("The allowances do not add up"),
    "BR-CO-12": lazy_gettext("The charges do not add up"),
    "BR-CO-13": lazy_gettext("The total before tax does not add up"),
    "BR-CO-14": lazy_gettext("The tax amounts do not add up"),
    "BR-CO-15": lazy_gettext("The total with tax does not add up"),
    "BR-CO-16": lazy_gettext("The amount to pay does not add up"),
    "BR-CO-17": lazy_gettext("The tax does not fit its rate"),
}

REFUSALS: dict[str, LazyString] = {
    "NOT_SELLER": lazy_gettext("Only the seller can invoice this order."),
    "NOTHING_INVOICED": lazy_gettext("Enter a quantity for at least one line."),
    "NUMBER_USED": lazy_gettext("You have used this invoice number this year already."),
}


@dataclass(frozen=True)
class FormLine:
    name: str
    item: str
    unit: str | None
    despatched: Decimal
    invoiced: Decimal
    quantity: str
    price: str


def panel(service: BillingService) -> Callable[[Session, str], Markup]:
    """Return the part of the order page that shows its invoices; nothing for those who may not read them."""

    def show(session: Session, order_id: str) -> Markup:
        if not http.may("invoice.read"):
            return Markup()
        parts = service.of_order(session, order_id)
        text = render_template("billing/_panel.html", parts=parts, states=STATES, severities=SEVERITIES, rules=RULES)
        return Markup(text)  # noqa: S704 - a rendered template

    return show


def blueprint(service: BillingService, database: Database) -> Blueprint:
    """Return the seller's invoice form with its review."""
    pages = Blueprint("billing", __name__, template_folder="templates")

    @pages.get("/orders/<order_id>/invoice")
    @http.requires("order.write")
    def form(order_id: str) -> str:
        with database.read(org=http.principal().org) as session:
            return _form(_as_seller(service, session, order_id), {}, {})

    @pages.post("/orders/<order_id>/invoice")
    @http.requires("order.write")
    def bill(order_id: str) -> ResponseReturnValue:
        org = http.principal().org
        try:
            with database.write(org=org) as session:
                facts = _as_seller(service, session, order_id)
                entered, errors = _read(facts, request.form)
                if entered is None:
                    return _form(facts, request.form, errors), 422
                if "send" not in request.form:
                    return _review(service, facts, entered, request.form)

                def act() -> str:
                    service.bill(session, order_id, entered, by=org)
                    return f"/orders/{order_id}#invoices"

                return http.once(session, act)
        except Refused as refused:
            with database.read(org=org) as session:
                facts = _as_seller(service, session, order_id)
                return _form(facts, request.form, {}, notice=str(REFUSALS[refused.rule])), 422

    return pages


def _as_seller(service: BillingService, session: Session, order_id: str) -> OrderFacts:
    facts = service.order_by_id(session, order_id)
    if facts is None or facts.seller != http.principal().org:
        abort(404)
    return facts


def _form_lines(facts: OrderFacts, form: Mapping[str, str]) -> list[FormLine]:
    """Return the lines at the agreed price, prefilled with what was despatched and not yet invoiced.

    Before anything was despatched they are prefilled with what was ordered: some sell against payment in advance.
    """
    lines = []
    in_advance = not any(each.despatched for each in facts.lines.values())
    for name, line in keyed(facts.order.lines).items():
        if name not in facts.lines or line.price is None:
            continue
        so_far = facts.lines[name]
        due = so_far.ordered - so_far.cancelled if in_advance else so_far.despatched
        prefilled = format(max(due - so_far.invoiced, Decimal(0)), "f")
        lines.append(
            FormLine(
                name=name,
                item=line.item.label,
                unit=line.quantity.unit if line.quantity else None,
                despatched=so_far.despatched,
                invoiced=so_far.invoiced,
                quantity=form.get(f"quantity-{name}", prefilled),
                price=form.get(f"price-{name}", format(line.price.amount, "f")),
            )
        )
    return lines


def _read(facts: OrderFacts, form: Mapping[str, str]) -> tuple[Bill | None, dict[str, str]]:
    entered = Entered(form)
    quantities = {name: entered.number(f"quantity-{name}") or Decimal(0) for name in facts.lines}
    prices = {name: price for name in facts.lines if (price := entered.number(f"price-{name}")) is not None}
    issued_on = entered.day("issued_on", required=True)
    due_on = entered.day("due_on")
    tax_rate = entered.number("tax_rate") or Decimal(0)
    if entered.errors or issued_on is None:
        return None, {field: str(FAULTS[fault]) for field, fault in entered.errors.items()}
    if not any(quantities.values()):
        return None, {"": str(REFUSALS["NOTHING_INVOICED"])}
    return Bill(quantities, prices, issued_on, tax_rate, due_on, entered.text("number", most=50) or None), {}


def _form(facts: OrderFacts, form: Mapping[str, str], errors: Mapping[str, str], *, notice: str = "") -> str:
    today = clock.now().date()
    return render_template(
        "billing/invoice.html",
        facts=facts,
        lines=_form_lines(facts, form),
        form=form,
        errors=errors,
        notice=notice or errors.get("", ""),
        today=today,
        due=due_day(facts.order, today),
    )


def _review(service: BillingService, facts: OrderFacts, bill: Bill, form: Mapping[str, str]) -> str:
    invoice = service.draft(facts, bill, number=bill.number or "")
    matched = service.check(facts, invoice)
    found = (*matched.differences, *arithmetic(invoice))
    return render_template(
        "billing/review.html",
        facts=facts,
        bill=bill,
        invoice=invoice,
        matched=matched,
        found=found,
        state=state_of(found),
        kept={name: value for name, value in form.items() if name.partition("-")[0] in _KEPT},
        states=STATES,
        severities=SEVERITIES,
        rules=RULES,
    )


_KEPT = frozenset({"quantity", "price", "issued_on", "due_on", "tax_rate", "number"})


def search() -> Search:
    """Return the search over invoices: by their number. It opens the order."""

    def find(session: Session, who: http.Principal, words: str) -> list[Entry]:
        if not who.may("invoice.read"):
            return []
        wanted = select(InvoicePartRow).join(InvoiceRow).where(InvoiceRow.number.icontains(words, autoescape=True))
        return [_entry(part) for part in session.scalars(wanted.limit(20)).unique()]

    return find


def _entry(part: InvoicePartRow) -> Entry:
    kind, word = STATES[part.whole.stands]
    title = gettext("Invoice %(number)s", number=part.whole.number)
    return Entry(f"/orders/{part.order_id}#invoices", title, "", (kind, str(word)), part.whole.at)
