"""The pages of ordering: the list, an order with all that belongs to it, the seller's confirmation."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from flask import Blueprint, Response, abort, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from markupsafe import Markup
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import Session

from tradehub.documents.lines import keyed
from tradehub.documents.parts import PartyId
from tradehub.ordering import forms, wording
from tradehub.ordering.answers import Answer, delivery_day
from tradehub.ordering.model import DECIDABLE, Decision, Refused, Standing
from tradehub.ordering.service import (
    FILTERS,
    PAGE_SIZE,
    Answered,
    Conflict,
    OrderingService,
    Unauthorised,
    goods_total,
    open_proposal,
    preview,
)
from tradehub.ordering.store import OrderRow
from tradehub.partners.asking import asker, on_an_order
from tradehub.platform import clock, http
from tradehub.platform.db import Database
from tradehub.platform.worklist import Entry, Search, Section

NameOf = Callable[[Session, str], str]
Panel = Callable[[Session, str], Markup]
"""A part of the order page that another capability renders, given the order's id."""


@dataclass(frozen=True)
class Pages:
    service: OrderingService
    database: Database
    name_of: NameOf
    panels: Sequence[Panel]


def blueprint(
    service: OrderingService, database: Database, *, name_of: NameOf, panels: Sequence[Panel] = ()
) -> Blueprint:
    """Return the pages. ``panels`` are shown on the order page below its lines, in order."""
    routes = Blueprint("ordering", __name__, template_folder="templates")
    pages = Pages(service, database, name_of, panels)
    routes.context_processor(lambda: {"wording": wording})
    _add_list(routes, pages)
    _add_order(routes, pages)
    _add_decision(routes, pages)
    _add_confirmation(routes, pages)
    return routes


