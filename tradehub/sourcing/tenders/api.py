"""The bidder's side as a REST API: the tender document, and a bid with its receipt.

A bid is taken without an Idempotency-Key: what is kept under such a key includes the hash of the request, from which a
price could be guessed. Sent twice it is two envelopes, of which the later one counts.
"""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint
from sqlalchemy.orm import Session

from tradehub.documents import Offer
from tradehub.platform import api, http
from tradehub.platform.api import Answer, Api, Entry, example
from tradehub.platform.db import Database
from tradehub.platform.problems import Problem
from tradehub.sourcing.tenders import wording
from tradehub.sourcing.tenders.hooks import Actor
from tradehub.sourcing.tenders.model import Notice, StageKind, Submission, TenderRefused
from tradehub.sourcing.tenders.reading import NotFound
from tradehub.sourcing.tenders.service import TenderService


class TenderDocument(Answer):
    """The latest version of what every bidder is shown, and the SHA-256 that stands on its page."""

    notice: Notice
    sha256: str


class BidBody(Entry):
    """A bid for a stage: an offer for the commercial one, answers by criterion for any."""

    model_config = example(
        {
            "stage": "commercial",
            "offer": {
                "currency": "USD",
                "lines": [{"number": "1", "item": {"name": "Valve V-22"}, "price": {"amount": "12.40"}}],
            },
        }
    )

    stage: StageKind = StageKind.COMMERCIAL
    offer: Offer | None = None
    answers: tuple[tuple[str, str], ...] = ()
    text: str = ""


class BidReceipt(Answer):
    """``fingerprint`` binds the contents, ``envelope_sha256`` is that of the sealed bytes; None without seals."""

    number: int
    stage: StageKind
    at: datetime
    fingerprint: str
    envelope_sha256: str | None


def blueprint(service: TenderService, database: Database) -> Blueprint:
    """Return the endpoints."""
    routes = Blueprint("tenders_api", __name__, url_prefix=api.PREFIX)
    endpoints = Api(routes, database, _told, (TenderRefused, NotFound), "tenders")

    def tender(session: Session, tender_id: str) -> TenderDocument:
        """Show the tender document in its latest version."""
        notice, sha256 = service.notice(session, tender_id)
        return TenderDocument(notice=notice, sha256=sha256)

    def bid(session: Session, body: BidBody, tender_id: str) -> tuple[int, BidReceipt]:
        """Hand in a bid, in place of an earlier one for the same stage. An Idempotency-Key is not looked at."""
        submission = Submission(offer=body.offer, answers=body.answers, text=body.text)
        made = service.bid(session, _actor(), tender_id, body.stage, submission)
        return 201, BidReceipt(
            number=made.number, stage=made.stage, at=made.at, fingerprint=made.fingerprint,
            envelope_sha256=made.envelope_sha256,
        )  # fmt: skip

    endpoints.read("/tenders/<tender_id>", tender, permission="deal.read", answer=TenderDocument)
    endpoints.write(
        "/tenders/<tender_id>/bids", bid, permission="deal.negotiate", body=BidBody, answer=BidReceipt, is_secret=True
    )
    return routes


def _told(error: Exception) -> Problem | None:
    if isinstance(error, NotFound):
        return Problem("not-found")
    if not isinstance(error, TenderRefused):
        return None
    status = 422 if error.code in ("INVALID_BID", "VALIDITY_TOO_SHORT") else 409
    return Problem("refused", status=status, title=wording.why(error), code=error.code, rule=error.rule)


def _actor() -> Actor:
    who = http.principal()
    return Actor(who.org, who.user_id, who.name, "api")
