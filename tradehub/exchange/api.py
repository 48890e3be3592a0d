"""The REST API of the exchange: the monitor for programs. It shows messages and mends none."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

from flask import Blueprint
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from tradehub.exchange import monitor
from tradehub.exchange.model import needs_attention
from tradehub.exchange.service import ExchangeService
from tradehub.exchange.store import MessageRow
from tradehub.platform import api, clock, paging
from tradehub.platform.api import Answer, Api, Entry, File
from tradehub.platform.db import Database
from tradehub.platform.problems import Problem

Shown = TypeVar("Shown", bound=BaseModel)


class MessagesQuery(Entry):
    """``q`` is part of a number, a name of a file, an id, or the number of the deal."""

    only: Literal["all", "attention", "waiting", "in", "out"] = "all"
    partner: Annotated[str, Field(max_length=64)] = ""
    q: Annotated[str, Field(max_length=100)] = ""
    cursor: paging.Cursor | None = None
    limit: Annotated[int, Field(ge=1, le=paging.LIMIT_MAX)] = 50


class MessageSummary(BaseModel):
    """Three statuses that are never merged: validation, delivery, acknowledgement."""

    id: str
    direction: str
    partner: str | None
    channel: str
    message: str
    kind: str | None
    reference: str | None
    deal: str | None
    control_number: str | None
    is_test: bool
    size: int
    sha256: str | None
    is_sealed: bool
    validation: str
    delivery: str
    acknowledgement: str
    needs_attention: bool
    created_at: datetime
    delivered_at: datetime | None
    acknowledged_at: datetime | None


class MessagesPage(Answer):
    messages: list[MessageSummary]
    cursor: str | None


class IssueShown(BaseModel):
    """What is wrong with a message and where: segment, element, component and repetition count from 1."""

    severity: str
    fault: str
    segment: int | None
    tag: str | None
    element: int | None
    component: int | None
    repetition: int | None
    path: str | None
    code: str | None
    value: str | None
    text: str


class StageShown(BaseModel):
    at: datetime
    stage: str
    detail: str | None
    actor: str | None


class AttemptShown(BaseModel):
    at: datetime
    outcome: str
    detail: str | None
    next_at: datetime | None


class MessageShown(MessageSummary, Answer):
    document: dict[str, Any] | None
    issues: list[IssueShown]
    stages: list[StageShown]
    attempts: list[AttemptShown]
    related: list[str]


def blueprint(exchange: ExchangeService, database: Database) -> Blueprint:
    """Return the endpoints."""
    routes = Blueprint("exchange_api", __name__, url_prefix=api.PREFIX)
    endpoints = Api(routes, database, lambda _error: None, (), "exchange")

    def messages(session: Session, query: MessagesQuery) -> MessagesPage:
        """List the messages, the latest first."""
        found, following = monitor.page(
            session, chosen=query.only, text=query.q, now=clock.now(), partner=query.partner, cursor=query.cursor,
            size=query.limit,
        )  # fmt: skip
        return MessagesPage(messages=[MessageSummary(**_summary(each)) for each in found], cursor=following)

    def message(session: Session, message_id: str) -> MessageShown:
        """Show a message: what it says, what is wrong with it, the steps it took and the tries to deliver it."""
        story = _story(session, message_id)
        return MessageShown(
            **_summary(story.row), document=story.row.document, related=[each.id for each in story.related],
            issues=[_of(IssueShown, each) for each in story.issues],
            stages=[_of(StageShown, each) for each in story.stages],
            attempts=[_of(AttemptShown, each) for each in story.attempts],
        )  # fmt: skip

    def raw(session: Session, message_id: str) -> File:
        """Download the transmission as it came or left; nothing is found while it is sealed."""
        row = _story(session, message_id).row
        if row.payload_sha256 is None or row.sealed_as is not None:
            raise Problem("not-found")
        return File(exchange.payloads.get(row.payload_sha256), f"{row.id}.bin")

    one = "/messages/<message_id>"
    endpoints.read("/messages", messages, permission="message.read", query=MessagesQuery, answer=MessagesPage)
    endpoints.read(one, message, permission="message.read", answer=MessageShown)
    endpoints.download(f"{one}/raw", raw, permission="message.read", media_type="application/octet-stream")
    return routes


def _story(session: Session, message_id: str) -> monitor.Story:
    story = monitor.story(session, message_id)
    if story is None:
        raise Problem("not-found")
    return story


def _of(model: type[Shown], row: object) -> Shown:
    return model.model_validate({name: getattr(row, name) for name in model.model_fields})


def _summary(row: MessageRow) -> dict[str, Any]:
    return {
        "id": row.id, "direction": row.direction, "partner": row.partner, "channel": row.channel,
        "message": row.message, "kind": row.kind, "reference": row.reference, "deal": row.deal,
        "control_number": row.control_number, "is_test": row.is_test, "size": row.size, "sha256": row.payload_sha256,
        "is_sealed": row.sealed_as is not None,
        "validation": row.validation, "delivery": row.delivery, "acknowledgement": row.acknowledgement,
        "needs_attention": needs_attention(row.statuses, now=clock.now()), "created_at": row.created_at,
        "delivered_at": row.delivered_at, "acknowledged_at": row.ack_at,
    }  # fmt: skip