def _add_list(routes: Blueprint, pages: Pages) -> None:
    @routes.get("/orders")
    @http.requires("order.read")
    def listed() -> str:
        chosen = request.args.get("only", "all")
        text = request.args.get("q", "").strip()[:100]
        page = max(request.args.get("page", 1, type=int), 1)
        with pages.database.read(org=http.principal().org) as session:
            found = pages.service.find(session, chosen=chosen, text=text, page=page)
            names = {each: pages.name_of(session, each) for row in found.orders for each in (row.buyer, row.seller)}
            return render_template(
                "ordering/orders.html",
                found=found,
                names=names,
                chosen=chosen if chosen in FILTERS else "all",
                text=text,
                page=page,
                page_count=-(-found.total // PAGE_SIZE),
                goods_total=goods_total,
            )

    @routes.get("/orders.csv")
    @http.requires("order.read")
    def as_csv() -> Response:
        with pages.database.read(org=http.principal().org) as session:
            found = pages.service.find(
                session, chosen=request.args.get("only", "all"), text=request.args.get("q", ""), page=None
            )
            return Response(
                _csv(found.orders),
                content_type="text/csv; charset=utf-8",
                headers={"Content-Disposition": "attachment; filename=orders.csv"},
            )


def _add_order(routes: Blueprint, pages: Pages) -> None:
    @routes.get("/orders/<order_id>")
    @http.requires("order.read")
    def order(order_id: str) -> str:
        return _order_page(pages, order_id)

    @routes.get("/orders/deal/<deal_id>")
    @http.requires("order.read")
    def of_deal(deal_id: str) -> ResponseReturnValue:
        """Lead to the order of a deal; of several to that of ``acceptance``, else to where all of them are named."""
        with pages.database.read(org=http.principal().org) as session:
            wanted = request.args.get("acceptance")
            found = [each for each in pages.service.of_deal(session, deal_id) if wanted in (None, each.acceptance)]
        if len(found) > 1:
            return redirect(f"/deals/{deal_id}#contract")
        return redirect(f"/orders/{found[0].id}") if found else abort(404)


def _order_page(pages: Pages, order_id: str, *, notice: str | None = None) -> str:
    org = http.principal().org
    with pages.database.read(org=org) as session:
        row = _found(pages, session, order_id)
        order = row.order
        return render_template(
            "ordering/order.html",
            row=row,
            order=order,
            lines=[(keyed(order.lines)[each.line], each) for each in row.lines if each.line in keyed(order.lines)],
            delivery_day=delivery_day,
            total=goods_total(row),
            proposal=open_proposal(row),
            is_buyer=row.buyer == org,
            is_seller=row.seller == org,
            names={each: pages.name_of(session, each) for each in (row.buyer, row.seller)},
            panels=[panel(session, order_id) for panel in pages.panels],
            steps=_steps(row),
            notice=notice,
        )


def _add_decision(routes: Blueprint, pages: Pages) -> None:
    @routes.post("/orders/<order_id>/agree")
    @http.requires_fresh
    @http.requires("deal.bind")
    def agree(order_id: str) -> ResponseReturnValue:
        return decide(order_id, Decision.AGREE)

    @routes.post("/orders/<order_id>/decline")
    @http.requires("order.write")
    def decline(order_id: str) -> ResponseReturnValue:
        return decide(order_id, Decision.DECLINE)

    def decide(order_id: str, decision: Decision) -> ResponseReturnValue:
        org = http.principal().org
        try:
            with pages.database.write(org=org) as session:
                _found(pages, session, order_id)

                def act() -> str:
                    pages.service.decide(
                        session,
                        order_id,
                        decision,
                        response_id=request.form.get("response_id", ""),
                        expected_revision=request.form.get("expected_revision", 0, type=int),
                        by=org,
                        asker=asker(),
                    )
                    return f"/orders/{order_id}"

                return http.once(session, act)
        except Unauthorised as refused:
            return _order_page(pages, order_id, notice=on_an_order(refused.verdict)), 403
        except Conflict:
            notice = gettext("This order changed while you were looking at it. This is how it stands now.")
            return _order_page(pages, order_id, notice=notice), 409
        except Refused as refused:
            return _order_page(pages, order_id, notice=str(wording.REFUSALS[refused.rule])), 422


def _add_confirmation(routes: Blueprint, pages: Pages) -> None:
    @routes.get("/orders/<order_id>/confirm")
    @http.requires("order.write")
    def confirmation(order_id: str) -> ResponseReturnValue:
        with pages.database.read(org=http.principal().org) as session:
            row = _as_seller(pages, session, order_id)
            if request.args.get("as") == "ordered":
                return _review(pages, session, row, Answered(Answer.ACCEPTED, {}, {}, {}), {"answer": "accepted"})
            return _form(pages, session, row, {}, {})

    @routes.post("/orders/<order_id>/confirm")
    @http.requires("order.write")
    def confirm(order_id: str) -> ResponseReturnValue:
        org = http.principal().org
        try:
            with pages.database.write(org=org) as session:
                row = _as_seller(pages, session, order_id)
                answered, errors = forms.read(row.order, request.form)
                if answered is None:
                    return _form(pages, session, row, request.form, errors), 422
                if "send" not in request.form:
                    return _review(pages, session, row, answered, request.form)

                def act() -> str:
                    pages.service.respond(
                        session,
                        order_id,
                        answered,
                        by=org,
                        expected_revision=request.form.get("expected_revision", 0, type=int),
                        asker=asker(),
                    )
                    return f"/orders/{order_id}"

                return http.once(session, act)
        except Unauthorised as refused:
            with pages.database.read(org=org) as session:
                row = _as_seller(pages, session, order_id)
                return _form(pages, session, row, request.form, {}, notice=on_an_order(refused.verdict)), 403
        except Conflict:
            with pages.database.read(org=org) as session:
                row = _as_seller(pages, session, order_id)
                notice = gettext("The order changed in the meantime. Your entries are kept: look at them again.")
                return _form(pages, session, row, request.form, {}, notice=notice), 409
        except Refused as refused:
            return _order_page(pages, order_id, notice=str(wording.REFUSALS[refused.rule])), 422


def _form(
    pages: Pages, session: Session, row: OrderRow, form: dict[str, str], errors: dict[str, str], *, notice: str = ""
) -> str:
    return render_template(
        "ordering/confirm.html",
        row=row,
        name=pages.name_of(session, row.buyer),
        lines=forms.form_lines(row.order, form),
        choices=[(each.value, wording.ANSWERS[each][1]) for each in forms.CHOICES],
        form=form,
        errors={field: wording.FAULTS[fault] for field, fault in errors.items()},
        notice=notice,
    )


def _review(pages: Pages, session: Session, row: OrderRow, answered: Answered, form: dict[str, str]) -> str:
    response = pages.service.draft_response(row, answered, issued_on=clock.now().date())
    answer, changes = preview(row, response)
    return render_template(
        "ordering/confirm_review.html",
        row=row,
        name=pages.name_of(session, row.buyer),
        answer=answer,
        changes=changes,
        text=answered.text,
        kept={name: value for name, value in form.items() if name.partition("-")[0] in _KEPT},
    )


_KEPT = frozenset({"answer", "quantity", "price", "day", "text"})


def _found(pages: Pages, session: Session, order_id: str) -> OrderRow:
    try:
        return pages.service.row(session, order_id)
    except NoResultFound:
        abort(404)


def _as_seller(pages: Pages, session: Session, order_id: str) -> OrderRow:
    row = _found(pages, session, order_id)
    if row.seller != http.principal().org:
        abort(404)
    return row


def _steps(row: OrderRow) -> list[tuple[str, str]]:
    """Return how far the order has come, for the line of steps at its head."""
    answered = row.stands not in {Standing.AWAITING, Standing.RECEIVED} | DECIDABLE
    done = [True, answered, row.delivery in {"complete", "over"}, row.billing in {"complete", "over"}]
    texts = [gettext("Order"), gettext("Answer"), gettext("Despatch"), gettext("Invoice")]
    now = done.index(False) if False in done else len(done)
    return [
        (text, "done" if is_done else "now" if at == now else "ahead")
        for at, (text, is_done) in enumerate(zip(texts, done, strict=True))
    ]


def _csv(orders: Sequence[OrderRow]) -> str:
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["number", "buyer", "seller", "placed_at", "answer", "delivery", "billing", "currency", "total"])
    for each in orders:
        rows.writerow([
            _safe(each.number), each.buyer, each.seller, each.placed_at.isoformat(), each.standing, each.delivery,
            each.billing, each.currency or "", each.total if each.total is not None else "",
        ])  # fmt: skip
    return text.getvalue()


