"""The REST API of ordering: orders with their balances and versions, the seller's answer, the buyer's decision."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from flask import Blueprint
from flask_babel import gettext
from pydantic import BaseModel, Field
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import Session

from tradehub.documents.lines import keyed
from tradehub.ordering import wording
from tradehub.ordering.answers import Answer as OrderAnswer
from tradehub.ordering.model import Decision, Refused
from tradehub.ordering.service import Answered, Conflict, OrderingService, Unauthorised
from tradehub.ordering.store import OrderRow
from tradehub.partners.asking import asker, on_an_order, unauthorised
from tradehub.partners.authority import Needs
from tradehub.platform import api, http, paging
from tradehub.platform.api import Answer, Api, Entry, example
from tradehub.platform.db import Database
from tradehub.platform.faults import escaped, fault
from tradehub.platform.problems import Problem

LineName = Annotated[str, Field(max_length=35)]


class OrdersQuery(Entry):
    """``q`` is part of a number or an item of the order."""

    only: Literal["all", "awaiting", "decide", "deliver", "invoice", "differences"] = "all"
    q: Annotated[str, Field(max_length=100)] = ""
    cursor: paging.Cursor | None = None
    limit: Annotated[int, Field(ge=1, le=paging.LIMIT_MAX)] = 50


class OrderSummary(BaseModel):
    """Three statuses: how it stands between the parties, what is delivered, what is billed.

    ``acceptance`` is that of the contract on which it was placed; of a release it is its own.
    """

    id: str
    number: str
    deal: str
    acceptance: str
    buyer: str
    seller: str
    standing: str
    delivery: str
    billing: str
    has_differences: bool
    revision: int
    version: int
    currency: str | None
    total: Decimal | None
    placed_at: datetime


class OrdersPage(Answer):
    orders: list[OrderSummary]
    cursor: str | None


class LineBalance(BaseModel):
    """Quantities of a line in its own unit."""

    line: str
    unit: str | None
    ordered: Decimal
    cancelled: Decimal
    despatched: Decimal
    invoiced: Decimal
    open: Decimal


class ResponseSummary(BaseModel):
    """An answer of the seller: what it is, what it calls itself, and what the buyer said to it."""

    id: str
    number: str | None
    answer: str
    stated: str
    at: datetime
    changes: list[tuple[str, str | None, str | None]]
    decision: str | None
    decided_at: datetime | None


class EventSummary(BaseModel):
    at: datetime
    by: str
    kind: str
    state: str | None
    number: str | None


class OrderShown(OrderSummary, Answer):
    """``document`` is the order in force. ``revision`` is what answers and decisions name as ``expected_revision``."""

    document: dict[str, Any]
    lines: list[LineBalance]
    responses: list[ResponseSummary]
    events: list[EventSummary]


class ResponseEntry(Entry):
    """The seller's answer. By line number only what differs from the order; an acceptance with other figures in it is
    one with changes."""

    model_config = example({"answer": "accepted", "expected_revision": 1})

    answer: Literal["accepted", "counter_offer", "rejected"]
    quantities: dict[LineName, Annotated[Decimal, Field(gt=0)]] = Field(default_factory=dict)
    prices: dict[LineName, Annotated[Decimal, Field(ge=0)]] = Field(default_factory=dict)
    days: dict[LineName, date] = Field(default_factory=dict)
    text: Annotated[str, Field(max_length=2000)] | None = None
    expected_revision: int


class DecisionEntry(Entry):
    """The buyer's word on what the seller's last response proposes."""

    model_config = example({"response": "0198f2a4c1d07b6c9f3e2d1c0b9a8855", "expected_revision": 2})

    response: str
    expected_revision: int


def blueprint(service: OrderingService, database: Database) -> Blueprint:
    """Return the endpoints."""
    routes = Blueprint("ordering_api", __name__, url_prefix=api.PREFIX)
    endpoints = Api(routes, database, _told, (NoResultFound, Refused, Conflict, Unauthorised), "ordering")
    _add_reading(endpoints, service)
    _add_acts(endpoints, service)
    return routes


def _add_reading(endpoints: Api, service: OrderingService) -> None:
    def orders(session: Session, query: OrdersQuery) -> OrdersPage:
        """List the orders, the latest first."""
        found, following = service.page(session, chosen=query.only, text=query.q, cursor=query.cursor, size=query.limit)
        return OrdersPage(orders=[OrderSummary(**_summary(each)) for each in found], cursor=following)

    def order(session: Session, order_id: str) -> OrderShown:
        """Show an order: its terms in force, what is open of each line, and what happened to it."""
        return _shown(service.row(session, order_id))

    endpoints.read("/orders", orders, permission="order.read", query=OrdersQuery, answer=OrdersPage)
    endpoints.read("/orders/<order_id>", order, permission="order.read", answer=OrderShown)


def _add_acts(endpoints: Api, service: OrderingService) -> None:
    def respond(session: Session, body: ResponseEntry, order_id: str) -> tuple[int, OrderShown]:
        """Answer an order as its seller: accept it, with changes or without, propose others, or reject it."""
        known = keyed(service.row(session, order_id).order.lines)
        faults = [
            fault(f"/{field}/{escaped(name)}", "no_such_line", gettext("The order has no such line."), name)
            for field in ("quantities", "prices", "days")
            for name in getattr(body, field)
            if name not in known
        ]
        if faults:
            raise Problem("does-not-fit", errors=faults)
        answered = Answered(OrderAnswer(body.answer), body.quantities, body.prices, body.days, body.text)
        org = http.principal().org
        service.respond(session, order_id, answered, by=org, expected_revision=body.expected_revision, asker=asker())
        return 201, _shown(service.row(session, order_id))

    def decided(decision: Decision) -> api.Write:
        def decide(session: Session, body: DecisionEntry, order_id: str) -> tuple[int, OrderShown]:
            row = service.decide(
                session, order_id, decision, response_id=body.response, expected_revision=body.expected_revision,
                by=http.principal().org, asker=asker(),
            )  # fmt: skip
            return 201, _shown(row)

        decide.__doc__ = _DECISIONS[decision][1]
        return decide

    one = "/orders/<order_id>"
    endpoints.write(f"{one}/responses", respond, permission="order.write", body=ResponseEntry, answer=OrderShown)
    for decision, (permission, _) in _DECISIONS.items():
        endpoints.write(
            f"{one}/{decision}", decided(decision), permission=permission, body=DecisionEntry, answer=OrderShown,
            name=str(decision),
        )  # fmt: skip


_DECISIONS = {
    Decision.AGREE: ("deal.bind", "Agree to what the seller's last response proposes: the order has a new version."),
    Decision.DECLINE: ("order.write", "Decline what the seller's last response proposes."),
}


def _told(error: Exception) -> Problem:
    if isinstance(error, Unauthorised):
        verdict = error.verdict
        return unauthorised(verdict, on_an_order(verdict) if isinstance(verdict, Needs) else None)
    if isinstance(error, Refused):
        return Problem("refused", title=str(wording.REFUSALS[error.rule]), code=error.rule)
    if isinstance(error, Conflict):
        return Problem("other-version")
    return Problem("not-found")


def _summary(row: OrderRow) -> dict[str, Any]:
    return {
        "id": row.id, "number": row.number, "deal": row.deal_id, "acceptance": row.acceptance, "buyer": row.buyer,
        "seller": row.seller, "standing": row.standing, "delivery": row.delivery, "billing": row.billing,
        "has_differences": row.has_differences, "revision": row.revision, "version": row.version,
        "currency": row.currency, "total": row.total, "placed_at": row.placed_at,
    }  # fmt: skip


def _shown(row: OrderRow) -> OrderShown:
    return OrderShown(
        **_summary(row),
        document=row.order.model_dump(mode="json", exclude_defaults=True, exclude={"extensions"}),
        lines=[
            LineBalance(
                line=each.line, unit=each.unit, ordered=each.ordered, cancelled=each.cancelled,
                despatched=each.despatched, invoiced=each.invoiced, open=each.balance.open,
            )
            for each in row.lines
        ],
        responses=[
            ResponseSummary(
                id=each.id, number=each.number, answer=each.answer, stated=each.stated, at=each.at,
                changes=[tuple(change) for change in each.diff], decision=each.decision, decided_at=each.decided_at,
            )
            for each in row.responses
        ],
        events=[
            EventSummary(at=each.at, by=each.by, kind=each.kind, state=each.state, number=each.number)
            for each in row.events
        ],
    )  # fmt: skip
