"""The REST API of approvals: what became of what was asked for. A program asks beside the act itself, and never approves."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from flask import Blueprint
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from tradehub.approvals import wording
from tradehub.approvals.model import Refused
from tradehub.approvals.service import ApprovalService, NotFound, RequestView
from tradehub.partners.asking import asker
from tradehub.platform import api, paging
from tradehub.platform.api import Answer, Api, Entry, example
from tradehub.platform.db import Database
from tradehub.platform.problems import Problem


class ApprovalsQuery(Entry):
    cursor: paging.Cursor | None = None
    limit: Annotated[int, Field(ge=1, le=paging.LIMIT_MAX)] = 50


class RequestSummary(BaseModel):
    """A request for approval. ``state``: pending, approved, done, declined, expired, withdrawn, or overtaken; then
    ``code`` and ``rule`` say by what. ``about`` is the deal, or the auction, inquiry, tender or contract."""

    id: str
    act: str
    about: str
    title: str
    partner: str
    amount: Decimal | None
    currency: str | None
    state: str
    code: str | None
    rule: str | None
    asked_by: str
    asked_at: datetime
    expires_at: datetime
    ended_at: datetime | None


class RequestShown(RequestSummary, Answer):
    pass


class RequestsShown(Answer):
    """Those of the organisation, the latest first."""

    requests: list[RequestSummary]
    cursor: str | None


class WithdrawalEntry(Entry):
    """Nothing: the address says it all."""

    model_config = example({})


def blueprint(service: ApprovalService, database: Database) -> Blueprint:
    """Return the endpoints."""
    routes = Blueprint("approvals_api", __name__, url_prefix=api.PREFIX)
    endpoints = Api(routes, database, _told, (Refused, NotFound), "approvals")

    def approvals(session: Session, query: ApprovalsQuery) -> RequestsShown:
        """List what the organisation's people and programs asked approval for."""
        found, following = service.page(session, asker(), cursor=query.cursor, size=query.limit)
        return RequestsShown(requests=[RequestSummary(**_facts(each)) for each in found], cursor=following)

    def approval(session: Session, request_id: str) -> RequestShown:
        """Show what became of a request for approval."""
        return RequestShown(**_facts(service.view(session, asker(), request_id)))

    def withdraw_request(session: Session, body: WithdrawalEntry, request_id: str) -> tuple[int, RequestShown]:
        """Take back what this token asked for."""
        service.withdraw(session, asker(), request_id)
        return 201, RequestShown(**_facts(service.view(session, asker(), request_id)))

    endpoints.read("/approvals", approvals, permission="deal.read", query=ApprovalsQuery, answer=RequestsShown)
    endpoints.read("/approvals/<request_id>", approval, permission="deal.read", answer=RequestShown)
    endpoints.write(
        "/approvals/<request_id>/withdrawal", withdraw_request, permission="deal.negotiate", body=WithdrawalEntry,
        answer=RequestShown,
    )  # fmt: skip
    return routes


def _facts(view: RequestView) -> dict[str, object]:
    row, why = view.row, view.row.why or {}
    return {
        "id": row.id, "act": row.act, "about": row.deal_id, "title": row.title, "partner": row.partner_name,
        "amount": row.amount, "currency": row.currency, "state": str(view.state), "code": why.get("code"),
        "rule": why.get("rule"), "asked_by": row.requester_name, "asked_at": row.asked_at,
        "expires_at": row.expires_at, "ended_at": row.ended_at,
    }  # fmt: skip


def _told(error: Exception) -> Problem | None:
    if isinstance(error, NotFound):
        return Problem("not-found")
    if isinstance(error, Refused):
        return Problem("refused", title=str(wording.REFUSALS[error.code]), code=error.code)
    return None