def _safe(value: str) -> str:
    """Keep a spreadsheet from reading a partner's text as a formula."""
    return f"'{value}" if value[:1] in {"=", "+", "-", "@", "\t", "\r"} else value


# The work queue and the search ---------------------------------------------------------------------------------------


def sections(service: OrderingService, name_of: NameOf) -> tuple[Section, ...]:
    """Return the parts of the home page's queue: answers that the buyer must decide on, orders to answer as seller."""

    def entry(session: Session, row: OrderRow, other: str) -> Entry:
        kind, word = wording.STANDINGS[row.stands]
        return Entry(
            href=f"/orders/{row.id}",
            title=row.number,
            detail=name_of(session, other),
            status=(kind, str(word)),
            at=row.events[-1].at if row.events else row.placed_at,
        )

    def to_decide(session: Session, who: http.Principal) -> list[Entry]:
        rows = service.find(session, chosen="decide").orders
        return [entry(session, row, row.seller) for row in rows if row.buyer == who.org]

    def to_answer(session: Session, who: http.Principal) -> list[Entry]:
        rows = service.find(session, chosen="awaiting").orders
        return [entry(session, row, row.buyer) for row in rows if row.seller == who.org]

    def to_settle(session: Session, who: http.Principal) -> list[Entry]:
        rows = service.find(session, chosen="differences").orders
        differs = ("bad", gettext("Differs"))
        found = [entry(session, row, row.seller if row.buyer == who.org else row.buyer) for row in rows]
        return [replace(each, status=differs) for each in found]

    return (
        Section(
            "order_answers", lazy_gettext("Order answers to decide"), "order.read", to_decide,
            lazy_gettext("No order answer waits for you."), "/orders?only=decide",
        ),
        Section(
            "orders_to_answer", lazy_gettext("Orders to answer"), "order.write", to_answer,
            lazy_gettext("No order waits for your answer."), "/orders?only=awaiting",
        ),
        Section(
            "invoice_differences", lazy_gettext("Invoices that differ"), "invoice.read", to_settle,
            lazy_gettext("No invoice differs from its order."), "/orders?only=differences",
        ),
    )  # fmt: skip


def search(service: OrderingService, name_of: NameOf) -> Search:
    """Return the search over orders: by their number, the quote's, an item's, a party's name."""

    def find(session: Session, who: http.Principal, words: str) -> list[Entry]:
        if not who.may("order.read"):
            return []
        found = []
        for row in service.find(session, text=words).orders:
            kind, word = wording.STANDINGS[row.stands]
            other = PartyId(row.seller if row.buyer == who.org else row.buyer)
            title = gettext("Order %(number)s", number=row.number)
            found.append(
                Entry(f"/orders/{row.id}", title, name_of(session, other), (kind, str(word)), at=row.placed_at)
            )
        return found

    return find
