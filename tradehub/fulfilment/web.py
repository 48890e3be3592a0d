"""The pages of fulfilment: what was despatched under an order, as a part of the order page, and the seller's form."""

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

from tradehub.documents.lines import Severity, keyed
from tradehub.fulfilment.model import State
from tradehub.fulfilment.service import FulfilmentService, Refused, Shipment, open_quantities
from tradehub.fulfilment.store import DespatchPartRow, DespatchRow
from tradehub.partners.handling import OrderFacts
from tradehub.platform import clock, http
from tradehub.platform.db import Database
from tradehub.platform.entered import FAULTS, Entered
from tradehub.platform.worklist import Entry, Search

STATES: dict[State, tuple[str, LazyString]] = {
    State.AS_ORDERED: ("ok", lazy_gettext("Matches the order")),
    State.REMARKED: ("warn", lazy_gettext("With remarks")),
    State.HELD: ("bad", lazy_gettext("Differs from the order")),
}

SEVERITIES: dict[Severity, tuple[str, LazyString]] = {
    Severity.NOTE: ("info", lazy_gettext("Note")),
    Severity.WARNING: ("warn", lazy_gettext("Look at this")),
    Severity.HOLD: ("bad", lazy_gettext("Settle this")),
}

RULES: dict[str, LazyString] = {
    "UNKNOWN_ITEM": lazy_gettext("Not ordered"),
    "OTHER_ITEM": lazy_gettext("Another item than ordered"),
    "NO_QUANTITY": lazy_gettext("No quantity stated"),
    "OTHER_UNIT": lazy_gettext("Unit cannot be compared"),
    "OVER": lazy_gettext("More than is open"),
    "UNDER": lazy_gettext("Less than is open"),
    "LATE": lazy_gettext("Later than agreed"),
    "PARTIAL": lazy_gettext("Partial delivery, though excluded"),
}

REFUSALS: dict[str, LazyString] = {
    "NOT_SELLER": lazy_gettext("Only the seller can despatch this order."),
    "NOTHING_DESPATCHED": lazy_gettext("Enter a quantity for at least one line."),
}


@dataclass(frozen=True)
class FormLine:
    name: str
    item: str
    unit: str | None
    ordered: Decimal
    open: Decimal
    quantity: str
    batch: str


def panel(service: FulfilmentService) -> Callable[[Session, str], Markup]:
    """Return the part of the order page that shows its despatches."""

    def show(session: Session, order_id: str) -> Markup:
        parts = service.of_order(session, order_id)
        text = render_template("fulfilment/_panel.html", parts=parts, states=STATES, severities=SEVERITIES, rules=RULES)
        return Markup(text)  # noqa: S704 - a rendered template

    return show


def blueprint(service: FulfilmentService, database: Database) -> Blueprint:
    """Return the seller's despatch form with its review."""
    pages = Blueprint("fulfilment", __name__, template_folder="templates")

    @pages.get("/orders/<order_id>/despatch")
    @http.requires("order.write")
    def form(order_id: str) -> str:
        with database.read(org=http.principal().org) as session:
            return _form(_as_seller(service, session, order_id), {}, {})

    @pages.post("/orders/<order_id>/despatch")
    @http.requires("order.write")
    def ship(order_id: str) -> ResponseReturnValue:
        org = http.principal().org
        try:
            with database.write(org=org) as session:
                facts = _as_seller(service, session, order_id)
                shipment, errors = _read(facts, request.form)
                if shipment is None:
                    return _form(facts, request.form, errors), 422
                if "send" not in request.form:
                    return _review(service, facts, shipment, request.form)

                def act() -> str:
                    service.ship(session, order_id, shipment, by=org)
                    return f"/orders/{order_id}#despatches"

                return http.once(session, act)
        except Refused as refused:
            with database.read(org=org) as session:
                facts = _as_seller(service, session, order_id)
                return _form(facts, request.form, {}, notice=str(REFUSALS[refused.rule])), 422

    return pages


def _as_seller(service: FulfilmentService, session: Session, order_id: str) -> OrderFacts:
    facts = service.order_by_id(session, order_id)
    if facts is None or facts.seller != http.principal().org:
        abort(404)
    return facts


def _form_lines(facts: OrderFacts, form: Mapping[str, str]) -> list[FormLine]:
    still_open = open_quantities(facts)
    lines = []
    for name, line in keyed(facts.order.lines).items():
        if name not in facts.lines:
            continue
        prefilled = format(still_open[name], "f")
        lines.append(
            FormLine(
                name=name,
                item=line.item.label,
                unit=line.quantity.unit if line.quantity else None,
                ordered=facts.lines[name].ordered - facts.lines[name].cancelled,
                open=still_open[name],
                quantity=form.get(f"quantity-{name}", prefilled),
                batch=form.get(f"batch-{name}", ""),
            )
        )
    return lines


def _read(facts: OrderFacts, form: Mapping[str, str]) -> tuple[Shipment | None, dict[str, str]]:
    entered = Entered(form)
    quantities = {name: entered.number(f"quantity-{name}") or Decimal(0) for name in facts.lines}
    shipped_on = entered.day("shipped_on", required=True)
    arrives_on = entered.day("arrives_on")
    if entered.errors or shipped_on is None:
        return None, {field: str(FAULTS[fault]) for field, fault in entered.errors.items()}
    if not any(quantities.values()):
        return None, {"": str(REFUSALS["NOTHING_DESPATCHED"])}
    return Shipment(
        quantities=quantities,
        shipped_on=shipped_on,
        arrives_on=arrives_on,
        carrier=entered.text("carrier") or None,
        tracking=entered.text("tracking") or None,
        batches={name: entered.text(f"batch-{name}") for name in facts.lines},
    ), {}


def _form(facts: OrderFacts, form: Mapping[str, str], errors: Mapping[str, str], *, notice: str = "") -> str:
    return render_template(
        "fulfilment/despatch.html",
        facts=facts,
        lines=_form_lines(facts, form),
        form=form,
        errors=errors,
        notice=notice or errors.get("", ""),
        today=clock.now().date(),
    )


def _review(service: FulfilmentService, facts: OrderFacts, shipment: Shipment, form: Mapping[str, str]) -> str:
    despatch = service.draft(facts, shipment, number="", issued_on=clock.now().date())
    return render_template(
        "fulfilment/review.html",
        facts=facts,
        shipment=shipment,
        compared=service.check(facts, despatch),
        kept={name: value for name, value in form.items() if name.partition("-")[0] in _KEPT},
        states=STATES,
        severities=SEVERITIES,
        rules=RULES,
    )


_KEPT = frozenset({"quantity", "batch", "shipped_on", "arrives_on", "carrier", "tracking"})


def search() -> Search:
    """Return the search over despatches: by their number or tracking number. It opens the order."""

    def find(session: Session, who: http.Principal, words: str) -> list[Entry]:
        if not who.may("order.read"):
            return []
        wanted = (
            select(DespatchPartRow)
            .join(DespatchRow)
            .where(
                DespatchRow.number.icontains(words, autoescape=True)
                | DespatchRow.tracking.icontains(words, autoescape=True)
            )
        )
        return [_entry(part) for part in session.scalars(wanted.limit(20)).unique()]

    return find


def _entry(part: DespatchPartRow) -> Entry:
    kind, word = STATES[part.stands]
    title = gettext("Despatch %(number)s", number=part.whole.number)
    return Entry(
        f"/orders/{part.order_id}#despatches", title, part.whole.carrier or "", (kind, str(word)), part.whole.at
    )
